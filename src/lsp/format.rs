//! A file in the one canonical form, as `engine fmt` writes it.

use serde_json::{Value, json};

use super::protocol::{Answer, Error, Whole, path_of, range};
use super::server::Server;
use crate::playbook::format;

/// `textDocument/formatting`: one edit from the first line that changes to the last one.
pub fn document(server: &mut Server, p: &Whole) -> Answer {
    let path = path_of(&p.text_document.uri);
    let Some(document) = server.workspace.documents.get(&path) else { return Ok(Value::Null) };
    let old = &document.file.text;
    let new = match format::format(&path, old) {
        Ok(new) => new,
        Err(refused) => {
            let why = refused.diagnostics.first().map_or("it cannot be read", |d| d.message.as_str());
            return Err(Error::failed(why));
        }
    };
    if *new == **old {
        return Ok(json!([]));
    }
    // Whole lines that are the same at both ends stay, so that the cursor of the editor does too.
    let front = lines(old.split_inclusive('\n').zip(new.split_inclusive('\n')).take_while(|(a, b)| a == b).map(|(a, _)| a));
    let rest = (old.get(front..).unwrap_or(""), new.get(front..).unwrap_or(""));
    let back = lines(rest.0.split_inclusive('\n').rev().zip(rest.1.split_inclusive('\n').rev()).take_while(|(a, b)| a == b).map(|(a, _)| a));
    let place = range(&document.file, front..old.len().saturating_sub(back), server.encoding);
    let text = new.get(front..new.len().saturating_sub(back)).unwrap_or("");
    Ok(json!([{ "range": place, "newText": text }]))
}

/// The bytes of some lines.
fn lines<'t>(all: impl Iterator<Item = &'t str>) -> usize {
    all.map(str::len).sum()
}
