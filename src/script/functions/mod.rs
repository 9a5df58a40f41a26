//! The table of functions: name, types, what it says, an example that a test runs, and the native code.
//! Checker, evaluator, documentation and editor read this one table.

pub mod attack;
pub mod collections;
pub mod command;
pub mod docs;
pub mod graph;
pub mod net;
pub mod text;
pub mod times;

use super::eval::{Cx, Stop};
use super::ty::{Ends, Ty, ends};
use super::value::Value;
use crate::model::{Kind, Kinds, Rel};

/// What a receiver or parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pat {
    /// No receiver: a free function.
    Free,
    /// Anything.
    Any,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A level.
    Level,
    /// A moment.
    Time,
    /// A duration; a text such as `"2h"` is read as one.
    Duration,
    /// An entity of any kind.
    Entity,
    /// An alert.
    Alert,
    /// The incident.
    Incident,
    /// Any list.
    List,
    /// A list of texts.
    Texts,
    /// A list of alerts.
    Alerts,
    /// A list of what can be ordered.
    Ordered,
    /// A list of lists.
    Nested,
    /// An item of the receiver's list.
    Item,
    /// A list like the receiver's.
    Same,
    /// A regular expression, written there.
    Regex,
    /// A glob, written there.
    Glob,
    /// A network, written there.
    Network,
    /// A relation, written there.
    Relation,
    /// A kind, written there.
    KindName,
    /// A technique id, written there.
    Technique,
    /// A tactic, written there.
    Tactic,
    /// A signal id, written there.
    Signal,
    /// A list id, written there.
    ListId,
    /// A level word, written there.
    LevelWord,
}

/// What a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ret {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// Text.
    Text,
    /// A list of texts.
    Texts,
    /// A level.
    Level,
    /// A moment.
    Time,
    /// A duration.
    Duration,
    /// An item of the receiver's list.
    Item,
    /// What the receiver is.
    Same,
    /// The receiver's items, one level flatter.
    Flat,
    /// Alerts.
    Alerts,
    /// Entities of any kind.
    Entities,
    /// Entities of the kind that the first parameter names.
    OfKind,
    /// The ends of edges that leave the receiver.
    Out,
    /// The starts of edges that arrive at the receiver.
    Into,
    /// Edges of the receiver.
    Edges,
    /// Pairs of edges that leave the receiver.
    Pairs,
    /// Edges of any kind.
    Path,
}

/// The code of a function: receiver first, then the parameters.
pub type Native = fn(&mut Cx<'_>, &[Value]) -> Result<Value, Stop>;

/// A row of the table.
#[derive(Debug)]
pub struct Function {
    /// The group it is shown in.
    pub group: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is called on.
    pub on: Pat,
    /// Its parameters.
    pub params: &'static [(&'static str, Pat)],
    /// What it gives.
    pub ret: Ret,
    /// Whether the result may be absent though nothing that went in was.
    pub maybe: bool,
    /// What it says, in a sentence or two.
    pub doc: &'static str,
    /// An expression over the incident of the examples, and its value.
    pub example: (&'static str, &'static str),
    /// Its code.
    pub run: Native,
}

macro_rules! table {
    ($group:literal: $($on:ident . $name:ident ( $($param:ident : $pat:ident),* ) -> $ret:ident $(? $maybe:literal)? , $doc:literal, $example:literal => $result:literal, $run:expr;)+) => {
        /// The rows of this group.
        pub static TABLE: &[super::Function] = &[$(super::Function {
            group: $group,
            name: stringify!($name),
            on: super::Pat::$on,
            params: &[$((stringify!($param), super::Pat::$pat)),*],
            ret: super::Ret::$ret,
            maybe: false $(|| $maybe)?,
            doc: $doc,
            example: ($example, $result),
            run: $run,
        },)+];
    };
}
pub(crate) use table;

/// Every function, group by group.
pub fn all() -> impl Iterator<Item = &'static Function> {
    [collections::TABLE, graph::TABLE, text::TABLE, net::TABLE, command::TABLE, times::TABLE, attack::TABLE].into_iter().flatten()
}

