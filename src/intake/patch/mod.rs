//! Changes to an incident in our own format: what `patch:` in a test holds, and what the smallest change of `explain` is.
//!
//! An operation speaks of alerts and entities by id (any alias will do), or is one of RFC 6902 with its `path`.

mod find;
mod pointer;
#[cfg(test)]
mod tests;
mod words;

use serde_json::{Map, Value};

use self::find::{Doc, list_mut, text};
use super::json::shown;

/// Operations of one patch.
pub const OPERATIONS: usize = 1_000;
/// Values that an incident may grow to, each 64 bytes of text counted as one, so that copies of copies end.
pub const VALUES: usize = 500_000;
/// How deep an incident may nest.
pub const DEPTH: usize = 100;

/// The operations, as they are written.
const OPS: &[&str] = &["set", "add", "remove", "replace", "test", "move", "copy"];

/// Applies operations one after another to an incident in our own format. If any fails, nothing is changed, and there is
/// one message for each that failed: its number, what is wrong, and what would be right.
pub fn apply(incident: &mut Value, operations: &[Value]) -> Result<(), Vec<String>> {
    if operations.len() > OPERATIONS {
        return Err(vec![format!("a patch of {} operations; at most {OPERATIONS} are read", operations.len())]);
    }
    let mut changed = incident.clone();
    let mut failed = Vec::new();
    let mut size = values(&changed);
    for (n, operation) in (1usize..).zip(operations) {
        // Before it is done: one copy of all into itself doubles it.
        let more = added(&changed, operation);
        if more.1 > DEPTH {
            failed.push(format!("operation {n}: the incident would nest more than {DEPTH} deep"));
            break;
        }
        if size.saturating_add(more.0) > VALUES {
            failed.push(format!("operation {n}: the incident grows to more than {VALUES} values"));
            break;
        }
        match one(&mut changed, operation) {
            Ok(()) => {}
            Err(why) => failed.push(if operations.len() > 1 { format!("operation {n}: {why}") } else { why }),
        }
        size = size.saturating_add(more.0);
    }
    if !failed.is_empty() {
        return Err(failed);
    }
    *incident = changed;
    Ok(())
}

/// What an operation adds at most, and how deep the incident may be after it.
fn added(incident: &Value, operation: &Value) -> (usize, usize) {
    let steps = |key: &str| text(operation, key).map_or(0, |p| p.matches('/').count());
    let source = match text(operation, "op") {
        Some("copy" | "move") => text(operation, "from").and_then(|p| incident.pointer(p)),
        _ => None,
    };
    let below = source.map_or(0, depth).max(depth(operation));
    (values(operation).saturating_add(source.map_or(0, values)), steps("path").max(steps("from")).saturating_add(below))
}

fn values(v: &Value) -> usize {
    let text = |t: &str| t.len().saturating_div(64);
    let below = match v {
        Value::Array(all) => all.iter().map(values).fold(0, usize::saturating_add),
        Value::Object(all) => all.iter().map(|(k, v)| text(k).saturating_add(values(v))).fold(0, usize::saturating_add),
        Value::String(t) => text(t),
        _ => 0,
    };
    below.saturating_add(1)
}

/// How deep a value nests. No value that is asked for nests more than twice [`DEPTH`].
fn depth(v: &Value) -> usize {
    let below = match v {
        Value::Array(all) => all.iter().map(depth).max(),
        Value::Object(all) => all.values().map(depth).max(),
        _ => None,
    };
    below.unwrap_or(0).saturating_add(1)
}

type Done = Result<(), String>;

fn one(incident: &mut Value, operation: &Value) -> Done {
    let Value::Object(op) = operation else { return Err("an operation is a map such as `{op: remove, alert: a-3}`".to_owned()) };
    let Some(word) = text(operation, "op") else { return Err(format!("an operation without `op`: it is one of {}", list(OPS))) };
    if !OPS.contains(&word) {
        return Err(format!("`{}` is no operation{}", shown(word), words::near(word, OPS)));
    }
    if op.contains_key("path") {
        return pointer::apply(incident, word, op);
    }
    if !incident.is_object() {
        return Err("there is no incident to change".to_owned());
    }
    let mut doc = Doc { incident };
    match word {
        "set" => set(&mut doc, op),
        "add" => add(&mut doc, op),
        "remove" => remove(&mut doc, op),
        other => Err(format!("`{other}` needs a `path`, such as `/alerts/0/severity`")),
    }
}

fn list(words: &[&str]) -> String {
    words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
}

/// Refuses keys that an operation does not have.
fn keys(op: &Map<String, Value>, allowed: &[&str]) -> Done {
    match op.keys().find(|k| *k != "op" && !allowed.contains(&k.as_str())) {
        Some(k) => Err(format!("`{}` does not belong to this operation{}", shown(k), words::near(k, allowed))),
        None => Ok(()),
    }
}

fn map<'v>(v: &'v Value, what: &str) -> Result<&'v Map<String, Value>, String> {
    v.as_object().ok_or_else(|| format!("`{what}` holds a map of what is to be set"))
}

fn id_of<'v>(v: &'v Value, what: &str) -> Result<&'v str, String> {
    v.as_str().filter(|t| !t.trim().is_empty()).ok_or_else(|| format!("`{what}` holds an id, as text"))
}

