//! Whether some questions can hold together: enough logic to find what contradicts itself, what is always so, and what an
//! earlier question already answers. It never guesses: where it does not know, things can hold.

use crate::model::Level;
use crate::script::expr::{Arith, Compare, Each, Expr, Key, Node, key};
use crate::script::fields::{EntityField, Field, IncidentField};
use crate::script::{Ty, Value};

/// How much is tried before it gives up; then things can hold.
const BUDGET: usize = 4_000;

/// Something that is asked.
#[derive(Clone, Debug)]
pub(super) enum Formula {
    /// A single question, and whether it holds.
    One(Atom, bool),
    /// All of them hold; nothing in it: true.
    All(Vec<Formula>),
    /// Any of them holds; nothing in it: false.
    Any(Vec<Formula>),
}

/// A question that is not taken apart.
#[derive(Clone, Debug)]
pub(super) enum Atom {
    /// Known by its content.
    Asked(Key),
    /// Whether an alert says a signal.
    Signal(String),
    /// Whether the incident is of a type.
    Type(String),
    /// Whether an alert names a technique or one below it.
    Technique(String),
    /// A test of a value against a constant.
    Test(Subject, Test),
}

/// What is tested.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    key: Key,
    /// Whether nothing may be recorded.
    maybe: bool,
    /// Whether it is a number of things.
    count: bool,
}

/// A test of a value.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// Against a constant.
    Than(Compare, Value),
    /// Whether something is recorded.
    Known,
}

impl Formula {
    /// What always holds.
    pub fn yes() -> Self {
        Self::All(Vec::new())
    }

    /// What never holds.
    pub fn no() -> Self {
        Self::Any(Vec::new())
    }

    /// The contrary.
    pub fn not(self) -> Self {
        match self {
            Self::One(a, is) => Self::One(a, !is),
            Self::All(all) => Self::Any(all.into_iter().map(Self::not).collect()),
            Self::Any(all) => Self::All(all.into_iter().map(Self::not).collect()),
        }
    }

    fn of(a: Atom) -> Self {
        Self::One(a, true)
    }

    fn constant(b: bool) -> Self {
        if b { Self::yes() } else { Self::no() }
    }

    /// What an expression that is true or false asks; bindings and clauses are looked into.
    pub fn read(e: &Expr) -> Self {
        Self::within(e, &mut { BUDGET })
    }

    /// As [`Formula::read`], with so many questions at most: what is beyond stays whole.
    fn within(e: &Expr, left: &mut usize) -> Self {
        let asked = || Self::of(Atom::Asked(e.key));
        *left = left.saturating_sub(1);
        if *left == 0 {
            return asked();
        }
        match &e.node {
            Node::Const(Value::Bool(b)) => Self::constant(*b),
            Node::Binding(_, body) => Self::within(body, left),
            Node::Clause(c, args) if args.is_empty() => Self::within(&c.body, left),
            Node::Not(x) => Self::within(x, left).not(),
            Node::And(all) => Self::All(all.iter().map(|x| Self::within(x, left)).collect()),
            Node::Or(all) => Self::Any(all.iter().map(|x| Self::within(x, left)).collect()),
            Node::If(test, yes, no) if e.ty == Ty::Bool => {
                let (test, yes, no) = (Self::within(test, left), Self::within(yes, left), Self::within(no, left));
                Self::Any(vec![Self::All(vec![test.clone(), yes]), Self::All(vec![test.not(), no])])
            }
            Node::Compare(op, a, b) => compare(*op, a, b, left),
            Node::In(item, of) => membership(e, item, of),
            Node::Each(Each::Some, of, _) => Self::All(vec![asked(), filled(of)]),
            Node::Each(Each::All, of, _) => Self::Any(vec![asked(), filled(of).not()]),
            Node::Field(x, Field::Entity(EntityField::Malicious)) => {
                // What is malicious is suspicious too.
                Self::All(vec![asked(), Self::of(Atom::Asked(key(&format!("field {:?}", Field::Entity(EntityField::Suspicious)), &[x.key])))])
            }
            Node::Call(f, args) => match (f.name, args.as_slice()) {
                ("known", [x]) => test(x, Test::Known),
                ("is_empty", [list]) => filled(list).not(),
                ("contains", [list, item]) if matches!(list.ty, Ty::List(_)) => membership(e, item, list),
                ("has_signal", [Expr { node: Node::Incident, .. }, Expr { node: Node::Const(Value::Text(id)), .. }]) => {
                    Self::of(Atom::Signal(id.to_string()))
                }
                ("has_technique", [Expr { node: Node::Incident, .. }, Expr { node: Node::Const(Value::Text(id)), .. }]) => Self::technique(id),
                _ => asked(),
            },
            _ => asked(),
        }
    }

