//! The playbook files of the workspace: from folders, with what is open in the editor in place of what lies on disk.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::documents::Documents;
use super::snapshot::Snapshot;
use crate::diag::nearest;
use crate::playbook::{Input, keys};
use crate::runtime;

/// Where playbooks are looked for.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Folders that hold nothing but playbook files; if none is named, playbook files are looked for in all of the workspace.
    pub playbooks: Vec<PathBuf>,
    /// Whether what ships with the program stays out.
    pub no_shipped: bool,
}

/// The files, and what they say together.
#[derive(Default)]
pub struct Workspace {
    /// The folders that the client has open.
    pub roots: Vec<PathBuf>,
    /// Where playbooks are looked for.
    pub settings: Settings,
    /// What the client has open.
    pub documents: Documents,
    disk: Vec<Input>,
    unread: bool,
    stale: bool,
    snapshot: Snapshot,
}

impl Workspace {
    /// The files on disk may have changed.
    pub fn touch_disk(&mut self) {
        self.unread = true;
        self.stale = true;
    }

    /// An open document has changed.
    pub fn touch(&mut self) {
        self.stale = true;
    }

    /// What the files say, as they are now.
    pub fn snapshot(&mut self) -> &Snapshot {
        if std::mem::take(&mut self.unread) {
            self.read_disk();
        }
        if std::mem::take(&mut self.stale) {
            let inputs = self.inputs();
            self.snapshot.renew(&inputs);
        }
        &self.snapshot
    }

    /// What was last computed.
    pub fn last(&self) -> &Snapshot {
        &self.snapshot
    }

    fn folders(&self) -> &[PathBuf] {
        if self.settings.playbooks.is_empty() { &self.roots } else { &self.settings.playbooks }
    }

    fn read_disk(&mut self) {
        let loaded = runtime::playbooks::load(self.folders(), false);
        self.disk = loaded.files;
        if self.settings.playbooks.is_empty() {
            self.disk.retain(|f| declares(&f.text));
        }
        if !self.settings.no_shipped {
            self.disk.extend(runtime::playbooks::shipped());
        }
        tracing::debug!(files = self.disk.len(), "workspace read");
    }

    fn inputs(&self) -> Vec<Input> {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let mut all: Vec<Input> = Vec::new();
        for file in &self.disk {
            known.insert(&file.path);
            match self.documents.get(&file.path) {
                Some(open) => all.push(Input { path: file.path.clone(), text: open.file.text.to_string(), layer: file.layer }),
                None => all.push(file.clone()),
            }
        }
        // New files, and files outside of every folder: a layer of their own above all others.
        for (path, open) in self.documents.iter().filter(|(p, _)| !known.contains(p.as_str())) {
            let folder = self.folders().iter().position(|f| Path::new(path).starts_with(f));
            if declares(&open.file.text) || (folder.is_some() && !self.settings.playbooks.is_empty()) {
                let layer = folder.unwrap_or(self.folders().len()).saturating_add(1);
                all.push(Input { path: path.clone(), text: open.file.text.to_string(), layer });
            }
        }
        all
    }

    /// The address of a file of the snapshot, as the client knows it; nothing for what ships.
    pub fn uri(&self, path: &str) -> Option<String> {
        match self.documents.get(path) {
            Some(open) => Some(open.uri.clone()),
            None if path.starts_with('<') => None,
            None => Some(super::protocol::uri_of(path)),
        }
    }

    /// The version of an open document.
    pub fn version(&self, path: &str) -> Option<i64> {
        self.documents.get(path).map(|d| d.version)
    }
}

/// Whether a text looks like a playbook file: its first key is one that says so, or nearly.
pub fn declares(text: &str) -> bool {
    let line = text.lines().find(|l| {
        let l = l.trim_start_matches('\u{feff}').trim();
        !l.is_empty() && !l.starts_with(['#', '%']) && l != "---"
    });
    let Some((key, _)) = line.and_then(|l| l.split_once(':')) else { return false };
    let key = key.trim_start_matches('\u{feff}');
    keys::file(key).is_some() || nearest(key, keys::first_keys()).is_some()
}

/// Paths of a list of folders, those that are relative below a root.
pub fn below(root: Option<&PathBuf>, folders: &[String]) -> Vec<PathBuf> {
    let full = |f: &String| match root {
        Some(root) if Path::new(f).is_relative() => root.join(f),
        _ => PathBuf::from(f),
    };
    // `./a` and `b/../a` are `a`, as editors name it.
    let tidy = |p: PathBuf| {
        p.components().fold(PathBuf::new(), |mut to, c| {
            match c {
                Component::CurDir => {}
                Component::ParentDir => {
                    to.pop();
                }
                c => to.push(c),
            }
            to
        })
    };
    folders.iter().map(full).map(tidy).collect()
}

#[cfg(test)]
mod tests {
    use super::declares;

    #[test]
    fn playbook_files_are_told_from_other_yaml() {
        assert!(declares("# remark\n\nplaybook: a.b\n") && declares("playbok: a.b\n") && declares("\u{feff}signals:\n  x: 1\n"));
        assert!(!declares("apiVersion: v1\nkind: Pod\n") && !declares("name: ci\n") && !declares("- a\n") && !declares(""));
    }
}
