//! What would make a function of the table say yes, or no.

use serde_json::json;

use super::super::ops::{self, NewAlert};
use super::{ITEMS, Ideas};
use crate::model::{AlertIx, EntityIx};
use crate::script::expr::{Expr, Node};
use crate::script::fields::{EntityField, Field, IncidentField};
use crate::script::functions::{Function, Pat};
use crate::script::{Ty, Value};

impl Ideas<'_, '_> {
    /// What would make a call hold, or not hold.
    pub(super) fn call(&mut self, f: &Function, args: &[Expr], params: &[Value], wanted: bool) {
        let values: Vec<Value> = args.iter().map(|a| self.value(a, params)).collect();
        let (Some(first), Some(on)) = (args.first(), values.first()) else { return };
        let word = values.get(1).and_then(Value::as_text).unwrap_or_default().to_owned();
        match (f.name, on) {
            ("has_role", Value::Entity(e)) => self.role(*e, &word, wanted),
            ("has_tag", Value::Entity(e)) => self.tag(*e, &word, wanted),
            ("in_list", Value::Entity(_)) => {
                if let Some(Value::Named(n)) = values.get(1)
                    && let Some(list) = self.cx.facts.lists.get(*n as usize)
                {
                    self.fixed.insert(list.id.to_string());
                }
            }
            ("has_signal", Value::Entity(e)) => self.signal(&word, Some(*e), wanted),
            ("has_signal", Value::Alert(a)) => self.signal_of(&word, *a, wanted),
            ("has_signal", _) => self.signal(&word, None, wanted),
            ("has_technique" | "has_tactic", Value::Alert(a)) => self.technique_of(f.name, &word, *a, wanted),
            ("has_technique" | "has_tactic", _) => self.technique(f.name, &word, wanted),
            ("is_empty", Value::List(_)) => self.size(first, None, params, !wanted),
            ("contains", Value::List(_)) => {
                let item = values.get(1).cloned().unwrap_or(Value::Absent);
                if let Some(x) = args.get(1).filter(|x| !matches!(x.node, Node::Const(_))) {
                    let there: Vec<Value> = on.items().iter().take(ITEMS).cloned().collect();
                    if wanted { there.iter().for_each(|v| self.set(x, params, v)) } else { self.set(x, params, &Value::Absent) }
                }
                self.holding(first, params, &item, wanted);
            }
            ("intersects", Value::List(_)) => {
                let Some(other) = args.get(1) else { return };
                let others = self.value(other, params);
                for (list, items) in [(first, &others), (other, on)] {
                    for item in items.items().iter().take(ITEMS) {
                        self.holding(list, params, item, wanted);
                    }
                }
            }
            ("known", Value::Absent) if wanted => self.invent(first, params),
            ("known", _) if !wanted => {
                self.set(first, params, &Value::Absent);
                if let Node::Call(_, inner) = &first.node
                    && let Some(list) = inner.first()
                {
                    self.shrink(list, params, None);
                }
            }
            ("shares_alert", Value::Entity(e)) => {
                if let Some(Value::Entity(o)) = values.get(1) {
                    self.together(*e, *o, wanted);
                }
            }
            ("reaches", Value::Entity(e)) if wanted => {
                if let Some(Value::Entity(o)) = values.get(1) {
                    self.any_relation(*e, *o);
                }
            }
            _ if f.on == Pat::Text => self.texts(f, args, &values, params, wanted),
            _ => {}
        }
    }

    /// Functions on text: a text that fits, where what is asked for is a plain one.
    fn texts(&mut self, f: &Function, args: &[Expr], values: &[Value], params: &[Value], wanted: bool) {
        let Some(first) = args.first() else { return };
        if !wanted {
            return self.set(first, params, &Value::Absent);
        }
        let text = match (f.name, values.get(1)) {
            ("starts_with" | "ends_with" | "contains" | "has", Some(Value::Text(t))) => t.to_string(),
            ("has_any", Some(v)) => v.items().first().and_then(Value::as_text).unwrap_or_default().to_owned(),
            ("is_private_ip", _) => "10.0.0.1".to_owned(),
            ("is_public_ip", _) => "198.51.100.1".to_owned(),
            _ => return,
        };
        self.set(first, params, &Value::text(&text));
    }

