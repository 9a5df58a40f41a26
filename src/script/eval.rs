//! Runs the typed form. The answer depends on the expression and the facts alone: no clock, no input, no order of asking.

use std::collections::HashMap;
use std::sync::Arc;

use super::expr::{Arith, Condition, Each, Expr, Key, MemoId, Node};
use super::facts::Facts;
use super::fields::{AlertField, EdgeField, EntityField, Field, IncidentField, PairField};
use super::limits;
use super::memory::{Memo, Memory};
use super::plan::{Begun, Op, Plan, shared};
use super::trace::{Looked, Most, Seen};
use super::ty::Ty;
use super::value::Value;
use crate::model::{AlertIx, EdgeIx, EntityIx, Prop, Time};
use crate::source::Span;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It cost more than a question may.
    Budget(Option<Span>),
    /// It cannot be computed: overflow, division by zero, a position outside a list.
    Fail(Option<Span>, String),
}

impl Stop {
    /// The failure without its place, from native code.
    pub fn fail(message: impl Into<String>) -> Self {
        Stop::Fail(None, message.into())
    }

    fn at(self, span: Span) -> Self {
        match self {
            Stop::Budget(None) => Stop::Budget(Some(span)),
            Stop::Fail(None, m) => Stop::Fail(Some(span), m),
            other => other,
        }
    }

    /// Where and what, for a diagnostic.
    pub fn parts(&self) -> (Option<Span>, String) {
        match self {
            Stop::Budget(s) => {
                (*s, format!("it takes more than {} steps, or all playbooks together more than {}", limits::STEPS, limits::INCIDENT_STEPS))
            }
            Stop::Fail(s, m) => (*s, m.clone()),
        }
    }
}

/// How often each test held and did not, and how often each list held something and nothing, by its place and question.
pub type Observed = HashMap<(Span, Key), (usize, usize)>;

/// The evaluation of expressions over one incident: facts, what was answered already, and what it cost.
pub struct Cx<'a> {
    /// What can be asked about.
    pub facts: &'a Facts<'a>,
    pub(super) memory: Memory,
    /// Whether what is looked at is noted.
    pub(super) tracing: bool,
    /// How many findings are looked for under a clause.
    findings: usize,
    observed: Option<Box<Observed>>,
    pub(super) locals: Vec<Value>,
    pub(super) base: usize,
    /// What all questions took.
    pub(super) steps: u64,
    /// How much of it was only counted, since the answer was kept.
    saved: u64,
    /// What had been counted when this question began.
    begun: u64,
    /// How much may be counted for it: what one question may take, and what is left of what all may.
    most: u64,
}

impl<'a> Cx<'a> {
    /// Over these facts, with room for the answers to so many questions.
    pub fn new(facts: &'a Facts<'a>, questions: usize) -> Self {
        Self::with(facts, Memory::new(questions))
    }

    /// Over these facts, with a memory that may have served others.
    pub fn with(facts: &'a Facts<'a>, mut memory: Memory) -> Self {
        memory.clear();
        Self {
            facts,
            memory,
            tracing: false,
            findings: limits::LOOKED_FOR,
            observed: None,
            locals: Vec::new(),
            base: 0,
            steps: 0,
            saved: 0,
            begun: 0,
            most: limits::STEPS,
        }
    }

    /// The memory, to serve others.
    pub fn into_memory(self) -> Memory {
        self.memory
    }

    /// The value of an expression with these parameters.
    pub fn value(&mut self, e: &Expr, params: &[Value]) -> Result<Value, Stop> {
        self.begin(params);
        self.eval(e)
    }

    #[inline]
    fn begin(&mut self, params: &[Value]) {
        (self.begun, self.base) = (self.steps, 0);
        self.limit();
        // Most ask about the incident and have none: two calls saved.
        if !self.locals.is_empty() {
            self.locals.clear();
        }
        if !params.is_empty() {
            self.locals.extend_from_slice(params);
        }
    }

    /// How many steps the last question took, counting those of answers that were kept.
    pub fn cost(&self) -> u64 {
        self.steps.saturating_sub(self.begun)
    }

    /// Whether an expression holds with these parameters.
    #[inline]
    pub fn holds(&mut self, e: &Expr, params: &[Value]) -> Result<bool, Stop> {
        self.begin(params);
        self.test(e)
    }

