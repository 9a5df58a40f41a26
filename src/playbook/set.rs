//! A set of playbooks, checked and compiled: immutable, with a revision, and the only thing that runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::later::Later;
use super::wording::Wording;
use crate::diag::Diagnostic;
use crate::model::level::words;
use crate::model::{Classification, Kind, Kinds, Level, Phase, Prop, PropValue, Rel, Time, Verdict};
use crate::script::glob::Glob;
use crate::script::plan::{Plan, placeless};
use crate::script::{Condition, Expr, NamedList, Template};
use crate::source::{Sources, Span};

pub use super::index::Index;

/// Everything that answers are made from. Its parts are shared: the set after an edit holds what the edit left alone.
#[derive(Clone, Debug, Default)]
pub struct PlaybookSet {
    /// The files.
    pub sources: Sources,
    /// Changes with every change of a file that loads.
    pub revision: String,
    /// Named lists.
    pub lists: Vec<Arc<NamedList>>,
    /// Signals, by id.
    pub signals: Vec<Arc<Signal>>,
    /// The catalogue.
    pub actions: BTreeMap<Arc<str>, Arc<Action>>,
    /// Incident types, by id.
    pub types: Vec<Arc<IncidentType>>,
    /// Who may do what.
    pub permissions: Arc<Permissions>,
    /// The playbooks, by id.
    pub playbooks: Vec<Arc<Playbook>>,
    /// Which playbooks a word of `match:` leads to.
    pub index: Arc<Index>,
    /// The way from what an alert says to the signals that could fit; made when it is first asked for.
    pub wording: Arc<OnceLock<Wording>>,
    /// How many different questions they ask.
    pub questions: usize,
    /// What is wrong with the files, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that do not load, with their first error.
    pub skipped: Vec<(String, String)>,
}

impl PlaybookSet {
    /// The way from what an alert says to the rules of signals that could fit.
    pub fn wording(&self) -> &Wording {
        self.wording.get_or_init(|| Wording::of(&self.signals))
    }
}

/// What an alert says.
#[derive(Debug)]
pub struct Signal {
    /// Its id.
    pub id: Arc<str>,
    /// What it says, for people.
    pub title: String,
    /// Any of these.
    pub rules: Vec<SignalRule>,
    /// What it says of the entities.
    pub says: Vec<Says>,
    /// Where it is declared.
    pub span: Span,
}

/// How a product words a signal; all that is given must hold.
#[derive(Debug, Default)]
pub struct SignalRule {
    /// Detector ids, lower case; with the globs empty: any.
    pub detectors: BTreeSet<String>,
    /// Globs over detector ids, for products that name families.
    pub families: Vec<Glob>,
    /// Globs over the title; empty: any.
    pub titles: Vec<Glob>,
    /// Globs over the product; empty: any.
    pub products: Vec<Glob>,
    /// Words of the category, squashed; empty: any.
    pub categories: BTreeSet<String>,
    /// An expression over `alert`.
    pub test: Option<Expr>,
}

/// What a signal says of the entities in its alert.
#[derive(Debug, Default)]
pub struct Says {
    /// Only if this holds of `alert`.
    pub test: Option<Expr>,
    /// Relations: from kind, relation, to kind.
    pub relations: Vec<(Kind, Rel, Kind)>,
    /// Roles by kind.
    pub roles: Vec<(Kind, String)>,
    /// Verdicts by kind.
    pub verdicts: Vec<(Kind, Verdict)>,
    /// Properties by kind.
    pub properties: Vec<(Kind, Prop, PropValue)>,
    /// Tags by kind.
    pub tags: Vec<(Kind, String)>,
}

/// How much an action disturbs.
pub const IMPACTS: &[&str] = &["low", "medium", "high"];

/// A verb of the catalogue.
#[derive(Debug)]
pub struct Action {
    /// Its id, `device.isolate`.
    pub id: Arc<str>,
    /// The verb for people.
    pub title: String,
    /// What it does.
    pub description: String,
    /// Where it belongs.
    pub phase: Phase,
    /// The kinds it applies to.
    pub kinds: Kinds,
    /// Whether it applies to the incident as a whole.
    pub incident: bool,
    /// What it needs.
    pub permissions: Vec<String>,
    /// How much it disturbs.
    pub impact: &'static str,
    /// What takes it back.
    pub undo: Option<Arc<str>>,
    /// Its parameters.
    pub params: BTreeMap<Arc<str>, Param>,
    /// What it asks, as fields of the action too. What ships is compiled when it is first asked.
    pub asks: Later<Asks>,
    /// What must be so before.
    pub prerequisites: Vec<String>,
    /// What else it does.
    pub effects: Vec<String>,
    /// D3FEND techniques.
    pub d3fend: Vec<String>,
    /// RE&CT actions.
    pub react: Vec<String>,
    /// Where it is declared.
    pub span: Span,
}

