//! Folders of playbooks as they were when they were last looked at, and what is new in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::super::parallel;
use super::super::playbooks::{self, Found, Place};
use super::stamp::Stamp;
use crate::diag::Diagnostic;
use crate::playbook::{Compiler, Input};

/// A file that changed this lately may change again without its stamp showing it: clocks of file systems are coarse.
const COARSE: Duration = Duration::from_secs(2);

/// A file as it was last read.
struct Known {
    stamp: Stamp,
    /// Whether another content would show in the stamp.
    trusted: bool,
    blank: bool,
    wrong: Option<Diagnostic>,
}

/// What a look at the folders found.
#[derive(Default)]
pub(super) struct Look {
    /// Whether a playbook file is new, gone, or another one now.
    pub touched: bool,
    /// Whether one is gone or empty: a save may be on its way.
    pub lost: bool,
    /// Whether another file changed.
    pub beside: bool,
    /// When the latest of these changes was made, by the clock of the file system.
    pub changed: Option<SystemTime>,
    /// Files that cannot be read.
    pub left_out: Vec<Diagnostic>,
    /// Folders of which nothing can be read.
    pub missing: Vec<Diagnostic>,
    /// The folders that were looked into, and the links on the way.
    pub folders: Vec<PathBuf>,
    pub links: Vec<PathBuf>,
}

/// The folders, and what is known of them.
pub(super) struct Disk {
    pub folders: Vec<PathBuf>,
    /// How many files ship, and so are in the set already.
    pub shipped: usize,
    known: BTreeMap<(usize, PathBuf), Known>,
    others: BTreeMap<PathBuf, Stamp>,
}

impl Disk {
    pub fn new(folders: &[PathBuf], shipped: usize) -> Self {
        Self { folders: folders.to_vec(), shipped, known: BTreeMap::new(), others: BTreeMap::new() }
    }

    /// Looks at the folders and hands what is new to the compiler; `all` reads every file again, whatever its stamp says.
    pub fn look(&mut self, compiler: &mut Compiler, all: bool) -> Look {
        let Found { files, others, folders, links, mut wrong } = playbooks::find(&self.folders, self.shipped);
        let mut look = Look { folders, links, ..Look::default() };
        let mut gone: BTreeSet<(usize, PathBuf)> = self.known.keys().cloned().collect();
        let mut new = Vec::new();
        for place in files {
            let key = (place.layer, place.path.clone());
            gone.remove(&key);
            let stamp = Stamp::of(&place.meta);
            if all || self.known.get(&key).is_none_or(|k| !k.trusted || k.stamp != stamp) {
                new.push((place, key, stamp));
            }
        }
        self.read(new, compiler, &mut look);
        for key in gone {
            compiler.remove(key.0, &key.1.display().to_string());
            self.known.remove(&key);
            look.touched = true;
            look.lost = true;
        }
        let others: BTreeMap<PathBuf, Stamp> = others.into_iter().map(|(path, meta)| (path, Stamp::of(&meta))).collect();
        look.beside = others != self.others;
        self.others = others;
        wrong.extend(self.known.iter().filter_map(|((layer, _), k)| Some((*layer, k.wrong.clone()?))));
        (look.left_out, look.missing) =
            playbooks::told(&self.folders, wrong, |layer| self.known.iter().any(|((l, _), k)| *l == layer && k.wrong.is_none()));
        look
    }

    /// Reads files and hands them to the compiler.
    fn read(&mut self, files: Vec<(Place, (usize, PathBuf), Stamp)>, compiler: &mut Compiler, look: &mut Look) {
        let begun = SystemTime::now();
        let read = parallel::map(&files, |(place, _, _)| {
            playbooks::read(place).map(|text| Input { path: place.path.display().to_string(), text, layer: place.layer })
        });
        let mut put = compiler.put_all(&read.iter().flatten().collect::<Vec<_>>()).into_iter();
        for ((place, key, stamp), read) in files.into_iter().zip(read) {
            let known = self.known.get(&key);
            let (touched, blank, wrong) = match read {
                Ok(input) => (put.next().unwrap_or_default(), input.text.trim().is_empty(), None),
                Err(d) => {
                    compiler.remove(place.layer, &place.path.display().to_string());
                    (known.is_none_or(|k| k.wrong.as_ref() != Some(&*d)), false, Some(*d))
                }
            };
            if touched || known.is_some_and(|k| k.wrong.is_some() != wrong.is_some()) {
                look.touched = true;
                look.lost |= blank && known.is_some_and(|k| !k.blank);
                look.changed = look.changed.max(stamp.changed());
            }
            // The stamp was taken before the file was read, so that a change in between is seen the next time.
            let trusted = stamp.changed().is_some_and(|at| begun.duration_since(at).is_ok_and(|age| age > COARSE));
            self.known.insert(key, Known { stamp, trusted, blank, wrong });
        }
    }
}
