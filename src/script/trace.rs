//! What an expression looked at: the evidence under a card.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::eval::display;
use super::expr::MemoId;
use super::facts::Facts;
use super::fields::{AlertField, IncidentField};
use super::functions::attack;
use crate::model::{AlertIx, EdgeIx, EntityIx, Prop, PropValue, Rel};

/// One thing that was looked at: where it stands, and nothing that has to be written out before somebody wants to see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    /// A property of an entity.
    Prop(EntityIx, Prop),
    /// The verdict on an entity.
    Verdict(EntityIx),
    /// What was done about an entity.
    Remediation(EntityIx),
    /// Whether an entity has something of this name.
    Has(EntityIx, Holds, Arc<str>),
    /// Whether an entity is in the list at this position of the set's lists.
    Listed(EntityIx, u32),
    /// An edge that was walked.
    Edge(EdgeIx),
    /// An edge that is not there: from where it was looked for.
    NoEdge(EntityIx, Rel),
    /// A field of an alert.
    Alert(AlertIx, AlertField),
    /// Something of this name that an alert has.
    AlertHas(AlertIx, AlertHolds, Arc<str>),
    /// A field of the incident.
    Incident(IncidentField),
    /// Two entities in one alert.
    Together(EntityIx, EntityIx, AlertIx),
}

/// What an entity has by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holds {
    /// A signal of an alert that names it.
    Signal,
    /// A part that it plays.
    Role,
    /// A tag.
    Tag,
    /// A field of the source.
    Field,
}

/// What an alert has by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertHolds {
    /// A technique, or one below it.
    Technique,
    /// A tactic, by its own word or by a technique.
    Tactic,
    /// A signal.
    Signal,
    /// A field of the source.
    Extra,
}

/// The same with all that there is to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A property of an entity; `None` where nothing is recorded.
    Fact {
        /// Whose.
        entity: EntityIx,
        /// Its name.
        property: &'static str,
        /// What it holds, for people.
        value: Option<String>,
        /// `record`, `signal` or `list`.
        basis: &'static str,
        /// The alerts that say it.
        alerts: Vec<AlertIx>,
    },
    /// An edge that was walked.
    Edge(EdgeIx),
    /// An edge that is not there.
    NoEdge {
        /// From where it was looked for.
        entity: EntityIx,
        /// Its name.
        rel: Rel,
    },
    /// A field of an alert.
    Alert {
        /// Which.
        alert: AlertIx,
        /// Its name.
        field: &'static str,
        /// What it holds, for people.
        value: String,
    },
    /// A field of the incident.
    Incident {
        /// Its name.
        field: &'static str,
        /// What it holds, for people.
        value: String,
    },
    /// Two entities in one alert.
    Together {
        /// One.
        entity: EntityIx,
        /// The other.
        other: EntityIx,
        /// The alert.
        alert: AlertIx,
    },
}

impl Seen {
    /// A number that is another one for most other findings.
    fn mark(&self) -> u32 {
        match self {
            Self::Prop(e, p) => e.0.wrapping_add(u32::from(p.0).wrapping_mul(37)),
            Self::Verdict(e) | Self::Has(e, ..) | Self::Listed(e, _) => e.0.wrapping_mul(3),
            Self::Alert(a, _) | Self::AlertHas(a, ..) => a.0.wrapping_mul(5),
            Self::Edge(x) => x.0.wrapping_mul(7),
            _ => 0,
        }
    }

    /// Whether no other finding reads the same: entities have different ids, and their properties different names.
    fn is_apart(&self) -> bool {
        matches!(self, Self::Prop(..) | Self::Verdict(_) | Self::Remediation(_))
    }

