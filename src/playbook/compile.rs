//! From files to a set: which file declares what, in which order things are compiled, and what is skipped.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::book;
use super::catalogue::Catalogue;
use super::keys;
use super::limits;
use super::names::{Declared, Names};
use super::overlay;
use super::read::Reader;
use super::scope;
use super::set::{Index, PlaybookSet};
use super::yaml::{self, Node};
use crate::diag::{Diagnostic, Severity, codes};
use crate::script::Questions;
use crate::source::{FileId, Scalar, Sources, Span};

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
    let mut sources = Sources::default();
    let mut layers: BTreeMap<FileId, usize> = BTreeMap::new();
    let mut hash = blake3::Hasher::new();
    let mut sorted: Vec<&Input> = inputs.iter().take(limits::FILES).collect();
    sorted.sort_by(|a, b| (a.layer, &a.path).cmp(&(b.layer, &b.path)));
    for input in &sorted {
        let id = sources.add(&input.path, input.text.strip_prefix('\u{feff}').unwrap_or(&input.text));
        layers.insert(id, input.layer);
    }
    let mut texts: Vec<(usize, blake3::Hash)> = sorted.iter().map(|i| (i.layer, blake3::hash(i.text.as_bytes()))).collect();
    // The names and order of files do not matter to an answer, so they do not matter to the revision.
    texts.sort_by(|a, b| (a.0, a.1.as_bytes()).cmp(&(b.0, b.1.as_bytes())));
    for (layer, text) in &texts {
        hash.update(&layer.to_le_bytes()).update(text.as_bytes());
    }
    let mut work = Work { reader: Reader { sources: &sources, out: Vec::new() }, layers, broken: BTreeSet::new() };
    let mut trees: Vec<(FileId, Node)> = Vec::new();
    for (id, file) in sources.iter() {
        match yaml::parse(id, file, &mut work.reader.out) {
            Some(tree) => trees.push((id, tree)),
            None if file.text.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with('#')) => {}
            None => {
                if !work.reader.out.iter().any(|d| d.labels.first().is_some_and(|l| l.span.file == id)) {
                    work.reader.error(codes::YAML, Span::top(id), "the file holds nothing that can be read");
                }
            }
        }
    }
    let mut set = work.build(&trees);
    set.revision = hash.finalize().to_hex().get(..16).unwrap_or("").to_owned();
    let mut out = std::mem::take(&mut work.reader.out);
    crate::diag::sort(&mut out);
    cap(&mut out);
    let broken: BTreeSet<FileId> =
        out.iter().filter(|d| d.severity == Severity::Error).filter_map(|d| d.labels.first()).map(|l| l.span.file).collect();
    set.skipped = broken
        .iter()
        .filter_map(|id| {
            let first = out.iter().find(|d| d.severity == Severity::Error && d.labels.first().is_some_and(|l| l.span.file == *id))?;
            let (line, column) = sources.get(*id).zip(first.labels.first()).map_or((1, 1), |(f, l)| f.line_column(l.span.start));
            Some((sources.get(*id)?.path.to_string(), format!("{}:{line}:{column}: {}", first.code, first.message)))
        })
        .collect();
    set.diagnostics = out;
    set.sources = sources;
    set
}

/// Keeps a hundred diagnostics of each file and counts the rest.
fn cap(out: &mut Vec<Diagnostic>) {
    let mut count: BTreeMap<FileId, usize> = BTreeMap::new();
    let mut over: BTreeMap<FileId, usize> = BTreeMap::new();
    out.retain(|d| {
        let Some(l) = d.labels.first() else { return true };
        let n = count.entry(l.span.file).or_default();
        *n = n.saturating_add(1);
        if *n > limits::FILE_DIAGNOSTICS {
            let o = over.entry(l.span.file).or_default();
            *o = o.saturating_add(1);
        }
        *n <= limits::FILE_DIAGNOSTICS
    });
    for (file, n) in over {
        out.push(Diagnostic::new(codes::LIMIT, Severity::Note, format!("{n} more in this file are not shown")).at(Span::top(file), ""));
    }
}

