//! What expressions can ask about: an incident, its graph, and what signals and lists add to both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lists::NamedList;
use super::value::Value;
use crate::model::{AlertIx, Entity, EntityGraph, EntityIx, Incident, Kind, Prop, PropValue, Time, Verdict};

/// What signals and lists say of an entity, beyond its own records.
#[derive(Clone, Debug, Default)]
pub struct Mark {
    /// A verdict, and the alerts that say it.
    pub verdict: Option<(Verdict, BTreeSet<AlertIx>)>,
    /// Roles, with the alerts that say each.
    pub roles: BTreeMap<String, BTreeSet<AlertIx>>,
    /// Tags, with the list or signal that gives each.
    pub tags: BTreeMap<String, String>,
    /// Properties, with the alerts that say each.
    pub props: BTreeMap<Prop, (PropValue, BTreeSet<AlertIx>)>,
    /// Those of the properties that a detector's own id stands for, not a title: as good as a typed field of the source.
    pub typed: BTreeSet<Prop>,
    /// Signals of its alerts.
    pub signals: BTreeSet<Arc<str>>,
}

/// An incident with all that can be known of it before any playbook is asked.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// Its graph, with the relations that signals say.
    pub graph: EntityGraph,
    /// The signals of each alert.
    pub said: Vec<BTreeSet<Arc<str>>>,
    /// What signals and lists say of each entity.
    pub marks: Vec<Mark>,
    /// Incident types that hold, best first, with their scores.
    pub types: Vec<(Arc<str>, u8)>,
    /// The named lists.
    pub lists: &'a [Arc<NamedList>],
    /// The moment that `now()` gives.
    pub now: Time,
    by_kind: BTreeMap<Kind, Value>,
}

impl<'a> Facts<'a> {
    /// The facts of an incident before signals are known.
    pub fn new(incident: &'a Incident, lists: &'a [Arc<NamedList>], now: Option<Time>) -> Self {
        let mut by_kind: BTreeMap<Kind, Vec<Value>> = BTreeMap::new();
        for (ix, e) in incident.entities() {
            by_kind.entry(e.kind).or_default().push(Value::Entity(ix));
        }
        Self {
            incident,
            graph: EntityGraph::build(incident.entities.len(), incident.relations.iter().cloned()),
            said: vec![BTreeSet::new(); incident.alerts.len()],
            marks: vec![Mark::default(); incident.entities.len()],
            types: Vec::new(),
            lists,
            now: now.or(incident.last_activity).or(incident.created).unwrap_or(Time::UNIX_EPOCH),
            by_kind: by_kind.into_iter().map(|(k, v)| (k, Value::list(v))).collect(),
        }
    }

    /// The same incident with nothing but what its source says in typed form.
    pub fn bare(&self) -> Facts<'a> {
        let mut bare = Facts::new(self.incident, &[], Some(self.now));
        for (plain, mark) in bare.marks.iter_mut().zip(&self.marks) {
            plain.props = mark.props.iter().filter(|(p, _)| mark.typed.contains(p)).map(|(p, v)| (*p, v.clone())).collect();
        }
        bare
    }

    /// All entities of a kind, by id.
    pub fn of_kind(&self, kind: Kind) -> Value {
        self.by_kind.get(&kind).cloned().unwrap_or_else(|| Value::list([]))
    }

    /// Whether there is an entity of this kind.
    pub fn has_kind(&self, kind: Kind) -> bool {
        self.by_kind.contains_key(&kind)
    }

    /// An entity.
    pub fn entity(&self, e: EntityIx) -> Option<&'a Entity> {
        self.incident.entity(e)
    }

    /// What signals and lists say of an entity.
    pub fn mark(&self, e: EntityIx) -> Option<&Mark> {
        self.marks.get(e.0 as usize)
    }

    /// The verdict that counts: the source's, or a signal's where that is stronger and the source did not clear it.
    pub fn verdict(&self, e: EntityIx) -> Verdict {
        let own = self.entity(e).map_or(Verdict::Unknown, |e| e.verdict);
        match self.mark(e).and_then(|m| m.verdict.as_ref()) {
            Some((said, _)) if own != Verdict::NoThreatsFound => own.max(*said),
            _ => own,
        }
    }

    /// All tags of an entity.
    pub fn tags(&self, e: EntityIx) -> BTreeSet<&str> {
        let own = self.entity(e).into_iter().flat_map(|e| e.tags.iter().map(|t| &**t));
        own.chain(self.mark(e).into_iter().flat_map(|m| m.tags.keys().map(String::as_str))).collect()
    }

    /// All roles of an entity.
    pub fn roles(&self, e: EntityIx) -> BTreeSet<&str> {
        let own = self.entity(e).into_iter().flat_map(|e| e.roles.iter().map(|t| &**t));
        own.chain(self.mark(e).into_iter().flat_map(|m| m.roles.keys().map(String::as_str))).collect()
    }

    /// The alerts in which an entity plays a part, and whether a record says so.
    pub fn role_alerts(&self, e: EntityIx, role: &str) -> (BTreeSet<AlertIx>, bool) {
        let own: BTreeSet<AlertIx> =
            self.incident.alerts().filter(|(_, a)| a.entities.get(&e).is_some_and(|roles| roles.contains(role))).map(|(ix, _)| ix).collect();
        if !own.is_empty() {
            return (own, true);
        }
        (self.mark(e).and_then(|m| m.roles.get(role)).cloned().unwrap_or_default(), false)
    }

    /// What a property holds: the records' latest, or what a signal says.
    pub fn prop(&self, e: EntityIx, prop: Prop) -> Option<&PropValue> {
        // "Was it ever" is decided by any report, of a record or of a signal.
        if prop.spec().name.starts_with("was_") {
            let ever = self.entity(e)?.props.get(&prop).into_iter().flatten().map(|r| &r.value).find(|v| **v == PropValue::Bool(true));
            if ever.is_some() {
                return ever;
            }
        }
        self.mark(e).and_then(|m| m.props.get(&prop)).map(|(v, _)| v).or_else(|| self.entity(e)?.prop(prop))
    }

    /// The signals of an alert.
    pub fn signals_of(&self, a: AlertIx) -> impl Iterator<Item = &Arc<str>> {
        self.said.get(a.0 as usize).into_iter().flatten()
    }

    /// The signals of the incident.
    pub fn signals(&self) -> BTreeSet<&Arc<str>> {
        self.said.iter().flatten().collect()
    }

    /// Whether any alert says this signal.
    pub fn says(&self, signal: &str) -> bool {
        self.said.iter().any(|s| s.contains(signal))
    }
}
