//! What expressions can ask about: an incident, its graph, and what signals and lists add to both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::columns::Columns;
use super::fields::{AlertField, EntityField, IncidentField};
use super::lists::NamedList;
use super::value::Value;
use crate::model::{AlertIx, Entity, EntityGraph, EntityIx, Incident, Kind, Prop, PropValue, Report, Set, Text, Time, Verdict};

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
    pub signals: Set<Arc<str>>,
}

/// An incident with all that can be known of it before any playbook is asked.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// Its graph, with the relations that signals say.
    pub graph: EntityGraph,
    /// The signals of each alert.
    pub said: Vec<Set<Arc<str>>>,
    /// The signals of all alerts, each once, in order.
    signals: Vec<Arc<str>>,
    /// The techniques of all alerts, each once, in order.
    techniques: Vec<Text>,
    /// What signals and lists say of each entity.
    pub marks: Vec<Mark>,
    /// Incident types that hold, best first, with their scores.
    pub types: Vec<(Arc<str>, u8)>,
    /// The named lists.
    pub lists: &'a [Arc<NamedList>],
    /// The moment that `now()` gives.
    pub now: Time,
    /// What the entities hold, signals included, in columns.
    pub columns: Columns,
}

impl<'a> Facts<'a> {
    /// The facts of an incident before signals are known.
    pub fn new(incident: &'a Incident, lists: &'a [Arc<NamedList>], now: Option<Time>) -> Self {
        let mut facts = Self {
            incident,
            graph: EntityGraph::build(incident.entities.len(), incident.relations.iter().cloned()),
            said: vec![Set::default(); incident.alerts.len()],
            signals: Vec::new(),
            techniques: each_once(incident.alerts.iter().flat_map(|a| &a.techniques)),
            marks: vec![Mark::default(); incident.entities.len()],
            types: Vec::new(),
            lists,
            now: now.or(incident.last_activity).or(incident.created).unwrap_or(Time::UNIX_EPOCH),
            columns: Columns::new(incident),
        };
        for (ix, e) in incident.entities() {
            let held = e.props.iter().filter_map(|(p, reports)| Some((p, ever(p, reports).or_else(|| Some(&reports.last()?.value))?.clone())));
            facts.columns.fill(ix, e.kind, held);
        }
        facts
    }

    /// Takes in what signals say: of alerts, of entities, and the relations between them.
    pub fn learn(&mut self, said: Vec<Set<Arc<str>>>, marks: Vec<Mark>, graph: EntityGraph) {
        (self.said, self.marks, self.graph) = (said, marks, graph);
        self.signals = each_once(self.said.iter().flatten());
        let told: Vec<(EntityIx, Prop)> = (0u32..).map(EntityIx).zip(&self.marks).flat_map(|(e, m)| m.props.keys().map(move |p| (e, *p))).collect();
        told.into_iter().for_each(|(e, p)| self.tell(e, p));
    }

    /// Puts what a property holds where it is looked for.
    fn tell(&mut self, e: EntityIx, p: Prop) {
        let value = self.prop(e, p).cloned();
        if let Some(kind) = self.entity(e).map(|x| x.kind) {
            self.columns.set(e, kind, p, value);
        }
    }

