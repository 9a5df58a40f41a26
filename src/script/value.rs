//! The values of expressions.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::model::{AlertIx, EdgeIx, EntityIx, Kind, Level, PropValue, Rel, Text, Time};

/// A value. Cheap to copy: texts and lists are shared.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing is recorded.
    Absent,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(Arc<str>),
    /// A level.
    Level(Level),
    /// A moment.
    Time(Time),
    /// A length of time.
    Duration(SignedDuration),
    /// The incident.
    Incident,
    /// An alert.
    Alert(AlertIx),
    /// An entity.
    Entity(EntityIx),
    /// An edge.
    Edge(EdgeIx),
    /// Two edges in time order.
    Pair(EdgeIx, EdgeIx),
    /// A named list, by position in the set's lists.
    Named(u32),
    /// A list.
    List(Arc<[Value]>),
    /// A map.
    Map(Arc<[(Arc<str>, Value)]>),
    /// A range: from, to, whether `to` belongs to it.
    Range(i64, i64, bool),
    /// A regular expression.
    Pattern(Arc<super::pattern::Pattern>),
    /// A glob, read when the playbook was loaded.
    Glob(Arc<super::glob::Glob>),
    /// A network.
    Net(super::network::Net),
    /// A relation.
    Rel(Rel),
    /// A kind.
    Kind(Kind),
}

impl Value {
    /// The value of a text.
    pub fn text(t: &str) -> Value {
        Value::Text(t.into())
    }

    /// The list of these.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::List(items.into_iter().collect())
    }

    /// The list of texts that are shared.
    pub fn texts(all: &[Text]) -> Value {
        Value::list(all.iter().cloned().map(Value::Text))
    }

    /// Whether it is `true`.
    pub fn is_true(&self) -> bool {
        matches!(self, Value::Bool(true))
    }

    /// Whether nothing is recorded.
    pub fn is_absent(&self) -> bool {
        matches!(self, Value::Absent)
    }

    /// The items of a list; nothing for other values.
    pub fn items(&self) -> &[Value] {
        match self {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(t) => Some(t),
            _ => None,
        }
    }

    /// The value of what an entity holds.
    pub fn of_prop(p: &PropValue) -> Value {
        match p {
            PropValue::Text(t) => Value::Text(t.clone()),
            PropValue::Int(n) => Value::Int(*n),
            PropValue::Bool(b) => Value::Bool(*b),
            PropValue::Level(l) => Value::Level(*l),
            PropValue::Time(t) => Value::Time(*t),
            PropValue::Texts(l) => Value::texts(l),
        }
    }

    /// Whether two values are equal; nothing is equal to what is absent.
    pub fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Level(a), Value::Level(b)) => a == b,
            (Value::Time(a), Value::Time(b)) => a == b,
            (Value::Duration(a), Value::Duration(b)) => a == b,
            (Value::Incident, Value::Incident) => true,
            (Value::Alert(a), Value::Alert(b)) => a == b,
            (Value::Entity(a), Value::Entity(b)) => a == b,
            (Value::Edge(a), Value::Edge(b)) => a == b,
            (Value::Pair(a, b), Value::Pair(c, d)) => a == c && b == d,
            (Value::Named(a), Value::Named(b)) => a == b,
            (Value::Range(a, b, c), Value::Range(d, e, f)) => (a, b, c) == (d, e, f),
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(x, y)| x.same(y)),
            (Value::Map(a), Value::Map(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(x, y)| x.0 == y.0 && x.1.same(&y.1)),
            (a, b) => a.order(b) == Some(std::cmp::Ordering::Equal),
        }
    }

    /// How two values of an ordered type are ordered; `None` where one is absent.
    pub fn order(&self, other: &Value) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => self.number()?.partial_cmp(&other.number()?),
            (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            (Value::Level(a), Value::Level(b)) => Some(a.cmp(b)),
            (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
            (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// The number, if it is one.
    #[expect(clippy::cast_precision_loss, reason = "comparing a whole number with a fraction is inexact by nature")]
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(*n as f64),
            Value::Float(x) => Some(*x),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(o: Option<T>) -> Self {
        o.map_or(Value::Absent, Into::into)
    }
}

impl From<&str> for Value {
    fn from(t: &str) -> Self {
        Value::text(t)
    }
}

impl From<String> for Value {
    fn from(t: String) -> Self {
        Value::text(&t)
    }
}

impl From<Arc<str>> for Value {
    fn from(t: Arc<str>) -> Self {
        Value::Text(t)
    }
}

impl From<Time> for Value {
    fn from(t: Time) -> Self {
        Value::Time(t)
    }
}

impl From<Level> for Value {
    fn from(l: Level) -> Self {
        Value::Level(l)
    }
}

impl From<EntityIx> for Value {
    fn from(e: EntityIx) -> Self {
        Value::Entity(e)
    }
}

impl From<AlertIx> for Value {
    fn from(a: AlertIx) -> Self {
        Value::Alert(a)
    }
}

impl From<EdgeIx> for Value {
    fn from(e: EdgeIx) -> Self {
        Value::Edge(e)
    }
}
