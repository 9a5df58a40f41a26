//! The JSON Schema of an incident in our own format, from the tables of kinds, properties and relations.

use serde_json::{Map, Value, json};

use crate::model::kind::{PROPS, PropType, RELATIONS};
use crate::model::{Kind, Level, Verdict};

/// An incident, for a file of its own.
pub fn incident() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An incident in the format of guided response, version 1",
        "$ref": "#/$defs/incident",
        "required": ["schema"],
        "$defs": definitions(),
    });
    if let Some(all) = schema.as_object_mut() {
        all.insert("examples".to_owned(), json!([example()]));
    }
    schema
}

/// The parts, by name: `incident`, `incident_alert`, `incident_entity`, `incident_relation`.
pub fn definitions() -> Map<String, Value> {
    let mut all = Map::new();
    let mut put = |name: &str, doc: &str, required: &[&str], properties: Value| {
        let schema = json!({ "description": doc, "type": "object", "required": required, "properties": properties });
        all.insert(name.to_owned(), schema);
    };
    let levels: Vec<&str> = Level::ALL.iter().map(|l| l.word()).collect();
    put(
        "incident",
        "An incident: what the source said, with its alerts, the entities in them, and how these are related. Keys that are not listed are kept as extra fields.",
        &[],
        json!({
            "schema": { "description": "the version of this format", "const": super::native::SCHEMA },
            "id": text("the id in the source"),
            "title": text("the title"),
            "description": text("more of it"),
            "severity": word("how bad the source says it is", &levels),
            "status": word("where it stands", &["active", "in_progress", "resolved", "redirected"]),
            "source": text("the format that it was read from; else this one"),
            "created": time("when it was made"),
            "first_activity": time("first activity; else that of the alerts"),
            "last_activity": time("last activity; else that of the alerts"),
            "classification": word("what was decided", &["true_positive", "informational", "false_positive"]),
            "determination": text("of which kind"),
            "assigned_to": text("who works on it"),
            "tags": texts("labels"),
            "absent_alerts": texts("alerts that belong to it and are not here"),
            "redirected_to": text("the incident that it was merged into"),
            "alerts": list("the alerts", "incident_alert"),
            "entities": list("the entities", "incident_entity"),
            "relations": list("how entities are related", "incident_relation"),
            "extra": { "description": "anything else", "type": ["object", "null"] },
        }),
    );
    put(
        "incident_alert",
        "An alert.",
        &[],
        json!({
            "id": text("the id in the source"),
            "title": text("the title"),
            "description": text("more of it"),
            "severity": word("how bad the source says it is", &levels),
            "status": text("where it stands"),
            "detector": texts("the detector, alert type or rule that raised it"),
            "detectors": texts("more of them"),
            "product": text("the product that raised it"),
            "category": text("the source's word for what it is"),
            "techniques": texts("ATT&CK techniques, as in T1566.002"),
            "tactics": texts("ATT&CK tactics, as in initial-access"),
            "first": time("first activity"),
            "last": time("last activity"),
            "created": time("when it was made"),
            "entities": {
                "description": "the entities that it names",
                "type": ["array", "null"],
                "items": {
                    "anyOf": [
                        { "type": "string", "description": "an entity's id" },
                        {
                            "type": "object",
                            "properties": {
                                "ref": text("an entity's id, as in user:ada@example.com"),
                                "id": text("the same"),
                                "roles": texts("the parts that it plays in this alert, as in victim"),
                                "record": { "description": "whether the alert holds a record of it, rather than only naming it", "type": ["boolean", "null"] },
                            },
                        },
                    ],
                },
            },
            "extra": { "description": "anything else, for `alert.extra(\"name\")`", "type": ["object", "null"] },
        }),
    );
    let kinds: Vec<&str> = Kind::ALL.iter().map(|k| k.word()).collect();
    let verdicts: Vec<&str> = Verdict::ALL.iter().map(|v| v.word()).collect();
    let properties: Map<String, Value> = PROPS.iter().map(|p| (p.name.to_owned(), property(p.ty, &format!("of {}: {}", p.kinds, p.doc)))).collect();
    put(
        "incident_entity",
        "An entity. Its id is its kind, a colon, and what identifies it.",
        &["id"],
        json!({
            "id": { "description": "kind:key, as in user:ada@example.com", "type": "string", "examples": ["user:ada@example.com", "device:pc-1.example.com", "ip:203.0.113.7"] },
            "kind": word("its kind; else that of its id", &kinds),
            "name": text("its name for people"),
            "aliases": texts("other strong ids"),
            "verdict": word("what the source says of it", &verdicts),
            "remediation_status": word("what was done to it", &["none", "remediated", "prevented", "blocked", "not_found", "active"]),
            "roles": texts("the parts that it plays"),
            "tags": texts("its tags"),
            "properties": { "description": "what is recorded of it; names that are not listed are kept as fields", "type": ["object", "null"], "properties": properties },
            "fields": { "description": "anything else", "type": ["object", "null"] },
            "settled": { "description": "written by the program: it is one entity of its own with just these aliases, and nothing is derived from its id", "type": ["boolean", "null"] },
            "history": { "description": "of a settled entity, by property: what was reported of it, when, and by which alert", "type": ["object", "null"] },
            "records": { "description": "of a settled entity: how many records of which type it was drawn from", "type": ["object", "null"] },
        }),
    );
    let relations: Vec<Value> = RELATIONS.iter().map(|r| json!({ "const": r.name, "description": format!("from {} to {}", r.from, r.to) })).collect();
    put(
        "incident_relation",
        "How two entities are related.",
        &["from", "relation", "to"],
        json!({
            "from": text("the entity where it starts"),
            "relation": { "description": "its name", "oneOf": relations },
            "to": text("the entity where it leads"),
            "alerts": texts("the alerts that say it"),
            "first": time("first time"),
            "last": time("last time"),
        }),
    );
    all
}

