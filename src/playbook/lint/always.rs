//! What can never hold, what always holds, and triage arms that nothing reaches.

use std::collections::BTreeSet;

use super::logic::{Formula, follows, possible};
use super::{Files, roots};
use crate::diag::{Diagnostic, Severity, codes};
use crate::playbook::Playbook;
use crate::script::expr::{Compare, Expr, Key, Node};
use crate::script::{Ty, Value};
use crate::source::{Sources, Span};

/// What `match:` says, key by key.
type Facts = Vec<(&'static str, Formula)>;

pub(super) fn lint(files: &Files<'_>, out: &mut Vec<Diagnostic>) {
    let sources = &files.set.sources;
    let mut judge = Judge { facts: &Vec::new(), at: Vec::new(), sources, told: BTreeSet::new(), out };
    // What libraries, actions, signals and types say holds for any incident.
    for e in files.shared() {
        judge.root(e);
    }
    let told = judge.told;
    for p in &files.set.playbooks {
        let own = |place: Option<&Span>| place.is_some_and(|s| !files.library(*s));
        let bindings = p.bindings.iter().filter(|(n, _)| own(p.places.get(*n))).map(|(_, b)| &**b);
        let conditions = p.conditions.iter().filter(|(n, _)| own(p.places.get(*n))).map(|(_, c)| &c.body);
        let all = files.once(bindings.chain(conditions).chain(roots(p)).collect());
        if all.is_empty() {
            continue;
        }
        let facts = facts(p);
        let mut judge = Judge { facts: &facts, at: places(files, p), sources, told: told.clone(), out };
        for e in all {
            judge.root(e);
        }
        arms(p, &facts, &judge.told, judge.out);
    }
}

/// What `match:` says of every incident that the playbook is asked about.
fn facts(p: &Playbook) -> Facts {
    let m = &p.matching;
    let mut all: Facts = Vec::new();
    if !m.signals.is_empty() {
        all.push(("signals", Formula::signals(m.signals.iter().map(|s| &**s))));
    }
    if !m.types.is_empty() {
        all.push(("types", Formula::types(m.types.iter().map(|s| &**s))));
    }
    if !m.techniques.is_empty() {
        all.push(("techniques", Formula::Any(m.techniques.iter().map(|t| Formula::technique(t)).collect())));
    }
    if !m.entities.is_empty() {
        all.push(("entities", Formula::All(m.entities.iter().map(|k| Formula::kind(*k)).collect())));
    }
    all.extend(m.severity.map(|s| ("severity", Formula::severity(s))));
    all
}

/// Where each key of `match:` is written.
fn places(files: &Files<'_>, p: &Playbook) -> Vec<(&'static str, Span)> {
    let Some(m) = files.tree(p.span).and_then(|t| t.get("match")) else { return Vec::new() };
    ["signals", "types", "techniques", "entities", "severity"].into_iter().filter_map(|k| Some((k, m.get(k)?.span))).collect()
}

struct Judge<'f, 'o> {
    facts: &'f Facts,
    at: Vec<(&'static str, Span)>,
    sources: &'f Sources,
    /// Questions of which it was said already, wherever they are asked again.
    told: BTreeSet<Key>,
    out: &'o mut Vec<Diagnostic>,
}

impl Judge<'_, '_> {
    fn root(&mut self, e: &Expr) {
        let found = match &e.node {
            // A guard that could not be read speaks against: nobody wrote that.
            Node::Const(Value::Bool(b)) if self.sources.text(e.span) != b.to_string() => true,
            Node::Const(Value::Bool(true)) => {
                let mut d = Diagnostic::warning(codes::ALWAYS, e.span, "this always holds").help("leave it out: without it, the same happens");
                d.severity = Severity::Note;
                self.out.push(d);
                true
            }
            Node::Const(Value::Bool(false)) => {
                self.out.push(Diagnostic::warning(codes::NEVER, e.span, "this never holds").help("take out what hangs on it, or ask something"));
                true
            }
            _ => self.judge(e),
        };
        if found {
            self.told.insert(e.key);
        }
    }

    /// Says of an expression, or of a part of it, that it is always or never so; whether it did.
    fn judge(&mut self, e: &Expr) -> bool {
        let mut found = false;
        e.parts(&mut |part| found |= self.judge(part));
        if found || e.ty != Ty::Bool || matches!(e.node, Node::Const(_)) {
            return found;
        }
        if self.told.contains(&e.key) {
            return true;
        }
        let f = Formula::read(e);
        let d = if !possible(&[&f]) {
            never(e)
        } else if follows(&f, &[]) {
            always(e)
        } else {
            let facts: Vec<&Formula> = self.facts.iter().map(|(_, f)| f).collect();
            if facts.is_empty() {
                return false;
            }
            let mut with = facts.clone();
            with.push(&f);
            if !possible(&with) {
                let d = Diagnostic::warning(codes::NEVER, e.span, "this never holds where the playbook matches");
                self.because(d, |fact| !possible(&[fact, &f])).help("mend it, or what `match` asks: as it is, what hangs on it never comes")
            } else if follows(&f, &facts) {
                let d = Diagnostic::warning(codes::ALWAYS, e.span, "this always holds where the playbook matches");
                self.because(d, |fact| follows(&f, &[fact])).help("leave it out: `match` has asked it already")
            } else {
                return false;
            }
        };
        self.out.push(d);
        true
    }

    /// With the place of the key of `match:` that is enough to say so.
    fn because(&self, d: Diagnostic, enough: impl Fn(&Formula) -> bool) -> Diagnostic {
        let key = self.facts.iter().find(|(_, f)| enough(f)).map(|(k, _)| *k);
        match key.and_then(|k| self.at.iter().find(|(n, _)| *n == k)) {
            Some((_, span)) => d.at(*span, "`match` asks for this"),
            None => d,
        }
    }
}

/// What contradicts itself, with the two parts that do.
fn never(e: &Expr) -> Diagnostic {
    let help = "one of the two is not what is meant: as it is, what hangs on it never comes";
    if let Node::Compare(_, a, b) = &e.node
        && a.key == b.key
    {
        return Diagnostic::warning(codes::NEVER, e.span, "something is compared with itself: this never holds")
            .help("name what it is to be compared with");
    }
    if let Node::And(parts) = &e.node {
        let read: Vec<Formula> = parts.iter().map(Formula::read).collect();
        for (n, later) in read.iter().enumerate() {
            if let Some((first, second)) =
                read.iter().take(n).position(|earlier| !possible(&[earlier, later])).and_then(|m| Some((parts.get(m)?, parts.get(n)?)))
            {
                return Diagnostic::warning(codes::NEVER, second.span, "this never holds together with what stands before it")
                    .at(first.span, "if this holds")
                    .help(help);
            }
        }
    }
    Diagnostic::warning(codes::NEVER, e.span, "this never holds").help("mend it: as it is, what hangs on it never comes")
}

fn always(e: &Expr) -> Diagnostic {
    if let Node::Compare(_, a, b) = &e.node
        && a.key == b.key
    {
        return Diagnostic::warning(codes::ALWAYS, e.span, "something is compared with itself: this always holds")
            .help("name what it is to be compared with");
    }
    let help = match &e.node {
        Node::Call(f, args) if f.name == "known" => match args.first().map(|a| &a.ty) {
            Some(Ty::Bool) => "what is true or false is never absent: ask it itself",
            Some(Ty::List(_)) => "a list is empty rather than absent: ask `.len() > 0`",
            _ => "it is always recorded: leave the question out",
        },
        Node::Compare(Compare::Ge | Compare::Gt, ..) => "a number of things is never below zero: ask `> 0` if there must be some",
        _ => "mend it, or leave it out",
    };
    Diagnostic::warning(codes::ALWAYS, e.span, "this always holds").help(help)
}

/// The first arm that nothing reaches, since an earlier one always holds when it does.
fn arms(p: &Playbook, facts: &Facts, told: &BTreeSet<Key>, out: &mut Vec<Diagnostic>) {
    let facts: Vec<&Formula> = facts.iter().map(|(_, f)| f).collect();
    let mut earlier: Vec<(Span, Formula)> = Vec::new();
    for arm in &p.triage {
        let f = arm.when.as_ref().map_or_else(Formula::yes, Formula::read);
        if arm.when.as_ref().is_some_and(|w| told.contains(&w.key)) {
            continue;
        }
        let reached: Vec<Formula> = earlier.iter().map(|(_, f)| f.clone().not()).collect();
        let mut all: Vec<&Formula> = facts.iter().copied().chain(&reached).collect();
        all.push(&f);
        if !possible(&all) {
            let span = arm.when.as_ref().map_or(arm.span, |w| w.span);
            let mut d = Diagnostic::warning(codes::UNREACHABLE, span, "this arm is never reached: the first that holds is taken")
                .help("put the narrower question first, or take the arm out");
            let alone = earlier.iter().find(|(_, e)| {
                let mut from = facts.clone();
                from.push(&f);
                follows(e, &from)
            });
            d = match alone {
                Some((at, _)) => d.at(*at, "this one holds whenever it would"),
                None => earlier.iter().fold(d, |d, (at, _)| d.at(*at, "one of these holds whenever it would")),
            };
            out.push(d);
            return;
        }
        earlier.push((arm.when.as_ref().map_or(arm.span, |w| w.span), f));
    }
}