    /// The same incident with nothing but what its source says in typed form.
    pub fn bare(&self) -> Facts<'a> {
        let mut bare = Facts::new(self.incident, &[], Some(self.now));
        let typed = |mark: &Mark| Mark {
            props: mark.props.iter().filter(|(p, _)| mark.typed.contains(p)).map(|(p, v)| (*p, v.clone())).collect(),
            ..Mark::default()
        };
        let (said, graph) = (std::mem::take(&mut bare.said), std::mem::take(&mut bare.graph));
        bare.learn(said, self.marks.iter().map(typed).collect(), graph);
        bare
    }

    /// All entities of a kind, by id.
    pub fn of_kind(&self, kind: Kind) -> Value {
        Value::list(self.columns.of(kind).iter().copied().map(Value::Entity))
    }

    /// Whether there is an entity of this kind.
    pub fn has_kind(&self, kind: Kind) -> bool {
        !self.columns.of(kind).is_empty()
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
        let reported = self.entity(e)?.props.get(&prop).unwrap_or_default();
        if let Some(ever) = ever(prop, reported) {
            return Some(ever);
        }
        self.mark(e).and_then(|m| m.props.get(&prop)).map(|(v, _)| v).or_else(|| Some(&reported.last()?.value))
    }

    /// The signals of an alert.
    pub fn signals_of(&self, a: AlertIx) -> impl Iterator<Item = &Arc<str>> {
        self.said.get(a.0 as usize).into_iter().flatten()
    }

    /// The signals of the incident, in order.
    pub fn signals(&self) -> &[Arc<str>] {
        &self.signals
    }

    /// The techniques of the incident, in order.
    pub fn techniques(&self) -> &[Text] {
        &self.techniques
    }

    /// Whether any alert says this signal.
    pub fn says(&self, signal: &str) -> bool {
        self.signals.binary_search_by(|s| (**s).cmp(signal)).is_ok()
    }

    /// A field that every entity has.
    pub fn entity_field(&self, e: EntityIx, f: EntityField) -> Value {
        let Some(x) = self.entity(e) else { return Value::Absent };
        let texts = |all: Vec<&str>| Value::list(all.into_iter().map(Value::text));
        match f {
            EntityField::Id => x.id.clone().into(),
            EntityField::Kind => x.kind.word().into(),
            EntityField::Name => x.name.clone().into(),
            EntityField::Aliases => Value::texts(&x.aliases),
            EntityField::Verdict => self.verdict(e).word().into(),
            EntityField::Malicious => (self.verdict(e) == Verdict::Malicious).into(),
            EntityField::Suspicious => (self.verdict(e) >= Verdict::Suspicious).into(),
            EntityField::Roles => texts(self.roles(e).into_iter().collect()),
            EntityField::Tags => texts(self.tags(e).into_iter().collect()),
            EntityField::Remediation => x.remediation_status.clone().into(),
            EntityField::Signals => Value::list(self.mark(e).into_iter().flat_map(|m| m.signals.iter()).map(|s| Value::Text(s.clone()))),
            EntityField::Alerts => Value::list(x.alerts.iter().copied().map(Value::Alert)),
            EntityField::FirstSeen => x.first_seen.into(),
            EntityField::LastSeen => x.last_seen.into(),
        }
    }

    /// A field of an alert.
    pub fn alert_field(&self, ix: AlertIx, f: AlertField) -> Value {
        let Some(a) = self.incident.alert(ix) else { return Value::Absent };
        match f {
            AlertField::Id => a.id.clone().into(),
            AlertField::Title => a.title.clone().into(),
            AlertField::Description => a.description.clone().into(),
            AlertField::Severity => a.severity.into(),
            AlertField::Status => a.status.clone().into(),
            AlertField::Detector => a.detectors.first().cloned().into(),
            AlertField::Detectors => Value::texts(&a.detectors),
            AlertField::Product => a.product.clone().into(),
            AlertField::Category => a.category.clone().into(),
            AlertField::Techniques => Value::texts(&a.techniques),
            AlertField::Tactics => Value::texts(&a.tactics),
            AlertField::First => a.first.into(),
            AlertField::Last => a.last.into(),
            AlertField::Created => a.created.into(),
            AlertField::Signals => Value::list(self.signals_of(ix).map(|s| Value::Text(s.clone()))),
        }
    }

    /// A field of the incident.
    pub fn incident_field(&self, f: IncidentField) -> Value {
        let i = self.incident;
        match f {
            IncidentField::Id => i.id.clone().into(),
            IncidentField::Title => i.title.clone().into(),
            IncidentField::Description => i.description.clone().into(),
            IncidentField::Severity => i.severity.into(),
            IncidentField::Status => i.status.clone().into(),
            IncidentField::Source => i.source.clone().into(),
            IncidentField::Created => i.created.into(),
            IncidentField::FirstActivity => i.first_activity.into(),
            IncidentField::LastActivity => i.last_activity.into(),
            IncidentField::Tags => Value::texts(&i.tags),
            IncidentField::Signals => Value::texts(&self.signals),
            IncidentField::Techniques => Value::texts(&self.techniques),
            IncidentField::Tactics => Value::texts(&each_once(i.alerts.iter().flat_map(|a| &a.tactics))),
            IncidentField::Types => Value::list(self.types.iter().map(|(t, _)| Value::Text(t.clone()))),
            IncidentField::Entities => Value::list(i.entities().map(|(ix, _)| Value::Entity(ix))),
            IncidentField::Alerts => Value::list(i.alerts().map(|(ix, _)| Value::Alert(ix))),
        }
    }

    /// The alerts that name an entity and say this signal.
    pub fn saying<'f>(&'f self, e: EntityIx, signal: &'f str) -> impl Iterator<Item = AlertIx> + 'f {
        let alerts = self.entity(e).into_iter().flat_map(|x| x.alerts.iter().copied());
        alerts.filter(move |ix| self.said.get(ix.0 as usize).is_some_and(|s| s.contains(signal)))
    }

    /// Whether an entity plays this part.
    pub fn has_role(&self, e: EntityIx, role: &str) -> bool {
        self.entity(e).is_some_and(|x| x.roles.contains(role)) || self.mark(e).is_some_and(|m| m.roles.contains_key(role))
    }

    /// Whether an entity has this tag.
    pub fn has_tag(&self, e: EntityIx, tag: &str) -> bool {
        self.entity(e).is_some_and(|x| x.tags.contains(tag)) || self.mark(e).is_some_and(|m| m.tags.contains_key(tag))
    }
}

/// Texts in order, each once.
fn each_once<'t>(all: impl Iterator<Item = &'t Text>) -> Vec<Text> {
    let mut found: Vec<&Text> = all.collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().cloned().collect()
}

/// "Was it ever" is decided by any report, of a record or of a signal.
fn ever(prop: Prop, reports: &[Report]) -> Option<&PropValue> {
    let yes = || reports.iter().map(|r| &r.value).find(|v| **v == PropValue::Bool(true));
    if prop.spec().name.starts_with("was_") { yes() } else { None }
}
