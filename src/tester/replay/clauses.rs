//! Which named clauses were put to an incident, and which held: each for everything that it was asked about, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::EntityIx;
use crate::playbook::set::{Playbook, Target};
use crate::script::expr::{Expr, Key, Node};
use crate::script::{Cx, Value};

/// What was asked: the clause's name and the entities that it was asked about.
pub type Question = (Arc<str>, Vec<EntityIx>);

/// How many items of one list are gone through.
const ITEMS: usize = 200;
/// How many places of a playbook are visited for one incident.
const VISITS: usize = 20_000;

/// The clauses that a playbook's triage and cards ask of an incident, with their answers. Unlike in the answer itself, a
/// part of `&&` is asked also where an earlier part settles it, so that a rate does not depend on the order of writing.
pub fn asked(cx: &mut Cx<'_>, playbook: &Playbook) -> BTreeMap<Question, bool> {
    let mut walk = Walk { cx, out: BTreeMap::new(), seen: BTreeSet::new(), left: VISITS };
    for arm in &playbook.triage {
        if let Some(when) = &arm.when {
            walk.visit(when, &[]);
        }
    }
    for card in &playbook.cards {
        let given: Vec<Vec<Value>> = match &card.target {
            Target::Incident => vec![Vec::new()],
            Target::Each(_, list) => {
                walk.visit(list, &[]);
                let list = walk.cx.value(list, &[]).unwrap_or(Value::Absent);
                list.items().iter().take(ITEMS).map(|v| vec![v.clone()]).collect()
            }
            Target::All(_, list) => {
                walk.visit(list, &[]);
                let list = walk.cx.value(list, &[]).unwrap_or(Value::Absent);
                if list.items().is_empty() { Vec::new() } else { vec![vec![list]] }
            }
        };
        if let Some(when) = &card.when {
            given.iter().for_each(|params| walk.visit(when, params));
        }
    }
    walk.out
}

struct Walk<'c, 'a> {
    cx: &'c mut Cx<'a>,
    out: BTreeMap<Question, bool>,
    seen: BTreeSet<(Key, Vec<EntityIx>)>,
    left: usize,
}

impl Walk<'_, '_> {
    fn visit(&mut self, e: &Expr, params: &[Value]) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || e.memo.is_some() && !self.seen.insert((e.key, Vec::new())) {
            return;
        }
        match &e.node {
            Node::Binding(_, body) => self.visit(body, &[]),
            Node::Clause(clause, args) => {
                args.iter().for_each(|a| self.visit(a, params));
                let args: Vec<Value> = args.iter().map(|a| self.cx.value(a, params).unwrap_or(Value::Absent)).collect();
                if args.iter().any(Value::is_absent) {
                    return;
                }
                let about: Vec<EntityIx> = args.iter().filter_map(|v| if let Value::Entity(e) = v { Some(*e) } else { None }).collect();
                if let Ok(holds) = self.cx.holds(&clause.body, &args) {
                    self.out.insert((clause.name.clone(), about.clone()), holds);
                }
                if self.seen.insert((clause.body.key, about)) {
                    self.visit(&clause.body, &args);
                }
            }
            Node::Each(_, list, body) => {
                self.visit(list, params);
                let list = self.cx.value(list, params).unwrap_or(Value::Absent);
                let mut with = params.to_vec();
                for item in list.items().iter().take(ITEMS) {
                    with.push(item.clone());
                    self.visit(body, &with);
                    with.pop();
                }
            }
            _ => e.parts(&mut |x| self.visit(x, params)),
        }
    }
}
