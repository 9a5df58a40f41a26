//! The types of bindings, shown behind their names.

use serde::Deserialize;
use serde_json::{Value, json};

use super::protocol::{Answer, DocumentId, Span, byte, path_of, position};
use super::server::Server;
use crate::playbook::holds::Of;

/// What hints are asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    text_document: DocumentId,
    range: Span,
}

/// `textDocument/inlayHint`
pub fn hints(server: &mut Server, p: &Wanted) -> Answer {
    let encoding = server.encoding;
    server.workspace.snapshot();
    let snapshot = server.workspace.last();
    let Some((_, file, source)) = snapshot.file(&path_of(&p.text_document.uri)) else { return Ok(Value::Null) };
    let Some(tree) = &file.tree else { return Ok(Value::Null) };
    let (from, to) = (byte(source, p.range.start, encoding), byte(source, p.range.end, encoding));
    let speech = snapshot.speech(tree);
    let declared = file.names.all.iter().filter(|m| m.of == Of::Binding && m.declares);
    let hints: Vec<Value> = declared
        .filter(|m| (m.span.start as usize) >= from && (m.span.end as usize) <= to)
        .filter_map(|m| {
            let e = speech.bindings().get(&m.name)?;
            let at = position(source, m.span.end as usize, encoding);
            Some(json!({
                "position": { "line": at.line, "character": at.character },
                "label": format!(" ({})", e.ty),
                "kind": 1,
            }))
        })
        .collect();
    Ok(hints.into())
}
