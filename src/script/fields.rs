//! What can stand behind a dot without parentheses.

use super::ty::{Ends, Ty};
use crate::model::{Kinds, Prop};

/// A field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// A property of an entity.
    Prop(Prop),
    /// A field that every entity has.
    Entity(EntityField),
    /// A field of an alert.
    Alert(AlertField),
    /// A field of the incident.
    Incident(IncidentField),
    /// A field of an edge.
    Edge(EdgeField),
    /// A field of a pair of edges.
    Pair(PairField),
}

macro_rules! fields {
    ($(#[$meta:meta])* $name:ident [$($member:ident $word:literal $ty:expr, $maybe:literal, $doc:literal;)+]) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $(#[doc = $doc] $member,)+ }
        impl $name {
            /// Every field: member, name, type, whether it may be absent, what it holds.
            pub fn all() -> Vec<(Self, &'static str, Ty, bool, &'static str)> {
                vec![$((Self::$member, $word, $ty, $maybe, $doc),)+]
            }
            /// The field of this name: member, type, whether it may be absent.
            fn named(name: &str) -> Option<(Self, Ty, bool)> {
                Some(match name { $($word => (Self::$member, $ty, $maybe),)+ _ => return None })
            }
            /// Its name.
            pub fn word(self) -> &'static str {
                match self { $(Self::$member => $word,)+ }
            }
        }
    };
}

fields! {
    /// What every entity has.
    EntityField [
        Id "id" Ty::Text, false, "`kind:key`";
        Kind "kind" Ty::Text, false, "its kind, as in `user`";
        Name "name" Ty::Text, false, "its name for people; identifies nobody";
        Aliases "aliases" Ty::list(Ty::Text), false, "its other ids, as `namespace:value`";
        Verdict "verdict" Ty::Text, false, "`malicious`, `suspicious`, `unknown` or `no_threats_found`: the source's, or a signal's where that is stronger";
        Malicious "malicious" Ty::Bool, false, "whether the verdict is `malicious`";
        Suspicious "suspicious" Ty::Bool, false, "whether the verdict is `suspicious` or `malicious`";
        Roles "roles" Ty::list(Ty::Text), false, "the parts that it plays: `victim`, `attacker`, `compromised`, …";
        Remediation "remediation_status" Ty::Text, false, "what the source says was done about it; `none` when nothing";
        Tags "tags" Ty::list(Ty::Text), false, "the source's tags and those of the lists that it is in";
        Signals "signals" Ty::list(Ty::Text), false, "the signals of the alerts that name it";
        Alerts "alerts" Ty::list(Ty::Alert), false, "the alerts that name it";
        FirstSeen "first_seen" Ty::Time, true, "first activity of its alerts";
        LastSeen "last_seen" Ty::Time, true, "last activity of its alerts";
    ]
}

fields! {
    /// What an alert has.
    AlertField [
        Id "id" Ty::Text, false, "the source's id";
        Title "title" Ty::Text, false, "the title";
        Description "description" Ty::Text, false, "what the source says of it";
        Severity "severity" Ty::Level, true, "the severity";
        Status "status" Ty::Text, false, "the status, lower snake case";
        Detector "detector" Ty::Text, true, "the most specific detector, alert type or rule id";
        Detectors "detectors" Ty::list(Ty::Text), false, "all ids of what raised it";
        Product "product" Ty::Text, false, "the product that raised it";
        Category "category" Ty::Text, false, "the source's category";
        Techniques "techniques" Ty::list(Ty::Text), false, "ATT&CK techniques";
        Tactics "tactics" Ty::list(Ty::Text), false, "ATT&CK tactics";
        First "first" Ty::Time, true, "first activity";
        Last "last" Ty::Time, true, "last activity";
        Created "created" Ty::Time, true, "when it was raised";
        Signals "signals" Ty::list(Ty::Text), false, "what it says, in words that no vendor owns";
    ]
}

