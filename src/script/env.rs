//! What surrounds an expression.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::expr::{Condition, Expr};
use super::ty::Ty;

/// What an expression may speak of.
#[derive(Clone, Debug)]
pub struct Env<'e> {
    /// Parameters, outermost first.
    pub locals: Vec<(Arc<str>, Ty)>,
    /// Named values.
    pub bindings: &'e BTreeMap<Arc<str>, Arc<Expr>>,
    /// Named clauses.
    pub clauses: &'e BTreeMap<Arc<str>, Arc<Condition>>,
    /// Named lists, with their positions.
    pub lists: &'e BTreeMap<Arc<str>, u32>,
    /// The signals that exist.
    pub signals: &'e BTreeSet<Arc<str>>,
    /// Names that are declared but could not be compiled, or come later: what to say of each.
    pub known: &'e BTreeMap<Arc<str>, String>,
    /// Whether this decides signals, and so cannot ask for them.
    pub deciding_signals: bool,
}
