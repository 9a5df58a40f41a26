//! Incidents from a file, standard input, or a folder of table exports.

use std::io::Read as _;
use std::path::Path;

use super::live::Stamp;
use crate::diag::{Diagnostic, Severity, codes};
use crate::intake::{self, Read, Source};

/// Reads incidents from a path; `-` is standard input.
pub fn read(path: &Path, source: Option<Source>) -> Result<Vec<Read>, Box<Diagnostic>> {
    let unreadable = |e: std::io::Error| Box::new(super::unreadable(path, &e));
    if path.as_os_str() == "-" {
        let bytes = bounded(std::io::stdin().lock()).map_err(unreadable)?;
        return intake::read(&bytes, source).map_err(|r| r.diagnostic);
    }
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if meta.is_dir() {
        return folder(path);
    }
    let mut bytes = std::fs::File::open(path).and_then(bounded).map_err(unreadable)?;
    if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
        bytes = from_yaml(&bytes).map_err(|e| Box::new(Diagnostic::new(codes::NOT_JSON, Severity::Error, format!("`{}`: {e}", path.display()))))?;
    }
    intake::read(&bytes, source).map_err(|r| r.diagnostic)
}

/// Reads incidents from a file or folder that a document names, not a person: never from standard input, a pipe or a device.
pub fn read_named(path: &Path) -> Result<Vec<Read>, Box<Diagnostic>> {
    let meta = std::fs::metadata(path).map_err(|e| Box::new(super::unreadable(path, &e)))?;
    if meta.is_file() || meta.is_dir() {
        return read(path, None);
    }
    Err(Box::new(Diagnostic::new(codes::UNREADABLE, Severity::Error, format!("`{}` is no file that can be read", path.display()))))
}

/// Reads the incidents of a file that a test names, by its path from the folder of the playbook's file.
pub fn beside(playbook: &str, path: &str) -> Result<Vec<Read>, Box<Diagnostic>> {
    if Path::new(path).is_absolute() {
        let d = Diagnostic::new(codes::UNREADABLE, Severity::Error, format!("`{path}` is not a path from the playbook's own file"));
        return Err(Box::new(d.help("keep the incident beside the playbooks, and name it from there")));
    }
    let folder = Path::new(playbook).parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    read_named(&folder.join(path))
}

/// What shows, without reading them, that the incidents of a path are others now; standard input never is.
pub fn seen(path: &Path) -> Vec<Stamp> {
    let folder = std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok).map(|e| e.path());
    let mut all: Vec<_> = folder.chain([path.to_owned()]).collect();
    all.sort();
    all.iter().filter_map(|p| std::fs::metadata(p).ok()).map(|m| Stamp::of(&m)).collect()
}

/// One byte more than is allowed, so that the reader can tell that it is too much, and never more.
pub(super) fn bounded(from: impl std::io::Read) -> std::io::Result<Vec<u8>> {
    let most = u64::try_from(intake::limits::BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    from.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Our own format may be written in YAML too.
pub(super) fn from_yaml(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("not UTF-8 at byte {}", e.valid_up_to()))?;
    // The package draws the place under its first line; the first line says it.
    let value: serde_json::Value =
        serde_yaml::from_str(text).map_err(|e| format!("not YAML that can be read: {}", e.to_string().lines().next().unwrap_or("")))?;
    serde_json::to_vec(&value).map_err(|e| e.to_string())
}

fn folder(path: &Path) -> Result<Vec<Read>, Box<Diagnostic>> {
    let unreadable = |e: std::io::Error| Box::new(super::unreadable(path, &e));
    let mut names: Vec<_> = std::fs::read_dir(path).map_err(unreadable)?.filter_map(Result::ok).map(|e| e.path()).collect();
    names.sort();
    let mut files = Vec::new();
    let mut total = 0usize;
    for name in names.iter().filter(|n| n.is_file() && n.extension().is_some_and(|e| e == "json" || e == "jsonl" || e == "ndjson")) {
        let bytes = std::fs::File::open(name).and_then(bounded).map_err(unreadable)?;
        total = total.saturating_add(bytes.len());
        if total > intake::limits::BYTES {
            return Err(Box::new(
                Diagnostic::new(
                    codes::INPUT_LIMIT,
                    Severity::Error,
                    format!("the tables in `{}` are larger than {} MiB", path.display(), intake::limits::BYTES >> 20),
                )
                .help("export one incident at a time"),
            ));
        }
        files.push((name.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(), bytes));
    }
    intake::read_tables(&files).map_err(|r| r.diagnostic)
}
