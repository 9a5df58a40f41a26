//! From files to a set: which file declares what, in which order things are compiled, and what is skipped. A [`Compiler`]
//! keeps what it made, so that after an edit only what the edit touches is compiled again.

mod books;
mod catalogue;
mod changes;
mod declare;
mod files;
mod memory;
mod report;
mod work;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::limits;
use super::set::PlaybookSet;
use crate::diag::Diagnostic;
use crate::script::Questions;
use crate::source::FileId;
use books::Books;
use catalogue::Base;
use changes::Changes;
use declare::Things;
use files::{File, Files};
use memory::Memory;
pub use work::Workers;
use work::{World, in_turn, worked};

/// A file to be compiled: its name, its text, and the layer it belongs to (a later layer overrides an earlier one).
#[derive(Clone, Debug)]
pub struct Input {
    /// The name shown to people.
    pub path: String,
    /// The text.
    pub text: String,
    /// 0 for what ships, then each folder in turn.
    pub layer: usize,
}

/// Compiles files into a set. What does not load is left out and named; `strict` callers look at `diagnostics`.
pub fn compile(inputs: &[Input]) -> PlaybookSet {
    let mut compiler = Compiler::default();
    compiler.take(inputs);
    compiler.build()
}

/// Compiles one state of some files after another. Each set is what [`compile`] would make of the same files, in
/// everything that can be seen; only what changed since the last one is read and compiled.
///
/// An edit of a playbook compiles that playbook, one of a library the playbooks that use it, one of an overlay what it
/// changes. Other edits compile what they must: new values of a list or words of a signal leave the playbooks alone; a
/// list or signal that comes or goes, and any edit of an action, compiles everything that could have named it.
#[derive(Default)]
pub struct Compiler {
    files: Files,
    things: Things,
    changes: Changes,
    base: Base,
    books: Books,
    questions: Questions,
    memory: Memory,
    /// Files that were put or taken away since the last set.
    touched: BTreeSet<FileId>,
    /// Who does what can be done in any order; one after another if nobody.
    workers: Option<Workers>,
}

impl Compiler {
    /// One that has what can be done in any order done by these workers.
    pub fn on(workers: Workers) -> Self {
        Self { workers: Some(workers), ..Self::default() }
    }

    /// The set of these files and no others.
    pub fn compile(&mut self, inputs: &[Input]) -> Arc<PlaybookSet> {
        self.take(inputs);
        Arc::new(self.build())
    }

    /// The set of the files that were put in.
    pub fn set(&mut self) -> Arc<PlaybookSet> {
        Arc::new(self.build())
    }

    /// Puts a file in, or another text in place of the one with this layer and path; says whether that changes anything.
    pub fn put(&mut self, input: &Input) -> bool {
        self.put_all(&[input]).contains(&true)
    }

    /// Puts files in; says of each whether that changes anything.
    pub fn put_all(&mut self, inputs: &[&Input]) -> Vec<bool> {
        let inputs: Vec<(&Input, usize)> = inputs.iter().map(|i| (*i, 0)).collect();
        self.put_nth(&inputs).into_iter().map(|(_, new)| new).collect()
    }

    /// Takes a file out.
    pub fn remove(&mut self, layer: usize, path: &str) {
        if let Some(id) = self.files.known(layer, path, 0) {
            self.remove_id(id);
        }
    }

    fn take(&mut self, inputs: &[Input]) {
        let mut sorted: Vec<&Input> = inputs.iter().take(limits::FILES).collect();
        sorted.sort_by(|a, b| (a.layer, &a.path).cmp(&(b.layer, &b.path)));
        let mut numbered: Vec<(&Input, usize)> = Vec::with_capacity(sorted.len());
        for input in sorted {
            let same = numbered.last().filter(|(b, _)| b.layer == input.layer && b.path == input.path);
            numbered.push((input, same.map_or(0, |(_, nth)| nth.saturating_add(1))));
        }
        let kept: BTreeSet<FileId> = self.put_nth(&numbered).into_iter().map(|(id, _)| id).collect();
        let gone: Vec<FileId> = self.files.present().filter(|id| !kept.contains(id)).collect();
        for id in gone {
            self.remove_id(id);
        }
    }

