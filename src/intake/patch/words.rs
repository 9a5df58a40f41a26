//! What may be set, and how: keys and words are checked, since a misspelt one would change nothing and nobody would know.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::builder::snake;
use super::super::json::shown;
use super::super::vocabulary;
use super::{Done, list};
use crate::diag::nearest;
use crate::model::kind::{PROPS, PropType};
use crate::model::{Classification, Kind, Level, Prop, Verdict};

const INCIDENT: &[&str] = &[
    "id",
    "title",
    "description",
    "severity",
    "status",
    "source",
    "created",
    "first_activity",
    "last_activity",
    "classification",
    "determination",
    "tags",
    "assigned_to",
    "redirected_to",
    "absent_alerts",
    "extra",
];
const ALERT: &[&str] = &[
    "title",
    "description",
    "severity",
    "status",
    "detector",
    "detectors",
    "product",
    "category",
    "techniques",
    "tactics",
    "first",
    "last",
    "created",
    "classification",
    "determination",
    "extra",
];
const ENTITY: &[&str] = &["name", "aliases", "verdict", "remediation_status", "roles", "tags", "properties", "fields"];

/// "; did you mean …?", or the words that there are.
pub(super) fn near(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(k) => format!("; did you mean `{k}`?"),
        None => format!(": there are {}", list(known)),
    }
}

fn known(all: &Map<String, Value>, what: &str, keys: &[&str], elsewhere: &[(&str, &str)]) -> Done {
    for key in all.keys() {
        if let Some((_, help)) = elsewhere.iter().find(|(k, _)| k == key) {
            return Err(format!("`{key}` of {what} is not set this way: {help}"));
        }
        if !keys.contains(&key.as_str()) {
            return Err(format!("{what} has no `{}`{}", shown(key), near(key, keys)));
        }
    }
    Ok(())
}

/// A word of a closed vocabulary, or null.
fn word(all: &Map<String, Value>, key: &str, good: impl Fn(&str) -> bool, words: &[&str]) -> Done {
    match all.get(key) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(t)) if good(t) => Ok(()),
        Some(Value::String(t)) => Err(format!("`{}` is no word for `{key}`{}", shown(t), near(t, words))),
        Some(_) => Err(format!("`{key}` is one of {}", list(words))),
    }
}

/// A moment.
pub(super) fn time(key: &str, v: &Value) -> Done {
    match v {
        Value::Null | Value::Number(_) => Ok(()),
        Value::String(t) if crate::model::time::time(t).is_some() => Ok(()),
        _ => Err(format!("`{key}` is a moment such as `2026-01-12T09:30:00Z`")),
    }
}

fn shared(all: &Map<String, Value>) -> Done {
    word(all, "severity", |t| Level::of_source(t).is_some(), &Level::ALL.iter().map(|l| l.word()).collect::<Vec<_>>())?;
    let decisions: Vec<&str> = Classification::ALL.iter().map(|c| c.word()).filter(|w| *w != "undetermined").collect();
    word(all, "classification", |t| vocabulary::classification(t).is_some(), &decisions)?;
    for key in ["created", "first", "last", "first_activity", "last_activity"] {
        all.get(key).map_or(Ok(()), |t| time(key, t))?;
    }
    for key in ["tags", "techniques", "tactics", "detectors"] {
        if all.get(key).is_some_and(|v| !(v.is_null() || v.is_string() || plain(v))) {
            return Err(format!("`{key}` is a list of texts"));
        }
    }
    Ok(())
}

fn plain(v: &Value) -> bool {
    v.as_array().is_some_and(|all| all.iter().all(|x| x.is_string() || x.is_number() || x.is_boolean()))
}

/// What is set of an incident.
pub(super) fn incident(all: &Map<String, Value>) -> Done {
    const ELSEWHERE: &[(&str, &str)] = &[
        ("alerts", "`add`, `set` and `remove` with `alert` change them one by one"),
        ("entities", "`add`, `set` and `remove` with `entity` change them one by one"),
        ("relations", "`add` and `remove` with `relation` change them one by one"),
        ("schema", "it says which format this is"),
    ];
    known(all, "an incident", INCIDENT, ELSEWHERE)?;
    shared(all)
}

/// What is set of an alert.
pub(super) fn alert(all: &Map<String, Value>) -> Done {
    const ELSEWHERE: &[(&str, &str)] = &[
        ("id", "`remove` the alert and `add` another one"),
        ("entities", "`add` and `remove` with `alert` and `entity` change them one by one"),
        ("signals", "playbooks derive it; set what they look at: `detectors`, `title`, `category`"),
    ];
    known(all, "an alert", ALERT, ELSEWHERE)?;
    shared(all)
}

/// An alert that is added.
pub(super) fn new_alert(all: &Map<String, Value>) -> Done {
    let keys: Vec<&str> = ALERT.iter().copied().chain(["id", "entities"]).collect();
    known(all, "an alert", &keys, &[("signals", "playbooks derive it; give what they look at: `detectors`, `title`, `category`")])?;
    shared(all)
}

