//! What each alert says: one pass over source data, before anything else is asked.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Alert, AlertIx, Basis, EntityGraph, EntityIx, Incident, Kind, Rel, Relation, Set, Time};
use crate::playbook::PlaybookSet;
use crate::playbook::catalogue::normal;
use crate::playbook::set::{Says, SignalRule};
use crate::script::facts::Mark;
use crate::script::{Cx, Facts, Stop, Value};

/// A rule that failed: the signal and why.
pub type Failure = (Arc<str>, Stop);

/// The facts of an incident with what signals and lists say.
pub fn facts<'a>(set: &'a PlaybookSet, incident: &'a Incident, now: Option<Time>) -> (Facts<'a>, Vec<Failure>) {
    let mut facts = Facts::new(incident, &set.lists, now);
    for list in set.lists.iter().filter(|l| l.tag.is_some()) {
        for (ix, e) in incident.entities() {
            if let (Some(tag), true) = (&list.tag, list.has_entity(e))
                && let Some(mark) = facts.marks.get_mut(ix.0 as usize)
            {
                mark.tags.entry(tag.to_string()).or_insert_with(|| list.id.to_string());
            }
        }
    }
    let mut failures = Vec::new();
    let mut said = std::mem::take(&mut facts.said);
    // What lists say can be asked already; where they say nothing, there is nothing to be asked.
    let listed = facts.marks.iter().any(|m| !m.tags.is_empty());
    let mut marks = if listed { facts.marks.clone() } else { std::mem::take(&mut facts.marks) };
    let mut relations = Vec::new();
    // Few of the set's questions are asked here.
    let mut cx = Cx::new(&facts, 0);
    for ((ix, alert), said) in incident.alerts().zip(&mut said) {
        let seen = Seen::of(alert);
        let could_fit = set.wording().could_fit(&set.signals, &seen.title, seen.detectors.iter().map(|d| &**d));
        for rules in could_fit.chunk_by(|a, b| a.0 == b.0) {
            let Some(signal) = rules.first().and_then(|(s, _)| set.signals.get(*s as usize)) else { continue };
            let rules = rules.iter().filter_map(|(_, r)| signal.rules.get(*r as usize));
            let typed = match matches(&mut cx, rules, ix, &seen) {
                Ok(None) => continue,
                Ok(Some(typed)) => typed,
                Err(stop) => {
                    failures.push((signal.id.clone(), stop));
                    continue;
                }
            };
            said.insert(signal.id.clone());
            for e in alert.entities.keys() {
                if let Some(m) = marks.get_mut(e.0 as usize) {
                    m.signals.insert(signal.id.clone());
                }
            }
            for says in &signal.says {
                match says.test.as_ref().map_or(Ok(true), |t| cx.holds(t, &[Value::Alert(ix)])) {
                    Ok(true) => {
                        if !say(&facts, says, (ix, alert), typed, &mut marks, &mut relations) {
                            failures.push((signal.id.clone(), too_many(alert)));
                        }
                    }
                    Ok(false) => {}
                    Err(stop) => failures.push((signal.id.clone(), stop)),
                }
            }
        }
    }
    drop(cx);
    let graph = match relations.is_empty() {
        true => std::mem::take(&mut facts.graph),
        false => EntityGraph::build(incident.entities.len(), incident.relations.iter().cloned().chain(relations)),
    };
    facts.learn(said, marks, graph);
    failures.dedup();
    (facts, failures)
}

/// What is said where an alert has too many things for a relation between them to mean something.
fn too_many(alert: &Alert) -> Stop {
    Stop::fail(format!("alert `{}` has too many entities for the relations it says; they are not drawn", crate::diag::human::visible(&alert.id)))
}

/// What an alert is compared by.
struct Seen<'a> {
    alert: &'a Alert,
    title: String,
    detectors: Vec<Cow<'a, str>>,
    // Few rules ask for these.
    product: OnceCell<String>,
    category: OnceCell<String>,
}

impl<'a> Seen<'a> {
    fn of(alert: &'a Alert) -> Self {
        let mut detectors = Vec::new();
        for d in &alert.detectors {
            let d = d.trim();
            let upper = !d.is_ascii() || d.bytes().any(|b| b.is_ascii_uppercase());
            let mut add = |d: &'a str| detectors.push(if upper { Cow::Owned(d.to_lowercase()) } else { Cow::Borrowed(d) });
            // Some sources write `<tenant>_<rule>`.
            d.split('_').filter(|p| p.len() >= 32 && p.len() < d.len()).for_each(&mut add);
            add(d);
        }
        Self { alert, title: normal(&alert.title), detectors, product: OnceCell::new(), category: OnceCell::new() }
    }

