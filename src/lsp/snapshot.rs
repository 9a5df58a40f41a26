//! What all files say together at one moment: the compiled set, the trees, the names, and what is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cursor::Cursor;
use super::mentions::{self, Mention, Names};
use crate::diag::Diagnostic;
use crate::model::Kinds;
use crate::playbook::holds::Of;
use crate::playbook::speech::Speech;
use crate::playbook::yaml::{self, Node};
use crate::playbook::{Compiler, Input, PlaybookSet, findings};
use crate::source::{FileId, SourceFile, Span};

/// A file with what is read from it.
#[derive(Debug)]
pub struct File {
    /// Its tree; nothing while it is not YAML.
    pub tree: Option<Node>,
    /// What it declares and asks for; of the last time that it was YAML.
    pub names: Names,
}

/// Everything at one moment.
#[derive(Default)]
pub struct Snapshot {
    compiler: Compiler,
    /// The compiled set.
    pub set: Arc<PlaybookSet>,
    /// The files of the set.
    pub files: BTreeMap<FileId, Arc<File>>,
    /// The files of the set by path.
    pub paths: BTreeMap<Arc<str>, FileId>,
    /// What is wrong, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// The last tree of each file that is no YAML at the moment.
    pub good: BTreeMap<Arc<str>, Arc<File>>,
}

/// Something that has a name: what it is, the file that it belongs to where names are a file's own, and the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thing {
    /// What it is, as a number that orders.
    of: u8,
    /// First key and id of the file that it belongs to.
    home: Option<(Arc<str>, Arc<str>)>,
    /// The name.
    pub name: Arc<str>,
}

impl Thing {
    /// The same sort of thing under another name.
    pub fn called(&self, name: &str) -> Self {
        Self { name: name.into(), ..self.clone() }
    }
}

impl Snapshot {
    /// Takes in the files as they are now.
    pub fn renew(&mut self, inputs: &[Input]) {
        let set = self.compiler.compile(inputs);
        let mut files = BTreeMap::new();
        let mut paths = BTreeMap::new();
        for (id, file) in set.sources.iter() {
            paths.insert(file.path.clone(), id);
            let same = self.files.get(&id).filter(|_| self.set.sources.get(id).is_some_and(|old| old.path == file.path && old.text == file.text));
            let made = match same {
                Some(known) => known.clone(),
                None => self.read(id, file),
            };
            if made.tree.is_some() {
                self.good.insert(file.path.clone(), made.clone());
            }
            files.insert(id, made);
        }
        self.good.retain(|path, _| paths.contains_key(path));
        self.diagnostics = findings(&set, crate::runtime::today());
        self.set = set;
        self.files = files;
        self.paths = paths;
    }

    fn read(&self, id: FileId, file: &SourceFile) -> Arc<File> {
        let tree = yaml::parse(id, file, &mut Vec::new());
        let names = tree.as_ref().map(mentions::names).unwrap_or_default();
        Arc::new(File { tree, names })
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<(FileId, &Arc<File>, &SourceFile)> {
        let id = *self.paths.get(path)?;
        Some((id, self.files.get(&id)?, self.set.sources.get(id)?))
    }

    /// Every name of every file.
    pub fn mentions(&self) -> impl Iterator<Item = (FileId, &Arc<File>, &Mention)> {
        self.files.iter().flat_map(|(id, f)| f.names.all.iter().map(move |m| (*id, f, m)))
    }

    /// The ids of this sort that any file declares, in order, each once.
    pub fn declared(&self, of: Of) -> Vec<Arc<str>> {
        let mut all: Vec<Arc<str>> = self.mentions().filter(|(_, _, m)| m.declares && m.of == of).map(|(_, _, m)| m.name.clone()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// What a name means in a file.
    pub fn thing(&self, names: &Names, m: &Mention) -> Thing {
        Thing { of: m.of as u8, home: if mentions::local(m.of) { self.home(names, m) } else { None }, name: m.name.clone() }
    }

    fn home(&self, names: &Names, m: &Mention) -> Option<(Arc<str>, Arc<str>)> {
        if &*names.kind == "overlay" {
            let (of, start) = mentions::thing(&names.id);
            let kind = if of == Of::Library { "library" } else { "playbook" };
            return Some((kind.into(), names.id.get(start..).unwrap_or("").into()));
        }
        if m.of == Of::Binding && !names.own.contains(&m.name) {
            let declares = |id: &&Arc<str>| self.library(id).is_some_and(|f| f.names.own.contains(&m.name));
            if let Some(library) = names.uses.iter().find(declares) {
                return Some(("library".into(), library.clone()));
            }
        }
        Some((names.kind.clone(), names.id.clone()))
    }

    /// The file of a library; of several the last, which overrides the others.
    pub fn library(&self, id: &str) -> Option<&Arc<File>> {
        let all = self.files.iter().filter(|(_, f)| &*f.names.kind == "library" && &*f.names.id == id);
        all.max_by_key(|(id, _)| self.set.sources.rank(**id)).map(|(_, f)| f)
    }

    /// The name at a byte of a file, and what it means.
    pub fn at(&self, file: &File, byte: usize) -> Option<(Thing, Mention)> {
        let byte = u32::try_from(byte).unwrap_or(u32::MAX);
        let m =
            file.names.all.iter().filter(|m| m.span.start <= byte && byte <= m.span.end).min_by_key(|m| m.span.end.saturating_sub(m.span.start))?;
        Some((self.thing(&file.names, m), m.clone()))
    }

    /// Every place that names a thing; those that declare it first.
    pub fn named(&self, thing: &Thing) -> Vec<Mention> {
        let mut all: Vec<Mention> = self
            .mentions()
            .filter(|(_, f, m)| m.name == thing.name && m.of as u8 == thing.of && self.thing(&f.names, m) == *thing)
            .map(|(_, _, m)| m.clone())
            .collect();
        all.sort_by_key(|m| (!m.declares, m.span));
        all
    }

    /// Whether a file ships with the program.
    pub fn ships(&self, span: Span) -> bool {
        self.set.sources.get(span.file).is_none_or(|f| f.path.starts_with('<'))
    }

    /// What the expressions of a tree can speak of.
    pub fn speech(&self, tree: &Node) -> Speech {
        let library = |id: &str| self.library(id).and_then(|f| f.tree.as_ref());
        Speech::of(&self.set, self.declared(Of::Signal).into_iter(), tree, &library)
    }

    /// What the expressions at a cursor can speak of: what its own text says, or where that could only be read in part,
    /// what the file said when it was last whole.
    pub fn speech_at(&self, cursor: &Cursor, path: &str) -> Speech {
        let whole = if cursor.partial { self.good.get(path).and_then(|f| f.tree.as_ref()) } else { None };
        self.speech(whole.unwrap_or(&cursor.tree))
    }

    /// The kinds that an action applies to.
    pub fn action_kinds(&self, id: &str) -> Option<Kinds> {
        self.set.actions.get(id).map(|a| a.kinds)
    }
}