/// What an action asks of a card's target.
#[derive(Debug, Default)]
pub struct Asks {
    /// Guards.
    pub never: Vec<Guard>,
    /// Typed source state that makes a card completed.
    pub done_when: Option<Expr>,
}

impl Deref for Action {
    type Target = Asks;

    fn deref(&self) -> &Asks {
        &self.asks
    }
}

/// A parameter of an action.
#[derive(Clone, Debug, Default)]
pub struct Param {
    /// The values that it takes; empty: any text.
    pub values: Vec<String>,
    /// The value if none is given.
    pub default: Option<String>,
}

/// A guard: if it holds, the card is unavailable.
#[derive(Debug)]
pub struct Guard {
    /// The expression over `target` and `params`.
    pub test: Expr,
    /// The reason.
    pub why: Template,
}

/// A kind of attack.
#[derive(Debug)]
pub struct IncidentType {
    /// Its id.
    pub id: Arc<str>,
    /// What it is called.
    pub title: String,
    /// What speaks for it.
    pub rules: Vec<TypeRule>,
}

/// What speaks for an incident type; all that is given must hold.
#[derive(Debug)]
pub struct TypeRule {
    /// Any of these signals; empty: no matter.
    pub signals: BTreeSet<Arc<str>>,
    /// Any of these techniques; empty: no matter.
    pub techniques: Vec<String>,
    /// An expression.
    pub test: Option<Expr>,
    /// 0–100.
    pub weight: u8,
}

/// Who may do what.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    /// Permissions by role.
    pub roles: BTreeMap<String, BTreeSet<String>>,
    /// Roles by user.
    pub users: BTreeMap<String, BTreeSet<String>>,
}

impl Permissions {
    /// What a role or user may do; `None` if nobody is called so.
    pub fn of(&self, name: &str) -> Option<BTreeSet<String>> {
        if let Some(all) = self.roles.get(name) {
            return Some(all.clone());
        }
        let roles = self.users.get(name)?;
        Some(roles.iter().filter_map(|r| self.roles.get(r)).flatten().cloned().collect())
    }
}

/// A playbook.
#[derive(Debug)]
pub struct Playbook {
    /// Its id.
    pub id: Arc<str>,
    /// Its version.
    pub version: String,
    /// What it is about.
    pub title: String,
    /// How far it can be relied on.
    pub status: Status,
    /// Where it is declared.
    pub span: Span,
    /// What must be in the incident.
    pub matching: Match,
    /// What is asked first. `None` where no one question tells.
    pub gate: Option<Gate>,
    /// All that is asked where `match:` holds, as fields of the playbook too. What ships is compiled when it is first asked.
    pub rules: Later<Rules>,
}

impl Deref for Playbook {
    type Target = Rules;

    fn deref(&self) -> &Rules {
        &self.rules
    }
}

/// What a playbook says where its `match:` holds.
#[derive(Debug, Default)]
pub struct Rules {
    /// Its named values, with those of the libraries that it uses.
    pub bindings: BTreeMap<Arc<str>, Arc<Expr>>,
    /// Its named clauses, with those of the libraries that it uses.
    pub conditions: BTreeMap<Arc<str>, Arc<Condition>>,
    /// Where each of these names is declared: in its own file, or in a library's.
    pub places: BTreeMap<Arc<str>, Span>,
    /// What the incident is; the first that holds.
    pub triage: Vec<Arm>,
    /// Its cards.
    pub cards: Vec<CardRule>,
    /// Its hunts.
    pub hunts: BTreeMap<Arc<str>, HuntRule>,
    /// For whom cards do not apply.
    pub exceptions: Vec<Exception>,
}

/// What does not hold where nothing of a playbook holds: most playbooks are done with once this is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The question, about the incident.
    pub plan: Plan,
    /// Whether it is that of the one card, about the incident, which is all that the playbook says.
    pub alone: bool,
}

