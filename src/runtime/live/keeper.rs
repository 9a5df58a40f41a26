//! The thread that follows the folders: when it looks, and what it makes of what it sees.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime};

use notify::Event;

use super::disk::{Disk, Look};
use super::watch::Watch;
use super::{Generation, Options, Problems, Shared};
use crate::playbook::{Compiler, PlaybookSet};
use crate::runtime::{parallel, playbooks};

/// After the last event of a burst, this long must be quiet: saving a file takes several steps.
const QUIET: Duration = Duration::from_millis(60);
/// What looks as if a save were half done (a file that does not load, is empty, or is gone) must stand this long.
const STANDS: Duration = Duration::from_millis(150);
/// Endless bursts are not waited for longer than this.
const MOST: Duration = Duration::from_secs(2);
/// What does not come to rest is told after this long.
const RESTLESS: Duration = Duration::from_secs(1);
/// Events can be lost: the folders are looked at this often without any.
const EVERY: Duration = Duration::from_secs(2);
/// And without events at all, this often.
const POLL: Duration = Duration::from_millis(200);
/// Every so many of these looks read all files, whatever their times say.
const READ_ALL: u32 = 5;

/// What wakes the thread.
#[derive(Debug)]
pub(super) enum Message {
    /// Something happened in a folder.
    Event(notify::Result<Event>),
    /// The end.
    Stop,
}

/// What was seen and is not told yet.
struct Pending {
    /// When it was first other than what was told.
    first: Instant,
    /// When it was last seen to change.
    since: Instant,
    /// When the change was made, by the clock of the file system.
    changed: SystemTime,
    /// Whether a playbook file changed, and whether one is gone or empty.
    touched: bool,
    lost: bool,
}

/// Follows the folders.
pub(super) struct Keeper {
    disk: Disk,
    compiler: Compiler,
    watch: Watch,
    options: Options,
    /// The last look, and the set that it gives.
    look: Look,
    set: Arc<PlaybookSet>,
    told: Generation,
    pending: Option<Pending>,
    looks: u32,
    stopped: bool,
}

impl Keeper {
    pub fn new(folders: &[PathBuf], with_shipped: bool, options: Options, events: Sender<Message>) -> Self {
        let shipped = if with_shipped { playbooks::shipped() } else { Vec::new() };
        let mut compiler = Compiler::on(parallel::each);
        compiler.put_all(&shipped.iter().collect::<Vec<_>>());
        let take = move |event| {
            let _ = events.send(Message::Event(event));
        };
        let set: Arc<PlaybookSet> = Arc::default();
        let told = Generation { number: 0, set: set.clone(), problems: None, took: Duration::ZERO };
        Self {
            disk: Disk::new(folders, shipped.len()),
            compiler,
            watch: Watch::new(!options.poll, options.beside, take),
            options,
            look: Look::default(),
            set,
            told,
            pending: None,
            looks: 0,
            stopped: false,
        }
    }

    /// The first generation: files that do not load are left out of it.
    pub fn first(&mut self) -> Generation {
        let begun = Instant::now();
        self.look_again(false);
        self.pending = None;
        let mut set = (*self.compiler.set()).clone();
        set.skipped.extend(self.look.left_out.iter().map(|d| (String::new(), format!("{}: {}", d.code, d.message))));
        self.set = Arc::new(set);
        self.told = Generation { number: 1, set: self.set.clone(), problems: self.problems(), took: begun.elapsed() };
        self.told.clone()
    }

