//! The operations that changes are made of, and how each is said.

use serde_json::{Value as Json, json};

use crate::model::{Incident, Kind, Level, Rel, Time, Verdict};
use crate::script::Value;

/// A piece of a sentence: words, or something to be taken literally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words of this program.
    Words(String),
    /// An id or value of the incident, or a name of the playbooks.
    Code(String),
}

/// A change: its operations, how it is said after "if", and how much it changes.
#[derive(Clone, Debug)]
pub struct Idea {
    /// The operations, as a `patch:` holds them.
    pub ops: Vec<Json>,
    /// What would have to be so.
    pub said: Vec<Part>,
    /// How much it changes: less is better.
    pub rank: u32,
}

impl Idea {
    fn new(rank: u32, op: Json, said: Vec<Part>) -> Self {
        Self { ops: vec![op], said, rank }
    }

    /// This and then that.
    pub fn and(mut self, other: Self) -> Self {
        self.ops.extend(other.ops);
        self.said.push(words(" and "));
        self.said.extend(other.said);
        self.rank = self.rank.saturating_add(other.rank);
        self
    }

    /// The sentence, with ids between backticks.
    pub fn text(&self) -> String {
        let piece = |p: &Part| match p {
            Part::Code(t) => format!("`{t}`"),
            Part::Words(t) => t.clone(),
        };
        self.said.iter().map(piece).collect()
    }
}

pub(super) fn words(t: impl Into<String>) -> Part {
    Part::Words(t.into())
}

pub(super) fn code(t: impl Into<String>) -> Part {
    Part::Code(t.into())
}

fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// A value as a property of our own format holds it; nothing for what no property holds.
pub(super) fn json_of(v: &Value) -> Option<Json> {
    Some(match v {
        Value::Bool(b) => json!(b),
        Value::Int(n) => json!(n),
        Value::Text(t) if !t.trim().is_empty() => json!(&**t),
        Value::Level(l) => json!(l.word()),
        Value::Time(t) => json!(t.to_string()),
        Value::List(all) => Json::Array(all.iter().filter_map(json_of).collect()),
        _ => return None,
    })
}

