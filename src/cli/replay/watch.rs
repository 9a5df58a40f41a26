//! `engine replay --watch`: the figures, and again after each edit, over a corpus that is read once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::super::stop::Stop;
use super::super::{Exit, put_on, tell, tell_line};
use super::Replay;
use crate::diag::human::counted;
use crate::eval;
use crate::playbook::PlaybookSet;
use crate::runtime::live::{Generation, Live, Options};
use crate::runtime::parallel::{folded, ordered};
use crate::source::Sources;
use crate::tester::replay::{Asker, Past, Recall, Totals, Turn, same_ground};
use crate::tester::tally::Unread;

/// How long one wait for an edit takes, before it is looked whether to stop.
const TICK: Duration = Duration::from_millis(100);
/// Alerts, entities and relations of all incidents together that are kept in memory. A corpus that holds more of them is
/// read again after each edit.
const KEPT: usize = 400_000;
/// How many incidents a thread takes at once.
const SOME: usize = 64;

/// The playbooks as they are edited.
struct Edits {
    live: Live,
    generation: Arc<Generation>,
    stop: Stop,
}

impl Edits {
    /// The next set that loads, with the time from the edit to it; `None` when it is time to end.
    fn next(&mut self) -> Option<Duration> {
        while !self.stop.told() {
            let Some(new) = self.live.wait(self.generation.number, TICK) else { continue };
            self.generation = new;
            let Some(problems) = &self.generation.problems else { return Some(self.generation.took) };
            tell(&problems.unread(), &Sources::default());
            tell(&problems.errors(), &problems.refused.sources);
            tell_line("engine: the last good set stays until this is mended");
        }
        None
    }
}

/// The corpus.
struct Corpus {
    /// In order; nothing if there is too much of it.
    past: Option<Vec<Past>>,
    unread: Unread,
}

pub(super) fn watch(replay: &Replay) -> Result<Exit, Exit> {
    if replay.incidents.as_os_str() == "-" {
        tell_line("engine: --watch needs a corpus that can be read again; give a file or a folder");
        return Err(Exit::Input);
    }
    let stop = Stop::listen();
    let live = replay.playbooks.follow(Options { poll: replay.poll, beside: false })?;
    let generation = live.now();
    let mut edits = Edits { live, generation, stop };
    let corpus = read(replay, &edits.generation.set)?;
    match &corpus.past {
        Some(past) if past.is_empty() => Err(Exit::Input),
        Some(past) => remembered(replay, past, &corpus.unread, &mut edits),
        None => {
            tell_line(&format!("engine: the corpus has more than {KEPT} alerts, entities and relations: it is read again after each edit"));
            again(replay, &mut edits)
        }
    }
}

/// Reads the corpus, and keeps it if it is not too large.
fn read(replay: &Replay, set: &PlaybookSet) -> Result<Corpus, Exit> {
    replay.asking.context(set)?;
    let things = AtomicUsize::new(0);
    let mut unread = Unread::default();
    let all = replay.asking.each(
        &replay.incidents,
        Vec::new,
        |own: &mut Vec<Past>, read, at| {
            let i = read.incident;
            let has = i.alerts.len().saturating_add(i.entities.len()).saturating_add(i.relations.len());
            if things.fetch_add(has, Ordering::Relaxed).saturating_add(has) > KEPT {
                *own = Vec::new();
            } else {
                own.push(Past { at, incident: i });
            }
        },
        |(at, name, why)| unread.add(at, &name, &why),
    )?;
    let mut past: Vec<Past> = all.into_iter().flatten().collect();
    past.sort_by_key(|p| p.at);
    Ok(Corpus { past: (things.into_inner() <= KEPT).then_some(past), unread })
}

/// Over a corpus in memory.
fn remembered(replay: &Replay, past: &[Past], unread: &Unread, edits: &mut Edits) -> Result<Exit, Exit> {
    let mut waited = Duration::ZERO;
    loop {
        // Facts stand on signals, lists and types: an edit of those begins anew, with the incidents as they were read.
        let ground = edits.generation.set.clone();
        let begun = Instant::now();
        let now = replay.asking.context(&ground)?.now;
        let mut facts = Vec::with_capacity(past.len());
        ordered(
            past.chunks(SOME),
            |some| some.iter().map(|p| eval::facts(&ground, &p.incident, now).0).collect::<Vec<_>>(),
            |some| {
                facts.extend(some);
                true
            },
        );
        let mut grounded = begun.elapsed();
        let mut recall = Recall::new(past, &facts);
        while same_ground(&ground, &edits.generation.set) {
            let begun = Instant::now();
            let set = edits.generation.set.clone();
            let mut turn = recall.turn(&set);
            let (new, all) = (turn.new, turn.all);
            ask(&mut recall, &mut turn, past.len());
            let mut totals = recall.settle(turn);
            totals.unread.merge(unread.clone());
            let took = std::mem::take(&mut grounded).saturating_add(begun.elapsed());
            let after = if waited.is_zero() { String::new() } else { format!(", {} ms after the edit", waited.saturating_add(took).as_millis()) };
            tell_line(&format!("{} of {all} asked anew in {:.1} ms{after}", counted(new, "question"), took.as_secs_f64() * 1000.0));
            if !show(replay, &totals, &set)? {
                return Ok(Exit::Fine);
            }
            match edits.next() {
                Some(took) => waited = took,
                None => return Ok(Exit::Fine),
            }
        }
    }
}

/// Asks what is to be asked, on all threads. What was heard is taken in a part at a time, so that it need not all be kept.
fn ask(recall: &mut Recall<'_>, turn: &mut Turn<'_>, incidents: usize) {
    let part = if turn.is_small() { 1 << 16 } else { 8 * SOME };
    for from in (0..incidents).step_by(part) {
        let to = from.saturating_add(part).min(incidents);
        let mut all = Vec::new();
        let (asked, what) = (&*recall, &*turn);
        folded(
            (from..to).step_by(SOME),
            || Asker::new(what),
            |asker, first| (first..first.saturating_add(SOME).min(to)).filter_map(|n| asked.ask(what, asker, n)).collect::<Vec<_>>(),
            |heard| {
                all.extend(heard);
                true
            },
        );
        all.into_iter().for_each(|heard| recall.hear(turn, heard));
    }
}

/// Over a corpus that is read again each time.
fn again(replay: &Replay, edits: &mut Edits) -> Result<Exit, Exit> {
    loop {
        let set = edits.generation.set.clone();
        if !show(replay, &replay.count(&set)?, &set)? || edits.next().is_none() {
            return Ok(Exit::Fine);
        }
    }
}

/// Writes the figures; says whether anyone still reads.
fn show(replay: &Replay, totals: &Totals, set: &PlaybookSet) -> Result<bool, Exit> {
    put_on(&replay.shown(totals, set, true))
}
