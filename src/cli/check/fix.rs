//! `engine check --fix`: safe fixes, round after round, in memory first; then the files.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::{Checked, look};
use crate::cli::tell_line;
use crate::diag::json::Range;
use crate::diag::mend::mend;
use crate::diag::unified::unified;
use crate::diag::{Diagnostic, human};
use crate::playbook::{Input, yaml};
use crate::runtime::{playbooks, replace};
use crate::source::Sources;

/// Fixes that touch one another are applied one a round; more rounds than this no honest file needs.
const ROUNDS: usize = 10;

/// Something that was mended.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Done {
    code: &'static str,
    #[serde(flatten)]
    place: Range,
    /// What was done.
    title: String,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p, file) = (&self.place, human::visible(&self.place.file));
        write!(f, "{} at {file}:{}:{}: {}", self.code, p.line, p.column, human::visible(&self.title))
    }
}

/// Files before and after their fixes.
pub(super) struct Fixes {
    /// The files, mended.
    pub files: Vec<Input>,
    /// What was mended, in the order in which it was.
    pub done: Vec<Done>,
    /// What was wrong before.
    pub before: Vec<Diagnostic>,
    original: Vec<Input>,
}

/// Applies safe fixes until none is left. What ships is never changed, and a file that could be read stays one.
pub(super) fn rounds(files: Vec<Input>, checked: Checked) -> Fixes {
    let mut fixes = Fixes { original: files.clone(), files, done: Vec::new(), before: checked.diagnostics.clone() };
    let mut checked = checked;
    let mut given_up: BTreeSet<String> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let sources = &checked.set.sources;
        let may = |path: &str| !playbooks::is_shipped(path) && !given_up.contains(path);
        let made = mend(&checked.diagnostics, sources, |f| sources.get(f).is_some_and(|f| may(&f.path)));
        let mut changed = false;
        for m in made {
            let Some(source) = sources.get(m.file) else { continue };
            if reads(&source.text) && !reads(&m.text) {
                given_up.insert(source.path.to_string());
                continue;
            }
            for input in fixes.files.iter_mut().filter(|i| *i.path == *source.path) {
                // The mark at the start of a file is not part of its text.
                let mark = if input.text.starts_with('\u{feff}') { "\u{feff}" } else { "" };
                if input.text.strip_prefix(mark) == Some(&*source.text) {
                    input.text = format!("{mark}{}", m.text);
                    changed = true;
                }
            }
            for d in m.by.iter().filter_map(|n| checked.diagnostics.get(*n)) {
                let Some((fix, label)) = d.fix.as_ref().zip(d.labels.first()) else { continue };
                fixes.done.push(Done { code: d.code, place: Range::of(label.span, sources), title: fix.title.clone() });
            }
        }
        if !changed {
            break;
        }
        checked = look(&fixes.files);
    }
    fixes
}

/// Whether a text is YAML.
fn reads(text: &str) -> bool {
    let mut sources = Sources::default();
    let id = sources.add("", text);
    let mut wrong = Vec::new();
    if let Some(file) = sources.get(id) {
        yaml::parse(id, file, &mut wrong);
    }
    wrong.is_empty()
}

impl Fixes {
    /// What differs, file by file.
    pub fn diff(&self) -> String {
        let mut seen = BTreeSet::new();
        let pairs = self.original.iter().zip(&self.files).filter(|(old, _)| seen.insert(&old.path));
        pairs.map(|(old, new)| unified(&old.path, &old.text, &new.text)).collect()
    }

    /// Writes the files that changed. One that cannot be written is told and stays as it was; whether all could.
    pub fn write(&mut self) -> bool {
        let mut all = true;
        for (old, new) in self.original.iter().zip(&mut self.files).filter(|(old, new)| old.text != new.text) {
            if let Err(why) = replace(Path::new(&old.path), old.text.as_bytes(), new.text.as_bytes()) {
                tell_line(&format!("engine: {}", human::visible(&why)));
                self.done.retain(|d| d.place.file != old.path);
                new.text.clone_from(&old.text);
                all = false;
            }
        }
        all
    }
}
