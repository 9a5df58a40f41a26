//! Runs plans over the facts of an incident.

use super::eval::Cx;
use super::expr::{Compare, MemoId};
use super::facts::Facts;
use super::fields::{AlertField, EntityField, IncidentField};
use super::functions::attack;
use super::limits;
use super::plan::{By, Check, List, OfItems, Op, Ref, Source, Test, Walk, What, same, split};
use super::trace::{AlertHolds, Holds};
use super::value::Value;
use crate::model::{Alert, AlertIx, EntityIx, Kind, PropType, PropValue, Verdict};
use crate::script::columns::slot;

/// The places of so many items that are counted are kept: those that are looked for under a clause that is shown.
const COUNTED: usize = limits::LOOKED_FOR + 1;

/// How many of them. One walk along a column finds what reads like no other finding.
pub(super) fn counted(walk: Walk) -> usize {
    if walk.by == By::Test { limits::FINDINGS + 1 } else { COUNTED }
}

/// What a list holds that a plan goes through.
#[derive(Clone, Copy)]
pub(super) enum Item {
    Entity(EntityIx),
    Alert(AlertIx),
}

impl From<Item> for Value {
    fn from(item: Item) -> Self {
        match item {
            Item::Entity(e) => Value::Entity(e),
            Item::Alert(a) => Value::Alert(a),
        }
    }
}

impl<'a> Cx<'a> {
    /// The answer to a plan, which is in its parts; it means nothing once what was counted is beyond the limits, which
    /// whoever asks looks at in the end.
    #[inline(always)]
    pub(super) fn run(&mut self, ops: &[Op]) -> bool {
        let Some((op, rest)) = ops.split_first() else { return false };
        self.charge(u64::from(op.price));
        self.answer(op, rest)
    }

    /// The same of a part that is paid for, and those that belong to it.
    #[inline(always)]
    pub(super) fn answer(&mut self, op: &Op, rest: &[Op]) -> bool {
        match &op.what {
            What::Test(t) => self.test_of(t),
            What::Join(settles) => self.joined(rest, *settles),
            What::Shared(id, framed) => match self.known(*id) {
                Some(answer) => answer,
                None => self.remembered(*id, *framed, rest),
            },
            What::Column(id, kind, all, test, each) => match self.known(*id) {
                Some(answer) => answer,
                None => self.asked(*id, *kind, *all, (test, *each, rest)),
            },
            What::Each(walk, all) => self.next(*walk, rest, !*all, 0).is_some() != *all,
            other => self.found(other, rest),
        }
    }

    /// The answer to a plan, and the place of what settled it: the item, or those that were counted.
    #[inline]
    pub(super) fn settled(&mut self, ops: &[Op]) -> (bool, Option<usize>) {
        match ops {
            [Op { price, what: What::Each(walk, all), .. }, body @ ..] => {
                self.charge(u64::from(*price));
                let place = self.next(*walk, body, !*all, 0);
                (place.is_some() != *all, place)
            }
            [Op { price, what: What::Count(walk, compare, wanted), .. }, body @ ..] => {
                self.charge(u64::from(*price));
                let (mut places, mut kept) = ([0u32; COUNTED], 0usize);
                let most = counted(*walk);
                let n = self.count(*walk, body, |at| {
                    if let Some(place) = places.get_mut(kept).filter(|_| kept < most) {
                        *place = u32::try_from(at).unwrap_or(u32::MAX);
                        kept = kept.wrapping_add(1);
                    }
                });
                let at = self.memory.count(places.get(..kept).unwrap_or_default());
                (is(n, *compare, *wanted), Some(at))
            }
            _ => (self.run(ops), None),
        }
    }

    /// The answer to a question about a column that is not known, to be kept.
    #[inline(never)]
    fn asked(&mut self, id: MemoId, kind: Kind, all: bool, of: OfItems<'_>) -> bool {
        if self.spent_out() {
            return false;
        }
        let before = self.steps;
        // The list.
        self.charge(1);
        let place = self.next_tested(List::Kind(kind), of, !all, 0);
        let found = place.is_some() != all;
        self.keep(id, found, before, place);
        found
    }

