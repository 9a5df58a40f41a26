//! The clause that made the difference: why a card or an arm that holds under one set does not under the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::semantic::{Sets, arm_ids, names};
use crate::card::response::{CardSource, Triage};
use crate::eval;
use crate::model::EntityIx;
use crate::playbook::PlaybookSet;
use crate::playbook::set::{CardRule, Playbook, Target};
use crate::script::expr::{Expr, Node};
use crate::script::{Cx, Facts, Value};

/// One of two sets over an incident.
pub struct Side<'a> {
    set: &'a PlaybookSet,
    facts: &'a Facts<'a>,
    cx: Cx<'a>,
    /// Whether it is the old one.
    old: bool,
}

impl<'a> Side<'a> {
    /// A set over the facts of an incident.
    pub fn new(set: &'a PlaybookSet, facts: &'a Facts<'a>, old: bool) -> Self {
        Self { set, facts, cx: Cx::new(facts, set.questions), old }
    }

    fn playbook(&self, id: &str) -> Option<&'a Playbook> {
        self.set.playbooks.iter().find(|p| &*p.id == id).map(|p| &**p)
    }
}

/// Why a card of a playbook is not there under `gone`, which it is under `there`: sentences in the author's own words.
pub fn card(sets: Sets<'_>, there: &Side<'_>, gone: &mut Side<'_>, source: &CardSource, targets: &[EntityIx]) -> Vec<String> {
    let Some(has) = there.playbook(&source.playbook) else { return Vec::new() };
    let Some(rule) = has.cards.iter().find(|c| *c.id == *source.card) else { return Vec::new() };
    let Some(p) = gone.playbook(&source.playbook) else { return vec![missing(gone.old, &format!("playbook `{}`", source.playbook))] };
    if let Some(why) = unmatched(has, p, gone) {
        return vec![why];
    }
    let Some(other) = p.cards.iter().find(|c| c.id == rule.id) else { return vec![missing(gone.old, &format!("card `{}`", source.card))] };
    let (old, new) = if gone.old { (other, rule) } else { (rule, other) };
    let mut out = Vec::new();
    if old.action.id != new.action.id {
        out.push(format!("card `{}`: action {} -> {}", old.id, old.action.id, new.action.id));
    }
    if old.params != new.params {
        out.push(format!("card `{}`: params {} -> {}", old.id, params(old), params(new)));
    }
    if !out.is_empty() {
        return out;
    }
    let mut failing = BTreeSet::new();
    let mut own = Vec::new();
    let (list_there, list_gone) = (list(&rule.target), list(&other.target));
    let given: Vec<Value> = match &other.target {
        Target::Incident => Vec::new(),
        Target::Each(_, all) => {
            let item = targets.first().copied().map_or(Value::Absent, Value::Entity);
            let held = gone.cx.value(all, &[]).is_ok_and(|v| v.items().iter().any(|x| x.same(&item)));
            if !held {
                own.extend(expression(sets, gone.old, "for", list_there, list_gone));
                member(&mut gone.cx, all, &item, &mut failing);
                return settled(sets, gone.old, has, p, [list_there, list_gone], own, failing);
            }
            vec![item]
        }
        Target::All(_, all) => {
            let value = gone.cx.value(all, &[]).unwrap_or(Value::Absent);
            let now: BTreeSet<EntityIx> = value.items().iter().filter_map(|v| if let Value::Entity(e) = v { Some(*e) } else { None }).collect();
            if now != targets.iter().copied().collect() {
                own.extend(expression(sets, gone.old, "for_all", list_there, list_gone));
                return settled(sets, gone.old, has, p, [list_there, list_gone], own, failing);
            }
            vec![value]
        }
    };
    if let Some(when) = &other.when {
        fails(&mut gone.cx, when, &given, &mut failing);
    }
    own.extend(expression(sets, gone.old, "when", rule.when.as_ref(), other.when.as_ref()));
    settled(sets, gone.old, has, p, [rule.when.as_ref(), other.when.as_ref()], own, failing)
}

/// Why the triage differs: for the arm that each side took, why the other side did not.
pub fn triage(sets: Sets<'_>, old: &mut Side<'_>, new: &mut Side<'_>, was: &Triage, is: &Triage) -> Vec<String> {
    let mut out = arm(sets, old, new, was);
    for why in arm(sets, new, old, is) {
        if !out.contains(&why) {
            out.push(why);
        }
    }
    if out.is_empty() {
        out.push("the arms that hold are the same; their order or confidence differs".to_owned());
    }
    out
}

/// Why the arm that `there` took does not hold under `gone`; nothing if it does.
fn arm(sets: Sets<'_>, there: &mut Side<'_>, gone: &mut Side<'_>, said: &Triage) -> Vec<String> {
    let Some(has) = said.source.playbook.as_deref().and_then(|id| there.playbook(id)) else { return Vec::new() };
    let Some(p) = gone.playbook(&has.id) else { return vec![missing(gone.old, &format!("playbook `{}`", has.id))] };
    if let Some(why) = unmatched(has, p, gone) {
        return vec![why];
    }
    let taken = has.triage.iter().position(|a| a.when.as_ref().is_none_or(|w| there.cx.holds(w, &[]).unwrap_or(false)));
    let Some((n, id)) = taken.and_then(|n| Some((n, arm_ids(has).into_iter().nth(n)?))) else { return Vec::new() };
    let other = arm_ids(p).iter().position(|x| *x == id).and_then(|m| p.triage.get(m));
    let (Some(mine), Some(other)) = (has.triage.get(n), other) else { return vec![missing(gone.old, &format!("the arm `{id}` of `{}`", has.id))] };
    let mut failing = BTreeSet::new();
    if let Some(when) = &other.when {
        if gone.cx.holds(when, &[]).unwrap_or(false) {
            return Vec::new();
        }
        fails(&mut gone.cx, when, &[], &mut failing);
    }
    let own = expression(sets, gone.old, "when", mine.when.as_ref(), other.when.as_ref());
    settled(sets, gone.old, has, p, [mine.when.as_ref(), other.when.as_ref()], own.into_iter().collect(), failing)
}

