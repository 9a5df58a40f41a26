//! An expression that decides something, as a tree of clauses: each with what it is and what it must be.

use std::sync::Arc;

use super::{Outcome, list};
use crate::script::expr::{Compare, Condition, Each, Expr, Node};
use crate::script::trace::Seen;
use crate::script::{Cx, Ty, Value};
use crate::source::{Sources, Span};

/// How a clause is decided by what is below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// All of it must pass.
    All,
    /// Any of it must.
    Any,
    /// A named clause; below it is what it asks.
    Condition,
    /// A test of its own.
    Test,
    /// Whether something is in a list; below it is what put it there, or left it out.
    List,
}

impl How {
    /// The word in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::Condition => "condition",
            Self::Test => "test",
            Self::List => "list",
        }
    }
}

/// A clause.
#[derive(Clone, Debug)]
pub struct Clause {
    /// How it is decided.
    pub how: How,
    /// The condition's or value's name.
    pub name: Option<Arc<str>>,
    /// Whether it is as it must be.
    pub outcome: Outcome,
    /// What it must be.
    pub wanted: bool,
    /// In a sentence: the condition's own `pass` or `fail`, or what the test is, and what it must be where it is not.
    pub text: String,
    /// As it is written.
    pub source: String,
    /// The item of a list that it was asked of.
    pub of: Option<Value>,
    /// What was looked at.
    pub seen: Vec<Seen>,
    /// What it is made of.
    pub below: Vec<Clause>,
    /// How many more items of a list there are that are not shown.
    pub more: usize,
    /// Where it stands.
    pub span: Span,
}

/// How many items of a list are shown below one clause.
pub(super) const ITEMS: usize = 5;
/// How deep clauses nest below one another.
const DEEP: usize = 24;
/// How many characters of an expression are quoted.
const QUOTED: usize = 160;

impl Clause {
    /// Calls with the name of each named clause that stands in the way, outermost first.
    pub(super) fn failed(&self, tell: &mut dyn FnMut(String)) {
        if self.outcome == Outcome::Pass {
            return;
        }
        if let (How::Condition, Some(name)) = (self.how, &self.name) {
            tell(if self.wanted { name.to_string() } else { format!("!{name}") });
        }
        self.below.iter().for_each(|c| c.failed(tell));
    }

    /// The names of the named clauses that stand in the way.
    pub(super) fn names(&self) -> Vec<String> {
        let mut out = Vec::new();
        self.failed(&mut |n| out.push(n));
        out
    }
}

/// The tree of an expression that must be `wanted`.
pub(super) fn tree(sources: &Sources, cx: &mut Cx<'_>, e: &Expr, params: &[Value], wanted: bool) -> Clause {
    Way { sources, cx, depth: 0 }.tree(e, params, wanted)
}

/// The tree of a condition.
pub(super) fn condition(sources: &Sources, cx: &mut Cx<'_>, c: &Condition, args: &[Value], wanted: bool) -> Clause {
    Way { sources, cx, depth: 0 }.condition(c, args, wanted, c.span)
}

/// An expression as it is written, on one line.
pub(super) fn written(sources: &Sources, span: Span) -> String {
    let whole = sources.get(span.file).map_or("", |f| &f.text);
    let text = sources.text(span);
    let rest = whole.get(span.end as usize..).unwrap_or("");
    let before = whole.get(..span.start as usize).unwrap_or("");
    let text = format!("{}{text}{}", "(".repeat(opening(text, before)), rest.get(..closing(text, rest)).unwrap_or(""));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= QUOTED { text } else { text.chars().take(QUOTED).chain(['…']).collect() }
}

/// How many parentheses before an expression belong to it: those that it closes and does not open.
fn opening(text: &str, before: &str) -> usize {
    let (mut open, mut missing, mut quote) = (0usize, 0usize, false);
    for c in text.chars() {
        match c {
            '"' => quote = !quote,
            '(' if !quote => open = open.saturating_add(1),
            ')' if !quote && open == 0 => missing = missing.saturating_add(1),
            ')' if !quote => open = open.saturating_sub(1),
            _ => {}
        }
    }
    before.chars().rev().take_while(|c| *c == '(' || c.is_whitespace()).filter(|c| *c == '(').count().min(missing)
}

