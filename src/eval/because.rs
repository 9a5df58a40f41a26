//! Why something holds: the clauses behind it, run again with a tracer.

use crate::model::EntityIx;
use crate::playbook::set::Target;
use crate::script::expr::{Condition, Each, Expr, Node};
use crate::script::plan::{Op, Plan, operands, parts};
use crate::script::trace::{Looked, Seen};
use crate::script::{Cx, Template, Value};

/// A clause that speaks for something.
#[derive(Clone, Debug)]
pub struct Reason<'p> {
    of: Of<'p>,
    /// What was looked at, which [`Cx::seen`] tells.
    pub seen: Looked,
}

#[derive(Clone, Debug)]
enum Of<'p> {
    /// What no clause names: `when`, or the list that a card is for.
    Plain(&'p str),
    /// A clause, whether it holds, and what it is about.
    Clause(&'p Condition, bool, Box<[Value]>),
}

impl<'p> Reason<'p> {
    fn when(seen: Looked) -> Self {
        Self { of: Of::Plain("when"), seen }
    }

    /// The condition's name, with `!` where it does not hold; or `for`, `when`.
    pub fn name(&self) -> String {
        match &self.of {
            Of::Plain(name) => (*name).to_owned(),
            Of::Clause(condition, true, _) => condition.name.to_string(),
            Of::Clause(condition, false, _) => format!("!{}", condition.name),
        }
    }

    /// The sentence; empty where the author gave none.
    pub fn text(&self, cx: &mut Cx<'_>) -> String {
        let (Some(said), Of::Clause(.., args)) = (self.said(), &self.of) else { return String::new() };
        said.render(cx, args).unwrap_or_default()
    }

    fn said(&self) -> Option<&'p Template> {
        match &self.of {
            Of::Plain(_) => None,
            Of::Clause(condition, holds, _) => if *holds { &condition.pass } else { &condition.fail }.as_ref(),
        }
    }
}

/// Why a card is about this: the list that it came from, then the clauses of its `when`.
pub fn card<'p>(cx: &mut Cx<'_>, target: &'p Target, when: Option<&'p Expr>, targets: &[EntityIx], out: &mut Vec<Reason<'p>>) {
    let before = out.len();
    let mut params = Vec::new();
    match target {
        Target::Incident => {}
        Target::Each(_, list) => {
            let item = targets.first().copied().map_or(Value::Absent, Value::Entity);
            let seen = member(cx, list, &item);
            let seen = cx.kept(seen);
            out.push(Reason { of: Of::Plain(binding_name(list)), seen });
            params.push(item);
        }
        Target::All(_, list) => {
            let (value, seen) = cx.traced(list, &[]);
            let seen = cx.kept(seen);
            out.push(Reason { of: Of::Plain(binding_name(list)), seen });
            params.push(value.unwrap_or(Value::Absent));
        }
    }
    if let Some(when) = when {
        clauses(cx, when, &params, out);
    }
    out.extract_if(before.., |r| r.seen.is_empty() && r.said().is_none()).for_each(drop);
}

/// The clauses of an expression that holds.
pub fn clauses<'p>(cx: &mut Cx<'_>, e: &'p Expr, params: &[Value], out: &mut Vec<Reason<'p>>) {
    planned(cx, e, ops(e), params, out);
}

/// The expression's own plan. A call, since what chooses in one step between this and a plan that is at hand reads both, and
/// this one mostly comes from far away in memory.
#[inline(never)]
fn ops(e: &Expr) -> Option<&[Op]> {
    e.plan.as_ref().map(Plan::ops)
}

/// The same, with the plan of the expression: that of a part stands within that of the whole, which was asked just now.
fn planned<'p>(cx: &mut Cx<'_>, e: &'p Expr, plan: Option<&[Op]>, params: &[Value], out: &mut Vec<Reason<'p>>) {
    match &e.node {
        Node::And(all) => {
            out.reserve(all.len());
            let mut parts = parts(plan.map_or(&[], operands));
            for x in all {
                let plan = parts.next().or_else(|| ops(x));
                match &x.node {
                    Node::Clause(condition, args) => clause(cx, (condition, true), args, plan, params, out),
                    _ => planned(cx, x, plan, params, out),
                }
            }
        }
        Node::Or(all) => {
            // The part that settled it.
            if let Some(x) = all.iter().find(|x| cx.holds(x, params).unwrap_or(false)) {
                clauses(cx, x, params, out);
            }
        }
        Node::Clause(condition, args) => clause(cx, (condition, true), args, plan, params, out),
        Node::Not(inner) => match &inner.node {
            Node::Clause(condition, args) => clause(cx, (condition, false), args, plan.map(operands), params, out),
            _ => out.push(Reason::when(cx.looked(e, plan, params, true))),
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
                    if out.get(before..).is_some_and(|new| new.iter().all(|r| matches!(r.of, Of::Plain(_)))) {
                        out.truncate(before);
                        out.push(Reason::when(cx.looked(e, plan, params, true)));
                    }
                    return;
                }
                with.pop();
            }
        }
        _ => out.push(Reason::when(cx.looked(e, plan, params, true))),
    }
}

/// A clause that holds, or does not.
#[inline]
fn clause<'p>(
    cx: &mut Cx<'_>,
    (condition, holds): (&'p Condition, bool),
    args: &[Expr],
    plan: Option<&[Op]>,
    params: &[Value],
    out: &mut Vec<Reason<'p>>,
) {
    let args = values(cx, args, params);
    let plan = plan.filter(|p| args.is_empty() && !p.is_empty()).or_else(|| ops(&condition.body));
    let seen = cx.looked(&condition.body, plan, &args, holds);
    // Made where it stands: moving it there at once would wait until it is written.
    out.extend(std::iter::once_with(|| Reason { of: Of::Clause(condition, holds, args), seen }));
}

/// What a clause is about: mostly nothing.
fn values(cx: &mut Cx<'_>, args: &[Expr], params: &[Value]) -> Box<[Value]> {
    if args.is_empty() {
        return Box::default();
    }
    args.iter().map(|a| cx.value(a, params).unwrap_or(Value::Absent)).collect()
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

fn binding_name(list: &Expr) -> &str {
    match &list.node {
        Node::Binding(name, _) => name,
        _ => "for",
    }
}
