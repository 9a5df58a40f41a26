//! What a file declares, and which declaration counts where several files declare the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::files::Files;
use crate::diag::{Diagnostic, codes, nearest};
use crate::playbook::keys;
use crate::playbook::mend;
use crate::playbook::names::Kept;
use crate::playbook::overlay;
use crate::playbook::read::Reader;
use crate::playbook::yaml::Node;
use crate::source::{FileId, Scalar, Span};

/// What is declared, by what it is (the first key of its file) and its id.
pub(super) type Key = (&'static str, Arc<str>);

/// A declaration: where its tree is.
#[derive(Clone)]
pub(super) struct Declared {
    pub file: FileId,
    pub kind: &'static str,
    pub id: Arc<str>,
    pub id_span: Span,
    /// Which entry of its file it is; the whole file if none.
    pub entry: Option<usize>,
}

/// What a file is for.
#[derive(Default)]
pub(super) struct Says {
    pub things: Vec<Declared>,
    /// Roles and users.
    pub permissions: bool,
    /// Changes: to what, where that is said.
    pub overlay: Option<Option<Key>>,
}

/// Reads what a file declares; what is wrong with that is reported.
pub(super) fn says(reader: &mut Reader<'_>, tree: &Node) -> Says {
    let mut all = Says::default();
    let Some(first) = tree.entries().first().and_then(|(k, _)| k.scalar()).map(|s| &*s.text) else {
        reader.error_help(
            codes::FILE_KIND,
            tree.span,
            format!("a file is a map whose first key says what it is; this is {}", tree.what()),
            format!("the first key is one of {}", first_keys()),
        );
        return all;
    };
    let Some(keys::FileKind { key: kind, keys: table, .. }) = keys::file(first) else {
        let span = tree.entries().first().map_or(tree.span, |(k, _)| k.span);
        let known = tree.entries().iter().filter_map(|(k, _)| k.scalar()).find(|s| keys::file(&s.text).is_some()).map(|s| s.text.clone());
        let d = Diagnostic::error(codes::FILE_KIND, span, format!("the first key `{first}` does not say what the file is"));
        reader.report(match known {
            Some(k) => mend::put_first(reader.sources, tree, &k).into_iter().fold(d.help(format!("put `{k}:` first")), Diagnostic::fix),
            None => {
                let place = tree.entries().first().and_then(|(k, _)| k.scalar()).map_or(span, Scalar::inner);
                d.did_you_mean(place, nearest(first, keys::first_keys()), format!("the first key is one of {}", first_keys()))
            }
        });
        return all;
    };
    let kind: &'static str = kind;
    let mut enter = |id: &Scalar, entry| {
        all.things.push(Declared { file: id.span.file, kind, id: id.text.clone(), id_span: id.span, entry });
    };
    match kind {
        "playbook" | "library" => {
            let Some(id) = tree.get(kind).and_then(|n| reader.text(n, "the id")) else { return all };
            if reader.dotted_id(id) {
                enter(id, None);
            }
        }
        "permissions" => all.permissions = true,
        "overlay" => {
            let id = tree.get(kind).and_then(Node::scalar).map(|s| &*s.text);
            all.overlay = Some(id.and_then(overlay::named).map(|(kind, id)| (kind, id.into())));
        }
        _ => {
            let fields = reader.keys(tree, &format!("a file of {}", kind.replace('_', " ")), table);
            let Some(node) = fields.get(kind) else { return all };
            let mut entries = node.entries().iter().enumerate();
            for (id, value) in reader.ids(node, format_args!("`{kind}`")) {
                let entry = entries.find(|(_, (_, v))| std::ptr::eq(v, value)).map(|(n, _)| n);
                let ok = if kind == "actions" { reader.dotted_id(id) } else { reader.name_id(id) };
                if ok {
                    enter(id, entry);
                }
            }
        }
    }
    all
}

fn first_keys() -> String {
    keys::first_keys().collect::<Vec<_>>().join(", ")
}

/// A declared thing.
pub(super) struct Thing {
    /// Every declaration of it.
    all: Vec<Declared>,
    /// The one that counts, and its tree as overlays have changed it.
    pub base: Declared,
    pub changed: Option<Arc<Node>>,
    /// What is wrong with its being declared several times.
    pub wrong: Vec<Diagnostic>,
}

impl Thing {
    /// Its tree.
    pub fn node<'t>(&'t self, files: &'t Files) -> Option<&'t Node> {
        self.changed.as_deref().or_else(|| files.node(&self.base))
    }

    /// Its tree to keep, if it is as it ships.
    pub fn kept(&self, files: &Files) -> Option<Kept> {
        files.kept(&self.base).filter(|_| self.changed.is_none())
    }
}

/// All declared things, and what changed since the last set was made.
#[derive(Default)]
pub(super) struct Things {
    things: BTreeMap<&'static str, BTreeMap<Arc<str>, Thing>>,
    /// Things whose tree is another one now, or is gone.
    pub dirty: BTreeSet<Key>,
    /// Whether an id came or went.
    pub ids_changed: bool,
}

impl Things {
    pub fn get(&self, key: &Key) -> Option<&Thing> {
        self.things.get(key.0)?.get(&key.1)
    }

    pub fn get_mut(&mut self, key: &Key) -> Option<&mut Thing> {
        self.things.get_mut(key.0)?.get_mut(&key.1)
    }

    /// The things of a kind, by id.
    pub fn of(&self, kind: &str) -> impl Iterator<Item = (&Arc<str>, &Thing)> {
        self.things.get(kind).into_iter().flatten()
    }

    /// All things.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Arc<str>, &Thing)> {
        self.things.iter().flat_map(|(kind, all)| all.iter().map(|(id, thing)| (*kind, id, thing)))
    }

    pub fn len(&self) -> usize {
        self.things.values().map(BTreeMap::len).sum()
    }

    /// Everything is to be made again.
    pub fn all_dirty(&mut self) {
        let all: Vec<Key> = self.iter().map(|(kind, id, _)| (kind, id.clone())).collect();
        self.dirty.extend(all);
    }

    /// Whether something of this kind changed.
    pub fn any_dirty(&self, kind: &str) -> bool {
        self.dirty.iter().any(|(k, _)| *k == kind)
    }

    /// A file does not declare this any more.
    pub fn withdraw(&mut self, d: &Declared) {
        if let Some(thing) = self.things.get_mut(d.kind).and_then(|all| all.get_mut(&d.id)) {
            thing.all.retain(|x| x.file != d.file);
        }
        self.dirty.insert((d.kind, d.id.clone()));
    }

    /// A file declares this.
    pub fn declare(&mut self, d: &Declared) {
        let thing = self.things.entry(d.kind).or_default().entry(d.id.clone()).or_insert_with(|| {
            self.ids_changed = true;
            Thing { all: Vec::new(), base: d.clone(), changed: None, wrong: Vec::new() }
        });
        thing.all.push(d.clone());
        self.dirty.insert((d.kind, d.id.clone()));
    }

    /// Settles which declarations count, for all that changed. What nobody declares any more goes.
    pub fn settle(&mut self, files: &Files) {
        for (kind, id) in &self.dirty {
            let Some(all) = self.things.get_mut(kind) else { continue };
            let Some(thing) = all.get_mut(id) else { continue };
            if thing.all.is_empty() {
                all.remove(id);
                self.ids_changed = true;
            } else {
                settle(thing, files);
            }
        }
    }
}

/// A later layer replaces an earlier one; the same layer twice is an error.
fn settle(thing: &mut Thing, files: &Files) {
    thing.wrong.clear();
    thing.all.sort_by_key(|d| files.sources.rank(d.file));
    let layer = |d: &Declared| files.get(d.file).map_or(0, |f| f.layer);
    let text = |d: &Declared| files.node(d).map(|n| files.sources.text(n.span));
    let mut all = thing.all.iter();
    let Some(mut base) = all.next() else { return };
    for d in all {
        if layer(base) == layer(d) {
            thing.wrong.push(
                Diagnostic::error(codes::DUPLICATE_ID, d.id_span, format!("`{}` is declared twice", d.id))
                    .at(base.id_span, "first here")
                    .help("rename one of them"),
            );
            continue;
        }
        if text(base) != text(d) {
            thing.wrong.push(
                Diagnostic::warning(codes::OVERRIDE, d.id_span, format!("`{}` replaces the one of the same id in an earlier folder", d.id))
                    .at(base.id_span, "this one")
                    .help("if that is not meant, rename it; an `overlay:` changes parts of it"),
            );
        }
        base = d;
    }
    thing.base = base.clone();
}
