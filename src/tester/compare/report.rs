//! The totals as a document: `schemas/diff.schema.json`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::semantic::{Bump, How, PartChange, Sets};
use super::{CardHow, Example, Totals};
use crate::card::changes::Said;
use crate::model::Classification;
use crate::playbook::PlaybookSet;
use crate::tester::tally::{Few, UnreadReport};

/// The version of the document.
pub const SCHEMA: &str = "guided-response/diff/1";

/// What the two sets are called.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The old one: a folder or revision, as it was given.
    pub old: String,
    /// The new one.
    pub new: String,
    /// Whether there were incidents to compare the answers to.
    pub incidents: bool,
}

/// What differs between two sets, and between their answers to past incidents.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The version of the program.
    pub engine: &'static str,
    /// The old set.
    pub old: SetRow,
    /// The new set.
    pub new: SetRow,
    /// The answers; `null` if no incidents were given.
    pub answers: Option<Answers>,
    /// The playbooks that differ, by id.
    pub playbooks: Vec<PlaybookRow>,
    /// What differs in what all playbooks share: signals, actions, lists, incident types, permissions.
    pub shared: Vec<PartChange>,
}

/// A set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct SetRow {
    /// A folder or revision, as it was given.
    pub name: String,
    /// Changes with every change of a file.
    pub revision: String,
    /// How many playbooks it has.
    pub playbooks: usize,
    /// Files that do not load, with the first reason of each.
    pub skipped: Vec<(String, String)>,
}

/// What differs in the answers. Changes that are alike are told together, with a few examples.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Answers {
    /// Incidents that were read.
    pub incidents: u64,
    /// Incidents whose answers differ.
    pub differ: u64,
    /// What was not read.
    pub unread: UnreadReport,
    /// How many cards were lost, gained, changed.
    pub cards: CardCounts,
    /// How many hunts were lost, gained, changed.
    pub hunts: CardCounts,
    /// Incidents whose classification differs.
    pub reclassified: u64,
    /// The classification, old by new, with the counts that are not zero.
    pub matrix: Vec<Cell>,
    /// Changes of triage.
    pub triage: Vec<TriageRow>,
    /// Changes of cards: lost, gained, changed.
    pub card_changes: Vec<CardRow>,
}

/// How many were lost, gained, changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct CardCounts {
    /// Only under the old set.
    pub lost: u64,
    /// Only under the new set.
    pub gained: u64,
    /// Under both, and different.
    pub changed: u64,
}

/// A cell of the triage matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Cell {
    /// What the old set says.
    pub old: Classification,
    /// What the new set says.
    pub new: Classification,
    /// How many incidents.
    pub incidents: u64,
}

/// A change of triage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct TriageRow {
    /// What the old set says.
    pub from: Said,
    /// What the new set says.
    pub to: Said,
    /// The clauses that made the difference.
    pub why: Vec<String>,
    /// How many incidents.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<ExampleRow>,
    /// How many more there are.
    pub left: u64,
}

/// A change of cards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct CardRow {
    /// Lost, gained or changed.
    pub how: CardHow,
    /// The playbook cards that they come from, as `playbook/card`.
    pub sources: Vec<String>,
    /// The action.
    pub action: String,
    /// The clauses that made the difference; of changed cards, the fields that differ.
    pub why: Vec<String>,
    /// How many cards.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<ExampleRow>,
    /// How many more there are.
    pub left: u64,
}

/// An incident in which it was so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ExampleRow {
    /// Its id.
    pub incident: String,
    /// What it is about, by id; empty for the incident.
    pub entities: Vec<String>,
    /// Texts that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<String>,
}

/// A playbook that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PlaybookRow {
    /// Its id.
    pub id: String,
    /// Whether it was added, removed or changed.
    pub how: How,
    /// The old version.
    pub from: Option<String>,
    /// The new version.
    pub to: Option<String>,
    /// What differs in it.
    pub parts: Vec<PartChange>,
    /// What the change of version amounts to; `null` if it goes backwards, or there are not two.
    pub actual: Option<Bump>,
    /// What the changes ask for; `null` if there are not two versions.
    pub suggested: Option<Bump>,
    /// Why.
    pub because: Vec<String>,
}

fn rows(few: &Few<Example>) -> (u64, Vec<ExampleRow>, u64) {
    let row = |e: &Example| ExampleRow { incident: e.incident.clone(), entities: e.entities.clone(), detail: e.detail.clone() };
    (few.seen(), few.kept().map(row).collect(), few.left())
}