    /// Whether an alert says any of these signals.
    pub fn signals<'a>(any: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Any(any.into_iter().map(|s| Self::of(Atom::Signal(s.to_owned()))).collect())
    }

    /// Whether the incident is of any of these types.
    pub fn types<'a>(any: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Any(any.into_iter().map(|s| Self::of(Atom::Type(s.to_owned()))).collect())
    }

    /// Whether an alert names the technique; then it names the one above it as well.
    pub fn technique(id: &str) -> Self {
        let above = id.split_once('.').map(|(above, _)| Self::of(Atom::Technique(above.to_owned())));
        Self::All([Self::of(Atom::Technique(id.to_owned()))].into_iter().chain(above).collect())
    }

    /// Whether the incident's severity is at least this.
    pub fn severity(level: Level) -> Self {
        let subject = key(&format!("field {:?}", Field::Incident(IncidentField::Severity)), &[key("incident", &[])]);
        Self::of(Atom::Test(Subject { key: subject, maybe: true, count: false }, Test::Than(Compare::Ge, Value::Level(level))))
    }

    /// Whether there is an entity of this kind.
    pub fn kind(kind: crate::model::Kind) -> Self {
        more_than_none(key(kind.collection(), &[]))
    }
}

/// Whether a list holds anything.
fn filled(list: &Expr) -> Formula {
    match &list.node {
        Node::Binding(_, body) => filled(body),
        Node::Array(items) => Formula::constant(!items.is_empty()),
        _ => more_than_none(list.key),
    }
}

fn more_than_none(list: Key) -> Formula {
    Formula::of(Atom::Test(count_of(list), Test::Than(Compare::Gt, Value::Int(0))))
}

fn count_of(list: Key) -> Subject {
    Subject { key: key("how many", &[list]), maybe: false, count: true }
}

fn test(x: &Expr, t: Test) -> Formula {
    Formula::of(Atom::Test(subject(x), t))
}

fn subject(x: &Expr) -> Subject {
    match &x.node {
        Node::Binding(_, body) => subject(body),
        Node::Call(f, args) if f.name == "len" => match args.first() {
            Some(list) if matches!(list.ty, Ty::List(_)) => count_of(list.key),
            _ => Subject { key: x.key, maybe: x.maybe, count: true },
        },
        Node::Each(Each::Count, ..) => Subject { key: x.key, maybe: false, count: true },
        _ => Subject { key: x.key, maybe: x.maybe, count: false },
    }
}

/// A value that is written there, with its sign.
fn constant(e: &Expr) -> Option<Value> {
    match &e.node {
        Node::Const(v) => Some(v.clone()),
        Node::Negate(x) => match &x.node {
            Node::Const(Value::Int(n)) => n.checked_neg().map(Value::Int),
            Node::Const(Value::Float(n)) => Some(Value::Float(-n)),
            _ => None,
        },
        Node::Arith(op, a, b) => match (op, constant(a)?, constant(b)?) {
            (Arith::Add, Value::Int(a), Value::Int(b)) => a.checked_add(b).map(Value::Int),
            (Arith::Sub, Value::Int(a), Value::Int(b)) => a.checked_sub(b).map(Value::Int),
            (Arith::Mul, Value::Int(a), Value::Int(b)) => a.checked_mul(b).map(Value::Int),
            _ => None,
        },
        _ => None,
    }
}

