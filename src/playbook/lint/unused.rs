//! Names that nothing uses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Files, roots, spoken, walk};
use crate::diag::{Diagnostic, codes};
use crate::playbook::Playbook;
use crate::script::Expr;
use crate::script::expr::Node;
use crate::source::Span;

pub(super) fn lint(files: &Files<'_>, out: &mut Vec<Diagnostic>) {
    // A library's name is used if any of the playbooks that have it uses it.
    let mut library: BTreeMap<Span, (Arc<str>, bool, bool)> = BTreeMap::new();
    for p in &files.set.playbooks {
        let used = used(p);
        for (name, place) in &p.places {
            let condition = p.conditions.contains_key(name);
            if files.library(*place) {
                let entry = library.entry(*place).or_insert_with(|| (name.clone(), condition, false));
                entry.2 |= used.contains(name);
            } else if !used.contains(name) {
                report(files, name, *place, condition, by(p, name), out);
            }
        }
        for h in p.hunts.values().filter(|h| h.with.is_some() && !p.cards.iter().any(|c| c.hunt.as_ref() == Some(&h.id))) {
            let mut d = Diagnostic::warning(codes::UNUSED, h.span, format!("no card names the hunt `{}`, so it is never written", h.id))
                .help(format!("name it in a card (`hunt: {}`), or take it out; a hunt without `with` needs no card", h.id));
            d.fix = files.without(h.span, format!("take `{}` out", h.id));
            out.push(d);
        }
    }
    for (place, (name, condition, used)) in library {
        if !used {
            report(files, &name, place, condition, Vec::new(), out);
        }
    }
}

fn report(files: &Files<'_>, name: &str, place: Span, condition: bool, by: Vec<String>, out: &mut Vec<Diagnostic>) {
    let what = if condition { "condition" } else { "binding" };
    let message = if by.is_empty() {
        format!("the {what} `{name}` is never used")
    } else {
        format!("the {what} `{name}` is used only by {}, which nothing uses", by.join(", "))
    };
    let mut d = Diagnostic::warning(codes::UNUSED, place, message).help("use it, or take it out");
    d.fix = files.without(place, format!("take `{name}` out"));
    out.push(d);
}

/// The names that what a playbook decides and says comes to, also through other names.
fn used(p: &Playbook) -> BTreeSet<Arc<str>> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<Arc<str>> = Vec::new();
    roots(p).into_iter().for_each(|e| names(e, &mut open));
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        if let Some(b) = p.bindings.get(&name) {
            names(b, &mut open);
        }
        if let Some(c) = p.conditions.get(&name) {
            spoken(c).for_each(|e| names(e, &mut open));
        }
    }
    seen
}

/// The unused names that use a name.
fn by(p: &Playbook, name: &str) -> Vec<String> {
    let uses = |e: &Expr| {
        let mut all = Vec::new();
        names(e, &mut all);
        all.iter().any(|n| &**n == name)
    };
    let bindings = p.bindings.iter().filter(|(_, b)| uses(b)).map(|(n, _)| n);
    let conditions = p.conditions.iter().filter(|(_, c)| spoken(c).any(uses)).map(|(n, _)| n);
    bindings.chain(conditions).map(|n| format!("`{n}`")).collect()
}

/// The names that an expression itself uses.
fn names(e: &Expr, out: &mut Vec<Arc<str>>) {
    walk(e, &mut |x| match &x.node {
        Node::Binding(name, _) => out.push(name.clone()),
        Node::Clause(c, _) => out.push(c.name.clone()),
        _ => {}
    });
}
