//! What `bind:` and `conditions:` declare, of a playbook and of the libraries that it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalogue::kind_word;
use super::keys;
use super::later::Later;
use super::names::Names;
use super::read::{Fields, Reader};
use super::set::Action;
use super::text::{bool_expression, expression, template};
use super::yaml::Node;
use crate::diag::codes;
use crate::model::Kind;
use crate::script::lower::{global_names, is_name};
use crate::script::{Condition, Env, Expr, Questions, Template, Ty};
use crate::source::{Scalar, Snippet, Span};

/// What a playbook may refer to.
pub(crate) struct Around {
    pub names: Arc<Names>,
    pub actions: BTreeMap<Arc<str>, Arc<Action>>,
    pub declared_actions: BTreeSet<Arc<str>>,
    pub types: BTreeSet<Arc<str>>,
    pub libraries: BTreeMap<Arc<str>, Library>,
}

/// What a library declares.
pub(crate) type Library = Arc<Later<Scope>>;

/// What `bind:` and `conditions:` declare, compiled.
#[derive(Clone, Default)]
pub(crate) struct Scope {
    pub bindings: BTreeMap<Arc<str>, Arc<Expr>>,
    pub clauses: BTreeMap<Arc<str>, Arc<Condition>>,
    /// Names that did not compile.
    pub known: BTreeMap<Arc<str>, String>,
    /// Where each name is declared.
    pub places: BTreeMap<Arc<str>, Span>,
}

impl Scope {
    /// Takes in what a library declares; a name that two of them declare is reported.
    pub(super) fn take(&mut self, reader: &mut Reader<'_>, at: Span, library: &Scope) {
        for (name, place) in &library.places {
            if let Some(old) = self.places.get(name).filter(|old| *old != place) {
                let d = crate::diag::Diagnostic::error(codes::DUPLICATE_ID, at, format!("two libraries declare `{name}`"))
                    .at(*old, "here")
                    .at(*place, "and here");
                reader.report(d);
            }
        }
        let other = library.clone();
        self.bindings.extend(other.bindings);
        self.clauses.extend(other.clauses);
        self.known.extend(other.known);
        self.places.extend(other.places);
    }

    pub(super) fn env<'e>(&'e self, names: &'e Names, locals: Vec<(Arc<str>, Ty)>) -> Env<'e> {
        Env { locals, bindings: &self.bindings, clauses: &self.clauses, known: &self.known, ..names.env() }
    }
}

/// Compiles a library, once for all playbooks that use it.
pub(crate) fn library(reader: &mut Reader<'_>, node: &Node, names: &Names, questions: &mut Questions) -> Scope {
    let fields = reader.keys(node, "a library", keys::LIBRARY);
    scope(reader, Scope::default(), &fields, names, questions)
}

