//! What a key of a file holds: the shapes that the table of keys is written in.

use crate::model::kind::PROPS;
use crate::model::{Kind, technique};

/// A key of a file: its name, whether it must be there, and what it holds.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What shape its value has.
    pub holds: Holds,
    /// What it holds, in a sentence.
    pub doc: &'static str,
    /// A value as it is written in YAML, on one line; empty where the words or ids say enough.
    pub example: &'static str,
}

/// A key that may be there.
pub const fn may(name: &'static str, holds: Holds, doc: &'static str) -> Key {
    Key { name, required: false, holds, doc, example: "" }
}

/// A key that must be there.
pub const fn must(name: &'static str, holds: Holds, doc: &'static str) -> Key {
    Key { name, required: true, holds, doc, example: "" }
}

impl Key {
    /// The key with an example of its value.
    pub const fn like(self, example: &'static str) -> Self {
        Self { example, ..self }
    }
}

/// The shape of a value.
#[derive(Clone, Copy, Debug)]
pub enum Holds {
    /// Anything.
    Any,
    /// An incident in our own format.
    Incident,
    /// Text as it stands.
    Text,
    /// Text with `{expression}` in it.
    Sentence,
    /// A query with `{expression}` in it.
    Query,
    /// An expression of any type.
    Expression,
    /// An expression that is true or false.
    Test,
    /// `NAME in EXPRESSION`.
    Target,
    /// A whole number, from and to.
    Number(i64, i64),
    /// `true` or `false`.
    Flag,
    /// Three numbers: `1.4.0`.
    Version,
    /// A day or a time.
    Day,
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// The id that something gets here.
    New(Of),
    /// The id of something that is declared elsewhere.
    Id(Of),
    /// Texts; one alone is a list of one.
    Texts,
    /// Ids of things that are declared elsewhere; one alone is a list of one.
    Ids(Of),
    /// A map with these keys.
    Map(&'static [Key]),
    /// A map from ids or names.
    MapOf(Of, &'static Holds),
    /// A list.
    ListOf(&'static Holds),
    /// The first shape or the second.
    Either(&'static Holds, &'static Holds),
}

impl Holds {
    /// The keys of a map, where they are known.
    pub fn keys(self) -> Option<&'static [Key]> {
        match self {
            Self::Map(keys) => Some(keys),
            Self::Either(a, b) => a.keys().or_else(|| b.keys()),
            _ => None,
        }
    }

    /// What stands below a key of a map.
    pub fn below(self, key: &str) -> Option<Self> {
        match self {
            Self::Map(keys) => keys.iter().find(|k| k.name == key).map(|k| k.holds),
            Self::MapOf(_, inner) => Some(*inner),
            Self::Either(a, b) => a.below(key).or_else(|| b.below(key)),
            _ => None,
        }
    }

    /// What stands in an item of a list.
    pub fn item(self) -> Option<Self> {
        match self {
            Self::ListOf(inner) => Some(*inner),
            Self::Texts => Some(Self::Text),
            Self::Ids(of) => Some(Self::Id(of)),
            Self::Either(a, b) => a.item().or_else(|| b.item()),
            _ => None,
        }
    }
}

/// What an id or name is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A playbook.
    Playbook,
    /// A library.
    Library,
    /// What an overlay changes: a playbook, or `library.ID`, `signals.ID`, `lists.ID`, `incident_types.ID`.
    Thing,
    /// Keys and ids that lead to a part of it: `containment.revoke_sessions.priority`.
    Path,
    /// A signal.
    Signal,
    /// An action.
    Action,
    /// A named list.
    List,
    /// An incident type.
    Type,
    /// A binding.
    Binding,
    /// A condition.
    Condition,
    /// A card of the same playbook.
    Card,
    /// A card of the same playbook, and the entity that it is about if that matters: `card_id`, `card_id entity`.
    Wanted,
    /// What a card needs: a condition of the same playbook, or `match`, `for`, `when`.
    Clause,
    /// A hunt of the same playbook.
    Hunt,
    /// An exception.
    Exception,
    /// A test of the same playbook, by its name.
    Test,
    /// A parameter of a condition or hunt.
    Parameter,
    /// A parameter of an action.
    Param,
    /// A kind of entity.
    Kind,
    /// A kind of entity, or `incident`.
    KindOrIncident,
    /// A property of an entity; which ones there are depends on the kind that the map stands under.
    Property,
    /// A technique of the ATT&CK matrix.
    Technique,
    /// A permission.
    Permission,
    /// A role of people.
    Role,
    /// A user of the permissions files.
    User,
}

/// The form of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Snake case: `url_clicked`.
    Name,
    /// Lower case in parts joined by dots: `device.isolate`.
    Dotted,
    /// Any text.
    Free,
}

impl Of {
    /// Every one of them, where the program itself knows them all.
    pub fn closed(self) -> Option<Vec<&'static str>> {
        let kinds = Kind::ALL.iter().map(|k| k.word());
        match self {
            Self::Kind => Some(kinds.collect()),
            Self::KindOrIncident => Some(kinds.chain(["incident"]).collect()),
            Self::Technique => Some(technique::technique_ids().collect()),
            Self::Property => Some(PROPS.iter().map(|p| p.name).collect()),
            _ => None,
        }
    }

    /// How such an id is written.
    pub const fn form(self) -> Form {
        match self {
            Self::Playbook | Self::Library | Self::Action => Form::Dotted,
            Self::Thing
            | Self::Path
            | Self::Wanted
            | Self::Clause
            | Self::Test
            | Self::Permission
            | Self::Role
            | Self::User
            | Self::Technique
            | Self::Exception => Form::Free,
            _ => Form::Name,
        }
    }
}
