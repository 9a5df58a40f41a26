//! The smallest change to an incident that makes a card come or go.
//!
//! Changes are guessed from the clauses that stand in the way (or that hold the card up): each guess is a list of
//! operations as [`crate::intake::patch`] reads them. Nothing is believed: a guess is applied to the incident, the
//! incident is read again, the playbook is asked again, and only what really flips the card is offered. One operation is
//! tried before two, and what changes little before what changes much.

mod ideas;
mod ops;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::eval;
use crate::intake::{native, patch, read_value};
use crate::model::{Incident, Time};
use crate::playbook::PlaybookSet;
use crate::playbook::set::{CardRule, Playbook, Target};
use crate::script::{Cx, Facts, Value};

pub use ops::{Idea, Part};

/// How many changes are offered for one card.
pub const OFFERED: usize = 3;
/// How many single changes are tried for one card.
pub const SINGLES: usize = 48;
/// Of how many changes that do not suffice alone a second step is looked for.
const FIRST_STEPS: usize = 8;
/// How many second steps are tried after each of them.
const SECOND_STEPS: usize = 10;
/// How many alerts, entities and relations an incident may have for a change to be looked for.
pub const LARGEST: usize = 20_000;

/// A card that is asked about: its playbook, its rule, and what it is about.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The playbooks.
    pub set: &'a PlaybookSet,
    /// The playbook.
    pub playbook: &'a Playbook,
    /// The card in it.
    pub rule: &'a CardRule,
    /// The id of the entity; nothing for the incident, or for whatever is in its list.
    pub about: Option<&'a str>,
    /// The moment that `now()` gives.
    pub now: Option<Time>,
}

/// The incident as it can be changed, written once for many cards.
pub struct Bench<'a> {
    incident: &'a Incident,
    written: Option<Json>,
    tries: usize,
    most: usize,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The smallest changes, best first; each flips the card.
    pub flips: Vec<Idea>,
    /// Why none is offered, or why there may be others.
    pub note: Option<String>,
}

impl<'a> Bench<'a> {
    /// For an incident; at most so many changes are tried, over all cards that are asked about.
    pub fn new(incident: &'a Incident, most: usize) -> Self {
        Self { incident, written: None, tries: 0, most }
    }

    /// The smallest changes that make the card come (`wanted`), or go.
    pub fn flips(&mut self, asked: Asked<'_>, wanted: bool) -> Found {
        let size = self.incident.alerts.len().saturating_add(self.incident.entities.len()).saturating_add(self.incident.relations.len());
        if size > LARGEST {
            return Found {
                note: Some(format!("the incident has more than {LARGEST} alerts, entities and relations: no change was looked for")),
                ..Found::default()
            };
        }
        if self.tries >= self.most {
            return Found { note: Some("no change was looked for here: ask about this card and entity alone".to_owned()), ..Found::default() };
        }
        let written = self.written.get_or_insert_with(|| native::write(self.incident)).clone();
        let (first, note) = guesses(asked, self.incident, wanted);
        let mut found = Found { flips: Vec::new(), note };
        let mut half: Vec<(Idea, Incident)> = Vec::new();
        for idea in first.into_iter().take(SINGLES) {
            if found.flips.len() >= OFFERED || !self.may_try() {
                break;
            }
            // What holds more than a change that suffices is no smallest change.
            let same = |f: &Idea| f.said == idea.said || f.ops.iter().all(|o| idea.ops.contains(o));
            if found.flips.iter().any(same) {
                continue;
            }
            let Some(changed) = changed(&written, &idea.ops) else { continue };
            if shown(asked, &changed) == wanted {
                found.flips.push(idea);
            } else if half.len() < FIRST_STEPS {
                half.push((idea, changed));
            }
        }
        if found.flips.is_empty() {
            self.pairs(asked, wanted, &half, &mut found);
        }
        if found.flips.is_empty() && found.note.is_none() {
            found.note = Some("no change of one or two steps was found that would do it".to_owned());
        }
        found
    }

    /// What stands in the way after a first step, for a second one.
    fn pairs(&mut self, asked: Asked<'_>, wanted: bool, half: &[(Idea, Incident)], found: &mut Found) {
        let mut known: BTreeSet<BTreeSet<String>> = BTreeSet::new();
        for (first, incident) in half {
            let written = native::write(incident);
            let (second, _) = guesses(asked, incident, wanted);
            let fresh = second.into_iter().filter(|s| !first.ops.iter().any(|o| s.ops.contains(o)));
            for idea in fresh.take(SECOND_STEPS) {
                if found.flips.len() >= OFFERED || !self.may_try() {
                    break;
                }
                let both = first.clone().and(idea.clone());
                if found.flips.iter().any(|f| f.said == both.said) || !known.insert(both.ops.iter().map(ToString::to_string).collect()) {
                    continue;
                }
                let Some(changed) = changed(&written, &idea.ops) else { continue };
                if shown(asked, &changed) == wanted {
                    found.flips.push(both);
                }
            }
        }
        found.flips.sort_by_key(|f| f.rank);
        // What is offered is what its operations do, applied to the incident as it is.
        let written = self.written.as_ref();
        found.flips.retain(|f| written.and_then(|w| changed(w, &f.ops)).is_some_and(|i| shown(asked, &i) == wanted));
    }

    fn may_try(&mut self) -> bool {
        self.tries = self.tries.saturating_add(1);
        self.tries <= self.most
    }
}

/// The incident after operations; nothing where they do not fit it.
fn changed(written: &Json, ops: &[Json]) -> Option<Incident> {
    let mut document = written.clone();
    patch::apply(&mut document, ops).ok()?;
    read_value(&document).ok().map(|r| r.incident)
}

/// Whether a card is in the answer of its playbook alone.
pub fn shown(asked: Asked<'_>, incident: &Incident) -> bool {
    let (facts, _) = eval::facts(asked.set, incident, asked.now);
    if eval::unmatched(&asked.playbook.matching, &facts).is_some() {
        return false;
    }
    let mut cx = Cx::new(&facts, asked.set.questions);
    let Ok(all) = eval::targets(asked.rule, &mut cx) else { return false };
    all.iter().any(|targets| {
        let is_about = asked.about.is_none_or(|id| targets.iter().any(|e| facts.entity(*e).is_some_and(|x| *x.id == *id)));
        // A card whose sentence cannot be written is left out of the answer.
        is_about && said(&mut cx, asked.rule, targets)
    })
}

fn said(cx: &mut Cx<'_>, rule: &CardRule, targets: &[crate::model::EntityIx]) -> bool {
    let params = match &rule.target {
        Target::Incident => Vec::new(),
        Target::Each(..) => targets.first().copied().map(Value::Entity).into_iter().collect(),
        Target::All(..) => vec![Value::list(targets.iter().copied().map(Value::Entity))],
    };
    rule.why.render(cx, &params).is_ok() && rule.title.as_ref().is_none_or(|t| t.render(cx, &params).is_ok())
}

/// What might flip the card, least intrusive first; and what cannot be changed.
fn guesses(asked: Asked<'_>, incident: &Incident, wanted: bool) -> (Vec<Idea>, Option<String>) {
    let (facts, _) = eval::facts(asked.set, incident, asked.now);
    let mut cx = Cx::new(&facts, asked.set.questions);
    let mut ideas = ideas::Ideas::new(asked, &mut cx);
    ideas.card(wanted);
    ideas.finish()
}

/// The entity that an id names.
fn entity_of(facts: &Facts<'_>, id: &str) -> Option<crate::model::EntityIx> {
    facts.incident.entities().find(|(_, e)| *e.id == *id).map(|(ix, _)| ix)
}
