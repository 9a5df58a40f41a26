//! The libraries and playbooks of a compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalogue::{Base, Moved, Part, declared};
use super::declare::Things;
use super::files::Files;
use super::memory::Memory;
use super::work::{World, worked};
use crate::diag::{Diagnostic, Severity};
use crate::playbook::book;
use crate::playbook::later::{later, now};
use crate::playbook::names::Declared;
use crate::playbook::read::Reader;
use crate::playbook::scope::{self, Around, Library};
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
    libraries: BTreeMap<Arc<str>, Part<Option<Library>>>,
    books: BTreeMap<Arc<str>, Book>,
    /// The index of the last set, as long as the same playbooks load.
    index: Option<Arc<Index>>,
    /// Those that are others than in that index, as they were.
    moved: Vec<Arc<Playbook>>,
}

impl Books {
    pub fn wrong(&self) -> impl Iterator<Item = &Diagnostic> {
        self.libraries.values().flat_map(|l| &l.wrong).chain(self.books.values().flat_map(|b| &b.part.wrong))
    }

    /// Those that load, by id.
    pub fn playbooks(&self) -> Vec<Arc<Playbook>> {
        self.books.values().filter_map(|b| b.part.made.clone()).collect()
    }

    /// Which words lead to them; `playbooks` are those that load.
    pub fn index(&mut self, playbooks: &[Arc<Playbook>]) -> Arc<Index> {
        let moved = std::mem::take(&mut self.moved);
        let index = self.index.get_or_insert_with(|| Arc::new(Index::build(playbooks)));
        for old in moved {
            let n = playbooks.binary_search_by(|p| p.id.cmp(&old.id));
            if let Some((n, new)) = n.ok().and_then(|n| Some((n, playbooks.get(n)?))) {
                // The set before may still be in use.
                Arc::make_mut(index).change(n, &old, new);
            }
        }
        index.clone()
    }

    /// Compiles what changed, and what builds on it.
    pub fn update(&mut self, world: &World<'_>, base: &Base, moved: Moved, memory: &mut Memory) {
        let World { files, things, questions, workers } = *world;
        let news = self.update_libraries(world, base, moved.names, memory);
        for (kind, id) in &things.dirty {
            if *kind == "playbook"
                && things.get(&(kind, id.clone())).is_none()
                && let Some(old) = self.books.remove(id)
            {
                old.part.forget(memory);
                self.index = None;
            }
        }
        let there = |kind: &str| -> BTreeSet<Arc<str>> { things.of(kind).map(|(id, _)| id.clone()).collect() };
        let around = Arc::new(Around {
            names: base.names.clone(),
            actions: base.actions.made.clone(),
            declared_actions: there("actions"),
            types: there("incident_types"),
            libraries: self.libraries.iter().filter_map(|(id, l)| Some((id.clone(), l.made.clone()?))).collect(),
        });
        let ids: BTreeSet<&Arc<str>> = if moved.names || moved.rest {
            things.of("playbook").map(|(id, _)| id).collect()
        } else {
            // One that names a library which is not there is told which other one may be meant.
            let lost = |b: &Book| b.uses.iter().any(|u| news.contains(u) || !around.libraries.contains_key(u));
            let users = self.books.iter().filter(|(_, b)| !news.is_empty() && lost(b)).map(|(id, _)| id);
            let dirty = things.dirty.iter().filter(|(kind, _)| *kind == "playbook").map(|(_, id)| id);
            dirty.chain(users).collect()
        };
        let jobs: Vec<Declared<'_>> = ids.into_iter().filter_map(|id| declared(files, (id, things.get(&("playbook", id.clone()))?))).collect();
        let plain_base = things.of("library").chain(things.of("actions")).all(|(_, t)| t.kept(files).is_some());
        let made = worked(workers, jobs.len(), |n| {
            let d = jobs.get(n)?;
            let thing = things.get(&("playbook", d.id.as_str().into()))?;
            // What an overlay changes is kept as it was, for the case that it does not load any more.
            let plain = thing.changed.as_ref().and_then(|_| files.node(&thing.base)).filter(|n| *n != d.node);
            Some(Part::of(files, questions, |reader, questions| {
                let Some(kept) = &d.kept else { return made(reader, d, plain, &around, questions).map(Arc::new) };
                if plain_base || builds_on_what_ships(kept.node()?, files, things) {
                    return Some(Arc::new(book::shipped(reader, d, kept.clone(), &around, questions)));
                }
                let whole = Declared { id: d.id.clone(), id_span: d.id_span, node: kept.node()?, kept: None };
                made(reader, &whole, plain, &around, questions).map(Arc::new)
            }))
        });
        for (d, part) in jobs.iter().zip(made) {
            let Some(part) = part.flatten() else { continue };
            let book = self.books.entry(d.id.as_str().into()).or_default();
            book.uses = used(d.node);
            match (&book.part.made, &part.made) {
                (Some(old), Some(_)) => self.moved.push(old.clone()),
                (None, None) => {}
                _ => self.index = None,
            }
            book.part.put(part, memory);
        }
    }

    /// Compiles libraries; says which are others than before.
    fn update_libraries(&mut self, world: &World<'_>, base: &Base, all: bool, memory: &mut Memory) -> BTreeSet<Arc<str>> {
        let World { files, things, questions, .. } = *world;
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
            part.make(files, questions, memory, |reader, questions| {
                Some(Arc::new(match d.kept {
                    Some(kept) => {
                        let (names, mut questions) = (base.names.clone(), questions.later());
                        later(move || kept.node().map(|n| scope::library(&mut Reader::quiet(), n, &names, &mut questions)).unwrap_or_default())
                    }
                    None => now(scope::library(reader, d.node, &base.names, questions)),
                }))
            });
        }
        news
    }
}

/// Whether the libraries and actions that a playbook names are as they ship. What else it builds on (lists, signals,
/// incident types) it names alone, and the names that ship are there whatever else there is.
fn builds_on_what_ships(node: &Node, files: &Files, things: &Things) -> bool {
    let ships = |kind: &'static str, id: Arc<str>| things.get(&(kind, id)).is_some_and(|t| t.kept(files).is_some());
    let cards = ["containment", "investigation", "remediation"].into_iter().filter_map(|k| node.get(k)).flat_map(Node::items);
    used(node).into_iter().all(|id| ships("library", id)) && cards.filter_map(|c| c.get("action")?.scalar()).all(|s| ships("actions", s.text.clone()))
}

/// A playbook, if nothing is wrong with it. If the fault is an overlay's, that is told, and the playbook stays as its author
/// wrote it.
fn made(reader: &mut Reader<'_>, d: &Declared<'_>, plain: Option<&Node>, around: &Around, questions: &mut Questions) -> Option<Playbook> {
    let faulty = |out: &[Diagnostic]| out.iter().any(|d| d.severity == Severity::Error);
    let made = book::compile(reader, d, around, questions);
    if !faulty(&reader.out) {
        return Some(made);
    }
    let plain = Declared { node: plain?, id: d.id.clone(), id_span: d.id_span, kept: None };
    let mut quiet = Reader { sources: reader.sources, out: Vec::new() };
    let made = book::compile(&mut quiet, &plain, around, questions);
    (!faulty(&quiet.out)).then_some(made)
}

/// The libraries that a playbook names.
fn used(node: &Node) -> Vec<Arc<str>> {
    let Some(node) = node.get("use") else { return Vec::new() };
    node.scalar().into_iter().chain(node.items().iter().filter_map(Node::scalar)).map(|s| s.text.clone()).collect()
}