    fn product(&self) -> &str {
        self.product.get_or_init(|| normal(&self.alert.product))
    }

    fn category(&self) -> &str {
        self.category.get_or_init(|| crate::model::level::squash(&self.alert.category))
    }

    fn is_by(&self, rule: &SignalRule) -> bool {
        !rule.detectors.is_empty() && self.detectors.iter().any(|d| rule.detectors.contains(&**d))
    }
}

/// Whether an alert says a signal by one of its rules, and whether a detector's own id says so.
fn matches<'r>(cx: &mut Cx<'_>, rules: impl Iterator<Item = &'r SignalRule>, ix: AlertIx, seen: &Seen<'_>) -> Result<Option<bool>, Stop> {
    let mut found = None;
    for rule in rules {
        if fits(rule, seen) && rule.test.as_ref().map_or(Ok(true), |t| cx.holds(t, &[Value::Alert(ix)]))? {
            found = Some(found == Some(true) || seen.is_by(rule));
        }
    }
    Ok(found)
}

/// Whether all that a rule asks for beside a test holds of an alert that it was found by.
fn fits(rule: &SignalRule, seen: &Seen<'_>) -> bool {
    let any_detector = rule.detectors.is_empty() && rule.families.is_empty();
    // What fits the title was found by it; so was what asks for a detector alone.
    (any_detector || rule.titles.is_empty() || seen.is_by(rule) || rule.families.iter().any(|g| seen.detectors.iter().any(|d| g.fits(d))))
        && (rule.products.is_empty() || rule.products.iter().any(|t| t.fits(seen.product())))
        && (rule.categories.is_empty() || rule.categories.contains(seen.category()))
}

/// Notes what a signal says of the entities in its alert; whether all of it could be noted.
fn say(facts: &Facts<'_>, says: &Says, (ix, alert): (AlertIx, &Alert), typed: bool, marks: &mut [Mark], relations: &mut Vec<Relation>) -> bool {
    let mut whole = true;
    // What is said of a kind is said of what the alert is about, or of the one thing that its records lead to.
    let of_kind = |kind: Kind| {
        let (all, named) = ends(facts, alert, kind);
        if named || all.len() == 1 { all } else { Vec::new() }
    };
    for (kind, role) in &says.roles {
        for e in of_kind(*kind) {
            if let Some(m) = marks.get_mut(e.0 as usize) {
                m.roles.entry(role.clone()).or_default().insert(ix);
            }
        }
    }
    for (kind, verdict) in &says.verdicts {
        for e in of_kind(*kind) {
            if let Some(m) = marks.get_mut(e.0 as usize) {
                let slot = m.verdict.get_or_insert_with(|| (*verdict, BTreeSet::new()));
                if slot.0 < *verdict {
                    *slot = (*verdict, BTreeSet::new());
                }
                if slot.0 == *verdict {
                    slot.1.insert(ix);
                }
            }
        }
    }
    for (kind, prop, value) in &says.properties {
        for e in of_kind(*kind) {
            if let Some(m) = marks.get_mut(e.0 as usize) {
                let slot = m.props.entry(*prop).or_insert_with(|| (value.clone(), BTreeSet::new()));
                // Two signals that disagree: the greater value, so that the order of alerts does not matter.
                if slot.0 < *value {
                    slot.0 = value.clone();
                }
                slot.1.insert(ix);
                if typed {
                    m.typed.insert(*prop);
                }
            }
        }
    }
    for (kind, tag) in &says.tags {
        for e in of_kind(*kind) {
            if let Some(m) = marks.get_mut(e.0 as usize) {
                m.tags.entry(tag.clone()).or_insert_with(|| "signal".to_owned());
            }
        }
    }
    for (from, rel, to) in &says.relations {
        whole &= relate(facts, ix, alert, *from, *rel, *to, relations);
    }
    whole
}