impl Rules {
    /// What does not hold where no arm and no card does, if one question about the incident tells.
    pub fn gate(&self) -> Option<Gate> {
        let arms = self.triage.iter().map(|a| a.when.as_ref()?.plan.as_ref());
        // What a card is for is a local, which is not there yet when the gate is asked.
        let cards = self.cards.iter().map(|c| {
            let when = c.when.as_ref()?;
            when.plan.as_ref().filter(|p| matches!(c.target, Target::Incident) || when.free == 0 && placeless(p.ops()))
        });
        let plan = Plan::any(&arms.chain(cards).collect::<Option<Vec<_>>>()?)?;
        let alone = self.triage.is_empty() && matches!(self.cards.as_slice(), [CardRule { target: Target::Incident, .. }]);
        Some(Gate { plan, alone })
    }
}

words! {
    /// How far a playbook can be relied on.
    Status {
        /// Being tried out.
        Experimental = "experimental",
        /// Under test.
        Test = "test",
        /// Relied on; has tests for both outcomes.
        Stable = "stable",
        /// Kept until nobody uses it.
        Deprecated = "deprecated",
    }
}

/// `match:`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Any of these incident types; empty: no matter.
    pub types: BTreeSet<Arc<str>>,
    /// Any of these signals; empty: no matter.
    pub signals: BTreeSet<Arc<str>>,
    /// Any of these techniques; empty: no matter.
    pub techniques: Vec<String>,
    /// All of these kinds.
    pub entities: Vec<Kind>,
    /// At least this severity.
    pub severity: Option<Level>,
}

/// An arm of `triage:`.
#[derive(Debug)]
pub struct Arm {
    /// What the incident is.
    pub classification: Classification,
    /// Of which kind.
    pub determination: Option<String>,
    /// 0–100.
    pub confidence: u8,
    /// If this holds.
    pub when: Option<Expr>,
    /// The sentence.
    pub why: Template,
    /// Where it is declared.
    pub span: Span,
}

/// What a card applies to.
#[derive(Debug)]
pub enum Target {
    /// The incident.
    Incident,
    /// Each item of a list.
    Each(Arc<str>, Box<Expr>),
    /// All items of a list at once.
    All(Arc<str>, Box<Expr>),
}

/// A card of a playbook.
#[derive(Debug)]
pub struct CardRule {
    /// Its id in the playbook.
    pub id: Arc<str>,
    /// Where it belongs.
    pub phase: Phase,
    /// What is done.
    pub action: Arc<Action>,
    /// A title in place of the action's.
    pub title: Option<Template>,
    /// To what.
    pub target: Target,
    /// If this holds.
    pub when: Option<Expr>,
    /// The sentence.
    pub why: Template,
    /// 0–100.
    pub priority: u8,
    /// 0–100.
    pub confidence: u8,
    /// Parameters, defaults included.
    pub params: BTreeMap<Arc<str>, String>,
    /// Cards to apply before.
    pub after: Vec<Arc<str>>,
    /// The query that belongs to it.
    pub hunt: Option<Arc<str>>,
    /// Where it is declared.
    pub span: Span,
}

/// A piece of a query.
#[derive(Debug)]
pub enum QueryPart {
    /// Text of the playbook.
    Text(String),
    /// A value of the incident, as one typed literal, and how it is written in the playbook.
    Literal(Box<Expr>, String),
}

/// A query.
#[derive(Debug)]
pub struct HuntRule {
    /// Its id in the playbook.
    pub id: Arc<str>,
    /// What it looks for.
    pub title: Template,
    /// The parameter, if it has one.
    pub with: Option<(Arc<str>, Kind)>,
    /// The query.
    pub parts: Vec<QueryPart>,
    /// Where it is declared.
    pub span: Span,
}

/// For whom a card does not apply.
#[derive(Debug)]
pub struct Exception {
    /// Its id.
    pub id: Arc<str>,
    /// The cards; empty: all.
    pub cards: BTreeSet<Arc<str>>,
    /// Ids or aliases by kind.
    pub who: Vec<(Kind, BTreeSet<String>)>,
    /// Why.
    pub reason: String,
    /// The last day, as it was written.
    pub until: String,
    /// The moment at which it ends.
    pub expires: Time,
    /// Where it is declared.
    pub span: Span,
}