fn compare(op: Compare, a: &Expr, b: &Expr, left: &mut usize) -> Formula {
    // What is different is what is not equal: nothing is equal to what is absent, and so it differs.
    if op == Compare::Ne {
        return compare(Compare::Eq, a, b, left).not();
    }
    match (constant(a), constant(b)) {
        (Some(a), Some(b)) => Formula::constant(op.says(&a, &b)),
        (None, Some(Value::Bool(b))) => {
            if b {
                Formula::within(a, left)
            } else {
                Formula::within(a, left).not()
            }
        }
        (Some(Value::Bool(a)), None) => {
            if a {
                Formula::within(b, left)
            } else {
                Formula::within(b, left).not()
            }
        }
        (None, Some(v)) => test(a, Test::Than(op, v)),
        (Some(v), None) => test(b, Test::Than(op.turned(), v)),
        (None, None) if a.key == b.key => match op {
            Compare::Eq | Compare::Le | Compare::Ge if a.maybe => test(a, Test::Known),
            Compare::Eq | Compare::Le | Compare::Ge => Formula::yes(),
            _ => Formula::no(),
        },
        (None, None) => Formula::of(Atom::Asked(key(&format!("{op:?}"), &[a.key, b.key]))),
    }
}

fn membership(e: &Expr, item: &Expr, of: &Expr) -> Formula {
    match (&item.node, &of.node) {
        (_, Node::Binding(_, body)) => membership(e, item, body),
        (Node::Const(Value::Text(id)), Node::Field(x, Field::Incident(IncidentField::Signals))) if matches!(x.node, Node::Incident) => {
            Formula::of(Atom::Signal(id.to_string()))
        }
        (Node::Const(Value::Text(id)), Node::Field(x, Field::Incident(IncidentField::Types))) if matches!(x.node, Node::Incident) => {
            Formula::of(Atom::Type(id.to_string()))
        }
        (_, Node::Array(items)) if constant(item).is_none() && items.iter().all(|i| constant(i).is_some()) => {
            Formula::Any(items.iter().filter_map(constant).map(|v| test(item, Test::Than(Compare::Eq, v))).collect())
        }
        // `contains` and `in` ask the same.
        _ if matches!(of.ty, Ty::List(_)) => Formula::All(vec![Formula::of(Atom::Asked(key("in", &[item.key, of.key]))), filled(of)]),
        _ => Formula::of(Atom::Asked(e.key)),
    }
}

/// Whether all of these can hold together, as far as can be told.
pub(super) fn possible(all: &[&Formula]) -> bool {
    let mut budget = BUDGET;
    search(all.to_vec(), Vec::new(), Vec::new(), &mut budget)
}

/// Whether the first always holds when the others do.
pub(super) fn follows(what: &Formula, from: &[&Formula]) -> bool {
    let contrary = what.clone().not();
    let mut all = from.to_vec();
    all.push(&contrary);
    !possible(&all)
}

fn search<'f>(mut open: Vec<&'f Formula>, mut choices: Vec<&'f [Formula]>, mut known: Vec<(&'f Atom, bool)>, budget: &mut usize) -> bool {
    while let Some(f) = open.pop() {
        if *budget == 0 {
            return true;
        }
        *budget = budget.saturating_sub(1);
        match f {
            Formula::One(a, is) => {
                if !fits(a, *is, &known) {
                    return false;
                }
                known.push((a, *is));
            }
            Formula::All(all) => open.extend(all.iter()),
            Formula::Any(all) => match all.as_slice() {
                [one] => open.push(one),
                any => choices.push(any),
            },
        }
    }
    let Some(first) = choices.pop() else { return true };
    first.iter().any(|f| search(vec![f], choices.clone(), known.clone(), budget))
}

