//! Guesses at what would flip a card, from the clauses that stand in the way of what is wanted.

mod calls;
mod lists;
mod matching;

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::ops::{self, Idea, json_of};
use super::{Asked, entity_of};
use crate::model::{AlertIx, EntityIx, Level, Prop, PropType, Verdict};
use crate::playbook::set::Target;
use crate::script::expr::{Compare, Each, Expr, Node};
use crate::script::fields::{AlertField, EntityField, Field, IncidentField};
use crate::script::trace::{Seen, Shown};
use crate::script::{Cx, Ty, Value};

/// How many guesses are made for one card.
const MOST: usize = 96;
/// How deep clauses are followed.
const DEEP: usize = 32;
/// How many items of a list are looked into.
const ITEMS: usize = 6;

/// Collects guesses.
pub(super) struct Ideas<'w, 'a> {
    asked: Asked<'w>,
    cx: &'w mut Cx<'a>,
    out: Vec<Idea>,
    known: BTreeSet<String>,
    fixed: BTreeSet<String>,
    depth: usize,
}

impl<'w, 'a> Ideas<'w, 'a> {
    /// For a card, over the facts of the incident as it is.
    pub(super) fn new(asked: Asked<'w>, cx: &'w mut Cx<'a>) -> Self {
        Self { asked, cx, out: Vec::new(), known: BTreeSet::new(), fixed: BTreeSet::new(), depth: 0 }
    }

    /// The guesses, least intrusive first, and what stands in the way that is not of the incident.
    pub(super) fn finish(mut self) -> (Vec<Idea>, Option<String>) {
        self.out.sort_by_key(|i| i.rank);
        let note = (!self.fixed.is_empty()).then(|| {
            let all: Vec<String> = self.fixed.iter().map(|l| format!("`{l}`")).collect();
            format!("what is in the list {} is not part of the incident: an entry there could change it too", all.join(", "))
        });
        (self.out, note)
    }

    fn add(&mut self, idea: Idea) {
        let key = idea.ops.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        if self.out.len() < MOST && self.known.insert(key) {
            self.out.push(idea);
        }
    }