fn set(doc: &mut Doc<'_>, op: &Map<String, Value>) -> Done {
    let to = |op: &Map<String, Value>| op.get("to").cloned().ok_or_else(|| "`to` says what is to be set, as in `to: {severity: low}`".to_owned());
    match (op.get("incident"), op.get("alert"), op.get("entity")) {
        (Some(to), None, None) => {
            keys(op, &["incident"])?;
            words::incident(map(to, "incident")?)?;
            merge(doc.incident, to);
            Ok(())
        }
        (None, Some(id), None) => {
            keys(op, &["alert", "to"])?;
            let (n, to) = (doc.alert(id_of(id, "alert")?)?, to(op)?);
            words::alert(map(&to, "to")?)?;
            if let Some(alert) = list_mut(doc.incident, "alerts").and_then(|all| all.get_mut(n)) {
                merge(alert, &to);
            }
            Ok(())
        }
        (None, None, Some(id)) => {
            keys(op, &["entity", "to"])?;
            let (found, to) = (doc.entity(id_of(id, "entity")?)?, to(op)?);
            let mut to = map(&to, "to")?.clone();
            words::entity(found.kind, &to)?;
            words::tell_remediation(found.kind, &mut to);
            if let Some(roles) = to.get("roles") {
                doc.keep_roles(&found.id, &words::texts(roles));
            }
            doc.merge_entity(&found, &Value::Object(to));
            Ok(())
        }
        _ => Err("`set` names one of `incident`, `alert` (with `to`) or `entity` (with `to`)".to_owned()),
    }
}

/// Puts the keys of a map into another, deep; `null` takes a key away.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (k, v) in from {
                if v.is_null() {
                    into.remove(k);
                } else {
                    merge(into.entry(k.clone()).or_insert(Value::Null), v);
                }
            }
        }
        (into, from) => {
            *into = match from {
                Value::Object(_) => {
                    let mut made = Value::Object(Map::new());
                    merge(&mut made, from);
                    made
                }
                other => other.clone(),
            };
        }
    }
}

fn add(doc: &mut Doc<'_>, op: &Map<String, Value>) -> Done {
    match (op.get("alert"), op.get("entity"), op.get("relation")) {
        (Some(Value::Object(alert)), None, None) => {
            keys(op, &["alert"])?;
            let id = alert.get("id").map_or(Err("an alert that is added has an `id`".to_owned()), |id| id_of(id, "id"))?;
            if doc.alert(id).is_ok() {
                return Err(format!("there is an alert `{}` already: `set` changes it", shown(id)));
            }
            words::new_alert(alert)?;
            doc.push("alerts", Value::Object(alert.clone()));
            Ok(())
        }
        (None, Some(Value::Object(entity)), None) => {
            keys(op, &["entity"])?;
            let id = entity.get("id").map_or(Err("an entity that is added has an `id`".to_owned()), |id| id_of(id, "id"))?;
            if doc.entity(id).is_ok() {
                return Err(format!("there is an entity `{}` already: `set` changes it", shown(id)));
            }
            words::new_entity(id, entity)?;
            doc.push("entities", Value::Object(entity.clone()));
            Ok(())
        }
        (None, None, Some(Value::Object(relation))) => {
            keys(op, &["relation"])?;
            let relation = doc.relation(relation)?;
            doc.push("relations", relation);
            Ok(())
        }
        (Some(id), Some(entity), None) => {
            keys(op, &["alert", "entity"])?;
            let n = doc.alert(id_of(id, "alert")?)?;
            let named =
                text(entity, "ref").or(entity.as_str()).ok_or_else(|| "`entity` names an entity, as in `{ref: user:ada@example.com}`".to_owned())?;
            if let Value::Object(keys) = entity
                && let Some(k) = keys.keys().find(|k| !["ref", "roles", "record"].contains(&k.as_str()))
            {
                return Err(format!("`{}` does not belong to a reference{}", shown(k), words::near(k, &["ref", "roles", "record"])));
            }
            let id = match doc.entity(named) {
                Ok(found) => found.id,
                Err(_) => {
                    words::kind_of(named, None)?;
                    named.to_owned()
                }
            };
            doc.refer(n, &id, entity);
            Ok(())
        }
        _ => Err("`add` has one of `alert: {…}`, `entity: {…}`, `relation: {…}`, or `alert: ID` with `entity: {ref: …}`".to_owned()),
    }
}

fn remove(doc: &mut Doc<'_>, op: &Map<String, Value>) -> Done {
    match (op.get("alert"), op.get("entity"), op.get("relation")) {
        (Some(id), None, None) => {
            keys(op, &["alert"])?;
            let n = doc.alert(id_of(id, "alert")?)?;
            doc.remove_alert(n);
            Ok(())
        }
        (None, Some(id), None) => {
            keys(op, &["entity"])?;
            let found = doc.entity(id_of(id, "entity")?)?;
            doc.remove_entity(&found);
            Ok(())
        }
        (Some(alert), Some(id), None) => {
            keys(op, &["alert", "entity"])?;
            let n = doc.alert(id_of(alert, "alert")?)?;
            let found = doc.entity(id_of(id, "entity")?)?;
            doc.unrefer(n, &found)
        }
        (None, None, Some(Value::Object(relation))) => {
            keys(op, &["relation"])?;
            doc.remove_relation(relation)
        }
        _ => Err("`remove` has one of `alert: ID`, `entity: ID`, both, or `relation: {from, relation, to}`".to_owned()),
    }
}
