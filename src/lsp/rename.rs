//! Another name for something, everywhere that it is named.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::mentions::Mention;
use super::navigation::found;
use super::protocol::{Answer, At, DocumentId, Error, Position, range};
use super::server::Server;
use super::snapshot::{Snapshot, Thing};
use crate::playbook::holds::{Form, Of};
use crate::script::lower::{global_names, is_name};

/// Parameters of `textDocument/rename`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rename {
    text_document: DocumentId,
    position: Position,
    new_name: String,
}

/// `textDocument/prepareRename`
pub fn prepare(server: &mut Server, p: &At) -> Answer {
    let Some((thing, here)) = found(server, &p.text_document, p.position) else { return Ok(Value::Null) };
    let snapshot = server.workspace.last();
    possible(snapshot, &thing, &here)?;
    let Some(source) = snapshot.set.sources.get(here.span.file) else { return Ok(Value::Null) };
    Ok(json!({
        "range": range(source, here.span.start as usize..here.span.end as usize, server.encoding),
        "placeholder": &*here.name,
    }))
}

/// `textDocument/rename`
pub fn rename(server: &mut Server, p: &Rename) -> Answer {
    let Some((thing, here)) = found(server, &p.text_document, p.position) else {
        return Err(Error::failed("there is no name here that could be changed"));
    };
    let snapshot = server.workspace.last();
    let all = possible(snapshot, &thing, &here)?;
    let name = p.new_name.trim();
    if *name == *here.name {
        return Ok(json!({ "changes": {} }));
    }
    fits(snapshot, &thing, &here, name)?;
    let mut changes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for m in all {
        let Some(source) = snapshot.set.sources.get(m.span.file) else { continue };
        let Some(uri) = server.workspace.uri(&source.path) else { continue };
        let edit = json!({ "range": range(source, m.span.start as usize..m.span.end as usize, server.encoding), "newText": name });
        changes.entry(uri).or_default().push(edit);
    }
    Ok(json!({ "changes": changes }))
}

/// Every place that a new name changes; an error where it cannot be changed.
fn possible(snapshot: &Snapshot, thing: &Thing, here: &Mention) -> Result<Vec<Mention>, Error> {
    if matches!(here.of, Of::Role) {
        return Err(Error::failed(format!("`{}` cannot be renamed: people are named by it outside of the playbooks", here.name)));
    }
    let all = snapshot.named(thing);
    let declared: Vec<&Mention> = all.iter().filter(|m| m.declares).collect();
    if declared.is_empty() {
        return Err(Error::failed(format!("`{}` is declared nowhere", here.name)));
    }
    if declared.iter().any(|m| snapshot.ships(m.span)) {
        return Err(Error::failed(format!("`{}` ships with the program and cannot be renamed; an `overlay:` changes parts of it", here.name)));
    }
    Ok(all)
}

/// Whether a name is possible and free.
fn fits(snapshot: &Snapshot, thing: &Thing, here: &Mention, name: &str) -> Result<(), Error> {
    let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let (ok, help) = match here.of.form() {
        Form::Dotted => (name.split('.').all(part), "ids are lower case, with dots and `_`"),
        Form::Name => (is_name(name), "names are snake case and not words that Rhai keeps for itself"),
        Form::Free => (part(name), "here a name is lower case, with digits and `_`"),
    };
    // The name of a test is a sentence, but only one that YAML reads as it stands.
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.');
    let ok = if here.of == Of::Test { !name.is_empty() && name.chars().all(plain) && name.starts_with(char::is_alphabetic) } else { ok };
    let help = if here.of == Of::Test { "the name of a test is letters, digits, blanks, `-`, `_` and `.`" } else { help };
    if !ok {
        return Err(Error::failed(format!("`{name}` cannot be a name: {help}")));
    }
    if here.of == Of::Binding && global_names().any(|g| g == name) {
        return Err(Error::failed(format!("`{name}` cannot be a name: it is the name of something that every playbook has")));
    }
    let taken = thing.called(name);
    if snapshot.named(&taken).iter().any(|m| m.declares) {
        return Err(Error::failed(format!("`{name}` is the name of something else already")));
    }
    // Where it is used, the new name must not mean something else: a binding of that file, of another library, a parameter.
    if here.of == Of::Binding {
        for m in snapshot.named(thing) {
            let Some(file) = snapshot.files.get(&m.span.file) else { continue };
            if file.names.all.iter().any(|o| o.of == Of::Binding && *o.name == *name) || parameter(snapshot, &m, name) {
                let path = snapshot.set.sources.get(m.span.file).map(|f| f.path.to_string()).unwrap_or_default();
                return Err(Error::failed(format!("`{name}` means something else in {path}")));
            }
        }
    }
    Ok(())
}

/// Whether a name is a parameter where a mention stands.
fn parameter(snapshot: &Snapshot, m: &Mention, name: &str) -> bool {
    let Some(tree) = snapshot.files.get(&m.span.file).and_then(|f| f.tree.as_ref()) else { return false };
    let Some(place) = super::walk::locate(tree, m.span.start as usize) else { return false };
    let closures = place.node.scalar().is_some_and(|s| {
        let tokens = super::tokens::Tokens::of(&s.text);
        (0..tokens.all.len()).any(|n| tokens.word(n) == name && tokens.declares(n))
    });
    closures || place.parameters().iter().any(|(p, _)| **p == *name)
}
