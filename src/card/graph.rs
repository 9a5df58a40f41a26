//! The graph of an incident as a document.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::render::graph::{GraphAlert, GraphDoc, GraphEdge, GraphNode, SCHEMA};
use crate::model::{AlertIx, PropValue};
use crate::script::Facts;

/// The document of an incident's graph, with what signals and lists say.
pub fn document(facts: &Facts<'_>) -> GraphDoc {
    let alert_ids =
        |all: &mut dyn Iterator<Item = AlertIx>| -> Vec<String> { all.filter_map(|a| facts.incident.alert(a)).map(|a| a.id.to_string()).collect() };
    let nodes = facts
        .incident
        .entities()
        .map(|(ix, e)| {
            let mut properties: BTreeMap<String, Json> = e.fields.iter().map(|(k, v)| (k.to_string(), Json::from(v.as_ref()))).collect();
            let marked = facts.mark(ix).into_iter().flat_map(|m| m.props.keys().copied());
            for p in e.props.keys().chain(marked) {
                if let Some(v) = facts.prop(ix, p) {
                    properties.insert(p.spec().name.to_owned(), json(v));
                }
            }
            properties.insert("remediation_status".to_owned(), Json::from(e.remediation_status.as_ref()));
            if !e.records.is_empty() {
                properties.insert("records".to_owned(), e.records.iter().map(|(t, n)| (t.to_string(), Json::from(*n))).collect());
            }
            GraphNode {
                id: e.id.to_string(),
                kind: e.kind.to_string(),
                name: e.name.to_string(),
                aliases: e.aliases.iter().map(ToString::to_string).collect(),
                properties,
                verdict: facts.verdict(ix).to_string(),
                roles: facts.roles(ix).into_iter().map(str::to_owned).collect(),
                tags: facts.tags(ix).into_iter().map(str::to_owned).collect(),
                signals: facts.mark(ix).into_iter().flat_map(|m| m.signals.iter().map(ToString::to_string)).collect(),
                alerts: alert_ids(&mut e.alerts.iter().copied()),
            }
        })
        .collect();
    let id = |e| facts.entity(e).map_or_else(String::new, |e| e.id.to_string());
    let edges = facts
        .graph
        .edges()
        .map(|(_, r)| GraphEdge {
            from: id(r.from),
            relation: r.rel.spec().name.to_owned(),
            to: id(r.to),
            basis: r.basis.word().into(),
            first_seen: r.first.map(|t| t.to_string()),
            last_seen: r.last.map(|t| t.to_string()),
            alerts: alert_ids(&mut r.alerts.iter().copied()),
        })
        .collect();
    let alerts = facts
        .incident
        .alerts()
        .map(|(ix, a)| GraphAlert {
            id: a.id.to_string(),
            title: a.title.to_string(),
            severity: a.severity.map(|s| s.to_string()),
            signals: facts.signals_of(ix).map(ToString::to_string).collect(),
            techniques: a.techniques.iter().map(ToString::to_string).collect(),
        })
        .collect();
    GraphDoc { schema: SCHEMA, nodes, edges, alerts }
}

fn json(v: &PropValue) -> Json {
    match v {
        PropValue::Int(n) => Json::from(*n),
        PropValue::Bool(b) => Json::from(*b),
        PropValue::Texts(all) => all.iter().map(|t| Json::from(t.as_ref())).collect(),
        other => Json::from(other.to_string()),
    }
}