    /// What there is to say of it.
    pub fn shown(&self, facts: &Facts<'_>) -> Shown {
        let fact = |entity, property, value, basis, alerts| Shown::Fact { entity, property, value, basis, alerts };
        match self {
            Self::Prop(e, p) => {
                let found = facts.prop(*e, *p);
                let (basis, alerts) = said_by(facts, *e, *p, found);
                fact(*e, p.spec().name, found.map(ToString::to_string), basis, alerts)
            }
            Self::Verdict(e) => {
                let verdict = facts.verdict(*e);
                let own = facts.entity(*e);
                let said = facts.mark(*e).and_then(|m| m.verdict.as_ref()).filter(|_| own.is_some_and(|x| x.verdict != verdict));
                let (basis, alerts) = match said {
                    Some((_, alerts)) => ("signal", alerts.iter().copied().collect()),
                    None => ("record", own.into_iter().flat_map(|x| x.alerts.iter().copied()).collect()),
                };
                fact(*e, "verdict", Some(verdict.to_string()), basis, alerts)
            }
            Self::Remediation(e) => {
                let value = facts.entity(*e).map(|x| x.remediation_status.to_string());
                fact(*e, "remediation_status", value, "record", Vec::new())
            }
            Self::Has(e, Holds::Signal, id) => {
                let alerts: Vec<AlertIx> = facts.saying(*e, id).collect();
                fact(*e, "signals", (!alerts.is_empty()).then(|| id.to_string()), "signal", alerts)
            }
            Self::Has(e, Holds::Role, role) => {
                let holds = facts.has_role(*e, role);
                let (alerts, recorded) = facts.role_alerts(*e, role);
                let basis = if recorded || alerts.is_empty() { "record" } else { "signal" };
                fact(*e, "roles", holds.then(|| role.to_string()), basis, alerts.into_iter().collect())
            }
            Self::Has(e, Holds::Tag, tag) => {
                let own = facts.entity(*e).is_some_and(|x| x.tags.contains(&**tag));
                let holds = facts.has_tag(*e, tag);
                fact(*e, "tags", holds.then(|| tag.to_string()), if own || !holds { "record" } else { "list" }, Vec::new())
            }
            Self::Has(e, Holds::Field, name) => {
                let value = facts.entity(*e).and_then(|x| x.fields.get(&**name)).map(ToString::to_string);
                fact(*e, "field", value, "record", Vec::new())
            }
            Self::Listed(e, n) => {
                let list = facts.lists.get(*n as usize).filter(|list| facts.entity(*e).is_some_and(|x| list.has_entity(x)));
                fact(*e, "in_list", list.map(|l| l.id.to_string()), "list", Vec::new())
            }
            Self::Edge(x) => Shown::Edge(*x),
            Self::NoEdge(e, rel) => Shown::NoEdge { entity: *e, rel: *rel },
            Self::Alert(alert, f) => Shown::Alert { alert: *alert, field: f.word(), value: display(facts, &facts.alert_field(*alert, *f)) },
            Self::AlertHas(ix, what, name) => {
                let alert = facts.incident.alert(*ix);
                let (field, value) = match what {
                    AlertHolds::Technique => ("techniques", alert.and_then(|a| attack::technique_of(a, name))),
                    AlertHolds::Tactic => ("tactics", alert.and_then(|a| attack::serves(a, name))),
                    AlertHolds::Signal => ("signals", Some(&**name)),
                    AlertHolds::Extra => ("extra", alert.and_then(|a| a.extra.get(&**name)).map(|v| &**v)),
                };
                Shown::Alert { alert: *ix, field, value: value.unwrap_or_default().to_owned() }
            }
            Self::Incident(f) => Shown::Incident { field: f.word(), value: display(facts, &facts.incident_field(*f)) },
            Self::Together(e, o, alert) => Shown::Together { entity: *e, other: *o, alert: *alert },
        }
    }
}

/// Who says what a property holds: records, or signals; and in which alerts.
fn said_by(facts: &Facts<'_>, e: EntityIx, p: Prop, found: Option<&PropValue>) -> (&'static str, Vec<AlertIx>) {
    let marked = facts.mark(e).and_then(|m| m.props.get(&p)).filter(|(v, _)| Some(v) == found);
    let reports = facts.entity(e).and_then(|x| x.props.get(&p));
    let recorded = reports.into_iter().flatten().filter(|r| Some(&r.value) == found);
    match marked {
        Some((_, alerts)) if recorded.clone().count() == 0 => ("signal", alerts.iter().copied().collect()),
        _ => ("record", recorded.filter_map(|r| r.alert).collect::<BTreeSet<_>>().into_iter().collect()),
    }
}

/// Where what was looked at for a question stands in the trace.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looked {
    from: u32,
    to: u32,
}

impl Looked {
    /// Whether nothing was looked at.
    pub fn is_empty(self) -> bool {
        self.from == self.to
    }