    /// The same, for what is more than a look at what is known.
    #[inline(never)]
    fn found(&mut self, what: &What, rest: &[Op]) -> bool {
        // What is beyond the limits is not answered: nobody looks at it.
        if self.spent_out() {
            return false;
        }
        match what {
            What::Count(walk, compare, wanted) => is(self.count(*walk, rest, |_| {}), *compare, *wanted),
            What::Not => !self.run(rest),
            What::Framed => self.in_frame(|cx| cx.run(rest)),
            What::Elsewhere(plan) => self.run(plan.ops()),
            // These are answered at once.
            What::Test(_) | What::Join(..) | What::Shared(..) | What::Column(..) | What::Each(..) => false,
        }
    }

    /// In a frame of its own.
    #[inline(always)]
    pub(super) fn in_frame<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let outside = std::mem::replace(&mut self.base, self.locals.len());
        let out = run(self);
        self.base = outside;
        out
    }

    #[inline(never)]
    fn joined(&mut self, mut ops: &[Op], settles: bool) -> bool {
        while let Some((op, below, rest)) = split(ops) {
            self.charge(u64::from(op.price));
            if self.answer(op, below) == settles {
                return settles;
            }
            ops = rest;
        }
        !settles
    }

    /// How many items of a list it holds for; where more is asked than a test, their places are told.
    #[inline]
    fn count(&mut self, walk: Walk, body: &[Op], mut tell: impl FnMut(usize)) -> usize {
        let mut n = 0usize;
        if let Some((test, each, [])) = walk.tested(body, true) {
            self.tested(walk.list, (test, each), true, 0, |at| {
                n = n.wrapping_add(1);
                tell(at);
                true
            });
            return n;
        }
        let mut from = 0;
        while let Some(at) = self.next(walk, body, true, from) {
            (n, from) = (n.saturating_add(1), at.saturating_add(1));
            tell(at);
        }
        n
    }

    /// The place of the next item of a list, from this place on, that answers as wanted.
    #[inline(never)]
    pub(super) fn next(&mut self, walk: Walk, body: &[Op], wanted: bool, from: usize) -> Option<usize> {
        if self.spent_out() {
            return None;
        }
        match walk.tested(body, wanted) {
            Some(of) => self.next_tested(walk.list, of, wanted, from),
            None => self.next_item(walk.list, body, wanted, from),
        }
    }

    /// The same by a test of the items; only where it holds is the rest asked.
    #[inline(always)]
    pub(super) fn next_tested(&mut self, list: List, (test, each, more): OfItems<'_>, wanted: bool, mut from: usize) -> Option<usize> {
        loop {
            let mut found = None;
            self.tested(list, (test, each), wanted, from, |at| {
                found = Some(at);
                false
            });
            let at = found?;
            if more.is_empty() || self.about(test, self.item(list, at)??.into(), |cx| cx.joined(more, false)) {
                return Some(at);
            }
            if self.spent_out() {
                return None;
            }
            from = at.saturating_add(1);
        }
    }

    /// Does something with an item as the local that a test speaks of, which is the next one: what a question about a column
    /// asks of its items asks for nothing around them, and the frame of any other walk is the one that is there.
    #[inline(always)]
    pub(super) fn about<T>(&mut self, test: &Test, item: Value, run: impl FnOnce(&mut Self) -> T) -> T {
        let Some(n) = test.source.of_local() else { return run(self) };
        let outside = std::mem::replace(&mut self.base, self.locals.len().saturating_sub(usize::from(n)));
        self.locals.push(item);
        let out = run(self);
        self.locals.pop();
        self.base = outside;
        out
    }

    /// The same, where each item is asked.
    fn next_item(&mut self, list: List, body: &[Op], wanted: bool, from: usize) -> Option<usize> {
        let incident = self.facts.incident;
        match list {
            List::Kind(kind) => {
                let all = self.facts.columns.of(kind).iter().enumerate().skip(from);
                self.ask_each(all.map(|(at, e)| (at, Value::Entity(*e))), body, wanted)
            }
            List::Alerts => {
                let all = incident.alerts().enumerate().skip(from);
                self.ask_each(all.map(|(at, (ix, _))| (at, Value::Alert(ix))), body, wanted)
            }
            List::Named(n, kind) => {
                let Value::Alert(ix) = self.local(n) else { return None };
                let all = incident.alert(*ix)?.entities.keys().enumerate().skip(from);
                let of_kind = all.filter(|(_, e)| incident.entity(**e).is_some_and(|x| x.kind == kind));
                self.ask_each(of_kind.map(|(at, e)| (at, Value::Entity(*e))), body, wanted)
            }
        }
    }

    /// Asks one item after another: entities or alerts.
    #[inline]
    fn ask_each(&mut self, all: impl Iterator<Item = (usize, Value)>, body: &[Op], wanted: bool) -> Option<usize> {
        let depth = self.locals.len();
        self.locals.push(Value::Absent);
        let mut found = None;
        for (at, item) in all {
            if let Some(place) = self.locals.last_mut() {
                // What is replaced is a number: nothing is lost, and nothing has to be dropped.
                std::mem::forget(std::mem::replace(place, item));
            }
            self.charge(1);
            if self.run(body) == wanted {
                found = Some(at);
                break;
            }
            if self.spent_out() {
                break;
            }
        }
        self.locals.truncate(depth);
        found
    }

    /// What stands at a place of a list, if it goes so far, and is an item: an alert's places are those of all entities that
    /// it names.
    #[inline]
    pub(super) fn item(&self, list: List, at: usize) -> Option<Option<Item>> {
        let facts = self.facts;
        match list {
            List::Kind(kind) => facts.columns.of(kind).get(at).map(|e| Some(Item::Entity(*e))),
            List::Alerts => facts.incident.alerts.get(at).map(|_| u32::try_from(at).ok().map(|n| Item::Alert(AlertIx(n)))),
            List::Named(n, kind) => {
                let Value::Alert(ix) = self.local(n) else { return None };
                let e = facts.incident.alert(*ix)?.entities.key(at)?;
                Some(facts.entity(*e).filter(|x| x.kind == kind).map(|_| Item::Entity(*e)))
            }
        }
    }

    /// Goes through the items of a list from a place on, and tells of those whose test comes out as wanted, as long as it is
    /// to go on. Each that is passed has a price.
    #[inline(always)]
    pub(super) fn tested(&mut self, list: List, (test, each): (&Test, u32), wanted: bool, from: usize, mut tell: impl FnMut(usize) -> bool) {
        let facts = self.facts;
        let (source, check, wanted) = (test.source, &test.check, wanted != test.negated);
        let mut extra = 0u64;
        let passed = match (list, source) {
            (List::Kind(kind), Source::Cell(_, _, slot, flag)) => match facts.columns.column(slot) {
                Some(column) => self.scan(column.get(from..).unwrap_or_default(), from, (flag, check), wanted, &mut extra, tell),
                // Nothing is recorded of any of them.
                None => {
                    let answer = self.says(Ref::held(None, flag), (check, self.other(check)), &mut extra);
                    visit(facts.columns.of(kind).get(from..).unwrap_or_default(), from, |_| answer == wanted, tell)
                }
            },
            (List::Kind(kind), _) => {
                let check = (check, self.other(check));
                let all = facts.columns.of(kind).get(from..).unwrap_or_default();
                visit(all, from, |e| self.says(self.of_entity(source, Some(*e)), check, &mut extra) == wanted, tell)
            }
            (List::Alerts, _) => {
                let check = (check, self.other(check));
                let all = facts.incident.alerts.get(from..).unwrap_or_default();
                visit(all, from, |a| self.says(of_alert(source, a), check, &mut extra) == wanted, tell)
            }
            (List::Named(n, kind), _) => {
                let check = (check, self.other(check));
                let mut passed = 0usize;
                let Value::Alert(ix) = self.local(n) else { return };
                let Some(alert) = facts.incident.alert(*ix) else { return };
                for (at, (e, _)) in alert.entities.entries().iter().enumerate().skip(from) {
                    if facts.entity(*e).is_some_and(|x| x.kind == kind) {
                        passed = passed.wrapping_add(1);
                        if self.says(self.of_entity(source, Some(*e)), check, &mut extra) == wanted && !tell(at) {
                            break;
                        }
                    }
                }
                passed
            }
        };
        self.charge(u64::from(each).wrapping_mul(passed as u64).wrapping_add(extra));
    }

    /// What a check compares with, where that is a value of the incident.
    fn other(&self, check: &Check) -> Ref<'_> {
        if let Check::With(_, other) = check { self.read(*other) } else { Ref::Absent }
    }

    /// What a value says to a check; what it costs beyond the nodes is added.
    #[inline]
    fn says(&self, v: Ref<'_>, (check, other): (&Check, Ref<'_>), extra: &mut u64) -> bool {
        match (check, v) {
            (Check::True, v) => matches!(v, Ref::Bool(true)),
            (Check::With(Compare::Eq, _), Ref::Text(a)) => matches!(other, Ref::Text(b) if same(a, b)),
            (Check::With(op, _), v) => v.compare(*op, other),
            (Check::Is(t), v) => matches!(v, Ref::Text(x) if same(x, t)),
            (Check::Int(op, n), Ref::Int(x)) => op.holds(Some(x.cmp(n))),
            (Check::Level(op, l), Ref::Level(x)) => op.holds(Some(x.cmp(l))),
            (check, v) => self.check(v, check, extra),
        }
    }

    /// How many cells were passed, and what they took beyond the nodes. The commonest checks are asked without a detour.
    #[inline(always)]
    fn scan(
        &self,
        cells: &[Option<PropValue>],
        from: usize,
        (flag, check): (bool, &Check),
        wanted: bool,
        extra: &mut u64,
        tell: impl FnMut(usize) -> bool,
    ) -> usize {
        use Compare::{Eq, Ge, Le};
        use PropValue::{Bool, Int, Level, Text};
        match check {
            Check::True => visit(cells, from, |c| matches!(c, Some(Bool(true))) == wanted, tell),
            Check::Is(t) => visit(cells, from, |c| matches!(c, Some(Text(x)) if same(x, t)) == wanted, tell),
            Check::Int(Ge, n) => visit(cells, from, |c| matches!(c, Some(Int(x)) if x >= n) == wanted, tell),
            Check::Int(Le, n) => visit(cells, from, |c| matches!(c, Some(Int(x)) if x <= n) == wanted, tell),
            Check::Level(Ge, l) => visit(cells, from, |c| matches!(c, Some(Level(x)) if x >= l) == wanted, tell),
            Check::OneOf(all) => visit(cells, from, |c| matches!(c, Some(Text(x)) if all.iter().any(|t| same(t, x))) == wanted, tell),
            Check::With(op, other) => match (op, self.read(*other)) {
                (Eq, Ref::Text(t)) => visit(cells, from, |c| matches!(c, Some(Text(x)) if same(x, t)) == wanted, tell),
                (op, other) => visit(cells, from, |c| Ref::held(c.as_ref(), flag).compare(*op, other) == wanted, tell),
            },
            _ => visit(cells, from, |c| self.check(Ref::held(c.as_ref(), flag), check, extra) == wanted, tell),
        }
    }

    /// The answer to a test.
    #[inline]
    pub(super) fn test_of(&mut self, t: &Test) -> bool {
        let (v, mut extra) = (self.read(t.source), 0);
        let holds = self.says(v, (&t.check, self.other(&t.check)), &mut extra);
        self.charge(extra);
        holds != t.negated
    }

    /// What a value says to a check; what it costs beyond the nodes is added, and is nothing where nothing is recorded.
    fn check(&self, v: Ref<'_>, check: &Check, extra: &mut u64) -> bool {
        let facts = self.facts;
        let mut costs = |steps: usize| *extra = extra.saturating_add(steps as u64);
        match (check, v) {
            (Check::Known, v) => !matches!(v, Ref::Absent),
            (Check::Int(op, n), v) => v.compare(*op, Ref::Int(*n)),
            (Check::Level(op, l), v) => v.compare(*op, Ref::Level(*l)),
            (Check::Compare(op, other), v) => v.compare(*op, Ref::of(other)),
            // The first three are answered at once.
            (Check::True | Check::Is(_) | Check::With(..), _) | (_, Ref::Absent) => false,
            (Check::OneOf(all), Ref::Text(t)) => all.iter().any(|x| same(x, t)),
            (Check::Among(all), v) => all.iter().any(|x| v.compare(Compare::Eq, Ref::of(x))),
            (Check::Contains(part), Ref::Text(t)) => t.contains(&**part),
            (Check::Contains(part), Ref::Texts(all)) => {
                costs(all.len());
                all.iter().any(|t| **t == **part)
            }
            (Check::Starts(part), Ref::Text(t)) => t.starts_with(&**part),
            (Check::Ends(part), Ref::Text(t)) => t.ends_with(&**part),
            (Check::Matches(r), Ref::Text(t)) => {
                costs(t.len().saturating_div(64));
                r.is_match(t)
            }
            (Check::Glob(g), Ref::Text(t)) => {
                costs(t.len().saturating_div(64));
                g.fits(&t.to_lowercase())
            }
            (Check::Listed(n, paid), v) => facts.lists.get(*n as usize).is_some_and(|list| {
                if *paid {
                    costs(list.len.saturating_div(64).saturating_add(1));
                }
                match v {
                    Ref::Text(t) => list.has_text(t),
                    Ref::Other(Value::Entity(e)) => facts.entity(*e).is_some_and(|e| list.has_entity(e)),
                    _ => false,
                }
            }),
            (Check::Member(list, paid), v) => {
                if *paid {
                    costs(self.len(*list));
                }
                let Ref::Other(Value::Entity(e)) = v else { return false };
                match *list {
                    List::Kind(kind) => facts.entity(*e).is_some_and(|x| x.kind == kind),
                    List::Alerts => false,
                    List::Named(n, kind) => match self.local(n) {
                        Value::Alert(ix) => {
                            facts.incident.alert(*ix).is_some_and(|a| a.entities.contains_key(e)) && facts.entity(*e).is_some_and(|x| x.kind == kind)
                        }
                        _ => false,
                    },
                }
            }
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

    /// What an entity holds.
    #[inline(always)]
    fn of_entity(&self, source: Source, e: Option<EntityIx>) -> Ref<'_> {
        let facts = self.facts;
        match source {
            Source::Cell(_, _, slot, flag) => Ref::held(e.and_then(|e| facts.columns.value(e, slot)), flag),
            Source::Prop(_, p) => {
                let at = e.and_then(|e| Some((e, slot(facts.entity(e)?.kind, p)?)));
                Ref::held(at.and_then(|(e, s)| facts.columns.value(e, s)), p.spec().ty == PropType::Bool)
            }
            Source::Entity(_, f) => e.map_or(Ref::Absent, |e| self.field_of(e, f)),
            _ => Ref::Absent,
        }
    }

    fn field_of(&self, ix: EntityIx, f: EntityField) -> Ref<'_> {
        let facts = self.facts;
        let Some(x) = facts.entity(ix) else { return Ref::Absent };
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

    /// What stands somewhere.
    #[inline]
    fn read(&self, source: Source) -> Ref<'_> {
        let facts = self.facts;
        match source {
            Source::Cell(n, ..) | Source::Prop(n, _) | Source::Entity(n, _) => self.of_entity(source, self.entity(n)),
            Source::Alert(n, _) => match self.local(n) {
                Value::Alert(ix) => facts.incident.alert(*ix).map_or(Ref::Absent, |a| of_alert(source, a)),
                _ => Ref::Absent,
            },
            Source::Local(n) => Ref::of(self.local(n)),
            Source::Whole => Ref::Other(&Value::Incident),
            Source::Len(list) => Ref::Int(i64::try_from(self.len(list)).unwrap_or(i64::MAX)),
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

/// How so many compare with a number.
fn is(n: usize, compare: Compare, wanted: i64) -> bool {
    compare.holds(Some(i64::try_from(n).unwrap_or(i64::MAX).cmp(&wanted)))
}

/// What an alert holds.
fn of_alert(source: Source, a: &Alert) -> Ref<'_> {
    let Source::Alert(_, f) = source else { return Ref::Absent };
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

/// Tells of the cells that fit, by place, as long as it is to go on; how many were passed.
#[inline(always)]
fn visit<T>(cells: &[T], from: usize, mut fits: impl FnMut(&T) -> bool, mut tell: impl FnMut(usize) -> bool) -> usize {
    for (n, c) in cells.iter().enumerate() {
        if fits(c) && !tell(from.saturating_add(n)) {
            return n.saturating_add(1);
        }
    }
    cells.len()
}

/// The entities of a kind that an alert names.
fn named<'a>(facts: &Facts<'a>, alert: &Value, kind: Kind) -> impl Iterator<Item = EntityIx> + use<'a> {
    let alert = if let Value::Alert(ix) = alert { facts.incident.alert(*ix) } else { None };
    let incident = facts.incident;
    alert.into_iter().flat_map(|a| a.entities.keys().copied()).filter(move |e| incident.entity(*e).is_some_and(|x| x.kind == kind))
}