/// How many bytes of what follows belong to an expression, whose span may end before the parentheses of its call do.
fn closing(text: &str, rest: &str) -> usize {
    let (mut open, mut quote) = (0usize, None);
    let called = text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && rest.starts_with('(');
    for (at, c) in text.char_indices().chain(rest.char_indices().take(QUOTED).map(|(n, c)| (n.saturating_add(text.len()), c))) {
        let after = at.saturating_sub(text.len());
        if at >= text.len() && open == 0 && !(called && after == 0) {
            return after;
        }
        match (quote, c) {
            (None, '(' | '[' | '{') => open = open.saturating_add(1),
            (None, ')' | ']' | '}') => open = open.saturating_sub(1),
            (None, '"') => quote = Some(c),
            (Some(q), c) if c == q => quote = None,
            _ => {}
        }
    }
    if open == 0 { rest.len() } else { 0 }
}

/// Makes trees.
pub(super) struct Way<'w, 'a> {
    pub(super) sources: &'w Sources,
    pub(super) cx: &'w mut Cx<'a>,
    pub(super) depth: usize,
}

impl Way<'_, '_> {
    pub(super) fn tree(&mut self, e: &Expr, params: &[Value], wanted: bool) -> Clause {
        if self.depth >= DEEP {
            return self.test(e, params, wanted);
        }
        self.depth = self.depth.saturating_add(1);
        let made = match &e.node {
            Node::Not(inner) => self.tree(inner, params, !wanted),
            Node::And(all) => self.junction(e, all, params, wanted, wanted),
            Node::Or(all) => self.junction(e, all, params, wanted, !wanted),
            Node::Binding(name, body) if body.ty == Ty::Bool => {
                let below = self.tree(body, &[], wanted);
                Clause { name: Some(name.clone()), below: vec![below], ..self.test(e, params, wanted) }
            }
            Node::Clause(c, args) => {
                let args: Vec<Value> = args.iter().map(|a| self.cx.value(a, params).unwrap_or(Value::Absent)).collect();
                self.condition(c, &args, wanted, e.span)
            }
            Node::Each(Each::Some, of, body) => self.items(e, (of, body), params, wanted, true),
            Node::Each(Each::All, of, body) => self.items(e, (of, body), params, wanted, false),
            _ => self.test(e, params, wanted),
        };
        self.depth = self.depth.saturating_sub(1);
        made
    }

    /// Whether an expression is as it must be.
    fn outcome(&mut self, e: &Expr, params: &[Value], wanted: bool) -> (Outcome, Option<String>) {
        match self.cx.holds(e, params) {
            Ok(b) => (Outcome::of(b == wanted), None),
            Err(stop) => (Outcome::Error, Some(stop.parts().1)),
        }
    }

    /// `&&` and `||`; `all` says whether every part must pass.
    fn junction(&mut self, e: &Expr, parts: &[Expr], params: &[Value], wanted: bool, all: bool) -> Clause {
        let (outcome, error) = self.outcome(e, params, wanted);
        let below: Vec<Clause> = parts.iter().map(|x| self.tree(x, params, wanted)).collect();
        Clause {
            how: if all { How::All } else { How::Any },
            name: None,
            outcome,
            wanted,
            text: error.unwrap_or_default(),
            source: written(self.sources, e.span),
            of: None,
            seen: Vec::new(),
            below,
            more: 0,
            span: e.span,
        }
    }

    fn condition(&mut self, c: &Condition, args: &[Value], wanted: bool, span: Span) -> Clause {
        let source = written(self.sources, span);
        // Of something that is not there, nothing holds.
        if args.iter().any(Value::is_absent) {
            let text = format!("there is nothing that `{}` could be asked of", c.name);
            return Clause { name: Some(c.name.clone()), ..plain(How::Condition, Outcome::of(!wanted), wanted, text, source, span) };
        }
        let (value, seen) = self.cx.traced(&c.body, args);
        let (outcome, text) = match value {
            Ok(v) => {
                let sentence = if v.is_true() { &c.pass } else { &c.fail };
                let text = sentence.as_ref().and_then(|t| t.render(self.cx, args).ok()).unwrap_or_default();
                (Outcome::of(v.is_true() == wanted), text)
            }
            Err(stop) => (Outcome::Error, stop.parts().1),
        };
        let below = self.tree(&c.body, args, wanted);
        Clause { name: Some(c.name.clone()), seen, below: vec![below], ..plain(How::Condition, outcome, wanted, text, source, span) }
    }