    /// The value of an expression with these parameters, and what was looked at for it.
    pub fn traced(&mut self, e: &Expr, params: &[Value]) -> (Result<Value, Stop>, Vec<Seen>) {
        let value = self.noted(e, params);
        (value, self.memory.trace.taken())
    }

    /// The value of an expression, with what was looked at left in the trace.
    fn noted(&mut self, e: &Expr, params: &[Value]) -> Result<Value, Stop> {
        self.tracing(Most { apart: self.findings, all: self.findings }, |cx| cx.aside(|cx| cx.value(e, params)))
    }

    /// What was looked at for an expression that is known to hold with these parameters, or not to. `plan` is the expression's,
    /// which may stand within another one.
    pub fn looked(&mut self, e: &Expr, plan: Option<&[Op]>, params: &[Value], holds: bool) -> Looked {
        let Some(plan) = plan else {
            drop(self.noted(e, params));
            return self.memory.trace.kept();
        };
        if let Some(one) = self.alone(plan, holds) {
            return one;
        }
        let shown = self.findings == limits::LOOKED_FOR;
        // What many ask is looked into once.
        let shared = shared(plan).filter(|_| shown);
        if let Some(known) = shared.and_then(|id| self.memory.looked(id)) {
            return known;
        }
        let complete = self.tracing(Most { apart: if shown { limits::FINDINGS } else { self.findings }, all: self.findings }, |cx| {
            cx.begin(params);
            cx.tell(plan, holds);
            !cx.spent_out()
        });
        let looked = self.memory.trace.kept();
        if let Some(id) = shared.filter(|_| complete) {
            self.memory.look(id, looked);
        }
        looked
    }

    /// Keeps what was looked at.
    #[inline]
    pub fn kept(&mut self, seen: impl IntoIterator<Item = Seen>) -> Looked {
        self.memory.trace.keep(seen)
    }

