//! `engine check`

mod fix;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{Exit, colour_out, put, tell_line};
use crate::diag::human::counted;
use crate::diag::{Diagnostic, Severity, codes, explain, github, human, json, nearest, sarif};
use crate::playbook::{Input, PlaybookSet, findings};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// For people on a terminal, JSON in a pipe
    Auto,
    /// Drawn in the text of the files
    Human,
    /// One document
    Json,
    /// SARIF 2.1.0, for code scanning and editors
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
}

#[derive(Args, Debug)]
pub(super) struct Check {
    /// Folders or files of playbooks; without any, what ships is checked
    paths: Vec<PathBuf>,
    /// Leave out what ships with the program
    #[arg(long)]
    no_shipped: bool,
    /// How the report is written
    #[arg(long, value_enum, default_value = "auto")]
    format: Wanted,
    /// Takes a warning or note with this code for an error, or with `warnings` all warnings; may be given several times
    #[arg(long, value_name = "CODE", value_parser = denied)]
    deny: Vec<String>,
    /// Applies the fixes that change nothing an author may have meant, and reports what is left
    #[arg(long)]
    fix: bool,
    /// With --fix: shows what would change, as a diff, and writes nothing
    #[arg(long, requires = "fix", conflicts_with = "format")]
    dry_run: bool,
    /// Prints the page of a code; without one, lists them
    #[arg(long, value_name = "CODE", num_args = 0..=1, exclusive = true)]
    explain: Option<Option<String>>,
}

/// The word of `--deny` for all warnings.
const WARNINGS: &str = "warnings";

fn denied(word: &str) -> Result<String, String> {
    match codes::find(word) {
        Some(code) => Ok(code.id.to_owned()),
        None if word == WARNINGS => Ok(word.to_owned()),
        None => Err(no_code(word, &[WARNINGS])),
    }
}

/// That a word is no code, and what was probably meant.
fn no_code(word: &str, more: &[&str]) -> String {
    let near = nearest(word, codes::ALL.iter().map(|c| c.id).chain(more.iter().copied()));
    let help = near.map_or_else(|| "`engine check --explain` lists them".to_owned(), |n| format!("did you mean `{n}`?"));
    format!("there is no code `{}`; {help}", human::visible(word))
}

/// Files with all that is wrong with them.
struct Checked {
    set: PlaybookSet,
    diagnostics: Vec<Diagnostic>,
}

/// All that can be known of some files without an incident.
fn look(files: &[Input]) -> Checked {
    let set = crate::runtime::playbooks::compile(files);
    let diagnostics = findings(&set, crate::runtime::today());
    Checked { set, diagnostics }
}

/// The document of `--format json`.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct Report<'r> {
    schema: &'static str,
    diagnostics: Vec<json::Full>,
    /// What `--fix` mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<&'r [fix::Done]>,
    playbooks: usize,
    signals: usize,
    actions: usize,
    lists: usize,
    incident_types: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
}

impl Check {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        if let Some(code) = &self.explain {
            return explained(code.as_deref());
        }
        let loaded = crate::runtime::playbooks::load(&self.paths, !self.no_shipped);
        let unread: Vec<Diagnostic> = loaded.missing.into_iter().chain(loaded.left_out).collect();
        let mut checked = look(&loaded.files);
        let mut fixed = None;
        let mut unwritten = false;
        if self.fix {
            let mut fixes = fix::rounds(loaded.files, checked);
            if self.dry_run {
                put(&fixes.diff())?;
                tell_line(&format!("{} would be mended", counted(fixes.done.len(), "problem")));
                return Ok(self.exit(&unread, &fixes.before));
            }
            unwritten = !fixes.write();
            checked = look(&fixes.files);
            fixed = Some(fixes.done);
        }
        let exit = self.exit(&unread, &checked.diagnostics);
        let mut all: Vec<Diagnostic> = unread.into_iter().chain(checked.diagnostics).collect();
        for d in &mut all {
            if self.denies(d) {
                d.severity = Severity::Error;
            }
        }
        self.show(&all, &checked.set, fixed.as_deref())?;
        Ok(if unwritten { Exit::Input } else { exit })
    }

    fn show(&self, all: &[Diagnostic], set: &PlaybookSet, fixed: Option<&[fix::Done]>) -> Result<(), Exit> {
        let broken = |e: serde_json::Error| {
            tell_line(&format!("engine: the report cannot be written: {e}"));
            Exit::Internal
        };
        let count = |s: Severity| all.iter().filter(|d| d.severity == s).count();
        let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
        let format = match self.format {
            Wanted::Auto if std::io::IsTerminal::is_terminal(&std::io::stdout()) => Wanted::Human,
            Wanted::Auto => Wanted::Json,
            wanted => wanted,
        };
        put(&match format {
            Wanted::Auto | Wanted::Human => human::render(all, &set.sources, colour_out()),
            Wanted::Sarif => sarif::render(all, &set.sources).map_err(broken)?,
            Wanted::Github => github::render(all, &set.sources),
            Wanted::Json => {
                let report = Report {
                    schema: "guided-response/check/1",
                    diagnostics: all.iter().map(|d| d.to_full(&set.sources)).collect(),
                    fixed,
                    playbooks: set.playbooks.len(),
                    signals: set.signals.len(),
                    actions: set.actions.len(),
                    lists: set.lists.len(),
                    incident_types: set.types.len(),
                    errors,
                    warnings,
                    notes,
                };
                serde_json::to_string_pretty(&report).map_err(broken)? + "\n"
            }
        })?;
        for done in fixed.into_iter().flatten() {
            tell_line(&format!("mended {done}"));
        }
        tell_line(&format!(
            "{} playbooks, {} signals, {} actions, {} lists, {} incident types: {}, {}",
            set.playbooks.len(),
            set.signals.len(),
            set.actions.len(),
            set.lists.len(),
            set.types.len(),
            counted(errors, "error"),
            counted(warnings, "warning"),
        ));
        let safe = all.iter().filter(|d| d.fix.as_ref().is_some_and(|f| f.safe)).count();
        if safe > 0 && fixed.is_none() {
            tell_line(&format!("`engine check --fix` mends {safe} of them"));
        }
        if let (Wanted::Human, Some(first)) = (format, all.first()) {
            tell_line(&format!("`engine check --explain {}` says more about a code", first.code));
        }
        Ok(())
    }

    fn denies(&self, d: &Diagnostic) -> bool {
        d.severity != Severity::Error && self.deny.iter().any(|w| w == d.code || w == WARNINGS && d.severity == Severity::Warning)
    }

    /// How the run ends: errors keep playbooks from loading, whatever is denied does not.
    fn exit(&self, unread: &[Diagnostic], found: &[Diagnostic]) -> Exit {
        let mut all = unread.iter().chain(found);
        if all.clone().any(|d| d.severity == Severity::Error) {
            Exit::Playbooks
        } else if all.any(|d| d.severity == Severity::Warning || self.denies(d)) {
            Exit::Findings
        } else {
            Exit::Fine
        }
    }
}

fn explained(code: Option<&str>) -> Result<Exit, Exit> {
    let Some(word) = code else { return put(&explain::list()) };
    match codes::find(word) {
        Some(code) => put(&explain::page(code)),
        None => {
            tell_line(&format!("engine: {}", no_code(word, &[])));
            Err(Exit::Input)
        }
    }
}
