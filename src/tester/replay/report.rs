//! The totals as a document: `schemas/replay.schema.json`.

use serde::Serialize;

use super::Totals;
use crate::model::Classification;
use crate::playbook::PlaybookSet;
use crate::tester::tally::{Share, UnreadReport};

/// The version of the document.
pub const SCHEMA: &str = "guided-response/replay/1";

/// What playbooks would have said of past incidents. Shares are percentages with one decimal.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The version of the program.
    pub engine: &'static str,
    /// The revision of the playbooks.
    pub revision: String,
    /// Incidents that were read.
    pub incidents: u64,
    /// What was not read.
    pub unread: UnreadReport,
    /// Every playbook, by id.
    pub playbooks: Vec<PlaybookRow>,
    /// What no incident brought about.
    pub never: Never,
    /// What rules and records say of the same incidents; `null` if no incident carries a classification.
    pub agreement: Option<AgreementReport>,
    /// Alerts that no signal knows.
    pub unrecognised: Unrecognised,
    /// Questions that could not be answered, most frequent first.
    pub failures: Vec<Counted>,
}

/// A playbook.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct PlaybookRow {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its title.
    pub title: String,
    /// Incidents of which its `match` holds.
    pub matched: u64,
    /// Their share of all.
    pub share: Option<Share>,
    /// Incidents of which it decided what they are.
    pub decided: u64,
    /// Incidents to which it gave cards.
    pub with_cards: u64,
    /// Its cards, as they stand in it.
    pub cards: Vec<CardRow>,
    /// Its conditions, by name.
    pub conditions: Vec<ConditionRow>,
}

/// A card of a playbook.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct CardRow {
    /// Its id.
    pub id: String,
    /// The action.
    pub action: String,
    /// Incidents that it came for.
    pub incidents: u64,
    /// Their share of those that the playbook matched.
    pub share: Option<Share>,
    /// How often it came in all.
    pub cards: u64,
}

/// A condition of a playbook. It is asked once for each thing that it is asked about.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ConditionRow {
    /// Its name.
    pub id: String,
    /// How often it was asked.
    pub asked: u64,
    /// How often it held.
    pub held: u64,
    /// The share.
    pub share: Option<Share>,
}

/// What no incident brought about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Never {
    /// Playbooks whose `match` never held.
    pub playbooks: Vec<String>,
    /// Cards that never came though their playbook matched, as `playbook/card`.
    pub cards: Vec<String>,
    /// Conditions that were asked and never held, as `playbook/condition`.
    pub conditions: Vec<String>,
}

/// What rules and records say of the same incidents. A record is what somebody decided, which is not always right.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct AgreementReport {
    /// Incidents that carry a classification.
    pub recorded: u64,
    /// Those of them that the rules decide.
    pub decided: u64,
    /// Their share.
    pub coverage: Option<Share>,
    /// Those that the rules leave undetermined.
    pub abstained: u64,
    /// The share of decisions that are as recorded.
    pub precision: Option<Share>,
    /// Recorded by said, with the counts that are not zero.
    pub matrix: Vec<Cell>,
    /// Each classification.
    pub classes: Vec<Class>,
    /// The mean of the classes that are recorded.
    pub macro_f1: Option<Share>,
    /// Determinations, where the classification agrees and both have one.
    pub determinations: Determinations,
    /// What is decided if only decisions from a confidence on are taken.
    pub at_precision: AtPrecision,
    /// The first incidents on which they disagree.
    pub disagreements: Vec<DisagreementRow>,
    /// How many more there are.
    pub disagreements_left: u64,
}

/// A cell of the confusion matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Cell {
    /// What is recorded.
    pub recorded: Classification,
    /// What the rules say.
    pub said: Classification,
    /// How many incidents.
    pub incidents: u64,
}