/// Whether a question can be answered so, beside what is known.
fn fits(atom: &Atom, is: bool, known: &[(&Atom, bool)]) -> bool {
    match atom {
        Atom::Test(subject, test) => {
            let others = known.iter().filter_map(|(a, is)| match a {
                Atom::Test(s, t) if s.key == subject.key => Some((t, *is)),
                _ => None,
            });
            let all: Vec<(&Test, bool)> = others.chain([(test, is)]).collect();
            let Some(values) = candidates(subject, &all) else { return true };
            values.iter().any(|v| {
                all.iter().all(|(t, is)| {
                    let so = match (t, v) {
                        (Test::Known, v) => v.is_some(),
                        (Test::Than(op, c), v) => op.says(v.as_ref().unwrap_or(&Value::Absent), c),
                    };
                    so == *is
                })
            })
        }
        one => !known.iter().any(|(other, so)| *so != is && alike(one, other)),
    }
}

fn alike(a: &Atom, b: &Atom) -> bool {
    match (a, b) {
        (Atom::Asked(a), Atom::Asked(b)) => a == b,
        (Atom::Signal(a), Atom::Signal(b)) | (Atom::Type(a), Atom::Type(b)) | (Atom::Technique(a), Atom::Technique(b)) => a == b,
        _ => false,
    }
}