/// The names that are closures' work: handled by the lowering, listed here for the documentation.
pub const CLOSURES: &[(&str, &str, &str, &str)] = &[
    ("filter", "the items for which the closure holds", r#"users.filter(|u| u.has_role("victim")).len()"#, "1"),
    ("map", "what the closure makes of each item; what is absent is left out", "users.map(|u| u.upn)", r#"["ada@contoso.com", "bo@contoso.com"]"#),
    ("some", "whether the closure holds for any item; evidence is the first one", "urls.some(|u| u.malicious)", "true"),
    ("any", "the same as `some`", "urls.any(|u| u.suspicious)", "true"),
    ("all", "whether the closure holds for all items; true for an empty list", "urls.all(|u| u.malicious)", "true"),
    ("count", "for how many items the closure holds", "users.count(|u| u.domain == \"contoso.com\")", "2"),
    ("first", "the first item for which the closure holds, or the first item", "users.first(|u| u.upn.starts_with(\"bo\"))", "user:bo@contoso.com"),
];

impl Pat {
    /// Whether a value of this type fits.
    pub fn takes(self, ty: &Ty, receiver: &Ty) -> bool {
        let item = || match receiver {
            Ty::List(of) => (**of).clone(),
            _ => Ty::Unknown,
        };
        match (self, ty) {
            (Pat::Free, _) => false,
            (_, Ty::Unknown) | (Pat::Any, _) => true,
            (Pat::Bool, Ty::Bool)
            | (Pat::Int, Ty::Int)
            | (Pat::Number, Ty::Int | Ty::Float)
            | (Pat::Text, Ty::Text)
            | (Pat::Level, Ty::Level)
            | (Pat::Time, Ty::Time)
            | (Pat::Duration, Ty::Duration)
            | (Pat::Entity, Ty::Entity(_))
            | (Pat::Alert, Ty::Alert)
            | (Pat::Incident, Ty::Incident)
            | (Pat::List, Ty::List(_)) => true,
            (Pat::Texts, Ty::List(of)) => matches!(**of, Ty::Text | Ty::Unknown),
            (Pat::Alerts, Ty::List(of)) => matches!(**of, Ty::Alert | Ty::Unknown),
            (Pat::Ordered, Ty::List(of)) => of.ordered(),
            (Pat::Nested, Ty::List(of)) => matches!(**of, Ty::List(_) | Ty::Unknown),
            (Pat::Item, t) => item().alike(t),
            (Pat::Same, t) => receiver.alike(t),
            _ => false,
        }
    }

    /// Whether the value must be written there, because it is read when the playbook loads.
    pub fn literal(self) -> bool {
        matches!(
            self,
            Pat::Regex
                | Pat::Glob
                | Pat::Network
                | Pat::Relation
                | Pat::KindName
                | Pat::Technique
                | Pat::Tactic
                | Pat::Signal
                | Pat::ListId
                | Pat::LevelWord
        )
    }

    /// What it takes, in words.
    pub fn describe(self) -> &'static str {
        match self {
            Pat::Free => "nothing",
            Pat::Any => "anything",
            Pat::Bool => "true or false",
            Pat::Int => "a number",
            Pat::Number => "a number",
            Pat::Text => "text",
            Pat::Level => "a level",
            Pat::Time => "a time",
            Pat::Duration => "a duration such as \"2h\"",
            Pat::Entity => "an entity",
            Pat::Alert => "an alert",
            Pat::Incident => "the incident",
            Pat::List => "a list",
            Pat::Texts => "a list of texts",
            Pat::Alerts => "a list of alerts",
            Pat::Ordered => "a list of numbers, texts, levels, times or durations",
            Pat::Nested => "a list of lists",
            Pat::Item => "an item of the list",
            Pat::Same => "a list of the same kind",
            Pat::Regex => "a regular expression in quotes",
            Pat::Glob => "a glob in quotes",
            Pat::Network => "a network in quotes, such as \"10.0.0.0/8\"",
            Pat::Relation => "the name of a relation in quotes",
            Pat::KindName => "the name of a kind in quotes",
            Pat::Technique => "a technique in quotes, such as \"T1566\"",
            Pat::Tactic => "a tactic in quotes, such as \"initial-access\"",
            Pat::Signal => "the id of a signal in quotes",
            Pat::ListId => "the id of a list in quotes",
            Pat::LevelWord => "a level in quotes, such as \"high\"",
        }
    }
}

impl Ret {
    /// What it is, in words.
    pub fn describe(self) -> &'static str {
        match self {
            Ret::Bool => "true or false",
            Ret::Int => "a number",
            Ret::Text => "text",
            Ret::Texts => "a list of texts",
            Ret::Level => "a level",
            Ret::Time => "a time",
            Ret::Duration => "a duration",
            Ret::Item => "an item of the list",
            Ret::Same => "a list of the same",
            Ret::Flat => "one list",
            Ret::Alerts => "a list of alerts",
            Ret::Entities => "a list of entities",
            Ret::OfKind => "a list of entities of that kind",
            Ret::Out => "a list of the entities that it leads to",
            Ret::Into => "a list of the entities that lead to it",
            Ret::Edges => "a list of edges",
            Ret::Pairs => "a list of pairs of edges",
            Ret::Path => "a list of edges",
        }
    }
}

