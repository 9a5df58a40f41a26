//! What a set declares, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::later::Later;
use super::yaml::Node;
use crate::script::{Condition, Env, Expr};
use crate::source::Span;

/// What may be spoken of in every expression of a set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub lists: BTreeMap<Arc<str>, u32>,
    pub signals: BTreeSet<Arc<str>>,
    pub no_bindings: BTreeMap<Arc<str>, Arc<Expr>>,
    pub no_clauses: BTreeMap<Arc<str>, Arc<Condition>>,
    pub no_known: BTreeMap<Arc<str>, String>,
}

impl Names {
    /// The surroundings of an expression that has no bindings and conditions.
    pub fn env(&self) -> Env<'_> {
        Env {
            locals: Vec::new(),
            bindings: &self.no_bindings,
            clauses: &self.no_clauses,
            lists: &self.lists,
            signals: &self.signals,
            known: &self.no_known,
            deciding_signals: false,
        }
    }
}

/// A declared thing: its id and its tree.
pub(crate) struct Declared<'n> {
    pub id: String,
    pub id_span: Span,
    pub node: &'n Node,
    /// Its tree to keep, if it is as it ships: then it is known to be right, and may be compiled later.
    pub kept: Option<Kept>,
}

/// The tree of a file.
pub(crate) struct Tree {
    /// Of a playbook that ships, what says whether it matches.
    pub head: Option<Node>,
    /// All of it.
    pub whole: Later<Node>,
}

impl Tree {
    /// What says what the file declares.
    pub fn head(&self) -> &Node {
        self.head.as_ref().unwrap_or_else(|| &self.whole)
    }
}

/// A tree that is kept: a file's, or that of an entry of the file.
#[derive(Clone)]
pub(crate) struct Kept {
    pub tree: Arc<Tree>,
    pub entry: Option<(&'static str, usize)>,
}

impl Kept {
    /// All of it.
    pub fn node(&self) -> Option<&Node> {
        entry(&self.tree.whole, self.entry)
    }
}

/// The tree of an entry: of what, and the how manieth; that of the whole file if none.
pub(crate) fn entry<'n>(tree: &'n Node, entry: Option<(&'static str, usize)>) -> Option<&'n Node> {
    match entry {
        None => Some(tree),
        Some((kind, n)) => tree.get(kind)?.entries().get(n).map(|(_, v)| v),
    }
}
