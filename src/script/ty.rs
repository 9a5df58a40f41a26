//! The types of expressions.

use std::sync::Arc;

use crate::model::{Kind, Kinds, PropType, Rel};

/// The kinds at both ends of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends {
    /// Where it starts.
    pub from: Kinds,
    /// Where it leads.
    pub to: Kinds,
}

/// What a value can be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ty {
    /// True or false; never absent.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Float,
    /// Text.
    Text,
    /// A level.
    Level,
    /// A moment.
    Time,
    /// A length of time.
    Duration,
    /// The incident.
    Incident,
    /// An alert.
    Alert,
    /// An entity of one of these kinds.
    Entity(Kinds),
    /// An edge of the graph.
    Edge(Ends),
    /// Two edges in time order.
    Pair(Ends, Ends),
    /// A named list of values from `lists:`.
    Named,
    /// A list.
    List(Box<Ty>),
    /// A map with fixed keys.
    Map(Arc<[(Arc<str>, Ty)]>),
    /// A range of whole numbers.
    Range,
    /// Not known, because of an error that was already reported.
    Unknown,
}

impl Ty {
    /// A list of this.
    pub fn list(of: Ty) -> Ty {
        Ty::List(Box::new(of))
    }

    /// An entity of one kind.
    pub fn entity(kind: Kind) -> Ty {
        Ty::Entity(Kinds::one(kind))
    }

    /// The type of a property.
    pub fn of_prop(p: PropType) -> Ty {
        match p {
            PropType::Text => Ty::Text,
            PropType::Int => Ty::Int,
            PropType::Bool => Ty::Bool,
            PropType::Level => Ty::Level,
            PropType::Time => Ty::Time,
            PropType::Texts => Ty::list(Ty::Text),
        }
    }

    /// Whether a value of it can be absent: flags and lists never are.
    pub fn can_be_absent(&self) -> bool {
        !matches!(self, Ty::Bool | Ty::List(_) | Ty::Named | Ty::Incident | Ty::Map(_) | Ty::Range)
    }

    /// Whether `==` between the two makes sense.
    pub fn alike(&self, other: &Ty) -> bool {
        match (self, other) {
            (Ty::Unknown, _) | (_, Ty::Unknown) | (Ty::Int | Ty::Float, Ty::Int | Ty::Float) => true,
            (Ty::Entity(a), Ty::Entity(b)) => !a.and(*b).is_none(),
            (Ty::Edge(_), Ty::Edge(_)) => true,
            (Ty::List(a), Ty::List(b)) => a.alike(b),
            (a, b) => a == b,
        }
    }

    /// Whether `<` makes sense.
    pub fn ordered(&self) -> bool {
        matches!(self, Ty::Int | Ty::Float | Ty::Level | Ty::Time | Ty::Duration | Ty::Text | Ty::Unknown)
    }

    /// The smallest type that holds both, if there is one.
    pub fn join(&self, other: &Ty) -> Option<Ty> {
        match (self, other) {
            (Ty::Unknown, t) | (t, Ty::Unknown) => Some(t.clone()),
            (Ty::Int, Ty::Float) | (Ty::Float, Ty::Int) => Some(Ty::Float),
            (Ty::Entity(a), Ty::Entity(b)) => Some(Ty::Entity(a.or(*b))),
            (Ty::Edge(a), Ty::Edge(b)) => Some(Ty::Edge(Ends { from: a.from.or(b.from), to: a.to.or(b.to) })),
            (Ty::List(a), Ty::List(b)) => a.join(b).map(Ty::list),
            (a, b) => (a == b).then(|| a.clone()),
        }
    }
}

impl std::fmt::Display for Ty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ty::Bool => f.write_str("true or false"),
            Ty::Int => f.write_str("a number"),
            Ty::Float => f.write_str("a fraction"),
            Ty::Text => f.write_str("text"),
            Ty::Level => f.write_str("a level"),
            Ty::Time => f.write_str("a time"),
            Ty::Duration => f.write_str("a duration"),
            Ty::Incident => f.write_str("the incident"),
            Ty::Alert => f.write_str("an alert"),
            Ty::Entity(kinds) => kinds.fmt(f),
            Ty::Edge(_) => f.write_str("an edge"),
            Ty::Pair(..) => f.write_str("a pair of edges"),
            Ty::Named => f.write_str("a named list"),
            Ty::List(of) => write!(f, "list of {of}"),
            Ty::Map(_) => f.write_str("a map"),
            Ty::Range => f.write_str("a range"),
            Ty::Unknown => f.write_str("unknown"),
        }
    }
}

/// The ends of an edge of `rel` when one end is one of `near`: as it leaves (`out`) or as it arrives.
pub fn ends(rel: Rel, near: Kinds, out: bool) -> Ends {
    let spec = rel.spec();
    if out { Ends { from: spec.from.and(near), to: spec.to } } else { Ends { from: spec.from, to: spec.to.and(near) } }
}
