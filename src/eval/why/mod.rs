//! Why a playbook says what it says of one incident, and why not: its `match`, its values, its clauses as trees with what
//! each is and what it would have to be. Pure, over the compiled form: the same expressions that decide are asked again
//! with a tracer, so that what is explained is what is decided.
//!
//! [`card`] is the part that others use too: which clauses of a card fail for an entity ([`CardWhy::failed_clauses`]);
//! [`condition`] gives a condition's tree for its arguments.

mod clause;
mod list;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::level::words;
use crate::model::{EntityIx, Kinds, technique::covers};
use crate::playbook::set::{Arm, CardRule, Match, Playbook, Target};
use crate::script::expr::{Condition, Expr, Node};
use crate::script::{Cx, Facts, Stop, Ty, Value};
use crate::source::Sources;

pub use clause::{Clause, How};

words! {
    /// What became of a clause.
    Outcome {
        /// It is as it must be.
        Pass = "pass",
        /// It is not.
        Fail = "fail",
        /// It could not be decided.
        Error = "error",
    }
}

impl Outcome {
    /// Pass or fail.
    pub fn of(passes: bool) -> Self {
        if passes { Self::Pass } else { Self::Fail }
    }
}

/// A key of `match:`, what it wants and what the incident has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// `types`, `signals`, `techniques`, `entities` or `severity`.
    pub key: &'static str,
    /// Whether it holds.
    pub outcome: Outcome,
    /// What it wants: any of these, of `entities` all, of `severity` at least.
    pub wanted: Vec<String>,
    /// What of that kind the incident has; of `entities` those that are wanted and there.
    pub found: Vec<String>,
}

/// The keys of a `match:`, in the order in which they are written in documentation.
pub fn matching(m: &Match, facts: &Facts<'_>) -> Vec<Key> {
    let mut out = Vec::new();
    let mut key = |key, holds, wanted: Vec<String>, found: Vec<String>| out.push(Key { key, outcome: Outcome::of(holds), wanted, found });
    if !m.types.is_empty() {
        let found: Vec<String> = facts.types.iter().map(|(t, _)| t.to_string()).collect();
        key("types", facts.types.iter().any(|(t, _)| m.types.contains(t)), m.types.iter().map(ToString::to_string).collect(), found);
    }
    if !m.signals.is_empty() {
        let found = facts.signals().iter().map(ToString::to_string).collect();
        key("signals", m.signals.iter().any(|s| facts.says(s)), m.signals.iter().map(ToString::to_string).collect(), found);
    }
    if !m.techniques.is_empty() {
        let all: BTreeSet<&crate::model::Text> = facts.incident.alerts.iter().flat_map(|a| &a.techniques).collect();
        let holds = m.techniques.iter().any(|w| all.iter().any(|t| covers(w, t)));
        key("techniques", holds, m.techniques.clone(), all.into_iter().map(ToString::to_string).collect());
    }
    if !m.entities.is_empty() {
        let found: Vec<String> = m.entities.iter().filter(|k| facts.has_kind(**k)).map(ToString::to_string).collect();
        key("entities", found.len() == m.entities.len(), m.entities.iter().map(ToString::to_string).collect(), found);
    }
    if let Some(least) = m.severity {
        let has = facts.incident.severity;
        key("severity", has.is_some_and(|s| s >= least), vec![least.to_string()], has.map(|s| s.to_string()).into_iter().collect());
    }
    out
}

/// Why a card of a playbook is there for an entity, or is not. What the playbook's `match` says is not in it.
#[derive(Clone, Debug)]
pub struct CardWhy {
    /// What the card would be about; nothing for the incident, or for all of a list.
    pub about: Option<EntityIx>,
    /// Whether the action applies to that kind of entity.
    pub fits: bool,
    /// Why the entity is in the list of `for`, or is not; of a card on all of a list without an entity, whether the list
    /// has anything in it.
    pub listed: Option<Clause>,
    /// The clauses of `when`; nothing where the card has none.
    pub when: Option<Clause>,
    /// Whether the card holds, as [`super::evaluate`] decides it.
    pub holds: bool,
    /// Why the whole card cannot be decided, if it cannot.
    pub error: Option<Stop>,
}

impl CardWhy {
    /// The names of the clauses that stand in the way, outermost first, each once: a condition's name, `!name` where it
    /// must not hold and does, `when` for a test without a name, `for` where the list does not hold the entity.
    pub fn failed_clauses(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        if self.listed.as_ref().is_some_and(|l| l.outcome != Outcome::Pass) {
            out.push("for".to_owned());
        }
        for tree in self.listed.iter().chain(&self.when) {
            tree.failed(&mut |name| {
                if !out.contains(&name) {
                    out.push(name);
                }
            });
        }
        let unnamed = self.when.as_ref().is_some_and(|w| w.outcome != Outcome::Pass && w.names().is_empty());
        if unnamed {
            out.push("when".to_owned());
        }
        out
    }
}

