//! `engine test --watch`: the tests once, then again after each edit, until Ctrl-C.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Test;
use crate::cli::stop::Stop;
use crate::cli::{Exit, put, tell, tell_line};
use crate::runtime::live::{Generation, Live, Options};
use crate::source::Sources;

/// How often Ctrl-C is looked for.
const TICK: Duration = Duration::from_millis(100);

/// Runs tests until it is told to stop.
pub(super) fn watch(test: &Test) -> Result<Exit, Exit> {
    let stop = Stop::listen();
    let live = Live::start(&test.paths, !test.no_shipped, Options { poll: test.poll, beside: true });
    let mut generation = live.now();
    if generation.problems.as_ref().is_some_and(|p| !p.missing.is_empty()) {
        problems(&generation);
        return Err(Exit::Playbooks);
    }
    round(test, &generation)?;
    tell_line("engine: watching; Ctrl-C ends");
    while !stop.told() {
        let Some(new) = live.wait(generation.number, TICK) else { continue };
        generation = new;
        round(test, &generation)?;
    }
    Ok(Exit::Fine)
}

/// The tests of what the folders hold now; of what does not load, why.
fn round(test: &Test, generation: &Arc<Generation>) -> Result<(), Exit> {
    if test.page() && std::io::stdout().is_terminal() {
        // A fresh screen for each round.
        put("\u{1b}[H\u{1b}[2J")?;
    }
    if generation.problems.is_some() {
        problems(generation);
        if generation.number > 1 {
            tell_line("engine: the tests run again when this is mended");
            return Ok(());
        }
    }
    test.round(&generation.set, &[], Instant::now()).map(|_| ())
}

fn problems(generation: &Generation) {
    if let Some(p) = &generation.problems {
        tell(&p.unread(), &Sources::default());
        tell(&p.errors(), &p.refused.sources);
    }
}