    /// Does something after which nobody asks for what was looked at meanwhile: that makes room, but for what is kept for others
    /// who ask the same.
    pub fn passing<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.memory.trace.len();
        let out = run(self);
        self.memory.forget(before);
        out
    }

    /// What was looked at for a question, until the incident is left.
    pub fn seen(&self, looked: Looked) -> &[Seen] {
        self.memory.trace.of(looked)
    }

    /// Does something whose evidence is noted; what it takes is not counted beyond it.
    #[inline]
    fn tracing<T>(&mut self, most: Most, run: impl FnOnce(&mut Self) -> T) -> T {
        debug_assert!(!self.tracing, "looking is not part of what is looked at");
        self.tracing = true;
        self.memory.trace.begin(most);
        let counted = self.spending();
        let out = run(self);
        self.spend(counted);
        self.tracing = false;
        out
    }

    /// Does something that is decided by what clauses looked at, and not only shown.
    pub fn deciding<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.findings, limits::DECIDED_BY);
        let out = run(self);
        self.findings = before;
        out
    }

    /// From now on, keeps how every test came out. No answer is taken from memory then, so that each place is seen by
    /// itself; the answers are the same.
    pub fn observe(&mut self) {
        self.observed = Some(Box::default());
    }

    /// How every test came out since [`Cx::observe`]; from now on it is not kept any more.
    pub fn observed(&mut self) -> Observed {
        self.observed.take().map(|all| *all).unwrap_or_default()
    }

    /// Does something that is not observed: it looks at tests on which nothing depends.
    pub fn aside<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let observed = self.observed.take();
        let out = run(self);
        self.observed = observed;
        out
    }

    /// Adds a finding, where findings are wanted.
    pub fn note(&mut self, what: impl FnOnce() -> Seen) {
        if self.tracing {
            self.memory.trace.add(what());
        }
    }

    /// Counts work that a native function is about to do.
    pub fn work(&mut self, steps: usize) -> Result<(), Stop> {
        self.steps = self.steps.saturating_add(steps as u64);
        self.pay()
    }

    /// Counts the size of what a native function made.
    pub fn made(&mut self, size: usize) -> Result<(), Stop> {
        if size > limits::TEXT_BYTES {
            return Err(Stop::fail(format!("the result is larger than {} bytes or items", limits::TEXT_BYTES)));
        }
        self.work(size.saturating_div(8))
    }

    /// Counts work that was done, whose end [`Cx::pay`] settles. Steps take time, and nobody has enough of it to use up 64
    /// bits; work that is only announced is counted by [`Cx::work`].
    #[inline(always)]
    pub(super) fn charge(&mut self, steps: u64) {
        self.steps = self.steps.wrapping_add(steps);
    }

    /// Counts what an answer took that is only looked up.
    fn save(&mut self, steps: u64) {
        self.charge(steps);
        self.saved = self.saved.wrapping_add(steps);
        self.limit();
    }

    #[inline]
    fn limit(&mut self) {
        self.most = self.begun.wrapping_add(limits::STEPS).min(self.saved.wrapping_add(limits::INCIDENT_STEPS));
    }

    /// Whether what was counted is beyond the limits.
    #[inline]
    pub(super) fn spent_out(&self) -> bool {
        self.steps > self.most
    }

    /// Whether what was counted is still within the limits.
    pub(super) fn pay(&self) -> Result<(), Stop> {
        if self.spent_out() { Err(Stop::Budget(None)) } else { Ok(()) }
    }

    /// The answer to a question, where it is kept as no or yes: what it cost is counted.
    #[inline]
    pub(super) fn known(&mut self, id: MemoId) -> Option<bool> {
        let (found, cost) = self.memory.known(id)?;
        self.save(cost);
        Some(found)
    }

    /// The answer to a question that is not known, to be kept.
    #[inline(never)]
    pub(super) fn remembered(&mut self, id: MemoId, framed: bool, ops: &[Op]) -> bool {
        if self.spent_out() {
            return false;
        }
        let before = self.steps;
        let (found, place) = if framed { self.in_frame(|cx| cx.settled(ops)) } else { self.settled(ops) };
        self.keep(id, found, before, place);
        found
    }

    /// Keeps an answer, and the place of the item that settled it, with what it took since then. What ran out of its asker's
    /// budget may fit another's.
    #[inline(always)]
    pub(super) fn keep(&mut self, id: MemoId, found: bool, before: u64, place: Option<usize>) {
        if !self.spent_out() {
            self.memory.answered(id, found, self.steps.wrapping_sub(before), place);
        }
    }

    /// Whether a plan about the incident holds; `None` where it takes more than a question may, and while tests are observed.
    #[inline(always)]
    pub fn gate(&mut self, (op, rest, price): Begun<'_>) -> Option<bool> {
        if self.observed.is_some() {
            return None;
        }
        self.begin(&[]);
        self.charge(u64::from(price));
        let holds = self.answer(op, rest);
        (!self.spent_out()).then_some(holds)
    }

    /// Whether something holds.
    #[inline]
    fn test(&mut self, e: &Expr) -> Result<bool, Stop> {
        match &e.plan {
            Some(plan) if !self.tracing && self.observed.is_none() => self.planned(plan, e.span),
            _ => self.eval(e).map(|v| v.is_true()),
        }
    }

    /// The answer to a plan, which stands for what is written there.
    #[inline]
    fn planned(&mut self, plan: &Plan, span: Span) -> Result<bool, Stop> {
        let holds = self.run(plan.ops());
        if self.spent_out() { Err(Stop::Budget(Some(span))) } else { Ok(holds) }
    }

    fn eval(&mut self, e: &Expr) -> Result<Value, Stop> {
        if let Some(plan) = e.plan.as_ref().filter(|_| self.observed.is_none()) {
            let holds = self.planned(plan, e.span)?;
            self.tell_of(plan, holds);
            return Ok(holds.into());
        }
        // Once there is as much evidence as is shown, the rest is only answered.
        if self.tracing && self.memory.trace.full() {
            return self.untraced(|cx| cx.eval(e));
        }
        self.work(1).map_err(|s| s.at(e.span))?;
        if self.observed.is_some() {
            return self.observing(e);
        }
        let Some(id) = e.memo else { return self.node(e) };
        if let Some(known) = self.memory.get(id) {
            let looked = self.tracing && self.memory.trace.first_visit(id);
            if !looked {
                self.save(known.cost);
                if self.spent_out() {
                    return Err(Stop::Budget(Some(e.span)));
                }
                return known.value;
            }
            return self.node(e);
        }
        if self.tracing {
            self.memory.trace.first_visit(id);
        }
        let before = self.steps;
        let value = self.node(e);
        // What ran out of its asker's budget may fit another's.
        if !matches!(value, Err(Stop::Budget(_))) {
            self.memory.put(id, &value, self.steps.saturating_sub(before));
        }
        value
    }

    /// Evaluates while tests are observed.
    fn observing(&mut self, e: &Expr) -> Result<Value, Stop> {
        let value = self.node(e)?;
        let held = match &value {
            Value::Bool(b) => *b,
            Value::List(all) => !all.is_empty(),
            _ => return Ok(value),
        };
        if let Some(all) = &mut self.observed {
            let (yes, no) = all.entry((e.span, e.key)).or_default();
            let count = if held { yes } else { no };
            *count = count.saturating_add(1);
        }
        Ok(value)
    }

    fn node(&mut self, e: &Expr) -> Result<Value, Stop> {
        Ok(match &e.node {
            Node::Const(v) => v.clone(),
            Node::Local(n) => self.locals.get(self.base.saturating_add(*n)).cloned().unwrap_or(Value::Absent),
            Node::Binding(_, body) => self.framed([], |cx| cx.eval(body))?,
            Node::Clause(condition, args) => return self.clause(condition, args),
            Node::Incident => Value::Incident,
            Node::Alerts => Value::list(self.facts.incident.alerts().map(|(ix, _)| Value::Alert(ix))),
            Node::Collection(kind) => self.facts.of_kind(*kind),
            Node::Field(of, field) => {
                let of = self.eval(of)?;
                self.field(&of, *field, &e.ty)
            }
            Node::Key(of, name) => match self.eval(of)? {
                Value::Map(all) => all.iter().find(|(k, _)| k == name).map_or(Value::Absent, |(_, v)| v.clone()),
                _ => empty(&e.ty),
            },
            Node::Not(of) => (!self.test(of)?).into(),
            Node::Negate(of) => match self.eval(of)? {
                Value::Int(n) => Value::Int(n.checked_neg().ok_or_else(|| overflow(e.span))?),
                Value::Float(x) => Value::Float(-x),
                Value::Duration(d) => Value::Duration(d.checked_neg().ok_or_else(|| overflow(e.span))?),
                _ => Value::Absent,
            },
            Node::And(all) => return self.junction(all, false),
            Node::Or(all) => return self.junction(all, true),
            Node::Coalesce(all) => {
                let mut last = Value::Absent;
                for x in all {
                    last = self.eval(x)?;
                    if !last.is_absent() {
                        break;
                    }
                }
                last
            }
            Node::Compare(op, a, b) => {
                let (a, b) = (self.eval(a)?, self.eval(b)?);
                self.compare_cost(&a, &b)?;
                op.says(&a, &b).into()
            }
            Node::Arith(op, a, b) => {
                let (x, y) = (self.eval(a)?, self.eval(b)?);
                let v = arith(*op, &x, &y).map_err(|s| s.at(e.span))?;
                if let Value::Text(t) = &v {
                    self.made(t.len()).map_err(|s| s.at(e.span))?;
                }
                v
            }
            Node::In(item, of) => {
                let (item, of) = (self.eval(item)?, self.eval(of)?);
                self.is_in(&item, &of).map_err(|s| s.at(e.span))?.into()
            }
            Node::If(test, yes, no) => {
                if self.test(test)? {
                    return self.eval(yes);
                }
                return self.eval(no);
            }
            Node::Switch(of, arms, rest) => {
                let of = self.eval(of)?;
                for arm in arms {
                    let fits = arm.values.iter().any(|v| match (v, &of) {
                        (Value::Range(from, to, closed), Value::Int(n)) => from <= n && (n < to || *closed && n == to),
                        (v, of) => v.same(of),
                    });
                    if fits && arm.guard.as_ref().map_or(Ok(true), |g| self.test(g))? {
                        return self.eval(&arm.then);
                    }
                }
                return self.eval(rest);
            }
            Node::Array(all) => Value::List(all.iter().map(|x| self.eval(x)).collect::<Result<Vec<_>, _>>()?.into()),
            Node::Map(all) => Value::Map(all.iter().map(|(k, x)| Ok((k.clone(), self.eval(x)?))).collect::<Result<Vec<_>, Stop>>()?.into()),
            Node::Index(of, at) => {
                let (of, at) = (self.eval(of)?, self.eval(at)?);
                match (&of, &at) {
                    (Value::List(all), Value::Int(n)) => {
                        // As in Rhai, a negative position counts from the end.
                        let len = i64::try_from(all.len()).unwrap_or(i64::MAX);
                        let at = if *n < 0 { len.checked_add(*n) } else { Some(*n) };
                        at.and_then(|n| usize::try_from(n).ok())
                            .and_then(|n| all.get(n).cloned())
                            .ok_or_else(|| Stop::Fail(Some(e.span), format!("position {n} of a list with {len} items")))?
                    }
                    _ => Value::Absent,
                }
            }
            Node::Range(a, b, closed) => match (self.eval(a)?, self.eval(b)?) {
                (Value::Int(a), Value::Int(b)) => Value::Range(a, b, *closed),
                _ => Value::Range(0, 0, false),
            },
            Node::Interpolate(parts) => {
                let mut out = String::new();
                for p in parts {
                    let v = self.eval(p)?;
                    out.push_str(&self.display(&v));
                    self.made(out.len()).map_err(|s| s.at(e.span))?;
                }
                out.into()
            }
            Node::Call(function, args) => {
                // Most have one value or two: these need no list of their own.
                let (one, two, more);
                let args: &[Value] = match args.as_slice() {
                    [a] => {
                        one = [self.eval(a)?];
                        &one
                    }
                    [a, b] => {
                        two = [self.eval(a)?, self.eval(b)?];
                        &two
                    }
                    all => {
                        more = all.iter().map(|x| self.eval(x)).collect::<Result<Vec<_>, _>>()?;
                        &more
                    }
                };
                if function.name != "known" && args.iter().any(Value::is_absent) {
                    return Ok(empty(&e.ty));
                }
                let value = (function.run)(self, args).map_err(|s| s.at(e.span))?;
                // An item of an empty list of flags is false, as flags are never absent.
                if value.is_absent() { empty(&e.ty) } else { value }
            }
            Node::Each(op, of, body) => return self.each(*op, of, body, e),
        })
    }

    /// Runs something with its own parameters.
    pub(super) fn framed<T>(&mut self, args: impl IntoIterator<Item = Value>, run: impl FnOnce(&mut Self) -> T) -> T {
        let (base, len) = (self.base, self.locals.len());
        self.base = len;
        self.locals.extend(args);
        let out = run(self);
        self.locals.truncate(len);
        self.base = base;
        out
    }

    fn clause(&mut self, condition: &Condition, args: &[Expr]) -> Result<Value, Stop> {
        let args = args.iter().map(|x| self.eval(x)).collect::<Result<Vec<_>, _>>()?;
        if args.iter().any(Value::is_absent) {
            return Ok(false.into());
        }
        if args.is_empty() {
            return self.framed([], |cx| cx.eval(&condition.body));
        }
        let entities: Vec<EntityIx> = args.iter().filter_map(|v| if let Value::Entity(e) = v { Some(*e) } else { None }).collect();
        let slot = (condition.body.key, entities);
        if !self.tracing
            && self.observed.is_none()
            && let Some(known) = self.memory.clauses.get(&slot).cloned()
        {
            self.save(known.cost);
            return known.value;
        }
        let before = self.steps;
        let value = self.framed(args, |cx| cx.eval(&condition.body));
        let cost = self.steps.saturating_sub(before);
        if !matches!(value, Err(Stop::Budget(_))) {
            self.memory.clauses.insert(slot, Memo { value: value.clone(), cost });
        }
        value
    }

    /// `&&` and `||`. The evidence is what decided it: the one part that settled it, or all of them.
    fn junction(&mut self, all: &[Expr], settles: bool) -> Result<Value, Stop> {
        let mut settled = None;
        for x in all {
            let holds = self.untraced(|cx| cx.test(x));
            if holds != Ok(!settles) {
                settled = Some(x);
                // Where it fails, it does so again below.
                if !self.tracing {
                    holds?;
                }
                break;
            }
        }
        if self.tracing {
            let counted = self.spending();
            for x in settled.map_or(all, std::slice::from_ref) {
                self.eval(x)?;
            }
            self.spend(counted);
        }
        Ok((settled.is_some() == settles).into())
    }

    fn each(&mut self, op: Each, of: &Expr, body: &Expr, whole: &Expr) -> Result<Value, Stop> {
        let list = self.eval(of)?;
        if !self.tracing || op == Each::Map {
            return self.over(op, &list, body, whole, None);
        }
        // What the items come to is found first; then those that speak for it are looked into, and where none does, all.
        let before = self.spending();
        let mut support = Vec::new();
        let known = whole.memo.filter(|_| op == Each::Filter).and_then(|id| self.memory.get(id));
        let found = match known.map(|m| m.value) {
            Some(Ok(found)) => found,
            _ => self.untraced(|cx| cx.over(op, &list, body, whole, Some(&mut support)))?,
        };
        let support = if op == Each::Filter { found.items() } else { &support };
        let after = self.spending();
        self.spend(before);
        for item in if support.is_empty() { list.items() } else { support } {
            if self.tracing && self.memory.trace.full() {
                break;
            }
            self.locals.push(item.clone());
            let looked = self.eval(body);
            self.locals.pop();
            looked?;
        }
        self.spend(after);
        Ok(found)
    }

    /// What comes of the items of a list; those that speak for it are kept where they are wanted.
    fn over(&mut self, op: Each, list: &Value, body: &Expr, whole: &Expr, mut support: Option<&mut Vec<Value>>) -> Result<Value, Stop> {
        let span = whole.span;
        let mut kept = Vec::new();
        let mut count = 0i64;
        for item in list.items() {
            self.work(1).map_err(|s| s.at(span))?;
            self.locals.push(item.clone());
            let got = self.eval(body);
            self.locals.pop();
            let got = got?;
            let holds = got.is_true();
            if let Some(support) = &mut support
                && holds == (op != Each::All)
            {
                support.push(item.clone());
            }
            match op {
                Each::Filter if holds => kept.push(item.clone()),
                Each::Map if !got.is_absent() => kept.push(got),
                Each::Some if holds => return Ok(true.into()),
                Each::First if holds => return Ok(item.clone()),
                Each::All if !holds => return Ok(false.into()),
                Each::Count if holds => count = count.saturating_add(1),
                _ => {}
            }
        }
        if kept.len() > limits::LIST_ITEMS {
            return Err(Stop::Fail(Some(span), format!("a list of more than {} items", limits::LIST_ITEMS)));
        }
        Ok(match op {
            Each::Filter | Each::Map => Value::list(kept),
            Each::Some => false.into(),
            Each::All => true.into(),
            Each::Count => Value::Int(count),
            Each::First => empty(&whole.ty),
        })
    }

    /// Does something without noting what is looked at for it.
    fn untraced<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let tracing = std::mem::replace(&mut self.tracing, false);
        let out = run(self);
        self.tracing = tracing;
        out
    }

    /// What was counted so far.
    pub(super) fn spending(&self) -> (u64, u64) {
        (self.steps, self.saved)
    }

    /// Goes back to what was counted: looking again at what was asked costs nothing.
    pub(super) fn spend(&mut self, counted: (u64, u64)) {
        (self.steps, self.saved) = counted;
        self.limit();
    }

    fn is_in(&mut self, item: &Value, of: &Value) -> Result<bool, Stop> {
        Ok(match (item, of) {
            (x, Value::List(all)) => {
                self.work(all.len())?;
                !x.is_absent() && all.iter().any(|y| x.same(y))
            }
            (Value::Absent, _) => false,
            (x, Value::Named(n)) => {
                let Some(list) = self.facts.lists.get(*n as usize) else { return Ok(false) };
                self.work(list.len.saturating_div(64).saturating_add(1))?;
                let holds = match x {
                    Value::Text(t) => list.has_text(t),
                    Value::Entity(e) => self.facts.entity(*e).is_some_and(|e| list.has_entity(e)),
                    _ => false,
                };
                if let Value::Entity(e) = x {
                    self.note(|| Seen::Listed(*e, *n));
                }
                holds
            }
            (Value::Text(part), Value::Text(whole)) => whole.contains(&**part),
            (Value::Int(n), Value::Range(from, to, closed)) => from <= n && (n < to || *closed && n == to),
            (Value::Text(k), Value::Map(all)) => all.iter().any(|(name, _)| name == k),
            _ => false,
        })
    }

    fn compare_cost(&mut self, a: &Value, b: &Value) -> Result<(), Stop> {
        self.work(a.items().len().min(b.items().len()))
    }

    /// A field of a value; absent of absent.
    fn field(&mut self, of: &Value, field: Field, ty: &Ty) -> Value {
        match (of, field) {
            (Value::Entity(e), Field::Prop(p)) => self.prop(*e, p, ty),
            (Value::Entity(e), Field::Entity(f)) => self.entity_field(*e, f),
            (Value::Alert(a), Field::Alert(f)) => self.alert_field(*a, f),
            (Value::Incident, Field::Incident(f)) => self.incident_field(f),
            (Value::Edge(x), Field::Edge(f)) => self.edge_field(*x, f),
            (Value::Pair(x, y), Field::Pair(f)) => match f {
                PairField::First => Value::Edge(*x),
                PairField::Second => Value::Edge(*y),
                PairField::Gap => {
                    let ends = self.facts.graph.edge(*x).and_then(|r| r.first).zip(self.facts.graph.edge(*y).and_then(|r| r.first));
                    ends.map_or(Value::Absent, |(a, b)| Value::Duration(b.duration_since(a).max(jiff::SignedDuration::ZERO)))
                }
            },
            _ => empty(ty),
        }
    }

    fn prop(&mut self, e: EntityIx, p: Prop, ty: &Ty) -> Value {
        self.note(|| Seen::Prop(e, p));
        self.facts.prop(e, p).map_or_else(|| empty(ty), Value::of_prop)
    }

    fn entity_field(&mut self, e: EntityIx, f: EntityField) -> Value {
        seen_of(e, f).into_iter().for_each(|seen| self.note(|| seen));
        self.facts.entity_field(e, f)
    }

    fn alert_field(&mut self, ix: AlertIx, f: AlertField) -> Value {
        self.note(|| Seen::Alert(ix, f));
        self.facts.alert_field(ix, f)
    }

    fn incident_field(&mut self, f: IncidentField) -> Value {
        seen_in(f).into_iter().for_each(|seen| self.note(|| seen));
        self.facts.incident_field(f)
    }

    fn edge_field(&self, x: EdgeIx, f: EdgeField) -> Value {
        let Some(r) = self.facts.graph.edge(x) else { return Value::Absent };
        match f {
            EdgeField::From => Value::Entity(r.from),
            EdgeField::To => Value::Entity(r.to),
            EdgeField::Relation => r.rel.spec().name.into(),
            EdgeField::FirstSeen => r.first.into(),
            EdgeField::LastSeen => r.last.into(),
            EdgeField::Alert => r.alerts.first().copied().into(),
            EdgeField::Alerts => Value::list(r.alerts.iter().copied().map(Value::Alert)),
            EdgeField::Basis => r.basis.word().into(),
        }
    }

    /// A value for people: an entity by name, a list as "a, b and 3 more", what is absent as "not recorded".
    pub fn display(&self, v: &Value) -> String {
        display(self.facts, v)
    }
}

