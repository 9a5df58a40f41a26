//! What can be written at the cursor.

mod expression;
mod ids;
mod keys;

use serde_json::{Value, json};

use super::cursor::{Cursor, MARKER};
use super::protocol::{Answer, At, byte, path_of, range};
use super::server::Server;
use super::walk::Place;
use crate::playbook::holds::Holds;
use crate::script::template;

/// What a completion is, as the protocol counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Method = 2,
    Function = 3,
    Field = 5,
    Variable = 6,
    Class = 7,
    Property = 10,
    Value = 12,
    Snippet = 15,
    Reference = 18,
    EnumMember = 20,
}

/// Something that can be written at the cursor.
#[derive(Clone, Debug)]
struct Item {
    label: String,
    what: What,
    detail: String,
    doc: String,
    /// What is written; the label if nothing is said.
    insert: Option<String>,
    /// What is written by clients that know placeholders.
    snippet: Option<String>,
    /// Items of a lower rank come first.
    rank: u8,
}

impl Item {
    fn new(label: impl Into<String>, what: What, detail: impl Into<String>) -> Self {
        Self { label: label.into(), what, detail: detail.into(), doc: String::new(), insert: None, snippet: None, rank: 5 }
    }

    fn doc(self, doc: impl Into<String>) -> Self {
        Self { doc: doc.into(), ..self }
    }

    fn inserts(self, text: impl Into<String>) -> Self {
        Self { insert: Some(text.into()), ..self }
    }

    fn snippet(self, text: impl Into<String>) -> Self {
        Self { snippet: Some(text.into()), ..self }
    }

    fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

/// `textDocument/completion`
pub fn complete(server: &mut Server, p: &At) -> Answer {
    let encoding = server.encoding;
    server.workspace.snapshot();
    let nothing = Ok(json!({ "isIncomplete": false, "items": [] }));
    let path = path_of(&p.text_document.uri);
    let Some(document) = server.workspace.documents.get(&path) else { return nothing };
    let file = &document.file;
    let at = byte(file, p.position, encoding);
    let Some(cursor) = Cursor::find(&file.text, at) else { return nothing };
    let Some(place) = cursor.place() else { return nothing };
    let snapshot = server.workspace.last();
    let before = file.text.get(..at).unwrap_or("");
    let after = file.text.get(at..).and_then(|t| t.split('\n').next()).unwrap_or("");
    let (items, part): (Vec<Item>, fn(char) -> bool) = match (place.node.scalar(), place.is_key, place.holds) {
        // Nothing but a word: the file has no first key yet.
        _ if place.path.is_empty() => (keys::first_keys(), keys::part),
        (_, true, _) => (keys::keys(snapshot, &place, &cursor.tree, after), keys::part),
        (Some(s), false, Holds::Expression | Holds::Test | Holds::Target | Holds::Sentence | Holds::Query) => match typed(&place, &s.text, MARKER) {
            Some(text) => {
                let speech = snapshot.speech_at(&cursor, &path);
                let locals = place.locals(&speech, &|a| snapshot.action_kinds(a));
                (expression::names(snapshot, text, &speech, locals), expression::part)
            }
            None => (Vec::new(), expression::part),
        },
        _ => (keys::values(snapshot, &place, &cursor.tree), keys::part),
    };
    let prefix = before.chars().rev().take_while(|c| part(*c)).map(char::len_utf8).sum::<usize>();
    let edit = range(file, at.saturating_sub(prefix)..at, encoding);
    let items: Vec<Value> = items.iter().map(|i| write(i, &edit, server.client.snippets)).collect();
    Ok(json!({ "isIncomplete": false, "items": items }))
}

/// What of an expression was typed up to the cursor; nothing where the cursor is in no expression.
pub fn typed<'t>(place: &Place<'_>, text: &'t str, marker: &str) -> Option<&'t str> {
    let before = text.get(..text.find(marker)?)?;
    match place.holds {
        Holds::Expression | Holds::Test => Some(before),
        Holds::Target => before.split_once(" in ").map(|(_, list)| list),
        Holds::Sentence | Holds::Query => before.get(open_brace(before)?..),
        _ => None,
    }
}

/// The byte behind the brace that is open at the end of a text.
fn open_brace(text: &str) -> Option<usize> {
    // What is closed can be split; what is left over behind the last whole piece begins with the brace.
    let mut from = 0;
    loop {
        match template::split(text.get(from..)?) {
            Ok(_) => return None,
            Err(at) => {
                let at = from.saturating_add(at);
                if text.get(at..)?.starts_with('{') {
                    return Some(at.saturating_add(1));
                }
                // A closing brace that has no other one: what follows it is looked at.
                from = at.saturating_add(1);
            }
        }
    }
}

fn write(item: &Item, edit: &Value, snippets: bool) -> Value {
    let (text, format) = match (&item.snippet, &item.insert) {
        (Some(s), _) if snippets => (s.as_str(), 2),
        (_, Some(i)) => (i.as_str(), 1),
        _ => (item.label.as_str(), 1),
    };
    let mut out = json!({
        "label": item.label,
        "kind": item.what as u8,
        "sortText": format!("{}{}", item.rank, item.label),
        "filterText": item.label,
        "insertTextFormat": format,
        "textEdit": { "range": edit, "newText": text },
    });
    if let Some(map) = out.as_object_mut() {
        if !item.detail.is_empty() {
            map.insert("detail".into(), item.detail.clone().into());
        }
        if !item.doc.is_empty() {
            map.insert("documentation".into(), json!({ "kind": "markdown", "value": item.doc }));
        }
    }
    out
}

/// A text inside a snippet, in which some characters have a meaning.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}

#[cfg(test)]
mod tests {
    use super::open_brace;

    #[test]
    fn the_brace_that_is_open_is_found() {
        assert_eq!(open_brace("a {b} {c."), Some(7));
        assert_eq!(open_brace("a {b} c"), None);
        assert_eq!(open_brace("a {{ b"), None);
        assert_eq!(open_brace("} {x"), Some(3));
        assert_eq!(open_brace("{f(\"}\", "), Some(1));
    }
}
