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
        let (inputs, wrong) = crate::runtime::playbooks::load(&self.paths, !self.no_shipped);
        tell(&wrong, &Sources::default());
        if !wrong.is_empty() {
            return Err(Exit::Playbooks);
        }
        let set = compile(&inputs);
        put(&human::render(&set.diagnostics, &set.sources, super::colour_out()))?;
        let errors = set.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
        let warnings = set.diagnostics.iter().filter(|d| d.severity == Severity::Warning).count();
        tell_line(&format!(
            "{} playbooks, {} signals, {} actions, {} lists, {} incident types: {errors} errors, {warnings} warnings",
            set.playbooks.len(),
            set.signals.len(),
            set.actions.len(),
            set.lists.len(),
            set.types.len()
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
