//! What can be known about playbooks without an incident, beyond what keeps them from loading: each idea in a file of its own.

mod always;
mod cards;
mod hunts;
mod logic;
mod pattern;
mod unused;
mod upkeep;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::set::{Playbook, PlaybookSet, QueryPart, Target};
use super::yaml::{self, Node};
use crate::diag::{Diagnostic, Fix};
use crate::model::Time;
use crate::script::template::{Part, Template};
use crate::script::{Condition, Expr};
use crate::source::{FileId, Span};

/// What is probably not meant, and what should be looked after, in the files of a set; sorted by place. What ships is spoken
/// of only where it stands alone: an author cannot mend it. `today` is the day against which exceptions are held.
pub fn lint(set: &PlaybookSet, today: Time) -> Vec<Diagnostic> {
    let files = Files::of(set);
    let mut out = Vec::new();
    unused::lint(&files, &mut out);
    always::lint(&files, &mut out);
    words::lint(&files, &mut out);
    cards::lint(&files, &mut out);
    hunts::lint(&files, &mut out);
    upkeep::lint(&files, today, &mut out);
    let theirs = |f: FileId| set.sources.get(f).is_none_or(|f| !f.path.starts_with("<shipped>/"));
    if set.sources.iter().any(|(f, _)| theirs(f)) {
        out.retain(|d| d.labels.first().is_none_or(|l| theirs(l.span.file)));
    }
    crate::diag::sort_in(&mut out, &set.sources);
    out
}

/// The set, with the trees of its files.
struct Files<'s> {
    set: &'s PlaybookSet,
    trees: BTreeMap<FileId, Node>,
}

impl<'s> Files<'s> {
    fn of(set: &'s PlaybookSet) -> Self {
        // What does not parse was reported when the set was compiled.
        let trees = set.sources.iter().filter_map(|(id, file)| Some((id, yaml::parse(id, file, &mut Vec::new())?))).collect();
        Self { set, trees }
    }

    /// The tree of the file that a place is in.
    fn tree(&self, at: Span) -> Option<&Node> {
        self.trees.get(&at.file)
    }

    /// What the file that a place is in is: its first key.
    fn kind(&self, at: Span) -> &str {
        self.tree(at).and_then(|t| t.entries().first()).and_then(|(k, _)| k.scalar()).map_or("", |s| &s.text)
    }

    /// The key and value that declare what stands at a place: the place is that of the key.
    fn entry(&self, at: Span) -> Option<(&Node, &Node)> {
        fn find(node: &Node, at: Span) -> Option<(&Node, &Node)> {
            node.entries()
                .iter()
                .find_map(|(k, v)| if k.span == at { Some((k, v)) } else { find(v, at) })
                .or_else(|| node.items().iter().find_map(|i| find(i, at)))
        }
        find(self.tree(at)?, at)
    }

    /// The map that holds the text at a place under the key.
    fn holder(&self, key: &str, at: Span) -> Option<&Node> {
        fn find<'n>(node: &'n Node, key: &str, at: Span) -> Option<&'n Node> {
            if node.get(key).is_some_and(|v| v.span == at) {
                return Some(node);
            }
            node.entries().iter().map(|(_, v)| v).chain(node.items()).find_map(|v| find(v, key, at))
        }
        find(self.tree(at)?, key, at)
    }

    /// A change that takes an entry of a map out, with the remarks above it; only where it has lines of its own.
    fn without(&self, at: Span, title: String) -> Option<Fix> {
        let file = self.set.sources.get(at.file)?;
        let (key, value) = self.entry(at)?;
        let start = file.text.get(..key.span.start as usize)?.rfind('\n').map_or(0, |n| n.saturating_add(1));
        let indent = file.text.get(start..key.span.start as usize)?;
        if !indent.trim().is_empty() {
            return None;
        }
        let written = file.text.get(key.span.start as usize..value.span.end as usize)?.trim_end().len();
        let end = (key.span.start as usize).saturating_add(written);
        let rest = file.text.get(end..)?;
        let (line, _) = rest.split_once('\n').unwrap_or((rest, ""));
        if !(line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return None;
        }
        let end = end.saturating_add(line.len()).saturating_add(1).min(file.text.len());
        let mut from = start;
        while let Some(above) = file.text.get(..from.saturating_sub(1)) {
            let line = above.rfind('\n').map_or(0, |n| n.saturating_add(1));
            let text = above.get(line..).unwrap_or("");
            if from == 0 || !text.strip_prefix(indent).is_some_and(|t| t.starts_with('#')) {
                break;
            }
            from = line;
        }
        Some(Fix { title, edits: vec![(Span::new(at.file, from, end), String::new())], safe: true })
    }

    /// The playbooks' expressions, sentences left out; what several share, a library, once.
    fn everywhere(&self) -> Vec<&'s Expr> {
        let mut all: Vec<&Expr> = Vec::new();
        for p in &self.set.playbooks {
            all.extend(p.bindings.values().map(|b| &**b));
            for c in p.conditions.values() {
                all.push(&c.body);
                all.extend(c.pass.iter().chain(&c.fail).flat_map(values));
            }
            all.extend(roots(p));
        }
        for a in self.set.actions.values() {
            all.extend(a.never.iter().map(|g| &g.test).chain(a.done_when.iter()));
            all.extend(a.never.iter().flat_map(|g| values(&g.why)));
        }
        for s in &self.set.signals {
            all.extend(s.rules.iter().filter_map(|r| r.test.as_ref()).chain(s.says.iter().filter_map(|s| s.test.as_ref())));
        }
        all.extend(self.set.types.iter().flat_map(|t| &t.rules).filter_map(|r| r.test.as_ref()));
        let mut seen = BTreeSet::new();
        all.retain(|e| seen.insert(e.span));
        all
    }
}

/// The expressions of a playbook that decide and say something: arms, cards, hunts with their sentences.
fn roots(p: &Playbook) -> Vec<&Expr> {
    let mut all: Vec<&Expr> = Vec::new();
    for a in &p.triage {
        all.extend(a.when.iter().chain(values(&a.why)));
    }
    for c in &p.cards {
        all.extend(target(&c.target).into_iter().chain(&c.when).chain(values(&c.why)));
        all.extend(c.title.iter().flat_map(values));
    }
    for h in p.hunts.values() {
        all.extend(values(&h.title));
        all.extend(h.parts.iter().filter_map(|part| match part {
            QueryPart::Literal(e, _) => Some(&**e),
            QueryPart::Text(_) => None,
        }));
    }
    all
}

/// The list that a card goes through.
fn target(t: &Target) -> Option<&Expr> {
    match t {
        Target::Incident => None,
        Target::Each(_, list) | Target::All(_, list) => Some(list),
    }
}

/// The values of a sentence.
fn values(t: &Template) -> impl Iterator<Item = &Expr> {
    t.parts.iter().filter_map(|p| match p {
        Part::Value(e) => Some(&**e),
        Part::Text(_) => None,
    })
}

/// Looks at an expression and what it is made of, as it is written.
fn walk<'e>(e: &'e Expr, look: &mut dyn FnMut(&'e Expr)) {
    look(e);
    e.parts(&mut |x| walk(x, look));
}

/// What a condition's expression and its sentences are.
fn spoken(c: &Condition) -> impl Iterator<Item = &Expr> {
    [&c.body].into_iter().chain(c.pass.iter().chain(&c.fail).flat_map(values))
}
