//! Values as plain YAML: what an incident holds cannot get out of its text.

use serde_json::{Map, Value};

/// How wide `{…}` and `[…]` may become.
const WIDTH: usize = 100;

/// The keys of an incident that people look for first.
const FIRST: &[&str] = &[
    "op",
    "schema",
    "id",
    "ref",
    "kind",
    "name",
    "from",
    "relation",
    "to",
    "title",
    "description",
    "severity",
    "status",
    "verdict",
    "detector",
    "detectors",
    "product",
    "category",
    "techniques",
    "first",
    "last",
    "created",
    "aliases",
    "properties",
    "roles",
    "tags",
    "alerts",
    "entities",
    "relations",
];

/// The entries of a map, in the order in which people read them.
fn entries(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut all: Vec<(&String, &Value)> = map.iter().collect();
    all.sort_by_key(|(k, _)| FIRST.iter().position(|f| f == k).unwrap_or(FIRST.len()));
    all
}

/// A text as one YAML scalar.
pub(super) fn word(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.' | '-' | '@' | ' ' | '(' | ')');
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    // Words that YAML, of one version or another, reads as something else.
    let taken = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    if begins && text.chars().all(safe) && !text.ends_with(' ') && !taken {
        return text.to_owned();
    }
    if !text.contains(|c: char| c.is_control() || crate::diag::human::hidden(c)) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || crate::diag::human::hidden(c) => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value on one line.
fn flat(value: &Value) -> String {
    match value {
        Value::String(s) => word(s),
        Value::Array(all) => format!("[{}]", all.iter().map(flat).collect::<Vec<_>>().join(", ")),
        Value::Object(all) if all.is_empty() => "{}".to_owned(),
        Value::Object(all) => {
            format!("{{ {} }}", entries(all).into_iter().map(|(k, v)| format!("{}: {}", word(k), flat(v))).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn is_small(value: &Value) -> bool {
    match value {
        Value::Array(all) => all.is_empty() || all.iter().all(|v| !v.is_object() && !v.is_array()) && flat(value).chars().count() <= WIDTH,
        Value::Object(all) => all.is_empty() || all.len() < 6 && flat(value).chars().count() <= WIDTH,
        _ => true,
    }
}

/// A value behind a colon or dash: on the same line, or below, in this column. Ends with a line end.
pub(super) fn block(value: &Value, column: usize) -> String {
    if is_small(value) && !value.as_array().is_some_and(|a| a.iter().any(Value::is_object)) {
        return format!(" {}\n", flat(value));
    }
    let pad = " ".repeat(column);
    let mut out = String::from("\n");
    match value {
        Value::Array(all) => {
            for item in all {
                let text = block(item, column.saturating_add(2));
                // An item goes on behind its dash.
                out.push_str(&format!("{pad}- {}", text.trim_start_matches(['\n', ' '])));
            }
        }
        Value::Object(all) => {
            for (k, v) in entries(all) {
                out.push_str(&format!("{pad}{}:{}", word(k), block(v, column.saturating_add(2))));
            }
        }
        other => out.push_str(&format!("{pad}{}\n", flat(other))),
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{block, word};

    #[test]
    fn whatever_a_text_holds_it_is_read_back_as_it_was() {
        for text in [
            "a",
            "true",
            "a: b",
            "#x",
            "- a",
            "it's",
            "a\nb",
            "\u{202e}x\"\\",
            "",
            " a ",
            "2026-01-01",
            "{x}",
            "1",
            "~",
            "Zwölf €",
            "null",
            "a, b",
            "\u{0}",
        ] {
            let value = serde_json::json!({ "k": text, "l": [text, { "m": [text] }], "n": { "o": { "p": text } } });
            for yaml in [format!("top:{}", block(&value, 2)), format!("top: {{ k: {} }}\n", word(text))] {
                let read: serde_json::Value = serde_yaml::from_str(&yaml).unwrap_or_else(|e| panic!("{yaml}\n{e}"));
                assert_eq!(read["top"]["k"], text, "{yaml}");
                if let Some(l) = read["top"].get("l") {
                    assert_eq!(*l, value["l"], "{yaml}");
                }
            }
        }
    }
}
