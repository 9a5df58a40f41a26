//! The outline of a file, and the names of the whole workspace.

use serde::Deserialize;
use serde_json::{Value, json};

use super::diagnostics::location;
use super::protocol::{Answer, Whole, path_of, range};
use super::server::Server;
use super::walk::first_key;
use crate::playbook::holds::Of;
use crate::playbook::yaml::Node;
use crate::source::{SourceFile, Span};

/// An entry of an outline.
struct Entry {
    name: String,
    detail: String,
    kind: u8,
    whole: Span,
    name_span: Span,
    below: Vec<Entry>,
}

const CLASS: u8 = 5;
const FIELD: u8 = 8;
const FUNCTION: u8 = 12;
const VARIABLE: u8 = 13;
const NAMESPACE: u8 = 3;
const EVENT: u8 = 24;
const METHOD: u8 = 6;

/// `textDocument/documentSymbol`
pub fn document(server: &mut Server, p: &Whole) -> Answer {
    server.workspace.snapshot();
    let snapshot = server.workspace.last();
    let path = path_of(&p.text_document.uri);
    let Some((_, file, source)) = snapshot.file(&path) else { return Ok(Value::Null) };
    let Some(tree) = &file.tree else { return Ok(Value::Null) };
    let entries = outline(tree);
    let shown: Vec<Value> = if server.client.nested {
        entries.iter().map(|e| nested(server, source, e)).collect()
    } else {
        let mut flat = Vec::new();
        entries.iter().for_each(|e| flatten(server, e, "", &mut flat));
        flat
    };
    Ok(shown.into())
}

fn outline(tree: &Node) -> Vec<Entry> {
    let Some(first) = first_key(tree) else { return Vec::new() };
    let text = |n: &Node, key: &str| n.get(key).and_then(Node::scalar).map(|s| s.text.to_string()).unwrap_or_default();
    let mut sections = Vec::new();
    for (key, value) in tree.entries() {
        let Some(name) = key.scalar() else { continue };
        let whole = key.span.to(value.span);
        let of_map = |kind: u8, detail: &dyn Fn(&Node) -> String| -> Vec<Entry> {
            let entries = value.entries().iter().filter_map(|(k, v)| Some((k.scalar()?, v)));
            entries
                .map(|(k, v)| Entry {
                    name: k.text.to_string(),
                    detail: detail(v),
                    kind,
                    whole: k.span.to(v.span),
                    name_span: k.span,
                    below: Vec::new(),
                })
                .collect()
        };
        let of_list = |kind: u8, id: &str, detail: &dyn Fn(&Node) -> String| -> Vec<Entry> {
            let items = value.items().iter().filter_map(|n| Some((n.get(id).and_then(Node::scalar)?, n)));
            items
                .map(|(s, n)| Entry { name: s.text.to_string(), detail: detail(n), kind, whole: n.span, name_span: s.span, below: Vec::new() })
                .collect()
        };
        let below = match &*name.text {
            "bind" => of_map(VARIABLE, &|n| n.scalar().map(|s| s.text.chars().take(60).collect()).unwrap_or_default()),
            "conditions" => of_map(FUNCTION, &|n| text(n, "pass")),
            "triage" => of_list(EVENT, "classify", &|n| text(n, "determination")),
            "containment" | "investigation" | "remediation" => of_list(METHOD, "id", &|n| text(n, "action")),
            "hunts" | "signals" | "actions" | "incident_types" => of_map(CLASS, &|n| text(n, "title")),
            "lists" => of_map(CLASS, &|n| text(n, "kind")),
            "exceptions" => of_list(FIELD, "id", &|n| text(n, "reason")),
            "tests" => of_list(FUNCTION, "name", &|n| text(n, "from")),
            "match" | "permissions" | "set" | "add" => of_map(FIELD, &|_| String::new()),
            _ => continue,
        };
        sections.push(Entry { name: name.text.to_string(), detail: String::new(), kind: NAMESPACE, whole, name_span: key.span, below });
    }
    match tree.get(&first.text).and_then(Node::scalar) {
        Some(id) => {
            let kind = CLASS;
            vec![Entry { name: id.text.to_string(), detail: text(tree, "title"), kind, whole: tree.span, name_span: id.span, below: sections }]
        }
        None => sections,
    }
}

fn nested(server: &Server, source: &SourceFile, e: &Entry) -> Value {
    let place = |s: Span| range(source, s.start as usize..s.end as usize, server.encoding);
    let whole = e.whole.to(e.name_span);
    json!({
        "name": named(&e.name),
        "detail": e.detail,
        "kind": e.kind,
        "range": place(whole),
        "selectionRange": place(e.name_span),
        "children": e.below.iter().map(|b| nested(server, source, b)).collect::<Vec<_>>(),
    })
}

/// A symbol without a name is refused by clients.
fn named(name: &str) -> &str {
    if name.trim().is_empty() { "(no name)" } else { name }
}

fn flatten(server: &Server, e: &Entry, container: &str, out: &mut Vec<Value>) {
    if let Some(at) = location(server, e.name_span) {
        out.push(json!({ "name": named(&e.name), "kind": e.kind, "location": at, "containerName": container }));
    }
    e.below.iter().for_each(|b| flatten(server, b, &e.name, out));
}

/// Parameters of `workspace/symbol`.
#[derive(Debug, Deserialize)]
pub struct Query {
    query: String,
}

/// How many names are told at once.
const SYMBOLS: usize = 500;

/// `workspace/symbol`
pub fn workspace(server: &mut Server, p: &Query) -> Answer {
    server.workspace.snapshot();
    let snapshot = server.workspace.last();
    let wanted = p.query.to_lowercase();
    let all = snapshot.mentions().filter(|(_, _, m)| m.declares && !snapshot.ships(m.span) && subsequence(&wanted, &m.name.to_lowercase()));
    let shown = all.filter_map(|(_, f, m)| {
        let kind = match m.of {
            Of::Binding => VARIABLE,
            Of::Card => METHOD,
            Of::Test => FUNCTION,
            Of::Exception | Of::Role => FIELD,
            _ => CLASS,
        };
        Some(json!({ "name": named(&m.name), "kind": kind, "location": location(server, m.span)?, "containerName": &*f.names.id }))
    });
    Ok(shown.take(SYMBOLS).collect::<Vec<_>>().into())
}

/// Whether the characters of one text stand in the other one in this order.
fn subsequence(wanted: &str, name: &str) -> bool {
    let mut rest = name.chars();
    wanted.chars().all(|w| rest.any(|c| c == w))
}
