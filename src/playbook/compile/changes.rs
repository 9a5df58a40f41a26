//! Overlays: each thing that they change, changed by them in the order of their files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::declare::{Key, Things};
use super::files::Files;
use crate::diag::Diagnostic;
use crate::playbook::overlay;
use crate::playbook::read::Reader;
use crate::source::FileId;

/// What overlays say.
#[derive(Default)]
pub(super) struct Changes {
    /// Whether an overlay's file changed.
    pub dirty: bool,
    /// The overlays of each thing, and what is wrong with them.
    applied: BTreeMap<Key, (Vec<FileId>, Vec<Diagnostic>)>,
    /// Overlays that find nothing to change, and what is wrong with them.
    lost: (Vec<FileId>, Vec<Diagnostic>),
}

impl Changes {
    pub fn wrong(&self) -> impl Iterator<Item = &Diagnostic> {
        self.applied.values().flat_map(|(_, wrong)| wrong).chain(&self.lost.1)
    }

    /// Applies what is new, or whose target is.
    pub fn apply(&mut self, files: &Files, things: &mut Things, touched: &BTreeSet<FileId>) {
        if self.dirty || things.ids_changed {
            self.sort_out(files, things);
        }
        let known = || -> Vec<String> {
            things.iter().map(|(kind, id, _)| if kind == "playbook" { id.to_string() } else { format!("{kind}.{id}") }).collect()
        };
        if self.dirty || things.ids_changed {
            let mut reader = Reader { sources: &files.sources, out: Vec::new() };
            for tree in self.lost.0.iter().filter_map(|id| files.get(*id)?.whole()) {
                overlay::apply(&mut reader, tree, None, known);
            }
            self.lost.1 = reader.out;
        }
        for (key, (by, wrong)) in &mut self.applied {
            if !things.dirty.contains(key) && !by.iter().any(|id| touched.contains(id)) {
                continue;
            }
            let mut reader = Reader { sources: &files.sources, out: Vec::new() };
            let mut changed = None;
            for tree in by.iter().filter_map(|id| files.get(*id)?.whole()) {
                let target = changed.as_ref().or_else(|| files.node(&things.get(key)?.base));
                changed = overlay::apply(&mut reader, tree, target, Vec::new).or(changed);
            }
            *wrong = reader.out;
            things.dirty.insert(key.clone());
            if let Some(thing) = things.get_mut(key) {
                thing.changed = changed.map(Arc::new);
            }
        }
        self.dirty = false;
    }

    /// Finds out which overlays change what. A thing whose overlays are others now is dirty, and as its file says it.
    fn sort_out(&mut self, files: &Files, things: &mut Things) {
        let mut by: BTreeMap<Key, Vec<FileId>> = BTreeMap::new();
        self.lost.0.clear();
        for (id, target) in files.iter().filter_map(|(id, f)| Some((id, f.says.overlay.as_ref()?))) {
            match target.as_ref().filter(|key| things.get(key).is_some()) {
                Some(key) => by.entry(key.clone()).or_default().push(id),
                None => self.lost.0.push(id),
            }
        }
        for (key, (ids, _)) in &self.applied {
            if by.get(key) != Some(ids) {
                things.dirty.insert(key.clone());
                if let Some(thing) = things.get_mut(key) {
                    thing.changed = None;
                }
            }
        }
        let mut old = std::mem::take(&mut self.applied);
        for (key, ids) in by {
            let kept = old.remove(&key).filter(|(before, _)| *before == ids);
            if kept.is_none() {
                things.dirty.insert(key.clone());
            }
            self.applied.insert(key, (ids, kept.map(|(_, wrong)| wrong).unwrap_or_default()));
        }
    }
}
