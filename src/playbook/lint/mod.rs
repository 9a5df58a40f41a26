//! What can be known about playbooks without an incident, beyond what keeps them from loading: each idea in a file of its own.

mod always;
mod cards;
mod hunts;
mod logic;
mod pattern;
mod unused;
mod upkeep;
mod words;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::set::{Playbook, PlaybookSet, QueryPart, Target};
use super::yaml::{self, Node};
use crate::diag::{Diagnostic, Fix};
use crate::model::Time;
use crate::script::template::{Part, Template};
use crate::script::{Condition, Expr};
use crate::source::{FileId, SourceFile, Span};

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
    out.retain(|d| d.labels.first().is_none_or(|l| files.theirs(l.span)));
    crate::diag::sort_in(&mut out, &set.sources);
    out
}

/// The set, with the trees of its files.
struct Files<'s> {
    set: &'s PlaybookSet,
    /// Read when they are asked for: few are.
    trees: BTreeMap<FileId, OnceCell<Option<Node>>>,
    /// Whether nothing but what ships is there.
    alone: bool,
}

impl<'s> Files<'s> {
    fn of(set: &'s PlaybookSet) -> Self {
        let trees = set.sources.iter().map(|(id, _)| (id, OnceCell::new())).collect();
        Self { set, trees, alone: set.sources.iter().all(|(_, f)| shipped(f)) }
    }

    /// Whether a place is spoken of: what ships is, only where it stands alone.
    fn theirs(&self, at: Span) -> bool {
        self.alone || !self.set.sources.get(at.file).is_some_and(shipped)
    }

    /// The tree of the file that a place is in.
    fn tree(&self, at: Span) -> Option<&Node> {
        let file = self.set.sources.get(at.file)?;
        // What does not parse was reported when the set was compiled.
        self.trees.get(&at.file)?.get_or_init(|| yaml::parse(at.file, file, &mut Vec::new())).as_ref()
    }

    /// The trees of the files that are spoken of, in order.
    fn trees(&self) -> impl Iterator<Item = &Node> {
        self.set.sources.iter().map(|(f, _)| Span::top(f)).filter(|at| self.theirs(*at)).filter_map(|at| self.tree(at))
    }

    /// Whether a place is in a library.
    fn library(&self, at: Span) -> bool {
        let text = self.set.sources.get(at.file).map_or("", |f| &f.text);
        let first = text.lines().find(|l| !(l.trim().is_empty() || l.starts_with(['#', '%', '-'])));
        first.and_then(|l| l.split(':').next()).is_some_and(|key| key.trim_matches(['"', '\'', ' ']) == "library")
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

    /// Every expression that is spoken of, sentences' included; what several share, a library, once.
    fn everywhere(&self) -> Vec<&'s Expr> {
        let mut all = self.shared();
        for p in &self.set.playbooks {
            all.extend(p.bindings.values().map(|b| &**b));
            all.extend(p.conditions.values().flat_map(|c| spoken(c)));
            all.extend(roots(p));
        }
        all.extend(self.set.actions.values().flat_map(|a| &a.never).flat_map(|g| values(&g.why)));
        self.once(all)
    }

    /// The expressions that belong to no playbook: of libraries, actions, signals and types.
    fn shared(&self) -> Vec<&'s Expr> {
        let mut all: Vec<&Expr> = Vec::new();
        for p in &self.set.playbooks {
            for name in p.places.iter().filter(|(_, at)| self.library(**at)).map(|(name, _)| name) {
                all.extend(p.bindings.get(name).map(|b| &**b));
                all.extend(p.conditions.get(name).map(|c| &c.body));
            }
        }
        for a in self.set.actions.values() {
            all.extend(a.never.iter().map(|g| &g.test).chain(a.done_when.iter()));
        }
        for s in &self.set.signals {
            all.extend(s.rules.iter().filter_map(|r| r.test.as_ref()).chain(s.says.iter().filter_map(|s| s.test.as_ref())));
        }
        all.extend(self.set.types.iter().flat_map(|t| &t.rules).filter_map(|r| r.test.as_ref()));
        self.once(all)
    }

    /// Those that are spoken of, each once.
    fn once(&self, mut all: Vec<&'s Expr>) -> Vec<&'s Expr> {
        let mut seen = BTreeSet::new();
        all.retain(|e| self.theirs(e.span) && seen.insert(e.span));
        all
    }
}

/// Whether a file ships with the program.
fn shipped(file: &SourceFile) -> bool {
    super::is_shipped(&file.path)
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