    /// `some` and `all`: each item that matters, with its own tree.
    fn items(&mut self, e: &Expr, (of, body): (&Expr, &Expr), params: &[Value], wanted: bool, some: bool) -> Clause {
        let (outcome, error) = self.outcome(e, params, wanted);
        let list = self.cx.value(of, params).unwrap_or(Value::Absent);
        let items = list.items();
        // One item is enough to settle `some`, or to spoil `all`.
        let any = some == wanted;
        let shows = if any { outcome == Outcome::Pass } else { outcome != Outcome::Pass };
        let mut with = params.to_vec();
        let mut below = Vec::new();
        let mut others = 0usize;
        for item in items {
            with.push(item.clone());
            let passes = self.cx.holds(body, &with).is_ok_and(|b| b == wanted);
            let matters = if any { passes == shows } else { passes != shows };
            if matters && below.len() < ITEMS {
                below.push(Clause { of: Some(item.clone()), ..self.tree(body, &with, wanted) });
            } else if matters {
                others = others.saturating_add(1);
            }
            with.pop();
            if any && shows && !below.is_empty() {
                break;
            }
        }
        let name = written(self.sources, of.span);
        let count = items.len();
        let text = match (outcome, any, count) {
            (Outcome::Error, ..) => error.unwrap_or_default(),
            (_, _, 0) => format!("`{name}` is empty"),
            (Outcome::Pass, true, _) => format!("one of the {count} in `{name}` fits"),
            (Outcome::Fail, true, 1) => format!("the only one in `{name}` does not fit"),
            (Outcome::Fail, true, _) => format!("none of the {count} in `{name}` fits"),
            (Outcome::Pass, false, _) if wanted => format!("all {count} in `{name}` fit"),
            (Outcome::Pass, false, _) => format!("none of the {count} in `{name}` is so, as it must be"),
            (Outcome::Fail, false, _) if wanted => format!("not all of the {count} in `{name}` fit"),
            (Outcome::Fail, false, _) => format!("some of the {count} in `{name}` are so, which must not be"),
        };
        let seen = if below.is_empty() { self.cx.traced(e, params).1 } else { Vec::new() };
        if count == 0 && outcome != Outcome::Pass {
            below = list::left_out(self, of, params);
        }
        let source = written(self.sources, e.span);
        let how = if any { How::Any } else { How::All };
        Clause { seen, below, more: others, ..plain(how, outcome, wanted, text, source, e.span) }
    }

    /// A test of its own, with the values that it compares.
    fn test(&mut self, e: &Expr, params: &[Value], wanted: bool) -> Clause {
        let (value, seen) = self.cx.traced(e, params);
        let source = written(self.sources, e.span);
        let (outcome, text) = match &value {
            Ok(v) => {
                let passes = v.is_true() == wanted;
                (Outcome::of(passes), self.sentence(e, params, &source, v.is_true(), wanted))
            }
            Err(stop) => (Outcome::Error, stop.parts().1),
        };
        // Whether one thing is in a list is told of that thing, not of all that the list holds.
        if let (Node::Call(f, args), Ok(_)) = (&e.node, &value)
            && f.name == "contains"
            && let Some(of) = args.first().filter(|a| matches!(a.ty, Ty::List(_)))
        {
            let item = args.get(1).map_or(Value::Absent, |x| self.cx.value(x, params).unwrap_or(Value::Absent));
            let plainly = outcome == Outcome::Pass && !wanted;
            let below = if plainly || item.is_absent() { Vec::new() } else { vec![self.member(of, params, &item, 0)] };
            let seen = if below.is_empty() { Vec::new() } else { seen };
            return Clause { seen, below, ..plain(How::Test, outcome, wanted, text, source, e.span) };
        }
        let below = self.lists(e, params, wanted, outcome);
        Clause { seen, below, ..plain(How::Test, outcome, wanted, text, source, e.span) }
    }

