//! What playbooks would have said of past incidents: what one incident contributes, and totals that can be merged in any
//! order.

pub mod asks;
mod bits;
mod counter;
mod page;
mod recall;
mod report;

pub use counter::Counter;
pub use page::{markdown, text, unread, words};
pub use recall::{Asker, Heard, Past, Recall, Turn, same_ground};
pub use report::{Report, SCHEMA};

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tally::{Few, Unread, add, add_all, count};
use crate::card::Context;
use crate::model::{Classification, Incident};
use crate::playbook::Playbook;
use crate::playbook::PlaybookSet;
use crate::playbook::catalogue::normal;
use crate::script::Facts;
use asks::Answered;
use bits::Bits;

/// How many incidents on which rules and record disagree are named.
pub const DISAGREEMENTS: usize = 20;
/// How many different titles of unrecognised alerts are kept apart; those beyond are counted together.
pub const TITLES: usize = 100_000;
/// The longest title that is kept, in characters.
const TITLE: usize = 160;

/// What was counted so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Incidents that were read.
    pub incidents: u64,
    /// What was not read.
    pub unread: Unread,
    playbooks: BTreeMap<Arc<str>, Fired>,
    cards: BTreeMap<(Arc<str>, Arc<str>), CardFired>,
    clauses: BTreeMap<(Arc<str>, Arc<str>), Answered>,
    /// Questions that could not be answered, by their message.
    failures: BTreeMap<String, u64>,
    alerts: u64,
    unrecognised: u64,
    /// Titles that no signal knows, numbers as `*`.
    titles: BTreeMap<String, u64>,
    /// Alerts with titles beyond [`TITLES`].
    titles_beyond: u64,
    agreement: Agreement,
}

/// How often a playbook had something to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fired {
    matched: u64,
    decided: u64,
    with_cards: u64,
}

/// How often a card came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct CardFired {
    incidents: u64,
    cards: u64,
}

/// What was counted for one playbook: its cards and clauses in their order.
struct Told<'t> {
    playbook: &'t Playbook,
    fired: Fired,
    cards: &'t [CardFired],
    clauses: &'t [Answered],
}

/// What rules and records say of the same incidents.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Agreement {
    /// By what is recorded and what the rules say.
    matrix: BTreeMap<(Classification, Classification), u64>,
    /// By the confidence of a decision: how many, and how many of them as recorded.
    by_confidence: BTreeMap<u8, (u64, u64)>,
    /// Same classification with a determination on both sides: how many, and how many the same.
    determinations: (u64, u64),
    disagreements: Few<Disagreement>,
}

/// An incident of which rules and record say different things.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Disagreement {
    at: u64,
    incident: String,
    recorded: Classification,
    said: Classification,
    confidence: u8,
    playbook: Option<String>,
    why: String,
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            incidents: 0,
            unread: Unread::default(),
            playbooks: BTreeMap::new(),
            cards: BTreeMap::new(),
            clauses: BTreeMap::new(),
            failures: BTreeMap::new(),
            alerts: 0,
            unrecognised: 0,
            titles: BTreeMap::new(),
            titles_beyond: 0,
            agreement: Agreement {
                matrix: BTreeMap::new(),
                by_confidence: BTreeMap::new(),
                determinations: (0, 0),
                disagreements: Few::new(DISAGREEMENTS),
            },
        }
    }
}

impl Totals {
    /// What one incident contributes; `at` is its position in the corpus. A classification that it carries is taken away
    /// before the rules are asked, and compared with what they say.
    pub fn of(set: &PlaybookSet, incident: &Incident, context: &Context, at: u64) -> Self {
        let mut counter = Counter::new(set);
        counter.add(incident, context, at);
        counter.finish()
    }

