//! From a name to where it is declared, and to everywhere that it is used.

use serde::Deserialize;
use serde_json::{Value, json};

use super::diagnostics::location;
use super::mentions::Mention;
use super::protocol::{Answer, At, DocumentId, Position, byte, path_of, range};
use super::server::Server;
use super::snapshot::Thing;
use super::tokens::Tokens;
use super::walk::locate;
use crate::source::Span;

/// Parameters of `textDocument/references`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct References {
    text_document: DocumentId,
    position: Position,
    #[serde(default)]
    context: Context,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Context {
    include_declaration: bool,
}

/// The name at a place, with all that it means.
pub fn found(server: &mut Server, document: &DocumentId, at: Position) -> Option<(Thing, Mention)> {
    let encoding = server.encoding;
    server.workspace.snapshot();
    let snapshot = server.workspace.last();
    let (_, file, source) = snapshot.file(&path_of(&document.uri))?;
    snapshot.at(file, byte(source, at, encoding))
}

/// `textDocument/definition`
pub fn definition(server: &mut Server, p: &At) -> Answer {
    let Some((thing, _)) = found(server, &p.text_document, p.position) else {
        return Ok(parameter(server, p).and_then(|span| location(server, span)).unwrap_or(Value::Null));
    };
    let declared = server.workspace.last().named(&thing).into_iter().filter(|m| m.declares);
    let all: Vec<Value> = declared.filter_map(|m| location(server, m.span)).collect();
    if all.is_empty() {
        return Ok(parameter(server, p).and_then(|span| location(server, span)).unwrap_or(Value::Null));
    }
    Ok(all.into())
}

/// Where a parameter of a condition, card, hunt or closure is declared.
fn parameter(server: &Server, p: &At) -> Option<Span> {
    let snapshot = server.workspace.last();
    let (_, file, source) = snapshot.file(&path_of(&p.text_document.uri))?;
    let at = byte(source, p.position, server.encoding);
    let place = locate(file.tree.as_ref()?, at)?;
    let s = place.node.scalar()?;
    let within = |span: Span| (span.start as usize) <= at && at <= span.end as usize;
    let part = place.expressions().into_iter().find(|part| within(s.place(part.start, part.end)))?;
    let tokens = Tokens::of(s.text.get(part.clone())?);
    let here = |n: usize| tokens.all.get(n).map(|t| s.place(t.start.saturating_add(part.start), t.end.saturating_add(part.start)));
    let n = (0..tokens.all.len()).find(|n| tokens.is_word(*n) && here(*n).is_some_and(within))?;
    if tokens.is_member(n) {
        return None;
    }
    let end = tokens.all.get(n)?.end;
    let closure = tokens.open(end).into_iter().rev().flat_map(|o| o.closure).find(|c| tokens.word(*c) == tokens.word(n));
    match closure {
        Some(c) => here(c),
        None => place.parameters().into_iter().find(|(name, _)| **name == *tokens.word(n)).map(|(_, span)| span),
    }
}

/// `textDocument/references`
pub fn references(server: &mut Server, p: &References) -> Answer {
    let Some((thing, _)) = found(server, &p.text_document, p.position) else { return Ok(Value::Null) };
    let all = server.workspace.last().named(&thing);
    let all = all.into_iter().filter(|m| p.context.include_declaration || !m.declares);
    Ok(all.filter_map(|m| location(server, m.span)).collect::<Vec<_>>().into())
}

/// `textDocument/documentHighlight`
pub fn highlight(server: &mut Server, p: &At) -> Answer {
    let Some((thing, here)) = found(server, &p.text_document, p.position) else { return Ok(Value::Null) };
    let snapshot = server.workspace.last();
    let Some(source) = snapshot.set.sources.get(here.span.file) else { return Ok(Value::Null) };
    let all = snapshot.named(&thing).into_iter().filter(|m| m.span.file == here.span.file);
    let shown = all.map(|m| {
        json!({
            "range": range(source, m.span.start as usize..m.span.end as usize, server.encoding),
            "kind": if m.declares { 3 } else { 2 },
        })
    });
    Ok(shown.collect::<Vec<_>>().into())
}
