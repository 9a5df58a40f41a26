//! The catalogue of a compiler: what playbooks build on, made again part by part.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::declare::{Thing, Things};
use super::files::Files;
use super::memory::Memory;
use crate::diag::Diagnostic;
use crate::playbook::catalogue::Catalogue;
use crate::playbook::names::{Declared, Names};
use crate::playbook::read::Reader;
use crate::playbook::set::{Action, IncidentType, Permissions, Signal};
use crate::script::expr::MemoId;
use crate::script::{NamedList, Questions};

/// Something compiled, what is wrong with it, and the places for answers that it uses.
#[derive(Default)]
pub(super) struct Part<T> {
    pub made: T,
    pub wrong: Vec<Diagnostic>,
    asked: Vec<MemoId>,
}

impl<T> Part<T> {
    /// Compiles something.
    pub fn of(files: &Files, questions: &Questions, work: impl FnOnce(&mut Reader<'_>, &mut Questions) -> T) -> Self {
        let mut reader = Reader { sources: &files.sources, out: Vec::new() };
        let mut questions = questions.again();
        let made = work(&mut reader, &mut questions);
        Self { made, wrong: reader.out, asked: questions.take_asked() }
    }

    /// Takes the place of what it was.
    pub fn put(&mut self, new: Self, memory: &mut Memory) {
        memory.swap(&self.asked, &new.asked);
        *self = new;
    }

    /// Compiles it again.
    pub fn make(&mut self, files: &Files, questions: &Questions, memory: &mut Memory, work: impl FnOnce(&mut Reader<'_>, &mut Questions) -> T) {
        self.put(Self::of(files, questions, work), memory);
    }

    /// It is not there any more.
    pub fn forget(&self, memory: &mut Memory) {
        memory.swap(&self.asked, &[]);
    }
}

/// What all playbooks build on.
#[derive(Default)]
pub(super) struct Base {
    pub names: Arc<Names>,
    pub lists: Part<Vec<Arc<NamedList>>>,
    pub signals: Part<Vec<Arc<Signal>>>,
    pub actions: Part<BTreeMap<Arc<str>, Arc<Action>>>,
    pub types: Part<Vec<Arc<IncidentType>>>,
    pub permissions: Part<Arc<Permissions>>,
    /// Whether a file of permissions changed.
    pub permissions_dirty: bool,
}

/// What changed for those that build on it.
#[derive(Clone, Copy)]
pub(super) struct Moved {
    /// Which lists and signals there are.
    pub names: bool,
    /// More than that: which incident types there are, or an action.
    pub rest: bool,
}

/// A thing as it is compiled.
pub(super) fn declared<'t>(files: &'t Files, (id, thing): (&Arc<str>, &'t Thing)) -> Option<Declared<'t>> {
    let kept = thing.kept(files);
    let node = if kept.is_some() { files.head(&thing.base) } else { thing.node(files) };
    Some(Declared { id: id.to_string(), id_span: thing.base.id_span, node: node?, kept })
}

impl Base {
    pub fn wrong(&self) -> impl Iterator<Item = &Diagnostic> {
        [&self.lists.wrong, &self.signals.wrong, &self.actions.wrong, &self.types.wrong, &self.permissions.wrong].into_iter().flatten()
    }

    /// Compiles what changed, and what builds on it.
    pub fn update(&mut self, files: &Files, things: &Things, questions: &Questions, memory: &mut Memory) -> Moved {
        let all = |kind: &str| -> Vec<Declared<'_>> { things.of(kind).filter_map(|t| declared(files, t)).collect() };
        let mut moved = Moved { names: false, rest: false };
        if things.any_dirty("lists") {
            self.lists.make(files, questions, memory, |reader, questions| shared(Catalogue { reader, questions }.lists(&all("lists"))));
            let lists: BTreeMap<Arc<str>, u32> = self.lists.made.iter().map(|l| l.id.clone()).zip(0u32..).collect();
            moved.names |= lists != self.names.lists;
            Arc::make_mut(&mut self.names).lists = lists;
        }
        if things.any_dirty("signals") {
            let signals = things.of("signals").map(|(id, _)| id.clone()).collect();
            moved.names |= signals != self.names.signals;
            Arc::make_mut(&mut self.names).signals = signals;
        }
        let names = &self.names;
        if moved.names || things.any_dirty("signals") {
            self.signals.make(files, questions, memory, |reader, questions| shared(Catalogue { reader, questions }.signals(&all("signals"), names)));
        }
        if moved.names || things.any_dirty("actions") {
            moved.rest = true;
            self.actions.make(files, questions, memory, |reader, questions| Catalogue { reader, questions }.actions(&all("actions"), names));
        }
        if moved.names || things.any_dirty("incident_types") {
            let ids = |made: &[Arc<IncidentType>]| -> Vec<Arc<str>> { made.iter().map(|t| t.id.clone()).collect() };
            let before = ids(&self.types.made);
            self.types
                .make(files, questions, memory, |reader, questions| shared(Catalogue { reader, questions }.types(&all("incident_types"), names)));
            moved.rest |= before != ids(&self.types.made);
        }
        if std::mem::take(&mut self.permissions_dirty) {
            self.permissions.make(files, questions, memory, |reader, questions| {
                let mut made = Permissions::default();
                for tree in files.iter().filter(|(_, f)| f.says.permissions).filter_map(|(_, f)| f.whole()) {
                    Catalogue { reader, questions }.permissions(tree, &mut made);
                }
                Arc::new(made)
            });
        }
        moved
    }
}

fn shared<T>(all: Vec<T>) -> Vec<Arc<T>> {
    all.into_iter().map(Arc::new).collect()
}
