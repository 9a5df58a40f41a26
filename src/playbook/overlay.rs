//! Overlays: changes by id to what another file declares.

use super::keys;
use super::read::Reader;
use super::yaml::{Node, Style, Yaml};
use crate::diag::codes;
use crate::source::Scalar;

/// Applies an overlay to what it names: a playbook, or `signals.ID`, `lists.ID`, `incident_types.ID`, `library.ID`. Gives
/// the changed tree, if all of the overlay fits; `known` are the names of all that could be meant.
pub fn apply(reader: &mut Reader<'_>, overlay: &Node, target: Option<&Node>, known: impl Fn() -> Vec<String>) -> Option<Node> {
    let before = reader.out.len();
    let fields = reader.keys(overlay, "an overlay", keys::OVERLAY);
    let id = fields.get("overlay").and_then(|n| reader.text(n, "the id"))?;
    if id.text.starts_with("actions.") {
        let help = "declare the action again in a folder of your own: its guards are then read as a whole";
        reader.error_help(codes::UNKNOWN_REF, id.span, "an overlay cannot change an action: it could take its guards away", help);
        return None;
    }
    let Some(mut target) = target.cloned() else {
        let d = crate::diag::Diagnostic::error(codes::UNKNOWN_REF, id.span, format!("there is no `{}` to change", id.text));
        reader.report(d.did_you_mean(id.inner(), crate::diag::nearest(&id.text, known().iter().map(String::as_str)), ""));
        return None;
    };
    if let Some(base) = fields.get("base").and_then(|n| reader.text(n, "`base`")) {
        let version = target.get("version").and_then(Node::scalar).map(|s| s.text.to_string()).unwrap_or_default();
        if !fits(&base.text, &version) {
            reader.error_help(
                codes::UNKNOWN_REF,
                base.span,
                format!("`{}` has version {version}, which `{}` does not fit", id.text, base.text),
                "read what changed in it, then set `base` to its version",
            );
        }
    }
    if let Some(set) = fields.get("set") {
        for (path, value) in reader.ids(set, "`set`") {
            edit(reader, &mut target, path, Change::Set(value));
        }
    }
    if let Some(add) = fields.get("add") {
        for (path, value) in reader.ids(add, "`add`") {
            edit(reader, &mut target, path, Change::Add(value));
        }
    }
    if let Some(disable) = fields.get("disable") {
        for path in reader.texts(disable, "`disable`") {
            edit(reader, &mut target, path, Change::Remove);
        }
    }
    (reader.out.len() == before).then_some(target)
}

/// What an overlay names: a playbook by its id alone, other things by what they are and their id. No action can be named.
pub fn named(name: &str) -> Option<(&'static str, &str)> {
    match name.split_once('.') {
        Some(("actions", _)) => None,
        Some((kind, id)) => Some(match ["library", "signals", "lists", "incident_types"].into_iter().find(|k| *k == kind) {
            Some(kind) => (kind, id),
            None => ("playbook", name),
        }),
        None => Some(("playbook", name)),
    }
}

