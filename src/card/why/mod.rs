//! Why the answer is what it is: for each playbook, card and entity what holds, what does not, what stands against it, and
//! the smallest change that would flip it. Plain data, written like the answer itself.

mod ask;
mod cards;
mod path;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

pub use ask::Ask;
pub use cards::key_sentence;

use super::flip::Bench;
use super::response::{Availability, CardSource, EntityRef, Evidence, Names};
use super::{Context, Response, evidence, respond};
use crate::eval::{self, why};
use crate::model::{Classification, Incident, Phase};
use crate::playbook::PlaybookSet;
use crate::playbook::set::Playbook;
use crate::script::Cx;

/// The version of the document.
pub const SCHEMA: &str = "guided-response/explain/1";
/// How many changes are tried for one document.
pub const TRIES: usize = 400;

/// Why an answer is what it is.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Explanation {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The incident's id.
    pub incident: String,
    /// Its title.
    pub title: String,
    /// What was asked about.
    pub asked: Asked,
    /// The playbooks that were asked about: those that match, and the one that was named.
    pub playbooks: Vec<PlaybookWhy>,
    /// The others, with the first key of `match` that does not hold.
    pub others: Vec<Other>,
    /// What people call the entities and alerts that evidence names by id; for pages, not part of the document.
    #[serde(skip)]
    pub names: Names,
}

/// What was asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Asked {
    /// A card or playbook, as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// The entities.
    pub entities: Vec<EntityRef>,
    /// Whether a page shows everything that is known; otherwise one line a card.
    pub full: bool,
}

/// A playbook that does not match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Other {
    /// Its id.
    pub playbook: String,
    /// What it is about.
    pub title: String,
    /// The key that does not hold.
    #[serde(rename = "match")]
    pub key: KeyWhy,
}

/// A key of `match:`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyWhy {
    /// `types`, `signals`, `techniques`, `entities` or `severity`.
    pub key: &'static str,
    /// `pass` or `fail`.
    pub outcome: why::Outcome,
    /// What it wants.
    pub wanted: Vec<String>,
    /// What the incident has.
    pub found: Vec<String>,
}

/// Why a playbook says what it says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlaybookWhy {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Whether its `match` holds; if not, none of its cards is in the answer, whatever its clauses say.
    pub outcome: why::Outcome,
    /// The keys of its `match`.
    #[serde(rename = "match")]
    pub keys: Vec<KeyWhy>,
    /// Its named values, as far as what was asked about uses them.
    pub values: Vec<ValueWhy>,
    /// The arms of its triage, in order; none where one card is asked about.
    pub triage: Vec<ArmWhy>,
    /// Its cards, as far as they were asked about.
    pub cards: Vec<CardsWhy>,
}

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ValueWhy {
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub value: String,
    /// The ids of the entities or alerts in it.
    pub items: Vec<String>,
    /// Why it has no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An arm of triage.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ArmWhy {
    /// Whether it holds.
    pub outcome: why::Outcome,
    /// Whether it is what the playbook says: the first that holds.
    pub decides: bool,
    /// What the incident is.
    pub classification: Classification,
    /// Of which kind.
    pub determination: Option<String>,
    /// 0–100.
    pub confidence: u8,
    /// Its clauses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<ClauseWhy>,
}

/// A card of a playbook.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CardsWhy {
    /// Its id in the playbook.
    pub card: String,
    /// The verb of the catalogue.
    pub action: String,
    /// The verb for people.
    pub title: String,
    /// Where it belongs.
    pub phase: Phase,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What it is about, as it is written: `user in clickers`; nothing for the incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// For each thing that it could be about, whether it is there and why.
    pub entities: Vec<EntityWhy>,
    /// How many more there are that are not shown.
    pub more: usize,
}

/// What became of a card for one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It is in the answer.
    Shown,
    /// It is in the answer, and cannot be applied.
    Unavailable,
    /// It is not in the answer.
    NotShown,
}

