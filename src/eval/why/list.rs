//! Why something is in a list, or is not.

use super::Outcome;
use super::clause::{Clause, How, ITEMS, Way, plain, written};
use crate::script::expr::{Arith, Each, Expr, Node};
use crate::script::functions::Ret;
use crate::script::{Cx, Value};
use crate::source::Sources;

/// How deep lists are made of lists.
const DEEP: usize = 16;

/// Why an item is in a list without parameters, or is not.
pub(super) fn member(sources: &Sources, cx: &mut Cx<'_>, of: &Expr, item: &Value) -> Clause {
    Way { sources, cx, depth: 0 }.member(of, &[], item, 0)
}

/// Whether a list without parameters has anything in it, and why not.
pub(super) fn filled(sources: &Sources, cx: &mut Cx<'_>, of: &Expr) -> Clause {
    let mut way = Way { sources, cx, depth: 0 };
    let source = written(sources, of.span);
    let (value, seen) = way.cx.traced(of, &[]);
    let (outcome, text) = match &value {
        Ok(v) if v.items().is_empty() => (Outcome::Fail, format!("`{source}` is empty")),
        Ok(v) => (Outcome::Pass, format!("`{source}` is {}", way.cx.display(v))),
        Err(stop) => (Outcome::Error, stop.parts().1),
    };
    // The name was said; what is below it is what it stands for.
    let body = if let Node::Binding(_, body) = &of.node { body } else { of };
    let below = if outcome == Outcome::Fail { left_out(&mut way, body, &[]) } else { Vec::new() };
    Clause { name: name(of), seen, below, ..plain(How::List, outcome, true, text, source, of.span) }
}

/// The name of a list that has one.
fn name(of: &Expr) -> Option<std::sync::Arc<str>> {
    match &of.node {
        Node::Binding(name, _) => Some(name.clone()),
        _ => None,
    }
}

/// Why a list that has nothing in it has nothing in it: what it leaves out, each with the test that it does not pass.
pub(super) fn left_out(way: &mut Way<'_, '_>, of: &Expr, params: &[Value]) -> Vec<Clause> {
    if way.depth >= DEEP {
        return Vec::new();
    }
    match &of.node {
        Node::Binding(name, body) => {
            way.depth = way.depth.saturating_add(1);
            let below = left_out(way, body, &[]);
            way.depth = way.depth.saturating_sub(1);
            if below.is_empty() {
                return below;
            }
            let text = format!("`{name}` is {}", way.cx.value(body, &[]).map(|v| way.cx.display(&v)).unwrap_or_default());
            let source = written(way.sources, body.span);
            vec![Clause { name: Some(name.clone()), below, ..plain(How::List, Outcome::Fail, true, text, source, body.span) }]
        }
        Node::Each(Each::Filter, from, test) => {
            let items = way.cx.value(from, params).unwrap_or(Value::Absent);
            if items.items().is_empty() {
                let deeper = left_out(way, from, params);
                if !deeper.is_empty() {
                    return deeper;
                }
                let source = written(way.sources, from.span);
                return vec![plain(How::List, Outcome::Fail, true, format!("`{source}` is empty"), source, from.span)];
            }
            way.depth = way.depth.saturating_add(1);
            let mut with = params.to_vec();
            let mut out: Vec<Clause> = Vec::new();
            let mut more = 0usize;
            for item in items.items() {
                with.push(item.clone());
                if !way.cx.holds(test, &with).unwrap_or(false) {
                    if out.len() < ITEMS {
                        out.push(Clause { of: Some(item.clone()), ..way.tree(test, &with, true) });
                    } else {
                        more = more.saturating_add(1);
                    }
                }
                with.pop();
            }
            way.depth = way.depth.saturating_sub(1);
            if let Some(last) = out.last_mut() {
                last.more = last.more.saturating_add(more);
            }
            out
        }
        Node::Each(Each::Map, from, _) => left_out(way, from, params),
        Node::Call(f, args) if matches!(f.ret, Ret::Same | Ret::Flat) => args.first().map(|a| left_out(way, a, params)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

impl Way<'_, '_> {
    /// Why an item is in a list, or is not.
    pub(super) fn member(&mut self, of: &Expr, params: &[Value], item: &Value, depth: usize) -> Clause {
        let source = written(self.sources, of.span);
        let value = self.cx.value(of, params);
        let outcome = match &value {
            Ok(v) => Outcome::of(v.items().iter().any(|x| x.same(item))),
            Err(_) => Outcome::Error,
        };
        let what = self.cx.display(item);
        let text = match &value {
            Err(stop) => stop.parts().1,
            Ok(_) if outcome == Outcome::Pass => format!("{what} is in `{source}`"),
            Ok(_) => format!("{what} is not in `{source}`"),
        };
        let mut made = Clause { name: name(of), ..plain(How::List, outcome, true, text, source, of.span) };
        if depth >= DEEP || self.depth >= DEEP {
            return made;
        }
        let deeper = depth.saturating_add(1);
        self.depth = self.depth.saturating_add(1);
        match &of.node {
            Node::Binding(_, body) => {
                let inner = self.member(body, &[], item, deeper);
                if inner.name.is_some() {
                    made.below = vec![inner];
                } else {
                    // What is below a name is what the name stands for.
                    (made.source, made.below, made.seen) = (inner.source, inner.below, inner.seen);
                }
            }
            Node::Each(Each::Filter, from, test) => {
                let base = self.member(from, params, item, deeper);
                let inside = base.outcome == Outcome::Pass;
                if !matches!(from.node, Node::Collection(_)) || !inside {
                    made.below.push(base);
                }
                if inside {
                    let mut with = params.to_vec();
                    with.push(item.clone());
                    made.below.push(self.tree(test, &with, true));
                }
            }
            Node::Arith(Arith::Add, a, b) => {
                let both = [self.member(a, params, item, deeper), self.member(b, params, item, deeper)];
                made.below = both.into_iter().filter(|c| outcome != Outcome::Pass || c.outcome == Outcome::Pass).collect();
            }
            Node::Call(f, args) if f.ret == Ret::Same => {
                if let Some(from) = args.first() {
                    made.below.push(self.member(from, params, item, deeper));
                }
            }
            Node::Collection(kind) => {
                if outcome == Outcome::Fail {
                    made.text = format!("{what} is not a {}", kind.word().replace('_', " "));
                }
            }
            _ => {
                made.seen = self.cx.traced(of, params).1;
                if outcome == Outcome::Fail {
                    let has = value.map(|v| self.cx.display(&v)).unwrap_or_default();
                    made.text = format!("{}, which is {has}", made.text);
                }
            }
        }
        self.depth = self.depth.saturating_sub(1);
        made
    }
}