    /// A value of the right type where nothing is recorded.
    fn invent(&mut self, e: &Expr, params: &[Value]) {
        let value = match &e.ty {
            Ty::Text => Value::text("example"),
            Ty::Int => Value::Int(1),
            Ty::Level => Value::Level(crate::model::Level::High),
            Ty::Time => self.cx.facts.incident.last_activity.map_or(Value::Absent, Value::Time),
            _ => Value::Absent,
        };
        if value.is_absent() {
            self.grow(e, params)
        } else {
            self.set(e, params, &value)
        }
        if let Node::Call(_, args) = &e.node
            && let Some(list) = args.first()
        {
            self.grow(list, params);
        }
    }

    fn role(&mut self, e: EntityIx, role: &str, wanted: bool) {
        let id = self.id(e);
        let own: Vec<&str> = self.cx.facts.entity(e).into_iter().flat_map(|x| x.roles.iter().map(|t| &**t)).collect();
        self.add(ops::words_of(id, "roles", own, role, wanted));
        if !wanted {
            let said = self.cx.facts.mark(e).and_then(|m| m.roles.get(role)).cloned().unwrap_or_default();
            let ids: Vec<&str> = said.iter().map(|a| self.alert_id(*a)).collect();
            if (1..=3).contains(&ids.len()) {
                self.add(ops::no_alert(&ids));
            }
        }
    }

    fn tag(&mut self, e: EntityIx, tag: &str, wanted: bool) {
        let id = self.id(e);
        let own: Vec<&str> = self.cx.facts.entity(e).into_iter().flat_map(|x| x.tags.iter().map(|t| &**t)).collect();
        if let (false, Some(from)) = (wanted, self.cx.facts.mark(e).and_then(|m| m.tags.get(tag)))
            && from != "signal"
        {
            self.fixed.insert(from.clone());
        }
        self.add(ops::words_of(id, "tags", own, tag, wanted));
    }

    /// An alert that says a signal of an entity, or of the incident; or that none says it.
    pub(super) fn signal(&mut self, signal: &str, about: Option<EntityIx>, wanted: bool) {
        let facts = self.cx.facts;
        if wanted {
            let named: Vec<&str> = about.map(|e| self.id(e)).into_iter().collect();
            for fields in super::matching::wordings(self.asked.set, signal) {
                let idea = ops::new_alert(facts.incident, &NewAlert { says: signal, kind: "signal", fields, about: named.clone() });
                self.add(idea);
            }
            if let Some(e) = about {
                // An alert that says it already may name this one too.
                for (ix, a) in facts.incident.alerts().filter(|(ix, _)| facts.signals_of(*ix).any(|s| **s == *signal)).take(ITEMS) {
                    if !a.entities.contains_key(&e) {
                        let idea = ops::named(self.alert_id(ix), self.id(e), true);
                        self.add(idea);
                    }
                }
            }
            return;
        }
        let saying: Vec<AlertIx> = facts
            .incident
            .alerts()
            .filter(|(ix, a)| facts.signals_of(*ix).any(|s| **s == *signal) && about.is_none_or(|e| a.entities.contains_key(&e)))
            .map(|(ix, _)| ix)
            .collect();
        if (1..=3).contains(&saying.len()) {
            let ids: Vec<&str> = saying.iter().map(|a| self.alert_id(*a)).collect();
            self.add(ops::no_alert(&ids));
            if let (Some(e), [one]) = (about, ids.as_slice()) {
                let idea = ops::named(one, self.id(e), false);
                self.add(idea);
            }
        }
    }

