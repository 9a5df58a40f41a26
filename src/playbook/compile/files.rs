//! The files of a compiler: their ids, trees and order, and the revision that they make.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::declare::{Declared, Says, says};
use crate::diag::{Diagnostic, codes};
use crate::playbook::later::{later, now};
use crate::playbook::names::{Kept, Tree, entry};
use crate::playbook::read::Reader;
use crate::playbook::shipped;
use crate::playbook::yaml::{self, Node};
use crate::source::{FileId, SourceFile, Sources, Span};

/// A file that is there.
pub(super) struct File {
    pub layer: usize,
    pub tree: Option<Arc<Tree>>,
    /// Whether it is just as it ships with the program.
    pub ships: bool,
    /// What it declares.
    pub says: Says,
    /// What is wrong with it, whatever the other files say.
    pub wrong: Vec<Diagnostic>,
    hash: [u8; 32],
    /// Whether it begins with the mark that some editors write.
    marked: bool,
}

impl File {
    /// All of its tree.
    pub fn whole(&self) -> Option<&Node> {
        self.tree.as_ref().map(|t| &*t.whole)
    }
}

/// All files that a compiler has seen. A name keeps its id, also while no file is called so.
#[derive(Default)]
pub(super) struct Files {
    pub sources: Sources,
    files: Vec<Option<File>>,
    /// By layer and path; several where one layer has a path several times.
    names: BTreeMap<usize, BTreeMap<Arc<str>, Vec<FileId>>>,
    /// Whether files came or went since they were put in order.
    moved: bool,
    /// How many files are as they ship.
    ships: usize,
    /// The layer and content of every file, and how many files have it.
    contents: BTreeMap<(usize, [u8; 32]), usize>,
}

impl Files {
    /// The id of the `nth` file with this layer and path.
    pub fn known(&self, layer: usize, path: &str, nth: usize) -> Option<FileId> {
        self.names.get(&layer)?.get(path)?.get(nth).copied()
    }

    /// The same; a new one if it was never seen.
    pub fn id(&mut self, layer: usize, path: &str, nth: usize) -> FileId {
        if let Some(id) = self.known(layer, path, nth) {
            return id;
        }
        let id = self.sources.add(path, "");
        self.files.push(None);
        self.names.entry(layer).or_default().entry(path.into()).or_default().push(id);
        id
    }

    pub fn get(&self, id: FileId) -> Option<&File> {
        self.files.get(id.0 as usize)?.as_ref()
    }

    /// Whether a file is there with just this text.
    pub fn holds(&self, id: FileId, text: &str) -> bool {
        let (plain, marked) = unmarked(text);
        self.get(id).is_some_and(|f| f.marked == marked) && self.sources.get(id).is_some_and(|s| *s.text == *plain)
    }

    /// Puts a text in place of what a file held. It is to be read and swapped in before the file is asked for.
    pub fn put(&mut self, id: FileId, path: &str, text: &str) {
        self.sources.replace(id, Some(SourceFile::new(path, unmarked(text).0)));
    }

