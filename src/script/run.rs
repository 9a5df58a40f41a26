//! Runs plans over the facts of an incident.

use super::eval::Cx;
use super::expr::Compare;
use super::facts::Facts;
use super::fields::{AlertField, EntityField, IncidentField};
use super::functions::attack;
use super::plan::{By, Check, List, Op, Ref, Source, Test, Walk, split};
use super::trace::{AlertHolds, Holds};
use super::value::Value;
use crate::model::{EntityIx, Kind, PropType, PropValue, Verdict};
use crate::script::columns::{Slot, slot};

impl Cx<'_> {
    /// The answer to a plan, which is in its parts; it means nothing once what was counted is beyond the limits, which
    /// whoever asks looks at in the end.
    #[inline(always)]
    pub(super) fn run(&mut self, ops: &[Op]) -> bool {
        let Some((op, rest)) = ops.split_first() else { return false };
        match op {
            Op::Test(t) => self.test_of(t),
            Op::Join(settles, _) => self.joined(rest, *settles),
            Op::Shared(id, frames, _) => {
                self.charge(u64::from(*frames));
                match self.known(*id) {
                    Some(answer) => answer,
                    None => self.remembered(*id, *frames > 0, rest),
                }
            }
            Op::Each(Walk { list: List::Kind(kind), cost, by: By::Cell }, all, _) => self.any_cell(*kind, *cost, rest, !*all) != *all,
            other => self.found(other, rest),
        }
    }

    /// The same, for what is more than a look at what is known.
    #[inline(never)]
    fn found(&mut self, op: &Op, rest: &[Op]) -> bool {
        match op {
            Op::Each(walk, all, _) => {
                let mut settled = None;
                let any = self.walk(*walk, rest, !*all, |item| {
                    settled = match item {
                        Value::Entity(e) => Some(e.0),
                        Value::Alert(a) => Some(a.0),
                        _ => None,
                    };
                    true
                });
                self.settled = settled;
                any != *all
            }
            Op::Count(walk, compare, wanted, _) => {
                // The comparison and the number.
                self.charge(2);
                let mut n = 0i64;
                self.walk(*walk, rest, true, |_| {
                    n = n.saturating_add(1);
                    false
                });
                Ref::Int(n).compare(*compare, Ref::Int(*wanted))
            }
            Op::Not(_) => {
                self.charge(1);
                !self.run(rest)
            }
            Op::Framed(_) => {
                self.charge(1);
                self.in_frame(rest)
            }

            Op::Elsewhere(plan) => self.run(plan.ops()),
            // These are answered at once.
            Op::Test(_) | Op::Join(..) | Op::Shared(..) => false,
        }
    }

    /// In a frame of its own.
    #[inline]
    pub(super) fn in_frame(&mut self, ops: &[Op]) -> bool {
        let outside = std::mem::replace(&mut self.base, self.locals.len());
        let found = self.run(ops);
        self.base = outside;
        found
    }

    #[inline(never)]
    fn joined(&mut self, mut ops: &[Op], settles: bool) -> bool {
        while let Some((part, rest)) = split(ops) {
            self.charge(1);
            if self.run(part) == settles {
                return settles;
            }
            ops = rest;
        }
        !settles
    }

    /// Whether any cell of a column answers as wanted.
    #[inline(never)]
    fn any_cell(&mut self, kind: Kind, cost: u32, body: &[Op], wanted: bool) -> bool {
        let [Op::Test(test)] = body else { return false };
        self.charge(u64::from(cost));
        let row = self.next(kind, test, wanted, 2, &mut 0);
        self.settled = row.and_then(|n| self.facts.columns.of(kind).get(n)).map(|e| e.0);
        row.is_some()
    }

    /// Goes through the items that answer as wanted until there are enough of them; says whether there were.
    pub(super) fn walk(&mut self, walk: Walk, body: &[Op], wanted: bool, enough: impl FnMut(&Value) -> bool) -> bool {
        let facts = self.facts;
        self.charge(u64::from(walk.cost));
        match (walk.list, walk.by, body) {
            (List::Kind(kind), By::Cell, [Op::Test(first)]) => self.scan(kind, first, &[], wanted, enough),
            (List::Kind(kind), By::FirstCell, [_, Op::Test(first), rest @ ..]) if wanted => self.scan(kind, first, rest, wanted, enough),
            (List::Kind(kind), ..) => self.items(facts.columns.of(kind).iter().map(|e| Value::Entity(*e)), body, wanted, enough),
            (List::Alerts, ..) => self.items(facts.incident.alerts().map(|(ix, _)| Value::Alert(ix)), body, wanted, enough),
            (List::Named(n, kind), ..) => self.items(named(facts, self.local(n), kind).map(Value::Entity), body, wanted, enough),
        }
    }

    /// Asks the body of one item after another.
    fn items(&mut self, all: impl Iterator<Item = Value>, body: &[Op], wanted: bool, mut enough: impl FnMut(&Value) -> bool) -> bool {
        let at = self.locals.len();
        self.locals.push(Value::Absent);
        let mut found = false;
        for item in all {
            if let Some(place) = self.locals.last_mut() {
                *place = item;
            }
            self.charge(2);
            found = self.run(body) == wanted && self.locals.last().is_some_and(&mut enough);
            if found || self.pay().is_err() {
                break;
            }
        }
        self.locals.truncate(at);
        found
    }

    /// Goes through a column by its first test, and asks the rest where that holds.
    fn scan(&mut self, kind: Kind, first: &Test, rest: &[Op], wanted: bool, mut enough: impl FnMut(&Value) -> bool) -> bool {
        // Each item costs itself and its body, and within `&&` the first part.
        let each = if rest.is_empty() { 2 } else { 3 };
        let mut from = 0;
        while let Some(row) = self.next(kind, first, wanted, each, &mut from) {
            let Some(e) = self.facts.columns.of(kind).get(row).copied() else { break };
            if !rest.is_empty() {
                self.locals.push(Value::Entity(e));
                let holds = self.joined(rest, false);
                self.locals.pop();
                if !holds {
                    if self.pay().is_err() {
                        break;
                    }
                    continue;
                }
            }
            if enough(&Value::Entity(e)) {
                return true;
            }
        }
        false
    }

    /// The place of the next entity of a kind whose cell answers as wanted, and where to go on from; each that is passed
    /// has a price beside the test's own.
    fn next(&mut self, kind: Kind, test: &Test, wanted: bool, each: u64, from: &mut usize) -> Option<usize> {
        let facts = self.facts;
        let Source::Cell(_, _, slot, flag) = test.source else { return None };
        let mut extra = 0u64;
        let (found, left) = match facts.columns.column(slot) {
            Some(column) => {
                let cells = column.get(*from..)?;
                let found = match &test.check {
                    Check::With(op, other) => {
                        let other = self.read(*other);
                        cells.iter().position(|c| Ref::held(c.as_ref(), flag).compare(*op, other) == wanted)
                    }
                    check => self.position(cells, flag, check, wanted, &mut extra),
                };
                (found, cells.len())
            }
            // Nothing is recorded of any of them.
            None => {
                let left = facts.columns.of(kind).len().checked_sub(*from)?;
                let nothing = Ref::held(None, flag);
                let answer = match &test.check {
                    Check::With(op, other) => nothing.compare(*op, self.read(*other)),
                    check => self.check(nothing, check),
                };
                ((left > 0 && answer == wanted).then_some(0), left)
            }
        };
        let walked = found.map_or(left, |n| n.saturating_add(1));
        self.charge(each.saturating_add(u64::from(test.cost)).saturating_mul(walked as u64).saturating_add(extra));
        let row = from.saturating_add(found.unwrap_or(0));
        *from = from.saturating_add(walked);
        found.map(|_| row)
    }

    /// The first cell that answers as wanted, and what it took beyond the nodes. The commonest checks are asked without a
    /// detour.
    fn position(&self, cells: &[Option<PropValue>], flag: bool, check: &Check, wanted: bool, extra: &mut u64) -> Option<usize> {
        use Compare::{Eq, Ge, Le};
        use PropValue::{Bool, Int, Level, Text};
        match check {
            Check::True => cells.iter().position(|c| matches!(c, Some(Bool(true))) == wanted),
            Check::Compare(Eq, Value::Text(t)) => cells.iter().position(|c| matches!(c, Some(Text(x)) if **x == **t) == wanted),
            Check::Compare(Ge, Value::Int(n)) => cells.iter().position(|c| matches!(c, Some(Int(x)) if x >= n) == wanted),
            Check::Compare(Le, Value::Int(n)) => cells.iter().position(|c| matches!(c, Some(Int(x)) if x <= n) == wanted),
            Check::Compare(Ge, Value::Level(l)) => cells.iter().position(|c| matches!(c, Some(Level(x)) if x >= l) == wanted),
            Check::OneOf(all) => cells.iter().position(|c| matches!(c, Some(Text(x)) if all.iter().any(|t| **t == **x)) == wanted),
            _ => cells.iter().position(|c| {
                let v = Ref::held(c.as_ref(), flag);
                *extra = extra.saturating_add(self.price(v, check));
                self.check(v, check) == wanted
            }),
        }
    }

    /// The answer to a test.
    pub(super) fn test_of(&mut self, t: &Test) -> bool {
        let v = match t.source {
            Source::Cell(n, _, slot, flag) => self.cell(n, slot, flag),
            other => self.read(other),
        };
        let (holds, extra) = match &t.check {
            Check::With(op, other) => (v.compare(*op, self.read(*other)), 0),
            Check::Compare(op, other) => (v.compare(*op, Ref::of(other)), 0),
            check => (self.check(v, check), self.price(v, check)),
        };
        self.charge(u64::from(t.cost).saturating_add(extra));
        holds
    }

    /// What a value says to a check.
    fn check(&self, v: Ref<'_>, check: &Check) -> bool {
        let facts = self.facts;
        match (check, v) {
            (Check::With(..), _) => false,
            (Check::True, v) => matches!(v, Ref::Bool(true) | Ref::Other(Value::Bool(true))),
            (Check::Known, v) => !matches!(v, Ref::Absent),
            (Check::Compare(op, other), v) => v.compare(*op, Ref::of(other)),
            (Check::OneOf(all), Ref::Text(t)) => all.iter().any(|x| **x == *t),
            (Check::Among(all), v) => all.iter().any(|x| v.compare(Compare::Eq, Ref::of(x))),
            (Check::Contains(part), Ref::Text(t)) => t.contains(&**part),
            (Check::Contains(part), Ref::Texts(all)) => all.iter().any(|t| **t == **part),
            (Check::Starts(part), Ref::Text(t)) => t.starts_with(&**part),
            (Check::Ends(part), Ref::Text(t)) => t.ends_with(&**part),
            (Check::Matches(r), Ref::Text(t)) => r.is_match(t),
            (Check::Glob(g), Ref::Text(t)) => g.fits(&t.to_lowercase()),
            (Check::Listed(n, _), v) => facts.lists.get(*n as usize).is_some_and(|list| match v {
                Ref::Text(t) => list.has_text(t),
                Ref::Other(Value::Entity(e)) => facts.entity(*e).is_some_and(|e| list.has_entity(e)),
                _ => false,
            }),
            (Check::Member(list, _), Ref::Other(Value::Entity(e))) => match *list {
                List::Kind(kind) => facts.entity(*e).is_some_and(|x| x.kind == kind),
                List::Alerts => false,
                List::Named(n, kind) => named(facts, self.local(n), kind).any(|x| x == *e),
            },
            (Check::Has(what, name), Ref::Other(Value::Entity(e))) => match what {
                Holds::Signal => facts.saying(*e, name).next().is_some(),
                Holds::Role => facts.has_role(*e, name),
                Holds::Tag => facts.has_tag(*e, name),
                Holds::Field => false,
            },
            (Check::AlertHas(what, name), Ref::Other(Value::Alert(ix))) => attack::alert_has(facts, *ix, *what, name),
            (Check::AlertHas(AlertHolds::Signal, name), Ref::Other(Value::Incident)) => facts.says(name),
            (Check::AlertHas(what, name), Ref::Other(Value::Incident)) => {
                facts.incident.alerts().any(|(ix, _)| attack::alert_has(facts, ix, *what, name))
            }
            _ => false,
        }
    }

    /// What a check costs beyond its nodes; nothing where nothing is recorded.
    fn price(&self, v: Ref<'_>, check: &Check) -> u64 {
        let steps = match (check, v) {
            (_, Ref::Absent) => 0,
            (Check::Contains(_), Ref::Texts(all)) => all.len(),
            (Check::Matches(_) | Check::Glob(_), Ref::Text(t)) => t.len().saturating_div(64),
            (Check::Listed(n, true), _) => self.facts.lists.get(*n as usize).map_or(0, |l| l.len.saturating_div(64).saturating_add(1)),
            (Check::Member(list, true), _) => self.len(*list),
            _ => 0,
        };
        steps as u64
    }

    fn len(&self, list: List) -> usize {
        match list {
            List::Kind(kind) => self.facts.columns.of(kind).len(),
            List::Alerts => self.facts.incident.alerts.len(),
            List::Named(n, kind) => named(self.facts, self.local(n), kind).count(),
        }
    }

    /// The local at a position.
    pub(super) fn local(&self, n: u8) -> &Value {
        self.locals.get(self.base.saturating_add(usize::from(n))).unwrap_or(&Value::Absent)
    }

    pub(super) fn entity(&self, n: u8) -> Option<EntityIx> {
        match self.local(n) {
            Value::Entity(e) => Some(*e),
            _ => None,
        }
    }

    /// What a local holds in a column.
    #[inline]
    fn cell(&self, n: u8, slot: Slot, flag: bool) -> Ref<'_> {
        Ref::held(self.entity(n).and_then(|e| self.facts.columns.value(e, slot)), flag)
    }

    /// What stands somewhere.
    fn read(&self, source: Source) -> Ref<'_> {
        let facts = self.facts;
        match source {
            Source::Local(n) => Ref::of(self.local(n)),
            Source::Whole => Ref::Other(&Value::Incident),
            Source::Len(list) => Ref::Int(i64::try_from(self.len(list)).unwrap_or(i64::MAX)),
            Source::Cell(n, _, slot, flag) => self.cell(n, slot, flag),
            Source::Prop(n, p) => {
                let value = self.entity(n).and_then(|e| Some((e, slot(facts.entity(e)?.kind, p)?))).and_then(|(e, s)| facts.columns.value(e, s));
                Ref::held(value, p.spec().ty == PropType::Bool)
            }
            Source::Entity(n, f) => {
                let Some((ix, x)) = self.entity(n).and_then(|e| Some((e, facts.entity(e)?))) else { return Ref::Absent };
                match f {
                    EntityField::Id => Ref::Text(&x.id),
                    EntityField::Kind => Ref::Text(x.kind.word()),
                    EntityField::Name => Ref::Text(&x.name),
                    EntityField::Verdict => Ref::Text(facts.verdict(ix).word()),
                    EntityField::Malicious => Ref::Bool(facts.verdict(ix) == Verdict::Malicious),
                    EntityField::Suspicious => Ref::Bool(facts.verdict(ix) >= Verdict::Suspicious),
                    EntityField::Remediation => Ref::Text(&x.remediation_status),
                    EntityField::FirstSeen => Ref::time(x.first_seen),
                    EntityField::LastSeen => Ref::time(x.last_seen),
                    EntityField::Aliases => Ref::Texts(&x.aliases),
                    EntityField::Roles | EntityField::Tags | EntityField::Signals | EntityField::Alerts => Ref::Absent,
                }
            }
            Source::Alert(n, f) => {
                let Value::Alert(ix) = self.local(n) else { return Ref::Absent };
                let Some(a) = facts.incident.alert(*ix) else { return Ref::Absent };
                match f {
                    AlertField::Id => Ref::Text(&a.id),
                    AlertField::Title => Ref::Text(&a.title),
                    AlertField::Description => Ref::Text(&a.description),
                    AlertField::Severity => Ref::level(a.severity),
                    AlertField::Status => Ref::Text(&a.status),
                    AlertField::Detector => a.detectors.first().map_or(Ref::Absent, |t| Ref::Text(t)),
                    AlertField::Product => Ref::Text(&a.product),
                    AlertField::Category => Ref::Text(&a.category),
                    AlertField::First => Ref::time(a.first),
                    AlertField::Last => Ref::time(a.last),
                    AlertField::Created => Ref::time(a.created),
                    AlertField::Detectors => Ref::Texts(&a.detectors),
                    AlertField::Techniques => Ref::Texts(&a.techniques),
                    AlertField::Tactics => Ref::Texts(&a.tactics),
                    AlertField::Signals => Ref::Absent,
                }
            }
            Source::Incident(f) => {
                let i = facts.incident;
                match f {
                    IncidentField::Id => Ref::Text(&i.id),
                    IncidentField::Title => Ref::Text(&i.title),
                    IncidentField::Description => Ref::Text(&i.description),
                    IncidentField::Severity => Ref::level(i.severity),
                    IncidentField::Status => Ref::Text(&i.status),
                    IncidentField::Source => Ref::Text(&i.source),
                    IncidentField::Created => Ref::time(i.created),
                    IncidentField::FirstActivity => Ref::time(i.first_activity),
                    IncidentField::LastActivity => Ref::time(i.last_activity),
                    IncidentField::Tags => Ref::Texts(&i.tags),
                    IncidentField::Signals => Ref::Texts(facts.signals()),
                    IncidentField::Techniques => Ref::Texts(facts.techniques()),
                    IncidentField::Tactics | IncidentField::Types | IncidentField::Entities | IncidentField::Alerts => Ref::Absent,
                }
            }
        }
    }
}

/// The entities of a kind that an alert names.
fn named<'a>(facts: &Facts<'a>, alert: &Value, kind: Kind) -> impl Iterator<Item = EntityIx> + use<'a> {
    let alert = if let Value::Alert(ix) = alert { facts.incident.alert(*ix) } else { None };
    let incident = facts.incident;
    alert.into_iter().flat_map(|a| a.entities.keys().copied()).filter(move |e| incident.entity(*e).is_some_and(|x| x.kind == kind))
}