impl Function {
    /// The type of the result for this receiver and these constants.
    pub fn result(&self, receiver: &Ty, args: &[Option<&Value>]) -> Ty {
        let kinds = match receiver {
            Ty::Entity(k) => *k,
            _ => Kinds::ANY,
        };
        let rel = |n: usize| match args.get(n).copied().flatten() {
            Some(Value::Rel(r)) => Some(*r),
            _ => None,
        };
        match self.ret {
            Ret::Bool => Ty::Bool,
            Ret::Int => Ty::Int,
            Ret::Text => Ty::Text,
            Ret::Texts => Ty::list(Ty::Text),
            Ret::Level => Ty::Level,
            Ret::Time => Ty::Time,
            Ret::Duration => Ty::Duration,
            Ret::Same => receiver.clone(),
            Ret::Item | Ret::Flat => match receiver {
                Ty::List(of) => (**of).clone(),
                _ => Ty::Unknown,
            },
            Ret::Alerts => Ty::list(Ty::Alert),
            Ret::Entities => Ty::list(Ty::Entity(Kinds::ANY)),
            Ret::OfKind => Ty::list(match args.first().copied().flatten() {
                Some(Value::Kind(k)) => Ty::entity(*k),
                _ => Ty::Entity(Kinds::ANY),
            }),
            Ret::Out => Ty::list(Ty::Entity(rel(0).map_or(Kinds::ANY, |r| ends(r, kinds, true).to))),
            Ret::Into => Ty::list(Ty::Entity(rel(0).map_or(Kinds::ANY, |r| ends(r, kinds, false).from))),
            Ret::Edges => Ty::list(Ty::Edge(rel(0).map_or(Ends { from: Kinds::ANY, to: Kinds::ANY }, |r| either(r, kinds)))),
            Ret::Pairs => {
                let side = |n| rel(n).map_or(Ends { from: Kinds::ANY, to: Kinds::ANY }, |r| ends(r, kinds, true));
                Ty::list(Ty::Pair(side(0), side(1)))
            }
            Ret::Path => Ty::list(Ty::Edge(Ends { from: Kinds::ANY, to: Kinds::ANY })),
        }
    }

    /// `receiver.name(param, …) -> result`, for people.
    pub fn signature(&self) -> String {
        let params: Vec<String> = self.params.iter().map(|(n, p)| format!("{n}: {}", p.describe())).collect();
        let on = if self.on == Pat::Free { String::new() } else { format!("{}.", self.on.describe()) };
        format!("{on}{}({})", self.name, params.join(", "))
    }
}

/// The ends of the edges that an entity of these kinds takes part in.
fn either(rel: Rel, kinds: Kinds) -> Ends {
    let spec = rel.spec();
    match (spec.from.and(kinds).is_none(), spec.to.and(kinds).is_none()) {
        (false, true) => ends(rel, kinds, true),
        (true, false) => ends(rel, kinds, false),
        _ => Ends { from: spec.from, to: spec.to },
    }
}

/// The text at a position.
pub(crate) fn text(args: &[Value], n: usize) -> &str {
    args.get(n).and_then(Value::as_text).unwrap_or("")
}

/// The list at a position.
pub(crate) fn items(args: &[Value], n: usize) -> &[Value] {
    args.get(n).map_or(&[], Value::items)
}

/// The entity at a position.
pub(crate) fn entity(args: &[Value], n: usize) -> Option<crate::model::EntityIx> {
    match args.get(n) {
        Some(Value::Entity(e)) => Some(*e),
        _ => None,
    }
}

/// The relation at a position.
pub(crate) fn rel(args: &[Value], n: usize) -> Option<Rel> {
    match args.get(n) {
        Some(Value::Rel(r)) => Some(*r),
        _ => None,
    }
}

/// The kind at a position.
pub(crate) fn kind(args: &[Value], n: usize) -> Option<Kind> {
    match args.get(n) {
        Some(Value::Kind(k)) => Some(*k),
        _ => None,
    }
}
