//! An incident that is written into a playbook's file: YAML as the JSON that it stands for.

use serde_json::Value;

use crate::diag::{Diagnostic, codes};
use crate::intake;
use crate::playbook::read::Reader;
use crate::playbook::yaml::{Node, Style, Yaml};
use crate::source::Span;

/// An incident in our own format. What intake says of it is told at its place, since a misspelt property would make the
/// test say less than its author thinks.
pub(super) fn inline(reader: &mut Reader<'_>, node: &Node) -> Option<Value> {
    let Yaml::Map(_) = &node.yaml else {
        let message = format!("`given` is an incident in our own format; this is {}", node.what());
        reader.error_help(codes::WRONG_SHAPE, node.span, message, "to name a file, use `incident:`");
        return None;
    };
    let value = json(reader, node)?;
    let remarks = match intake::read_value(&value) {
        Ok(read) => read.diagnostics,
        Err(refusal) => {
            let d = *refusal.diagnostic;
            reader.report(Diagnostic { labels: Vec::new(), path: None, ..d.clone() }.at(place(node, d.path.as_deref()), ""));
            return None;
        }
    };
    // An incident may name alerts that are not there, and ids may conflict, on purpose; what cannot be read is a slip.
    for d in remarks.into_iter().filter(|d| [codes::UNMODELLED, codes::UNREAD].contains(&d.code)) {
        let span = place(node, d.path.as_deref());
        let mut told = Diagnostic::warning(d.code, span, d.message);
        told.help = d.help;
        reader.report(told);
    }
    Some(value)
}

/// The value that a node stands for: plain words as YAML's core schema reads them, quoted ones as text.
pub(super) fn json(reader: &mut Reader<'_>, node: &Node) -> Option<Value> {
    if !reader.plain_node(node) {
        return None;
    }
    match &node.yaml {
        Yaml::Scalar(s, Style::Plain) => Some(plain(&s.text)),
        Yaml::Scalar(s, _) => Some(Value::from(&*s.text)),
        Yaml::List(items) => items.iter().map(|n| json(reader, n)).collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>().map(Value::Array),
        Yaml::Map(entries) => {
            let mut map = serde_json::Map::new();
            let mut sound = true;
            for (k, v) in entries {
                let Some(key) = reader.text(k, "a key") else {
                    sound = false;
                    continue;
                };
                match json(reader, v) {
                    Some(v) => {
                        if map.insert(key.text.to_string(), v).is_some() {
                            reader.error(codes::DUPLICATE_KEY, key.span, format!("the key `{}` stands twice", key.text));
                            sound = false;
                        }
                    }
                    None => sound = false,
                }
            }
            sound.then_some(Value::Object(map))
        }
    }
}

/// A plain scalar by YAML's core schema. A number that does not fit is text: an id must not lose its digits.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return true.into(),
        "false" | "False" | "FALSE" => return false.into(),
        _ => {}
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let number = text.strip_prefix('+').unwrap_or(text);
        return number.parse::<i64>().map(Value::from).or_else(|_| number.parse::<u64>().map(Value::from)).unwrap_or_else(|_| text.into());
    }
    for (prefix, base) in [("0x", 16), ("0o", 8)] {
        if let Some(n) = text.strip_prefix(prefix).and_then(|d| u64::from_str_radix(d, base).ok()) {
            return n.into();
        }
    }
    let float = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().any(|b| b.is_ascii_digit());
    match text.parse::<f64>() {
        Ok(n) if float => serde_json::Number::from_f64(n).map_or_else(|| text.into(), Value::Number),
        _ => text.into(),
    }
}

/// Where the part of an incident stands that a path such as `$.entities[0].properties.upn` leads to, as far as it does.
fn place(node: &Node, path: Option<&str>) -> Span {
    let mut at = node;
    let mut span = node.span;
    let rest = path.unwrap_or("").trim_start_matches('$');
    for step in rest.split(['.', '[']).filter(|s| !s.is_empty()) {
        let next = match step.strip_suffix(']') {
            Some(n) => n.parse::<usize>().ok().and_then(|n| at.items().get(n)).map(|n| (n, n.span)),
            None => at.entries().iter().find(|(k, _)| k.scalar().is_some_and(|s| &*s.text == step)).map(|(k, v)| (v, k.span)),
        };
        let Some((next, next_span)) = next else { break };
        (at, span) = (next, next_span);
    }
    span
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn plain_words_are_read_as_yaml_does() {
        for (text, wanted) in [
            ("12", "12"),
            ("-3", "-3"),
            ("0x1f", "31"),
            ("1.5", "1.5"),
            ("1e3", "1000.0"),
            ("true", "true"),
            ("~", "null"),
            ("12345678901234567890123", "\"12345678901234567890123\""),
            ("2026-01-12T09:00:00Z", "\"2026-01-12T09:00:00Z\""),
            ("1.2.3", "\"1.2.3\""),
            ("e3", "\"e3\""),
            ("nan", "\"nan\""),
            ("-", "\"-\""),
            ("yes", "\"yes\""),
        ] {
            assert_eq!(plain(text).to_string(), wanted, "{text}");
        }
    }
}