/// Why a card is there for one thing, or is not.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EntityWhy {
    /// What it is about; nothing for the incident, or for all of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<EntityRef>,
    /// What became of it.
    pub outcome: Became,
    /// Why it is not there: `match`, `kind`, `for`, `when` or `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// In a sentence.
    pub text: String,
    /// The card of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Shown>,
    /// Why it is in the list of `for`, or is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed: Option<ClauseWhy>,
    /// The clauses of `when`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<ClauseWhy>,
    /// The guards of its action that speak against it.
    pub guards: Vec<ClauseWhy>,
    /// The exception of this playbook that holds it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// The way through the graph that the evidence takes, from the entity: each a line of edges.
    pub paths: Vec<Vec<Step>>,
    /// The smallest changes that would make it come, or go; each was tried.
    pub flips: Vec<Flip>,
    /// Why there is none, or what else could change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flips_note: Option<String>,
}

/// A card of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// Its number on the page, from 1.
    pub number: usize,
    /// Whether it can be applied.
    pub availability: Availability,
    /// The other playbook cards that give the same one.
    pub also: Vec<CardSource>,
}

/// A clause.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClauseWhy {
    /// `pass`, `fail` or `error`: whether it is as it must be.
    pub outcome: why::Outcome,
    /// `all`, `any`, `condition`, `test` or `list`.
    pub how: &'static str,
    /// The condition's or value's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it must be.
    pub wanted: bool,
    /// In a sentence.
    pub text: String,
    /// As it is written.
    pub source: String,
    /// The item of a list that it was asked of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What was looked at.
    pub evidence: Vec<Evidence>,
    /// What it is made of.
    pub below: Vec<ClauseWhy>,
    /// How many more items there are that are not shown.
    pub more: usize,
}

/// An edge of a way through the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// Where the way stands.
    pub from: String,
    /// The relation.
    pub relation: String,
    /// Whether the way goes along the edge, or against it.
    pub along: bool,
    /// Where the way goes.
    pub to: String,
}

/// A change that flips a card.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Flip {
    /// What would have to be so, after "if".
    pub text: String,
    /// The same as operations, as a test's `patch:` holds them.
    pub patch: Vec<serde_json::Value>,
}

/// Explains the answer to an incident, or a part of it. An error is what is wrong with what was asked.
pub fn explain(set: &PlaybookSet, incident: &Incident, context: &Context, ask: &Ask) -> Result<Explanation, String> {
    let answer = respond(set, incident, context);
    let (facts, _) = eval::facts(set, incident, context.now);
    let mut cx = Cx::new(&facts, set.questions);
    let wanted = ask.resolve(set, &answer, incident)?;
    let matched: BTreeSet<usize> = set.index.find(&facts).map(|(n, _)| n).collect();
    let entities: Vec<EntityRef> = wanted.entities.iter().filter_map(|e| evidence::entity_ref(&facts, *e)).collect();
    let full = ask.all || ask.what.is_some() || !wanted.entities.is_empty();
    let mut job = Job { set, context, answer: &answer, bench: Bench::new(incident, TRIES), all: ask.all, full, flips: wanted.flips };
    let mut playbooks = Vec::new();
    let mut others = Vec::new();
    for (n, p) in set.playbooks.iter().enumerate() {
        let named = wanted.playbooks.contains_key(&n);
        if named || wanted.playbooks.is_empty() && matched.contains(&n) {
            let only = wanted.playbooks.get(&n).and_then(Option::as_ref);
            playbooks.push(job.playbook(&mut cx, p, matched.contains(&n), only, &wanted.entities));
        } else if wanted.playbooks.is_empty()
            && let Some(key) = why::matching(&p.matching, &facts).into_iter().find(|k| k.outcome != why::Outcome::Pass)
        {
            others.push(Other { playbook: p.id.to_string(), title: p.title.clone(), key: key_why(key) });
        }
    }
    Ok(Explanation {
        schema: SCHEMA,
        incident: incident.id.to_string(),
        title: incident.title.to_string(),
        asked: Asked { what: ask.what.clone(), entities, full },
        playbooks,
        others,
        names: answer.names.clone(),
    })
}

