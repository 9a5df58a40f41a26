//! What holds: signals, incident types, candidates, triage arms and cards. Every surface asks this one evaluation.

pub mod because;
pub mod signals;
pub mod why;

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Severity, codes};
use crate::model::technique::covers;
use crate::model::{EntityIx, Incident, Time};
use crate::playbook::PlaybookSet;
use crate::playbook::set::{Arm, CardRule, Match, Playbook, Rules, Target};
use crate::script::{Cx, Facts, Stop, Value};

/// What holds of an incident.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// The playbooks whose `match` holds, by position in the set.
    pub matched: Vec<Matched>,
    /// What failed.
    pub diagnostics: Vec<Diagnostic>,
}

/// A playbook whose `match` holds.
#[derive(Debug)]
pub struct Matched {
    /// Its position in the set.
    pub playbook: usize,
    /// The arms of its triage that hold; the first is what it says, the others were considered.
    pub arms: Vec<usize>,
    /// Its cards that hold: the card's position, and what it is about.
    pub hits: Vec<Hit>,
}

/// A card that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its position in the playbook.
    pub card: usize,
    /// What it is about; nothing for the incident.
    pub targets: Vec<EntityIx>,
}

/// The facts that playbooks are asked over, and what failed on the way to them.
pub fn facts<'a>(set: &'a PlaybookSet, incident: &'a Incident, now: Option<Time>) -> (Facts<'a>, Vec<Diagnostic>) {
    let (mut facts, mut failures) = signals::facts(set, incident, now);
    let (types, more) = signals::types(set, &facts);
    facts.types = types;
    failures.extend(more);
    let diagnostics = failures
        .into_iter()
        .map(|(id, stop)| {
            let (span, message) = stop.parts();
            let d = Diagnostic::new(codes::EVALUATION, Severity::Warning, format!("`{id}` could not be decided in full: {message}"));
            span.into_iter().fold(d, |d, s| d.at(s, ""))
        })
        .collect();
    (facts, diagnostics)
}

/// Asks every playbook that could apply; `only` the one with this id, where one is given.
pub fn evaluate(set: &PlaybookSet, cx: &mut Cx<'_>, only: Option<&str>) -> Evaluation {
    let found = set.index.find(cx.facts);
    let mut out = Evaluation { matched: Vec::with_capacity(found.len()), diagnostics: Vec::new() };
    for n in found {
        let Some(playbook) = set.playbooks.get(n).filter(|p| only.is_none_or(|id| &*p.id == id)) else { continue };
        let rules: &Rules = playbook;
        let arms = arms(playbook, &rules.triage, cx, &mut out.diagnostics);
        let mut hits = Vec::new();
        for (c, card) in rules.cards.iter().enumerate() {
            match targets(card, cx) {
                Ok(all) if all.is_empty() => {}
                Ok(all) => hits.extend(all.into_iter().map(|targets| Hit { card: c, targets })),
                Err(stop) => out.diagnostics.push(failure(playbook, Some(card), &stop)),
            }
        }
        out.matched.push(Matched { playbook: n, arms, hits });
    }
    out
}

/// What failed, as a diagnostic with its place.
pub fn failure(playbook: &Playbook, card: Option<&CardRule>, stop: &Stop) -> Diagnostic {
    let (span, message) = stop.parts();
    let what = card.map_or_else(|| "an arm of its triage".to_owned(), |c| format!("the card `{}`", c.id));
    let mut d = Diagnostic::new(codes::EVALUATION, Severity::Error, format!("{what} of `{}` is left out: {message}", playbook.id));
    d = d.at(span.unwrap_or_else(|| card.map_or(playbook.span, |c| c.span)), "");
    d.about = Some((playbook.id.to_string(), card.map(|c| c.id.to_string())));
    d
}

/// The arms that hold, in order.
#[inline]
fn arms(playbook: &Playbook, all: &[Arm], cx: &mut Cx<'_>, out: &mut Vec<Diagnostic>) -> Vec<usize> {
    let mut holding = Vec::new();
    for (n, arm) in all.iter().enumerate() {
        match arm.when.as_ref().map_or(Ok(true), |w| cx.holds(w, &[])) {
            Ok(true) => holding.push(n),
            Ok(false) => {}
            Err(stop) => out.push(failure(playbook, None, &stop)),
        }
    }
    holding
}

/// What a card is about, for each time that it holds.
#[inline]
pub(crate) fn targets(card: &CardRule, cx: &mut Cx<'_>) -> Result<Vec<Vec<EntityIx>>, Stop> {
    match &card.target {
        Target::Incident => Ok(if holds(card, cx, &[])? { vec![Vec::new()] } else { Vec::new() }),
        Target::Each(_, list) => {
            let list = cx.value(list, &[])?;
            let mut all = Vec::new();
            for e in applicable(card, cx, &list) {
                if holds(card, cx, &[Value::Entity(e)])? {
                    all.push(vec![e]);
                }
            }
            Ok(all)
        }
        Target::All(_, list) => {
            let list = cx.value(list, &[])?;
            let mut all = applicable(card, cx, &list);
            all.sort_unstable();
            Ok(if !all.is_empty() && holds(card, cx, &[list])? { vec![all] } else { Vec::new() })
        }
    }
}

fn holds(card: &CardRule, cx: &mut Cx<'_>, params: &[Value]) -> Result<bool, Stop> {
    card.when.as_ref().map_or(Ok(true), |w| cx.holds(w, params))
}

/// The entities of a list to which a card's action applies, each once: a list of entities of any kind may hold others.
#[inline(never)]
fn applicable(card: &CardRule, cx: &Cx<'_>, list: &Value) -> Vec<EntityIx> {
    let mut seen = BTreeSet::new();
    let entities = list.items().iter().filter_map(|x| if let Value::Entity(e) = x { Some(*e) } else { None });
    entities.filter(|e| seen.insert(*e) && cx.facts.entity(*e).is_some_and(|x| card.action.kinds.has(x.kind))).collect()
}

/// The key of `match:` that does not hold, if one does not.
pub fn unmatched(m: &Match, facts: &Facts<'_>) -> Option<&'static str> {
    if !m.types.is_empty() && !facts.types.iter().any(|(t, _)| m.types.contains(t)) {
        return Some("types");
    }
    if !m.signals.is_empty() && !m.signals.iter().any(|s| facts.says(s)) {
        return Some("signals");
    }
    let techniques = || facts.incident.alerts.iter().flat_map(|a| &a.techniques);
    if !m.techniques.is_empty() && !m.techniques.iter().any(|w| techniques().any(|t| covers(w, t))) {
        return Some("techniques");
    }
    if m.entities.iter().any(|k| !facts.has_kind(*k)) {
        return Some("entities");
    }
    if m.severity.is_some_and(|least| facts.incident.severity.is_none_or(|s| s < least)) {
        return Some("severity");
    }
    None
}