/// Values that stand for all others where only these tests are asked: each constant, and what lies beside it. `None` where
/// nothing is known of such values.
fn candidates(subject: &Subject, tests: &[(&Test, bool)]) -> Option<Vec<Option<Value>>> {
    let mut all: Vec<Option<Value>> = Vec::new();
    if subject.maybe {
        all.push(None);
    }
    let mut constants = tests.iter().filter_map(|(t, _)| match t {
        Test::Than(_, v) => Some(v),
        Test::Known => None,
    });
    let Some(first) = constants.clone().next() else {
        all.push(Some(Value::Bool(true)));
        return Some(all);
    };
    if let Value::Level(_) = first {
        all.extend(Level::ALL.iter().map(|l| Some(Value::Level(*l))));
        return Some(all);
    }
    let fractions = constants.clone().any(|v| matches!(v, Value::Float(_)));
    if constants.any(|v| !matches!(v, Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Time(_) | Value::Duration(_))) {
        return None;
    }
    for (t, _) in tests {
        let Test::Than(_, v) = t else { continue };
        match v {
            Value::Int(n) => {
                all.extend([n.saturating_sub(1), *n, n.saturating_add(1)].map(|n| Some(Value::Int(n))));
                if fractions && let Some(x) = v.number() {
                    all.extend([x - 0.5, x + 0.5].map(|x| Some(Value::Float(x))));
                }
            }
            Value::Float(x) => all.extend([x - 1e-6, *x, x + 1e-6, x.floor(), x.ceil()].map(|x| Some(Value::Float(x)))),
            Value::Text(t) => all.extend([String::new(), t.to_string(), format!("{t}\0")].map(|t| Some(Value::text(&t)))),
            Value::Time(t) => {
                let near = jiff::SignedDuration::from_nanos(1);
                all.extend([t.checked_sub(near).ok(), Some(*t), t.checked_add(near).ok()].into_iter().flatten().map(|t| Some(Value::Time(t))));
            }
            Value::Duration(d) => {
                let near = jiff::SignedDuration::from_nanos(1);
                all.extend([d.checked_sub(near), Some(*d), d.checked_add(near)].into_iter().flatten().map(|d| Some(Value::Duration(d))));
            }
            _ => {}
        }
    }
    if subject.count {
        all.push(Some(Value::Int(0)));
        all.retain(|v| v.as_ref().and_then(Value::number).is_none_or(|n| n >= 0.0));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Env, Lowering, Questions};
    use crate::source::{FileId, Scalar, Snippet};
    use std::collections::{BTreeMap, BTreeSet};

    fn read(text: &str) -> Formula {
        let scalar = Scalar::plain(FileId(0), text, 0);
        let (bindings, clauses, lists, known) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let signals = BTreeSet::from(["a".into(), "b".into()]);
        let locals = vec![("user".into(), Ty::entity(crate::model::Kind::User))];
        let env = Env { locals, bindings: &bindings, clauses: &clauses, lists: &lists, signals: &signals, known: &known, deciding_signals: false };
        let mut out = Vec::new();
        let e = Lowering::compile(Snippet::whole(&scalar), env, &mut Questions::default(), &mut out);
        Formula::read(&e.unwrap_or_else(|| panic!("{text}: {out:?}")))
    }

    #[test]
    fn what_contradicts_itself_is_found() {
        for text in [
            "user.malicious && !user.malicious",
            "user.malicious && !user.suspicious",
            "user.upn == \"a\" && user.upn == \"b\"",
            "user.upn == \"a\" && !known(user.upn)",
            "user.risk > \"high\" && user.risk < \"critical\"",
            "users.len() > 3 && users.len() < 4",
            "users.len() < 0",
            "users.is_empty() && users.some(|u| u.malicious)",
            "users.len() == 0 && users.contains(user)",
            "incident.has_signal(\"a\") && !(\"a\" in incident.signals)",
            "(user.upn == \"a\" || user.upn == \"b\") && user.upn in [\"c\", \"d\"]",
            "!(user.malicious || alerts.is_empty()) && (user.malicious || alerts.len() == 0)",
            "incident.has_technique(\"T1566.002\") && !incident.has_technique(\"T1566\")",
            "user.upn < \"b\" && user.upn > \"c\"",
            "incident.first_activity > \"2026-01-02\" && incident.first_activity < \"2026-01-01\"",
            "1 > 2",
        ] {
            assert!(!possible(&[&read(text)]), "{text}");
        }
    }

    #[test]
    fn what_can_hold_is_left_alone() {
        for text in [
            "user.suspicious && !user.malicious",
            "user.upn != \"a\" && user.upn != \"b\"",
            "!(user.upn == \"a\") && !known(user.upn)",
            "user.risk > \"medium\" && user.risk < \"critical\"",
            "users.len() > 2 && users.len() < 4",
            "!users.all(|u| u.malicious) && !users.some(|u| u.malicious)",
            "users.len() == 0 && users.all(|u| u.malicious)",
            "incident.has_signal(\"a\") && !incident.has_signal(\"b\")",
            "user.upn > \"a\" && user.upn < \"b\"",
            "user.risk >= \"low\" || !(user.risk >= \"low\")",
            "!(user.risk >= \"low\") && !(user.risk < \"low\")",
            "user.upn.len() == 0",
        ] {
            assert!(possible(&[&read(text)]), "{text}");
        }
    }

    #[test]
    fn what_match_says_is_the_same_question() {
        let severity = Formula::severity(Level::Medium);
        assert!(follows(&read("incident.severity >= \"low\""), &[&severity]));
        assert!(!follows(&read("incident.severity >= \"high\""), &[&severity]));
        assert!(!possible(&[&read("incident.severity < \"medium\""), &severity]));
        assert!(!possible(&[&read("!known(incident.severity)"), &severity]));
        let user = Formula::kind(crate::model::Kind::User);
        assert!(follows(&read("users.len() > 0"), &[&user]) && follows(&read("!users.is_empty()"), &[&user]));
        assert!(!possible(&[&read("users.len() == 0"), &user]) && !follows(&read("users.len() > 1"), &[&user]));
        assert!(follows(&read("incident.has_signal(\"a\")"), &[&Formula::signals(["a"])]));
        assert!(!follows(&read("incident.has_signal(\"a\")"), &[&Formula::signals(["a", "b"])]));
        assert!(follows(&read("incident.has_signal(\"a\") || incident.has_signal(\"b\")"), &[&Formula::signals(["a", "b"])]));
    }

    #[test]
    fn what_is_too_large_can_hold() {
        // Seven pigeons in six holes: impossible, and too much to try.
        let at = |p: usize, h: usize| Formula::of(Atom::Signal(format!("{p} {h}")));
        let placed = (0..7).map(|p| Formula::Any((0..6).map(|h| at(p, h)).collect()));
        let pairs = (0..7).flat_map(|p| (0..p).map(move |q| (p, q)));
        let apart = pairs.flat_map(|(p, q)| (0..6).map(move |h| Formula::All(vec![at(p, h), at(q, h)]).not()));
        let all: Vec<Formula> = placed.chain(apart).collect();
        assert!(possible(&all.iter().collect::<Vec<_>>()));
    }
}
