//! The one typed form that every Rhai expression is lowered to, and the only one that runs.

use std::cmp::Ordering;
use std::sync::Arc;

use super::fields::Field;
use super::functions::Function;
use super::plan::Plan;
use super::ty::Ty;
use super::value::Value;
use crate::model::Kind;
use crate::source::Span;

/// A node with its type and place.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it does.
    pub node: Node,
    /// Its type.
    pub ty: Ty,
    /// Whether it may be absent.
    pub maybe: bool,
    /// Where it stands in the author's file.
    pub span: Span,
    /// Equal questions have equal keys, whatever file they stand in.
    pub key: Key,
    /// Where its answer is kept for an incident; closed expressions only.
    pub memo: Option<MemoId>,
    /// Which locals it needs from outside, one bit each.
    pub free: u64,
    /// How deep it nests, bindings and clauses included.
    pub height: u32,
    /// The same as a plan, where it has one.
    pub plan: Option<Plan>,
}

impl Expr {
    /// Looks at the expression and all that is below it, bindings and clauses included.
    pub fn each(&self, look: &mut dyn FnMut(&Expr)) {
        look(self);
        match &self.node {
            Node::Binding(_, body) => body.each(look),
            Node::Clause(condition, _) => condition.body.each(look),
            _ => {}
        }
        self.parts(&mut |x| x.each(look));
    }

    /// Looks at what the expression is made of, one step down: not at the bodies of bindings and clauses, which stand
    /// elsewhere.
    pub fn parts<'e>(&'e self, look: &mut dyn FnMut(&'e Expr)) {
        match &self.node {
            Node::Const(_) | Node::Local(_) | Node::Incident | Node::Alerts | Node::Collection(_) | Node::Binding(..) => {}
            Node::Clause(_, all)
            | Node::And(all)
            | Node::Or(all)
            | Node::Coalesce(all)
            | Node::Array(all)
            | Node::Interpolate(all)
            | Node::Call(_, all) => all.iter().for_each(look),
            Node::Field(x, _) | Node::Key(x, _) | Node::Not(x) | Node::Negate(x) => look(x),
            Node::Compare(_, a, b) | Node::Arith(_, a, b) | Node::In(a, b) | Node::Index(a, b) | Node::Range(a, b, _) | Node::Each(_, a, b) => {
                look(a);
                look(b);
            }
            Node::If(a, b, c) => [a, b, c].into_iter().for_each(|x| look(x)),
            Node::Map(all) => all.iter().for_each(|(_, x)| look(x)),
            Node::Switch(of, arms, rest) => {
                look(of);
                for arm in arms {
                    arm.guard.iter().for_each(&mut *look);
                    look(&arm.then);
                }
                look(rest);
            }
        }
    }

    /// An expression that always holds, for a guard that could not be read.
    pub fn always(span: Span) -> Self {
        Self {
            node: Node::Const(Value::Bool(true)),
            ty: Ty::Bool,
            maybe: false,
            span,
            key: key("always", &[]),
            memo: None,
            free: 0,
            height: 1,
            plan: None,
        }
    }

    /// Where it asks what anyone can write into an alert: its title, description, product, category or extra fields.
    pub fn asks_prose(&self) -> Option<Span> {
        use super::fields::AlertField;
        let mut found = None;
        self.each(&mut |x| {
            let prose = match &x.node {
                Node::Field(_, Field::Alert(f)) => {
                    matches!(f, AlertField::Title | AlertField::Description | AlertField::Product | AlertField::Category)
                }
                Node::Field(_, Field::Incident(f)) => {
                    matches!(f, super::fields::IncidentField::Title | super::fields::IncidentField::Description | super::fields::IncidentField::Tags)
                }
                Node::Call(f, _) => f.name == "extra",
                _ => false,
            };
            if prose && found.is_none() {
                found = Some(x.span);
            }
        });
        found
    }
}

/// Identifies a question by its content.
pub type Key = [u8; 16];

