//! `engine test --mutate`: every change on its own, on all threads.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use super::files;
use crate::cli::progress::Progress;
use crate::diag::Diagnostic;
use crate::eval;
use crate::intake::Read;
use crate::playbook::set::Playbook;
use crate::playbook::{Compiler, Input, PlaybookSet, Test};
use crate::runtime;
use crate::script::Facts;
use crate::script::eval::Observed;
use crate::tester::mutate::{Fate, Mutation, Trial, Tried};
use crate::tester::report::{Suite, Verdict};
use crate::tester::test::{self, Over};

/// What is shown of the changes: how it is written is the caller's matter.
pub(super) fn run<T>(
    set: &PlaybookSet,
    inputs: &[Input],
    playbooks: &[&Playbook],
    suites: &[Suite],
    wanted: &dyn Fn(&str) -> bool,
    done: impl FnOnce(&Mutation<'_>, &[Fate]) -> T,
) -> T {
    // Tests that pass; of the others nothing can be noticed.
    let mut reads: Vec<(usize, &Test, &Observed, Read, Cow<'_, PlaybookSet>)> = Vec::new();
    for (n, suite) in suites.iter().enumerate() {
        for c in suite.cases.iter().filter(|c| c.verdict() == Verdict::Passed) {
            if let (Ok(read), Ok(set)) = (test::incident(&suite.file, &c.test, &files), test::with_lists(set, &c.test)) {
                reads.push((n, &c.test, &c.outcome.observed, read, set));
            }
        }
    }
    let facts: Vec<(Facts<'_>, Vec<Diagnostic>)> = reads.iter().map(|(_, t, _, read, set)| eval::facts(set, &read.incident, t.now)).collect();
    let mut tried: Vec<Tried<'_>> = playbooks.iter().map(|p| Tried { playbook: p, trials: Vec::new() }).collect();
    for ((n, test, observed, read, _), (facts, failed)) in reads.iter().zip(&facts) {
        if let Some(t) = tried.get_mut(*n) {
            let over = Over { facts, failed: failed.clone(), input: read.diagnostics.clone() };
            t.trials.push(Trial { test, over, observed: (*observed).clone() });
        }
    }
    let mutation = Mutation::new(set, inputs, &tried, wanted);
    let mut progress = Progress::new("changes", Some(mutation.mutants.len()));
    // Each thread takes a compiler, and makes one if there is none.
    let compilers: Mutex<Vec<Compiler>> = Mutex::new(Vec::new());
    let mut fates = Vec::new();
    runtime::parallel::ordered(
        mutation.mutants.iter(),
        |m| {
            let idle = compilers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut compiler = idle.unwrap_or_else(|| {
                let mut new = Compiler::default();
                new.compile(inputs);
                new
            });
            let fate = mutation.fate(m, &mut compiler);
            compilers.lock().unwrap_or_else(PoisonError::into_inner).push(compiler);
            fate
        },
        |fate| {
            progress.step();
            fates.push(fate);
            true
        },
    );
    drop(progress);
    done(&mutation, &fates)
}