    fn signal_of(&mut self, signal: &str, a: AlertIx, wanted: bool) {
        let id = self.alert_id(a);
        if !wanted {
            return self.add(ops::no_alert(&[id]));
        }
        for fields in super::matching::wordings(self.asked.set, signal) {
            for (key, field) in [("detectors", "detectors"), ("title", "title")] {
                if let Some(v) = fields.get(field) {
                    self.add(ops::alert(id, key, Some(v.clone())));
                }
            }
        }
    }

    fn technique_of(&mut self, name: &str, wanted_id: &str, a: AlertIx, wanted: bool) {
        let (id, key) = (self.alert_id(a), if name == "has_technique" { "techniques" } else { "tactics" });
        let Some(alert) = self.cx.facts.incident.alert(a) else { return };
        let own = if key == "techniques" { &alert.techniques } else { &alert.tactics };
        let kept: Vec<&str> = own.iter().map(|t| &**t).filter(|t| wanted || !crate::model::technique::covers(wanted_id, t)).collect();
        let all: Vec<&str> = if wanted { kept.into_iter().chain([wanted_id]).collect() } else { kept };
        self.add(ops::alert(id, key, Some(json!(all))));
    }

    /// A technique or tactic of any alert.
    pub(super) fn technique(&mut self, name: &str, id: &str, wanted: bool) {
        let facts = self.cx.facts;
        let alerts: Vec<AlertIx> = facts
            .incident
            .alerts()
            .filter(|(_, a)| wanted || a.techniques.iter().any(|t| crate::model::technique::covers(id, t)) || a.tactics.contains(id))
            .map(|(ix, _)| ix)
            .take(ITEMS)
            .collect();
        for a in &alerts {
            self.technique_of(name, id, *a, wanted);
        }
        if wanted && alerts.is_empty() && name == "has_technique" {
            let new = NewAlert { says: id, kind: "technique", fields: json!({"title": "Example", "techniques": [id]}), about: Vec::new() };
            self.add(ops::new_alert(facts.incident, &new));
        }
    }

    /// Two entities in one alert, or not.
    fn together(&mut self, e: EntityIx, o: EntityIx, wanted: bool) {
        let facts = self.cx.facts;
        let (Some(x), Some(y)) = (facts.entity(e), facts.entity(o)) else { return };
        if wanted {
            for (alerts, other) in [(&x.alerts, o), (&y.alerts, e)] {
                for a in alerts.iter().take(ITEMS) {
                    let idea = ops::named(self.alert_id(*a), self.id(other), true);
                    self.add(idea);
                }
            }
        } else {
            for a in x.alerts.intersection(&y.alerts).take(ITEMS) {
                let idea = ops::named(self.alert_id(*a), self.id(e), false);
                self.add(idea);
            }
        }
    }

    /// An item that a list of words or entities is to hold, or not to hold.
    pub(super) fn holding(&mut self, list: &Expr, params: &[Value], item: &Value, wanted: bool) {
        if let Node::Field(of, field) = &list.node {
            let whose = self.value(of, params);
            match (&whose, field, item) {
                (Value::Entity(e), Field::Entity(EntityField::Roles), Value::Text(t)) => return self.role(*e, t, wanted),
                (Value::Entity(e), Field::Entity(EntityField::Tags), Value::Text(t)) => return self.tag(*e, t, wanted),
                (Value::Entity(e), Field::Entity(EntityField::Signals), Value::Text(t)) => return self.signal(t, Some(*e), wanted),
                (Value::Incident, Field::Incident(IncidentField::Signals), Value::Text(t)) => return self.signal(t, None, wanted),
                (Value::Incident, Field::Incident(IncidentField::Techniques), Value::Text(t)) => return self.technique("has_technique", t, wanted),
                (Value::Incident, Field::Incident(IncidentField::Types), Value::Text(t)) => return self.incident_type(t, wanted),
                _ => {}
            }
        }
        if wanted {
            self.member(list, params, item);
        } else {
            self.shrink(list, params, Some(item));
        }
    }
}
