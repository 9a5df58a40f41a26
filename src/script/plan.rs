//! What is true or false of an incident, in the form that runs fastest: tests of single values, and walks over what the
//! incident holds, without a value made on the way.
//!
//! A plan says what its expression says, at the same cost in steps; only expressions that look at plain values have one.
//! Where coverage is wanted the expression itself is run.

use std::sync::Arc;

use super::expr::{Compare, Each, Expr, MemoId, Node};
use super::fields::{AlertField, EntityField, Field, IncidentField};
use super::glob::Glob;
use super::pattern::Pattern;
use super::trace::{AlertHolds, Holds};
use super::ty::Ty;
use super::value::Value;
use crate::model::{Kind, Level, Prop, PropType, PropValue, Text, Time};
use crate::script::columns::{Slot, slot};

/// A question that is answered by yes or no: in one piece of memory, each part before what it is made of.
#[derive(Clone, Debug)]
pub struct Plan(Arc<[Op]>);

/// Whether it is the very same one.
impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Plan {}

/// A part of a plan.
#[derive(Clone, Debug)]
pub struct Op {
    /// How many steps it takes, without those of the parts that belong to it.
    pub price: u32,
    /// How many of the parts after it belong to it.
    below: u32,
    /// What it does.
    pub what: What,
}

/// What a part of a plan does.
#[derive(Clone, Debug)]
pub enum What {
    /// About one value.
    Test(Test),
    /// `!`
    Not,
    /// `&&` or `||`: the answer of a part that settles it.
    Join(bool),
    /// Kept for the incident once it is answered; whether it stands in a named clause or value, which speaks of its own
    /// locals.
    Shared(MemoId, bool),
    /// The same of a test of the cells of a column, whether it holds for any or for all, and what each of them takes: the
    /// commonest question, in one part. What belongs to it must hold of the entity as well.
    Column(MemoId, Kind, bool, Test, u32),
    /// A named clause or value: it speaks of its own locals.
    Framed,
    /// Whether the rest holds for any item, or for all.
    Each(Walk, bool),
    /// For how many items the rest holds, compared with a number.
    Count(Walk, Compare, i64),
    /// A part that is too large to be written out wherever it is used.
    Elsewhere(Plan),
}

/// The first of some parts, those that belong to it, and those after it.
#[inline]
pub fn split(ops: &[Op]) -> Option<(&Op, &[Op], &[Op])> {
    let (op, rest) = ops.split_first()?;
    let (below, rest) = rest.split_at_checked(op.below as usize)?;
    Some((op, below, rest))
}

/// The first part of a plan, those that belong to it, and what it takes. Reading the price brings the plan from memory, which
/// goes on while something else is asked.
pub type Begun<'p> = (&'p Op, &'p [Op], u32);

/// A plan that is about to be asked.
#[inline]
pub fn begun(ops: &[Op]) -> Option<Begun<'_>> {
    ops.split_first().map(|(op, rest)| (op, rest, op.price))
}

/// Some parts, each with all that belongs to it.
pub fn parts(mut ops: &[Op]) -> impl Iterator<Item = &[Op]> {
    std::iter::from_fn(move || {
        let (part, rest) = ops.split_at_checked((ops.first()?.below as usize).saturating_add(1))?;
        ops = rest;
        Some(part)
    })
}

/// The parts that belong to the first one, which is written as `!`, `&&` or `||`, wherever its answer is kept.
pub fn operands(ops: &[Op]) -> &[Op] {
    match ops {
        [Op { what: What::Shared(..), .. }, kept @ ..] => operands(kept),
        [Op { what: What::Elsewhere(plan), .. }, ..] => operands(plan.ops()),
        [Op { what: What::Not | What::Join(_), .. }, rest @ ..] => rest,
        _ => &[],
    }
}

/// The question of a plan, where its answer is kept.
pub fn shared(ops: &[Op]) -> Option<MemoId> {
    match &ops.first()?.what {
        What::Shared(id, _) | What::Column(id, ..) => Some(*id),
        What::Elsewhere(plan) => shared(plan.ops()),
        _ => None,
    }
}

