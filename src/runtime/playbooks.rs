//! Playbooks from the binary and from folders.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use crate::playbook::is_shipped;

use super::parallel;
use crate::diag::{Diagnostic, Severity, codes};
use crate::playbook::{Compiler, Input, PlaybookSet, limits, shipped};

/// The files that ship.
pub fn shipped() -> Vec<Input> {
    shipped::FILES.iter().map(|s| Input { path: s.path.to_owned(), text: s.text.to_owned(), layer: 0 }).collect()
}

/// The set of some files, compiled on all threads of the machine.
pub fn compile(files: &[Input]) -> PlaybookSet {
    let mut compiler = Compiler::on(parallel::each);
    let set = compiler.compile(files);
    // A command makes few sets and then ends: taking the compiler apart would only cost time.
    std::mem::forget(compiler);
    Arc::unwrap_or_clone(set)
}

pub(super) fn is_playbook(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "yaml" || e == "yml")
}

/// What was read from folders.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The files.
    pub files: Vec<Input>,
    /// Files that cannot be read: they are left out and named.
    pub left_out: Vec<Diagnostic>,
    /// Folders of which nothing can be read: there is no answer without them.
    pub missing: Vec<Diagnostic>,
}

/// A playbook file from standard input.
///
/// # Errors
/// What cannot be read, is not UTF-8, or is larger than a file may be.
pub fn standard_input() -> Result<String, Box<Diagnostic>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limits::FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    if let Err(e) = std::io::stdin().lock().take(most).read_to_end(&mut bytes) {
        return Err(Box::new(super::unreadable(Path::new("<standard input>"), &e)));
    }
    if bytes.len() > limits::FILE_BYTES {
        return Err(Box::new(Diagnostic::new(
            codes::LIMIT,
            Severity::Error,
            format!("standard input is larger than {} KiB", limits::FILE_BYTES >> 10),
        )));
    }
    String::from_utf8(bytes).map_err(|_| Box::new(Diagnostic::new(codes::UNREADABLE, Severity::Error, "standard input is not UTF-8")))
}

/// The files of some folders, each a layer above those before it; `with_shipped` puts what ships below them all.
pub fn load(folders: &[PathBuf], with_shipped: bool) -> Loaded {
    let mut files = if with_shipped { shipped() } else { Vec::new() };
    let found = find(folders, files.len());
    let mut wrong = found.wrong;
    let texts = parallel::map(&found.files, read);
    for (place, text) in found.files.into_iter().zip(texts) {
        match text {
            Ok(text) => files.push(Input { path: place.path.display().to_string(), text, layer: place.layer }),
            Err(d) => wrong.push((place.layer, *d)),
        }
    }
    tracing::debug!(files = files.len(), "playbook files read");
    let (left_out, missing) = told(folders, wrong, |layer| files.iter().any(|f| f.layer == layer));
    Loaded { files, left_out, missing }
}

/// Of what is wrong with each folder, what is left out of it, and what leaves nothing of it.
pub(super) fn told(folders: &[PathBuf], wrong: Vec<(usize, Diagnostic)>, holds: impl Fn(usize) -> bool) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let (mut left_out, mut missing) = (Vec::new(), Vec::new());
    for (layer, folder) in (1usize..).zip(folders) {
        let mut here: Vec<Diagnostic> = wrong.iter().filter(|(l, _)| *l == layer).map(|(_, d)| d.clone()).collect();
        if holds(layer) {
            left_out.append(&mut here);
            continue;
        }
        if here.is_empty() {
            here.push(
                Diagnostic::new(codes::UNREADABLE, Severity::Error, format!("`{}` holds no playbook file", folder.display()))
                    .help("playbook files end in .yaml or .yml"),
            );
        }
        missing.append(&mut here);
    }
    left_out.extend(wrong.into_iter().filter(|(l, _)| *l == 0).map(|(_, d)| d));
    (left_out, missing)
}