impl Totals {
    /// The document.
    pub fn report(&self, sets: Sets<'_>, options: &Options) -> Report {
        let set = |s: &PlaybookSet, name: &str| SetRow {
            name: name.to_owned(),
            revision: s.revision.clone(),
            playbooks: s.playbooks.len(),
            skipped: s.skipped.clone(),
        };
        Report {
            schema: SCHEMA,
            engine: env!("CARGO_PKG_VERSION"),
            old: set(sets.old, &options.old),
            new: set(sets.new, &options.new),
            answers: options.incidents.then(|| self.answers()),
            playbooks: self.playbooks(sets),
            shared: sets.shared(),
        }
    }

    fn answers(&self) -> Answers {
        let mut cards = CardCounts::default();
        for (key, few) in &self.cards.0 {
            let slot = match key.how {
                CardHow::Lost => &mut cards.lost,
                CardHow::Gained => &mut cards.gained,
                CardHow::Changed => &mut cards.changed,
            };
            *slot = slot.saturating_add(few.seen());
        }
        let [gained, lost, changed] = self.hunts;
        Answers {
            incidents: self.incidents,
            differ: self.differ,
            unread: self.unread.report(),
            cards,
            hunts: CardCounts { lost, gained, changed },
            reclassified: self.matrix.iter().filter(|((a, b), _)| a != b).map(|(_, n)| *n).fold(0, u64::saturating_add),
            matrix: self.matrix.iter().map(|((old, new), n)| Cell { old: *old, new: *new, incidents: *n }).collect(),
            triage: self
                .triage
                .0
                .iter()
                .map(|(k, few)| {
                    let (count, examples, left) = rows(few);
                    TriageRow { from: k.from.clone(), to: k.to.clone(), why: k.why.clone(), count, examples, left }
                })
                .collect(),
            card_changes: self
                .cards
                .0
                .iter()
                .map(|(k, few)| {
                    let (count, examples, left) = rows(few);
                    CardRow { how: k.how, sources: k.sources.clone(), action: k.action.clone(), why: k.why.clone(), count, examples, left }
                })
                .collect(),
        }
    }

    /// The playbooks that differ, and those that lost or decided something else though they are written alike.
    fn playbooks(&self, sets: Sets<'_>) -> Vec<PlaybookRow> {
        let mut rows: BTreeMap<String, PlaybookRow> = BTreeMap::new();
        for d in sets.playbooks() {
            let both = d.how == How::Changed;
            let mut row = PlaybookRow {
                id: d.id.to_string(),
                how: d.how,
                actual: d.from.as_ref().zip(d.to.as_ref()).and_then(|(a, b)| Bump::between(a, b)),
                suggested: both.then(|| d.parts.iter().map(|p| p.bump).max().unwrap_or(Bump::None)),
                because: Vec::new(),
                from: d.from,
                to: d.to,
                parts: d.parts,
            };
            let most = row.suggested.unwrap_or(Bump::None);
            let deciding = row.parts.iter().filter(|p| p.bump == most && most > Bump::None);
            row.because = deciding.map(|p| p.words()).collect();
            rows.insert(row.id.clone(), row);
        }
        for (counts, what) in [(&self.lost, "lost"), (&self.reclassified, "reclassified")] {
            for (id, n) in counts {
                let version = |s: &PlaybookSet| s.playbooks.iter().find(|p| *p.id == **id).map(|p| p.version.clone());
                let (Some(from), Some(to)) = (version(sets.old), version(sets.new)) else { continue };
                let row = rows.entry(id.clone()).or_insert_with(|| PlaybookRow {
                    id: id.clone(),
                    how: How::Changed,
                    actual: Bump::between(&from, &to),
                    suggested: Some(Bump::None),
                    because: Vec::new(),
                    from: Some(from),
                    to: Some(to),
                    parts: Vec::new(),
                });
                if row.suggested < Some(Bump::Major) {
                    row.because.clear();
                }
                row.suggested = Some(Bump::Major);
                row.because.push(match what {
                    "lost" => format!("{n} {} lost", if *n == 1 { "card was" } else { "cards were" }),
                    _ => format!("{n} {} classified otherwise", if *n == 1 { "incident is" } else { "incidents are" }),
                });
            }
        }
        rows.into_values().collect()
    }
}
