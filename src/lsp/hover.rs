//! What is under the pointer: documentation, types, and values on the pinned incident.

use std::ops::Range;

use serde_json::{Value, json};

use super::asking::Asking;
use super::docs;
use super::pinned::Pinned;
use super::protocol::{Answer, At, byte, path_of, range};
use super::server::Server;
use super::snapshot::{File, Snapshot};
use super::walk::{Place, locate, space};
use crate::model::Kind;
use crate::playbook::holds::{Holds, Of};
use crate::playbook::speech::Speech;
use crate::script::functions::Pat;
use crate::source::{SourceFile, Span};

/// `textDocument/hover`
pub fn hover(server: &mut Server, p: &At) -> Answer {
    let encoding = server.encoding;
    server.workspace.snapshot();
    let snapshot = server.workspace.last();
    let Some((_, file, source)) = snapshot.file(&path_of(&p.text_document.uri)) else { return Ok(Value::Null) };
    let at = byte(source, p.position, encoding);
    let Some((text, span)) = said(snapshot, file, source, at, server.pinned.as_ref()) else { return Ok(Value::Null) };
    Ok(json!({
        "contents": { "kind": "markdown", "value": text },
        "range": range(source, span.start as usize..span.end as usize, encoding),
    }))
}

fn said(snapshot: &Snapshot, file: &File, source: &SourceFile, at: usize, pinned: Option<&Pinned>) -> Option<(String, Span)> {
    let tree = file.tree.as_ref()?;
    let place = locate(tree, at)?;
    let s = place.node.scalar()?;
    if place.is_key {
        let declared = match place.holds {
            Holds::New(of) => named(snapshot, &snapshot.speech(tree), space(of), &s.text, pinned).or_else(|| docs::named(snapshot, of, &s.text)),
            _ => None,
        };
        return Some((declared.or_else(|| Some(docs::key(place.row.filter(|_| matches!(place.within, Holds::Map(_)))?)))?, s.span));
    }
    for part in place.expressions() {
        let span = s.place(part.start, part.end);
        if (span.start as usize) <= at && at <= span.end as usize {
            // The byte of the decoded text that stands at the pointer.
            let inside = part.clone().find(|n| s.place(*n, n.saturating_add(1)).end as usize > at).unwrap_or(part.end);
            let speech = snapshot.speech(tree);
            let text = s.text.get(part.clone())?;
            let locals = place.locals(&speech, &|a| snapshot.action_kinds(a));
            let asking = Asking::new(text, &speech, locals);
            let (said, r) = expression(snapshot, &asking, inside.saturating_sub(part.start), pinned)?;
            return Some((said, s.place(r.start.saturating_add(part.start), r.end.saturating_add(part.start))));
        }
    }
    let of = match place.holds {
        Holds::Id(of) | Holds::New(of) => of,
        Holds::Word(_) | Holds::Target => return Some((docs::key(place.row?), s.span)),
        _ => return relation(&place, source, at),
    };
    let (_, mention) = snapshot.at(file, at).unzip();
    let (of, name, span) = mention.map_or((of, s.text.clone(), s.span), |m| (m.of, m.name, m.span));
    let speech = snapshot.speech(tree);
    let text = named(snapshot, &speech, of, &name, pinned).or_else(|| docs::named(snapshot, of, &name));
    Some((text.or_else(|| place.row.map(docs::key))?, span))
}

/// `user clicked url` of a signal.
fn relation(place: &Place<'_>, source: &SourceFile, at: usize) -> Option<(String, Span)> {
    let s = place.node.scalar()?;
    if place.row.is_some_and(|r| r.name == "relations") {
        let start = source.text.get(..at)?.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |n| n.saturating_add(1));
        let end = source.text.get(at..)?.find(|c: char| !c.is_alphanumeric() && c != '_').map_or(source.text.len(), |n| at.saturating_add(n));
        return docs::relation(source.text.get(start..end)?).map(|d| (d, s.span));
    }
    None
}