/// How a list is gone through.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// What is gone through.
    pub list: List,
    /// By what.
    pub by: By,
}

/// What leads from one item to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Each is asked.
    Item,
    /// All that is asked is a test of the item itself: it is not made a local.
    Test,
    /// That is what is asked first, of several things that must all hold.
    FirstTest,
}

/// What is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// All entities of a kind.
    Kind(Kind),
    /// All alerts.
    Alerts,
    /// The entities of a kind that an alert, which is a local, names.
    Named(u8, Kind),
}

/// Whether a plan comes out the same whatever locals there are around it, and however many.
pub fn placeless(ops: &[Op]) -> bool {
    match ops {
        [] => true,
        [Op { what, .. }, rest @ ..] => match what {
            What::Test(t) => t.source.local().is_none() && t.check.local().is_none(),
            // Its items are locals only where more is asked of them.
            What::Column(..) => rest.is_empty(),
            What::Not | What::Join(_) | What::Shared(_, false) => parts(rest).all(placeless),
            What::Framed | What::Shared(_, true) => true,
            What::Each(..) | What::Count(..) => false,
            What::Elsewhere(plan) => placeless(plan.ops()),
        },
    }
}

/// What has more parts than this is written out once.
const LARGE: usize = 16;

impl Plan {
    /// A part of so many steps with what belongs to it.
    fn new<'p>(price: u32, what: What, below: impl IntoIterator<Item = &'p Plan>) -> Self {
        let mut ops = vec![Op { price, below: 0, what }];
        for plan in below {
            if plan.0.len() > LARGE {
                ops.push(Op { price: 0, below: 0, what: What::Elsewhere(plan.clone()) });
            } else {
                ops.extend_from_slice(&plan.0);
            }
        }
        let below = u32::try_from(ops.len().saturating_sub(1)).unwrap_or(u32::MAX);
        if let Some(first) = ops.first_mut() {
            first.below = below;
        }
        Self(ops.into())
    }

    /// A part with those that belong to it.
    fn of(first: Op, below: &[Op]) -> Self {
        let first = Op { below: u32::try_from(below.len()).unwrap_or(u32::MAX), ..first };
        Self([first].into_iter().chain(below.iter().cloned()).collect())
    }

    /// The same with another first part.
    fn with(&self, change: impl FnOnce(&mut Op)) -> Self {
        let mut ops = self.0.to_vec();
        if let Some(first) = ops.first_mut() {
            change(first);
        }
        Self(ops.into())
    }

    /// Kept for the incident at this place, unless asking again costs less than keeping.
    pub fn shared(self, id: MemoId) -> Self {
        if !worth_keeping(&self.0) {
            return self;
        }
        // Two steps: its own, and that of the list.
        if let [Op { price: 2, what: What::Each(walk, all), .. }, body @ ..] = &*self.0
            && let List::Kind(kind) = walk.list
            && let Some((test @ Test { source: Source::Cell(..), .. }, each, more)) = walk.tested(body, !*all)
        {
            return Self::of(Op { price: 1, below: 0, what: What::Column(id, kind, *all, test.clone(), each) }, more);
        }
        self.kept(id)
    }

    /// What is kept is what it takes without the step of its own node, which is paid each time.
    fn kept(&self, id: MemoId) -> Self {
        let inner = self.with(|op| op.price = op.price.saturating_sub(1));
        Self::of(Op { price: 1, below: 0, what: What::Shared(id, false) }, &inner.0)
    }

    /// What holds where it does not.
    fn negated(&self) -> Self {
        match &*self.0 {
            [Op { what: What::Test(test), .. }] => self.with(|op| {
                op.price = op.price.saturating_add(1);
                op.what = What::Test(Test { negated: !test.negated, ..test.clone() });
            }),
            _ => Self::new(1, What::Not, [self]),
        }
    }

    /// In a frame of its own.
    fn framed(&self) -> Self {
        match &*self.0 {
            [Op { what: What::Shared(id, _), .. }, ..] => self.with(|op| {
                op.price = op.price.saturating_add(1);
                op.what = What::Shared(*id, true);
            }),
            [Op { what: What::Column(..), .. }, ..] => self.with(|op| op.price = op.price.saturating_add(1)),
            all if placeless(all) => self.with(|op| op.price = op.price.saturating_add(1)),
            _ => Self::new(1, What::Framed, [self]),
        }
    }

    /// What holds where any of some plans does.
    pub fn any(plans: &[&Plan]) -> Option<Self> {
        match plans {
            [] => None,
            [one] => Some((*one).clone()),
            some => Some(Self::new(1, What::Join(true), some.iter().copied())),
        }
    }

    /// Its first part, those that belong to it, and what it takes.
    #[inline]
    pub fn begun(&self) -> Option<Begun<'_>> {
        begun(&self.0)
    }

    /// Its parts, in the order in which they stand.
    pub fn ops(&self) -> &[Op] {
        &self.0
    }
}