enum Decl<'n> {
    Bind(&'n Node),
    Condition(&'n Node),
}

/// Compiles `bind:` and `conditions:` on top of what libraries declare, each after what it uses.
pub(super) fn scope(reader: &mut Reader<'_>, mut scope: Scope, fields: &Fields<'_>, names: &Names, questions: &mut Questions) -> Scope {
    let mut declared: Vec<(&Scalar, Decl<'_>)> = Vec::new();
    let binds = fields.get("bind").map(|n| reader.ids(n, "`bind`")).unwrap_or_default();
    let conditions = fields.get("conditions").map(|n| reader.ids(n, "`conditions`")).unwrap_or_default();
    for (name, decl) in binds.into_iter().map(|(s, n)| (s, Decl::Bind(n))).chain(conditions.into_iter().map(|(s, n)| (s, Decl::Condition(n)))) {
        if !is_name(&name.text) || global_names().any(|g| g == &*name.text) {
            let why = if is_name(&name.text) {
                "it is the name of something that every playbook has"
            } else {
                "names are snake case and not words that Rhai keeps for itself"
            };
            reader.error_help(codes::BAD_ID, name.span, format!("`{}` cannot be a name", name.text), why);
            scope.known.insert(name.text.clone(), String::new());
            continue;
        }
        if let Some(old) = scope.places.get(&name.text) {
            let d = crate::diag::Diagnostic::error(codes::DUPLICATE_ID, name.span, format!("`{}` is declared twice", name.text))
                .at(*old, "first here")
                .help("rename one of them");
            reader.report(d);
            continue;
        }
        scope.places.insert(name.text.clone(), name.span);
        declared.push((name, decl));
    }
    let position: BTreeMap<&str, usize> = declared.iter().enumerate().map(|(n, (s, _))| (&*s.text, n)).collect();
    let uses: Vec<BTreeSet<usize>> = declared
        .iter()
        .map(|(_, d)| {
            let text = match d {
                Decl::Bind(n) => n.scalar().map(|s| s.text.clone()),
                Decl::Condition(n) => n.get("if").and_then(Node::scalar).map(|s| s.text.clone()),
            };
            words(text.as_deref().filter(|t| t.len() <= crate::script::limits::SOURCE_BYTES).unwrap_or(""))
                .into_iter()
                .filter_map(|w| position.get(w).copied())
                .collect()
        })
        .collect();
    let (order, cycle) = super::order::sorted(&uses);
    for n in &cycle {
        if let Some((name, _)) = declared.get(*n) {
            let others: Vec<String> =
                cycle.iter().filter(|m| *m != n).filter_map(|m| declared.get(*m)).map(|(s, _)| format!("`{}`", s.text)).collect();
            let message = if others.is_empty() {
                format!("`{}` uses itself", name.text)
            } else {
                format!("`{}` and {} use one another", name.text, others.join(", "))
            };
            reader.error_help(codes::CYCLE, name.span, message, "say one of them without the other");
            scope.known.insert(name.text.clone(), String::new());
        }
    }
    for n in order {
        let Some((name, decl)) = declared.get(n) else { continue };
        let done = match decl {
            Decl::Bind(node) => reader
                .expression(node, format_args!("`{}`", name.text))
                .and_then(|s| expression(reader, Snippet::whole(s), scope.env(names, Vec::new()), questions))
                .map(|e| {
                    scope.bindings.insert(name.text.clone(), Arc::new(e));
                }),
            Decl::Condition(node) => condition(reader, name, node, &scope, names, questions).map(|c| {
                scope.clauses.insert(name.text.clone(), Arc::new(c));
            }),
        };
        if done.is_none() {
            scope.known.insert(name.text.clone(), String::new());
        }
    }
    scope
}

fn condition(reader: &mut Reader<'_>, name: &Scalar, node: &Node, scope: &Scope, names: &Names, questions: &mut Questions) -> Option<Condition> {
    let fields = reader.keys(node, "a condition", keys::CONDITION);
    let params = parameters(reader, fields.get("with"))?;
    let locals: Vec<(Arc<str>, Ty)> = params.iter().map(|(n, k)| (n.clone(), Ty::entity(*k))).collect();
    let body = fields.raw("if").and_then(|n| bool_expression(reader, n, "`if`", scope.env(names, locals.clone()), questions));
    let mut sentence = |key: &str| -> Option<Option<Template>> {
        match fields.get(key) {
            Some(n) => template(reader, n, format_args!("`{key}`"), scope.env(names, locals.clone()), questions).map(Some),
            None => Some(None),
        }
    };
    let (pass, fail) = (sentence("pass"), sentence("fail"));
    Some(Condition { name: name.text.clone(), body: body?, params, pass: pass?, fail: fail?, span: name.span })
}

/// `with: user`, or `with: { user: user, device: device }`.
pub(super) fn parameters(reader: &mut Reader<'_>, node: Option<&Node>) -> Option<Vec<(Arc<str>, Kind)>> {
    let Some(node) = node else { return Some(Vec::new()) };
    if let Some(s) = node.scalar() {
        return kind_word(reader, s).map(|k| vec![(s.text.clone(), k)]);
    }
    let mut all = Vec::new();
    for (name, n) in reader.ids(node, "`with`") {
        let kind = reader.text(n, "a kind").and_then(|s| kind_word(reader, s))?;
        if !is_name(&name.text) {
            reader.error_help(
                codes::BAD_ID,
                name.span,
                format!("`{}` cannot be a name", name.text),
                "names are snake case and not words that Rhai keeps for itself",
            );
            return None;
        }
        all.push((name.text.clone(), kind));
    }
    Some(all)
}

/// The words of an expression that may be names: not behind a dot, not in a text but where it holds `${…}`.
fn words(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = text;
    let mut dotted = false;
    while let Some(c) = rest.chars().next() {
        if c == '/' && (rest.starts_with("/*") || rest.starts_with("//")) {
            rest = crate::script::parse::skip_blanks(rest, 0).and_then(|at| rest.get(at..)).unwrap_or("");
            continue;
        }
        let end = match c {
            '"' | '`' => crate::script::parse::token_end(rest, 0),
            c if c.is_alphanumeric() || c == '_' => crate::script::parse::token_end(rest, 0),
            c => c.len_utf8(),
        };
        let (word, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = tail;
        match c {
            '"' => dotted = false,
            '`' => {
                dotted = false;
                for held in crate::script::parse::held(word) {
                    all.extend(words(held));
                }
            }
            // Two dots are a range: what follows may be a name.
            '.' => dotted = !dotted,
            c if c.is_alphanumeric() || c == '_' => {
                if !std::mem::take(&mut dotted) {
                    all.push(word);
                }
            }
            _ => dotted = false,
        }
    }
    all
}
