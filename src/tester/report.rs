//! The results of tests, and how they are written: for people, as JSON, as JUnit XML.

pub mod junit;

use serde::Serialize;

use super::test::{Failure, Outcome};
use crate::diag::human::{self, counted, visible};
use crate::diag::{Diagnostic, Severity, Wire};
use crate::playbook::PlaybookSet;
use crate::playbook::set::Playbook;
use crate::playbook::tests::Test;
use crate::source::Sources;

/// The version of the document.
pub const SCHEMA: &str = "guided-response/test/1";

/// The tests of one playbook with their results.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The playbook's id.
    pub playbook: String,
    /// Its file.
    pub file: String,
    /// Its tests, in the order of the file.
    pub cases: Vec<Case>,
    /// What is wrong with its `tests:`.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether its file holds no test at all.
    pub empty: bool,
}

/// A test with its result.
#[derive(Clone, Debug)]
pub struct Case {
    /// The test.
    pub test: Test,
    /// Its result.
    pub outcome: Outcome,
}

/// How a test counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All that was expected came.
    Passed,
    /// Something did not.
    Failed,
    /// It fails as `todo` says.
    Todo,
    /// It passes, and `todo` says that it fails.
    Done,
}

impl Case {
    /// How it counts.
    pub fn verdict(&self) -> Verdict {
        match (self.outcome.failures.is_empty(), self.test.todo.is_some()) {
            (true, false) => Verdict::Passed,
            (false, false) => Verdict::Failed,
            (false, true) => Verdict::Todo,
            (true, true) => Verdict::Done,
        }
    }
}

impl Suite {
    /// For a playbook, before its tests were run.
    pub fn new(set: &PlaybookSet, playbook: &Playbook, tests: usize, diagnostics: Vec<Diagnostic>) -> Self {
        let file = set.sources.get(playbook.span.file).map_or_else(String::new, |f| f.path.to_string());
        let empty = tests == 0 && diagnostics.is_empty();
        Self { playbook: playbook.id.to_string(), file, cases: Vec::new(), diagnostics, empty }
    }

    /// How many of its tests count so.
    pub fn count(&self, what: Verdict) -> usize {
        self.cases.iter().filter(|c| c.verdict() == what).count()
    }

    /// How many of its tests could not be read.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
    }
}

/// How many tests of all suites count in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tests that passed, with those that `todo` says fail.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Tests that fail as `todo` says.
    pub todo: usize,
    /// Errors in `tests:` sections.
    pub errors: usize,
    /// Playbooks without a test.
    pub missing: usize,
}

impl Totals {
    /// Of these suites.
    pub fn of(suites: &[Suite]) -> Self {
        let mut t = Self::default();
        for s in suites {
            t.passed = t.passed.saturating_add(s.count(Verdict::Passed)).saturating_add(s.count(Verdict::Done));
            t.failed = t.failed.saturating_add(s.count(Verdict::Failed));
            t.todo = t.todo.saturating_add(s.count(Verdict::Todo));
            t.errors = t.errors.saturating_add(s.errors());
            t.missing = t.missing.saturating_add(usize::from(s.empty));
        }
        t
    }
}

/// The marks at the beginning of a line.
pub(super) struct Marks {
    pub good: &'static str,
    pub bad: &'static str,
    pub none: &'static str,
}

impl Marks {
    pub fn new(colour: bool) -> Self {
        if colour {
            Self { good: "\u{1b}[32m\u{2713}\u{1b}[0m", bad: "\u{1b}[31m\u{2717}\u{1b}[0m", none: "\u{1b}[33m\u{2013}\u{1b}[0m" }
        } else {
            Self { good: "\u{2713}", bad: "\u{2717}", none: "\u{2013}" }
        }
    }
}