/// A value for people: an entity by name, a list as "a, b and 3 more", what is absent as "not recorded".
pub fn display(facts: &Facts<'_>, v: &Value) -> String {
    match v {
        Value::Absent => "not recorded".into(),
        Value::Bool(b) => if *b { "yes" } else { "no" }.into(),
        Value::Int(n) => n.to_string(),
        Value::Float(x) => x.to_string(),
        Value::Text(t) => t.to_string(),
        Value::Level(l) => l.to_string(),
        Value::Time(t) => time_text(*t),
        Value::Duration(d) => crate::model::time::duration_text(*d),
        Value::Incident => facts.incident.title.to_string(),
        Value::Alert(a) => facts.incident.alert(*a).map_or_else(String::new, |a| a.title.to_string()),
        Value::Entity(e) => facts.entity(*e).map_or_else(String::new, |e| e.name.to_string()),
        Value::Edge(x) => facts.graph.edge(*x).map_or_else(String::new, |r| {
            format!("{} {} {}", display(facts, &Value::Entity(r.from)), r.rel.spec().name, display(facts, &Value::Entity(r.to)))
        }),
        Value::Pair(x, y) => format!("{}, then {}", display(facts, &Value::Edge(*x)), display(facts, &Value::Edge(*y))),
        Value::Named(n) => facts.lists.get(*n as usize).map_or_else(String::new, |l| l.id.to_string()),
        Value::Range(a, b, closed) => format!("{a}{}{b}", if *closed { "..=" } else { ".." }),
        Value::Map(all) => all.iter().map(|(k, v)| format!("{k}: {}", display(facts, v))).collect::<Vec<_>>().join(", "),
        Value::Pattern(r) => r.as_str().to_owned(),
        Value::Glob(_) | Value::Net(_) | Value::Rel(_) | Value::Kind(_) => String::new(),
        Value::List(all) => {
            let shown: Vec<String> = all.iter().take(SHOWN).map(|x| display(facts, x)).collect();
            match (all.len(), all.len().saturating_sub(shown.len())) {
                (0, _) => "none".into(),
                (1, _) => shown.concat(),
                (_, 0) => {
                    let (last, front) = shown.split_last().map_or(("", [].as_slice()), |(l, f)| (l.as_str(), f));
                    format!("{} and {last}", front.join(", "))
                }
                (_, more) => format!("{} and {more} more", shown.join(", ")),
            }
        }
    }
}

