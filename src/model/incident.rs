//! An incident as every source is turned into it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::kind::{Kind, Prop, Rel};
use super::level::{Basis, Classification, Level, Verdict};
use super::small::{Map, Set};

/// A text that is shared: of the incident's equal texts most are one, and expressions hand it on without a copy.
pub type Text = Arc<str>;

/// A moment, in UTC, to the nanosecond.
pub type Time = jiff::Timestamp;

/// An alert of an incident, by its position in [`Incident::alerts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertIx(pub u32);

/// An entity of an incident, by its position in [`Incident::entities`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityIx(pub u32);

/// A security incident with its alerts, entities and the relations that its records hold.
/// Alerts and entities are sorted by id, so equal content is equal in memory.
#[derive(Clone, Debug, Default)]
pub struct Incident {
    /// The source's id.
    pub id: Text,
    /// The title; trimmed.
    pub title: Text,
    /// What the source says of it in prose.
    pub description: Text,
    /// Its severity; the highest of its alerts where the source gives none.
    pub severity: Option<Level>,
    /// `new`, `active`, `in_progress`, `resolved`, `redirected`, `closed`, … in the source's words, lower snake case.
    pub status: Text,
    /// Which format it was read from, e.g. `microsoft-graph`.
    pub source: Text,
    /// When it was created.
    pub created: Option<Time>,
    /// The first activity that it is about.
    pub first_activity: Option<Time>,
    /// The last activity that it is about.
    pub last_activity: Option<Time>,
    /// The classification that the source carries, if somebody decided it.
    pub classification: Option<Classification>,
    /// The determination that the source carries, in our words.
    pub determination: Option<String>,
    /// Labels of people and of the source.
    pub tags: Set<Text>,
    /// Who it is assigned to.
    pub assigned_to: Option<String>,
    /// The incident that this one was merged into.
    pub redirected_to: Option<String>,
    /// Ids of alerts that the incident names and the input does not hold.
    pub absent_alerts: BTreeSet<String>,
    /// Fields of the source that have no place of their own.
    pub extra: BTreeMap<String, String>,
    /// Its alerts, by id.
    pub alerts: Vec<Alert>,
    /// Its entities, by id.
    pub entities: Vec<Entity>,
    /// What the records relate, sorted.
    pub relations: Vec<Relation>,
}

/// One alert.
#[derive(Clone, Debug, Default)]
pub struct Alert {
    /// The source's id.
    pub id: Text,
    /// The title; trimmed.
    pub title: Text,
    /// What the source says of it in prose.
    pub description: Text,
    /// Its severity.
    pub severity: Option<Level>,
    /// Its status, lower snake case.
    pub status: Text,
    /// Detector, alert type or analytic rule ids, most specific first.
    pub detectors: Vec<Text>,
    /// The product that raised it.
    pub product: Text,
    /// The source's category.
    pub category: Text,
    /// ATT&CK technique ids, revoked ones mapped, sorted.
    pub techniques: Set<Text>,
    /// ATT&CK tactics.
    pub tactics: Set<Text>,
    /// First activity.
    pub first: Option<Time>,
    /// Last activity.
    pub last: Option<Time>,
    /// When it was raised.
    pub created: Option<Time>,
    /// The classification that the source carries, if somebody decided it.
    pub classification: Option<Classification>,
    /// The determination that the source carries, in our words.
    pub determination: Option<String>,
    /// Fields of the source that have no place of their own, nested keys joined by a dot.
    pub extra: BTreeMap<String, String>,
    /// The entities that it is about, with the roles they play in it.
    pub entities: Map<EntityIx, Set<Text>>,
    /// Those of them that it holds a record of; the others are only named by a field, as a sender is by a message.
    pub named: Set<EntityIx>,
}

/// A value of a property.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PropValue {
    /// Text.
    Text(Text),
    /// A whole number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// A level.
    Level(Level),
    /// A moment.
    Time(Time),
    /// A list of texts.
    Texts(Arc<[Text]>),
}

impl std::fmt::Display for PropValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(t) => f.write_str(t),
            Self::Int(n) => n.fmt(f),
            Self::Bool(b) => b.fmt(f),
            Self::Level(l) => l.fmt(f),
            Self::Time(t) => t.fmt(f),
            Self::Texts(l) => f.write_str(&l.join(", ")),
        }
    }
}

/// One report of a property: its value and the alert that gave it (`None`: the incident itself).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Report {
    /// The property.
    pub prop: Prop,
    /// When the report was made, as far as the source says.
    pub at: Option<Time>,
    /// The alert that it came with.
    pub alert: Option<AlertIx>,
    /// The value.
    pub value: PropValue,
}

/// What was reported of an entity's properties, sorted by property and time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Props(Box<[Report]>);

