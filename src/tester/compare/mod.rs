//! What differs between two sets over past incidents: what one incident contributes, and totals that can be merged in any
//! order. Of every kind of change a few examples are kept, and the rest is counted.

mod causes;
mod page;
mod report;
pub mod semantic;

pub use page::{markdown, text};
pub use report::{Options, Report, SCHEMA};
pub use semantic::Sets;

use std::collections::{BTreeMap, BTreeSet};

use super::tally::{Few, Unread, add_all, count, undecided};
use crate::card::changes::{CardRef, Changes, FieldChange, Said, between};
use crate::card::response::Response;
use crate::card::{Context, respond};
use crate::eval;
use crate::model::{Classification, EntityIx, Incident};
use causes::Side;

/// What was counted so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Incidents that were read.
    pub incidents: u64,
    /// Incidents whose answers differ.
    pub differ: u64,
    /// What was not read.
    pub unread: Unread,
    /// The classification, old by new.
    matrix: BTreeMap<(Classification, Classification), u64>,
    triage: Groups<TriageKind>,
    cards: Groups<CardKind>,
    /// Hunts that were gained, lost, changed.
    hunts: [u64; 3],
    /// Playbooks that had a part in a change of classification, with the number of incidents.
    reclassified: BTreeMap<String, u64>,
    /// Playbooks that lost cards, with their number.
    lost: BTreeMap<String, u64>,
    examples: usize,
}

/// How a card differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CardHow {
    /// Only the old answer has it.
    Lost,
    /// Only the new answer has it.
    Gained,
    /// Both have it.
    Changed,
}

/// Changes of cards that are told together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CardKind {
    how: CardHow,
    /// The playbook cards that it comes from, as `playbook/card`.
    sources: Vec<String>,
    action: String,
    /// The clauses that made the difference, or the fields that differ.
    why: Vec<String>,
}

/// Changes of triage that are told together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TriageKind {
    from: Said,
    to: Said,
    why: Vec<String>,
}

/// An incident in which it was so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Example {
    at: u64,
    incident: String,
    /// What it is about; empty for the incident.
    entities: Vec<String>,
    /// Texts that differ, old and new.
    detail: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Groups<K: Ord>(BTreeMap<K, Few<Example>>);

impl<K: Ord> Groups<K> {
    fn add(&mut self, key: K, one: Example, most: usize) {
        self.0.entry(key).or_insert_with(|| Few::new(most)).add(one);
    }

    fn merge(&mut self, other: Self) {
        for (key, few) in other.0 {
            match self.0.entry(key) {
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(few);
                }
                std::collections::btree_map::Entry::Occupied(mut slot) => slot.get_mut().merge(few),
            }
        }
    }
}

impl Totals {
    /// Nothing yet; of every kind of change, so many examples are kept.
    pub fn new(examples: usize) -> Self {
        Self {
            incidents: 0,
            differ: 0,
            unread: Unread::default(),
            matrix: BTreeMap::new(),
            triage: Groups(BTreeMap::new()),
            cards: Groups(BTreeMap::new()),
            hunts: [0; 3],
            reclassified: BTreeMap::new(),
            lost: BTreeMap::new(),
            examples,
        }
    }

    /// What one incident contributes; `at` is its position in the corpus. A classification that it carries is taken away
    /// before both are asked, so that what the rules say can be compared. Each side has its own context, since who may do
    /// what is part of a set.
    pub fn of(sets: Sets<'_>, incident: &Incident, contexts: (&Context, &Context), at: u64, examples: usize) -> Self {
        let mut t = Self { incidents: 1, ..Self::new(examples) };
        let plain = undecided(incident);
        let (old, new) = (respond(sets.old, &plain, contexts.0), respond(sets.new, &plain, contexts.1));
        t.matrix.insert((old.triage.classification, new.triage.classification), 1);
        let changes = between(&old, &new);
        if changes.is_empty() {
            return t;
        }
        t.differ = 1;
        let (old_facts, _) = eval::facts(sets.old, &plain, contexts.0.now);
        let (new_facts, _) = eval::facts(sets.new, &plain, contexts.1.now);
        let sides = (Side::new(sets.old, &old_facts, true), Side::new(sets.new, &new_facts, false));
        t.note(sets, &plain, (&old, &new), &changes, sides, at);
        t
    }

