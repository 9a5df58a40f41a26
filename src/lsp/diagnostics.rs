//! What is wrong, as `engine check` would say it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::protocol::range;
use super::server::Server;
use crate::diag::{Diagnostic, Severity, codes};
use crate::source::Span;

/// The parameters of `publishDiagnostics` for every file of the workspace, by address; a file that is fine has an empty list.
pub fn all(server: &Server) -> BTreeMap<String, Value> {
    let snapshot = server.workspace.last();
    let mut out: BTreeMap<String, (Option<i64>, Vec<Value>)> = BTreeMap::new();
    for path in snapshot.paths.keys() {
        if let Some(uri) = server.workspace.uri(path) {
            out.entry(uri).or_insert_with(|| (server.workspace.version(path), Vec::new()));
        }
    }
    for d in &snapshot.diagnostics {
        let Some((uri, shown)) = show(server, d) else { continue };
        if let Some((_, all)) = out.get_mut(&uri) {
            all.push(shown);
        }
    }
    // A document that is no playbook, or none any more, has nothing wrong with it.
    for (_, open) in server.workspace.documents.iter() {
        out.entry(open.uri.clone()).or_insert_with(|| (Some(open.version), Vec::new()));
    }
    out.into_iter()
        .map(|(uri, (version, all))| {
            let mut params = json!({ "uri": uri, "diagnostics": all });
            if let (Some(version), Some(map)) = (version, params.as_object_mut()) {
                map.insert("version".into(), version.into());
            }
            (uri, params)
        })
        .collect()
}

/// An address and a range in it; nothing for what has no address.
pub fn location(server: &Server, span: Span) -> Option<Value> {
    let file = server.workspace.last().set.sources.get(span.file)?;
    let uri = match server.workspace.uri(&file.path) {
        Some(uri) => uri,
        None => super::shipped::uri(server, &file.path)?,
    };
    Some(json!({ "uri": uri, "range": range(file, span.start as usize..span.end as usize, server.encoding) }))
}

/// A diagnostic as the protocol writes it, with the address of its file.
fn show(server: &Server, d: &Diagnostic) -> Option<(String, Value)> {
    let first = d.labels.first()?;
    let file = server.workspace.last().set.sources.get(first.span.file)?;
    let uri = server.workspace.uri(&file.path)?;
    let mut message = d.message.clone();
    for more in Some(&first.text).filter(|t| !t.is_empty()).into_iter().chain(d.help.as_ref()) {
        message.push('\n');
        message.push_str(more);
    }
    let severity = match d.severity {
        Severity::Error => 1,
        Severity::Warning => 2,
        Severity::Note => 3,
    };
    let mut shown = json!({
        "range": range(file, first.span.start as usize..first.span.end as usize, server.encoding),
        "severity": severity,
        "code": d.code,
        "source": "engine",
        "message": message,
    });
    let related: Vec<Value> = d
        .labels
        .iter()
        .skip(1)
        .filter_map(|l| Some(json!({ "location": location(server, l.span)?, "message": if l.text.is_empty() { "here" } else { l.text.as_str() } })))
        .collect();
    if let Some(map) = shown.as_object_mut() {
        if !related.is_empty() {
            map.insert("relatedInformation".into(), related.into());
        }
        let tags: Vec<Value> = tags(d).into_iter().map(Value::from).collect();
        if !tags.is_empty() {
            map.insert("tags".into(), tags.into());
        }
        if let Some(code) = codes::find(d.code) {
            map.insert("data".into(), json!({ "means": code.means, "explain": format!("engine check --explain {}", d.code) }));
        }
    }
    Some((uri, shown))
}

/// What is unused is drawn faint, what is deprecated is struck through.
fn tags(d: &Diagnostic) -> Vec<u8> {
    match d.code {
        codes::UNUSED | codes::UNREACHABLE => vec![1],
        codes::DEPRECATED => vec![2],
        _ => Vec::new(),
    }
}
