//! What was looked at, as answers show it.

use std::sync::Arc;

use super::response::{Because, EntityRef, Evidence};
use crate::eval::because::Reason;
use crate::model::{AlertIx, EntityIx, Text};
use crate::script::limits::{DECIDED_BY, FINDINGS, LOOKED_FOR};
use crate::script::trace::{Seen, Shown};
use crate::script::{Cx, Facts};

/// An entity, named.
pub fn entity_ref(facts: &Facts<'_>, e: EntityIx) -> Option<EntityRef> {
    facts.entity(e).map(|x| EntityRef { id: x.id.to_string(), kind: x.kind.to_string(), name: x.name.to_string() })
}

/// The reasons of a card or triage as answers show them.
pub fn because(cx: &mut Cx<'_>, reasons: &[Reason<'_>], unsaid: impl Fn(&str) -> String) -> Vec<Arc<Because>> {
    let mut out: Vec<Arc<Because>> = Vec::with_capacity(reasons.len());
    for r in reasons {
        let (condition, text) = (r.name(), r.text(cx));
        if text.is_empty() && r.seen.is_empty() {
            continue;
        }
        let text = if text.is_empty() { unsaid(&condition) } else { text };
        let (evidence, more) = of(cx.facts, cx.seen(r.seen));
        let made = Because { condition, text, evidence, more };
        if !out.iter().any(|known| **known == made) {
            out.push(Arc::new(made));
        }
    }
    out
}

/// What was looked at, as answers show it, each once; and whether there is more than is shown.
pub fn of(facts: &Facts<'_>, seen: &[Seen]) -> (Vec<Evidence>, bool) {
    let mut out: Vec<Evidence> = Vec::with_capacity(seen.len().min(FINDINGS));
    for s in seen {
        let made = wire(facts, s.shown(facts));
        if out.contains(&made) {
            continue;
        }
        if out.len() >= FINDINGS {
            return (out, true);
        }
        out.push(made);
    }
    // Some read the same: where no more were looked for, nobody knows of the rest.
    let cut = [LOOKED_FOR, DECIDED_BY].iter().any(|most| seen.len() == most.saturating_add(1));
    (out, cut)
}

/// The alerts that reasons rest on.
pub fn alerts(cx: &Cx<'_>, reasons: &[Reason<'_>]) -> std::collections::BTreeSet<AlertIx> {
    let facts = cx.facts;
    let mut all = std::collections::BTreeSet::new();
    for s in reasons.iter().flat_map(|r| cx.seen(r.seen)) {
        match s.shown(facts) {
            Shown::Fact { alerts, value: Some(_), .. } => all.extend(alerts),
            Shown::Edge(x) => all.extend(facts.graph.edge(x).into_iter().flat_map(|r| r.alerts.iter().copied())),
            Shown::Alert { alert, .. } | Shown::Together { alert, .. } => {
                all.insert(alert);
            }
            _ => {}
        }
    }
    all
}

fn wire(facts: &Facts<'_>, s: Shown) -> Evidence {
    let id = |e: EntityIx| facts.entity(e).map(|x| x.id.clone()).unwrap_or_default();
    let ids = |all: &[AlertIx]| -> Vec<Text> { all.iter().filter_map(|a| facts.incident.alert(*a)).map(|a| a.id.clone()).collect() };
    match s {
        Shown::Fact { entity, property, value, basis, alerts } => {
            Evidence::Property { entity: id(entity), property, value, basis, alerts: ids(&alerts) }
        }
        Shown::Edge(x) => match facts.graph.edge(x) {
            Some(r) => Evidence::Edge {
                from: id(r.from),
                relation: r.rel.spec().name,
                to: Some(id(r.to)),
                basis: r.basis.word(),
                first_seen: r.first.map(|t| t.to_string()),
                last_seen: r.last.map(|t| t.to_string()),
                alerts: ids(&r.alerts),
            },
            None => {
                Evidence::Edge { from: Text::default(), relation: "", to: None, basis: "none", first_seen: None, last_seen: None, alerts: Vec::new() }
            }
        },
        Shown::NoEdge { entity, rel } => Evidence::Edge {
            from: id(entity),
            relation: rel.spec().name,
            to: None,
            basis: "none",
            first_seen: None,
            last_seen: None,
            alerts: Vec::new(),
        },
        Shown::Alert { alert, field, value } => Evidence::Property {
            entity: facts.incident.alert(alert).map(|a| format!("alert:{}", a.id).into()).unwrap_or_default(),
            property: field,
            value: Some(value),
            basis: if field == "signals" { "signal" } else { "record" },
            alerts: ids(&[alert]),
        },
        Shown::Incident { field, value } => {
            Evidence::Property { entity: "incident".into(), property: field, value: Some(value), basis: "record", alerts: Vec::new() }
        }
        Shown::Together { entity, other, alert } => Evidence::Edge {
            from: id(entity),
            relation: "shares_alert",
            to: Some(id(other)),
            basis: "record",
            first_seen: None,
            last_seen: None,
            alerts: ids(&[alert]),
        },
    }
}
