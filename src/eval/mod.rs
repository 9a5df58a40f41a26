//! What holds: signals, incident types, candidates, triage arms and cards. Every surface asks this one evaluation.

pub mod because;
pub mod signals;
pub mod why;

use std::collections::BTreeSet;

use smallvec::{SmallVec, smallvec};

use crate::diag::{Diagnostic, Severity, codes};
use crate::model::technique::covers;
use crate::model::{EntityIx, Incident, Time};
use crate::playbook::PlaybookSet;
use crate::playbook::set::{CardRule, Match, Playbook, Rules, Target};
use crate::script::{Cx, Expr, Facts, Stop, Value};

/// What holds of an incident.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// The playbooks of which something holds, by position in the set.
    pub matched: Vec<Matched>,
    /// Those whose `match` holds, and nothing else, by position in the set: mostly many.
    pub quiet: Vec<u32>,
    /// What failed.
    pub diagnostics: Vec<Diagnostic>,
}

impl Evaluation {
    /// The positions of those whose `match` holds and of which nothing else does.
    pub fn quiet(&self) -> impl Iterator<Item = usize> {
        self.quiet.iter().map(|n| *n as usize)
    }

    /// The positions of all whose `match` holds, in order.
    pub fn all(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.matched.iter().map(|m| m.playbook).chain(self.quiet()).collect();
        all.sort_unstable();
        all
    }
}

/// A playbook of which something holds.
#[derive(Debug, Default)]
pub struct Matched {
    /// Its position in the set.
    pub playbook: usize,
    /// The arms of its triage that hold; the first is what it says, the others were considered.
    pub arms: Vec<usize>,
    /// Its cards that hold: the card's position, and what it is about.
    pub hits: SmallVec<[Hit; 1]>,
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
    // Of some, something holds: room for a few spares making it again and again.
    let mut out = Evaluation { quiet: Vec::with_capacity(found.len()), matched: Vec::with_capacity(found.len().min(12)), ..Evaluation::default() };
    let wanted = |n: usize| only.is_none_or(|id| set.playbooks.get(n).is_some_and(|p| *p.id == *id));
    // The gate of the next one is looked at before this one is asked: the way to it through memory takes as long as asking.
    let mut found = found.filter(|(n, _)| wanted(*n)).map(|(n, gate)| (n, gate.and_then(|g| Some((g.plan.begun()?, g.alone)))));
    let mut next = found.next();
    while let Some((n, gate)) = next {
        next = found.next();
        let quiet = u32::try_from(n).unwrap_or(u32::MAX);
        if let Some((gate, alone)) = gate {
            match cx.gate(gate) {
                Some(false) => {
                    out.quiet.push(quiet);
                    continue;
                }
                Some(true) if alone => {
                    let hit = Hit { card: 0, targets: Vec::new() };
                    out.matched.push(Matched { playbook: n, hits: smallvec![hit], ..Matched::default() });
                    continue;
                }
                _ => {}
            }
        }
        let Some(playbook) = set.playbooks.get(n) else { continue };
        let rules: &Rules = playbook;
        let mut matched = Matched { playbook: n, ..Matched::default() };
        for (n, arm) in rules.triage.iter().enumerate() {
            match holds(arm.when.as_ref(), cx, &[]) {
                Ok(true) => matched.arms.push(n),
                Ok(false) => {}
                Err(stop) => out.diagnostics.push(failure(playbook, None, &stop)),
            }
        }
        for (n, card) in rules.cards.iter().enumerate() {
            if let Err(stop) = each_target(card, cx, |targets| matched.hits.push(Hit { card: n, targets })) {
                matched.hits.retain(|h| h.card != n);
                out.diagnostics.push(failure(playbook, Some(card), &stop));
            }
        }
        if matched.arms.is_empty() && matched.hits.is_empty() {
            out.quiet.push(quiet);
        } else {
            out.matched.push(matched);
        }
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

/// What a card is about, for each time that it holds.
pub(crate) fn targets(card: &CardRule, cx: &mut Cx<'_>) -> Result<Vec<Vec<EntityIx>>, Stop> {
    let mut all = Vec::new();
    each_target(card, cx, |targets| all.push(targets))?;
    Ok(all)
}

/// The same, one after the other.
#[inline]
fn each_target(card: &CardRule, cx: &mut Cx<'_>, mut found: impl FnMut(Vec<EntityIx>)) -> Result<(), Stop> {
    match &card.target {
        Target::Incident => {
            if holds(card.when.as_ref(), cx, &[])? {
                found(Vec::new());
            }
        }
        Target::Each(_, list) => {
            let list = cx.value(list, &[])?;
            for e in applicable(card, cx, &list) {
                if holds(card.when.as_ref(), cx, &[Value::Entity(e)])? {
                    found(vec![e]);
                }
            }
        }
        Target::All(_, list) => {
            let list = cx.value(list, &[])?;
            let mut all = applicable(card, cx, &list);
            all.sort_unstable();
            if !all.is_empty() && holds(card.when.as_ref(), cx, &[list])? {
                found(all);
            }
        }
    }
    Ok(())
}

#[inline]
fn holds(when: Option<&Expr>, cx: &mut Cx<'_>, params: &[Value]) -> Result<bool, Stop> {
    when.map_or(Ok(true), |w| cx.holds(w, params))
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
