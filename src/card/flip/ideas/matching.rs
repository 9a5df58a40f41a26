//! What would make a playbook a candidate, or no candidate: its `match`, and the wordings that signals are known by.

use serde_json::{Value as Json, json};

use super::super::ops;
use super::{ITEMS, Ideas};
use crate::playbook::PlaybookSet;
use crate::playbook::set::SignalRule;

/// How many wordings of a signal are tried.
const WORDINGS: usize = 2;

/// Fields of an alert that says a signal, one map for each of its first rules.
pub(super) fn wordings(set: &PlaybookSet, signal: &str) -> Vec<Json> {
    let Some(signal) = set.signals.iter().find(|s| &*s.id == signal) else { return Vec::new() };
    let mut rules: Vec<&SignalRule> = signal.rules.iter().collect();
    // A whole detector id says it by itself; a title is a wording; what an expression asks cannot be guessed.
    rules.sort_by_key(|r| (r.test.is_some(), r.detectors.is_empty(), r.titles.is_empty()));
    rules.into_iter().take(WORDINGS).map(fields).collect()
}

fn fields(rule: &SignalRule) -> Json {
    let mut out = json!({});
    let mut put = |key: &str, value: Json| {
        if let Some(all) = out.as_object_mut() {
            all.insert(key.to_owned(), value);
        }
    };
    match (rule.detectors.first(), rule.families.first()) {
        (Some(d), _) => put("detectors", json!([d])),
        (None, Some(family)) => put("detectors", json!([family.example()])),
        (None, None) => {}
    }
    put("title", json!(rule.titles.first().map_or_else(|| "Example".to_owned(), crate::script::glob::Glob::example)));
    if let Some(p) = rule.products.first() {
        put("product", json!(p.example()));
    }
    if let Some(c) = rule.categories.first() {
        put("category", json!(c));
    }
    out
}

impl Ideas<'_, '_> {
    /// What would make the playbook's `match` hold, or not hold.
    pub(super) fn matching(&mut self, wanted: bool) {
        let m = &self.asked.playbook.matching;
        let facts = self.cx.facts;
        let about = self.asked.about.and_then(|id| super::entity_of(facts, id));
        for key in crate::eval::why::matching(m, facts) {
            if (key.outcome == crate::eval::why::Outcome::Pass) == wanted {
                continue;
            }
            match key.key {
                "severity" => {
                    let level = m.severity.and_then(|l| if wanted { Some(l) } else { ops::next_level(l, false) });
                    self.add(ops::incident("severity", level.map(|l| json!(l.word()))));
                }
                "entities" => {
                    for k in &m.entities {
                        if wanted && !facts.has_kind(*k) {
                            let idea = ops::some_entity(facts.incident, *k);
                            self.add(idea);
                        }
                    }
                }
                "techniques" => {
                    for t in m.techniques.iter().take(ITEMS) {
                        self.technique("has_technique", t, wanted);
                    }
                }
                "signals" if wanted => {
                    for s in m.signals.iter().take(ITEMS) {
                        self.signal(s, about, true);
                    }
                }
                "signals" => {
                    let all: Vec<&str> = facts
                        .incident
                        .alerts()
                        .filter(|(ix, _)| facts.signals_of(*ix).any(|s| m.signals.contains(s)))
                        .map(|(ix, _)| self.alert_id(ix))
                        .collect();
                    if (1..=3).contains(&all.len()) {
                        self.add(ops::no_alert(&all));
                    }
                }
                "types" => {
                    for t in m.types.iter().take(ITEMS) {
                        self.incident_type(t, wanted);
                    }
                }
                _ => {}
            }
        }
    }

    /// What would make the incident one of a type, or none.
    pub(super) fn incident_type(&mut self, id: &str, wanted: bool) {
        let set = self.asked.set;
        let Some(t) = set.types.iter().find(|t| &*t.id == id) else { return };
        let about = self.asked.about.and_then(|id| super::entity_of(self.cx.facts, id));
        for rule in &t.rules {
            for s in rule.signals.iter().filter(|s| wanted || self.cx.facts.says(s)).take(ITEMS).cloned().collect::<Vec<_>>() {
                self.signal(&s, about.filter(|_| wanted), wanted);
            }
            for technique in rule.techniques.iter().take(ITEMS) {
                self.technique("has_technique", technique, wanted);
            }
            if let Some(test) = &rule.test
                && self.holds(test, &[]) != wanted
            {
                self.want(test, &[], wanted);
            }
        }
    }
}