const DERIVED: &[(&str, &str)] = &[
    ("signals", "playbooks derive it from alerts"),
    ("alerts", "`add` with `alert: ID` and `entity` lets an alert name it"),
    ("malicious", "set `verdict: malicious`"),
    ("suspicious", "set `verdict: suspicious`"),
    ("first_seen", "it comes from its alerts"),
    ("last_seen", "it comes from its alerts"),
];

/// What is set of an entity.
pub(super) fn entity(kind: Kind, all: &Map<String, Value>) -> Done {
    let elsewhere: Vec<(&str, &str)> = DERIVED
        .iter()
        .copied()
        .chain([("id", "`remove` the entity and `add` another one"), ("kind", "`remove` the entity and `add` another one")])
        .collect();
    known(all, "an entity", ENTITY, &elsewhere)?;
    said(kind, all)
}

/// An entity that is added.
pub(super) fn new_entity(id: &str, all: &Map<String, Value>) -> Done {
    let keys: Vec<&str> = ENTITY.iter().copied().chain(["id", "kind"]).collect();
    known(all, "an entity", &keys, DERIVED)?;
    said(kind_of(id, all.get("kind").and_then(Value::as_str))?, all)
}

fn said(kind: Kind, all: &Map<String, Value>) -> Done {
    word(all, "verdict", |t| Verdict::parse(t).is_some(), &Verdict::ALL.iter().map(|v| v.word()).collect::<Vec<_>>())?;
    for key in ["aliases", "roles", "tags"] {
        if all.get(key).is_some_and(|v| !(v.is_null() || v.is_string() || plain(v))) {
            return Err(format!("`{key}` is a list of texts"));
        }
    }
    let Some(properties) = all.get("properties").filter(|p| !p.is_null()) else { return Ok(()) };
    let Value::Object(properties) = properties else { return Err("`properties` is a map, as in `{risk: high}`".to_owned()) };
    for (name, value) in properties {
        let Some(prop) = Prop::named(name).filter(|p| p.spec().kinds.has(kind)) else {
            let of_kind = PROPS.iter().filter(|p| p.kinds.has(kind)).map(|p| p.name);
            let hint = nearest(name, of_kind).map(|n| format!("; did you mean `{n}`?"));
            return Err(format!(
                "a {kind} has no property `{}`{}",
                shown(name),
                hint.unwrap_or_else(|| "; what else is known goes into `fields`".to_owned())
            ));
        };
        fits(name, prop.spec().ty, value)?;
    }
    Ok(())
}

fn fits(name: &str, ty: PropType, value: &Value) -> Done {
    let text = match value {
        Value::Null => return Ok(()),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(t) => t.trim().to_owned(),
        Value::Array(_) if ty == PropType::Texts && plain(value) => return Ok(()),
        Value::Array(_) | Value::Object(_) => String::new(),
    };
    let (good, what) = match ty {
        PropType::Text => (!text.is_empty(), "text"),
        PropType::Texts => (!text.is_empty(), "a list of texts"),
        PropType::Int => (text.parse::<i64>().is_ok(), "a whole number"),
        PropType::Bool => (matches!(text.as_str(), "true" | "false"), "true or false"),
        PropType::Level => (Level::of_source(&text).is_some(), "a level: informational, low, medium, high or critical"),
        PropType::Time => (crate::model::time::time(&text).is_some(), "a moment such as `2026-01-12T09:30:00Z`"),
    };
    if good { Ok(()) } else { Err(format!("`{name}` is {what}; `null` takes it away")) }
}

/// What an entity is, by what is given or by the beginning of its id.
pub(super) fn kind_of(id: &str, given: Option<&str>) -> Result<Kind, String> {
    let words = || Kind::ALL.iter().map(|k| k.word());
    match (given, id.split_once(':')) {
        (Some(word), _) => Kind::parse(word).ok_or_else(|| {
            format!("`{}` is no kind of entity{}", shown(word), nearest(word, words()).map(|k| format!("; did you mean `{k}`?")).unwrap_or_default())
        }),
        (None, Some((prefix, rest))) if !rest.trim().is_empty() => Kind::parse(prefix).ok_or_else(|| {
            format!(
                "`{}` does not begin with a kind of entity{}",
                shown(id),
                nearest(prefix, words()).map(|k| format!("; did you mean `{k}:…`?")).unwrap_or_default()
            )
        }),
        (None, _) => Err(format!("`{}` does not begin with a kind of entity, as `user:ada@example.com` does", shown(id))),
    }
}

/// A part that an entity plays, as it is kept.
pub(super) fn role(text: &str) -> String {
    snake(text)
}

/// Texts of a list, or one alone.
pub(super) fn texts(v: &Value) -> BTreeSet<String> {
    match v {
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(t) => BTreeSet::from([t.clone()]),
        _ => BTreeSet::new(),
    }
}

/// A status that says that something was done about the entity says so in its property too, as every source's does.
pub(super) fn tell_remediation(kind: Kind, to: &mut Map<String, Value>) {
    let Some(done) = to.get("remediation_status").and_then(Value::as_str).map(vocabulary::is_remediated) else { return };
    if !Prop::named("was_remediated").is_some_and(|p| p.spec().kinds.has(kind)) || !done {
        return;
    }
    if let Value::Object(properties) = to.entry("properties").or_insert_with(|| json!({})) {
        properties.entry("was_remediated").or_insert(json!(true));
    }
}
