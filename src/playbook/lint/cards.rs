//! Cards that hit hard with nothing to hold them back, cards that are one, permissions that nobody has, and
//! sentences that people cannot read.

use std::collections::BTreeSet;

use super::{Files, target, values, walk};
use crate::diag::{Diagnostic, Severity, codes};
use crate::playbook::Playbook;
use crate::playbook::set::{CardRule, Target};
use crate::script::expr::{Compare, Expr, Node};
use crate::script::template::Template;
use crate::script::{Ty, Value};
use crate::source::Span;

pub(super) fn lint(files: &Files<'_>, out: &mut Vec<Diagnostic>) {
    for p in &files.set.playbooks {
        for (n, c) in p.cards.iter().enumerate() {
            impact(files, p, c, out);
            same(files, c, p.cards.get(..n).unwrap_or(&[]), out);
        }
    }
    permissions(files, out);
    sentences(files, out);
}

/// Where the value of a card's key stands, or the card.
fn key(files: &Files<'_>, c: &CardRule, key: &str) -> Span {
    files.holder("id", c.span).and_then(|n| n.get(key)).map_or(c.span, |n| n.span)
}

/// A card of high impact that every entity of a kind gets, whatever is known of it.
fn impact(files: &Files<'_>, p: &Playbook, c: &CardRule, out: &mut Vec<Diagnostic>) {
    if c.action.impact != "high" || held_back(p, target(&c.target), c.when.as_ref()) {
        return;
    }
    let whom = match target(&c.target) {
        None => "whatever the incident is".to_owned(),
        Some(list) => match &list.ty {
            Ty::List(of) => format!("for every {of} of the incident, whatever part it plays"),
            _ => "whatever is known".to_owned(),
        },
    };
    let d = Diagnostic::warning(codes::IMPACT, key(files, c, "action"), format!("`{}` has a high impact, and comes {whom}", c.action.id));
    out.push(match &c.target {
        Target::Incident => d.help("add a `when:` that keeps it from harmless incidents"),
        Target::Each(name, _) => d.help(format!(
            "ask about the one that it is about, as in `when: {name}.malicious`, narrow the list by a `filter`, or say when it must not be: `when: '!…'`"
        )),
        Target::All(..) => d.help("narrow the list by a `filter`, or say when it must not be: `when: '!…'`"),
    });
}

/// Two cards that always come together and say the same.
fn same(files: &Files<'_>, c: &CardRule, earlier: &[CardRule], out: &mut Vec<Diagnostic>) {
    let about = |c: &CardRule| match &c.target {
        Target::Incident => None,
        Target::Each(_, e) => Some((true, e.key)),
        Target::All(_, e) => Some((false, e.key)),
    };
    // A card of its own for each query is meant.
    let same = |o: &&CardRule| {
        o.action.id == c.action.id
            && o.params == c.params
            && o.hunt == c.hunt
            && about(o) == about(c)
            && o.when.as_ref().map(|w| w.key) == c.when.as_ref().map(|w| w.key)
    };
    if let Some(other) = earlier.iter().find(same) {
        let message = format!("`{}` is the same as `{}`: the same action, for the same, at the same time", c.id, other.id);
        out.push(
            Diagnostic::warning(codes::SAME_CARD, key(files, c, "id"), message)
                .at(key(files, other, "id"), "this one")
                .help("take one of them out: they become one card anyway"),
        );
    }
}

/// A permission that an action needs and no role has.
fn permissions(files: &Files<'_>, out: &mut Vec<Diagnostic>) {
    let roles = &files.set.permissions.roles;
    if roles.is_empty() {
        return;
    }
    let known: BTreeSet<&str> = roles.values().flatten().map(String::as_str).collect();
    for a in files.set.actions.values() {
        for need in a.permissions.iter().filter(|n| !known.contains(n.as_str())) {
            let list = files.entry(a.span).and_then(|(_, v)| v.get("permissions"));
            let at = list.and_then(|n| [n].into_iter().chain(n.items()).find(|i| i.scalar().is_some_and(|s| *s.text == **need)));
            let d = Diagnostic::warning(
                codes::PERMISSION,
                at.map_or(a.span, |n| n.span),
                format!("no role has the permission `{need}`, so nobody can do this"),
            );
            out.push(match crate::diag::nearest(need, known.iter().copied()) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help("give it to a role in a file of `permissions:`"),
            });
        }
    }
}

