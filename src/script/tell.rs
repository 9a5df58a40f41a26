//! What was looked at for the answer to a plan: the evidence, found by the parts of the plan.

use super::eval::{Cx, has_value, seen_in, seen_of};
use super::functions::attack;
use super::plan::{By, Check, List, Op, Plan, Source, Test, Walk, What, parts};
use super::run::counted;
use super::trace::{Looked, Seen};
use super::value::Value;
use crate::model::{AlertIx, EntityIx};

impl Cx<'_> {
    /// Notes what decided that a plan comes out so, where that is wanted. Looking again at what was asked costs nothing.
    #[inline]
    pub(super) fn tell_of(&mut self, plan: &Plan, yes: bool) {
        if self.tracing {
            let counted = self.spending();
            self.tell(plan.ops(), yes);
            self.spend(counted);
        }
    }

    /// Whether there is as much evidence as is shown, or as may be looked for.
    fn told(&self) -> bool {
        self.memory.trace.full() || self.spent_out()
    }

    /// Keeps the one thing that decided that a plan comes out so, where it is known at once: a cell of a column, or a field of
    /// the incident. Most evidence is this.
    #[inline]
    pub(super) fn alone(&mut self, ops: &[Op], yes: bool) -> Option<Looked> {
        let alone = |test: &Test| !matches!(test.check, Check::With(..));
        match ops {
            [Op { what: What::Column(id, kind, all, test, _), .. }] if *all != yes && alone(test) => {
                let Source::Cell(_, p, ..) = test.source else { return None };
                let e = *self.facts.columns.of(*kind).get(self.memory.settled(*id)?)?;
                Some(self.memory.trace.keep_one(|| Seen::Prop(e, p)))
            }
            [Op { what: What::Shared(..), .. }, rest @ ..] => self.alone(rest, yes),
            [Op { what: What::Test(test), .. }] if alone(test) => match test.source {
                Source::Incident(f) if has_value(f) => Some(self.memory.trace.keep_one(|| Seen::Incident(f))),
                _ => None,
            },
            _ => None,
        }
    }

    /// Notes what decided that some parts come out so.
    pub(super) fn tell(&mut self, ops: &[Op], yes: bool) {
        let Some((op, rest)) = ops.split_first() else { return };
        match &op.what {
            _ if self.told() => {}
            What::Test(t) => self.look_at(t),
            What::Not => self.tell(rest, !yes),
            What::Framed => self.in_frame(|cx| cx.tell(rest, yes)),
            What::Elsewhere(plan) => self.tell(plan.ops(), yes),
            // The one part that settled it, or all of them.
            What::Join(settles) if *settles == yes => {
                if let Some(part) = parts(rest).find(|part| self.run(part) == yes) {
                    self.tell(part, yes);
                }
            }
            What::Join(_) => parts(rest).for_each(|part| self.tell(part, yes)),
            What::Shared(id, framed) => {
                if !self.memory.trace.first_visit(*id) {
                    return;
                }
                let inner = |cx: &mut Self| match (rest, cx.memory.settled(*id)) {
                    ([Op { what: What::Each(walk, all), .. }, body @ ..], Some(place)) if *all != yes => {
                        cx.tell_item(walk.list, place, body, yes);
                    }
                    ([Op { what: What::Count(walk, ..), .. }, body @ ..], Some(at)) => cx.tell_counted(*walk, body, at),
                    _ => cx.tell(rest, yes),
                };
                if *framed { self.in_frame(inner) } else { inner(self) }
            }
            What::Column(id, kind, all, test, each) => {
                if !self.memory.trace.first_visit(*id) {
                    return;
                }
                let settled = match self.memory.settled(*id) {
                    _ if *all == yes => None,
                    None => self.next_tested(List::Kind(*kind), (test, *each, rest), yes, 0),
                    settled => settled,
                };
                let rows = self.facts.columns.of(*kind);
                for e in settled.map_or(rows, |n| rows.get(n..=n).unwrap_or_default()) {
                    if self.told() {
                        break;
                    }
                    self.charge(1);
                    if rest.is_empty() {
                        self.tell_cell(test, *e);
                    } else {
                        self.about(test, Value::Entity(*e), |cx| cx.tell_row(test, rest, yes));
                    }
                }
            }
            // The item that settled it, or all of them.
            What::Each(walk, all) if *all != yes => {
                if let Some(place) = self.next(*walk, rest, yes, 0) {
                    self.tell_item(walk.list, place, rest, yes);
                }
            }
            What::Each(walk, _) => self.tell_all(walk.list, rest, yes),
            What::Count(walk, ..) => {
                // Those that are counted; where there is none, all.
                if !self.tell_from(*walk, rest, 0) {
                    self.tell_all(walk.list, rest, false);
                }
            }
        }
    }

    /// The test of a cell, and what must hold of its entity as well.
    fn tell_row(&mut self, test: &Test, more: &[Op], yes: bool) {
        if !yes && self.test_of(test) {
            // The one part that fails.
            if let Some(part) = parts(more).find(|part| !self.run(part)) {
                self.tell(part, false);
            }
            return;
        }
        self.look_at(test);
        if yes {
            parts(more).for_each(|part| self.tell(part, true));
        }
    }

    /// Those that are counted, the places of the first of which are kept; where there is none, all.
    fn tell_counted(&mut self, walk: Walk, body: &[Op], at: usize) {
        let kept = self.memory.counted(at).len();
        let mut next = 0;
        if let (List::Kind(kind), By::Test, [Op { what: What::Test(Test { source: Source::Cell(_, p, ..), check, .. }), .. }]) =
            (walk.list, walk.by, body)
            && !matches!(check, Check::With(..))
            && self.memory.trace.is_empty()
        {
            let rows = self.facts.columns.of(kind);
            let (trace, places) = self.memory.counted_for(at);
            trace.lead(places.iter().filter_map(|place| rows.get(*place as usize).copied()), *p);
            next = places.last().map_or(0, |place| (*place as usize).saturating_add(1));
        } else {
            for n in 0..kept {
                if self.told() {
                    return;
                }
                let Some(place) = self.memory.counted(at).get(n).map(|place| *place as usize) else { return };
                self.tell_item(walk.list, place, body, true);
                next = place.saturating_add(1);
            }
        }
        if kept == 0 {
            self.tell_all(walk.list, body, false);
        } else if kept >= counted(walk) {
            self.tell_from(walk, body, next);
        }
    }

    /// Those that are counted from a place on; whether there is any.
    fn tell_from(&mut self, walk: Walk, body: &[Op], mut from: usize) -> bool {
        let mut any = false;
        while !self.told()
            && let Some(place) = self.next(walk, body, true, from)
        {
            self.tell_item(walk.list, place, body, true);
            (any, from) = (true, place.saturating_add(1));
        }
        any
    }

    /// The cell of an entity, and what it is compared with.
    fn tell_cell(&mut self, test: &Test, e: EntityIx) {
        let Source::Cell(_, p, ..) = test.source else { return };
        self.see(Some(Seen::Prop(e, p)));
        if let Check::With(_, other) = &test.check {
            self.see(self.seen_at(*other));
        }
    }

    fn tell_all(&mut self, list: List, body: &[Op], yes: bool) {
        let mut place = 0;
        while !self.told() && self.tell_item(list, place, body, yes) {
            place = place.saturating_add(1);
        }
    }

    /// One item of a list, which is the local that comes next; whether the list goes so far.
    fn tell_item(&mut self, list: List, place: usize, body: &[Op], yes: bool) -> bool {
        let Some(item) = self.item(list, place) else { return false };
        self.charge(1);
        if let Some(item) = item {
            self.locals.push(item.into());
            self.tell(body, yes);
            self.locals.pop();
        }
        true
    }

    /// Notes what a test looks at.
    fn look_at(&mut self, test: &Test) {
        self.see(self.seen_at(test.source));
        let also = match (&test.check, test.source) {
            (Check::With(_, other), _) => self.seen_at(*other),
            (Check::Listed(n, _), Source::Local(of)) => self.entity(of).map(|e| Seen::Listed(e, *n)),
            (Check::Has(what, name), Source::Local(of)) => self.entity(of).map(|e| Seen::Has(e, *what, name.clone())),
            (Check::AlertHas(what, name), source) => {
                let has = |ix: &AlertIx| attack::alert_has(self.facts, *ix, *what, name);
                let found = match source {
                    Source::Local(of) => {
                        if let Value::Alert(ix) = self.local(of) {
                            Some(*ix).filter(has)
                        } else {
                            None
                        }
                    }
                    _ => self.facts.incident.alerts().map(|(ix, _)| ix).find(has),
                };
                found.map(|ix| Seen::AlertHas(ix, *what, name.clone()))
            }
            _ => return,
        };
        self.see(also);
    }

    fn see(&mut self, what: Option<Seen>) {
        if let Some(seen) = what {
            self.memory.trace.add(seen);
        }
    }

    /// What is looked at where this stands.
    fn seen_at(&self, source: Source) -> Option<Seen> {
        match source {
            Source::Cell(n, p, ..) | Source::Prop(n, p) => self.entity(n).map(|e| Seen::Prop(e, p)),
            Source::Entity(n, f) => self.entity(n).and_then(|e| seen_of(e, f)),
            Source::Alert(n, f) => match self.local(n) {
                Value::Alert(ix) => Some(Seen::Alert(*ix, f)),
                _ => None,
            },
            Source::Incident(f) => seen_in(f),
            Source::Local(_) | Source::Whole | Source::Len(_) => None,
        }
    }
}