/// Draws a relation that a signal says, unless there are too many of them: certain when one of its ends is the only one of its kind in the alert.
fn relate(facts: &Facts<'_>, ix: AlertIx, alert: &Alert, from: Kind, rel: Rel, to: Kind, out: &mut Vec<Relation>) -> bool {
    let (a, a_known) = ends(facts, alert, from);
    let (b, b_known) = ends(facts, alert, to);
    let certain = (a.len() == 1 || b.len() == 1) && (a_known || a.len() == 1) && (b_known || b.len() == 1);
    let basis = if certain { Basis::Signal } else { Basis::CoOccurrence };
    // Everything with everything says nothing, and would cost the square of the alert.
    let (once, in_all) = crate::script::limits::SIGNAL_RELATIONS;
    if a.len().saturating_mul(b.len()) > once || out.len() > in_all {
        return false;
    }
    for x in &a {
        for y in b.iter().filter(|y| *y != x) {
            out.push(Relation {
                from: *x,
                rel,
                to: *y,
                basis,
                first: alert.first.or(alert.last),
                last: alert.last.or(alert.first),
                alerts: Set::one(ix),
            });
        }
    }
    true
}

/// The entities of a kind that an alert is about: those that it has a record of, else those that its records name (but
/// not who sent a message), else those one hop away (an email's recipient's owner, an email's URLs). The flag says
/// whether the alert names them.
fn ends(facts: &Facts<'_>, alert: &Alert, kind: Kind) -> (Vec<EntityIx>, bool) {
    let is = |e: &EntityIx| facts.entity(*e).is_some_and(|e| e.kind == kind);
    let mut recorded: Vec<EntityIx> = alert.named.iter().copied().filter(is).collect();
    // A machine's own address, told with the machine, is not what the alert is about where there is another one.
    let own = |e: &EntityIx| facts.graph.arriving(*e, false).into_iter().filter_map(|x| facts.graph.edge(x)).any(|r| r.rel.spec().name == "has_ip");
    if kind == Kind::Ip && !recorded.iter().all(own) {
        recorded.retain(|e| !own(e));
    }
    if !recorded.is_empty() {
        return (recorded, true);
    }
    let sender = |e: &EntityIx| {
        let sent = facts.graph.arriving(*e, false).into_iter().filter_map(|x| facts.graph.edge(x)).filter(|r| r.rel.spec().name == "sent_by");
        sent.map(|r| r.from).any(|m| alert.entities.contains_key(&m))
    };
    let named: Vec<EntityIx> = alert.entities.keys().copied().filter(is).filter(|e| !sender(e)).collect();
    if !named.is_empty() {
        return (named, true);
    }
    let mut found: BTreeSet<EntityIx> = BTreeSet::new();
    let mut mailboxes: BTreeSet<EntityIx> = BTreeSet::new();
    for e in alert.entities.keys() {
        for r in around(facts, *e) {
            let other = if r.from == *e { r.to } else { r.from };
            if is(&other) {
                found.insert(other);
            }
            if facts.entity(other).is_some_and(|e| e.kind == Kind::Mailbox) {
                mailboxes.insert(other);
            }
        }
    }
    if found.is_empty() {
        for m in &mailboxes {
            found.extend(around(facts, *m).map(|r| if r.from == *m { r.to } else { r.from }).filter(is));
        }
    }
    (found.into_iter().collect(), false)
}

/// The recorded relations around an entity, but not who sent a message: the sender is not whom the message is about.
fn around<'f>(facts: &'f Facts<'_>, e: EntityIx) -> impl Iterator<Item = &'f Relation> {
    let mut all = facts.graph.leaving(e, false);
    all.extend(facts.graph.arriving(e, false));
    all.into_iter().filter_map(|x| facts.graph.edge(x)).filter(|r| r.rel.spec().name != "sent_by" && r.basis == Basis::Record)
}

/// The scores of the incident types that hold, best first.
pub fn types(set: &PlaybookSet, facts: &Facts<'_>) -> (Vec<(Arc<str>, u8)>, Vec<Failure>) {
    let mut cx = Cx::new(facts, 0);
    let mut scores: BTreeMap<Arc<str>, u8> = BTreeMap::new();
    let mut failures = Vec::new();
    for t in &set.types {
        let mut score = 0u8;
        for rule in &t.rules {
            let plain = (rule.signals.is_empty() || rule.signals.iter().any(|s| facts.says(s)))
                && (rule.techniques.is_empty()
                    || rule.techniques.iter().any(|w| facts.techniques().iter().any(|t| crate::model::technique::covers(w, t))));
            let holds = plain
                && match rule.test.as_ref().map(|e| cx.holds(e, &[])) {
                    None => true,
                    Some(Ok(b)) => b,
                    Some(Err(stop)) => {
                        failures.push((t.id.clone(), stop));
                        false
                    }
                };
            if holds {
                score = score.saturating_add(rule.weight).min(100);
            }
        }
        if score >= 50 {
            scores.insert(t.id.clone(), score);
        }
    }
    let mut all: Vec<(Arc<str>, u8)> = scores.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    (all, failures)
}
