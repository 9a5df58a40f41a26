//! A set of playbooks that follows its folders: what `--watch`, the language server and a service use.
//!
//! Whatever way a file is saved, the folders are looked at as a whole once they are quiet, and the set that they hold is
//! taken whole or not at all: as long as any file does not load, the last good set stays.

mod disk;
mod keeper;
mod stamp;
mod watch;

use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::diag::{Diagnostic, Severity};
use crate::playbook::PlaybookSet;
use keeper::{Keeper, Message};
pub use stamp::Stamp;

/// How folders are followed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Look at the folders again and again, for file systems that tell no events.
    pub poll: bool,
    /// A change of another file in the folders, such as the incident of a test, is a generation too.
    pub beside: bool,
}

/// What the folders gave at one time.
#[derive(Clone, Debug)]
pub struct Generation {
    /// 1 for the first, then one more each time that there is something to tell.
    pub number: u64,
    /// The last set of which every file loads. The first one may leave files out, and names them.
    pub set: Arc<PlaybookSet>,
    /// Why the folders as they are now give no set, if they do not.
    pub problems: Option<Arc<Problems>>,
    /// From the change on the disk to this generation.
    pub took: Duration,
}

/// Why the folders give no set.
#[derive(Clone, Debug)]
pub struct Problems {
    /// The set that they would give, with its diagnostics and the texts that those speak of.
    pub refused: Arc<PlaybookSet>,
    /// Files that cannot be read.
    pub left_out: Vec<Diagnostic>,
    /// Folders of which nothing can be read.
    pub missing: Vec<Diagnostic>,
}

impl Problems {
    /// The errors in files, by place; they are drawn with the texts of [`Problems::refused`].
    pub fn errors(&self) -> Vec<Diagnostic> {
        self.refused.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect()
    }

    /// What cannot be read at all; it has no place in a text.
    pub fn unread(&self) -> Vec<Diagnostic> {
        self.missing.iter().chain(&self.left_out).cloned().collect()
    }
}

/// What the threads share.
#[derive(Debug)]
struct Shared {
    now: Mutex<Arc<Generation>>,
    news: Condvar,
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, Arc<Generation>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, generation: Generation) {
        *self.locked() = Arc::new(generation);
        self.news.notify_all();
    }
}

/// A set that follows its folders until this is dropped.
#[derive(Debug)]
pub struct Live {
    shared: Arc<Shared>,
    stop: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// Reads the folders, each a layer above those before it, and follows them from then on. `with_shipped` puts what ships
    /// below them all. Files that do not load are left out of the first set, and told as its problems.
    pub fn start(folders: &[PathBuf], with_shipped: bool, options: Options) -> Self {
        let (stop, messages) = channel();
        let mut keeper = Keeper::new(folders, with_shipped, options, stop.clone());
        let shared = Arc::new(Shared { now: Mutex::new(Arc::new(keeper.first())), news: Condvar::new() });
        let theirs = shared.clone();
        let thread = std::thread::Builder::new().name("playbooks".into()).spawn(move || keeper.run(&messages, &theirs));
        let thread = thread.map_err(|e| tracing::error!("the folders cannot be followed: {e}")).ok();
        Self { shared, stop, thread }
    }

    /// What there is now. An answer is made from the one set that this gives, whatever happens meanwhile.
    pub fn now(&self) -> Arc<Generation> {
        self.shared.locked().clone()
    }

    /// Waits for a generation after the one with this number, but no longer than this; there may have been others between.
    pub fn wait(&self, after: u64, most: Duration) -> Option<Arc<Generation>> {
        let until = Instant::now().checked_add(most);
        let mut now = self.shared.locked();
        while now.number <= after {
            let left = until.map_or(most, |u| u.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return None;
            }
            now = self.shared.news.wait_timeout(now, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(now.clone())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.stop.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
