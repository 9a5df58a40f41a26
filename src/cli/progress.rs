//! Progress on standard error: only on a terminal, and only for what takes longer than a second.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// A line that says how far something is.
pub(super) struct Progress {
    what: &'static str,
    total: Option<usize>,
    done: usize,
    begun: Instant,
    shown: Option<Instant>,
    wanted: bool,
}

impl Progress {
    /// For `total` things, if their number is known.
    pub(super) fn new(what: &'static str, total: Option<usize>) -> Self {
        let wanted = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|t| t != "dumb");
        Self { what, total, done: 0, begun: Instant::now(), shown: None, wanted }
    }

    /// One more is done.
    pub(super) fn step(&mut self) {
        self.done = self.done.saturating_add(1);
        let due = match self.shown {
            None => self.begun.elapsed() > Duration::from_secs(1),
            Some(last) => last.elapsed() > Duration::from_millis(100),
        };
        if self.wanted && due {
            self.shown = Some(Instant::now());
            let of = self.total.map_or_else(String::new, |n| format!(" of {n}"));
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K{}{of} {}", self.done, self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}