/// Placeholders that say nothing to people.
fn sentences(files: &Files<'_>, out: &mut Vec<Diagnostic>) {
    let mut look = |t: &Template| {
        for e in values(t) {
            let inner = match &e.ty {
                Ty::List(of) => of,
                other => other,
            };
            let help = match inner {
                Ty::Edge(_) => "name an end of it, as in `{edge.to}`",
                Ty::Pair(..) => "name an edge and an end of it, as in `{pair.second.to}`",
                Ty::Named => "say in words which list is meant",
                Ty::Map(_) => "name one of its keys",
                Ty::Range => "write the two numbers",
                Ty::Incident => "name a field of it, as in `{incident.title}`",
                Ty::Bool => "say it in words, with a `when:` or a condition's `pass` and `fail`",
                _ => continue,
            };
            let what =
                if matches!(inner, Ty::Bool) { "reads as `true` or `false` in a sentence".to_owned() } else { "says nothing to people".to_owned() };
            let mut d = Diagnostic::warning(codes::SENTENCE, e.span, format!("{} {what}", e.ty)).help(help);
            if matches!(inner, Ty::Bool) {
                d.severity = Severity::Note;
            }
            out.push(d);
        }
    };
    for p in &files.set.playbooks {
        p.triage.iter().for_each(|a| look(&a.why));
        for c in &p.cards {
            look(&c.why);
            c.title.iter().for_each(&mut look);
        }
        p.conditions.values().flat_map(|c| c.pass.iter().chain(&c.fail)).for_each(&mut look);
        p.hunts.values().for_each(|h| look(&h.title));
    }
    files.set.actions.values().flat_map(|a| &a.never).for_each(|g| look(&g.why));
}

/// Whether anything that decides a card could hold it back: a negation, or a look at what it is about.
fn held_back(p: &Playbook, list: Option<&Expr>, when: Option<&Expr>) -> bool {
    // A filter, or a way through the graph, chooses among what there is.
    let mut chosen = false;
    let mut seen = BTreeSet::new();
    if let Some(list) = list {
        through(p, list, &mut seen, &mut |x| {
            chosen |=
                matches!(&x.node, Node::Each(..)) || matches!(&x.node, Node::Call(f, _) if !matches!(f.name, "unique" | "entities" | "flatten"));
        });
    }
    // So does a question about the one that it is about.
    let mut asked = false;
    if let Some(when) = when {
        walk(when, &mut |x| asked |= matches!(x.node, Node::Local(0)));
        let mut seen = BTreeSet::new();
        through(p, when, &mut seen, &mut |x| asked |= negative(x));
        // Of the incident as a whole, any question is one about what it is about.
        asked |= list.is_none();
    }
    chosen || asked
}

/// Looks at an expression and at what the names in it stand for, each once.
fn through<'e>(p: &'e Playbook, e: &'e Expr, seen: &mut BTreeSet<String>, look: &mut dyn FnMut(&'e Expr)) {
    let mut below: Vec<&'e Expr> = Vec::new();
    walk(e, &mut |x| {
        look(x);
        match &x.node {
            Node::Binding(name, _) if seen.insert(name.to_string()) => below.extend(p.bindings.get(name).map(|b| &**b)),
            Node::Clause(c, _) if seen.insert(c.name.to_string()) => below.extend(p.conditions.get(&c.name).map(|c| &c.body)),
            _ => {}
        }
    });
    for x in below {
        through(p, x, seen, look);
    }
}

fn negative(x: &Expr) -> bool {
    match &x.node {
        Node::Not(_) | Node::Compare(Compare::Ne, ..) => true,
        Node::Call(f, _) => f.name == "is_empty",
        Node::Compare(Compare::Eq, a, b) => [a, b].iter().any(|s| matches!(s.node, Node::Const(Value::Int(0) | Value::Bool(false)))),
        _ => false,
    }
}