/// For people: a line for each playbook, and under it what failed, drawn at its place.
pub fn human(suites: &[Suite], sources: &Sources, colour: bool) -> String {
    let marks = Marks::new(colour);
    let width = suites.iter().map(|s| s.playbook.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for s in suites {
        let (failed, todo, done) = (s.count(Verdict::Failed), s.count(Verdict::Todo), s.count(Verdict::Done));
        let mark = match (failed.saturating_add(s.errors()), s.empty) {
            (0, false) => marks.good,
            (0, true) => marks.none,
            _ => marks.bad,
        };
        let mut said = Vec::new();
        if s.empty {
            said.push("no tests".to_owned());
        } else if failed > 0 {
            said.push(format!("{failed} of {} failed", counted(s.cases.len(), "test")));
        } else {
            said.push(counted(s.cases.len().saturating_sub(todo), "test"));
        }
        if todo > 0 {
            said.push(format!("{todo} to do"));
        }
        if s.errors() > 0 {
            said.push(format!("{} in `tests:`", counted(s.errors(), "error")));
        }
        out.push_str(&format!("{mark} {:width$}  {}\n", s.playbook, said.join(", ")));
        if !s.diagnostics.is_empty() {
            out.push('\n');
            out.push_str(&human::render(&s.diagnostics, sources, colour));
        }
        for c in s.cases.iter().filter(|c| c.verdict() == Verdict::Failed) {
            out.push_str(&format!("\n  {} {}\n\n", marks.bad, visible(&c.test.name)));
            let all: Vec<Diagnostic> = c.outcome.failures.iter().map(|f| f.diagnostic.clone()).collect();
            out.push_str(&human::render(&all, sources, colour));
        }
        if done > 0 {
            for c in s.cases.iter().filter(|c| c.verdict() == Verdict::Done) {
                out.push_str(&format!("  {} {} passes, and says `todo`: take it out\n", marks.none, visible(&c.test.name)));
            }
        }
    }
    out
}

/// The line under it all.
pub fn summary(t: &Totals) -> String {
    let mut said = vec![format!("{} passed", counted(t.passed, "test")), format!("{} failed", t.failed)];
    if t.todo > 0 {
        said.push(format!("{} to do", t.todo));
    }
    if t.errors > 0 {
        said.push(format!("{} in `tests:`", counted(t.errors, "error")));
    }
    if t.missing > 0 {
        said.push(format!("{} without tests", counted(t.missing, "playbook")));
    }
    said.join(", ")
}

/// The document of `--format json`.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Document<'a> {
    schema: &'static str,
    engine: &'static str,
    passed: usize,
    failed: usize,
    todo: usize,
    errors: usize,
    playbooks: Vec<WireSuite<'a>>,
    /// The coverage of clauses, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<super::coverage::document::Document>,
    /// What mutation found, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutation: Option<super::mutate::document::Document>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct WireSuite<'a> {
    playbook: &'a str,
    file: &'a str,
    tests: Vec<WireCase<'a>>,
    diagnostics: Vec<Wire>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct WireCase<'a> {
    name: &'a str,
    line: usize,
    outcome: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    todo: Option<&'a str>,
    failures: Vec<WireFailure>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct WireFailure {
    expectation: &'static str,
    #[serde(flatten)]
    diagnostic: Wire,
    /// The other places: which clause failed, which card holds.
    because: Vec<Reason>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct Reason {
    file: String,
    line: usize,
    column: usize,
    text: String,
}

/// The document of `--format json`.
pub fn document<'a>(suites: &'a [Suite], sources: &Sources) -> Document<'a> {
    let t = Totals::of(suites);
    let failure = |f: &Failure| WireFailure {
        expectation: f.key,
        diagnostic: f.diagnostic.to_wire(sources),
        because: f
            .diagnostic
            .labels
            .iter()
            .skip(1)
            .map(|l| {
                let p = sources.place(l.span);
                Reason { file: p.file.to_string(), line: p.line, column: p.column, text: l.text.clone() }
            })
            .collect(),
    };
    let playbooks = suites
        .iter()
        .map(|s| WireSuite {
            playbook: &s.playbook,
            file: &s.file,
            tests: s
                .cases
                .iter()
                .map(|c| WireCase {
                    name: &c.test.name,
                    line: sources.place(c.test.span).line,
                    outcome: c.verdict(),
                    todo: c.test.todo.as_deref(),
                    failures: c.outcome.failures.iter().map(failure).collect(),
                })
                .collect(),
            diagnostics: s.diagnostics.iter().map(|d| d.to_wire(sources)).collect(),
        })
        .collect();
    Document {
        schema: SCHEMA,
        engine: env!("CARGO_PKG_VERSION"),
        passed: t.passed,
        failed: t.failed,
        todo: t.todo,
        errors: t.errors,
        playbooks,
        coverage: None,
        mutation: None,
    }
}
