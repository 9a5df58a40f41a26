//! Diagnostics as SARIF 2.1.0, which code scanning and editors read.
//! The format: docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; names are those of its properties.

use serde::Serialize;

use super::json::Range;
use super::{Diagnostic, Fix, Severity, codes, explain, github};
use crate::source::{Sources, Span};

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: Vec<Entry>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
    full_description: Text,
    help: Text,
}

#[derive(Serialize)]
struct Text {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<String>,
}

fn text(text: impl Into<String>) -> Text {
    Text { text: text.into(), markdown: None }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    descriptor: Descriptor,
    level: &'static str,
    message: Text,
}

#[derive(Serialize)]
struct Descriptor {
    id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Mend>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mend {
    description: Text,
    artifact_changes: Vec<Change>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    artifact_location: Artifact,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    inserted_content: Text,
}

/// The log, one document with a line end. What has no place in a file is a notification of the run.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources) -> Result<String, serde_json::Error> {
    let mut used: Vec<&'static str> = diagnostics.iter().filter(|d| !d.labels.is_empty()).map(|d| d.code).collect();
    used.sort_unstable();
    used.dedup();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for d in diagnostics {
        let message = text(d.help.as_ref().map_or_else(|| d.message.clone(), |h| format!("{}\nhelp: {h}", d.message)));
        let Some((first, others)) = d.labels.split_first() else {
            notifications.push(Notification { descriptor: Descriptor { id: d.code }, level: level(d.severity), message });
            continue;
        };
        results.push(Entry {
            rule_id: d.code,
            rule_index: used.binary_search(&d.code).unwrap_or(0),
            level: level(d.severity),
            message,
            locations: vec![Location { id: None, physical_location: physical(first.span, sources), message: remark(&first.text) }],
            related_locations: (1usize..)
                .zip(others)
                .map(|(n, l)| Location { id: Some(n), physical_location: physical(l.span, sources), message: remark(&l.text) })
                .collect(),
            fixes: d.fix.iter().map(|f| fix(f, sources)).collect(),
        });
    }
    let successful = notifications.is_empty();
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver { name: "engine", version: env!("CARGO_PKG_VERSION"), rules: used.iter().filter_map(|id| rule(id)).collect() },
            },
            invocations: [Invocation { execution_successful: successful, tool_execution_notifications: notifications }],
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn rule(id: &str) -> Option<Rule> {
    let code = codes::find(id)?;
    Some(Rule {
        id: code.id,
        short_description: text(code.means),
        full_description: text(explain::summary(code)),
        help: Text { text: explain::page(code), markdown: Some(explain::markdown(code)) },
    })
}

fn remark(words: &str) -> Option<Text> {
    (!words.is_empty()).then(|| text(words))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn physical(span: Span, sources: &Sources) -> Physical {
    let r = Range::of(span, sources);
    Physical { artifact_location: Artifact { uri: uri(&r.file) }, region: region(&r) }
}

fn region(r: &Range) -> Region {
    Region { start_line: r.line, start_column: r.column, end_line: r.end_line, end_column: r.end_column }
}

fn fix(f: &Fix, sources: &Sources) -> Mend {
    let mut changes: Vec<Change> = Vec::new();
    for (span, new) in &f.edits {
        let r = Range::of(*span, sources);
        let replacement = Replacement { deleted_region: region(&r), inserted_content: text(new.as_str()) };
        let uri = uri(&r.file);
        match changes.iter_mut().find(|c| c.artifact_location.uri == uri) {
            Some(c) => c.replacements.push(replacement),
            None => changes.push(Change { artifact_location: Artifact { uri }, replacements: vec![replacement] }),
        }
    }
    Mend { description: text(f.title.as_str()), artifact_changes: changes }
}

/// A path as a reference: relative as it was given, or a `file:` URI.
fn uri(path: &str) -> String {
    let path = github::relative(path);
    let mut out = String::new();
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for b in path.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_are_references() {
        assert_eq!(uri("./a b/ü.yaml"), "a%20b/%C3%BC.yaml");
        assert_eq!(uri("/srv/x:y.yaml"), "file:///srv/x%3Ay.yaml");
        assert_eq!(uri("<shipped>/lists/own.yaml"), "%3Cshipped%3E/lists/own.yaml");
    }
}