/// A playbook file in a folder.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub path: PathBuf,
    pub layer: usize,
    pub meta: Metadata,
}

/// What stands in some folders.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Playbook files.
    pub files: Vec<Place>,
    /// Other files.
    pub others: Vec<(PathBuf, Metadata)>,
    /// The folders that were looked into.
    pub folders: Vec<PathBuf>,
    /// The links on the way.
    pub links: Vec<PathBuf>,
    /// What cannot be read, by layer; 0 for what concerns no folder alone.
    pub wrong: Vec<(usize, Diagnostic)>,
}

/// Looks for the playbook files of some folders; `already` files are in the set.
pub(super) fn find(folders: &[PathBuf], already: usize) -> Found {
    let mut found = Found::default();
    let most = limits::FILES.saturating_sub(already);
    for (layer, folder) in (1usize..).zip(folders) {
        walk(folder, layer, 0, most, &mut found, &mut BTreeSet::new());
    }
    if found.files.len() >= most {
        let d = Diagnostic::new(codes::LIMIT, Severity::Error, format!("more than {} files: the rest is not read", limits::FILES));
        found.wrong.push((0, d));
    }
    found
}

fn walk(path: &Path, layer: usize, depth: usize, most: usize, found: &mut Found, seen: &mut BTreeSet<PathBuf>) {
    if found.files.len() >= most || depth > 32 {
        return;
    }
    let unreadable = |e: &std::io::Error| (layer, super::unreadable(path, e));
    if path.is_symlink() {
        found.links.push(path.to_owned());
    }
    let meta = match std::fs::metadata(path) {
        Ok(m) => m,
        Err(e) => return found.wrong.push(unreadable(&e)),
    };
    if !meta.is_dir() {
        return found.files.push(Place { path: path.to_owned(), layer, meta });
    }
    // A folder is read once, whatever links lead to it: links may lead in circles.
    if std::fs::canonicalize(path).is_ok_and(|real| !seen.insert(real)) {
        return;
    }
    found.folders.push(path.to_owned());
    let mut entries: Vec<PathBuf> = match std::fs::read_dir(path) {
        Ok(all) => all.filter_map(Result::ok).map(|e| e.path()).collect(),
        Err(e) => return found.wrong.push(unreadable(&e)),
    };
    entries.sort();
    // Hidden entries are an editor's or a version control's, not an author's.
    for entry in entries.iter().filter(|p| p.file_name().is_some_and(|n| !n.to_string_lossy().starts_with('.'))) {
        if is_playbook(entry) {
            walk(entry, layer, depth.saturating_add(1), most, found, seen);
            continue;
        }
        match std::fs::metadata(entry) {
            Ok(m) if m.is_dir() => walk(entry, layer, depth.saturating_add(1), most, found, seen),
            Ok(m) => found.others.push((entry.clone(), m)),
            Err(_) => {}
        }
    }
}

/// The text of a playbook file.
pub(super) fn read(place: &Place) -> Result<String, Box<Diagnostic>> {
    let path = &place.path;
    if place.meta.len() > u64::try_from(limits::FILE_BYTES).unwrap_or(u64::MAX) {
        let d = Diagnostic::new(codes::LIMIT, Severity::Error, format!("`{}` is larger than {} KiB", path.display(), limits::FILE_BYTES >> 10));
        return Err(Box::new(d.help("split it")));
    }
    if !place.meta.is_file() {
        let d = Diagnostic::new(codes::UNREADABLE, Severity::Error, format!("`{}` is no file that can be read", path.display()));
        return Err(Box::new(d));
    }
    // It may grow while it is read.
    let most = u64::try_from(limits::FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    std::fs::File::open(path).and_then(|f| f.take(most).read_to_end(&mut bytes)).map_err(|e| Box::new(super::unreadable(path, &e)))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Box::new(Diagnostic::new(codes::UNREADABLE, Severity::Error, format!("`{}` is not UTF-8: byte {at}", path.display())))
    })
}
