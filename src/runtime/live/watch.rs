//! Events of the file system. An event is a hint that something may have changed, and no more: what it says is not relied on.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, DataChange, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::super::playbooks::is_playbook;
use super::disk::Look;
use super::stamp::Which;

/// How long a file that is being written is waited for.
const WRITING: Duration = Duration::from_millis(500);

/// What matters in a folder.
enum Interest {
    /// Everything.
    All,
    /// These names.
    Names(BTreeSet<OsString>),
}

/// The folders that are watched, each by its real path.
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    armed: BTreeMap<PathBuf, (Which, Interest)>,
    /// Files that somebody has written to and not closed yet.
    writing: BTreeMap<PathBuf, Instant>,
    /// Whether other files than playbooks matter.
    beside: bool,
    /// Whether it was told that a folder cannot be watched.
    told: bool,
}

impl Watch {
    /// Hands events to `take`; without `events`, there are none.
    pub fn new(events: bool, beside: bool, take: impl Fn(notify::Result<Event>) + Send + 'static) -> Self {
        let watcher = if events {
            notify::recommended_watcher(take).map_err(|e| tracing::warn!("file events are not to be had, folders are looked at instead: {e}")).ok()
        } else {
            None
        };
        Self { watcher, armed: BTreeMap::new(), writing: BTreeMap::new(), beside, told: false }
    }

    /// Watches what was looked at, and from where it can be replaced. Says whether that is more than before: then
    /// something may have happened there that no event told.
    pub fn arm(&mut self, roots: &[PathBuf], look: &Look) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let mut wanted: BTreeMap<PathBuf, Interest> = BTreeMap::new();
        for folder in &look.folders {
            if let Ok(real) = folder.canonicalize() {
                wanted.insert(real, Interest::All);
            }
        }
        let mut name = |path: &Path| {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            // Where the folder itself is gone, the nearest one above it tells when it comes back.
            let (parent, name) = match parent.canonicalize() {
                Ok(real) => (real, name.to_owned()),
                Err(_) => match above(parent) {
                    Some(found) => found,
                    None => return,
                },
            };
            if let Interest::Names(names) = wanted.entry(parent).or_insert_with(|| Interest::Names(BTreeSet::new())) {
                names.insert(name);
            }
        };
        for path in roots.iter().chain(&look.links) {
            name(path);
            if let Ok(target) = path.read_link() {
                name(&path.parent().map_or(target.clone(), |p| p.join(&target)));
            }
            if let Ok(real) = path.canonicalize() {
                name(&real);
            }
        }
        let mut more = false;
        let old = std::mem::take(&mut self.armed);
        for (path, (which, _)) in &old {
            let same = std::fs::metadata(path).is_ok_and(|m| Which::of(&m) == *which);
            if !same || !wanted.contains_key(path) {
                let _ = watcher.unwatch(path);
            }
        }
        for (path, interest) in wanted {
            let Ok(which) = std::fs::metadata(&path).map(|m| Which::of(&m)) else { continue };
            if old.get(&path).is_none_or(|(before, _)| *before != which) {
                if let Err(e) = watcher.watch(&path, RecursiveMode::NonRecursive) {
                    if !std::mem::replace(&mut self.told, true) {
                        tracing::warn!("`{}` cannot be watched, and is looked at instead: {e}", path.display());
                    }
                    continue;
                }
                more = true;
            }
            self.armed.insert(path, (which, interest));
        }
        more
    }

    /// Whether an event says that something may have changed.
    pub fn hint(&mut self, event: &notify::Result<Event>) -> bool {
        let Ok(event) = event else { return true };
        if event.need_rescan() || event.paths.is_empty() {
            return true;
        }
        let relevant = event.paths.iter().any(|p| self.concerns(p, event.kind));
        for path in &event.paths {
            match event.kind {
                EventKind::Modify(ModifyKind::Data(DataChange::Any)) if relevant => {
                    self.writing.insert(path.clone(), Instant::now());
                }
                EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => {
                    self.writing.remove(path);
                }
                _ => {}
            }
        }
        // Being gone, or another one, ends the watch of a folder, whatever stands there now.
        if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) {
            for path in &event.paths {
                if self.armed.remove(path).is_some()
                    && let Some(watcher) = &mut self.watcher
                {
                    let _ = watcher.unwatch(path);
                }
            }
        }
        relevant
    }

    /// Whether somebody is about to write more.
    pub fn writing(&mut self) -> bool {
        self.writing.retain(|_, at| at.elapsed() < WRITING);
        !self.writing.is_empty()
    }

    fn concerns(&self, path: &Path, kind: EventKind) -> bool {
        // Reading is no change: our own looks would be hints to look again.
        if matches!(kind, EventKind::Access(k) if k != AccessKind::Close(AccessMode::Write)) {
            return false;
        }
        if self.armed.contains_key(path) {
            return !matches!(kind, EventKind::Access(_));
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return true };
        match self.armed.get(parent) {
            None => true,
            Some((_, Interest::Names(names))) => names.contains(name),
            Some((_, Interest::All)) => {
                let text = name.to_string_lossy();
                // What begins with two dots is how mounted volumes are swapped.
                if text.starts_with('.') && !text.starts_with("..") {
                    return false;
                }
                let content = matches!(kind, EventKind::Access(_) | EventKind::Modify(ModifyKind::Data(DataChange::Any | DataChange::Content)));
                self.beside || is_playbook(path) || !content
            }
        }
    }
}

/// The nearest folder above a path that is there, and the name in it that leads to the path.
fn above(path: &Path) -> Option<(PathBuf, OsString)> {
    let mut here = path;
    loop {
        let name = here.file_name()?.to_owned();
        let parent = here.parent()?;
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        match parent.canonicalize() {
            Ok(real) => return Some((real, name)),
            Err(_) => here = parent,
        }
    }
}
