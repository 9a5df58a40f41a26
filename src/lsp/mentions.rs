//! Which names a file declares and which it asks for, with the place of each.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::tokens::{Asked, Tokens};
use super::walk::{Place, first_key, first_word, space, walk};
use crate::playbook::holds::{Holds, Of};
use crate::playbook::yaml::Node;
use crate::script::functions::{self, Pat};
use crate::source::{Scalar, Span};

/// A name at a place.
#[derive(Clone, Debug)]
pub struct Mention {
    /// What it names; bindings and conditions are both [`Of::Binding`].
    pub of: Of,
    /// The name.
    pub name: Arc<str>,
    /// Where it stands: the name alone.
    pub span: Span,
    /// Whether it is declared here.
    pub declares: bool,
    /// All of what is declared here; the name alone otherwise.
    pub whole: Span,
}

/// A file with what it declares and asks for.
#[derive(Debug, Default)]
pub struct Names {
    /// Its first key.
    pub kind: Arc<str>,
    /// The id that the first key gives; of an overlay the id of what it changes.
    pub id: Arc<str>,
    /// The libraries that it uses.
    pub uses: Vec<Arc<str>>,
    /// Every name, by place.
    pub all: Vec<Mention>,
    /// The bindings and conditions that it declares itself.
    pub own: BTreeSet<Arc<str>>,
}

/// Whether names of this sort belong to the file that declares them.
pub fn local(of: Of) -> bool {
    matches!(of, Of::Binding | Of::Card | Of::Hunt | Of::Test | Of::Exception)
}

/// What a file declares and asks for.
pub fn names(tree: &Node) -> Names {
    let Some(first) = first_key(tree) else { return Names::default() };
    let mut out = Names { kind: first.text.clone(), ..Names::default() };
    if let Some(id) = tree.get(&first.text).and_then(Node::scalar) {
        out.id = id.text.clone();
    }
    walk(tree, &mut |place| {
        for range in place.expressions() {
            expression(place, range, &mut out.all);
        }
        let Some(s) = place.node.scalar() else { return };
        match place.holds {
            Holds::New(of) => {
                // Below tests, exceptions and overlays the keys of a map are asked for, not declared.
                let declares = !place.is_key
                    || matches!(place.key(0), Some("signals" | "actions" | "lists" | "incident_types" | "bind" | "conditions" | "hunts"));
                if matches!(space(of), Of::Path) {
                    path(s, &mut out.all);
                } else {
                    id(of, s, declares, place, tree, &mut out.all);
                }
            }
            Holds::Id(Of::Path) => path(s, &mut out.all),
            Holds::Id(of) => {
                if of == Of::Library {
                    out.uses.push(s.text.clone());
                }
                id(of, s, false, place, tree, &mut out.all);
            }
            Holds::Text
                if place.key(0) == Some("tests") && place.key(3) == Some("hunts") && tree.get("hunts").is_some_and(|h| h.get(&s.text).is_some()) =>
            {
                out.all.push(mention(Of::Hunt, s, 0..s.text.len(), false));
            }
            _ => {}
        }
    });
    out.all.sort_by_key(|m| (m.span.start, m.span.end));
    out.own = out.all.iter().filter(|m| m.declares && m.of == Of::Binding).map(|m| m.name.clone()).collect();
    out
}

fn mention(of: Of, s: &Scalar, range: std::ops::Range<usize>, declares: bool) -> Mention {
    let span = s.place(range.start, range.end);
    Mention { of, name: s.text.get(range).unwrap_or("").into(), span, declares, whole: span }
}

fn id(of: Of, s: &Scalar, declares: bool, place: &Place<'_>, tree: &Node, out: &mut Vec<Mention>) {
    let all = 0..s.text.len();
    match of {
        Of::Wanted => out.push(mention(Of::Card, s, first_word(&s.text), false)),
        Of::Clause if matches!(&*s.text, "match" | "for" | "when") => {}
        // An overlay names a playbook by its id alone, other things by what they are.
        Of::Thing => {
            let (of, start) = thing(&s.text);
            out.push(mention(of, s, start..s.text.len(), false));
        }
        Of::Playbook
        | Of::Library
        | Of::Signal
        | Of::Action
        | Of::List
        | Of::Type
        | Of::Binding
        | Of::Condition
        | Of::Clause
        | Of::Card
        | Of::Hunt
        | Of::Exception
        | Of::Test
        | Of::Role => {
            let mut m = mention(space(of), s, all, declares);
            if declares {
                m.whole = declared(place, tree);
            }
            out.push(m);
        }
        _ => {}
    }
}

/// All of what a name declares: the entry with its key, the item of a list, or the file.
fn declared(place: &Place<'_>, tree: &Node) -> Span {
    let Some(step) = place.path.last() else { return tree.span };
    if place.is_key {
        let value = step.key.and_then(|k| step.from.get(&k.text));
        return value.map_or(place.node.span, |v| place.node.span.to(v.span));
    }
    step.from.span
}

/// What an overlay names, and where the id in it begins.
pub fn thing(text: &str) -> (Of, usize) {
    let kinds = [("library.", Of::Library), ("signals.", Of::Signal), ("lists.", Of::List), ("incident_types.", Of::Type)];
    kinds.into_iter().find(|(prefix, _)| text.starts_with(prefix)).map_or((Of::Playbook, 0), |(prefix, of)| (of, prefix.len()))
}

/// `containment.revoke_sessions.priority`
fn path(s: &Scalar, out: &mut Vec<Mention>) {
    let mut steps = s.text.split('.');
    let (Some(section), Some(name)) = (steps.next(), steps.next()) else { return };
    let of = match section {
        "containment" | "investigation" | "remediation" => Of::Card,
        "hunts" => Of::Hunt,
        "bind" | "conditions" => Of::Binding,
        "exceptions" => Of::Exception,
        _ => return,
    };
    let start = section.len().saturating_add(1);
    out.push(mention(of, s, start..start.saturating_add(name.len()), false));
}

/// Whether a function of this name is called without anything before it.
fn free(name: &str) -> bool {
    functions::all().any(|f| f.on == Pat::Free && f.name == name)
}

/// The names in an expression. Which of them are bindings or conditions, and which are collections, is seen by whoever asks.
fn expression(place: &Place<'_>, range: std::ops::Range<usize>, out: &mut Vec<Mention>) {
    let Some(s) = place.node.scalar() else { return };
    let text = s.text.get(range.clone()).unwrap_or("");
    if text.len() > crate::script::limits::SOURCE_BYTES {
        return;
    }
    let parameters = place.parameters();
    let mut locals: Vec<&str> = parameters.iter().map(|p| &*p.0).collect();
    match place.key(0) {
        Some("signals") => locals.push("alert"),
        Some("actions") => locals.extend(["target", "params"]),
        _ => {}
    }
    for (r, asked) in Tokens::of(text).asked(&locals) {
        let at = r.start.saturating_add(range.start)..r.end.saturating_add(range.start);
        let of = match asked {
            Asked::Name(name) => {
                if crate::script::lower::global_names().any(|g| g == name) || crate::script::lower::RESERVED.contains(&name) || free(name) {
                    continue;
                }
                Of::Binding
            }
            Asked::Word(Pat::Signal, _) => Of::Signal,
            Asked::Word(Pat::ListId, _) => Of::List,
            Asked::Word(..) => continue,
        };
        out.push(mention(of, s, at, false));
    }
}