    /// Until it is told to stop.
    pub fn run(mut self, messages: &Receiver<Message>, shared: &Shared) {
        let mut due: Option<Instant> = None;
        let mut burst: Option<Instant> = None;
        let mut every = if self.options.poll { POLL } else { EVERY };
        let mut next = Instant::now().checked_add(every);
        while !self.stopped {
            let until = due.into_iter().chain(next).min();
            let wait = until.map_or(EVERY, |u| u.saturating_duration_since(Instant::now()));
            let now = match messages.recv_timeout(wait) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Message::Event(event)) => {
                    if self.watch.hint(&event) {
                        let now = Instant::now();
                        let last = burst.get_or_insert(now).checked_add(MOST);
                        due = now.checked_add(QUIET).min(last);
                    }
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => Instant::now(),
            };
            let hinted = due.is_some_and(|d| d <= now);
            if hinted && self.watch.writing() && burst.is_some_and(|b| b.elapsed() < MOST) {
                due = now.checked_add(QUIET);
                continue;
            }
            if !hinted && next.is_none_or(|n| n > now) {
                continue;
            }
            self.looks = self.looks.wrapping_add(1);
            self.look_again(!hinted && self.looks.is_multiple_of(READ_ALL));
            // What happened while the folders were looked at may have left a mixture to be seen: it has to come to rest too.
            if self.hints(messages) && burst.is_none_or(|b| b.elapsed() < MOST) {
                burst.get_or_insert(now);
                due = Instant::now().checked_add(QUIET);
                continue;
            }
            let evented = burst.take().is_some();
            // However many files there are, looking at them is not most of what the machine does.
            let took = now.elapsed();
            if self.options.poll {
                every = POLL.max(took.saturating_mul(10));
            }
            next = Instant::now().checked_add(every);
            due = self.decide(evented, shared).and_then(|left| Instant::now().checked_add(left));
        }
    }

    /// Whether something may have changed since this was last asked.
    fn hints(&mut self, messages: &Receiver<Message>) -> bool {
        if self.pending.as_ref().is_some_and(|p| p.touched) {
            self.set = self.compiler.set();
        }
        let mut any = false;
        while let Ok(message) = messages.try_recv() {
            match message {
                Message::Event(event) => any |= self.watch.hint(&event),
                Message::Stop => self.stopped = true,
            }
        }
        any
    }

    /// Looks at the folders, and watches what is new in them before it trusts what it saw.
    fn look_again(&mut self, all: bool) {
        for round in 0..4 {
            let look = self.disk.look(&mut self.compiler, all && round == 0);
            let other = look.touched || look.left_out != self.look.left_out || look.missing != self.look.missing;
            if other || look.beside && self.options.beside {
                let now = Instant::now();
                let changed = look.changed.unwrap_or_else(SystemTime::now);
                let pending = self.pending.get_or_insert(Pending { first: now, since: now, changed, touched: false, lost: false });
                pending.since = now;
                pending.changed = pending.changed.max(changed);
                pending.touched |= other;
                pending.lost |= look.lost;
            }
            let more = self.watch.arm(&self.disk.folders, &look);
            self.look = look;
            if !more {
                break;
            }
        }
    }

    /// Tells what was seen, if it stands; otherwise says after how long to look again.
    fn decide(&mut self, evented: bool, shared: &Shared) -> Option<Duration> {
        let pending = self.pending.as_ref()?;
        let problems = self.problems();
        let wanted = match (problems.is_some() || pending.lost, evented) {
            (true, _) => STANDS,
            (false, true) => Duration::ZERO,
            // What was seen without an event may be in the middle of a burst.
            (false, false) => QUIET,
        };
        // An event may be late: what was written a moment ago by the clock of the file system is not at rest either.
        let since_write = pending.changed.elapsed().unwrap_or(QUIET);
        let left = wanted.saturating_sub(pending.since.elapsed()).max(QUIET.saturating_sub(since_write));
        if !left.is_zero() && pending.first.elapsed() < RESTLESS {
            return Some(left.max(Duration::from_millis(5)));
        }
        let took = pending.changed.elapsed().unwrap_or_default();
        let same = problems.is_none() && same(&self.set, &self.told.set);
        let news = !same || self.told.problems.is_some() || !pending.touched;
        self.pending = None;
        if news {
            let set = if problems.is_some() || same { self.told.set.clone() } else { self.set.clone() };
            self.told = Generation { number: self.told.number.saturating_add(1), set, problems, took };
            tracing::debug!(generation = self.told.number, good = self.told.problems.is_none(), "playbooks changed");
            shared.publish(self.told.clone());
        }
        None
    }

    /// Why what was last seen gives no set.
    fn problems(&self) -> Option<Arc<Problems>> {
        let Look { left_out, missing, .. } = &self.look;
        if self.set.skipped.is_empty() && left_out.is_empty() && missing.is_empty() {
            return None;
        }
        Some(Arc::new(Problems { refused: self.set.clone(), left_out: left_out.clone(), missing: missing.clone() }))
    }
}

/// Whether two sets are made of the same files.
fn same(a: &PlaybookSet, b: &PlaybookSet) -> bool {
    let paths = |set: &PlaybookSet| set.sources.iter().map(|(_, f)| f.path.clone()).collect::<Vec<_>>();
    a.revision == b.revision && paths(a) == paths(b)
}
