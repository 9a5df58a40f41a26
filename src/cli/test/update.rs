//! `engine test --update`: what came is shown as a difference, then written.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Asked, run};
use crate::cli::{Exit, one_line, put, tell_line};
use crate::diag::unified::unified;
use crate::playbook::set::Playbook;
use crate::playbook::{Input, PlaybookSet, compile, tests};
use crate::runtime;
use crate::tester::report::{Suite, Verdict};
use crate::tester::test::Wish;
use crate::tester::update::{applied, edits};

/// Writes what came into the files of these playbooks. `shown` says whether the difference goes to standard output;
/// otherwise it goes to standard error. Gives the set and the results of its tests as they are then, if anything changed.
pub(super) fn update(
    set: &PlaybookSet,
    inputs: &[Input],
    playbooks: &[&Playbook],
    suites: &[Suite],
    shown: bool,
) -> Result<Option<(PlaybookSet, Vec<Suite>)>, Exit> {
    let mut new: BTreeMap<&str, (&Input, String)> = BTreeMap::new();
    for (playbook, suite) in playbooks.iter().zip(suites) {
        let made = edits(&set.sources, playbook, &suite.cases);
        let Some(input) = inputs.iter().rev().find(|i| *i.path == *suite.file).filter(|_| !made.is_empty()) else { continue };
        let mark = if input.text.starts_with('\u{feff}') { "\u{feff}" } else { "" };
        let text = applied(input.text.trim_start_matches('\u{feff}'), &made);
        match text {
            Some(text) => {
                new.insert(&suite.file, (input, format!("{mark}{text}")));
            }
            None => return Err(fault(&suite.file)),
        }
    }
    if new.is_empty() {
        return Ok(None);
    }
    // What would be written is tested before it is written.
    let files: Vec<Input> =
        inputs.iter().map(|i| new.get(i.path.as_str()).map_or_else(|| i.clone(), |(_, text)| Input { text: text.clone(), ..i.clone() })).collect();
    let after = compile(&files);
    let asked: Vec<Asked<'_>> = suites
        .iter()
        .filter_map(|s| {
            let playbook = after.playbooks.iter().find(|p| *p.id == *s.playbook)?;
            let (mut all, diagnostics) = tests(&after.sources, playbook);
            let suite = Suite::new(&after, playbook, all.len(), diagnostics);
            all.retain(|t| s.cases.iter().any(|c| c.test.name == t.name));
            Some(Asked { playbook, tests: all, suite })
        })
        .collect();
    let mended = run(&after, asked, Wish::Why);
    let left = |s: &Suite| s.cases.iter().filter(|c| c.verdict() == Verdict::Failed && c.outcome.got.is_some()).count();
    if mended.len() != suites.len() {
        return Err(fault("these tests"));
    }
    for (before, now) in suites.iter().zip(&mended) {
        if left(now) > 0 || now.errors() > before.errors() || now.cases.len() != before.cases.len() {
            return Err(fault(&now.file));
        }
    }
    for (path, (input, text)) in &new {
        let difference = unified(path, &input.text, text);
        if shown {
            put(&difference)?;
        } else {
            tell_line(difference.trim_end());
        }
        if let Err(e) = runtime::replace(Path::new(path), input.text.as_bytes(), text.as_bytes()) {
            tell_line(&format!("engine: {}", one_line(&e)));
            return Err(Exit::Input);
        }
    }
    tell_line(&format!("{} updated", crate::diag::human::counted(new.len(), "file")));
    Ok(Some((after, mended)))
}

fn fault(what: &str) -> Exit {
    tell_line(&format!("engine: what would be written into `{what}` does not pass, so nothing is written; this is a fault of the program"));
    Exit::Internal
}