fn key_why(k: why::Key) -> KeyWhy {
    KeyWhy { key: k.key, outcome: k.outcome, wanted: k.wanted, found: k.found }
}

/// What one explanation is made with.
struct Job<'j> {
    set: &'j PlaybookSet,
    context: &'j Context,
    answer: &'j Response,
    bench: Bench<'j>,
    all: bool,
    full: bool,
    flips: bool,
}

impl Job<'_> {
    fn playbook(
        &mut self,
        cx: &mut Cx<'_>,
        p: &Playbook,
        matched: bool,
        only: Option<&BTreeSet<usize>>,
        about: &[crate::model::EntityIx],
    ) -> PlaybookWhy {
        let place = self.set.sources.place(p.span);
        let mut decided = false;
        let mut triage = Vec::new();
        // Who asks about a card does not ask what the incident is.
        for arm in p.triage.iter().filter(|_| only.is_none()) {
            let tree = why::arm(&self.set.sources, cx, arm);
            let outcome = tree.as_ref().map_or(why::Outcome::Pass, |t| t.outcome);
            let decides = matched && outcome == why::Outcome::Pass && !decided;
            decided |= decides;
            triage.push(ArmWhy {
                outcome,
                decides,
                classification: arm.classification,
                determination: arm.determination.clone(),
                confidence: arm.confidence,
                when: tree.map(|t| self.clause(cx, &t)),
            });
        }
        let values = why::used(p, only).into_iter().map(|(name, e)| value_why(cx, &name, &e)).collect();
        let mut cards = Vec::new();
        for (n, rule) in p.cards.iter().enumerate() {
            if only.is_none_or(|o| o.contains(&n)) {
                cards.extend(self.card(cx, p, rule, matched, about, only.is_some()));
            }
        }
        PlaybookWhy {
            id: p.id.to_string(),
            title: p.title.clone(),
            version: p.version.clone(),
            file: place.file.to_string(),
            line: place.line,
            outcome: why::Outcome::of(matched),
            keys: why::matching(&p.matching, cx.facts).into_iter().map(key_why).collect(),
            values,
            triage,
            cards,
        }
    }

    /// A clause as the document has it.
    fn clause(&self, cx: &Cx<'_>, c: &why::Clause) -> ClauseWhy {
        let place = self.set.sources.place(c.span);
        ClauseWhy {
            outcome: c.outcome,
            how: c.how.word(),
            name: c.name.as_ref().map(ToString::to_string),
            wanted: c.wanted,
            text: c.text.clone(),
            source: c.source.clone(),
            of: c.of.as_ref().map(|v| cx.display(v)),
            file: place.file.to_string(),
            line: place.line,
            evidence: evidence::of(cx.facts, &c.seen).0,
            below: c.below.iter().map(|b| self.clause(cx, b)).collect(),
            more: c.more,
        }
    }
}

fn value_why(cx: &mut Cx<'_>, name: &str, e: &crate::script::Expr) -> ValueWhy {
    use crate::script::Value;
    let mut out = ValueWhy { name: name.to_owned(), value: String::new(), items: Vec::new(), error: None };
    match cx.value(e, &[]) {
        Ok(v) => {
            out.value = cx.display(&v);
            let one = std::slice::from_ref(&v);
            for x in if let Value::List(all) = &v { &all[..] } else { one } {
                match x {
                    Value::Entity(e) => out.items.extend(cx.facts.entity(*e).map(|e| e.id.to_string())),
                    Value::Alert(a) => out.items.extend(cx.facts.incident.alert(*a).map(|a| format!("alert:{}", a.id))),
                    _ => {}
                }
            }
        }
        Err(stop) => out.error = Some(stop.parts().1),
    }
    out
}