impl Props {
    /// All that was reported of a property, oldest first; `None` when nothing was.
    pub fn get(&self, prop: &Prop) -> Option<&[Report]> {
        let end = self.0.partition_point(|r| r.prop <= *prop);
        let (known, _) = self.0.split_at_checked(end)?;
        let (_, of_prop) = known.split_at_checked(known.partition_point(|r| r.prop < *prop))?;
        (!of_prop.is_empty()).then_some(of_prop)
    }

    /// Each property with all that was reported of it, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Prop, &[Report])> {
        self.0.chunk_by(|a, b| a.prop == b.prop).filter_map(|all| Some((all.first()?.prop, all)))
    }

    /// The properties of which something was reported, in order.
    pub fn keys(&self) -> impl Iterator<Item = Prop> {
        self.iter().map(|(prop, _)| prop)
    }

    /// What was reported of each property.
    pub fn values(&self) -> impl Iterator<Item = &[Report]> {
        self.iter().map(|(_, all)| all)
    }

    /// Every report, sorted by property and time.
    pub fn reports(&self) -> &[Report] {
        &self.0
    }
}

impl FromIterator<Report> for Props {
    fn from_iter<I: IntoIterator<Item = Report>>(all: I) -> Self {
        let mut all: Vec<Report> = all.into_iter().collect();
        if !all.is_sorted_by(|a, b| a < b) {
            all.sort();
            all.dedup();
        }
        Self(all.into_boxed_slice())
    }
}

/// A thing that alerts are about.
#[derive(Clone, Debug)]
pub struct Entity {
    /// `kind:key`; unique in the incident.
    pub id: Text,
    /// What it is.
    pub kind: Kind,
    /// A name for people; identifies nobody.
    pub name: Text,
    /// Every other strong id, as `namespace:value`, sorted.
    pub aliases: Set<Text>,
    /// The strongest verdict of the source.
    pub verdict: Verdict,
    /// What was done about it, in the source's words, lower snake case; the latest that is not `none`.
    pub remediation_status: Text,
    /// The parts that it plays, over all alerts.
    pub roles: Set<Text>,
    /// Its tags, over all records.
    pub tags: Set<Text>,
    /// The alerts that name it.
    pub alerts: Set<AlertIx>,
    /// First time it is seen in.
    pub first_seen: Option<Time>,
    /// Last time it is seen in.
    pub last_seen: Option<Time>,
    /// Its properties with all that was reported of each, oldest first; the last one holds.
    pub props: Props,
    /// Fields of the source that no property models, nested keys joined by a dot.
    pub fields: Map<Text, Text>,
    /// How many records of which declared type it was drawn from; empty when only a field named it.
    pub records: Map<Text, u32>,
}

impl Entity {
    /// What a property holds now.
    pub fn prop(&self, prop: Prop) -> Option<&PropValue> {
        self.props.get(&prop)?.last().map(|r| &r.value)
    }

    /// A text property by name.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.prop(Prop::named(name)?)? {
            PropValue::Text(t) => Some(t),
            _ => None,
        }
    }

    /// Whether `id` is one of its strong ids, with or without the namespace; blind to case. A host name, or an account
    /// name with its domain, identifies nobody: anyone can take one.
    pub fn is_known_as(&self, id: &str) -> bool {
        const WEAK: &[&str] = &["host", "sam", "record", "nmid"];
        let wanted = id.trim().to_lowercase();
        self.aliases.iter().any(|a| {
            a.split_once(':').is_some_and(|(ns, value)| {
                let value = value.to_lowercase();
                !WEAK.contains(&ns) && (value == wanted || format!("{ns}:{value}") == wanted || format!("{}:{value}", self.kind) == wanted)
            })
        })
    }
}

/// A directed, named edge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relation {
    /// Where it starts.
    pub from: EntityIx,
    /// Its name.
    pub rel: Rel,
    /// Where it leads.
    pub to: EntityIx,
    /// How it is known.
    pub basis: Basis,
    /// First time.
    pub first: Option<Time>,
    /// Last time.
    pub last: Option<Time>,
    /// The alerts that it came from.
    pub alerts: Set<AlertIx>,
}

impl Incident {
    /// The alert at a position.
    pub fn alert(&self, ix: AlertIx) -> Option<&Alert> {
        self.alerts.get(ix.0 as usize)
    }

    /// The entity at a position.
    pub fn entity(&self, ix: EntityIx) -> Option<&Entity> {
        self.entities.get(ix.0 as usize)
    }

    /// Every entity with its position.
    pub fn entities(&self) -> impl Iterator<Item = (EntityIx, &Entity)> {
        (0u32..).map(EntityIx).zip(&self.entities)
    }

    /// Every alert with its position.
    pub fn alerts(&self) -> impl Iterator<Item = (AlertIx, &Alert)> {
        (0u32..).map(AlertIx).zip(&self.alerts)
    }
}
