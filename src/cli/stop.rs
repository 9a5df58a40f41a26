//! The end of commands that go on until they are told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether the user pressed Ctrl-C, or the system wants the program to end.
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens from now on. The first signal asks for an orderly end, a second one ends at once.
    pub(super) fn listen() -> Self {
        let told = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            let both = flag::register_conditional_shutdown(signal, 0, told.clone()).and_then(|_| flag::register(signal, told.clone()));
            if let Err(e) = both {
                tracing::warn!("signal {signal} ends the program without notice: {e}");
            }
        }
        Self(told)
    }

    /// Whether it is time to end.
    pub(super) fn told(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
