//! What ages: exceptions, stable playbooks without tests, deprecated ones, overlays that change nothing.

use jiff::SignedDuration;

use super::Files;
use super::target;
use crate::diag::{Diagnostic, Severity, codes};
use crate::model::{Kinds, Time};
use crate::playbook::Playbook;
use crate::playbook::set::{Exception, Status};
use crate::playbook::yaml::Node;
use crate::script::Ty;
use crate::source::Span;

/// An exception that ends within this is told.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// An exception that lasts longer than this is told.
const LONG: SignedDuration = SignedDuration::from_hours(366 * 24);

pub(super) fn lint(files: &Files<'_>, today: Time, out: &mut Vec<Diagnostic>) {
    for p in &files.set.playbooks {
        for e in &p.exceptions {
            exception(files, p, e, today, out);
        }
        status(files, p, out);
    }
    for tree in files.trees().filter(|t| t.get("overlay").is_some()) {
        overlay(files, tree, out);
    }
}

fn note(code: &'static str, at: Span, message: impl Into<String>, help: &str) -> Diagnostic {
    Diagnostic::new(code, Severity::Note, message).at(at, "").help(help)
}

fn exception(files: &Files<'_>, p: &Playbook, e: &Exception, today: Time, out: &mut Vec<Diagnostic>) {
    let holder = files.holder("id", e.span);
    let at = |key: &str| holder.and_then(|h| h.get(key)).map_or(e.span, |n| n.span);
    let left = e.expires.duration_since(today);
    if e.expires <= today {
        let message = format!("the exception `{}` has expired: it ended with {}", e.id, e.until);
        out.push(
            Diagnostic::warning(codes::EXCEPTION, at("expires"), message).help("take it out, or renew `expires` together with whoever asked for it"),
        );
    } else if left <= SOON {
        let message = format!("the exception `{}` ends soon: {} is its last day", e.id, e.until);
        out.push(note(codes::EXPIRING, at("expires"), message, "renew it in time, or let it end"));
    } else if left > LONG {
        let message = format!("the exception `{}` lasts longer than a year", e.id);
        out.push(note(codes::LONG_EXCEPTION, at("expires"), message, "name a day within a year, so that someone looks at it again"));
    }
    if let Some(h) = holder.filter(|h| h.get("owner").is_none()) {
        let at = h.get("id").map_or(e.span, |n| n.span);
        out.push(note(codes::LONG_EXCEPTION, at, format!("nobody answers for the exception `{}`", e.id), "add `owner:` with an address"));
    }
    let about = p.cards.iter().filter(|c| e.cards.is_empty() || e.cards.contains(&c.id)).fold(Kinds::NONE, |kinds, c| {
        match target(&c.target).map(|t| &t.ty) {
            Some(Ty::List(of)) => match **of {
                Ty::Entity(k) => kinds.or(k),
                _ => kinds,
            },
            _ => kinds,
        }
    });
    for (kind, _) in e.who.iter().filter(|(kind, _)| !about.has(*kind)) {
        let key =
            holder.and_then(|h| h.get("for")).and_then(|f| f.entries().iter().find(|(k, _)| k.scalar().is_some_and(|s| *s.text == *kind.word())));
        let which = if e.cards.is_empty() { "no card of this playbook is".to_owned() } else { "none of the cards that it names is".to_owned() };
        let d = Diagnostic::warning(
            codes::EXCEPTION,
            key.map_or(e.span, |(k, _)| k.span),
            format!("the exception `{}` has no effect on a {kind}: {which} about one", e.id),
        );
        out.push(if about.is_none() { d.help("name cards that are about entities") } else { d.help(format!("these cards are about {about}")) });
    }
}