/// What is known of a name of the file: a binding or condition with its value on the pinned incident.
fn named(snapshot: &Snapshot, speech: &Speech, of: Of, name: &str, pinned: Option<&Pinned>) -> Option<String> {
    if of != Of::Binding {
        return None;
    }
    if let Some(e) = speech.bindings().get(name) {
        let absent = if e.maybe { ", which may be absent" } else { "" };
        let mut out = format!("**{name}**: {}{absent}\n\n```rhai\n{}\n```", e.ty, snapshot.set.sources.text(e.span));
        out.push_str(&pinned.map(|p| p.binding(snapshot, speech, e)).unwrap_or_default());
        return Some(out);
    }
    let c = speech.conditions().get(name)?;
    let params: Vec<String> = c.params.iter().map(|(n, k)| if **n == *k.word() { n.to_string() } else { format!("{n}: {k}") }).collect();
    let head = if params.is_empty() { format!("condition **{name}**") } else { format!("condition **{name}**({})", params.join(", ")) };
    let mut out = format!("{head}\n\n```rhai\n{}\n```", snapshot.set.sources.text(c.body.span));
    out.push_str(&pinned.map(|p| p.condition(snapshot, speech, c)).unwrap_or_default());
    Some(out)
}

/// What is known of a word of an expression.
fn expression(snapshot: &Snapshot, asking: &Asking<'_>, at: usize, pinned: Option<&Pinned>) -> Option<(String, Range<usize>)> {
    let t = &asking.tokens;
    let n = t.at(at)?;
    let token = t.all.get(n)?;
    let (word, place) = (t.word(n), token.start..token.end);
    let text = if word.starts_with('"') {
        let inner = word.trim_matches('"');
        match t.text_is(n)? {
            Pat::Relation => docs::relation(inner),
            Pat::KindName => docs::named(snapshot, Of::Kind, inner),
            Pat::Signal => docs::named(snapshot, Of::Signal, inner),
            Pat::Technique => docs::named(snapshot, Of::Technique, inner),
            Pat::ListId => docs::named(snapshot, Of::List, inner),
            _ => None,
        }
    } else if asking.of_lists(n) {
        docs::named(snapshot, Of::List, word)
    } else if t.is_member(n) {
        let on = asking.receiver_type(n)?;
        let called = t.word(n.saturating_add(1)) == "(";
        if called {
            let functions = docs::functions_on(word, Some(&on));
            docs::closure(word).filter(|_| matches!(on, crate::script::Ty::List(_)) && functions.is_empty()).or_else(|| {
                let all: Vec<String> = functions.into_iter().map(docs::function).collect();
                (!all.is_empty()).then(|| all.join("\n\n---\n"))
            })
        } else {
            docs::member(&on, word)
        }
    } else if t.is_word(n) {
        if let Some((name, ty)) = asking.locals_at(token.end).iter().rev().find(|(l, _)| &**l == word) {
            Some(format!("**{name}**: {ty}"))
        } else {
            named(snapshot, asking.speech, Of::Binding, word, pinned).or_else(|| global(snapshot, word, pinned))
        }
    } else {
        None
    };
    text.map(|t| (t, place))
}

/// What every expression has.
fn global(snapshot: &Snapshot, word: &str, pinned: Option<&Pinned>) -> Option<String> {
    if let Some(k) = Kind::of_collection(word) {
        let value = pinned.map(|p| p.collection(snapshot, k)).unwrap_or_default();
        return Some(format!("**{word}**: list of {k}{value}"));
    }
    match word {
        "incident" => Some("**incident**: the incident, with its alerts and entities".into()),
        "alerts" => Some("**alerts**: list of all alerts".into()),
        "lists" => Some("**lists**: the named lists of `lists:` files, as in `lists.own_networks`".into()),
        _ => {
            let free: Vec<String> = docs::functions_on(word, None).into_iter().map(docs::function).collect();
            (!free.is_empty()).then(|| free.join("\n\n---\n"))
        }
    }
}