    fn id(&self, e: EntityIx) -> &'a str {
        self.cx.facts.entity(e).map_or("", |x| &x.id)
    }

    fn alert_id(&self, a: AlertIx) -> &'a str {
        self.cx.facts.incident.alert(a).map_or("", |x| &x.id)
    }

    fn value(&mut self, e: &Expr, params: &[Value]) -> Value {
        self.cx.value(e, params).unwrap_or(Value::Absent)
    }

    fn holds(&mut self, e: &Expr, params: &[Value]) -> bool {
        self.cx.holds(e, params).unwrap_or(false)
    }

    /// What would make the card come, or go.
    pub(super) fn card(&mut self, wanted: bool) {
        let rule = self.asked.rule;
        self.matching(wanted);
        let about = self.asked.about.and_then(|id| entity_of(self.cx.facts, id));
        let mut params = Vec::new();
        match &rule.target {
            Target::Incident => {}
            Target::Each(_, list) | Target::All(_, list) => {
                let item = about.map(Value::Entity);
                let all = self.value(list, &[]);
                match (&item, wanted) {
                    (Some(item), true) if !all.items().iter().any(|x| x.same(item)) => self.member(list, &[], item),
                    (Some(item), false) => self.shrink(list, &[], Some(item)),
                    (None, true) if all.items().is_empty() => self.grow(list, &[]),
                    (None, false) => self.shrink(list, &[], None),
                    _ => {}
                }
                params.push(if matches!(rule.target, Target::All(..)) { all } else { item.unwrap_or(Value::Absent) });
            }
        }
        if let Some(when) = &rule.when
            && !params.iter().any(Value::is_absent)
        {
            if self.holds(when, &params) != wanted {
                self.want(when, &params, wanted);
            }
            if !wanted {
                let seen = self.cx.traced(when, &params).1;
                self.undo(&seen);
            }
        }
        if let (false, Target::Each(_, list) | Target::All(_, list)) = (wanted, &rule.target) {
            let seen = self.cx.traced(list, &[]).1;
            self.undo(&seen);
        }
    }

    /// Takes away what was looked at.
    fn undo(&mut self, seen: &[Seen]) {
        for s in seen {
            match s.shown(self.cx.facts) {
                Shown::Edge(x) => {
                    if let Some(r) = self.cx.facts.graph.edge(x) {
                        let (from, rel, to) = (r.from, r.rel, r.to);
                        let alerts: Vec<&str> = r.alerts.iter().map(|a| self.alert_id(*a)).collect();
                        let idea = ops::unrelated(self.id(from), rel, self.id(to));
                        self.add(idea);
                        if let 1..=3 = alerts.len() {
                            self.add(ops::no_alert(&alerts));
                        }
                    }
                }
                Shown::Alert { alert, .. } | Shown::Together { alert, .. } => {
                    let id = self.alert_id(alert);
                    self.add(ops::no_alert(&[id]));
                }
                Shown::Fact { alerts, value: Some(_), .. } if (1..=3).contains(&alerts.len()) => {
                    let ids: Vec<&str> = alerts.iter().map(|a| self.alert_id(*a)).collect();
                    self.add(ops::no_alert(&ids));
                }
                _ => {}
            }
        }
    }

    /// What would make an expression hold, or not hold.
    fn want(&mut self, e: &Expr, params: &[Value], wanted: bool) {
        if self.depth >= DEEP || self.out.len() >= MOST {
            return;
        }
        self.depth = self.depth.saturating_add(1);
        match &e.node {
            Node::And(all) | Node::Or(all) => {
                for x in all {
                    if self.holds(x, params) != wanted {
                        self.want(x, params, wanted);
                    }
                }
            }
            Node::Not(x) => self.want(x, params, !wanted),
            Node::Binding(_, body) => self.want(body, &[], wanted),
            Node::Clause(c, args) => {
                let values: Vec<Value> = args.iter().map(|a| self.value(a, params)).collect();
                if values.iter().any(Value::is_absent) {
                    for (a, _) in args.iter().zip(&values).filter(|(_, v)| v.is_absent()) {
                        self.grow(a, params);
                    }
                } else {
                    self.want(&c.body, &values, wanted);
                }
            }
            Node::If(test, yes, no) => {
                let held = self.holds(test, params);
                let (here, other) = if held { (yes, no) } else { (no, yes) };
                self.want(here, params, wanted);
                if self.holds(other, params) == wanted {
                    self.want(test, params, !held);
                }
            }
            Node::Coalesce(all) => {
                if let Some(x) = all.first() {
                    self.set(x, params, &Value::Bool(wanted));
                }
            }
            Node::Each(op @ (Each::Some | Each::All), of, body) => self.each(*op == Each::Some, of, body, params, wanted),
            Node::Compare(op, a, b) => self.compare(*op, a, b, params, wanted),
            Node::In(item, of) => self.inside(item, of, params, wanted),
            Node::Field(..) => self.set(e, params, &Value::Bool(wanted)),
            Node::Call(f, args) => self.call(f, args, params, wanted),
            _ => {}
        }
        self.depth = self.depth.saturating_sub(1);
    }

    /// `some` and `all`.
    fn each(&mut self, some: bool, of: &Expr, body: &Expr, params: &[Value], wanted: bool) {
        let items = self.value(of, params);
        let mut with = params.to_vec();
        for item in items.items().iter().take(ITEMS) {
            with.push(item.clone());
            if self.holds(body, &with) != wanted {
                self.want(body, &with, wanted);
                if some != wanted {
                    // Without the one that spoils it.
                    self.shrink(of, params, Some(item));
                }
            }
            with.pop();
        }
        if some == wanted {
            self.grow(of, params);
        }
    }

    fn compare(&mut self, op: Compare, a: &Expr, b: &Expr, params: &[Value], wanted: bool) {
        let op = if wanted { op } else { op.negated() };
        for (op, left, right) in [(op, a, b), (op.turned(), b, a)] {
            let (here, there) = (self.value(left, params), self.value(right, params));
            if let (Some((list, test)), Value::Int(n)) = (counted(left), &there) {
                let count = if let Value::Int(c) = here { c } else { 0 };
                let more = match op {
                    Compare::Gt | Compare::Ge => true,
                    Compare::Lt | Compare::Le => false,
                    Compare::Eq | Compare::Ne => count <= *n,
                };
                self.size(list, test, params, more);
                continue;
            }
            if !matches!(left.node, Node::Const(_)) {
                for v in fitting(op, &there, &here, &left.ty) {
                    self.set(left, params, &v);
                }
            }
        }
    }

    /// More or fewer items in a list, or for which a test holds.
    fn size(&mut self, list: &Expr, test: Option<&Expr>, params: &[Value], more: bool) {
        match test {
            Some(test) => self.each(true, list, test, params, more),
            None if more => self.grow(list, params),
            None => self.shrink(list, params, None),
        }
    }

    /// `in`
    fn inside(&mut self, item: &Expr, of: &Expr, params: &[Value], wanted: bool) {
        let (value, all) = (self.value(item, params), self.value(of, params));
        match &all {
            Value::Named(n) => {
                if let Some(list) = self.cx.facts.lists.get(*n as usize) {
                    self.fixed.insert(list.id.to_string());
                }
                if !wanted {
                    self.set(item, params, &Value::Absent);
                }
            }
            Value::List(items) => {
                if wanted {
                    for v in items.iter().take(ITEMS) {
                        self.set(item, params, v);
                    }
                    self.holding(of, params, &value, true);
                } else {
                    self.set(item, params, &Value::Absent);
                    self.holding(of, params, &value, false);
                }
            }
            Value::Text(_) => self.set(of, params, if wanted { &value } else { &Value::Absent }),
            _ => {}
        }
    }

    /// Puts a value where an expression reads it from; `Absent` takes it away.
    fn set(&mut self, e: &Expr, params: &[Value], to: &Value) {
        match &e.node {
            Node::Binding(_, body) => self.set(body, &[], to),
            Node::Coalesce(all) => {
                if let Some(x) = all.first() {
                    self.set(x, params, to);
                }
            }
            Node::Call(f, args) if matches!(f.name, "lower" | "trim") => {
                if let Some(x) = args.first() {
                    self.set(x, params, to);
                }
            }
            Node::Field(of, field) => {
                let whose = self.value(of, params);
                self.field(&whose, *field, to);
            }
            _ => {}
        }
    }

    fn field(&mut self, whose: &Value, field: Field, to: &Value) {
        let json = json_of(to);
        match (whose, field) {
            (Value::Entity(e), Field::Prop(p)) => self.prop(*e, p, json),
            (Value::Entity(e), Field::Entity(f)) => self.entity_field(*e, f, to),
            (Value::Alert(a), Field::Alert(f)) => {
                let id = self.alert_id(*a);
                let key = match f {
                    AlertField::Severity => "severity",
                    AlertField::Title => "title",
                    AlertField::Status => "status",
                    AlertField::Product => "product",
                    AlertField::Category => "category",
                    AlertField::Detector => "detectors",
                    AlertField::First => "first",
                    AlertField::Last => "last",
                    AlertField::Created => "created",
                    _ => return,
                };
                let json = if f == AlertField::Detector { json.map(|j| json!([j])) } else { json };
                self.add(ops::alert(id, key, json));
            }
            (Value::Incident, Field::Incident(f)) => {
                let key = match f {
                    IncidentField::Severity => "severity",
                    IncidentField::Title => "title",
                    IncidentField::Status => "status",
                    IncidentField::Source => "source",
                    IncidentField::Created => "created",
                    _ => return,
                };
                self.add(ops::incident(key, json));
            }
            _ => {}
        }
    }

    fn prop(&mut self, e: EntityIx, p: Prop, json: Option<Json>) {
        let id = self.id(e);
        let name = p.spec().name;
        let json = match (json, p.spec().ty) {
            (Some(Json::Bool(false)), PropType::Bool) | (None, PropType::Bool) => Some(json!(false)),
            (json, _) => json,
        };
        self.add(ops::property(id, name, json));
        // What a signal says outweighs a record: then the alert must go.
        if let Some((_, alerts)) = self.cx.facts.mark(e).and_then(|m| m.props.get(&p)) {
            let ids: Vec<&str> = alerts.iter().map(|a| self.alert_id(*a)).collect();
            if ids.len() <= 3 {
                self.add(ops::no_alert(&ids));
            }
        }
    }

    fn entity_field(&mut self, e: EntityIx, f: EntityField, to: &Value) {
        let id = self.id(e);
        match (f, to) {
            (EntityField::Malicious, Value::Bool(true)) => self.add(ops::verdict(id, Verdict::Malicious)),
            (EntityField::Suspicious, Value::Bool(true)) => self.add(ops::verdict(id, Verdict::Suspicious)),
            (EntityField::Malicious | EntityField::Suspicious, _) => {
                self.add(ops::verdict(id, Verdict::Unknown));
                self.add(ops::verdict(id, Verdict::NoThreatsFound));
            }
            (EntityField::Verdict, Value::Text(t)) => {
                if let Some(v) = Verdict::parse(t) {
                    self.add(ops::verdict(id, v));
                }
            }
            (EntityField::Verdict, _) => Verdict::ALL.iter().for_each(|v| self.add(ops::verdict(id, *v))),
            (EntityField::Remediation, Value::Text(t)) => self.add(ops::remediation(id, t)),
            (EntityField::Remediation, _) => self.add(ops::remediation(id, "none")),
            (EntityField::Name, Value::Text(t)) => self.add(ops::name(id, t)),
            _ => {}
        }
    }
}