fn status(files: &Files<'_>, p: &Playbook, out: &mut Vec<Diagnostic>) {
    let Some(tree) = files.tree(p.span) else { return };
    let at = tree.get("status").map_or(p.span, |n| n.span);
    match p.status {
        Status::Deprecated => out.push(note(
            codes::DEPRECATED,
            at,
            format!("`{}` is deprecated, and still runs", p.id),
            "take the file out when nobody needs it any more",
        )),
        Status::Stable => {
            let tests = tree.get("tests").map(Node::items).unwrap_or_default();
            let (yes, no) = (tests.iter().any(positive), tests.iter().any(negative));
            let lacks = match (yes, no) {
                (true, true) => return,
                (false, true) => "a test in which it says something (`cards`, or `triage: true_positive …`)",
                (true, false) => "a test in which it holds back (`matched: false`, `no_cards`, `failed`, or another triage)",
                (false, false) => "tests: one in which it says something, and one in which it holds back",
            };
            out.push(
                Diagnostic::warning(codes::UNTESTED, at, format!("`{}` is stable and lacks {lacks}", p.id))
                    .help("add it under `tests:`, or give it the status `test` until then"),
            );
        }
        _ => {}
    }
}

/// Whether a test wants something to be said.
fn positive(test: &Node) -> bool {
    let Some(expect) = test.get("expect") else { return false };
    let some = |key: &str| expect.get(key).is_some_and(|n| !n.items().is_empty() || n.scalar().is_some() && !n.is_empty());
    some("cards") || some("only_cards") || triage(expect).is_some_and(|t| t.starts_with("true_positive"))
}

/// Whether a test wants something not to be said.
fn negative(test: &Node) -> bool {
    let Some(expect) = test.get("expect") else { return false };
    expect.get("matched").and_then(Node::scalar).is_some_and(|s| &*s.text == "false")
        || ["no_cards", "failed"].iter().any(|k| expect.get(k).is_some())
        || expect.get("only_cards").is_some_and(|n| n.items().is_empty())
        || triage(expect).is_some_and(|t| !t.starts_with("true_positive"))
}

fn triage(expect: &Node) -> Option<&str> {
    let t = expect.get("triage")?;
    t.scalar().or_else(|| t.get("classification").and_then(Node::scalar)).map(|s| &*s.text)
}

/// Paths of an overlay that lead to what is so already.
fn overlay(files: &Files<'_>, tree: &Node, out: &mut Vec<Diagnostic>) {
    let Some(id) = tree.get("overlay").and_then(Node::scalar) else { return };
    let Some((kind, id)) = crate::playbook::overlay::named(&id.text) else { return };
    let all: Vec<_> = files.set.sources.iter().map(|(f, _)| f).collect();
    let thing = all.into_iter().rev().find_map(|f| {
        let t = files.tree(Span::top(f))?;
        let (first, value) = t.entries().first()?;
        (&*first.scalar()?.text == kind).then_some(())?;
        if value.scalar().is_some() { (&*value.scalar()?.text == id).then_some(t) } else { value.get(id) }
    });
    let Some(thing) = thing else { return };
    for (path, value) in tree.get("set").map(Node::entries).unwrap_or_default() {
        let Some(p) = path.scalar() else { continue };
        let found = p.text.split('.').try_fold(thing, |here, step| {
            here.get(step).or_else(|| here.items().iter().find(|i| i.get("id").and_then(Node::scalar).is_some_and(|s| &*s.text == step)))
        });
        if found.is_some_and(|f| alike(f, value)) {
            out.push(note(codes::NO_EFFECT, path.span, format!("`{}` is so already: this changes nothing", p.text), "leave it out"));
        }
    }
}

/// Whether two nodes hold the same.
fn alike(a: &Node, b: &Node) -> bool {
    match (a.scalar(), b.scalar()) {
        (Some(a), Some(b)) => a.text == b.text,
        (None, None) => {
            let (x, y) = (a.items(), b.items());
            let (m, n) = (a.entries(), b.entries());
            x.len() == y.len()
                && m.len() == n.len()
                && x.iter().zip(y).all(|(a, b)| alike(a, b))
                && m.iter().all(|(k, v)| k.scalar().and_then(|k| b.get(&k.text)).is_some_and(|w| alike(v, w)))
        }
        _ => false,
    }
}
