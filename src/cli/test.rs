//! `engine test`

mod mutation;
mod update;
mod watch;

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::progress::Progress;
use super::{Exit, colour_out, put, tell, tell_line};
use crate::diag::{Diagnostic, Severity, codes};
use crate::intake::Read;
use crate::playbook::set::Playbook;
use crate::playbook::{Input, PlaybookSet, Test as PlaybookTest, tests};
use crate::runtime;
use crate::source::Sources;
use crate::tester::coverage::{self, Coverage, Share};
use crate::tester::mutate;
use crate::tester::report::{self, Case, Suite, Totals};
use crate::tester::test::{self, Wish};

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
    /// Write what came into the expectations that failed, after showing the difference
    #[arg(long, conflicts_with_all = ["mutate", "mutation_threshold"])]
    update: bool,
    /// Run again when a playbook, or a file beside it, changes; until Ctrl-C
    #[arg(long, conflicts_with_all = ["update", "mutate", "mutation_threshold"])]
    watch: bool,
    /// With --watch, look at the folders again and again, for file systems that tell no events
    #[arg(long, requires = "watch")]
    poll: bool,
    /// Which clauses the tests have seen hold, and which fail
    #[arg(long)]
    coverage: bool,
    /// At least so many percent of the clauses' outcomes must be seen; asks for coverage
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    threshold: Option<usize>,
    /// Changes one thing in the conditions at a time: the tests must notice
    #[arg(long)]
    mutate: bool,
    /// At least so many percent of the changes must be noticed; asks for mutation
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    mutation_threshold: Option<usize>,
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
        if self.paths.is_empty() && (self.update || self.watch) {
            let what = if self.update { "what ships cannot be changed" } else { "what ships does not change" };
            tell_line(&format!("engine: {what}: name folders or files of your own"));
            return Err(Exit::Input);
        }
        if self.watch {
            return watch::watch(self);
        }
        let begun = Instant::now();
        let loaded = runtime::playbooks::load(&self.paths, !self.no_shipped);
        tell(&loaded.missing, &Sources::default());
        tell(&loaded.left_out, &Sources::default());
        if !loaded.missing.is_empty() {
            return Err(Exit::Playbooks);
        }
        let set = runtime::playbooks::compile(&loaded.files);
        let errors: Vec<Diagnostic> = set.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        tell(&errors, &set.sources);
        let exit = self.round(&set, &loaded.files, begun)?;
        Ok(if errors.is_empty() && loaded.left_out.is_empty() { exit } else { Exit::Playbooks })
    }

    /// Runs the tests of a set once, and tells the results.
    fn round(&self, set: &PlaybookSet, inputs: &[Input], begun: Instant) -> Result<Exit, Exit> {
        let asked = self.asked(set);
        if asked.is_empty() {
            tell_line(if self.keep.is_some() { "engine: no test contains this" } else { "engine: no playbook to test" });
            return Ok(Exit::Input);
        }
        let playbooks: Vec<&Playbook> = asked.iter().map(|a| a.playbook).collect();
        let (cover, mutate) = (self.coverage || self.threshold.is_some(), self.mutate || self.mutation_threshold.is_some());
        let suites = run(set, asked, if cover || mutate { Wish::Clauses } else { Wish::Why });
        if self.update
            && let Some((set, suites)) = update::update(set, inputs, &playbooks, &suites, self.page())?
        {
            return self.tell(&set, &suites, Found::default(), begun);
        }
        let mut found = Found::default();
        if cover {
            let mut coverage = Coverage::new(set, &playbooks, &|file| self.own(file));
            suites.iter().flat_map(|s| &s.cases).for_each(|c| coverage.add(&c.outcome.observed));
            found.coverage = Some(Part {
                page: coverage::page::human(&coverage, &set.sources, colour_out()),
                document: coverage.document(&set.sources),
                share: coverage.share(),
            });
        }
        if mutate {
            found.mutation = Some(mutation::run(set, inputs, &playbooks, &suites, &|file| self.own(file), |mutation, fates| Part {
                page: mutate::page::human(mutation, fates, &set.sources, colour_out()),
                document: mutate::document::document(mutation, fates, &set.sources),
                share: mutate::page::total(mutation, fates),
            }));
        }
        self.tell(set, &suites, found, begun)
    }

    /// Whether a library's file is asked about beside its playbooks: not where only some tests are.
    fn own(&self, file: &str) -> bool {
        self.keep.is_none() && runtime::playbooks::is_shipped(file) == self.paths.is_empty()
    }

    /// Writes the results, and says how the run ends.
    fn tell(&self, set: &PlaybookSet, suites: &[Suite], found: Found, begun: Instant) -> Result<Exit, Exit> {
        let (seen, noticed) = (found.coverage.as_ref().map(|p| p.share), found.mutation.as_ref().map(|p| p.share));
        put(&self.written(set, suites, found))?;
        let low = |share: Option<Share>, least: Option<usize>, what: &str| {
            share.filter(|s| least.is_some_and(|least| s.hundredths() < least)).is_some_and(|s| {
                tell_line(&format!("engine: {s} {what}, less than was asked for"));
                true
            })
        };
        let few = low(seen, self.threshold, "of the outcomes of clauses were seen");
        let blind = low(noticed, self.mutation_threshold, "of the changes were noticed");
        let totals = Totals::of(suites);
        tell_line(&format!("{}, in {:.2?}", report::summary(&totals), begun.elapsed()));
        let failed = few || blind || totals.failed > 0 || totals.errors > 0 || self.fail_on_missing && totals.missing > 0;
        Ok(if failed { Exit::Findings } else { Exit::Fine })
    }

    /// Whether the results are a page for people.
    fn page(&self) -> bool {
        match self.format {
            Format::Human => true,
            Format::Auto => std::io::IsTerminal::is_terminal(&std::io::stdout()),
            Format::Json | Format::Junit => false,
        }
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

    fn written(&self, set: &PlaybookSet, suites: &[Suite], found: Found) -> String {
        if self.page() {
            let mut page = report::human(suites, &set.sources, colour_out());
            page.extend(found.coverage.iter().map(|p| p.page.as_str()));
            page.extend(found.mutation.iter().map(|p| p.page.as_str()));
            return page;
        }
        if self.format == Format::Junit {
            return report::junit::junit(suites, &set.sources);
        }
        let mut document = report::document(suites, &set.sources);
        document.coverage = found.coverage.map(|p| p.document);
        document.mutation = found.mutation.map(|p| p.document);
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// What coverage or mutation found, as it is written.
struct Part<D> {
    page: String,
    document: D,
    share: Share,
}

/// What was found beside the results of tests.
#[derive(Default)]
struct Found {
    coverage: Option<Part<coverage::document::Document>>,
    mutation: Option<Part<mutate::document::Document>>,
}

/// Runs all tests on all threads; the results come in the order of playbooks and tests.
fn run(set: &PlaybookSet, asked: Vec<Asked<'_>>, wish: Wish) -> Vec<Suite> {
    let total = asked.iter().map(|a| a.tests.len()).fold(0, usize::saturating_add);
    let mut progress = Progress::new("tests", Some(total));
    let jobs: Vec<(usize, &Playbook, &PlaybookTest)> =
        asked.iter().enumerate().flat_map(|(n, a)| a.tests.iter().map(move |t| (n, a.playbook, t))).collect();
    let mut results = Vec::new();
    runtime::parallel::ordered(
        jobs.into_iter(),
        |(n, playbook, t)| (n, Case { test: t.clone(), outcome: test::run(set, playbook, t, &files, wish) }),
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
    runtime::incidents::beside(playbook, path)
}