/// A classification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Class {
    /// Which.
    pub classification: Classification,
    /// How often it is recorded.
    pub recorded: u64,
    /// How often the rules say it.
    pub said: u64,
    /// How often both.
    pub both: u64,
    /// Of what the rules say, the share that is recorded so.
    pub precision: Option<Share>,
    /// Of what is recorded, the share that the rules say.
    pub recall: Option<Share>,
    /// Their harmonic mean.
    pub f1: Option<Share>,
}

/// Determinations, where the classification agrees and both have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Determinations {
    /// How many.
    pub compared: u64,
    /// How many are the same.
    pub same: u64,
}

/// What is decided if only decisions from a confidence on are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AtPrecision {
    /// The precision that is wanted, in percent.
    pub wanted: u8,
    /// The least confidence that reaches it; `null` if none does.
    pub confidence: Option<u8>,
    /// The precision from there on.
    pub precision: Option<Share>,
    /// The share of the recorded incidents that is decided from there on.
    pub coverage: Option<Share>,
}

/// An incident on which rules and record disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct DisagreementRow {
    /// Its id.
    pub incident: String,
    /// What is recorded.
    pub recorded: Classification,
    /// What the rules say.
    pub said: Classification,
    /// 0–100.
    pub confidence: u8,
    /// The playbook that says so.
    pub playbook: Option<String>,
    /// Why, in a sentence.
    pub why: String,
}

/// Alerts that no signal knows.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Unrecognised {
    /// All alerts.
    pub alerts: u64,
    /// Those that no signal knows.
    pub unrecognised: u64,
    /// The share.
    pub share: Option<Share>,
    /// The most frequent titles, as a signal's `titles:` could have them.
    pub titles: Vec<Counted>,
    /// Alerts with other titles.
    pub left: u64,
}

/// Something with its count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Counted {
    /// What.
    pub text: String,
    /// How often.
    pub count: u64,
}

/// The classifications that a record may hold, in the order of reports.
pub const CLASSES: [Classification; 3] = [Classification::TruePositive, Classification::Informational, Classification::FalsePositive];

impl Totals {
    /// The document: the precision at which coverage is told, in percent, and how many titles are listed.
    pub fn report(&self, set: &PlaybookSet, at_precision: u8, top: usize) -> Report {
        let playbooks: Vec<PlaybookRow> = set.playbooks.iter().map(|p| self.playbook(p)).collect();
        let mut never = Never::default();
        for p in &playbooks {
            if p.matched == 0 {
                never.playbooks.push(p.id.clone());
            } else {
                never.cards.extend(p.cards.iter().filter(|c| c.cards == 0).map(|c| format!("{}/{}", p.id, c.id)));
            }
            never.conditions.extend(p.conditions.iter().filter(|c| c.asked > 0 && c.held == 0).map(|c| format!("{}/{}", p.id, c.id)));
        }
        let mut titles: Vec<Counted> = self.titles.iter().map(|(t, n)| Counted { text: t.clone(), count: *n }).collect();
        frequent(&mut titles, top);
        let listed: u64 = titles.iter().map(|t| t.count).fold(0, u64::saturating_add);
        let mut failures: Vec<Counted> = self.failures.iter().map(|(t, n)| Counted { text: t.clone(), count: *n }).collect();
        frequent(&mut failures, top);
        Report {
            schema: SCHEMA,
            engine: env!("CARGO_PKG_VERSION"),
            revision: set.revision.clone(),
            incidents: self.incidents,
            unread: self.unread.report(),
            playbooks,
            never,
            agreement: self.agreement(at_precision),
            unrecognised: Unrecognised {
                alerts: self.alerts,
                unrecognised: self.unrecognised,
                share: Share::of(self.unrecognised, self.alerts),
                titles,
                left: self.unrecognised.saturating_sub(listed),
            },
            failures,
        }
    }

