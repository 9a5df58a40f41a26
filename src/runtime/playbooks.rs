//! Playbooks from the binary and from folders.

use std::io::Read;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::diag::{Diagnostic, Severity, codes};
use crate::playbook::{Input, limits};

/// What ships.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/playbooks");

/// Whether a file of this name ships with the program.
pub fn is_shipped(path: &str) -> bool {
    path.starts_with("<shipped>/")
}

/// The files that ship.
pub fn shipped() -> Vec<Input> {
    fn walk(dir: &Dir<'_>, out: &mut Vec<Input>) {
        for file in dir.files().filter(|f| is_playbook(f.path())) {
            if let Some(text) = file.contents_utf8() {
                out.push(Input { path: format!("<shipped>/{}", file.path().display()), text: text.to_owned(), layer: 0 });
            }
        }
        dir.dirs().for_each(|d| walk(d, out));
    }
    let mut out = Vec::new();
    walk(&SHIPPED, &mut out);
    out
}

fn is_playbook(path: &Path) -> bool {
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
    let mut loaded = Loaded { files: if with_shipped { shipped() } else { Vec::new() }, ..Loaded::default() };
    for (n, folder) in folders.iter().enumerate() {
        let before = loaded.files.len();
        let mut wrong = Vec::new();
        walk(folder, n.saturating_add(1), 0, &mut loaded.files, &mut wrong);
        if loaded.files.len() > before {
            loaded.left_out.append(&mut wrong);
            continue;
        }
        if wrong.is_empty() {
            wrong.push(
                Diagnostic::new(codes::UNREADABLE, Severity::Error, format!("`{}` holds no playbook file", folder.display()))
                    .help("playbook files end in .yaml or .yml"),
            );
        }
        loaded.missing.append(&mut wrong);
    }
    if loaded.files.len() >= limits::FILES {
        loaded.left_out.push(Diagnostic::new(codes::LIMIT, Severity::Error, format!("more than {} files: the rest is not read", limits::FILES)));
    }
    tracing::debug!(files = loaded.files.len(), "playbook files read");
    loaded
}

fn walk(path: &Path, layer: usize, depth: usize, files: &mut Vec<Input>, wrong: &mut Vec<Diagnostic>) {
    let unreadable = |e: &std::io::Error| super::unreadable(path, e);
    if files.len() >= limits::FILES || depth > 32 {
        return;
    }
    let meta = match std::fs::metadata(path) {
        Ok(m) => m,
        Err(e) => return wrong.push(unreadable(&e)),
    };
    if meta.is_dir() {
        let mut entries: Vec<PathBuf> = match std::fs::read_dir(path) {
            Ok(all) => all.filter_map(Result::ok).map(|e| e.path()).collect(),
            Err(e) => return wrong.push(unreadable(&e)),
        };
        entries.sort();
        // Hidden entries are an editor's or a version control's, not an author's.
        for entry in entries.iter().filter(|p| p.file_name().is_some_and(|n| !n.to_string_lossy().starts_with('.'))) {
            if entry.is_dir() || is_playbook(entry) {
                walk(entry, layer, depth.saturating_add(1), files, wrong);
            }
        }
        return;
    }
    if meta.len() > u64::try_from(limits::FILE_BYTES).unwrap_or(u64::MAX) {
        return wrong.push(
            Diagnostic::new(codes::LIMIT, Severity::Error, format!("`{}` is larger than {} KiB", path.display(), limits::FILE_BYTES >> 10))
                .help("split it"),
        );
    }
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => files.push(Input { path: path.display().to_string(), text, layer }),
        Ok(Err(e)) => wrong.push(Diagnostic::new(
            codes::UNREADABLE,
            Severity::Error,
            format!("`{}` is not UTF-8: byte {}", path.display(), e.utf8_error().valid_up_to()),
        )),
        Err(e) => wrong.push(unreadable(&e)),
    }
}
