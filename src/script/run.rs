//! Runs plans over the facts of an incident.

use super::eval::{Cx, Stop};
use super::expr::Compare;
use super::fields::{AlertField, EntityField, IncidentField};
use super::functions::attack;
use super::plan::{Check, List, Plan, Ref, Source, Test};
use super::trace::{AlertHolds, Holds};
use super::value::Value;
use crate::model::{AlertIx, EntityIx, Kind, PropType, PropValue, Verdict};
use crate::script::columns::slot;

impl Cx<'_> {
    /// The answer to a plan.
    pub(super) fn run(&mut self, plan: &Plan) -> Result<bool, Stop> {
        match plan {
            Plan::Test(t) => Ok(self.test_of(t)),
            Plan::Not(x) => {
                self.charge(1);
                Ok(!self.run(x)?)
            }
            Plan::And(all) => self.both(all, false),
            Plan::Or(all) => self.both(all, true),
            Plan::Shared(id, x) => self.remembered(*id, |cx| cx.run(x)),
            Plan::Framed(x) => {
                self.charge(1);
                self.framed([], |cx| cx.run(x))
            }
            Plan::Each(list, all, body) => {
                self.charge(1);
                let decided = self.walk(*list, body, !*all)?;
                Ok(decided != *all)
            }
            Plan::Count(list, body, op, wanted) => {
                self.charge(3);
                let n = self.tally(*list, body)?;
                Ok(Ref::Int(n).compare(*op, Ref::Int(*wanted)))
            }
        }
    }

    fn both(&mut self, all: &[std::sync::Arc<Plan>], settles: bool) -> Result<bool, Stop> {
        for x in all {
            self.charge(1);
            if self.run(x)? == settles {
                return Ok(settles);
            }
        }
        Ok(!settles)
    }

    /// Whether any item answers as wanted; the walk ends there.
    fn walk(&mut self, list: List, body: &Plan, wanted: bool) -> Result<bool, Stop> {
        let found = match list {
            List::Kind(kind) => match self.scanned(body, wanted) {
                Some(first) => self.scan(kind, first, body, wanted)?,
                None => {
                    let facts = self.facts;
                    self.items(facts.columns.of(kind).iter().map(|e| Value::Entity(*e)), body, |answer| answer == wanted)?
                }
            },
            List::Alerts => {
                let facts = self.facts;
                self.items(facts.incident.alerts().map(|(ix, _)| Value::Alert(ix)), body, |answer| answer == wanted)?
            }
        };
        self.pay()?;
        Ok(found)
    }

    /// For how many items it holds.
    fn tally(&mut self, list: List, body: &Plan) -> Result<i64, Stop> {
        let facts = self.facts;
        let mut n = 0i64;
        let mut count = |answer: bool| {
            n = n.saturating_add(i64::from(answer));
            false
        };
        match list {
            List::Kind(kind) => self.items(facts.columns.of(kind).iter().map(|e| Value::Entity(*e)), body, &mut count)?,
            List::Alerts => self.items(facts.incident.alerts().map(|(ix, _)| Value::Alert(ix)), body, &mut count)?,
        };
        self.pay()?;
        Ok(n)
    }

    /// Asks the body of one item after another, until `enough`.
    fn items(&mut self, all: impl Iterator<Item = Value>, body: &Plan, mut enough: impl FnMut(bool) -> bool) -> Result<bool, Stop> {
        let at = self.locals.len();
        self.locals.push(Value::Absent);
        let mut found = Ok(false);
        for item in all {
            if let Some(place) = self.locals.last_mut() {
                *place = item;
            }
            self.charge(2);
            match self.run(body) {
                Ok(answer) if enough(answer) => {
                    found = Ok(true);
                    break;
                }
                Ok(_) => {}
                Err(stop) => {
                    found = Err(stop);
                    break;
                }
            }
        }
        self.locals.truncate(at);
        found
    }

    /// The test by which a whole column can be gone through: the body itself, or what it asks first.
    fn scanned<'p>(&self, body: &'p Plan, wanted: bool) -> Option<&'p Test> {
        let item = self.locals.len().saturating_sub(self.base);
        let on_item = |p: &'p Plan| match p {
            Plan::Test(t @ Test { source: Source::Cell(n, ..), check, .. }) if *n == item && !matches!(check, Check::With(..)) => Some(t),
            _ => None,
        };
        match body {
            Plan::And(all) if wanted => on_item(all.first()?),
            one => on_item(one),
        }
    }

    /// Goes through a column by its first test, and asks the rest where that holds.
    fn scan(&mut self, kind: Kind, first: &Test, body: &Plan, wanted: bool) -> Result<bool, Stop> {
        let facts = self.facts;
        let Source::Cell(_, slot, flag) = first.source else { return Ok(false) };
        let rest = match body {
            Plan::And(all) => all.get(1..).unwrap_or_default(),
            _ => &[],
        };
        let entities = facts.columns.of(kind);
        // Each item costs itself and its body, and within `&&` the first part.
        let each = u64::from(first.cost).saturating_add(if matches!(body, Plan::And(_)) { 3 } else { 2 });
        let column = facts.columns.column(slot).map(Vec::as_slice);
        let mut from = 0usize;
        loop {
            let mut extra = 0u64;
            let found = match column {
                Some(c) => position(c.get(from..).unwrap_or_default(), &first.check, wanted, |v| {
                    let (holds, more) = self.check(Ref::held(v, flag), &first.check);
                    extra = extra.saturating_add(more);
                    holds
                }),
                None => (from < entities.len() && self.check(Ref::held(None, flag), &first.check).0 == wanted).then_some(0),
            };
            let walked = found.map_or(entities.len().saturating_sub(from), |n| n.saturating_add(1));
            self.charge(each.saturating_mul(walked as u64).saturating_add(extra));
            let Some(n) = found else { return Ok(false) };
            from = from.saturating_add(n);
            if rest.is_empty() {
                return Ok(true);
            }
            let Some(e) = entities.get(from) else { return Ok(false) };
            self.locals.push(Value::Entity(*e));
            let holds = self.both(rest, false);
            self.locals.pop();
            if holds? {
                return Ok(true);
            }
            from = from.saturating_add(1);
        }
    }

    fn test_of(&mut self, t: &Test) -> bool {
        let (holds, extra) = match &t.check {
            Check::With(op, other) => (self.read(t.source).compare(*op, self.read(*other)), 0),
            check => self.check(self.read(t.source), check),
        };
        self.charge(u64::from(t.cost).saturating_add(extra));
        holds
    }

    /// What a value says to a check, and what that costs beyond its nodes.
    fn check(&self, v: Ref<'_>, check: &Check) -> (bool, u64) {
        let text = |holds: &dyn Fn(&str) -> bool| matches!(v, Ref::Text(t) if holds(t));
        let long = || if let Ref::Text(t) = v { (t.len() as u64).saturating_div(64) } else { 0 };
        let paid = |steps: usize| if matches!(v, Ref::Absent) { 0 } else { steps as u64 };
        match check {
            Check::True => (matches!(v, Ref::Bool(true) | Ref::Other(Value::Bool(true))), 0),
            Check::Known => (!matches!(v, Ref::Absent), 0),
            Check::Compare(op, other) => (v.compare(*op, Ref::of(other)), 0),
            Check::With(..) => (false, 0),
            Check::OneOf(all) => (text(&|t| all.iter().any(|x| **x == *t)), paid(all.len())),
            Check::Among(all) => (all.iter().any(|x| v.compare(Compare::Eq, Ref::of(x))), paid(all.len())),
            Check::Listed(n, counted) => {
                let Some(list) = self.facts.lists.get(*n as usize) else { return (false, 0) };
                let holds = match v {
                    Ref::Text(t) => list.has_text(t),
                    Ref::Other(Value::Entity(e)) => self.facts.entity(*e).is_some_and(|e| list.has_entity(e)),
                    _ => false,
                };
                (holds, if *counted { paid(list.len.saturating_div(64).saturating_add(1)) } else { 0 })
            }
            Check::Contains(part) => (text(&|t| t.contains(&**part)), 0),
            Check::Starts(part) => (text(&|t| t.starts_with(&**part)), 0),
            Check::Ends(part) => (text(&|t| t.ends_with(&**part)), 0),
            Check::Matches(r) => (text(&|t| r.is_match(t)), long()),
            Check::Glob(g) => (text(&|t| g.fits(&t.to_lowercase())), long()),
            Check::Has(what, name) => {
                let Ref::Other(Value::Entity(e)) = v else { return (false, 0) };
                let holds = match what {
                    Holds::Signal => self.facts.saying(*e, name).next().is_some(),
                    Holds::Role => self.facts.has_role(*e, name),
                    Holds::Tag => self.facts.has_tag(*e, name),
                    Holds::Field => false,
                };
                (holds, 0)
            }
            Check::AlertHas(what, name) => {
                let one = |ix: AlertIx| attack::alert_has(self.facts, ix, *what, name);
                let holds = match v {
                    Ref::Other(Value::Alert(ix)) => one(*ix),
                    Ref::Other(Value::Incident) => match what {
                        AlertHolds::Signal => self.facts.says(name),
                        _ => self.facts.incident.alerts().any(|(ix, _)| one(ix)),
                    },
                    _ => false,
                };
                (holds, 0)
            }
        }
    }

    /// The local at a position.
    fn local(&self, n: usize) -> &Value {
        self.locals.get(self.base.saturating_add(n)).unwrap_or(&Value::Absent)
    }

    fn entity(&self, n: usize) -> Option<EntityIx> {
        match self.local(n) {
            Value::Entity(e) => Some(*e),
            _ => None,
        }
    }

    /// What stands somewhere.
    fn read(&self, source: Source) -> Ref<'_> {
        let facts = self.facts;
        match source {
            Source::Local(n) => Ref::of(self.local(n)),
            Source::Whole => Ref::Other(&Value::Incident),
            Source::Cell(n, slot, flag) => Ref::held(self.entity(n).and_then(|e| facts.columns.value(e, slot)), flag),
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
                    EntityField::Aliases | EntityField::Roles | EntityField::Tags | EntityField::Signals | EntityField::Alerts => Ref::Absent,
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
                    AlertField::Detectors | AlertField::Techniques | AlertField::Tactics | AlertField::Signals => Ref::Absent,
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
                    IncidentField::Tags
                    | IncidentField::Signals
                    | IncidentField::Techniques
                    | IncidentField::Tactics
                    | IncidentField::Types
                    | IncidentField::Entities
                    | IncidentField::Alerts => Ref::Absent,
                }
            }
        }
    }
}

/// The first cell that answers as wanted. The commonest checks are asked without a detour.
fn position(cells: &[Option<PropValue>], check: &Check, wanted: bool, mut other: impl FnMut(Option<&PropValue>) -> bool) -> Option<usize> {
    match check {
        Check::True => cells.iter().position(|c| matches!(c, Some(PropValue::Bool(true))) == wanted),
        Check::Compare(Compare::Eq, Value::Text(t)) => cells.iter().position(|c| matches!(c, Some(PropValue::Text(x)) if **x == **t) == wanted),
        Check::Compare(Compare::Ge, Value::Int(n)) => cells.iter().position(|c| matches!(c, Some(PropValue::Int(x)) if x >= n) == wanted),
        Check::Compare(Compare::Le, Value::Int(n)) => cells.iter().position(|c| matches!(c, Some(PropValue::Int(x)) if x <= n) == wanted),
        Check::Contains(part) => cells.iter().position(|c| matches!(c, Some(PropValue::Text(x)) if x.contains(&**part)) == wanted),
        _ => cells.iter().position(|c| other(c.as_ref()) == wanted),
    }
}
