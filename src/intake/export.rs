//! An incident written in our own format, so that it can be changed and read again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::native::SCHEMA;
use crate::model::{Alert, AlertIx, Entity, EntityIx, Incident, PropValue, Relation, Report, Text, Time};

/// The incident in our own format. Reading it back gives the same incident, and so the same answer; writing that again
/// gives the same value. What signals and lists say is not in it.
pub fn write(incident: &Incident) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("schema", json!(SCHEMA));
    put("id", json!(*incident.id));
    put("title", json!(*incident.title));
    put("description", json!(*incident.description));
    put("severity", json!(incident.severity));
    put("status", json!(*incident.status));
    put("source", json!(*incident.source));
    put("created", time(incident.created));
    put("first_activity", time(incident.first_activity));
    put("last_activity", time(incident.last_activity));
    put("classification", json!(incident.classification));
    put("determination", json!(incident.determination));
    put("tags", json!(incident.tags));
    put("assigned_to", json!(incident.assigned_to));
    put("redirected_to", json!(incident.redirected_to));
    put("absent_alerts", json!(incident.absent_alerts));
    put("extra", json!(incident.extra));
    put("alerts", incident.alerts.iter().map(|a| alert(incident, a)).collect());
    put("entities", incident.entities().map(|(ix, e)| entity(incident, ix, e)).collect());
    put("relations", incident.relations.iter().map(|r| relation(incident, r)).collect());
    Value::Object(out)
}

fn texts(all: &[Text]) -> Value {
    all.iter().map(|t| json!(**t)).collect()
}

fn time(t: Option<Time>) -> Value {
    t.map_or(Value::Null, |t| json!(t.to_string()))
}

fn entity_id(incident: &Incident, e: EntityIx) -> &str {
    incident.entity(e).map_or("", |e| &e.id)
}

fn alert_id(incident: &Incident, a: AlertIx) -> &str {
    incident.alert(a).map_or("", |a| &a.id)
}

fn alert(incident: &Incident, a: &Alert) -> Value {
    let entities: Vec<Value> = a
        .entities
        .iter()
        .map(|(e, roles)| {
            let mut one = json!({"ref": entity_id(incident, *e), "roles": roles});
            if let (true, Some(map)) = (a.named.contains(e), one.as_object_mut()) {
                map.insert("record".to_owned(), json!(true));
            }
            one
        })
        .collect();
    json!({
        "id": *a.id, "title": *a.title, "description": *a.description, "severity": a.severity, "status": *a.status, "detectors": texts(&a.detectors),
        "product": *a.product, "category": *a.category, "techniques": a.techniques, "tactics": a.tactics, "first": time(a.first),
        "last": time(a.last), "created": time(a.created), "classification": a.classification, "determination": a.determination,
        "entities": entities, "extra": a.extra,
    })
}

fn entity(incident: &Incident, ix: EntityIx, e: &Entity) -> Value {
    let in_alerts: BTreeSet<&Text> = incident.alerts.iter().filter_map(|a| a.entities.get(&ix)).flatten().collect();
    let roles: Vec<&str> = e.roles.iter().filter(|r| !in_alerts.contains(r)).map(|r| &**r).collect();
    let mut properties = Map::new();
    let mut history = Map::new();
    for (prop, reports) in e.props.iter() {
        let name = prop.spec().name;
        // What was ever so is asked as a whole.
        let ever = reports.iter().find(|r| name.starts_with("was_") && r.value == PropValue::Bool(true));
        let Some(holds) = ever.or(reports.last()) else { continue };
        properties.insert(name.to_owned(), value(&holds.value));
        if !matches!(reports, [Report { at: None, alert: None, .. }]) {
            history.insert(name.to_owned(), reports.iter().map(|r| report(incident, r)).collect());
        }
    }
    let records: BTreeMap<&str, u32> = e.records.iter().map(|(k, n)| (&**k, *n)).collect();
    json!({
        "id": *e.id, "kind": e.kind, "settled": true, "name": *e.name, "aliases": e.aliases, "verdict": e.verdict,
        "remediation_status": *e.remediation_status, "roles": roles, "tags": e.tags, "properties": properties, "history": history,
        "fields": e.fields, "records": records,
    })
}

fn report(incident: &Incident, r: &Report) -> Value {
    let mut out = Map::new();
    if let Some(at) = r.at {
        out.insert("at".to_owned(), json!(at.to_string()));
    }
    if let Some(alert) = r.alert {
        out.insert("alert".to_owned(), json!(alert_id(incident, alert)));
    }
    out.insert("value".to_owned(), value(&r.value));
    Value::Object(out)
}

/// A value of a property: text, number, flag, a level's word, a moment as RFC 3339, a list of texts.
pub(super) fn value(v: &PropValue) -> Value {
    match v {
        PropValue::Text(t) => json!(**t),
        PropValue::Int(n) => json!(n),
        PropValue::Bool(b) => json!(b),
        PropValue::Level(l) => json!(l.word()),
        PropValue::Time(t) => json!(t.to_string()),
        PropValue::Texts(all) => texts(all),
    }
}

fn relation(incident: &Incident, r: &Relation) -> Value {
    let alerts: Vec<&str> = r.alerts.iter().map(|a| alert_id(incident, *a)).collect();
    json!({
        "from": entity_id(incident, r.from), "relation": r.rel.spec().name, "to": entity_id(incident, r.to), "first": time(r.first),
        "last": time(r.last), "alerts": alerts,
    })
}
