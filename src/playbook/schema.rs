//! JSON Schemas of playbook files, from the table of keys: what an editor completes and refuses is what the parser knows.

use serde_json::{Map, Value, json};

use super::holds::{Form, Holds, Key, Of};
use super::keys::{self, FileKind};
use super::set::PlaybookSet;

/// The version of JSON Schema that is written.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// What one text is to YAML.
const TEXT: [&str; 3] = ["string", "number", "boolean"];

/// A schema for each kind of file, by its first key, and `playbook-file` for any of them. Ids of the set are offered as
/// examples.
pub fn files(set: &PlaybookSet) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = keys::FILES.iter().map(|kind| (kind.key.to_owned(), alone(set, kind))).collect();
    all.push(("playbook-file".to_owned(), any(set)));
    all
}

/// The schema of one kind of file.
fn alone(set: &PlaybookSet, kind: &FileKind) -> Value {
    let mut w = Writer { set, definitions: Map::new() };
    let mut schema = w.object(kind.keys, kind.doc);
    if let Some(all) = schema.as_object_mut() {
        all.insert("$schema".to_owned(), DIALECT.into());
        all.insert("title".to_owned(), title(kind).into());
        all.insert("$defs".to_owned(), Value::Object(w.definitions));
    }
    schema
}

/// The schema of any file: its first key says which.
fn any(set: &PlaybookSet) -> Value {
    let mut w = Writer { set, definitions: Map::new() };
    let (mut choices, mut properties) = (Vec::new(), Map::new());
    for kind in keys::FILES {
        let name = format!("file_{}", kind.key);
        let schema = w.object(kind.keys, kind.doc);
        w.definitions.insert(name.clone(), schema);
        choices.push(json!({ "if": { "required": [kind.key] }, "then": { "$ref": format!("#/$defs/{name}") } }));
        properties.insert(kind.key.to_owned(), json!({ "description": format!("{}; the first key says what a file is", kind.doc) }));
    }
    let one: Vec<Value> = keys::first_keys().map(|k| json!({ "required": [k] })).collect();
    json!({
        "$schema": DIALECT,
        "title": "A file of a playbooks folder",
        "description": "The first key says what the file is.",
        "type": "object",
        "properties": properties,
        "anyOf": one,
        "allOf": choices,
        "$defs": w.definitions,
    })
}

fn title(kind: &FileKind) -> String {
    format!("A file of a playbooks folder that begins with `{}:`", kind.key)
}

struct Writer<'s> {
    set: &'s PlaybookSet,
    definitions: Map<String, Value>,
}