fn text(doc: &str) -> Value {
    json!({ "description": doc, "type": ["string", "number", "boolean", "null"] })
}

fn texts(doc: &str) -> Value {
    json!({ "description": doc, "type": ["array", "string", "number", "boolean", "null"], "items": { "type": ["string", "number", "boolean", "null"] } })
}

fn time(doc: &str) -> Value {
    json!({ "description": format!("{doc}; RFC 3339"), "type": ["string", "null"], "examples": ["2026-01-12T09:30:00Z"] })
}

/// Words are offered, not demanded: sources have their own, which are read too.
fn word(doc: &str, words: &[&str]) -> Value {
    json!({ "description": doc, "type": ["string", "null"], "examples": words })
}

fn list(doc: &str, what: &str) -> Value {
    json!({ "description": doc, "type": ["array", "null"], "items": { "$ref": format!("#/$defs/{what}") } })
}

fn property(ty: PropType, doc: &str) -> Value {
    match ty {
        PropType::Bool => json!({ "description": doc, "type": ["boolean", "string", "null"] }),
        PropType::Int => json!({ "description": doc, "type": ["integer", "string", "null"] }),
        PropType::Texts => texts(doc),
        PropType::Time => time(doc),
        PropType::Level => word(doc, &Level::ALL.iter().map(|l| l.word()).collect::<Vec<_>>()),
        PropType::Text => text(doc),
    }
}

fn example() -> Value {
    json!({
        "schema": super::native::SCHEMA,
        "id": "INC-1",
        "title": "A link in a message was followed",
        "severity": "high",
        "alerts": [{
            "id": "a-1",
            "title": "Malicious URL was clicked",
            "first": "2026-01-12T09:00:00Z",
            "entities": [{ "ref": "user:ada@example.com", "roles": ["victim"] }, { "ref": "url:https://bad.example/a" }],
        }],
        "entities": [{ "id": "user:ada@example.com", "properties": { "upn": "ada@example.com" } }, { "id": "url:https://bad.example/a", "verdict": "malicious" }],
        "relations": [{ "from": "user:ada@example.com", "relation": "clicked", "to": "url:https://bad.example/a", "alerts": ["a-1"] }],
    })
}