    /// Where a test counts a list: why those that are not in it are left out, or why those that are in it are.
    fn lists(&mut self, e: &Expr, params: &[Value], wanted: bool, outcome: Outcome) -> Vec<Clause> {
        if outcome != Outcome::Fail {
            return Vec::new();
        }
        let of = match &e.node {
            Node::Compare(_, a, b) => counted(a).or(counted(b)),
            _ => counted(e),
        };
        let Some(of) = of else { return Vec::new() };
        if self.cx.value(of, params).is_ok_and(|v| v.items().is_empty()) || wanted && matches!(e.node, Node::Compare(..)) {
            list::left_out(self, of, params)
        } else {
            Vec::new()
        }
    }

    /// What a test is, and what it would have to be.
    fn sentence(&mut self, e: &Expr, params: &[Value], source: &str, holds: bool, wanted: bool) -> String {
        let needs = |what: String| if holds == wanted { String::new() } else { format!(", needs {what}") };
        match &e.node {
            Node::Compare(op, a, b) => {
                // The constant stands on the right in a sentence.
                let (op, a, b) = if matches!(a.node, Node::Const(_)) { (op.turned(), b, a) } else { (*op, a, b) };
                let left = self.cx.value(a, params).unwrap_or(Value::Absent);
                let right = self.cx.value(b, params).unwrap_or(Value::Absent);
                let want = relation(if wanted { op } else { op.negated() }, matches!(right, Value::Time(_)));
                let mut other = self.cx.display(&right);
                if !matches!(b.node, Node::Const(_)) {
                    other = format!("`{}`, which is {other}", written(self.sources, b.span));
                }
                format!("`{}` is {}{}", written(self.sources, a.span), self.shown(&left), needs(format!("{want}{other}")))
            }
            Node::In(item, of) => {
                let value = self.cx.value(item, params).unwrap_or(Value::Absent);
                let list = self.cx.value(of, params).unwrap_or(Value::Absent);
                let is = if holds { "is in" } else { "is not in" };
                let shown = self.cx.display(&list);
                format!(
                    "`{}`, {}, {is} `{}` ({shown}){}",
                    written(self.sources, item.span),
                    self.shown(&value),
                    written(self.sources, of.span),
                    if holds == wanted {
                        ""
                    } else if wanted {
                        ", and must be"
                    } else {
                        ", and must not be"
                    }
                )
            }
            _ => format!("`{source}` is {}{}", if holds { "true" } else { "false" }, needs(wanted.to_string())),
        }
    }

    fn shown(&self, v: &Value) -> String {
        match v {
            Value::Text(t) if t.is_empty() => "empty".to_owned(),
            v => self.cx.display(v),
        }
    }
}

/// A clause without anything below it.
pub(super) fn plain(how: How, outcome: Outcome, wanted: bool, text: String, source: String, span: Span) -> Clause {
    Clause { how, name: None, outcome, wanted, text, source, of: None, seen: Vec::new(), below: Vec::new(), more: 0, span }
}

/// The list that an expression counts or asks whether it is empty.
fn counted(e: &Expr) -> Option<&Expr> {
    match &e.node {
        Node::Call(f, args) if matches!(f.name, "len" | "is_empty") => args.first(),
        _ => None,
    }
}

fn relation(op: Compare, time: bool) -> &'static str {
    match (op, time) {
        (Compare::Eq, _) => "",
        (Compare::Ne, _) => "anything but ",
        (Compare::Lt, false) => "less than ",
        (Compare::Le, false) => "at most ",
        (Compare::Gt, false) => "more than ",
        (Compare::Ge, false) => "at least ",
        (Compare::Lt, true) => "before ",
        (Compare::Le, true) => "not after ",
        (Compare::Gt, true) => "after ",
        (Compare::Ge, true) => "not before ",
    }
}
