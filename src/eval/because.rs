//! Why something holds: the clauses behind it, run again with a tracer.

use crate::model::EntityIx;
use crate::playbook::set::Target;
use crate::script::expr::{Each, Expr, Node};
use crate::script::trace::Findings;
use crate::script::{Cx, Template, Value};

/// A clause that speaks for something.
#[derive(Clone, Debug)]
pub struct Reason<'p> {
    name: &'p str,
    /// Whether it is that the clause does not hold.
    denied: bool,
    /// The sentence, and what it is about.
    said: Option<(&'p Template, Vec<Value>)>,
    /// What was looked at.
    pub seen: Findings,
}

impl<'p> Reason<'p> {
    /// Something that no clause names.
    fn plain(name: &'p str, seen: Findings) -> Self {
        Self { name, denied: false, said: None, seen }
    }

    /// The condition's name, with `!` where it does not hold; or `for`, `when`.
    pub fn name(&self) -> String {
        if self.denied { format!("!{}", self.name) } else { self.name.to_owned() }
    }

    /// The sentence; empty where the author gave none.
    pub fn text(&self, cx: &mut Cx<'_>) -> String {
        self.said.as_ref().and_then(|(t, args)| t.render(cx, args).ok()).unwrap_or_default()
    }
}

/// Why a card is about this: the list that it came from, then the clauses of its `when`.
pub fn card<'p>(cx: &mut Cx<'_>, target: &'p Target, when: Option<&'p Expr>, targets: &[EntityIx]) -> Vec<Reason<'p>> {
    let mut out = Vec::new();
    let mut params = Vec::new();
    match target {
        Target::Incident => {}
        Target::Each(_, list) => {
            let item = targets.first().copied().map_or(Value::Absent, Value::Entity);
            let seen = member(cx, list, &item);
            out.push(Reason::plain(binding_name(list), seen));
            params.push(item);
        }
        Target::All(_, list) => {
            let (value, seen) = cx.traced(list, &[]);
            out.push(Reason::plain(binding_name(list), seen));
            params.push(value.unwrap_or(Value::Absent));
        }
    }
    if let Some(when) = when {
        clauses(cx, when, &params, &mut out);
    }
    out.retain(|r| !r.seen.is_empty() || r.said.is_some());
    out
}

/// The clauses of an expression that holds.
pub fn clauses<'p>(cx: &mut Cx<'_>, e: &'p Expr, params: &[Value], out: &mut Vec<Reason<'p>>) {
    match &e.node {
        Node::And(all) => {
            out.reserve(all.len());
            all.iter().for_each(|x| clauses(cx, x, params, out));
        }
        Node::Or(all) => {
            // The part that settled it.
            if let Some(x) = all.iter().find(|x| cx.holds(x, params).unwrap_or(false)) {
                clauses(cx, x, params, out);
            }
        }
        Node::Clause(condition, args) => {
            let args = values(cx, args, params);
            let seen = cx.looked(&condition.body, &args, true);
            out.push(Reason { name: &condition.name, denied: false, said: condition.pass.as_ref().map(|t| (t, args)), seen });
        }
        Node::Not(inner) => match &inner.node {
            Node::Clause(condition, args) => {
                let args = values(cx, args, params);
                let seen = cx.looked(&condition.body, &args, false);
                out.push(Reason { name: &condition.name, denied: true, said: condition.fail.as_ref().map(|t| (t, args)), seen });
            }
            _ => {
                let seen = cx.looked(e, params, true);
                out.push(Reason::plain("when", seen));
            }
        },
        Node::Each(Each::Some, list, body) => {
            // `clickers.some(|u| taken_over(u))`: the clause for the item that settled it.
            let items = cx.value(list, params).unwrap_or(Value::Absent);
            let mut with = params.to_vec();
            for item in items.items() {
                with.push(item.clone());
                if cx.holds(body, &with).unwrap_or(false) {
                    let before = out.len();
                    clauses(cx, body, &with, out);
                    if out.get(before..).is_some_and(|new| new.iter().all(|r| r.name == "when")) {
                        out.truncate(before);
                        let seen = cx.looked(e, params, true);
                        out.push(Reason::plain("when", seen));
                    }
                    return;
                }
                with.pop();
            }
        }
        _ => {
            let seen = cx.looked(e, params, true);
            out.push(Reason::plain("when", seen));
        }
    }
}

/// What a clause is about: mostly nothing.
fn values(cx: &mut Cx<'_>, args: &[Expr], params: &[Value]) -> Vec<Value> {
    if args.is_empty() {
        return Vec::new();
    }
    args.iter().map(|a| cx.value(a, params).unwrap_or(Value::Absent)).collect()
}

/// Why an item is in a list: where the list is a filter, the filter's test of this item alone.
fn member(cx: &mut Cx<'_>, list: &Expr, item: &Value) -> Findings {
    match &list.node {
        Node::Binding(_, body) => member(cx, body, item),
        Node::Each(Each::Filter, of, test) => {
            let mut seen = member(cx, of, item);
            seen.extend(cx.traced(test, std::slice::from_ref(item)).1);
            seen
        }
        Node::Collection(_) => Findings::new(),
        _ => cx.traced(list, &[]).1,
    }
}

fn binding_name(list: &Expr) -> &str {
    match &list.node {
        Node::Binding(name, _) => name,
        _ => "for",
    }
}
