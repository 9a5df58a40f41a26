//! `engine check`

use std::path::PathBuf;

use clap::Args;

use super::{Exit, put, tell, tell_line};
use crate::diag::{Severity, human};
use crate::playbook::compile;
use crate::source::Sources;

#[derive(Args, Debug)]
pub(super) struct Check {
    /// Folders or files of playbooks; without any, what ships is checked
    paths: Vec<PathBuf>,
    /// Leave out what ships with the program
    #[arg(long)]
    no_shipped: bool,
}

impl Check {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        let loaded = crate::runtime::playbooks::load(&self.paths, !self.no_shipped);
        let unread: Vec<_> = loaded.missing.into_iter().chain(loaded.left_out).collect();
        tell(&unread, &Sources::default());
        let set = compile(&loaded.files);
        put(&human::render(&set.diagnostics, &set.sources, super::colour_out()))?;
        let errors = set.diagnostics.iter().filter(|d| d.severity == Severity::Error).count().saturating_add(unread.len());
        let warnings = set.diagnostics.iter().filter(|d| d.severity == Severity::Warning).count();
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
        Ok(if errors > 0 {
            Exit::Playbooks
        } else if warnings > 0 {
            Exit::Findings
        } else {
            Exit::Fine
        })
    }
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
