//! Why something holds: the clauses behind it, run again with a tracer.

use crate::model::EntityIx;
use crate::playbook::set::Target;
use crate::script::expr::{Condition, Each, Expr, Node};
use crate::script::trace::Seen;
use crate::script::{Cx, Value};

/// A clause that speaks for something.
#[derive(Clone, Debug)]
pub struct Reason {
    /// The condition's name, or `for`, `when`.
    pub name: String,
    /// The sentence; empty where the author gave none.
    pub text: String,
    /// What was looked at.
    pub seen: Vec<Seen>,
}

/// Why a card is about this: the list that it came from, then the clauses of its `when`.
pub fn card(cx: &mut Cx<'_>, target: &Target, when: Option<&Expr>, targets: &[EntityIx]) -> Vec<Reason> {
    let mut out = Vec::new();
    let mut params = Vec::new();
    match target {
        Target::Incident => {}
        Target::Each(_, list) => {
            let item = targets.first().copied().map_or(Value::Absent, Value::Entity);
            let seen = member(cx, list, &item);
            out.push(Reason { name: binding_name(list), text: String::new(), seen });
            params.push(item);
        }
        Target::All(_, list) => {
            let (value, seen) = cx.traced(list, &[]);
            out.push(Reason { name: binding_name(list), text: String::new(), seen });
            params.push(value.unwrap_or(Value::Absent));
        }
    }
    if let Some(when) = when {
        clauses(cx, when, &params, &mut out);
    }
    out.retain(|r| !(r.seen.is_empty() && r.text.is_empty()));
    out
}

/// The clauses of an expression that holds.
pub fn clauses(cx: &mut Cx<'_>, e: &Expr, params: &[Value], out: &mut Vec<Reason>) {
    match &e.node {
        Node::And(all) => all.iter().for_each(|x| clauses(cx, x, params, out)),
        Node::Or(all) => {
            // The part that settled it.
            if let Some(x) = all.iter().find(|x| cx.holds(x, params).unwrap_or(false)) {
                clauses(cx, x, params, out);
            }
        }
        Node::Clause(condition, args) => {
            let args: Vec<Value> = args.iter().map(|a| cx.value(a, params).unwrap_or(Value::Absent)).collect();
            out.push(reason(cx, condition, &args));
        }
        Node::Not(inner) => match &inner.node {
            Node::Clause(condition, args) => {
                let args: Vec<Value> = args.iter().map(|a| cx.value(a, params).unwrap_or(Value::Absent)).collect();
                let (_, seen) = cx.traced(&condition.body, &args);
                let text = condition.fail.as_ref().and_then(|t| t.render(cx, &args).ok()).unwrap_or_default();
                out.push(Reason { name: format!("!{}", condition.name), text, seen });
            }
            _ => {
                let (_, seen) = cx.traced(e, params);
                out.push(Reason { name: "when".into(), text: String::new(), seen });
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
                        let (_, seen) = cx.traced(e, params);
                        out.push(Reason { name: "when".into(), text: String::new(), seen });
                    }
                    return;
                }
                with.pop();
            }
        }
        _ => {
            let (_, seen) = cx.traced(e, params);
            out.push(Reason { name: "when".into(), text: String::new(), seen });
        }
    }
}

fn reason(cx: &mut Cx<'_>, condition: &Condition, args: &[Value]) -> Reason {
    let (_, seen) = cx.traced(&condition.body, args);
    let text = condition.pass.as_ref().and_then(|t| t.render(cx, args).ok()).unwrap_or_default();
    Reason { name: condition.name.to_string(), text, seen }
}

/// Why an item is in a list: where the list is a filter, the filter's test of this item alone.
fn member(cx: &mut Cx<'_>, list: &Expr, item: &Value) -> Vec<Seen> {
    match &list.node {
        Node::Binding(_, body) => member(cx, body, item),
        Node::Each(Each::Filter, of, test) => {
            let mut seen = member(cx, of, item);
            seen.extend(cx.traced(test, std::slice::from_ref(item)).1);
            seen
        }
        Node::Collection(_) => Vec::new(),
        _ => cx.traced(list, &[]).1,
    }
}

fn binding_name(list: &Expr) -> String {
    match &list.node {
        Node::Binding(name, _) => name.to_string(),
        _ => "for".into(),
    }
}