impl Writer<'_> {
    /// A map with known keys.
    fn object(&mut self, keys: &[Key], doc: &str) -> Value {
        let properties: Map<String, Value> = keys.iter().map(|k| (k.name.to_owned(), self.key(k))).collect();
        let required: Vec<&str> = keys.iter().filter(|k| k.required).map(|k| k.name).collect();
        let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if let Some(all) = schema.as_object_mut() {
            if !doc.is_empty() {
                all.insert("description".to_owned(), doc.into());
            }
            if !required.is_empty() {
                all.insert("required".to_owned(), required.into());
            }
        }
        schema
    }

    fn key(&mut self, key: &Key) -> Value {
        let mut schema = self.value(key.holds);
        // An optional key with nothing behind it is as if not written; an expression is never nothing.
        if !key.required && !matches!(key.holds, Holds::Test | Holds::Expression | Holds::Target) {
            schema = or_nothing(schema);
        }
        if let Some(all) = schema.as_object_mut() {
            all.insert("description".to_owned(), key.doc.into());
            if let Some(example) = serde_yaml::from_str::<Value>(key.example).ok().filter(|_| !key.example.is_empty()) {
                let examples = all.entry("examples").or_insert_with(|| json!([]));
                if let Some(list) = examples.as_array_mut().filter(|list| !list.contains(&example)) {
                    list.insert(0, example);
                }
            }
        }
        schema
    }

    fn value(&mut self, holds: Holds) -> Value {
        match holds {
            Holds::Any => json!({}),
            Holds::Incident => {
                self.definitions.extend(crate::intake::schema::definitions());
                json!({ "$ref": "#/$defs/incident" })
            }
            Holds::Text | Holds::Sentence | Holds::Query | Holds::Expression => json!({ "type": TEXT }),
            Holds::Test => json!({ "type": ["string", "boolean"] }),
            Holds::Target => json!({ "type": "string", "pattern": "^\\s*[a-z_][a-z0-9_]*\\s* in [\\s\\S]" }),
            Holds::Number(from, to) => json!({ "type": ["integer", "string"], "minimum": from, "maximum": to, "pattern": "^\\s*-?[0-9]+\\s*$" }),
            Holds::Flag => json!({ "type": ["boolean", "string"], "pattern": "^(true|false)$" }),
            Holds::Version => json!({ "type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$" }),
            Holds::Day => json!({ "type": "string", "pattern": "^\\s*[0-9]{4}-[0-9]{2}-[0-9]{2}|^\\s*[0-9]{1,2}/[0-9]{1,2}/[0-9]{4} " }),
            Holds::Word(words) => json!({ "type": "string", "enum": words() }),
            Holds::New(of) => self.id(of, false),
            Holds::Id(of) => self.id(of, true),
            Holds::Texts => json!({ "type": ["array", "string", "number", "boolean", "null"], "items": { "type": TEXT } }),
            Holds::Ids(of) => {
                let one = self.id(of, true);
                json!({ "anyOf": [{ "type": "array", "items": one }, one, { "type": "null" }] })
            }
            Holds::Map(keys) => self.map(keys),
            Holds::MapOf(of, inner) => {
                let mut schema = json!({ "type": ["object", "null"], "additionalProperties": self.value(*inner) });
                let names = match (of.closed(), of.form()) {
                    (Some(words), _) => json!({ "enum": words }),
                    (None, Form::Free) => return schema,
                    (None, form) => json!({ "pattern": pattern(form) }),
                };
                if let Some(all) = schema.as_object_mut() {
                    all.insert("propertyNames".to_owned(), names);
                }
                schema
            }
            Holds::ListOf(inner) => json!({ "type": ["array", "null"], "items": self.value(*inner) }),
            Holds::Either(a, b) => json!({ "anyOf": [self.value(*a), self.value(*b)] }),
        }
    }

    /// A map with known keys, once under its name.
    fn map(&mut self, keys: &[Key]) -> Value {
        let same = |table: &[Key]| table.len() == keys.len() && table.iter().zip(keys).all(|(a, b)| a.name == b.name);
        let Some((name, _)) = keys::MAPS.iter().find(|(_, table)| same(table)) else { return self.object(keys, "") };
        if !self.definitions.contains_key(*name) {
            // Known before it is made, so that a map within itself would end.
            self.definitions.insert((*name).to_owned(), Value::Null);
            let mut schema = self.object(keys, "");
            if let (Some(all), Some(more)) = (schema.as_object_mut(), beyond(name)) {
                all.extend(more);
            }
            self.definitions.insert((*name).to_owned(), schema);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// An id; `known`: of something that the set may hold.
    fn id(&self, of: Of, known: bool) -> Value {
        if of == Of::Technique {
            return json!({ "type": "string", "pattern": "^T[0-9]{4}(\\.[0-9]{3})?$", "examples": ["T1566.002"] });
        }
        if let Some(words) = of.closed() {
            return json!({ "type": "string", "enum": words });
        }
        let mut schema = match of.form() {
            Form::Free => json!({ "type": TEXT }),
            form => json!({ "type": "string", "pattern": pattern(form) }),
        };
        let examples = if known { self.examples(of) } else { Vec::new() };
        if let Some(all) = schema.as_object_mut().filter(|_| !examples.is_empty()) {
            all.insert("examples".to_owned(), examples.into());
        }
        schema
    }

    /// The ids that the set holds.
    fn examples(&self, of: Of) -> Vec<String> {
        let set = self.set;
        match of {
            Of::Signal => set.signals.iter().map(|s| s.id.to_string()).collect(),
            Of::Action => set.actions.keys().map(ToString::to_string).collect(),
            Of::Type => set.types.iter().map(|t| t.id.to_string()).collect(),
            Of::Thing => set.playbooks.iter().map(|p| p.id.to_string()).collect(),
            Of::Permission => {
                let all: std::collections::BTreeSet<&str> = set.actions.values().flat_map(|a| a.permissions.iter().map(String::as_str)).collect();
                all.into_iter().map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What a table of keys cannot say of a map, and the parser refuses.
fn beyond(name: &str) -> Option<Map<String, Value>> {
    let more = match name {
        "card" => json!({ "not": { "required": ["for", "for_all"] } }),
        "test" => json!({ "oneOf": [{ "required": ["incident"] }, { "required": ["given"] }, { "required": ["from"] }] }),
        "signal_rule" => json!({ "minProperties": 1 }),
        "type_rule" => json!({ "anyOf": [{ "required": ["signals"] }, { "required": ["techniques"] }, { "required": ["if"] }] }),
        _ => return None,
    };
    more.as_object().cloned()
}

const fn pattern(form: Form) -> &'static str {
    match form {
        Form::Name => "^[a-z_][a-z0-9_]*$",
        Form::Dotted => "^[a-z0-9_]+(\\.[a-z0-9_]+)*$",
        Form::Free => "",
    }
}

/// The schema, or nothing.
fn or_nothing(mut schema: Value) -> Value {
    let Some(all) = schema.as_object_mut() else { return schema };
    if all.is_empty() {
        return schema;
    }
    if all.contains_key("$ref") {
        return json!({ "anyOf": [schema, { "type": "null" }] });
    }
    let nothing = json!("null");
    match all.get_mut("type") {
        Some(Value::Array(types)) if !types.contains(&nothing) => types.push(nothing),
        Some(Value::String(one)) => {
            let both = json!([one, "null"]);
            all.insert("type".to_owned(), both);
        }
        _ => {}
    }
    if let Some(Value::Array(words)) = all.get_mut("enum") {
        words.push(Value::Null);
    }
    if let Some(Value::Array(choices)) = all.get_mut("anyOf")
        && !choices.contains(&json!({ "type": "null" }))
    {
        choices.push(json!({ "type": "null" }));
    }
    schema
}
