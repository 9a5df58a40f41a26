//! The clauses of a playbook: whatever is asked and can come out two ways.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Seen, Unit};
use crate::playbook::set::{Playbook, QueryPart, Target};
use crate::script::expr::{Each, Expr, Key, Node};
use crate::script::template::Part;
use crate::script::{Template, Ty};
use crate::source::{FileId, Sources, Span};

/// Something that is asked, and where.
#[derive(Clone, Debug)]
pub struct Clause {
    /// What part it plays.
    pub what: What,
    /// Where it stands.
    pub span: Span,
    /// Its question.
    pub key: Key,
}

/// What part a clause plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The whole of a named condition, or of a binding that is true or false.
    Named(Arc<str>),
    /// The `when` of a card.
    Card(Arc<str>),
    /// The `when` of an arm of triage, from 1.
    Arm(usize),
    /// The list of a card without `when`: it holds someone, or nobody.
    List(Arc<str>),
    /// An operand of `&&` or `||`.
    Operand,
    /// What is asked of each item of a list, in a `filter`, `some`, `all`, …
    Item,
    /// What an `if` or an arm of a `switch` asks.
    Choice,
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            What::Named(name) => write!(f, "`{name}`"),
            What::Card(id) => write!(f, "`when` of `{id}`"),
            What::Arm(n) => write!(f, "`when` of triage arm {n}"),
            What::List(id) => write!(f, "list of `{id}`"),
            What::Operand => f.write_str("operand"),
            What::Item => f.write_str("test of each item"),
            What::Choice => f.write_str("choice"),
        }
    }
}

impl What {
    /// The words for the outcome that was not seen.
    pub fn unseen(&self, held: bool) -> &'static str {
        match (self, held) {
            (What::List(_), true) => "never holds anybody",
            (What::List(_), false) => "is never empty",
            (_, true) => "never true",
            (_, false) => "never false",
        }
    }
}

