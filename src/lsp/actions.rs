//! Changes that mend what is wrong.

use serde::Deserialize;
use serde_json::{Value, json};

use super::protocol::{Answer, DocumentId, Span, byte, path_of, range};
use super::server::Server;
use crate::diag::Fix;

/// Parameters of `textDocument/codeAction`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    text_document: DocumentId,
    range: Span,
    #[serde(default)]
    context: Context,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Context {
    only: Option<Vec<String>>,
    diagnostics: Vec<Value>,
}

/// `textDocument/codeAction`
pub fn actions(server: &mut Server, p: &Wanted) -> Answer {
    let encoding = server.encoding;
    server.workspace.snapshot();
    let snapshot = server.workspace.last();
    let path = path_of(&p.text_document.uri);
    let Some((id, _, source)) = snapshot.file(&path) else { return Ok(Value::Null) };
    let (from, to) = (byte(source, p.range.start, encoding), byte(source, p.range.end, encoding));
    let wants = |kind: &str| p.context.only.as_ref().is_none_or(|all| all.iter().any(|o| o == kind || kind.starts_with(&format!("{o}."))));
    let here = snapshot.diagnostics.iter().filter(|d| d.labels.first().is_some_and(|l| l.span.file == id));
    let mut out = Vec::new();
    let mut safe: Vec<&Fix> = Vec::new();
    for d in here {
        let (Some(fix), Some(first)) = (&d.fix, d.labels.first()) else { continue };
        if fix.safe {
            safe.push(fix);
        }
        let touches = (first.span.start as usize) <= to && from <= first.span.end as usize;
        if !touches || !wants("quickfix") {
            continue;
        }
        let Some(edit) = edit(server, &[fix]) else { continue };
        let told: Vec<&Value> = p.context.diagnostics.iter().filter(|t| t.get("code").and_then(Value::as_str) == Some(d.code)).collect();
        out.push(json!({ "title": fix.title, "kind": "quickfix", "isPreferred": fix.safe, "diagnostics": told, "edit": edit }));
    }
    if wants("source.fixAll") && !safe.is_empty() {
        let apart = apart(&safe);
        if let Some(edit) = edit(server, &apart) {
            out.push(json!({ "title": "mend all that can be mended safely", "kind": "source.fixAll", "edit": edit }));
        }
    }
    Ok(out.into())
}

/// Those that do not touch one another, the first ones of those that do.
fn apart<'f>(all: &[&'f Fix]) -> Vec<&'f Fix> {
    let mut kept: Vec<&Fix> = Vec::new();
    for fix in all {
        let touches = |a: crate::source::Span, b: crate::source::Span| a.file == b.file && a.start <= b.end && b.start <= a.end;
        let clash = kept.iter().flat_map(|k| &k.edits).any(|(a, _)| fix.edits.iter().any(|(b, _)| touches(*a, *b)));
        if !clash {
            kept.push(fix);
        }
    }
    kept
}

/// The edits by address; nothing where one of them would change what ships.
fn edit(server: &Server, fixes: &[&Fix]) -> Option<Value> {
    let mut changes = serde_json::Map::new();
    for (span, text) in fixes.iter().flat_map(|f| &f.edits) {
        let source = server.workspace.last().set.sources.get(span.file)?;
        let uri = server.workspace.uri(&source.path)?;
        let edit = json!({ "range": range(source, span.start as usize..span.end as usize, server.encoding), "newText": text });
        changes.entry(uri).or_insert_with(|| json!([])).as_array_mut()?.push(edit);
    }
    Some(json!({ "changes": changes }))
}