/// The place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemoId(pub u32);

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Compare {
    /// The same with its sides changed.
    pub fn turned(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            same => same,
        }
    }

    /// What holds where this one does not.
    pub fn negated(self) -> Self {
        match self {
            Self::Eq => Self::Ne,
            Self::Ne => Self::Eq,
            Self::Lt => Self::Ge,
            Self::Le => Self::Gt,
            Self::Gt => Self::Le,
            Self::Ge => Self::Lt,
        }
    }

    /// Whether it says so of two values; with something absent every one is false but `!=`.
    pub fn says(self, a: &Value, b: &Value) -> bool {
        match self {
            Self::Eq => a.same(b),
            Self::Ne => !a.same(b),
            other => other.holds(a.order(b)),
        }
    }

    /// Whether it says so of two values in this order; nothing is said of what has none, but that it is not the same.
    #[inline]
    pub fn holds(self, order: Option<Ordering>) -> bool {
        use Ordering::{Equal, Greater, Less};
        match self {
            Self::Eq => order == Some(Equal),
            Self::Ne => order != Some(Equal),
            Self::Lt => order == Some(Less),
            Self::Le => matches!(order, Some(Less | Equal)),
            Self::Gt => order == Some(Greater),
            Self::Ge => matches!(order, Some(Greater | Equal)),
        }
    }
}

/// Arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

/// What is done with each item of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Each {
    /// The items for which it holds.
    Filter,
    /// What it makes of each item, without what is absent.
    Map,
    /// Whether it holds for any.
    Some,
    /// Whether it holds for all.
    All,
    /// For how many it holds.
    Count,
    /// The first for which it holds.
    First,
}

/// A named clause of a playbook, library or rule.
#[derive(Debug)]
pub struct Condition {
    /// Its name.
    pub name: Arc<str>,
    /// Its question; parameters are the first locals.
    pub body: Expr,
    /// The kind of each parameter.
    pub params: Vec<(Arc<str>, Kind)>,
    /// Said when it holds.
    pub pass: Option<super::template::Template>,
    /// Said when it does not.
    pub fail: Option<super::template::Template>,
    /// Where it is declared.
    pub span: Span,
}

/// What an expression node does.
#[derive(Clone, Debug)]
pub enum Node {
    /// A value that is written there.
    Const(Value),
    /// A closure's, card's or condition's parameter, by its position from the outermost.
    Local(usize),
    /// A named value of the playbook.
    Binding(Arc<str>, Arc<Expr>),
    /// A named clause of the playbook.
    Clause(Arc<Condition>, Vec<Expr>),
    /// The incident.
    Incident,
    /// All alerts.
    Alerts,
    /// All entities of a kind.
    Collection(Kind),
    /// A field of what is before the dot.
    Field(Box<Expr>, Field),
    /// A key of a map.
    Key(Box<Expr>, Arc<str>),
    /// `!`
    Not(Box<Expr>),
    /// `-`
    Negate(Box<Expr>),
    /// `&&`
    And(Vec<Expr>),
    /// `||`
    Or(Vec<Expr>),
    /// `??`
    Coalesce(Vec<Expr>),
    /// `==` and its like.
    Compare(Compare, Box<Expr>, Box<Expr>),
    /// `+` and its like.
    Arith(Arith, Box<Expr>, Box<Expr>),
    /// `in`
    In(Box<Expr>, Box<Expr>),
    /// `if`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `switch`: what is compared, the arms, the rest.
    Switch(Box<Expr>, Vec<Arm>, Box<Expr>),
    /// A list that is written there.
    Array(Vec<Expr>),
    /// A map that is written there.
    Map(Vec<(Arc<str>, Expr)>),
    /// An item by position.
    Index(Box<Expr>, Box<Expr>),
    /// A range; the flag says whether the end belongs to it.
    Range(Box<Expr>, Box<Expr>, bool),
    /// Text with values in it.
    Interpolate(Vec<Expr>),
    /// A function of the table; the receiver comes first.
    Call(&'static Function, Vec<Expr>),
    /// Something with each item of a list; the item is the next local.
    Each(Each, Box<Expr>, Box<Expr>),
}

/// An arm of a `switch`.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Any of these, as constants or ranges.
    pub values: Vec<Value>,
    /// And this holds.
    pub guard: Option<Expr>,
    /// Then this.
    pub then: Expr,
}

/// The key of a node from its own word and the keys of what is below it.
pub fn key(word: &str, below: &[Key]) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(word.as_bytes()).update(&[0]);
    for k in below {
        hasher.update(k);
    }
    let mut out = [0; 16];
    out.copy_from_slice(hasher.finalize().as_bytes().first_chunk::<16>().unwrap_or(&[0; 16]));
    out
}