/// Why a card is there for an entity, or is not; without an entity: for the incident, or for all of its list.
pub fn card(sources: &Sources, cx: &mut Cx<'_>, rule: &CardRule, about: Option<EntityIx>) -> CardWhy {
    let fits = about.is_none_or(|e| cx.facts.entity(e).is_some_and(|x| rule.action.kinds.has(x.kind)));
    let mut why = CardWhy { about, fits, listed: None, when: None, holds: false, error: None };
    let mut params = Vec::new();
    match &rule.target {
        Target::Incident => {}
        Target::Each(_, list) => {
            let item = about.map_or(Value::Absent, Value::Entity);
            why.listed = Some(list::member(sources, cx, list, &item));
            params.push(item);
        }
        Target::All(_, list) => {
            why.listed = Some(match about {
                Some(e) => list::member(sources, cx, list, &Value::Entity(e)),
                None => list::filled(sources, cx, list),
            });
            params.push(cx.value(list, &[]).unwrap_or(Value::Absent));
        }
    }
    why.when = rule.when.as_ref().map(|w| clause::tree(sources, cx, w, &params, true));
    match super::targets(rule, cx) {
        Ok(all) => why.holds = all.iter().any(|t| about.map_or(rule_is_about_all(rule, t), |e| t.contains(&e))),
        Err(stop) => why.error = Some(stop),
    }
    why
}

/// Why a list that a card is asked of has nothing in it.
pub fn unlisted(sources: &Sources, cx: &mut Cx<'_>, of: &Expr) -> CardWhy {
    let listed = list::filled(sources, cx, of);
    let error = cx.value(of, &[]).err();
    CardWhy { about: None, fits: true, listed: Some(listed), when: None, holds: false, error }
}

fn rule_is_about_all(rule: &CardRule, targets: &[EntityIx]) -> bool {
    matches!(rule.target, Target::Incident) || !targets.is_empty()
}

/// The entities that a card is asked about, in order: those of its list, and with `others` those of a kind that its
/// action applies to which are not in the list. Nothing where the list cannot be computed.
pub fn candidates(cx: &mut Cx<'_>, rule: &CardRule, others: bool) -> Vec<EntityIx> {
    let list = match &rule.target {
        Target::Incident => return Vec::new(),
        Target::Each(_, list) | Target::All(_, list) => list,
    };
    let mut out: Vec<EntityIx> = Vec::new();
    for v in cx.value(list, &[]).unwrap_or(Value::Absent).items() {
        if let Value::Entity(e) = v
            && !out.contains(e)
        {
            out.push(*e);
        }
    }
    if others {
        let kinds = kinds(rule);
        let more: Vec<EntityIx> = cx.facts.incident.entities().filter(|(ix, e)| kinds.has(e.kind) && !out.contains(ix)).map(|(ix, _)| ix).collect();
        out.extend(more);
    }
    out
}

/// The kinds of entity that a card can be about: those of its list to which its action applies.
pub fn kinds(rule: &CardRule) -> Kinds {
    match &rule.target {
        Target::Each(_, list) | Target::All(_, list) => match &list.ty {
            Ty::List(of) => match &**of {
                Ty::Entity(kinds) => rule.action.kinds.and(*kinds),
                _ => rule.action.kinds,
            },
            _ => rule.action.kinds,
        },
        Target::Incident => rule.action.kinds,
    }
}

/// The clauses of an arm of triage; nothing where it has no `when`.
pub fn arm(sources: &Sources, cx: &mut Cx<'_>, arm: &Arm) -> Option<Clause> {
    arm.when.as_ref().map(|w| clause::tree(sources, cx, w, &[], true))
}

/// A condition with its arguments, as it is: its sentence, and what is below it.
pub fn condition(sources: &Sources, cx: &mut Cx<'_>, condition: &Condition, args: &[Value]) -> Clause {
    clause::condition(sources, cx, condition, args, true)
}

/// An expression with its parameters, as the tree of its clauses: what each is, beside what it must be.
pub fn expression(sources: &Sources, cx: &mut Cx<'_>, e: &Expr, params: &[Value], wanted: bool) -> Clause {
    clause::tree(sources, cx, e, params, wanted)
}

/// A playbook's values by name.
pub type Values = BTreeMap<Arc<str>, Arc<Expr>>;

/// The values that a playbook's triage and cards use; of some cards alone, where they are given by position.
pub fn used(playbook: &Playbook, cards: Option<&BTreeSet<usize>>) -> Values {
    let mut out = Values::new();
    let mut look = |e: &Expr| {
        e.each(&mut |x| {
            if let Node::Binding(name, body) = &x.node {
                out.insert(name.clone(), body.clone());
            }
        });
    };
    if cards.is_none() {
        playbook.triage.iter().filter_map(|a| a.when.as_ref()).for_each(&mut look);
    }
    for (_, c) in playbook.cards.iter().enumerate().filter(|(n, _)| cards.is_none_or(|all| all.contains(n))) {
        c.when.iter().for_each(&mut look);
        if let Target::Each(_, list) | Target::All(_, list) = &c.target {
            look(list);
        }
    }
    out
}