enum Change<'n> {
    Set(&'n Node),
    Add(&'n Node),
    Remove,
}

/// Changes what a path of keys and ids leads to.
fn edit(reader: &mut Reader<'_>, root: &mut Node, path: &Scalar, change: Change<'_>) {
    let steps: Vec<&str> = path.text.split('.').collect();
    let (last, front) = match steps.split_last() {
        Some((last, front)) => (*last, front),
        None => return,
    };
    let mut here = root;
    for step in front {
        if child(here, step).is_none() {
            return nowhere(reader, here, path, step);
        }
        let Some(next) = child(here, step) else { return };
        here = next;
    }
    match change {
        Change::Set(value) => match child(here, last) {
            Some(slot) => *slot = value.clone(),
            None => match &mut here.yaml {
                Yaml::Map(entries) => entries.push((word(last, path), value.clone())),
                _ => nowhere(reader, here, path, last),
            },
        },
        Change::Add(value) => {
            let slot = match child(here, last) {
                Some(slot) => slot,
                None => match &mut here.yaml {
                    Yaml::Map(entries) => {
                        entries.push((word(last, path), value.clone()));
                        return;
                    }
                    _ => {
                        return nowhere(reader, here, path, last);
                    }
                },
            };
            match (&mut slot.yaml, &value.yaml) {
                (Yaml::List(items), Yaml::List(more)) => items.extend(more.iter().cloned()),
                (Yaml::List(items), _) => items.push(value.clone()),
                (Yaml::Map(entries), Yaml::Map(more)) => entries.extend(more.iter().cloned()),
                _ => reader.error_help(codes::WRONG_SHAPE, path.span, format!("nothing can be added to `{}`", path.text), "use `set`"),
            }
        }
        Change::Remove => {
            let found = match &mut here.yaml {
                Yaml::Map(entries) => {
                    let len = entries.len();
                    entries.retain(|(k, _)| k.scalar().is_none_or(|s| &*s.text != last));
                    entries.len() < len
                }
                Yaml::List(items) => {
                    let len = items.len();
                    items.retain(|i| i.get("id").and_then(Node::scalar).is_none_or(|s| &*s.text != last));
                    items.len() < len
                }
                Yaml::Scalar(..) => false,
            };
            if !found {
                nowhere(reader, here, path, last);
            }
        }
    }
}

/// A path that leads nowhere, with what is there.
fn nowhere(reader: &mut Reader<'_>, here: &Node, path: &Scalar, step: &str) {
    let keys = here.entries().iter().filter_map(|(k, _)| k.scalar());
    let ids = here.items().iter().filter_map(|i| i.get("id").and_then(Node::scalar));
    let known: Vec<&str> = keys.chain(ids).map(|s| &*s.text).collect();
    let help = match known.as_slice() {
        [] => "nothing with a key or an id is there: a path is made of keys and ids".to_owned(),
        some => format!("there are {}", some.iter().take(12).map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")),
    };
    let at = path.text.split('.').take_while(|s| *s != step).fold(0usize, |at, s| at.saturating_add(s.len()).saturating_add(1));
    let place = path.place(at, at.saturating_add(step.len()));
    let d = crate::diag::Diagnostic::error(codes::UNKNOWN_REF, path.span, format!("`{}` leads nowhere: there is no `{step}`", path.text));
    reader.report(d.did_you_mean(place, crate::diag::nearest(step, known.iter().copied()), help));
}

/// The value of a key, or the item of a list with this id.
fn child<'n>(node: &'n mut Node, step: &str) -> Option<&'n mut Node> {
    match &mut node.yaml {
        Yaml::Map(entries) => entries.iter_mut().find(|(k, _)| k.scalar().is_some_and(|s| &*s.text == step)).map(|(_, v)| v),
        Yaml::List(items) => items.iter_mut().find(|i| i.get("id").and_then(Node::scalar).is_some_and(|s| &*s.text == step)),
        Yaml::Scalar(..) => None,
    }
}

/// The last step of a path as a key.
fn word(text: &str, path: &Scalar) -> Node {
    let span = path.place(path.text.len().saturating_sub(text.len()), path.text.len());
    Node { yaml: Yaml::Scalar(Scalar::plain(span.file, text, span.start as usize).spanning(span), Style::Plain), span, odd: None }
}

/// Whether a version fits `^1.4`, `~1.4.2`, `1.4` or `*`.
fn fits(wanted: &str, version: &str) -> bool {
    let numbers = |v: &str| -> Vec<u64> { v.split('.').map(|n| n.trim().parse().unwrap_or(0)).collect() };
    let have = numbers(version);
    let at = |v: &[u64], n: usize| v.get(n).copied().unwrap_or(0);
    match wanted.trim().split_at_checked(1) {
        Some(("*", _)) => true,
        Some(("^", rest)) => {
            let w = numbers(rest);
            at(&have, 0) == at(&w, 0) && have >= w
        }
        Some(("~", rest)) => {
            let w = numbers(rest);
            at(&have, 0) == at(&w, 0) && at(&have, 1) == at(&w, 1) && have >= w
        }
        _ => numbers(wanted).iter().enumerate().all(|(n, x)| at(&have, n) == *x),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_fit_as_authors_expect() {
        assert!(super::fits("^1.4", "1.4.0") && super::fits("^1.4", "1.9.1") && !super::fits("^1.4", "2.0.0") && !super::fits("^1.4", "1.3.9"));
        assert!(super::fits("~1.4.1", "1.4.7") && !super::fits("~1.4", "1.5.0") && super::fits("1.4", "1.4.2") && super::fits("*", "9"));
    }
}