    fn note(
        &mut self,
        sets: Sets<'_>,
        incident: &Incident,
        (old, new): (&Response, &Response),
        changes: &Changes,
        sides: (Side<'_>, Side<'_>),
        at: u64,
    ) {
        let (mut a, mut b) = sides;
        let most = self.examples;
        let example = |card: Option<&CardRef>, detail: Vec<String>| Example {
            at,
            incident: incident.id.to_string(),
            entities: card.iter().flat_map(|c| &c.targets).map(|e| e.id.clone()).collect(),
            detail,
        };
        if let Some(t) = &changes.triage {
            let why = if t.reclassified() {
                for p in [&old.triage.source.playbook, &new.triage.source.playbook].into_iter().flatten().collect::<BTreeSet<_>>() {
                    count(&mut self.reclassified, p.clone(), 1);
                }
                causes::triage(sets, &mut a, &mut b, &old.triage, &new.triage)
            } else {
                fields(&t.fields)
            };
            self.triage.add(TriageKind { from: t.from.clone(), to: t.to.clone(), why }, example(None, texts(&t.fields)), most);
        }
        let targets = |c: &CardRef| -> Vec<EntityIx> {
            c.targets.iter().filter_map(|t| incident.entities().find(|(_, e)| *e.id == *t.id).map(|(ix, _)| ix)).collect()
        };
        for (how, cards, response) in [(CardHow::Lost, &changes.removed, old), (CardHow::Gained, &changes.added, new)] {
            for c in cards {
                let mut why: Vec<String> = Vec::new();
                for source in response.cards.iter().filter(|x| x.id == c.id).flat_map(|x| &x.sources) {
                    let found = match how {
                        CardHow::Lost => causes::card(sets, &a, &mut b, source, &targets(c)),
                        _ => causes::card(sets, &b, &mut a, source, &targets(c)),
                    };
                    why.extend(found.into_iter().filter(|w| !why.contains(w)).collect::<Vec<_>>());
                    if how == CardHow::Lost {
                        count(&mut self.lost, source.playbook.clone(), 1);
                    }
                }
                let key = CardKind { how, sources: c.sources.clone(), action: c.action.clone(), why };
                self.cards.add(key, example(Some(c), Vec::new()), most);
            }
        }
        for c in &changes.changed {
            let mut why = Vec::new();
            for (there, response, other, word) in [(true, old, new, "no longer given by"), (false, new, old, "now also given by")] {
                let of = |r: &'_ Response| r.cards.iter().filter(|x| x.id == c.card.id).flat_map(|x| x.sources.clone()).collect::<Vec<_>>();
                let others = of(other);
                for source in of(response).iter().filter(|s| !others.iter().any(|o| (&o.playbook, &o.card) == (&s.playbook, &s.card))) {
                    let at = targets(&c.card);
                    let found = if there { causes::card(sets, &a, &mut b, source, &at) } else { causes::card(sets, &b, &mut a, source, &at) };
                    why.push(format!("{word} {}/{}: {}", source.playbook, source.card, found.join("; ")));
                }
            }
            // Another source brings its own reasons: they are no change by themselves.
            let resourced = !why.is_empty();
            let told: Vec<FieldChange> = c
                .fields
                .iter()
                .filter(|f| !(resourced && matches!(f.field, "sources" | "because" | "evidence" | "hunts" | "after")))
                .cloned()
                .collect();
            why.extend(fields(&told));
            let key = CardKind { how: CardHow::Changed, sources: c.card.sources.clone(), action: c.card.action.clone(), why };
            self.cards.add(key, example(Some(&c.card), texts(&told)), most);
        }
        for (slot, all) in self.hunts.iter_mut().zip([&changes.hunts_added, &changes.hunts_removed, &changes.hunts_changed]) {
            *slot = u64::try_from(all.len()).unwrap_or(u64::MAX);
        }
    }

    /// All of both; in whatever order, and however they were grouped before.
    pub fn merge(&mut self, other: Self) {
        self.incidents = self.incidents.saturating_add(other.incidents);
        self.differ = self.differ.saturating_add(other.differ);
        self.unread.merge(other.unread);
        add_all(&mut self.matrix, other.matrix);
        self.triage.merge(other.triage);
        self.cards.merge(other.cards);
        for (slot, more) in self.hunts.iter_mut().zip(other.hunts) {
            *slot = slot.saturating_add(more);
        }
        add_all(&mut self.reclassified, other.reclassified);
        add_all(&mut self.lost, other.lost);
    }
}

/// The fields that differ: with their values where they come from a few words or numbers, by name where they are prose.
fn fields(all: &[FieldChange]) -> Vec<String> {
    let told = |f: &FieldChange| {
        matches!(f.field, "priority" | "confidence" | "phase" | "status" | "impact" | "classification" | "determination" | "sources")
    };
    all.iter().map(|f| if told(f) { f.words() } else { f.field.to_owned() }).collect()
}

/// The fields whose values depend on the incident, with them.
fn texts(all: &[FieldChange]) -> Vec<String> {
    all.iter()
        .filter(|f| !matches!(f.field, "priority" | "confidence" | "phase" | "status" | "impact" | "classification" | "determination" | "sources"))
        .map(FieldChange::words)
        .collect()
}