    /// All of both; in whatever order, and however they were grouped before.
    pub fn merge(&mut self, other: Self) {
        self.incidents = self.incidents.saturating_add(other.incidents);
        self.unread.merge(other.unread);
        for (id, more) in other.playbooks {
            let slot = self.playbooks.entry(id).or_default();
            slot.matched = slot.matched.saturating_add(more.matched);
            slot.decided = slot.decided.saturating_add(more.decided);
            slot.with_cards = slot.with_cards.saturating_add(more.with_cards);
        }
        for (id, more) in other.cards {
            let slot = self.cards.entry(id).or_default();
            slot.incidents = slot.incidents.saturating_add(more.incidents);
            slot.cards = slot.cards.saturating_add(more.cards);
        }
        for (id, more) in other.clauses {
            let slot = self.clauses.entry(id).or_default();
            slot.asked = slot.asked.saturating_add(more.asked);
            slot.held = slot.held.saturating_add(more.held);
        }
        add_all(&mut self.failures, other.failures);
        self.alerts = self.alerts.saturating_add(other.alerts);
        self.unrecognised = self.unrecognised.saturating_add(other.unrecognised);
        other.titles.into_iter().for_each(|(title, n)| self.title(title, n));
        self.titles_beyond = self.titles_beyond.saturating_add(other.titles_beyond);
        let (a, b) = (&mut self.agreement, other.agreement);
        add_all(&mut a.matrix, b.matrix);
        for (confidence, (decided, right)) in b.by_confidence {
            let slot = a.by_confidence.entry(confidence).or_default();
            *slot = (slot.0.saturating_add(decided), slot.1.saturating_add(right));
        }
        a.determinations = (a.determinations.0.saturating_add(b.determinations.0), a.determinations.1.saturating_add(b.determinations.1));
        a.disagreements.merge(b.disagreements);
    }

    /// Counts an incident, with what its alerts say.
    fn alerts_of(&mut self, facts: &Facts<'_>) {
        let incident = facts.incident;
        add(&mut self.incidents, 1);
        add(&mut self.alerts, u64::try_from(incident.alerts.len()).unwrap_or(u64::MAX));
        for (_, a) in incident.alerts().filter(|(ix, _)| facts.signals_of(*ix).next().is_none()) {
            add(&mut self.unrecognised, 1);
            self.title(pattern(&a.title), 1);
        }
    }

    /// Notes what was counted for the playbooks that matched, of which nothing is noted yet.
    fn tell<'t>(&mut self, all: impl Iterator<Item = Told<'t>>) {
        // Maps that are made of all their entries at once need not look for the place of each.
        let (mut playbooks, mut cards, mut clauses) = (Vec::new(), Vec::new(), Vec::new());
        for Told { playbook: p, fired, cards: of_cards, clauses: of_clauses } in all {
            playbooks.push((p.id.clone(), fired));
            let fired = p.cards.iter().zip(of_cards).filter(|(_, n)| n.incidents > 0);
            cards.extend(fired.map(|(c, n)| ((p.id.clone(), c.id.clone()), *n)));
            let asked = p.conditions.keys().zip(of_clauses).filter(|(_, n)| n.asked > 0);
            clauses.extend(asked.map(|(c, n)| ((p.id.clone(), c.clone()), *n)));
        }
        self.playbooks.append(&mut playbooks.into_iter().collect());
        self.cards.append(&mut cards.into_iter().collect());
        self.clauses.append(&mut clauses.into_iter().collect());
    }

    /// Counts a title. Which ones are kept apart when there are too many depends on the titles alone, not on the order.
    fn title(&mut self, title: String, n: u64) {
        count(&mut self.titles, title, n);
        if self.titles.len() > TITLES
            && let Some((_, n)) = self.titles.pop_last()
        {
            self.titles_beyond = self.titles_beyond.saturating_add(n);
        }
    }
}

/// A title as a signal's `titles:` could have it: as it is compared, each word that holds a digit as `*`, so that alerts
/// which differ in a number or a host's name alone are one.
fn pattern(title: &str) -> String {
    let mut out = String::new();
    for word in normal(title).split(' ') {
        let word = if word.contains(|c: char| c.is_ascii_digit()) { "*" } else { word };
        if word == "*" && (out == "*" || out.ends_with(" *")) {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    if out.chars().count() > TITLE { out.chars().take(TITLE).chain(['*']).collect() } else { out }
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn titles_that_differ_in_numbers_are_one() {
        assert_eq!(pattern("Logon from 10.0.0.7 by SRV-12"), "logon from * by *");
        assert_eq!(pattern("Port 22 23 scan"), "port * scan");
        assert_eq!(pattern(&"a".repeat(200)).len(), 161);
    }
}