/// A value as a sentence names it.
fn plain(v: &Json) -> String {
    match v {
        Json::String(t) => t.clone(),
        Json::Bool(b) => if *b { "yes" } else { "no" }.to_owned(),
        Json::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Properties that say which thing it is.
const NAMING: &[&str] = &["address", "fqdn", "host", "host_name", "md5", "message_id", "object_id", "sha1", "sha256", "sid", "upn", "url"];

/// A property that holds another value, or none.
pub(super) fn property(id: &str, name: &str, value: Option<Json>) -> Idea {
    let said = match &value {
        Some(Json::Bool(b)) => vec![code(id), words(format!(" had {} {b}", spaced(name)))],
        Some(v) => vec![code(id), words(format!(" had {} ", spaced(name))), code(plain(v))],
        None => vec![code(id), words(format!(" had no {}", spaced(name)))],
    };
    // What names a thing is not changed lightly: with another address it is another thing.
    let rank = match value {
        _ if NAMING.contains(&name) => 9,
        None => 2,
        Some(_) => 1,
    };
    let op = json!({"op": "set", "entity": id, "to": {"properties": {name: value}}});
    Idea::new(rank, op, said)
}

/// A verdict.
pub(super) fn verdict(id: &str, verdict: Verdict) -> Idea {
    let said = vec![code(id), words(format!(" had the verdict {}", spaced(verdict.word())))];
    Idea::new(2, json!({"op": "set", "entity": id, "to": {"verdict": verdict.word()}}), said)
}

/// What was done about an entity.
pub(super) fn remediation(id: &str, status: &str) -> Idea {
    let said = vec![code(id), words(" had the remediation status "), code(status)];
    Idea::new(2, json!({"op": "set", "entity": id, "to": {"remediation_status": status}}), said)
}

/// A name.
pub(super) fn name(id: &str, name: &str) -> Idea {
    Idea::new(2, json!({"op": "set", "entity": id, "to": {"name": name}}), vec![code(id), words(" were called "), code(name)])
}

/// The parts that an entity plays, or its tags, one more or one less.
pub(super) fn words_of(id: &str, key: &'static str, all: Vec<&str>, word: &str, there: bool) -> Idea {
    let has = match (key, there) {
        ("roles", true) => " played the part ",
        ("roles", false) => " did not play the part ",
        (_, true) => " had the tag ",
        (_, false) => " did not have the tag ",
    };
    let mut kept: Vec<&str> = all.into_iter().filter(|w| *w != word).collect();
    if there {
        kept.push(word);
    }
    Idea::new(3, json!({"op": "set", "entity": id, "to": {key: kept}}), vec![code(id), words(has), code(word)])
}

/// A relation that is there.
pub(super) fn related(from: &str, rel: Rel, to: &str, times: Option<(Time, Time)>, invented: bool) -> Idea {
    let mut relation = json!({"from": from, "relation": rel.spec().name, "to": to});
    if let (Some((first, last)), Some(r)) = (times, relation.as_object_mut()) {
        r.insert("first".to_owned(), json!(first.to_string()));
        r.insert("last".to_owned(), json!(last.to_string()));
    }
    let when = times.map_or_else(String::new, |(first, _)| format!(" at {}", crate::script::eval::time_text(first)));
    let said = vec![
        words("the relation "),
        code(from),
        words(format!(" —{}→ ", rel.spec().name)),
        code(to),
        words(format!("{}were recorded{when}", if invented { ", which is new, " } else { " " })),
    ];
    Idea::new(if invented { 7 } else { 4 }, json!({"op": "add", "relation": relation}), said)
}

/// A relation that is not there.
pub(super) fn unrelated(from: &str, rel: Rel, to: &str) -> Idea {
    let said = vec![words("the relation "), code(from), words(format!(" —{}→ ", rel.spec().name)), code(to), words(" were not recorded")];
    Idea::new(4, json!({"op": "remove", "relation": {"from": from, "relation": rel.spec().name, "to": to}}), said)
}

/// Something of an alert.
pub(super) fn alert(id: &str, key: &'static str, value: Option<Json>) -> Idea {
    let said = match &value {
        Some(v) => vec![words("alert "), code(id), words(format!(" had the {} ", spaced(key))), code(plain(v))],
        None => vec![words("alert "), code(id), words(format!(" had no {}", spaced(key)))],
    };
    Idea::new(4, json!({"op": "set", "alert": id, "to": {key: value}}), said)
}

/// The incident's severity or another of its fields.
pub(super) fn incident(key: &'static str, value: Option<Json>) -> Idea {
    let said = match &value {
        Some(v) => vec![words(format!("the incident had the {} ", spaced(key))), code(plain(v))],
        None => vec![words(format!("the incident had no {}", spaced(key)))],
    };
    Idea::new(2, json!({"op": "set", "incident": {key: value}}), said)
}

/// An alert that is not there.
pub(super) fn no_alert(ids: &[&str]) -> Idea {
    let mut said = vec![words(if ids.len() == 1 { "there were no alert " } else { "there were no alerts " })];
    for (n, id) in ids.iter().enumerate() {
        if n > 0 {
            said.push(words(", "));
        }
        said.push(code(*id));
    }
    let rank = u32::try_from(ids.len()).unwrap_or(u32::MAX).saturating_mul(5);
    Idea { ops: ids.iter().map(|id| json!({"op": "remove", "alert": id})).collect(), said, rank }
}

/// An entity that is not there.
pub(super) fn no_entity(id: &str) -> Idea {
    Idea::new(8, json!({"op": "remove", "entity": id}), vec![code(id), words(" were not in the incident")])
}

/// An entity that an alert names, or does not.
pub(super) fn named(alert: &str, id: &str, there: bool) -> Idea {
    if there {
        let said = vec![words("alert "), code(alert), words(" also named "), code(id)];
        Idea::new(4, json!({"op": "add", "alert": alert, "entity": {"ref": id}}), said)
    } else {
        let said = vec![words("alert "), code(alert), words(" did not name "), code(id)];
        Idea::new(5, json!({"op": "remove", "alert": alert, "entity": id}), said)
    }
}

/// An entity of a kind that is in the incident.
pub(super) fn some_entity(incident: &Incident, kind: Kind) -> Idea {
    let id = invented(incident, kind);
    let said = vec![words(format!("there were a {}, such as ", spaced(kind.word()))), code(&id)];
    Idea::new(7, json!({"op": "add", "entity": {"id": id, "kind": kind.word()}}), said)
}

/// An id of a kind that no entity of the incident has.
pub(super) fn invented(incident: &Incident, kind: Kind) -> String {
    (1u32..1_000).map(|n| key_of(kind, n)).find(|id| !incident.entities.iter().any(|e| *e.id == **id)).unwrap_or_else(|| format!("{kind}:example"))
}

fn key_of(kind: Kind, n: u32) -> String {
    match kind {
        Kind::User | Kind::Mailbox => format!("{kind}:user{n}@example.com"),
        Kind::Device => format!("device:device{n}.example.com"),
        Kind::Ip => format!("ip:198.51.100.{}", n.min(254)),
        Kind::Url => format!("url:https://host{n}.example.net/"),
        Kind::Domain => format!("domain:host{n}.example.net"),
        Kind::File => format!("file:{n:064x}"),
        other => format!("{other}:example-{n}"),
    }
}

/// An alert that is new.
pub(super) struct NewAlert<'a> {
    /// What names it in the sentence: the signal that it says, or a technique.
    pub(super) says: &'a str,
    /// `signal` or `technique`.
    pub(super) kind: &'static str,
    /// Its fields.
    pub(super) fields: Json,
    /// What it is about.
    pub(super) about: Vec<&'a str>,
}

/// An alert that is there; of several wordings the first one counts least.
pub(super) fn new_alert(incident: &Incident, new: &NewAlert<'_>) -> Idea {
    let id = (1u32..1_000).map(|n| format!("example-{n}")).find(|id| !incident.alerts.iter().any(|a| *a.id == **id)).unwrap_or_default();
    let mut alert = json!({"id": id, "entities": new.about.iter().map(|a| json!({"ref": a})).collect::<Vec<_>>()});
    if let (Some(alert), Some(fields)) = (alert.as_object_mut(), new.fields.as_object()) {
        alert.extend(fields.iter().map(|(k, v)| (k.clone(), v.clone())));
        if let Some(at) = incident.last_activity {
            alert.insert("first".to_owned(), json!(at.to_string()));
        }
    }
    let mut said = vec![words(format!("an alert with the {} ", new.kind)), code(new.says)];
    if !new.about.is_empty() {
        said.push(words(" named "));
        for (n, id) in new.about.iter().enumerate() {
            if n > 0 {
                said.push(words(" and "));
            }
            said.push(code(*id));
        }
    } else {
        said.push(words(" were raised"));
    }
    Idea::new(6, json!({"op": "add", "alert": alert}), said)
}

/// The level above, or below.
pub(super) fn next_level(l: Level, up: bool) -> Option<Level> {
    let at = Level::ALL.iter().position(|x| *x == l)?;
    let at = if up { at.checked_add(1)? } else { at.checked_sub(1)? };
    Level::ALL.get(at).copied()
}
