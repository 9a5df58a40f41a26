//! `engine diff`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::corpus::{Asking, Wanted};
use super::{Exit, colour_out, put, tell, tell_line};
use crate::card::Context;
use crate::card::render::json;
use crate::diag::{Diagnostic, Severity};
use crate::playbook::PlaybookSet;
use crate::runtime::git::Repository;
use crate::runtime::playbooks::{self, Loaded};
use crate::source::Sources;
use crate::tester::compare::{Options, Report, Sets, Totals, markdown, text};

/// What ends with exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Failing {
    /// A card that the old playbooks gave
    Lost,
    /// A card that they did not give
    Gained,
    /// A card that differs
    Changed,
    /// Another classification or determination
    Triage,
}

#[derive(Args, Debug)]
pub(super) struct Diff {
    /// The old playbooks: a folder, or a git revision (`HEAD~1`, `main`, `REV:FOLDER`)
    old: String,
    /// The new playbooks, likewise
    new: String,
    /// Past incidents: a folder, a file (one document, an array, JSON Lines), or `-`; without them only the playbooks are compared
    #[arg(long, value_name = "CORPUS")]
    incidents: Option<PathBuf>,
    /// The folder of a revision that is given without one; else `playbooks`, else the root
    #[arg(long, value_name = "FOLDER")]
    path: Option<String>,
    /// A folder in the git repository that revisions are read from
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// Put what ships with the program below both (the default)
    #[arg(long, overrides_with = "no_shipped")]
    shipped: bool,
    /// Leave out what ships with the program
    #[arg(long)]
    no_shipped: bool,
    /// Stop if any file does not load
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    asking: Asking,
    /// How many incidents are named for each kind of change; the others are counted
    #[arg(long, value_name = "N", default_value_t = 10)]
    examples: usize,
    /// End with exit code 1 on these
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    fail_on: Vec<Failing>,
    /// How the report is written
    #[arg(long, value_enum, default_value = "auto")]
    format: Wanted,
}

impl Diff {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        if self.incidents.is_none() && !self.fail_on.is_empty() {
            tell_line("engine: --fail-on needs --incidents: without incidents no card can be lost");
            return Err(Exit::Input);
        }
        let (old, new) = (self.load(&self.old)?, self.load(&self.new)?);
        let sets = Sets { old: &old, new: &new };
        let contexts = (self.asking.context(&old)?, self.asking.context(&new)?);
        let mut totals = Totals::new(self.examples);
        if let Some(corpus) = &self.incidents {
            let all = self.asking.each(
                corpus,
                || Totals::new(self.examples),
                |own, read, at| {
                    let with = |c: &Context| Context { input: read.diagnostics.clone(), ..c.clone() };
                    own.merge(Totals::of(sets, &read.incident, (&with(&contexts.0), &with(&contexts.1)), at, self.examples));
                },
                |(at, name, why)| totals.unread.add(at, &name, &why),
            )?;
            all.into_iter().for_each(|t| totals.merge(t));
        }
        let options = Options { old: self.old.clone(), new: self.new.clone(), incidents: self.incidents.is_some() };
        let report = totals.report(sets, &options);
        put(&match self.format.settled() {
            Wanted::Human => text(&report, colour_out()),
            Wanted::Markdown => markdown(&report),
            Wanted::Json | Wanted::Auto => json(&[&report]),
        })?;
        if self.incidents.is_some() && totals.incidents == 0 {
            return Err(Exit::Input);
        }
        Ok(if self.fails(&report) { Exit::Findings } else { Exit::Fine })
    }

    fn fails(&self, report: &Report) -> bool {
        let Some(a) = &report.answers else { return false };
        self.fail_on.iter().any(|f| match f {
            Failing::Lost => a.cards.lost > 0,
            Failing::Gained => a.cards.gained > 0,
            Failing::Changed => a.cards.changed > 0,
            Failing::Triage => a.triage.iter().any(|t| (t.from.classification, &t.from.determination) != (t.to.classification, &t.to.determination)),
        })
    }

    /// The set of a folder or revision. Problems are told on standard error.
    fn load(&self, spec: &str) -> Result<PlaybookSet, Exit> {
        let folder = Path::new(spec);
        let mut loaded = if folder.exists() {
            playbooks::load(&[folder.to_owned()], false)
        } else {
            Repository::at(&self.repo).load(spec, self.path.as_deref(), 1).unwrap_or_else(|d| Loaded { missing: vec![*d], ..Loaded::default() })
        };
        tell(&loaded.missing, &Sources::default());
        tell(&loaded.left_out, &Sources::default());
        if !loaded.missing.is_empty() {
            // A revision that does not exist is a wrong option; a folder that cannot be read are playbooks that do not load.
            return Err(if folder.exists() { Exit::Playbooks } else { Exit::Input });
        }
        if !self.no_shipped {
            loaded.files.extend(playbooks::shipped());
        }
        let mut set = playbooks::compile(&loaded.files);
        set.skipped.extend(loaded.left_out.iter().map(|d| (String::new(), format!("{}: {}", d.code, d.message))));
        let errors: Vec<Diagnostic> = set.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        tell(&errors, &set.sources);
        if set.playbooks.is_empty() || self.strict && !set.skipped.is_empty() {
            let why = if set.playbooks.is_empty() { "no playbook loads" } else { "some files do not load, and --strict was given" };
            tell_line(&format!("engine: `{spec}`: {why}"));
            return Err(Exit::Playbooks);
        }
        Ok(set)
    }
}
