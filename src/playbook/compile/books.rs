//! The libraries and playbooks of a compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalogue::{Base, Moved, Part, declared};
use super::declare::Things;
use super::files::Files;
use super::memory::Memory;
use crate::diag::{Diagnostic, Severity};
use crate::playbook::book;
use crate::playbook::names::Declared;
use crate::playbook::read::Reader;
use crate::playbook::scope::{self, Around, Scope};
use crate::playbook::set::{Index, Playbook};
use crate::playbook::yaml::Node;
use crate::script::Questions;

/// A playbook, and which libraries it names.
#[derive(Default)]
struct Book {
    part: Part<Option<Arc<Playbook>>>,
    uses: Vec<Arc<str>>,
}

/// All libraries and playbooks, by id.
#[derive(Default)]
pub(super) struct Books {
    libraries: BTreeMap<Arc<str>, Part<Scope>>,
    books: BTreeMap<Arc<str>, Book>,
    /// The index of the last set, as long as it holds.
    index: Option<Arc<Index>>,
}

impl Books {
    pub fn wrong(&self) -> impl Iterator<Item = &Diagnostic> {
        self.libraries.values().flat_map(|l| &l.wrong).chain(self.books.values().flat_map(|b| &b.part.wrong))
    }

    /// Those that load, by id.
    pub fn playbooks(&self) -> Vec<Arc<Playbook>> {
        self.books.values().filter_map(|b| b.part.made.clone()).collect()
    }

    /// Which words lead to them.
    pub fn index(&mut self) -> Arc<Index> {
        if self.index.is_none() {
            self.index = Some(Arc::new(Index::build(&self.playbooks())));
        }
        self.index.clone().unwrap_or_default()
    }

    /// Compiles what changed, and what builds on it.
    pub fn update(&mut self, files: &Files, things: &Things, base: &Base, moved: Moved, questions: &mut Questions, memory: &mut Memory) {
        let news = self.update_libraries(files, things, base, moved.names, questions, memory);
        for (kind, id) in &things.dirty {
            if *kind == "playbook"
                && things.get(&(kind, id.clone())).is_none()
                && let Some(old) = self.books.remove(id)
            {
                old.part.forget(memory);
                self.index = None;
            }
        }
        let there = |kind: &str| -> BTreeSet<&str> { things.of(kind).map(|(id, _)| &**id).collect() };
        let (declared_actions, types) = (there("actions"), there("incident_types"));
        let libraries: BTreeMap<&str, &Scope> = self.libraries.iter().map(|(id, l)| (&**id, &l.made)).collect();
        let around =
            Around { names: &base.names, actions: &base.actions.made, declared_actions: &declared_actions, types: &types, libraries: &libraries };
        let ids: BTreeSet<Arc<str>> = if moved.names || moved.rest {
            things.of("playbook").map(|(id, _)| id.clone()).collect()
        } else {
            // One that names a library which is not there is told which other one may be meant.
            let lost = |b: &Book| b.uses.iter().any(|u| news.contains(u) || !libraries.contains_key(&**u));
            let users = self.books.iter().filter(|(_, b)| !news.is_empty() && lost(b)).map(|(id, _)| id);
            things.dirty.iter().filter(|(kind, _)| *kind == "playbook").map(|(_, id)| id).chain(users).cloned().collect()
        };
        let mut compile = |id: &Arc<str>| {
            let Some(thing) = things.get(&("playbook", id.clone())) else { return };
            let Some(d) = declared(files, (id, thing)) else { return };
            let book = self.books.entry(id.clone()).or_default();
            book.uses = used(d.node);
            let before = book.part.made.take();
            // What an overlay changes is kept as it was, for the case that it does not load any more.
            let plain = thing.changed.as_ref().and_then(|_| files.node(&thing.base)).filter(|n| *n != d.node);
            book.part.make(files, questions, memory, |reader, questions| made(reader, &d, plain, &around, questions).map(Arc::new));
            let kept = match (&before, &book.part.made) {
                (Some(a), Some(b)) => a.matching == b.matching,
                (None, None) => true,
                _ => false,
            };
            if !kept {
                self.index = None;
            }
        };
        ids.iter().for_each(&mut compile);
    }

    /// Compiles libraries; says which are others than before.
    fn update_libraries(
        &mut self,
        files: &Files,
        things: &Things,
        base: &Base,
        all: bool,
        questions: &mut Questions,
        memory: &mut Memory,
    ) -> BTreeSet<Arc<str>> {
        let mut news = BTreeSet::new();
        for (kind, id) in &things.dirty {
            if *kind == "library" {
                news.insert(id.clone());
                if things.get(&(kind, id.clone())).is_none()
                    && let Some(old) = self.libraries.remove(id)
                {
                    old.forget(memory);
                }
            }
        }
        for (id, thing) in things.of("library").filter(|(id, _)| all || news.contains(*id)) {
            let Some(d) = declared(files, (id, thing)) else { continue };
            let part = self.libraries.entry(id.clone()).or_default();
            part.make(files, questions, memory, |reader, questions| scope::library(reader, d.node, &base.names, questions));
        }
        news
    }
}

/// A playbook, if nothing is wrong with it. If the fault is an overlay's, that is told, and the playbook stays as its author
/// wrote it.
fn made(reader: &mut Reader<'_>, d: &Declared<'_>, plain: Option<&Node>, around: &Around<'_>, questions: &mut Questions) -> Option<Playbook> {
    let faulty = |out: &[Diagnostic]| out.iter().any(|d| d.severity == Severity::Error);
    if let Some(made) = book::compile(reader, d, around, questions).filter(|_| !faulty(&reader.out)) {
        return Some(made);
    }
    let plain = Declared { node: plain?, id: d.id.clone(), id_span: d.id_span };
    let mut quiet = Reader { sources: reader.sources, out: Vec::new() };
    book::compile(&mut quiet, &plain, around, questions).filter(|_| !faulty(&quiet.out))
}

/// The libraries that a playbook names.
fn used(node: &Node) -> Vec<Arc<str>> {
    let Some(node) = node.get("use") else { return Vec::new() };
    node.scalar().into_iter().chain(node.items().iter().filter_map(Node::scalar)).map(|s| s.text.clone()).collect()
}