    /// Reads a file whose text was put in.
    pub fn read(&self, id: FileId, layer: usize, text: &str) -> File {
        let mut reader = Reader { sources: &self.sources, out: Vec::new() };
        let marked = unmarked(text).1;
        let source = self.sources.get(id);
        let shipped = source.and_then(shipped::same).filter(|_| layer == 0 && !marked);
        let tree = match shipped {
            Some(s) => match s.head(id) {
                // Only what needs more of a playbook than its head asks for it.
                Some(head) => {
                    let nothing = head.clone();
                    Some(Tree { head: Some(head), whole: later(move || s.tree(id).unwrap_or(nothing)) })
                }
                None => s.tree(id).map(|whole| Tree { head: None, whole: now(whole) }),
            },
            None => source.and_then(|f| {
                let tree = yaml::parse_rules(id, f, &mut reader.out);
                let blank = || f.text.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with('#'));
                if tree.is_none() && reader.out.is_empty() && !blank() {
                    reader.error(codes::YAML, Span::top(id), "the file holds nothing that can be read");
                }
                tree.map(|whole| Tree { head: None, whole: now(whole) })
            }),
        };
        let says = tree.as_ref().map(|t| says(&mut reader, t.head())).unwrap_or_default();
        let hash = shipped.map_or_else(|| *blake3::hash(text.as_bytes()).as_bytes(), |s| s.hash);
        File { layer, tree: tree.map(Arc::new), ships: shipped.is_some(), says, wrong: reader.out, hash, marked }
    }

    /// Takes a file away; gives what it was.
    pub fn remove(&mut self, id: FileId) -> Option<File> {
        self.sources.replace(id, None);
        self.swap(id, None)
    }

    /// Puts a file that was read, or none, in place of what was there; gives what it was.
    pub fn swap(&mut self, id: FileId, new: Option<File>) -> Option<File> {
        let slot = self.files.get_mut(id.0 as usize)?;
        let ships = |f: &Option<File>| usize::from(f.as_ref().is_some_and(|f| f.ships));
        self.ships = self.ships.saturating_add(ships(&new)).saturating_sub(ships(slot));
        self.moved |= slot.is_some() != new.is_some();
        if let Some(f) = &new {
            let same = self.contents.entry((f.layer, f.hash)).or_default();
            *same = same.saturating_add(1);
        }
        let old = std::mem::replace(slot, new);
        if let Some(key) = old.as_ref().map(|f| (f.layer, f.hash))
            && let Some(same) = self.contents.get_mut(&key)
        {
            *same = same.saturating_sub(1);
            if *same == 0 {
                self.contents.remove(&key);
            }
        }
        old
    }

    /// Whether all that ships with the program is there, just as it ships.
    pub fn all_ship(&self) -> bool {
        self.ships == shipped::FILES.len()
    }

    /// The ids of the files that are there, without order.
    pub fn present(&self) -> impl Iterator<Item = FileId> {
        (0u32..).map(FileId).zip(&self.files).filter_map(|(id, f)| f.as_ref().map(|_| id))
    }

    /// Puts the files in order: by layer, then by path.
    pub fn arrange(&mut self) {
        if std::mem::take(&mut self.moved) {
            let all = self.names.values().flat_map(|paths| paths.values().flatten().copied());
            let order = all.filter(|id| self.get(*id).is_some()).collect();
            self.sources.arrange(order);
        }
    }

    /// Every file, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &File)> {
        self.sources.iter().filter_map(|(id, _)| Some((id, self.get(id)?)))
    }

    /// The tree of what a file declares.
    pub fn node(&self, d: &Declared) -> Option<&Node> {
        entry(self.get(d.file)?.whole()?, d.entry.map(|n| (d.kind, n)))
    }

    /// What of that tree says whether the rest is needed.
    pub fn head(&self, d: &Declared) -> Option<&Node> {
        entry(self.get(d.file)?.tree.as_ref()?.head(), d.entry.map(|n| (d.kind, n)))
    }

    /// The tree of what a file declares, to keep, if all is there as it ships.
    pub fn kept(&self, d: &Declared) -> Option<Kept> {
        let file = self.get(d.file).filter(|f| f.ships && self.all_ship())?;
        Some(Kept { tree: file.tree.clone()?, entry: d.entry.map(|n| (d.kind, n)) })
    }

    /// Changes with every change of a text. The names and order of files do not matter to an answer, so they do not
    /// matter to the revision.
    pub fn revision(&self) -> String {
        let mut hash = blake3::Hasher::new();
        for ((layer, text), same) in &self.contents {
            for _ in 0..*same {
                hash.update(&layer.to_le_bytes()).update(text);
            }
        }
        hash.finalize().to_hex().get(..16).unwrap_or("").to_owned()
    }
}

fn unmarked(text: &str) -> (&str, bool) {
    text.strip_prefix('\u{feff}').map_or((text, false), |plain| (plain, true))
}