/// What is kept already, a look at one field of the incident, and a few of these are not.
fn worth_keeping(ops: &[Op]) -> bool {
    let Some((op, rest)) = ops.split_first() else { return false };
    match &op.what {
        What::Shared(..) | What::Column(..) => false,
        What::Framed | What::Not => worth_keeping(rest),
        What::Join(_) => parts(rest).count() > 4 || parts(rest).any(worth_keeping),
        What::Test(t) => match t.source {
            Source::Incident(_) | Source::Len(List::Kind(_) | List::Alerts) => !matches!(
                t.check,
                Check::True | Check::Known | Check::Is(_) | Check::Int(..) | Check::Level(..) | Check::Compare(..) | Check::OneOf(_)
            ),
            _ => true,
        },
        _ => true,
    }
}

impl Walk {
    /// How a list is gone through to ask this of each item, which is the local at this position; and what the list costs.
    pub fn of(list: &Expr, body: &[Op], item: usize) -> Option<(Self, u32)> {
        let (list, cost) = List::of(list)?;
        let of_item = |op: &Op| match &op.what {
            What::Test(t) => t.source.of_local().is_some_and(|n| usize::from(n) == item && t.check.local() != Some(n)),
            _ => false,
        };
        let by = match body {
            [op] if of_item(op) => By::Test,
            [Op { what: What::Join(false), .. }, first, ..] if of_item(first) => By::FirstTest,
            _ => By::Item,
        };
        Some((Self { list, by }, cost))
    }
}

/// What is asked of the items of a list: a test, what each item takes, and what must hold of it as well.
pub type OfItems<'o> = (&'o Test, u32, &'o [Op]);

impl Walk {
    /// What is asked of the items to find those that answer as wanted, where it is a test of each.
    #[inline]
    pub fn tested<'o>(self, body: &'o [Op], wanted: bool) -> Option<OfItems<'o>> {
        match (self.by, body) {
            (By::Test, [Op { price, what: What::Test(test), .. }]) => Some((test, price.saturating_add(1), &[])),
            (By::FirstTest, [join, Op { price, what: What::Test(test), .. }, more @ ..]) if wanted => {
                Some((test, join.price.saturating_add(*price).saturating_add(1), more))
            }
            _ => None,
        }
    }
}

