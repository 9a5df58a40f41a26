//! Puts a new text in place of a file: whole or not at all, and never over somebody else's change.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Writes `new` to a file that holds `old`. A reader sees the one or the other, never a part; permissions stay, and of a
/// symbolic link its target is written. An error says what is wrong in a sentence; then the file is as it was.
pub fn replace(path: &Path, old: &[u8], new: &[u8]) -> Result<(), String> {
    let said = |what: &str, e: &std::io::Error| format!("`{}` {what}: {e}", path.display());
    let target = std::fs::canonicalize(path).map_err(|e| said("cannot be found", &e))?;
    let current = std::fs::read(&target).map_err(|e| said("cannot be read again", &e))?;
    if current == new {
        return Ok(());
    }
    if current != old {
        return Err(format!("`{}` was changed by somebody else meanwhile, and is left as it is", path.display()));
    }
    let permissions = std::fs::metadata(&target).map_err(|e| said("cannot be read again", &e))?.permissions();
    if permissions.readonly() {
        return Err(format!("`{}` must not be written, say its permissions", path.display()));
    }
    let (mut file, beside) = beside(&target).map_err(|e| said("cannot be written: its folder takes no new file", &e))?;
    let written = file
        .write_all(new)
        .and_then(|()| file.set_permissions(permissions))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&beside, &target));
    written.map_err(|e| {
        let _ = std::fs::remove_file(&beside);
        said("cannot be written", &e)
    })
}

/// A new hidden file in the same folder, so that a rename can put it in place; no playbook folder reads it.
fn beside(target: &Path) -> std::io::Result<(File, PathBuf)> {
    let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let process = std::process::id();
    for n in 0..1000u32 {
        let path = target.with_file_name(format!(".{name}.{process}-{n}.tmp"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}
