//! From what holds to what is shown: cards, triage, hunts, and the answer in every format.

mod build;
pub mod changes;
mod evidence;
pub mod flip;
pub mod graph;
pub mod kql;
pub mod render;
pub mod response;
mod triage;
pub mod why;

use std::collections::{BTreeMap, BTreeSet};

pub use response::Response;
pub use triage::{Verdict, verdict};

use crate::diag::Diagnostic;
use crate::eval;
use crate::model::{Incident, Time};
use crate::playbook::PlaybookSet;
use crate::script::Cx;
use response::{Headline, Names, SCHEMA, SetInfo, Skipped, TypeScore, UnrecognisedAlert};

/// What an answer depends on beside playbooks and incident.
#[derive(Clone, Debug)]
pub struct Context {
    /// The moment that `now()` gives; the incident's last activity if not given.
    pub now: Option<Time>,
    /// The day by which exceptions expire: today, as the doors know it, or `now`.
    pub today: Time,
    /// A role or user of the `permissions:` files, with what it may do; `None`: everything.
    pub actor: Option<(String, BTreeSet<String>)>,
    /// What there is to say about the input.
    pub input: Vec<Diagnostic>,
    /// The one playbook that is asked, by id: what its tests and its author look at. `None`: all of them.
    pub only: Option<String>,
}

/// Guided response to one incident: the whole product as one function. Pure: the same values give the same answer.
pub fn respond(set: &PlaybookSet, incident: &Incident, context: &Context) -> Response {
    let (facts, diagnostics) = eval::facts(set, incident, context.now);
    answer(set, &mut Cx::new(&facts, set.questions), diagnostics, context)
}

/// The same over facts that are known already, with what failed on the way to them. `now` of the context is not used:
/// the facts have it.
pub fn answer(set: &PlaybookSet, cx: &mut Cx<'_>, mut diagnostics: Vec<Diagnostic>, context: &Context) -> Response {
    let facts = cx.facts;
    let incident = facts.incident;
    let mut evaluation = eval::evaluate(set, cx, context.only.as_deref());
    let triage = triage::triage(set, cx, &mut evaluation);
    let who = build::For { permissions: context.actor.as_ref().map(|(n, p)| (n.as_str(), p.clone())), today: context.today };
    let (cards, hunts) = build::build(set, cx, &mut evaluation, &triage, &who);
    diagnostics.extend(context.input.iter().cloned());
    diagnostics.extend(evaluation.diagnostics);
    let mut wire: Vec<_> = diagnostics.iter().map(|d| d.to_wire(&set.sources)).collect();
    wire.sort();
    wire.dedup();
    let unrecognised = incident
        .alerts()
        .filter(|(ix, _)| facts.signals_of(*ix).next().is_none())
        .map(|(_, a)| UnrecognisedAlert { id: a.id.to_string(), title: a.title.to_string() })
        .collect();
    Response {
        schema: SCHEMA,
        engine: env!("CARGO_PKG_VERSION"),
        incident: Headline {
            id: incident.id.to_string(),
            title: incident.title.to_string(),
            severity: incident.severity,
            status: incident.status.to_string(),
            source: incident.source.to_string(),
            first_activity: incident.first_activity.map(|t| t.to_string()),
            last_activity: incident.last_activity.map(|t| t.to_string()),
            types: facts.types.iter().map(|(id, score)| TypeScore { id: id.to_string(), score: *score }).collect(),
            alert_count: incident.alerts.len(),
            entity_count: incident.entities.len(),
            unrecognised_alerts: unrecognised,
        },
        triage,
        cards,
        hunts,
        similar: Vec::new(),
        summary: BTreeMap::new(),
        diagnostics: wire,
        playbooks: SetInfo {
            revision: set.revision.clone(),
            loaded: set.playbooks.len(),
            skipped: set.skipped.iter().map(|(file, reason)| Skipped { file: file.clone(), reason: reason.clone() }).collect(),
        },
        names: Names::of(incident),
    }
}