fn missing(old: bool, what: &str) -> String {
    if old { format!("{what} is new") } else { format!("{what} is gone") }
}

fn params(c: &CardRule) -> String {
    c.params.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(", ")
}

fn list(t: &Target) -> Option<&Expr> {
    match t {
        Target::Incident => None,
        Target::Each(_, e) | Target::All(_, e) => Some(e),
    }
}

/// The key of `match:` that does not hold, and whether it was written otherwise.
fn unmatched(has: &Playbook, p: &Playbook, gone: &Side<'_>) -> Option<String> {
    let key = eval::unmatched(&p.matching, gone.facts)?;
    let (a, b) = (&has.matching, &p.matching);
    let same = match key {
        "types" => a.types == b.types,
        "signals" => a.signals == b.signals,
        "techniques" => a.techniques == b.techniques,
        "entities" => a.entities == b.entities,
        _ => a.severity == b.severity,
    };
    let whose = if gone.old { "old" } else { "new" };
    Some(if same {
        format!("match `{key}` of `{}` does not hold in the {whose} version: it is written alike, what signals or incident types say differs", p.id)
    } else {
        format!("match `{key}` of `{}` does not hold in the {whose} version: it was changed", p.id)
    })
}

/// That an expression is written otherwise: old first.
fn expression(sets: Sets<'_>, gone_is_old: bool, key: &str, there: Option<&Expr>, gone: Option<&Expr>) -> Option<String> {
    let (old, new) = if gone_is_old { (gone, there) } else { (there, gone) };
    let text = |t: Option<String>| t.map_or_else(|| "nothing".to_owned(), |t| format!("`{t}`"));
    match (old, new) {
        (None, None) => None,
        (Some(a), Some(b)) if !sets.differs(a, b) => None,
        (a, b) => Some(format!("{key}: {} -> {}", text(a.map(|e| sets.old_text(e))), text(b.map(|e| sets.new_text(e))))),
    }
}

/// What made the difference: own words that were changed, then the named clauses and values that were, of those that
/// fail first; if none was, what fails though it is written alike.
fn settled(
    sets: Sets<'_>,
    gone_is_old: bool,
    has: &Playbook,
    p: &Playbook,
    used: [Option<&Expr>; 2],
    own: Vec<String>,
    failing: BTreeSet<Arc<str>>,
) -> Vec<String> {
    let (old, new) = if gone_is_old { (p, has) } else { (has, p) };
    let mut out = own;
    let changed = |name: &Arc<str>| -> Option<String> {
        if let (Some(a), Some(b)) = (old.conditions.get(name), new.conditions.get(name)) {
            return sets
                .differs(&a.body, &b.body)
                .then(|| format!("condition `{name}`: `{}` -> `{}`", sets.old_text(&a.body), sets.new_text(&b.body)));
        }
        if let (Some(a), Some(b)) = (old.bindings.get(name), new.bindings.get(name)) {
            return sets.differs(a, b).then(|| format!("binding `{name}`: `{}` -> `{}`", sets.old_text(a), sets.new_text(b)));
        }
        None
    };
    // What a failing clause uses may be what was changed.
    let inner: BTreeSet<Arc<str>> = failing
        .iter()
        .flat_map(|n| [old, new].into_iter().filter_map(|p| p.conditions.get(n)).flat_map(|c| names(&c.body)).chain([n.clone()]).collect::<Vec<_>>())
        .collect();
    out.extend(inner.iter().filter_map(changed));
    if out.is_empty() {
        let all: BTreeSet<Arc<str>> = used.into_iter().flatten().flat_map(names).collect();
        out.extend(all.iter().filter_map(changed));
    }
    let whose = if gone_is_old { "old" } else { "new" };
    if out.is_empty() && !failing.is_empty() {
        let names: Vec<String> = failing.iter().map(|n| format!("`{n}`")).collect();
        out.push(format!("{} fails in the {whose} version: it is written alike, what signals or lists say differs", names.join(", ")));
    }
    if out.is_empty() {
        out.push(format!("it is written alike, what signals, lists or guards say differs in the {whose} version"));
    }
    out
}

/// The names of the clauses for which an expression does not hold.
fn fails(cx: &mut Cx<'_>, e: &Expr, params: &[Value], out: &mut BTreeSet<Arc<str>>) {
    if cx.holds(e, params).unwrap_or(false) {
        return;
    }
    match &e.node {
        Node::And(all) | Node::Or(all) => all.iter().for_each(|x| fails(cx, x, params, out)),
        Node::Clause(c, _) => {
            out.insert(c.name.clone());
        }
        Node::Not(inner) => out.extend(names(inner)),
        Node::Each(_, list, body) => {
            let list = cx.value(list, params).unwrap_or(Value::Absent);
            let mut with = params.to_vec();
            for item in list.items().iter().take(50) {
                with.push(item.clone());
                fails(cx, body, &with, out);
                with.pop();
            }
        }
        _ => {}
    }
}

/// The clauses that keep an item out of a list.
fn member(cx: &mut Cx<'_>, list: &Expr, item: &Value, out: &mut BTreeSet<Arc<str>>) {
    match &list.node {
        Node::Binding(_, body) => member(cx, body, item, out),
        Node::Each(crate::script::expr::Each::Filter, of, test) => {
            fails(cx, test, std::slice::from_ref(item), out);
            member(cx, of, item, out);
        }
        _ => {}
    }
}