/// The list whose size an expression is, and the test that counts in it.
fn counted(e: &Expr) -> Option<(&Expr, Option<&Expr>)> {
    match &e.node {
        Node::Call(f, args) if f.name == "len" && matches!(args.first().map(|a| &a.ty), Some(Ty::List(_))) => args.first().map(|a| (a, None)),
        Node::Each(Each::Count, of, test) => Some((of, Some(test))),
        _ => None,
    }
}

/// Values near `now` that compare with `other` in this way.
fn fitting(op: Compare, other: &Value, now: &Value, ty: &Ty) -> Vec<Value> {
    let step = |up: bool| -> Vec<Value> {
        match other {
            Value::Int(n) => if up { n.checked_add(1) } else { n.checked_sub(1) }.map(Value::Int).into_iter().collect(),
            Value::Level(l) => ops::next_level(*l, up).map(Value::Level).into_iter().collect(),
            Value::Time(t) => {
                let second = jiff::SignedDuration::from_secs(1);
                if up { t.checked_add(second) } else { t.checked_sub(second) }.map(Value::Time).into_iter().collect()
            }
            _ => Vec::new(),
        }
    };
    match op {
        Compare::Eq | Compare::Ge | Compare::Le if !other.is_absent() => vec![other.clone()],
        Compare::Gt => step(true),
        // Below the lowest there is nothing; what is not recorded compares with nothing.
        Compare::Lt => step(false).into_iter().chain([Value::Absent]).collect(),
        Compare::Ne => match (other, ty) {
            (Value::Bool(b), _) => vec![Value::Bool(!b)],
            (Value::Level(l), _) => [true, false].iter().filter_map(|up| ops::next_level(*l, *up)).map(Value::Level).chain([Value::Absent]).collect(),
            _ if now.is_absent() => Vec::new(),
            _ => vec![Value::Absent],
        },
        _ => match ty {
            Ty::Level => vec![Value::Level(Level::High)],
            _ => Vec::new(),
        },
    }
}