/// What a clause says, in one line.
pub fn text(sources: &Sources, span: Span) -> String {
    sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The clauses in a playbook's own file.
pub(super) fn of_playbook(p: &Playbook) -> Unit {
    let mut found = Found { used: used(p), ..Found::default() };
    found.named(p, p.span.file, "nothing in the playbook uses it");
    for (n, arm) in p.triage.iter().enumerate() {
        if let Some(w) = &arm.when {
            found.add(What::Arm(n.saturating_add(1)), w);
        }
    }
    for card in &p.cards {
        let list = match &card.target {
            Target::Incident => None,
            Target::Each(_, list) | Target::All(_, list) => Some(list),
        };
        match (&card.when, list) {
            (Some(w), _) => found.add(What::Card(card.id.clone()), w),
            (None, Some(list)) => found.clause(What::List(card.id.clone()), list),
            (None, None) => {}
        }
        if let Some(list) = list {
            found.inside(list);
        }
    }
    found.unit(p.id.to_string(), false, p.span.file)
}

/// The clauses of a library that a playbook uses; `all` may use it too.
pub(super) fn of_library(name: &str, file: FileId, p: &Playbook, all: &[Arc<Playbook>]) -> Unit {
    let mut found = Found { used: all.iter().flat_map(|p| used(p)).collect(), ..Found::default() };
    found.named(p, file, "no playbook uses it");
    found.unit(name.to_owned(), true, file)
}

/// Where the bindings and conditions stand that a playbook uses.
pub fn used(p: &Playbook) -> BTreeSet<Span> {
    let mut all = BTreeSet::new();
    let mut look = |e: &Expr| {
        e.each(&mut |x| match &x.node {
            Node::Binding(_, body) => {
                all.insert(body.span);
            }
            Node::Clause(c, _) => {
                all.insert(c.body.span);
            }
            _ => {}
        });
    };
    let mut said: Vec<&Template> = p.triage.iter().map(|a| &a.why).collect();
    p.triage.iter().filter_map(|a| a.when.as_ref()).for_each(&mut look);
    for c in &p.cards {
        if let Target::Each(_, list) | Target::All(_, list) = &c.target {
            look(list);
        }
        c.when.iter().for_each(&mut look);
        said.push(&c.why);
        said.extend(&c.title);
    }
    for h in p.hunts.values() {
        said.push(&h.title);
        for part in &h.parts {
            if let QueryPart::Literal(e, _) = part {
                look(e);
            }
        }
    }
    said.extend(p.conditions.values().flat_map(|c| c.pass.iter().chain(&c.fail)));
    for part in said.iter().flat_map(|t| &t.parts) {
        if let Part::Value(e) = part {
            look(e);
        }
    }
    all
}

#[derive(Default)]
struct Found {
    clauses: Vec<Clause>,
    left_out: Vec<(Span, &'static str)>,
    known: BTreeSet<(Span, Key)>,
    used: BTreeSet<Span>,
}

impl Found {
    /// The bindings and conditions that a file declares.
    fn named(&mut self, p: &Playbook, file: FileId, unused: &'static str) {
        let here = |name: &Arc<str>| p.places.get(name).is_some_and(|s| s.file == file);
        for (name, body) in p.bindings.iter().filter(|(n, _)| here(n)) {
            if !self.used.contains(&body.span) {
                self.left_out.push((body.span, unused));
            } else if body.ty == Ty::Bool {
                self.add(What::Named(name.clone()), body);
            } else {
                self.inside(body);
            }
        }
        for (name, c) in p.conditions.iter().filter(|(n, _)| here(n)) {
            if self.used.contains(&c.body.span) {
                self.add(What::Named(name.clone()), &c.body);
            } else {
                self.left_out.push((c.body.span, unused));
            }
        }
    }

    /// A clause, and those in it.
    fn add(&mut self, what: What, e: &Expr) {
        self.clause(what, e);
        self.inside(e);
    }

    fn clause(&mut self, what: What, e: &Expr) {
        if !self.known.insert((e.span, e.key)) {
            return;
        }
        if constant(e) {
            self.left_out.push((e.span, "it is always the same"));
        } else {
            self.clauses.push(Clause { what, span: e.span, key: e.key });
        }
    }

    fn inside(&mut self, e: &Expr) {
        match &e.node {
            Node::And(all) | Node::Or(all) => {
                let settles = matches!(e.node, Node::Or(_));
                let mut decided = false;
                for x in all {
                    if decided {
                        self.left_out.push((x.span, "what stands before it decides"));
                        continue;
                    }
                    self.add(What::Operand, x);
                    decided = matches!(&x.node, Node::Const(v) if v.is_true() == settles);
                }
            }
            Node::Each(op, of, body) => {
                self.inside(of);
                if *op != Each::Map && body.ty == Ty::Bool {
                    self.add(What::Item, body);
                } else {
                    self.inside(body);
                }
            }
            Node::If(test, yes, no) => {
                self.add(What::Choice, test);
                self.inside(yes);
                self.inside(no);
            }
            Node::Switch(of, arms, rest) => {
                self.inside(of);
                for arm in arms {
                    if let Some(g) = &arm.guard {
                        self.add(What::Choice, g);
                    }
                    self.inside(&arm.then);
                }
                self.inside(rest);
            }
            _ => e.parts(&mut |x| self.inside(x)),
        }
    }

    fn unit(self, name: String, library: bool, file: FileId) -> Unit {
        let mut clauses: Vec<Seen> = self.clauses.into_iter().map(|clause| Seen { clause, held: 0, failed: 0 }).collect();
        clauses.sort_by_key(|s| (s.clause.span, s.clause.key));
        let mut left_out = self.left_out;
        left_out.sort();
        left_out.dedup();
        Unit { name, library, file, clauses, left_out }
    }
}

/// Whether an expression looks at nothing of the incident.
fn constant(e: &Expr) -> bool {
    match &e.node {
        Node::Const(_) => true,
        Node::Local(_) | Node::Incident | Node::Alerts | Node::Collection(_) => false,
        Node::Binding(_, body) => constant(body),
        Node::Clause(c, args) => args.is_empty() && constant(&c.body),
        // What takes nothing looks around by itself, as `now()` does.
        Node::Call(_, args) if args.is_empty() => false,
        // A named list is constant, but what is looked up in it mostly is not.
        _ => {
            let mut all = true;
            e.parts(&mut |x| all &= constant(x));
            all
        }
    }
}
