//! Why a card is not there: the clauses that stand in its way, with what they looked at.

use crate::model::EntityIx;
use crate::playbook::set::{CardRule, Target};
use crate::script::expr::{Each, Expr, Node};
use crate::script::trace::Seen;
use crate::script::{Cx, Value};
use crate::source::Span;

/// A clause that stands in the way.
#[derive(Clone, Debug)]
pub(super) struct Blame {
    /// The condition's name, `!name` where it must not hold and does, `when`, or `for`.
    pub name: String,
    /// What the card would be about.
    pub about: Option<EntityIx>,
    /// The sentence; empty where the author gave none.
    pub text: String,
    /// Where the clause stands.
    pub span: Span,
    /// What was looked at.
    pub seen: Vec<Seen>,
    /// Whether another clause that is blamed uses it.
    pub inner: bool,
}

/// How many items of a list are looked at.
const ITEMS: usize = 64;
/// How many clauses are blamed at most.
const MOST: usize = 256;

/// Why a card is not there; for one entity, where one is given.
pub(super) fn card(cx: &mut Cx<'_>, rule: &CardRule, about: Option<EntityIx>) -> Vec<Blame> {
    let mut out = Vec::new();
    let when = rule.when.as_ref();
    match &rule.target {
        Target::Incident => {
            if let Some(w) = when {
                Way { cx, out: &mut out, about: None, inner: 0 }.blame(w, &[], false);
            }
        }
        Target::Each(_, list) | Target::All(_, list) => {
            let value = cx.value(list, &[]).unwrap_or(Value::Absent);
            let is_it = |v: &&Value| about.is_none_or(|a| matches!(v, Value::Entity(e) if *e == a));
            let found: Vec<Value> = value.items().iter().filter(is_it).take(ITEMS).cloned().collect();
            if found.is_empty() {
                let (_, seen) = cx.traced(list, &[]);
                out.push(Blame { name: "for".into(), about, text: String::new(), span: list.span, seen, inner: false });
                Way { cx, out: &mut out, about, inner: 1 }.left_out(list, about);
                return out;
            }
            let Some(w) = when else { return out };
            if matches!(rule.target, Target::All(..)) {
                Way { cx, out: &mut out, about: None, inner: 0 }.blame(w, &[value], false);
                return out;
            }
            for item in found {
                let about = if let Value::Entity(e) = &item { Some(*e) } else { None };
                if !cx.holds(w, std::slice::from_ref(&item)).unwrap_or(true) {
                    Way { cx, out: &mut out, about, inner: 0 }.blame(w, &[item], false);
                }
            }
        }
    }
    out
}

/// Why an expression without parameters does not hold.
pub(super) fn expression(cx: &mut Cx<'_>, e: &Expr) -> Vec<Blame> {
    let mut out = Vec::new();
    Way { cx, out: &mut out, about: None, inner: 0 }.blame(e, &[], false);
    out
}

struct Way<'w, 'a> {
    cx: &'w mut Cx<'a>,
    out: &'w mut Vec<Blame>,
    about: Option<EntityIx>,
    /// How many blamed clauses this one is below.
    inner: usize,
}

impl Way<'_, '_> {
    /// Blames what makes an expression have this value.
    fn blame(&mut self, e: &Expr, params: &[Value], value: bool) {
        if self.out.len() >= MOST {
            return;
        }
        match &e.node {
            Node::And(all) | Node::Or(all) => {
                for x in all {
                    if self.cx.holds(x, params).unwrap_or(!value) == value {
                        self.blame(x, params, value);
                    }
                }
            }
            Node::Not(x) => self.blame(x, params, !value),
            Node::Binding(_, body) if body.ty == crate::script::Ty::Bool => self.blame(body, &[], value),
            Node::Clause(c, args) => {
                let args: Vec<Value> = args.iter().map(|a| self.cx.value(a, params).unwrap_or(Value::Absent)).collect();
                let (_, seen) = self.cx.traced(&c.body, &args);
                let sentence = if value { &c.pass } else { &c.fail };
                let text = sentence.as_ref().and_then(|t| t.render(self.cx, &args).ok()).unwrap_or_default();
                let name = if value { format!("!{}", c.name) } else { c.name.to_string() };
                self.out.push(Blame { name, about: self.about, text, span: c.span, seen, inner: self.inner > 0 });
                self.inner = self.inner.saturating_add(1);
                if !args.iter().any(Value::is_absent) {
                    self.blame(&c.body, &args, value);
                }
                self.inner = self.inner.saturating_sub(1);
            }
            Node::Each(Each::Some | Each::All, list, body) => {
                let before = self.out.len();
                let items = self.cx.value(list, params).unwrap_or(Value::Absent);
                let mut with = params.to_vec();
                for item in items.items().iter().take(ITEMS) {
                    with.push(item.clone());
                    if self.cx.holds(body, &with).unwrap_or(!value) == value {
                        self.blame(body, &with, value);
                    }
                    with.pop();
                }
                if self.out.len() == before {
                    self.leaf(e, params);
                }
            }
            _ => self.leaf(e, params),
        }
    }

    fn leaf(&mut self, e: &Expr, params: &[Value]) {
        if self.inner > 0 {
            return;
        }
        let (_, seen) = self.cx.traced(e, params);
        self.out.push(Blame { name: "when".into(), about: self.about, text: String::new(), span: e.span, seen, inner: false });
    }

    /// Blames the tests by which a list leaves out an entity, or all.
    fn left_out(&mut self, list: &Expr, who: Option<EntityIx>) {
        match &list.node {
            Node::Binding(_, body) => self.left_out(body, who),
            Node::Each(Each::Filter, of, test) => {
                let items = self.cx.value(of, &[]).unwrap_or(Value::Absent);
                let is_it = |v: &&Value| who.is_none_or(|w| matches!(v, Value::Entity(e) if *e == w));
                let found: Vec<Value> = items.items().iter().filter(is_it).take(ITEMS).cloned().collect();
                for item in &found {
                    let params = std::slice::from_ref(item);
                    if !self.cx.holds(test, params).unwrap_or(true) {
                        self.blame(test, params, false);
                    }
                }
                if found.is_empty() {
                    self.left_out(of, who);
                }
            }
            _ => {}
        }
    }
}
