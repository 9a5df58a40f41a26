//! What would put something into a list, or take something out of it.

use super::super::ops;
use super::{DEEP, ITEMS, Ideas};
use crate::model::{EntityIx, Kind, Rel, Time};
use crate::script::Value;
use crate::script::expr::{Arith, Each, Expr, Node};
use crate::script::fields::{EntityField, Field};
use crate::script::functions::{Function, Ret};

/// The relation that is written as an argument.
fn rel(values: &[Value], n: usize) -> Option<Rel> {
    match values.get(n) {
        Some(Value::Rel(r)) => Some(*r),
        _ => None,
    }
}

fn kind(values: &[Value], n: usize) -> Option<Kind> {
    match values.get(n) {
        Some(Value::Kind(k)) => Some(*k),
        _ => None,
    }
}

impl Ideas<'_, '_> {
    fn deeper(&mut self, run: impl FnOnce(&mut Self)) {
        if self.depth < DEEP {
            self.depth = self.depth.saturating_add(1);
            run(self);
            self.depth = self.depth.saturating_sub(1);
        }
    }

    /// What would make a list hold an item.
    pub(super) fn member(&mut self, list: &Expr, params: &[Value], item: &Value) {
        self.deeper(|me| match &list.node {
            Node::Binding(_, body) => me.member(body, &[], item),
            Node::Each(Each::Filter, from, test) => {
                if !me.value(from, params).items().iter().any(|x| x.same(item)) {
                    me.member(from, params, item);
                }
                let mut with = params.to_vec();
                with.push(item.clone());
                if !me.holds(test, &with) {
                    me.want(test, &with, true);
                }
            }
            Node::Each(Each::Map, from, body) => me.mapped(from, body, params, item),
            Node::Arith(Arith::Add, a, b) => {
                me.member(a, params, item);
                me.member(b, params, item);
            }
            Node::Call(f, args) => {
                let values: Vec<Value> = args.iter().map(|a| me.value(a, params)).collect();
                match (f.name, values.first(), item) {
                    ("out", Some(Value::Entity(e)), Value::Entity(i)) => me.relate(*e, rel(&values, 1), *i),
                    ("into", Some(Value::Entity(e)), Value::Entity(i)) => me.relate(*i, rel(&values, 1), *e),
                    ("related", Some(Value::Entity(e)), Value::Entity(i)) => me.any_relation(*e, *i),
                    ("entities", Some(Value::Alert(a)), Value::Entity(i)) => {
                        let idea = ops::named(me.alert_id(*a), me.id(*i), true);
                        me.add(idea);
                    }
                    _ if matches!(f.ret, Ret::Same | Ret::Flat) => {
                        if let Some(from) = args.first() {
                            me.member(from, params, item);
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        });
    }

    /// What would make a list of what is made of other things hold an item.
    fn mapped(&mut self, from: &Expr, body: &Expr, params: &[Value], item: &Value) {
        let all = self.value(from, params);
        let mut with = params.to_vec();
        for x in all.items().iter().take(ITEMS) {
            with.push(x.clone());
            // What it is made of may be a list itself.
            if matches!(self.value(body, &with), Value::List(_)) {
                self.member(body, &with, item);
            } else {
                self.set(body, &with, item);
            }
            with.pop();
        }
        self.grow(from, params);
    }

    /// What would put anything more into a list.
    pub(super) fn grow(&mut self, list: &Expr, params: &[Value]) {
        self.deeper(|me| match &list.node {
            Node::Binding(_, body) => me.grow(body, &[]),
            Node::Each(Each::Filter | Each::First, from, test) => {
                let items = me.value(from, params);
                let mut with = params.to_vec();
                for item in items.items().iter().take(ITEMS) {
                    with.push(item.clone());
                    if !me.holds(test, &with) {
                        me.want(test, &with, true);
                    }
                    with.pop();
                }
                me.grow(from, params);
            }
            Node::Each(Each::Map, from, _) => me.grow(from, params),
            Node::Arith(Arith::Add, a, b) => {
                me.grow(a, params);
                me.grow(b, params);
            }
            Node::Collection(kind) => {
                let idea = ops::some_entity(me.cx.facts.incident, *kind);
                me.add(idea);
            }
            Node::Field(of, Field::Entity(EntityField::Alerts)) => {
                if let Value::Entity(e) = me.value(of, params) {
                    let alerts: Vec<_> =
                        me.cx.facts.incident.alerts().filter(|(_, a)| !a.entities.contains_key(&e)).map(|(ix, _)| ix).take(ITEMS).collect();
                    for a in alerts {
                        let idea = ops::named(me.alert_id(a), me.id(e), true);
                        me.add(idea);
                    }
                }
            }
            Node::Call(f, args) => me.grow_call(f, args, params),
            _ => {}
        });
    }

    fn grow_call(&mut self, f: &Function, args: &[Expr], params: &[Value]) {
        let values: Vec<Value> = args.iter().map(|a| self.value(a, params)).collect();
        match (f.name, values.first()) {
            ("out", Some(Value::Entity(e))) => self.ends(*e, rel(&values, 1), true, None),
            ("into", Some(Value::Entity(e))) => self.ends(*e, rel(&values, 1), false, None),
            ("edges" | "possible", Some(Value::Entity(e))) => {
                self.ends(*e, rel(&values, 1), true, None);
                self.ends(*e, rel(&values, 1), false, None);
            }
            ("then", Some(Value::Entity(e))) => self.sequence(*e, rel(&values, 1), rel(&values, 2)),
            ("related", Some(Value::Entity(e))) => {
                let wanted = kind(&values, 1);
                let others: Vec<EntityIx> =
                    self.cx.facts.incident.entities().filter(|(ix, x)| Some(x.kind) == wanted && ix != e).map(|(ix, _)| ix).take(ITEMS).collect();
                for o in others {
                    self.any_relation(*e, o);
                }
            }
            ("having", _) => {
                let signal = values.get(1).and_then(Value::as_text).unwrap_or_default().to_owned();
                self.signal(&signal, None, true);
            }
            ("entities", Some(Value::Alert(a))) => {
                let wanted = kind(&values, 1);
                let (alert, facts) = (self.alert_id(*a), self.cx.facts);
                let others: Vec<EntityIx> = facts
                    .incident
                    .entities()
                    .filter(|(ix, x)| Some(x.kind) == wanted && facts.incident.alert(*a).is_some_and(|a| !a.entities.contains_key(ix)))
                    .map(|(ix, _)| ix)
                    .take(ITEMS)
                    .collect();
                for o in others {
                    let idea = ops::named(alert, self.id(o), true);
                    self.add(idea);
                }
            }
            ("entities", Some(Value::Kind(k))) => {
                let idea = ops::some_entity(self.cx.facts.incident, *k);
                self.add(idea);
            }
            _ => {
                if let Some(from) = args.first() {
                    self.grow(from, params);
                }
            }
        }
    }

    /// A relation between two entities that are there.
    fn relate(&mut self, from: EntityIx, rel: Option<Rel>, to: EntityIx) {
        let (Some(rel), Some(a), Some(b)) = (rel, self.cx.facts.entity(from), self.cx.facts.entity(to)) else { return };
        if from != to && rel.spec().from.has(a.kind) && rel.spec().to.has(b.kind) {
            self.add(ops::related(&a.id, rel, &b.id, None, false));
        }
    }

    /// Any relation that can be between two entities.
    pub(super) fn any_relation(&mut self, e: EntityIx, o: EntityIx) {
        let rels = (0u8..).map(Rel).zip(crate::model::kind::RELATIONS).map(|(r, _)| r);
        for r in rels {
            self.relate(e, Some(r), o);
            self.relate(o, Some(r), e);
        }
    }

    /// A relation of an entity to one that is there, what looks bad first, or to a new one.
    fn ends(&mut self, e: EntityIx, rel: Option<Rel>, out: bool, times: Option<(Time, Time)>) {
        let facts = self.cx.facts;
        let (Some(rel), Some(own)) = (rel, facts.entity(e)) else { return };
        let (near, far) = if out { (rel.spec().from, rel.spec().to) } else { (rel.spec().to, rel.spec().from) };
        if !near.has(own.kind) {
            return;
        }
        let mut others: Vec<(EntityIx, &str)> =
            facts.incident.entities().filter(|(ix, x)| *ix != e && far.has(x.kind)).map(|(ix, x)| (ix, x.id.as_ref())).collect();
        others.sort_by_key(|(ix, _)| (std::cmp::Reverse(facts.verdict(*ix)), *ix));
        for (_, other) in others.into_iter().take(ITEMS) {
            let (from, to) = if out { (own.id.as_ref(), other) } else { (other, own.id.as_ref()) };
            self.add(ops::related(from, rel, to, times, false));
        }
        if let Some(kind) = Kind::ALL.iter().copied().find(|k| far.has(*k)) {
            let new = ops::invented(facts.incident, kind);
            let (from, to) = if out { (own.id.as_ref(), new.as_str()) } else { (new.as_str(), own.id.as_ref()) };
            self.add(ops::related(from, rel, to, times, true));
        }
    }

    /// Two relations in time order.
    fn sequence(&mut self, e: EntityIx, earlier: Option<Rel>, later: Option<Rel>) {
        let facts = self.cx.facts;
        let first = |rel: Option<Rel>| {
            let all = facts.graph.leaving(e, false);
            all.into_iter().filter_map(|x| facts.graph.edge(x)).filter(|r| Some(r.rel) == rel).filter_map(|r| r.first).min()
        };
        let minute = jiff::SignedDuration::from_mins(1);
        let after = |t: Time| t.checked_add(minute).unwrap_or(t);
        let now = facts.incident.last_activity.unwrap_or(facts.now);
        match (first(earlier), first(later)) {
            (Some(begin), _) => self.ends(e, later, true, Some((after(begin), after(begin)))),
            (None, Some(end)) => {
                let before = end.checked_sub(minute).unwrap_or(end);
                self.ends(e, earlier, true, Some((before, before)));
            }
            (None, None) => {
                self.ends(e, earlier, true, Some((now, now)));
                self.ends(e, later, true, Some((after(now), after(now))));
            }
        }
    }

    /// What would take an item out of a list, or everything.
    pub(super) fn shrink(&mut self, list: &Expr, params: &[Value], item: Option<&Value>) {
        self.deeper(|me| match &list.node {
            Node::Binding(_, body) => me.shrink(body, &[], item),
            Node::Each(Each::Filter, from, test) => {
                let all = me.value(list, params);
                let mut with = params.to_vec();
                for x in all.items().iter().filter(|x| item.is_none_or(|i| i.same(x))).take(ITEMS) {
                    with.push(x.clone());
                    me.want(test, &with, false);
                    with.pop();
                }
                me.shrink(from, params, item);
            }
            Node::Each(Each::Map, from, _) => me.shrink(from, params, None),
            Node::Arith(Arith::Add, a, b) => {
                me.shrink(a, params, item);
                me.shrink(b, params, item);
            }
            Node::Call(f, args) if matches!(f.ret, Ret::Same | Ret::Flat) && !args.is_empty() => {
                if let Some(from) = args.first() {
                    me.shrink(from, params, item);
                }
            }
            Node::Call(f, args) => me.shrink_call(f, args, list, params, item),
            _ => me.without(list, params, item),
        });
    }

    fn shrink_call(&mut self, f: &Function, args: &[Expr], list: &Expr, params: &[Value], item: Option<&Value>) {
        let values: Vec<Value> = args.iter().map(|a| self.value(a, params)).collect();
        let Some(Value::Entity(e)) = values.first() else { return self.without(list, params, item) };
        let Some(wanted) = rel(&values, 1) else { return self.without(list, params, item) };
        let facts = self.cx.facts;
        let ways: &[bool] = match f.name {
            "out" | "then" => &[true],
            "into" => &[false],
            _ => &[true, false],
        };
        for out in ways {
            let all = if *out { facts.graph.leaving(*e, true) } else { facts.graph.arriving(*e, true) };
            for r in all.into_iter().filter_map(|x| facts.graph.edge(x)).filter(|r| r.rel == wanted).take(ITEMS) {
                let other = if *out { r.to } else { r.from };
                if item.is_some_and(|i| matches!(i, Value::Entity(x) if *x != other)) {
                    continue;
                }
                let idea = ops::unrelated(self.id(r.from), wanted, self.id(r.to));
                self.add(idea);
                let alerts: Vec<&str> = r.alerts.iter().map(|a| self.alert_id(*a)).collect();
                if (1..=3).contains(&alerts.len()) {
                    self.add(ops::no_alert(&alerts));
                }
            }
        }
    }

    /// The incident without what is in a list.
    fn without(&mut self, list: &Expr, params: &[Value], item: Option<&Value>) {
        let all = self.value(list, params);
        for x in all.items().iter().filter(|x| item.is_none_or(|i| i.same(x))).take(ITEMS) {
            match x {
                Value::Entity(e) => {
                    // Taking away what the card is about explains nothing.
                    let id = self.id(*e);
                    if self.asked.about != Some(id) {
                        self.add(ops::no_entity(id));
                    }
                }
                Value::Alert(a) => {
                    let id = self.alert_id(*a);
                    self.add(ops::no_alert(&[id]));
                }
                Value::Edge(x) => {
                    if let Some(r) = self.cx.facts.graph.edge(*x) {
                        let idea = ops::unrelated(self.id(r.from), r.rel, self.id(r.to));
                        self.add(idea);
                    }
                }
                _ => {}
            }
        }
    }
}