    fn playbook(&self, p: &crate::playbook::Playbook) -> PlaybookRow {
        let fired = self.playbooks.get(&p.id).copied().unwrap_or_default();
        let cards = p.cards.iter().map(|c| {
            let n = self.cards.get(&(p.id.clone(), c.id.clone())).copied().unwrap_or_default();
            CardRow {
                id: c.id.to_string(),
                action: c.action.id.to_string(),
                incidents: n.incidents,
                share: Share::of(n.incidents, fired.matched),
                cards: n.cards,
            }
        });
        let conditions = p.conditions.keys().map(|name| {
            let n = self.clauses.get(&(p.id.clone(), name.clone())).copied().unwrap_or_default();
            ConditionRow { id: name.to_string(), asked: n.asked, held: n.held, share: Share::of(n.held, n.asked) }
        });
        PlaybookRow {
            id: p.id.to_string(),
            version: p.version.clone(),
            title: p.title.clone(),
            matched: fired.matched,
            share: Share::of(fired.matched, self.incidents),
            decided: fired.decided,
            with_cards: fired.with_cards,
            cards: cards.collect(),
            conditions: conditions.collect(),
        }
    }

    fn agreement(&self, wanted: u8) -> Option<AgreementReport> {
        let a = &self.agreement;
        let sum = |fits: &dyn Fn(Classification, Classification) -> bool| -> u64 {
            a.matrix.iter().filter(|((r, s), _)| fits(*r, *s)).map(|(_, n)| *n).fold(0, u64::saturating_add)
        };
        let recorded = sum(&|_, _| true);
        if recorded == 0 {
            return None;
        }
        let decided = sum(&|_, s| s != Classification::Undetermined);
        let classes: Vec<Class> = CLASSES
            .iter()
            .map(|class| {
                let (recorded, said, both) = (sum(&|r, _| r == *class), sum(&|_, s| s == *class), sum(&|r, s| r == *class && s == *class));
                Class {
                    classification: *class,
                    recorded,
                    said,
                    both,
                    precision: Share::of(both, said),
                    recall: Share::of(both, recorded),
                    f1: Share::of(both.saturating_mul(2), recorded.saturating_add(said)),
                }
            })
            .collect();
        let f1: Vec<Share> = classes.iter().filter(|c| c.recorded > 0).filter_map(|c| c.f1).collect();
        Some(AgreementReport {
            recorded,
            decided,
            coverage: Share::of(decided, recorded),
            abstained: recorded.saturating_sub(decided),
            precision: Share::of(sum(&|r, s| r == s), decided),
            matrix: a.matrix.iter().map(|((recorded, said), n)| Cell { recorded: *recorded, said: *said, incidents: *n }).collect(),
            classes,
            macro_f1: Share::mean(&f1),
            determinations: Determinations { compared: a.determinations.0, same: a.determinations.1 },
            at_precision: self.at_precision(wanted, recorded),
            disagreements: a
                .disagreements
                .kept()
                .map(|d| DisagreementRow {
                    incident: d.incident.clone(),
                    recorded: d.recorded,
                    said: d.said,
                    confidence: d.confidence,
                    playbook: d.playbook.clone(),
                    why: d.why.clone(),
                })
                .collect(),
            disagreements_left: a.disagreements.left(),
        })
    }

    /// The least confidence from which on decisions are as precise as wanted: it decides the most incidents.
    fn at_precision(&self, wanted: u8, recorded: u64) -> AtPrecision {
        let mut best = AtPrecision { wanted, confidence: None, precision: None, coverage: None };
        let (mut decided, mut right) = (0u64, 0u64);
        for (confidence, (n, good)) in self.agreement.by_confidence.iter().rev() {
            decided = decided.saturating_add(*n);
            right = right.saturating_add(*good);
            // Compared exactly, not as the rounded share.
            if u128::from(right).saturating_mul(100) >= u128::from(decided).saturating_mul(u128::from(wanted)) {
                best.confidence = Some(*confidence);
                best.precision = Share::of(right, decided);
                best.coverage = Share::of(decided, recorded);
            }
        }
        best
    }
}

fn frequent(all: &mut Vec<Counted>, top: usize) {
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.text.cmp(&b.text)));
    all.truncate(top);
}