fields! {
    /// What the incident has.
    IncidentField [
        Id "id" Ty::Text, false, "the source's id";
        Title "title" Ty::Text, false, "the title";
        Description "description" Ty::Text, false, "what the source says of it";
        Severity "severity" Ty::Level, true, "the severity";
        Status "status" Ty::Text, false, "the status, lower snake case";
        Source "source" Ty::Text, false, "the format that it was read from";
        Created "created" Ty::Time, true, "when it was created";
        FirstActivity "first_activity" Ty::Time, true, "the first activity";
        LastActivity "last_activity" Ty::Time, true, "the last activity";
        Tags "tags" Ty::list(Ty::Text), false, "labels of people and of the source";
        Signals "signals" Ty::list(Ty::Text), false, "the signals of all its alerts";
        Techniques "techniques" Ty::list(Ty::Text), false, "the ATT&CK techniques of all its alerts";
        Tactics "tactics" Ty::list(Ty::Text), false, "the ATT&CK tactics of all its alerts";
        Types "types" Ty::list(Ty::Text), false, "the incident types that hold, best first";
        Entities "entities" Ty::list(Ty::Entity(Kinds::ANY)), false, "all entities";
        Alerts "alerts" Ty::list(Ty::Alert), false, "all alerts";
    ]
}

fields! {
    /// What an edge has.
    EdgeField [
        From "from" Ty::Entity(Kinds::ANY), false, "where it starts";
        To "to" Ty::Entity(Kinds::ANY), false, "where it leads";
        Relation "relation" Ty::Text, false, "its name";
        FirstSeen "first_seen" Ty::Time, true, "first time";
        LastSeen "last_seen" Ty::Time, true, "last time";
        Alert "alert" Ty::Alert, true, "the first of the alerts that it came from";
        Alerts "alerts" Ty::list(Ty::Alert), false, "the alerts that it came from";
        Basis "basis" Ty::Text, false, "`record`, `signal` or `co-occurrence`";
    ]
}

fields! {
    /// What a pair of edges has.
    PairField [
        First "first" Ty::Unknown, false, "the earlier edge";
        Second "second" Ty::Unknown, false, "the later edge";
        Gap "gap" Ty::Duration, true, "the time between them";
    ]
}

/// The field of this name on this type, its type, and whether it may be absent.
pub fn field(on: &Ty, name: &str) -> Option<(Field, Ty, bool)> {
    match on {
        Ty::Entity(kinds) => {
            if let Some((f, ty, maybe)) = EntityField::named(name) {
                return Some((Field::Entity(f), ty, maybe));
            }
            let prop = Prop::named(name)?;
            let spec = prop.spec();
            if spec.kinds.and(*kinds).is_none() {
                return None;
            }
            let ty = Ty::of_prop(spec.ty);
            let maybe = ty.can_be_absent();
            Some((Field::Prop(prop), ty, maybe))
        }
        Ty::Alert => AlertField::named(name).map(|(f, t, m)| (Field::Alert(f), t, m)),
        Ty::Incident => IncidentField::named(name).map(|(f, t, m)| (Field::Incident(f), t, m)),
        Ty::Edge(Ends { from, to }) => EdgeField::named(name).map(|(f, t, m)| {
            let ty = match f {
                EdgeField::From => Ty::Entity(*from),
                EdgeField::To => Ty::Entity(*to),
                _ => t,
            };
            (Field::Edge(f), ty, m)
        }),
        Ty::Pair(first, second) => PairField::named(name).map(|(f, t, m)| {
            let ty = match f {
                PairField::First => Ty::Edge(*first),
                PairField::Second => Ty::Edge(*second),
                PairField::Gap => t,
            };
            (Field::Pair(f), ty, m)
        }),
        _ => None,
    }
}

/// The names of all fields of a type, for "did you mean" and completion.
pub fn field_names(on: &Ty) -> Vec<&'static str> {
    match on {
        Ty::Entity(kinds) => {
            let own = crate::model::kind::PROPS.iter().filter(|p| !p.kinds.and(*kinds).is_none()).map(|p| p.name);
            EntityField::all().into_iter().map(|f| f.1).chain(own).collect()
        }
        Ty::Alert => AlertField::all().into_iter().map(|f| f.1).collect(),
        Ty::Incident => IncidentField::all().into_iter().map(|f| f.1).collect(),
        Ty::Edge(_) => EdgeField::all().into_iter().map(|f| f.1).collect(),
        Ty::Pair(..) => PairField::all().into_iter().map(|f| f.1).collect(),
        _ => Vec::new(),
    }
}

/// Whether a field tells what a signal said; rules that decide signals cannot ask for it.
pub fn is_of_signals(f: Field) -> bool {
    matches!(
        f,
        Field::Entity(EntityField::Signals) | Field::Alert(AlertField::Signals) | Field::Incident(IncidentField::Signals | IncidentField::Types)
    )
}
