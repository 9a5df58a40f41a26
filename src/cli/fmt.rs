//! `engine fmt`

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, one_line, put, tell, tell_line};
use crate::diag::human::counted;
use crate::diag::unified::unified;
use crate::diag::{Diagnostic, codes};
use crate::playbook::format::format;
use crate::playbook::{Input, PlaybookSet, compile};
use crate::runtime;
use crate::source::Sources;

#[derive(Args, Debug)]
pub(super) struct Fmt {
    /// Folders or files of playbooks; `-` reads standard input and writes standard output
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Write nothing; name the files that would change, and end with 1 if there are any
    #[arg(long)]
    check: bool,
    /// Write nothing; show what would change, and end with 1 if anything would
    #[arg(long)]
    diff: bool,
}

impl Fmt {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        if self.paths.iter().any(|p| p == Path::new("-")) {
            return self.standard_input();
        }
        let loaded = runtime::playbooks::load(&self.paths, false);
        let unread: Vec<Diagnostic> = loaded.missing.into_iter().chain(loaded.left_out).collect();
        tell(&unread, &Sources::default());
        let mut changed: Vec<(&Input, String)> = Vec::new();
        let mut refused = unread.len();
        for file in &loaded.files {
            match format(&file.path, &file.text) {
                Ok(text) if text == file.text => {}
                Ok(text) => changed.push((file, text)),
                Err(why) => {
                    refused = refused.saturating_add(1);
                    tell(&why.diagnostics, &why.sources);
                }
            }
        }
        if !changed.is_empty() && !means_the_same(&loaded.files, &changed) {
            tell_line("engine: what would be written compiles to something else, so nothing is written; this is a fault of the program");
            return Err(Exit::Internal);
        }
        for (file, text) in &changed {
            if self.diff {
                put(&unified(&file.path, &file.text, text))?;
            } else if self.check {
                put(&format!("{}\n", one_line(&file.path)))?;
            } else if let Err(e) = runtime::replace(Path::new(&file.path), file.text.as_bytes(), text.as_bytes()) {
                tell_line(&format!("engine: {}", one_line(&e)));
                refused = refused.saturating_add(1);
            }
        }
        let written = if self.check || self.diff { "would change" } else { "written" };
        let left = if refused == 0 { String::new() } else { format!(", {refused} left as they are") };
        tell_line(&format!("{}: {} {written}{left}", counted(loaded.files.len(), "file"), changed.len()));
        Ok(match (refused, self.check || self.diff, changed.is_empty()) {
            (0, true, false) => Exit::Findings,
            (0, ..) => Exit::Fine,
            _ => Exit::Playbooks,
        })
    }

    fn standard_input(&self) -> Result<Exit, Exit> {
        let text = runtime::playbooks::standard_input().map_err(|d| {
            tell(&[*d], &Sources::default());
            Exit::Input
        })?;
        let made = format("<standard input>", &text).map_err(|why| {
            tell(&why.diagnostics, &why.sources);
            Exit::Playbooks
        })?;
        match (self.diff, self.check) {
            (true, _) => put(&unified("<standard input>", &text, &made))?,
            (_, true) => Exit::Fine,
            _ => return put(&made),
        };
        Ok(if made == text { Exit::Fine } else { Exit::Findings })
    }
}

/// Whether the files compile to the same as before: the same things, and the same said of them.
fn means_the_same(files: &[Input], changed: &[(&Input, String)]) -> bool {
    let with = |texts: &dyn Fn(&Input) -> String| {
        let own = files.iter().map(|f| Input { text: texts(f), ..f.clone() });
        what_it_is(&compile(&runtime::playbooks::shipped().into_iter().chain(own).collect::<Vec<_>>()))
    };
    let new = |f: &Input| changed.iter().find(|(c, _)| c.path == f.path).map_or_else(|| f.text.clone(), |(_, t)| t.clone());
    with(&|f| f.text.clone()) == with(&new)
}

/// What a set holds and what is said of it, without places.
fn what_it_is(set: &PlaybookSet) -> (Vec<String>, Vec<usize>) {
    // Whether a definition replaces an earlier one of the same text depends on its layout.
    let told = set.diagnostics.iter().filter(|d| d.code != codes::OVERRIDE);
    let mut said: Vec<String> = told.map(|d| format!("{} {}", d.code, d.message)).collect();
    said.extend(set.playbooks.iter().map(|p| format!("{} {} {} {}", p.id, p.version, p.cards.len(), p.triage.len())));
    said.sort();
    (said, vec![set.questions, set.signals.len(), set.actions.len(), set.lists.len(), set.types.len()])
}
