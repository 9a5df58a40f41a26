//! The graph for a terminal: entities by kind, each with the relations that leave it, then the alerts.

use std::collections::BTreeMap;

use super::{GraphDoc, GraphEdge, GraphNode, implied, mark};
use crate::card::render::Look;
use crate::card::render::text::{Page, Style};
use crate::card::render::view;

/// The graphs, one after another.
pub fn page(graphs: &[GraphDoc], look: Look) -> String {
    let mut page = Page::new(look);
    if graphs.is_empty() {
        page.flow(0, &[(Style::Plain, "There is no incident.")]);
    }
    for (graph, number) in graphs.iter().zip(1usize..) {
        if graphs.len() > 1 {
            if number > 1 {
                page.gap();
            }
            page.rule(&format!("INCIDENT {number} OF {}", graphs.len()));
            page.gap();
        }
        one(&mut page, graph);
    }
    page.finish()
}

fn one(page: &mut Page, graph: &GraphDoc) {
    let counts = [
        view::counted(graph.nodes.len(), "entity", "entities"),
        view::counted(graph.edges.len(), "relation", "relations"),
        view::counted(graph.alerts.len(), "alert", "alerts"),
    ];
    page.flow(0, &[(Style::Bold, &counts.join(" · "))]);

    let implied = implied(graph);
    let mut kinds: BTreeMap<&str, Vec<&GraphNode>> = BTreeMap::new();
    for node in graph.nodes.iter().chain(&implied) {
        kinds.entry(&node.kind).or_default().push(node);
    }
    let mut leaving: BTreeMap<&str, Vec<&GraphEdge>> = BTreeMap::new();
    for e in &graph.edges {
        leaving.entry(&e.from).or_default().push(e);
    }
    for (kind, nodes) in kinds {
        page.gap();
        let kind = if kind.is_empty() { "not in the incident".to_owned() } else { view::words(kind) };
        page.rule(&format!("{} ({})", kind.to_uppercase(), nodes.len()));
        for node in nodes {
            page.gap();
            entity(page, node);
            for e in leaving.get(node.id.as_str()).into_iter().flatten() {
                relation(page, e);
            }
        }
    }
    if !graph.alerts.is_empty() {
        page.gap();
        page.rule(&format!("ALERTS ({})", graph.alerts.len()));
        page.gap();
    }
    for a in &graph.alerts {
        page.hang(2, 4, &[(Style::Plain, &a.title), (Style::Plain, " ("), (Style::Id, &a.id), (Style::Plain, ")")]);
        let mut facts: Vec<String> = a.severity.iter().cloned().collect();
        facts.push(if a.signals.is_empty() { "no signal knows it".to_owned() } else { format!("signals {}", a.signals.join(", ")) });
        facts.extend([a.techniques.join(", ")].into_iter().filter(|t| !t.is_empty()));
        page.flow(4, &[(Style::Dim, &facts.join(" · "))]);
    }
}

fn entity(page: &mut Page, node: &GraphNode) {
    let name = if node.name.is_empty() { &node.id } else { &node.name };
    let mut spans = vec![(Style::Bold, name.as_str())];
    if *name != node.id {
        spans.extend([(Style::Plain, " ("), (Style::Id, node.id.as_str()), (Style::Plain, ")")]);
    }
    if let Some(mark) = mark(node) {
        spans.extend([(Style::Plain, " ["), (Style::Warn, mark), (Style::Plain, "]")]);
    }
    page.hang(2, 4, &spans);
    for (label, values) in [("also", &node.aliases), ("roles", &node.roles), ("tags", &node.tags), ("signals", &node.signals)] {
        if !values.is_empty() {
            page.labelled(4, (Style::Dim, label), 9, &[(Style::Plain, &values.join(", "))]);
        }
    }
}

fn relation(page: &mut Page, e: &GraphEdge) {
    let mut how: Vec<String> = view::period(e.first_seen.as_deref(), e.last_seen.as_deref()).into_iter().collect();
    how.push(e.basis.clone());
    how.extend([view::counted(e.alerts.len(), "alert", "alerts")].into_iter().filter(|_| !e.alerts.is_empty()));
    let (arrow, how) = (format!("—{}→ ", e.relation), format!(" ({})", how.join(", ")));
    page.hang(4, 6, &[(Style::Plain, &arrow), (Style::Id, &e.to), (Style::Dim, &how)]);
}