impl List {
    /// The list of an expression, and the steps of all of it.
    pub fn of(e: &Expr) -> Option<(Self, u32)> {
        match &e.node {
            Node::Collection(kind) => Some((Self::Kind(*kind), 1)),
            Node::Alerts => Some((Self::Alerts, 1)),
            Node::Call(function, args) if function.name == "entities" => match args.as_slice() {
                [alert, kind] => match (&alert.node, &alert.ty, &kind.node) {
                    (Node::Local(n), Ty::Alert, Node::Const(Value::Kind(kind))) => Some((Self::Named(u8::try_from(*n).ok()?, *kind), 3)),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }
}

/// A test of one value.
#[derive(Clone, Debug)]
pub struct Test {
    /// What is looked at.
    pub source: Source,
    /// What is asked of it.
    pub check: Check,
    /// Whether it holds where the answer is no.
    pub negated: bool,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A local itself.
    Local(u8),
    /// A property of a local that is of one kind, and where these stand; whether it is a flag, which is false where it is
    /// not recorded.
    Cell(u8, Prop, Slot, bool),
    /// A property of a local.
    Prop(u8, Prop),
    /// A field of an entity.
    Entity(u8, EntityField),
    /// A field of an alert.
    Alert(u8, AlertField),
    /// A field of the incident.
    Incident(IncidentField),
    /// The incident.
    Whole,
    /// How many items a list has.
    Len(List),
}

impl Source {
    /// The local that it asks for: itself, something of it, or what it names.
    fn local(self) -> Option<u8> {
        match self {
            Self::Local(n) | Self::Len(List::Named(n, _)) => Some(n),
            other => other.of_local(),
        }
    }

    /// The local of which it is something.
    pub fn of_local(self) -> Option<u8> {
        match self {
            Self::Cell(n, ..) | Self::Prop(n, _) | Self::Entity(n, _) | Self::Alert(n, _) => Some(n),
            Self::Local(_) | Self::Incident(_) | Self::Whole | Self::Len(_) => None,
        }
    }
}

/// What is asked of a value.
#[derive(Clone, Debug)]
pub enum Check {
    /// Whether it is `true`.
    True,
    /// Whether it is there at all.
    Known,
    /// Whether it is this text.
    Is(Arc<str>),
    /// How it compares with this number.
    Int(Compare, i64),
    /// How it compares with this level.
    Level(Compare, Level),
    /// How it compares with anything else that is written there.
    Compare(Compare, Box<Value>),
    /// How it compares with another value.
    With(Compare, Source),
    /// Whether it is one of these texts, in order.
    OneOf(Box<[Arc<str>]>),
    /// Whether it is one of these.
    Among(Box<[Value]>),
    /// Whether it is in the list at this position; whether that is paid for.
    Listed(u32, bool),
    /// Whether the text is in it: in a text, or among some texts.
    Contains(Arc<str>),
    /// Whether it is in a list; whether the walk is paid for.
    Member(List, bool),
    /// Whether it begins so.
    Starts(Arc<str>),
    /// Whether it ends so.
    Ends(Arc<str>),
    /// Whether the regular expression is found in it.
    Matches(Arc<Pattern>),
    /// Whether it fits the glob.
    Glob(Arc<Glob>),
    /// Whether the entity has something of this name.
    Has(Holds, Arc<str>),
    /// Whether the alert, or any alert of the incident, has something of this name.
    AlertHas(AlertHolds, Arc<str>),
}

impl Check {
    /// How something compares with what is written there.
    fn with(op: Compare, v: &Value) -> Self {
        match (op, v) {
            (Compare::Eq, Value::Text(t)) => Self::Is(t.clone()),
            (_, Value::Int(n)) => Self::Int(op, *n),
            (_, Value::Level(l)) => Self::Level(op, *l),
            _ => Self::Compare(op, Box::new(v.clone())),
        }
    }

    /// The local that it asks for beside what it is asked of.
    fn local(&self) -> Option<u8> {
        match self {
            Self::With(_, other) => other.local(),
            Self::Member(List::Named(n, _), _) => Some(*n),
            _ => None,
        }
    }
}

/// A value that stands in the incident, as it is looked at.
#[derive(Clone, Copy, Debug)]
pub enum Ref<'a> {
    /// Nothing is recorded.
    Absent,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// A level.
    Level(Level),
    /// A moment.
    Time(Time),
    /// Some texts.
    Texts(&'a [Text]),
    /// Anything else, such as an entity.
    Other(&'a Value),
}

/// Whether two texts are the same: most that are not differ in their length or in their first letter.
#[inline(always)]
pub fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.as_bytes().first() == b.as_bytes().first() && a == b
}

impl<'a> Ref<'a> {
    /// What a value is, looked at.
    pub fn of(v: &'a Value) -> Self {
        match v {
            Value::Absent => Self::Absent,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(n) => Self::Int(*n),
            Value::Text(t) => Self::Text(t),
            Value::Level(l) => Self::Level(*l),
            Value::Time(t) => Self::Time(*t),
            other => Self::Other(other),
        }
    }

    /// What a property holds.
    pub fn held(v: Option<&'a PropValue>, flag: bool) -> Self {
        match v {
            Some(PropValue::Text(t)) => Self::Text(t),
            Some(PropValue::Int(n)) => Self::Int(*n),
            Some(PropValue::Bool(b)) => Self::Bool(*b),
            Some(PropValue::Level(l)) => Self::Level(*l),
            Some(PropValue::Time(t)) => Self::Time(*t),
            Some(PropValue::Texts(all)) => Self::Texts(all),
            None if flag => Self::Bool(false),
            None => Self::Absent,
        }
    }

    /// A moment, where one is known.
    pub fn time(t: Option<Time>) -> Self {
        t.map_or(Self::Absent, Self::Time)
    }

    /// A level, where one is known.
    pub fn level(l: Option<Level>) -> Self {
        l.map_or(Self::Absent, Self::Level)
    }

    /// How two values compare: as [`Value::same`] and [`Value::order`] say.
    #[inline]
    pub fn compare(self, op: Compare, other: Ref<'_>) -> bool {
        use std::cmp::Ordering::Equal;
        let order = match (self, other) {
            (Ref::Bool(a), Ref::Bool(b)) => (a == b).then_some(Equal),
            (Ref::Int(a), Ref::Int(b)) => Some(a.cmp(&b)),
            (Ref::Text(a), Ref::Text(b)) if matches!(op, Compare::Eq | Compare::Ne) => same(a, b).then_some(Equal),
            (Ref::Text(a), Ref::Text(b)) => Some(a.cmp(b)),
            (Ref::Level(a), Ref::Level(b)) => Some(a.cmp(&b)),
            (Ref::Time(a), Ref::Time(b)) => Some(a.cmp(&b)),
            (Ref::Other(a), Ref::Other(b)) => {
                if a.same(b) {
                    Some(Equal)
                } else {
                    a.order(b)
                }
            }
            // A whole number beside a fraction.
            (Ref::Int(a), Ref::Other(b)) => Value::Int(a).order(b),
            (Ref::Other(a), Ref::Int(b)) => a.order(&Value::Int(b)),
            _ => None,
        };
        op.holds(order)
    }
}

/// The plan of a node whose parts have theirs; `None` where it looks at more than plain values.
///
/// `depth` is how many locals there are around it.
pub fn of(node: &Node, ty: &Ty, depth: usize) -> Option<Plan> {
    if *ty != Ty::Bool {
        return None;
    }
    Some(match node {
        Node::Not(x) => x.plan.as_ref()?.negated(),
        Node::And(all) | Node::Or(all) => {
            let settles = matches!(node, Node::Or(_));
            Plan::new(1, What::Join(settles), all.iter().map(|x| x.plan.as_ref()).collect::<Option<Vec<_>>>()?)
        }
        Node::Binding(_, body) => body.plan.as_ref()?.framed(),
        Node::Clause(condition, args) if args.is_empty() => condition.body.plan.as_ref()?.framed(),
        Node::Each(op @ (Each::Some | Each::All), list, body) => {
            let body = body.plan.as_ref()?;
            let (walk, cost) = Walk::of(list, &body.0, depth)?;
            Plan::new(cost.checked_add(1)?, What::Each(walk, *op == Each::All), [body])
        }
        Node::Compare(op, a, b) => match (&a.node, &b.node) {
            (Node::Each(Each::Count, list, body), Node::Const(Value::Int(n))) => {
                let body = body.plan.as_ref()?;
                let (walk, cost) = Walk::of(list, &body.0, depth)?;
                // The comparison, the count and the number.
                Plan::new(cost.checked_add(3)?, What::Count(walk, *op, *n), [body])
            }
            // What is not the same is what is not equal.
            _ => {
                let ne = *op == Compare::Ne;
                test(compared(if ne { Compare::Eq } else { *op }, a, b)?, ne)?
            }
        },
        Node::Local(_) | Node::Field(..) => test((source_of(node)?, Check::True, steps_of(node)?.saturating_sub(1)), false)?,
        Node::In(item, of) => test(inside(item, of)?, false)?,
        Node::Call(function, args) => test(called(function.name, args)?, false)?,
        _ => return None,
    })
}

/// What is looked at, what is asked of it, and how many steps it takes to come by what is compared, whatever is there.
type Asked = (Source, Check, u32);

fn test((source, check, cost): Asked, negated: bool) -> Option<Plan> {
    Some(Plan::new(cost.checked_add(1)?, What::Test(Test { source, check, negated }), []))
}

fn source(e: &Expr) -> Option<Source> {
    source_of(&e.node)
}

fn source_of(node: &Node) -> Option<Source> {
    Some(match node {
        Node::Local(n) => Source::Local(u8::try_from(*n).ok()?),
        Node::Incident => Source::Whole,
        Node::Field(of, field) => match (source_of(&of.node)?, field) {
            (Source::Local(n), Field::Prop(p)) => match &of.ty {
                Ty::Entity(kinds) => match kinds.single().and_then(|k| slot(k, *p)) {
                    Some(s) => Source::Cell(n, *p, s, p.spec().ty == PropType::Bool),
                    None => Source::Prop(n, *p),
                },
                _ => return None,
            },
            (Source::Local(n), Field::Entity(f)) => match f {
                EntityField::Roles | EntityField::Tags | EntityField::Signals | EntityField::Alerts => return None,
                f => Source::Entity(n, *f),
            },
            (Source::Local(n), Field::Alert(f)) => match f {
                AlertField::Signals => return None,
                f => Source::Alert(n, *f),
            },
            (Source::Whole, Field::Incident(f)) => match f {
                IncidentField::Tactics | IncidentField::Types | IncidentField::Entities | IncidentField::Alerts => return None,
                f => Source::Incident(*f),
            },
            _ => return None,
        },
        Node::Call(function, args) if function.name == "len" => match args.as_slice() {
            [list] => Source::Len(List::of(list)?.0),
            _ => return None,
        },
        _ => return None,
    })
}

/// How many steps it takes to come by a value: a node each.
fn steps_of(node: &Node) -> Option<u32> {
    Some(match node {
        Node::Local(_) | Node::Incident | Node::Const(_) => 1,
        Node::Field(of, _) => steps_of(&of.node)?.checked_add(1)?,
        Node::Array(all) => u32::try_from(all.len()).ok()?.checked_add(1)?,
        Node::Call(function, args) if function.name == "len" => List::of(args.first()?)?.1.checked_add(1)?,
        _ => return None,
    })
}

/// The steps of these.
fn below(parts: &[&Expr]) -> Option<u32> {
    parts.iter().try_fold(0u32, |n, x| n.checked_add(steps_of(&x.node)?))
}

/// Whether a value of this type is one that is looked at, not made.
fn plain(ty: &Ty) -> bool {
    matches!(ty, Ty::Bool | Ty::Int | Ty::Float | Ty::Text | Ty::Level | Ty::Time | Ty::Entity(_) | Ty::Alert)
}

fn compared(op: Compare, a: &Expr, b: &Expr) -> Option<Asked> {
    if !plain(&a.ty) || !plain(&b.ty) {
        return None;
    }
    let cost = below(&[a, b])?;
    Some(match (&a.node, &b.node) {
        (_, Node::Const(v)) => (source(a)?, Check::with(op, v), cost),
        (Node::Const(v), _) => (source(b)?, Check::with(op.turned(), v), cost),
        _ => (source(a)?, Check::With(op, source(b)?), cost),
    })
}

fn inside(item: &Expr, of: &Expr) -> Option<Asked> {
    if let (Some(list), true) = (List::of(of), matches!(item.ty, Ty::Entity(_))) {
        let cost = steps_of(&item.node)?.checked_add(list.1)?;
        return Some((source(item)?, Check::Member(list.0, true), cost));
    }
    let mut cost = below(&[item, of])?;
    let check = match (&item.node, &of.node, &of.ty) {
        // What is asked is the list, where the item is written there.
        (Node::Const(Value::Text(part)), Node::Field(..), Ty::Text | Ty::List(_)) => {
            return Some((source(of)?, Check::Contains(part.clone()), cost));
        }
        (_, Node::Const(Value::Named(n)), _) => Check::Listed(*n, true),
        (_, Node::Array(all), _) if plain(&item.ty) => {
            cost = cost.checked_add(u32::try_from(all.len()).ok()?)?;
            among(all)?
        }
        _ => return None,
    };
    Some((source(item)?, check, cost))
}

/// The check of a list that is written there.
fn among(all: &[Expr]) -> Option<Check> {
    let values: Vec<Value> = all.iter().map(|x| if let Node::Const(v) = &x.node { Some(v.clone()) } else { None }).collect::<Option<_>>()?;
    let texts: Option<Vec<Arc<str>>> = values.iter().map(|v| if let Value::Text(t) = v { Some(t.clone()) } else { None }).collect();
    Some(match texts {
        Some(all) => Check::OneOf(all.into()),
        None => Check::Among(values.into()),
    })
}

fn called(name: &str, args: &[Expr]) -> Option<Asked> {
    if let ("contains", [list, item]) = (name, args)
        && matches!(item.ty, Ty::Entity(_))
    {
        let (list, cost) = List::of(list)?;
        return Some((source(item)?, Check::Member(list, false), cost.checked_add(steps_of(&item.node)?)?));
    }
    let cost = below(&args.iter().collect::<Vec<_>>())?;
    let [of, rest @ ..] = args else { return None };
    let given = match rest {
        [] => None,
        [x] => match &x.node {
            Node::Const(v) => Some(v),
            _ => return None,
        },
        _ => return None,
    };
    let check = match (name, &of.ty, given) {
        ("known", _, None) if plain(&of.ty) => Check::Known,
        ("contains", Ty::Text, Some(Value::Text(t))) => Check::Contains(t.clone()),
        ("starts_with", Ty::Text, Some(Value::Text(t))) => Check::Starts(t.clone()),
        ("ends_with", Ty::Text, Some(Value::Text(t))) => Check::Ends(t.clone()),
        ("matches", Ty::Text, Some(Value::Pattern(r))) => Check::Matches(r.clone()),
        ("glob", Ty::Text, Some(Value::Glob(g))) => Check::Glob(g.clone()),
        ("in_list", Ty::Entity(_), Some(Value::Named(n))) => Check::Listed(*n, false),
        ("has_signal", Ty::Entity(_), Some(Value::Text(t))) => Check::Has(Holds::Signal, t.clone()),
        ("has_role", Ty::Entity(_), Some(Value::Text(t))) => Check::Has(Holds::Role, t.clone()),
        ("has_tag", Ty::Entity(_), Some(Value::Text(t))) => Check::Has(Holds::Tag, t.clone()),
        ("has_signal", Ty::Alert | Ty::Incident, Some(Value::Text(t))) => Check::AlertHas(AlertHolds::Signal, t.clone()),
        ("has_technique", Ty::Alert | Ty::Incident, Some(Value::Text(t))) => Check::AlertHas(AlertHolds::Technique, t.clone()),
        ("has_tactic", Ty::Alert | Ty::Incident, Some(Value::Text(t))) => Check::AlertHas(AlertHolds::Tactic, t.clone()),
        _ => return None,
    };
    Some((source(of)?, check, cost))
}