    /// Puts files in, each as the one of a number among those with its layer and path.
    fn put_nth(&mut self, inputs: &[(&Input, usize)]) -> Vec<(FileId, bool)> {
        let mut ids = Vec::with_capacity(inputs.len());
        let mut new: Vec<(FileId, &Input)> = Vec::new();
        for (input, nth) in inputs {
            let id = self.files.id(input.layer, &input.path, *nth);
            let other = !self.files.holds(id, &input.text);
            if other {
                self.files.put(id, &input.path, &input.text);
                new.push((id, input));
            }
            ids.push((id, other));
        }
        let files = &self.files;
        let read = worked(self.workers(), new.len(), |n| new.get(n).map(|(id, input)| files.read(*id, input.layer, &input.text)));
        for ((id, _), file) in new.iter().zip(read) {
            let old = self.files.swap(*id, file.flatten());
            self.touch(*id, old);
        }
        ids
    }

    fn workers(&self) -> Workers {
        self.workers.unwrap_or(in_turn)
    }

    fn remove_id(&mut self, id: FileId) {
        if let Some(old) = self.files.remove(id) {
            self.touch(id, Some(old));
        }
    }

    /// Notes what a file declared and declares.
    fn touch(&mut self, id: FileId, old: Option<File>) {
        self.touched.insert(id);
        for file in old.iter().chain(self.files.get(id)) {
            self.base.permissions_dirty |= file.says.permissions;
            self.changes.dirty |= file.says.overlay.is_some();
        }
        for d in old.iter().flat_map(|f| &f.says.things) {
            self.things.withdraw(d);
        }
        for d in self.files.get(id).iter().flat_map(|f| &f.says.things) {
            self.things.declare(d);
        }
    }

    fn build(&mut self) -> PlaybookSet {
        self.files.arrange();
        let most = self.things.dirty.len().saturating_mul(2) > self.things.len();
        if most || self.memory.mostly_stale(self.questions.given_later()) {
            self.things.all_dirty();
            self.questions = Questions::default();
            self.memory = Memory::default();
            self.base = Base { permissions_dirty: true, ..Base::default() };
            self.books = Books::default();
        }
        self.things.settle(&self.files);
        self.changes.apply(&self.files, &mut self.things, &self.touched);
        let world = World { files: &self.files, things: &self.things, questions: &self.questions, workers: self.workers() };
        let moved = self.base.update(&self.files, &self.things, &self.questions, &mut self.memory);
        self.books.update(&world, &self.base, moved, &mut self.memory);
        self.things.dirty.clear();
        self.things.ids_changed = false;
        self.touched.clear();
        let playbooks = self.books.playbooks();
        let index = self.books.index(&playbooks);
        let mut set = PlaybookSet {
            sources: self.files.sources.clone(),
            revision: self.files.revision(),
            lists: self.base.lists.made.clone(),
            signals: self.base.signals.made.clone(),
            actions: self.base.actions.made.clone(),
            types: self.base.types.made.clone(),
            permissions: self.base.permissions.made.clone(),
            playbooks,
            index,
            wording: Arc::default(),
            questions: self.questions.len(),
            diagnostics: self.wrong(),
            skipped: Vec::new(),
        };
        report::finish(&mut set);
        set
    }

    /// What is wrong, in an order that does not depend on which edits led here.
    fn wrong(&self) -> Vec<Diagnostic> {
        let files = self.files.iter().flat_map(|(_, f)| &f.wrong);
        let things = self.things.iter().flat_map(|(_, _, t)| &t.wrong);
        files.chain(things).chain(self.changes.wrong()).chain(self.base.wrong()).chain(self.books.wrong()).cloned().collect()
    }
}