    /// Where it ends.
    pub(super) fn end(self) -> usize {
        self.to as usize
    }
}

/// What has been looked at so far, in order: for the question that is looked into, and for those before it that are to be
/// shown.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    seen: Vec<Seen>,
    /// Where what belongs to this question begins.
    start: usize,
    /// A bit for each finding, which several may share: where it is not set, the finding is new.
    marks: [u64; 4],
    visited: Vec<MemoId>,
    /// How many of these findings read like no other one.
    apart: usize,
    most: Most,
}

/// How many findings are wanted: of those that read like no other one, and of all. When there is one more, it is enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct Most {
    /// Of those that read like no other one.
    pub apart: usize,
    /// Of all.
    pub all: usize,
}

impl Trace {
    /// Begins with another question.
    pub fn begin(&mut self, most: Most) {
        (self.start, self.apart, self.most) = (self.seen.len(), 0, most);
        self.marks = [0; 4];
        self.visited.clear();
    }

    /// How much was looked at.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Forgets all but so much.
    pub fn truncate(&mut self, len: usize) {
        self.seen.truncate(len);
    }

    /// Adds a finding that is not there yet.
    #[inline]
    pub fn add(&mut self, what: Seen) {
        if self.full() {
            return;
        }
        if self.mark(&what) || !self.seen.get(self.start..).is_some_and(|seen| seen.contains(&what)) {
            self.push(what);
        }
    }

    /// Begins a question with a property of some entities, of which none is another.
    #[inline]
    pub fn lead(&mut self, some: impl Iterator<Item = EntityIx>, p: Prop) {
        let most = self.most.apart.min(self.most.all).saturating_add(1);
        self.seen.extend(some.take(most).map(|e| Seen::Prop(e, p)));
        self.apart = self.seen.len().saturating_sub(self.start);
        // What follows has to be compared with them.
        self.marks = [u64::MAX; 4];
    }

    /// Adds a finding that is made where it stands: what is made elsewhere and moved there at once waits until it is written.
    #[inline(always)]
    fn place(&mut self, make: impl FnOnce() -> Seen) {
        self.seen.extend(std::iter::once_with(make));
    }

    /// Sets the bit of a finding; whether it was not set yet.
    #[inline(always)]
    fn mark(&mut self, what: &Seen) -> bool {
        let n = what.mark();
        self.marks.get_mut(n.wrapping_shr(6) as usize & 3).is_some_and(|marks| {
            let before = *marks;
            *marks |= 1u64.wrapping_shl(n);
            *marks != before
        })
    }

    #[inline(always)]
    fn push(&mut self, what: Seen) {
        self.apart = self.apart.wrapping_add(usize::from(what.is_apart()));
        self.seen.push(what);
    }

    /// Whether nothing was looked at so far for this question.
    pub fn is_empty(&self) -> bool {
        self.seen.len() == self.start
    }

    /// Whether there is more than is wanted.
    pub fn full(&self) -> bool {
        self.apart > self.most.apart || self.seen.len().saturating_sub(self.start) > self.most.all
    }

    /// Whether a shared question is looked into for the first time.
    pub fn first_visit(&mut self, id: MemoId) -> bool {
        let first = !self.visited.contains(&id);
        if first {
            self.visited.push(id);
        }
        first
    }

    /// The findings, each once, in order: more than may be shown where there are more. They are not kept.
    pub fn taken(&mut self) -> Vec<Seen> {
        self.seen.split_off(self.start)
    }

    /// Where they are kept.
    pub fn kept(&self) -> Looked {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Looked { from: at(self.start), to: at(self.seen.len()) }
    }

    /// Keeps findings of which nothing is known yet.
    pub fn keep(&mut self, found: impl IntoIterator<Item = Seen>) -> Looked {
        self.start = self.seen.len();
        self.seen.extend(found);
        self.kept()
    }

    /// Keeps one finding.
    #[inline(always)]
    pub fn keep_one(&mut self, make: impl FnOnce() -> Seen) -> Looked {
        self.start = self.seen.len();
        self.place(make);
        self.kept()
    }

    /// What was looked at for a question that is kept.
    pub fn of(&self, looked: Looked) -> &[Seen] {
        self.seen.get(looked.from as usize..looked.to as usize).unwrap_or_default()
    }
}