/// What is declared, by what it is (the first key of its file) and its id.
pub type Things<'t> = BTreeMap<(&'t str, &'t str), Thing<'t>>;

/// A declared thing: as its file says it, or as overlays have changed it.
#[derive(Clone)]
pub struct Thing<'t> {
    file: FileId,
    id_span: Span,
    pub(super) node: Cow<'t, Node>,
}

struct Work<'a> {
    reader: Reader<'a>,
    layers: BTreeMap<FileId, usize>,
    broken: BTreeSet<FileId>,
}

impl Work<'_> {
    fn build(&mut self, trees: &[(FileId, Node)]) -> PlaybookSet {
        // Overlays first: they change trees by id, wherever those stand.
        let (overlays, plain): (Vec<_>, Vec<_>) = trees.iter().partition(|(_, t)| first_key(t) == Some("overlay"));
        let mut things: Things<'_> = BTreeMap::new();
        for (file, tree) in &plain {
            self.declare(*file, tree, &mut things);
        }
        // What an overlay changes is kept as it was, for the case that it does not load any more.
        let before = things.clone();
        for (_, tree) in &overlays {
            overlay::apply(&mut self.reader, tree, &mut things);
        }
        let declared = |kind: &str| -> Vec<Declared<'_>> {
            let of_kind = things.iter().filter(|((k, _), _)| *k == kind);
            of_kind.map(|((_, id), t)| Declared { id: (*id).to_owned(), id_span: t.id_span, node: &t.node }).collect()
        };
        // With files of authors in the set, what ships may have been changed by them: then everything is compiled.
        let shipped = self.layers.values().all(|l| *l == 0);
        let mut questions = Questions::new(shipped);
        let mut set = PlaybookSet::default();
        let (signals, actions, lists, types, libraries, books) =
            (declared("signals"), declared("actions"), declared("lists"), declared("incident_types"), declared("library"), declared("playbook"));
        let mut names = Names { signals: signals.iter().map(|d| Arc::from(d.id.as_str())).collect(), ..Names::default() };
        let mut catalogue = Catalogue { reader: &mut self.reader, questions: &mut questions };
        set.lists = catalogue.lists(&lists);
        names.lists = (0u32..).zip(&set.lists).map(|(n, l)| (l.id.clone(), n)).collect();
        set.signals = catalogue.signals(&signals, &names);
        set.actions = catalogue.actions(&actions, &names);
        set.types = catalogue.types(&types, &names);
        for (_, tree) in &plain {
            if first_key(tree) == Some("permissions") {
                catalogue.permissions(tree, &mut set.permissions);
            }
        }
        let declared_actions: BTreeSet<&str> = actions.iter().map(|d| d.id.as_str()).collect();
        let type_ids: BTreeSet<&str> = types.iter().map(|d| d.id.as_str()).collect();
        let libraries: BTreeMap<&str, scope::Scope> =
            libraries.iter().map(|d| (d.id.as_str(), scope::library(&mut self.reader, d.node, &names, &mut questions))).collect();
        for d in &books {
            let errors = self.errors();
            let around =
                scope::Around { names: &names, actions: &set.actions, declared_actions: &declared_actions, types: &type_ids, libraries: &libraries };
            let mut made = book::compile(&mut self.reader, d, &around, &mut questions).filter(|_| self.errors() == errors);
            if let (None, Some(original)) = (&made, before.get(&("playbook", d.id.as_str())).map(|o| &*o.node).filter(|o| *o != d.node)) {
                // The overlay is told what is wrong with it; the playbook stays as its author wrote it.
                let mut quiet = Reader { sources: self.reader.sources, out: Vec::new() };
                let plain = Declared { node: original, id: d.id.clone(), id_span: d.id_span };
                made =
                    book::compile(&mut quiet, &plain, &around, &mut questions).filter(|_| !quiet.out.iter().any(|d| d.severity == Severity::Error));
            }
            set.playbooks.extend(made.filter(|_| !self.broken.contains(&d.id_span.file)).map(Arc::new));
        }
        set.playbooks.sort_by(|a, b| a.id.cmp(&b.id));
        set.index = Index::build(&set.playbooks);
        set.questions = questions.len();
        set
    }

    fn errors(&self) -> usize {
        self.reader.out.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// What a file declares, by id; a later layer replaces an earlier one, the same layer twice is an error.
    fn declare<'t>(&mut self, file: FileId, tree: &'t Node, things: &mut Things<'t>) {
        let Some(kind) = first_key(tree) else {
            self.reader.error_help(
                codes::FILE_KIND,
                tree.span,
                format!("a file is a map whose first key says what it is; this is {}", tree.what()),
                format!("the first key is one of {}", keys::FILES.join(", ")),
            );
            return;
        };
        if !keys::FILES.contains(&kind) {
            let span = tree.entries().first().map_or(tree.span, |(k, _)| k.span);
            let known = tree.entries().iter().filter_map(|(k, _)| k.scalar()).find(|s| keys::FILES.contains(&&*s.text)).map(|s| s.text.clone());
            let help = match (known, crate::diag::nearest(kind, keys::FILES.iter().copied())) {
                (Some(k), _) => format!("put `{k}:` first"),
                (None, Some(near)) => format!("did you mean `{near}`?"),
                (None, None) => format!("the first key is one of {}", keys::FILES.join(", ")),
            };
            self.reader.error_help(codes::FILE_KIND, span, format!("the first key `{kind}` does not say what the file is"), help);
            return;
        }
        match kind {
            "playbook" | "library" => {
                let Some(id) = tree.get(kind).and_then(|n| self.reader.text(n, "the id")) else { return };
                if self.reader.dotted_id(id) {
                    self.enter(file, kind, id, tree, things);
                }
            }
            "permissions" => {}
            "overlay" => {}
            _ => {
                let table = match kind {
                    "signals" => keys::SIGNALS,
                    "actions" => keys::ACTIONS,
                    "lists" => keys::LISTS,
                    _ => keys::TYPES,
                };
                let fields = self.reader.keys(tree, &format!("a file of {}", kind.replace('_', " ")), table);
                let Some(all) = fields.get(kind) else { return };
                for (id, node) in self.reader.ids(all, &format!("`{kind}`")) {
                    let ok = if kind == "actions" { self.reader.dotted_id(id) } else { self.reader.name_id(id) };
                    if ok {
                        self.enter(file, kind, id, node, things);
                    }
                }
            }
        }
    }

    fn enter<'t>(&mut self, file: FileId, kind: &'t str, id: &'t Scalar, node: &'t Node, things: &mut Things<'t>) {
        let layer = |f: &FileId| self.layers.get(f).copied().unwrap_or(0);
        let key = (kind, &*id.text);
        if let Some(old) = things.get(&key) {
            if layer(&old.file) == layer(&file) {
                self.reader.report(
                    Diagnostic::error(codes::DUPLICATE_ID, id.span, format!("`{}` is declared twice", id.text))
                        .at(old.id_span, "first here")
                        .help("rename one of them"),
                );
                self.broken.insert(file);
                return;
            }
            if !same_text(self.reader.sources, &old.node, node) {
                self.reader.report(
                    Diagnostic::warning(codes::OVERRIDE, id.span, format!("`{}` replaces the one of the same id in an earlier folder", id.text))
                        .at(old.id_span, "this one")
                        .help("if that is not meant, rename it; an `overlay:` changes parts of it"),
                );
            }
        }
        things.insert(key, Thing { file, id_span: id.span, node: Cow::Borrowed(node) });
    }
}

fn same_text(sources: &Sources, a: &Node, b: &Node) -> bool {
    sources.text(a.span) == sources.text(b.span)
}

/// The first key of a tree.
fn first_key(tree: &Node) -> Option<&str> {
    tree.entries().first().and_then(|(k, _)| k.scalar()).map(|s| &*s.text)
}
