//! The parameters of the function or condition that is being called.

use serde_json::{Value, json};

use super::asking::Asking;
use super::completion::typed;
use super::cursor::{Cursor, MARKER};
use super::docs;
use super::protocol::{Answer, At, byte, path_of};
use super::server::Server;
use crate::script::functions::Function;

/// `textDocument/signatureHelp`
pub fn signature(server: &mut Server, p: &At) -> Answer {
    server.workspace.snapshot();
    let Some(document) = server.workspace.documents.get(&path_of(&p.text_document.uri)) else { return Ok(Value::Null) };
    let at = byte(&document.file, p.position, server.encoding);
    let Some(cursor) = Cursor::find(&document.file.text, at) else { return Ok(Value::Null) };
    let Some(place) = cursor.place() else { return Ok(Value::Null) };
    let snapshot = server.workspace.last();
    let Some(text) = place.node.scalar().and_then(|s| typed(&place, &s.text, MARKER)) else { return Ok(Value::Null) };
    let speech = snapshot.speech_at(&cursor, &document.file.path);
    let locals = place.locals(&speech, &|a| snapshot.action_kinds(a));
    let asking = Asking::new(text, &speech, locals);
    let Some((name, argument)) = asking.tokens.call(text.len()) else { return Ok(Value::Null) };
    let word = asking.tokens.word(name);
    if !asking.tokens.is_member(name)
        && let Some(c) = speech.conditions().get(word)
    {
        let params: Vec<String> = c.params.iter().map(|(n, k)| format!("{n}: {k}")).collect();
        return Ok(answer(vec![one(&format!("{word}({})", params.join(", ")), &params, "a condition of this file or of a library")], argument));
    }
    let on = asking.tokens.is_member(name).then(|| asking.receiver_type(name));
    let functions: Vec<&'static Function> = match on {
        Some(None) => Vec::new(),
        Some(Some(ty)) => docs::functions_on(word, Some(&ty)),
        None => docs::functions_on(word, None),
    };
    if functions.is_empty() {
        return Ok(Value::Null);
    }
    let all = functions
        .into_iter()
        .map(|f| {
            let params: Vec<String> = f.params.iter().map(|(n, p)| format!("{n}: {}", p.describe())).collect();
            one(&f.signature(), &params, f.doc)
        })
        .collect();
    Ok(answer(all, argument))
}

fn one(label: &str, params: &[String], doc: &str) -> Value {
    json!({
        "label": label,
        "documentation": { "kind": "markdown", "value": doc },
        "parameters": params.iter().map(|p| json!({ "label": p })).collect::<Vec<_>>(),
    })
}

fn answer(signatures: Vec<Value>, argument: usize) -> Value {
    json!({ "signatures": signatures, "activeSignature": 0, "activeParameter": argument })
}
