//! What the expressions of a file can speak of, also while the file does not load: for editors.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys;
use super::names::Names;
use super::read::Reader;
use super::scope::{self, Scope};
use super::set::PlaybookSet;
use super::yaml::Node;
use crate::script::{Condition, Env, Expr, Lowering, Questions, Ty};
use crate::source::{FileId, Scalar, Snippet, Span};

/// The names of a file: its own, and those of the libraries that it uses.
pub struct Speech {
    names: Names,
    scope: Scope,
    questions: usize,
}

impl Speech {
    /// The names that the file with this tree has. `signals` are those that any file declares, `library` finds one by its id.
    pub fn of<'n>(set: &PlaybookSet, signals: impl Iterator<Item = Arc<str>>, tree: &Node, library: &dyn Fn(&str) -> Option<&'n Node>) -> Self {
        let names =
            Names { signals: signals.collect(), lists: (0u32..).zip(&set.lists).map(|(n, l)| (l.id.clone(), n)).collect(), ..Names::default() };
        let mut questions = Questions::default();
        let mut reader = Reader::quiet();
        let mut base = Scope::default();
        let used = tree.get("use").map(|n| reader.texts(n, "`use`")).unwrap_or_default();
        for s in used {
            if let Some(node) = library(&s.text) {
                let library = scope::library(&mut reader, node, &names, &mut questions);
                base.take(&mut reader, s.span, &library);
            }
        }
        let fields = reader.keys(tree, "a file", keys::PLAYBOOK);
        let scope = scope::scope(&mut reader, base, &fields, &names, &mut questions);
        Self { names, scope, questions: questions.len() }
    }

    /// Its named values, with those of libraries.
    pub fn bindings(&self) -> &BTreeMap<Arc<str>, Arc<Expr>> {
        &self.scope.bindings
    }

    /// Its named clauses, with those of libraries.
    pub fn conditions(&self) -> &BTreeMap<Arc<str>, Arc<Condition>> {
        &self.scope.clauses
    }

    /// Where each name is declared, also of those that do not compile.
    pub fn places(&self) -> &BTreeMap<Arc<str>, Span> {
        &self.scope.places
    }

    /// How many different questions the names ask: room for the answers.
    pub fn questions(&self) -> usize {
        self.questions
    }

    /// The type of an expression with these parameters, if it has one.
    pub fn type_of(&self, text: &str, locals: &[(Arc<str>, Ty)]) -> Option<Ty> {
        let scalar = Scalar::plain(FileId(0), text, 0);
        let env: Env<'_> = self.scope.env(&self.names, locals.to_vec());
        Lowering::compile(Snippet::whole(&scalar), env, &mut Questions::default(), &mut Vec::new()).map(|e| e.ty)
    }
}
