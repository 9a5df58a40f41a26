//! `engine test`

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::progress::Progress;
use super::{Exit, colour_out, put, tell, tell_line};
use crate::diag::{Diagnostic, Severity, codes};
use crate::intake::Read;
use crate::playbook::set::Playbook;
use crate::playbook::{PlaybookSet, Test as PlaybookTest, compile, tests};
use crate::runtime;
use crate::source::Sources;
use crate::tester::coverage::{self, Coverage};
use crate::tester::report::{self, Case, Suite, Totals};
use crate::tester::test;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people on a terminal, JSON in a pipe
    Auto,
    /// For people
    Human,
    /// One document
    Json,
    /// XML for continuous integration
    Junit,
}

#[derive(Args, Debug)]
pub(super) struct Test {
    /// Folders or files of playbooks; without any, what ships is tested
    paths: Vec<PathBuf>,
    /// Only tests whose name, or whose playbook, contains this
    #[arg(short = 'k', value_name = "TEXT")]
    keep: Option<String>,
    /// How the results are written
    #[arg(long, value_enum, default_value = "auto")]
    format: Format,
    /// A playbook without tests is a failure
    #[arg(long)]
    fail_on_missing: bool,
    /// Which clauses the tests have seen hold, and which fail
    #[arg(long)]
    coverage: bool,
    /// At least so many percent of the clauses' outcomes must be seen; asks for coverage
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    threshold: Option<usize>,
    /// Leave out what ships with the program
    #[arg(long)]
    no_shipped: bool,
}

/// A percentage in hundredths.
fn percent(text: &str) -> Result<usize, String> {
    let wrong = || "percentages are numbers from 0 to 100, as in 95 or 99.5".to_owned();
    let n: f64 = text.trim_end_matches('%').trim().parse().map_err(|_| wrong())?;
    if !(0.0..=100.0).contains(&n) {
        return Err(wrong());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10 000")]
    Ok((n * 100.0).round() as usize)
}

/// What is tested: a playbook with its tests.
struct Asked<'s> {
    playbook: &'s Playbook,
    tests: Vec<PlaybookTest>,
    suite: Suite,
}

impl Test {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        let begun = Instant::now();
        let loaded = runtime::playbooks::load(&self.paths, !self.no_shipped);
        tell(&loaded.missing, &Sources::default());
        tell(&loaded.left_out, &Sources::default());
        if !loaded.missing.is_empty() {
            return Err(Exit::Playbooks);
        }
        let set = compile(&loaded.files);
        let errors: Vec<Diagnostic> = set.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        tell(&errors, &set.sources);
        let broken = !errors.is_empty() || !loaded.left_out.is_empty();
        let asked = self.asked(&set);
        if asked.is_empty() {
            tell_line("engine: no playbook to test");
            return Err(if broken { Exit::Playbooks } else { Exit::Input });
        }
        let observe = self.coverage || self.threshold.is_some();
        let playbooks: Vec<&Playbook> = asked.iter().map(|a| a.playbook).collect();
        let mut coverage = observe.then(|| Coverage::new(&set, &playbooks, &|file| runtime::playbooks::is_shipped(file) == self.paths.is_empty()));
        let suites = run(&set, asked, observe);
        if let Some(coverage) = &mut coverage {
            suites.iter().flat_map(|s| &s.cases).for_each(|c| coverage.add(&c.outcome.observed));
        }
        let totals = Totals::of(&suites);
        put(&self.written(&set, &suites, coverage.as_ref()))?;
        let mut low = false;
        if let (Some(least), Some(share)) = (self.threshold, coverage.as_ref().map(Coverage::share))
            && share.hundredths() < least
        {
            low = true;
            tell_line(&format!("engine: {share} of the outcomes of clauses were seen, fewer than --threshold asks for"));
        }
        tell_line(&format!("{}, in {:.2?}", report::summary(&totals), begun.elapsed()));
        let failed = low || totals.failed > 0 || totals.errors > 0 || self.fail_on_missing && totals.missing > 0;
        Ok(if broken {
            Exit::Playbooks
        } else if failed {
            Exit::Findings
        } else {
            Exit::Fine
        })
    }

    /// The playbooks of the paths, or those that ship, with the tests that are asked for.
    fn asked<'s>(&self, set: &'s PlaybookSet) -> Vec<Asked<'s>> {
        let keep = self.keep.as_ref().map(|k| k.to_lowercase());
        let kept = |text: &str| keep.as_ref().is_none_or(|k| text.to_lowercase().contains(k));
        let mut all = Vec::new();
        for playbook in &set.playbooks {
            let shipped = set.sources.get(playbook.span.file).is_some_and(|f| runtime::playbooks::is_shipped(&f.path));
            if shipped != self.paths.is_empty() {
                continue;
            }
            let (mut tests, diagnostics) = tests(&set.sources, playbook);
            let mut suite = Suite::new(set, playbook, tests.len(), diagnostics);
            if !kept(&playbook.id) {
                tests.retain(|t| kept(&t.name));
                if tests.is_empty() {
                    continue;
                }
            }
            suite.cases.reserve(tests.len());
            all.push(Asked { playbook, tests, suite });
        }
        all
    }

    fn written(&self, set: &PlaybookSet, suites: &[Suite], coverage: Option<&Coverage>) -> String {
        match self.format {
            Format::Junit => report::junit::junit(suites, &set.sources),
            Format::Auto if !std::io::IsTerminal::is_terminal(&std::io::stdout()) => json(set, suites, coverage),
            Format::Json => json(set, suites, coverage),
            Format::Auto | Format::Human => {
                let mut page = report::human(suites, &set.sources, colour_out());
                page.extend(coverage.map(|c| coverage::page::human(c, &set.sources, colour_out())));
                page
            }
        }
    }
}

fn json(set: &PlaybookSet, suites: &[Suite], coverage: Option<&Coverage>) -> String {
    let mut document = report::document(suites, &set.sources);
    document.coverage = coverage.map(|c| c.document(&set.sources));
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Runs all tests on all threads; the results come in the order of playbooks and tests.
fn run(set: &PlaybookSet, asked: Vec<Asked<'_>>, observe: bool) -> Vec<Suite> {
    let total = asked.iter().map(|a| a.tests.len()).fold(0, usize::saturating_add);
    let mut progress = Progress::new("tests", Some(total));
    let jobs: Vec<(usize, &Playbook, &PlaybookTest)> =
        asked.iter().enumerate().flat_map(|(n, a)| a.tests.iter().map(move |t| (n, a.playbook, t))).collect();
    let mut results = Vec::new();
    runtime::parallel::ordered(
        jobs.into_iter(),
        |(n, playbook, t)| (n, Case { test: t.clone(), outcome: test::run(set, playbook, t, &files, observe) }),
        |done| {
            progress.step();
            results.push(done);
            true
        },
    );
    let mut suites: Vec<Suite> = asked.into_iter().map(|a| a.suite).collect();
    for (n, case) in results {
        if let Some(s) = suites.get_mut(n) {
            s.cases.push(case);
        }
    }
    suites
}

/// The incidents of a file that a test names, from the folder of the playbook's file.
fn files(playbook: &str, path: &str) -> Result<Vec<Read>, Box<Diagnostic>> {
    if runtime::playbooks::is_shipped(playbook) {
        let d = Diagnostic::new(codes::UNREADABLE, Severity::Error, "a playbook that ships with the program has no files beside it");
        return Err(Box::new(d.help("write the incident under `given:`")));
    }
    let folder = Path::new(playbook).parent().unwrap_or(Path::new(""));
    runtime::incidents::read(&folder.join(path), None)
}