/// How many items of a list are named before "and n more".
const SHOWN: usize = 3;

/// A moment for people: to the second, UTC.
pub fn time_text(t: Time) -> String {
    t.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The value of a type where nothing is recorded.
pub fn empty(ty: &Ty) -> Value {
    match ty {
        Ty::Bool => Value::Bool(false),
        Ty::List(_) => Value::List(Arc::new([])),
        _ => Value::Absent,
    }
}

fn overflow(span: Span) -> Stop {
    Stop::Fail(Some(span), "the number is too large".into())
}

/// What is looked at where this is asked of an entity.
pub(super) fn seen_of(e: EntityIx, f: EntityField) -> Option<Seen> {
    match f {
        EntityField::Verdict | EntityField::Malicious | EntityField::Suspicious => Some(Seen::Verdict(e)),
        EntityField::Remediation => Some(Seen::Remediation(e)),
        _ => None,
    }
}

/// What is looked at where this is asked of the incident.
pub(super) fn seen_in(f: IncidentField) -> Option<Seen> {
    has_value(f).then_some(Seen::Incident(f))
}

/// Whether a field of the incident is more than a way to what is in it.
pub(super) fn has_value(f: IncidentField) -> bool {
    !matches!(f, IncidentField::Entities | IncidentField::Alerts)
}

fn arith(op: Arith, a: &Value, b: &Value) -> Result<Value, Stop> {
    let too_large = || Stop::fail("the number or time is too large");
    Ok(match (a, b) {
        (Value::Absent, _) | (_, Value::Absent) => Value::Absent,
        (Value::Int(x), Value::Int(y)) => Value::Int(
            match op {
                Arith::Add => x.checked_add(*y),
                Arith::Sub => x.checked_sub(*y),
                Arith::Mul => x.checked_mul(*y),
                Arith::Div | Arith::Rem if *y == 0 => return Err(Stop::fail("division by zero")),
                Arith::Div => x.checked_div(*y),
                Arith::Rem => x.checked_rem(*y),
            }
            .ok_or_else(too_large)?,
        ),
        (Value::Text(x), Value::Text(y)) if op == Arith::Add => {
            if x.len().saturating_add(y.len()) > limits::TEXT_BYTES {
                return Err(Stop::fail(format!("a text of more than {} bytes", limits::TEXT_BYTES)));
            }
            Value::text(&format!("{x}{y}"))
        }
        (Value::Time(t), Value::Duration(d)) => Value::Time(
            match op {
                Arith::Add => t.checked_add(*d),
                _ => t.checked_sub(*d),
            }
            .map_err(|_| too_large())?,
        ),
        (Value::Time(x), Value::Time(y)) => Value::Duration(x.duration_since(*y)),
        (Value::Duration(x), Value::Duration(y)) => Value::Duration(
            match op {
                Arith::Add => x.checked_add(*y),
                _ => x.checked_sub(*y),
            }
            .ok_or_else(too_large)?,
        ),
        (Value::List(x), Value::List(y)) if op == Arith::Add => {
            if x.len().saturating_add(y.len()) > limits::LIST_ITEMS {
                return Err(Stop::fail(format!("a list of more than {} items", limits::LIST_ITEMS)));
            }
            Value::list(x.iter().chain(y.iter()).cloned())
        }
        (x, y) => match (x.number(), y.number()) {
            (Some(x), Some(y)) => Value::Float(match op {
                Arith::Add => x + y,
                Arith::Sub => x - y,
                Arith::Mul => x * y,
                Arith::Div => x / y,
                Arith::Rem => x % y,
            }),
            _ => Value::Absent,
        },
    })
}
