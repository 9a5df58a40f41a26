use std::collections::BTreeMap;

use super::{GraphAlert, GraphDoc, GraphEdge, GraphFormat, GraphNode, SCHEMA, render};
use crate::card::render::{Look, sample::HOSTILE};
use crate::diag::human::hidden;

const ALL: [GraphFormat; 4] = [GraphFormat::Json, GraphFormat::Dot, GraphFormat::Mermaid, GraphFormat::Text];

fn node(id: &str, name: &str, verdict: &str, roles: &[&str]) -> GraphNode {
    GraphNode {
        id: id.to_owned(),
        kind: id.split(':').next().unwrap().to_owned(),
        name: name.to_owned(),
        verdict: verdict.to_owned(),
        roles: roles.iter().map(|r| (*r).to_owned()).collect(),
        alerts: vec!["a-1".to_owned()],
        ..GraphNode::default()
    }
}

fn edge(from: &str, relation: &str, to: &str, basis: &str) -> GraphEdge {
    GraphEdge {
        from: from.to_owned(),
        relation: relation.to_owned(),
        to: to.to_owned(),
        basis: basis.to_owned(),
        first_seen: Some("2026-01-12T09:14:02Z".to_owned()),
        last_seen: Some("2026-01-12T09:20:00Z".to_owned()),
        alerts: vec!["a-1".to_owned()],
    }
}

fn graph() -> GraphDoc {
    let mut ada = node("user:ada@contoso.com", "Ada Moreno", "unknown", &["compromised", "victim"]);
    ada.signals = vec!["url_clicked".to_owned()];
    ada.properties = BTreeMap::from([("department".to_owned(), "finance".into())]);
    GraphDoc {
        schema: SCHEMA,
        nodes: vec![
            node("ip:203.0.113.77", "203.0.113.77", "suspicious", &["attacker"]),
            node("url:https://sign-in.example.net/a", "sign-in.example.net/a", "malicious", &[]),
            ada,
        ],
        edges: vec![
            edge("user:ada@contoso.com", "clicked", "url:https://sign-in.example.net/a", "signal"),
            edge("user:ada@contoso.com", "signed_in_from", "ip:203.0.113.77", "co-occurrence"),
        ],
        alerts: vec![GraphAlert {
            id: "a-1".to_owned(),
            title: "A malicious link was clicked".to_owned(),
            severity: Some("high".to_owned()),
            ..GraphAlert::default()
        }],
    }
}

fn hostile() -> GraphDoc {
    let mut g = graph();
    for n in &mut g.nodes {
        n.name = HOSTILE.to_owned();
        n.kind = HOSTILE.to_owned();
        n.roles.push(HOSTILE.to_owned());
        n.aliases.push(HOSTILE.to_owned());
    }
    for e in &mut g.edges {
        e.relation = HOSTILE.to_owned();
        e.from = HOSTILE.to_owned();
    }
    g.alerts[0].title = HOSTILE.to_owned();
    g
}

#[test]
fn dot_marks_and_dashes() {
    let dot = render(&[graph()], GraphFormat::Dot, &Look::default());
    assert!(
        dot.contains("  n1 [label=\"url\\nsign-in.example.net/a\\nmalicious\", tooltip=\"url:https://sign-in.example.net/a\", fillcolor=\"#fdeceb\"")
    );
    assert!(dot.contains("  n2 -> n1 [label=\"clicked\"];\n"));
    assert!(dot.contains("  n2 -> n0 [label=\"signed_in_from\", style=dashed];\n"));
}

#[test]
fn mermaid_marks_and_dashes() {
    let drawing = render(&[graph()], GraphFormat::Mermaid, &Look::default());
    assert!(drawing.contains("  n1[\"url: sign-in.example.net/a\"]:::malicious\n"));
    assert!(drawing.contains("  n2 -->|\"clicked\"| n1\n"));
    assert!(drawing.contains("  n2 -.->|\"signed_in_from\"| n0\n"));
}

#[test]
fn text_groups_by_kind() {
    let text = render(&[graph()], GraphFormat::Text, &Look::default());
    assert!(text.starts_with("3 entities · 2 relations · 1 alert\n"));
    assert!(text.contains("USER (1) ─"));
    assert!(text.contains("  Ada Moreno (user:ada@contoso.com)\n    roles    compromised, victim\n    signals  url_clicked\n"));
    assert!(text.contains("    —clicked→ url:https://sign-in.example.net/a (2026-01-12 09:14:02 to 09:20:00 UTC, signal, 1\n      alert)\n"));
    assert!(text.contains("[malicious]"));
}

#[test]
fn json_has_the_names_of_the_design() {
    let read: serde_json::Value = serde_json::from_str(&render(&[graph()], GraphFormat::Json, &Look::default())).unwrap();
    assert_eq!(read["schema"], "incident-graph/1");
    for key in ["id", "kind", "name", "aliases", "properties", "verdict", "roles", "tags", "signals", "alerts"] {
        assert!(read["nodes"][0].get(key).is_some(), "{key}");
    }
    for key in ["from", "relation", "to", "basis", "first_seen", "last_seen", "alerts"] {
        assert!(read["edges"][0].get(key).is_some(), "{key}");
    }
    for key in ["id", "title", "severity", "signals", "techniques"] {
        assert!(read["alerts"][0].get(key).is_some(), "{key}");
    }
}

#[test]
fn hostile_values_keep_the_shape() {
    for format in ALL {
        let theirs = render(&[hostile()], format, &Look::default());
        assert!(!theirs.chars().any(|c| c != '\n' && hidden(c)), "{format:?}");
        assert_eq!(theirs, render(&[hostile()], format, &Look::default()));
    }
    // Every statement of the two drawings is of one of the few shapes that this program writes.
    let dot = render(&[hostile()], GraphFormat::Dot, &Look::default());
    for line in dot.lines().filter(|l| l.starts_with("  n") && !l.starts_with("  node ")) {
        let quotes = line.replace("\\\\", "").replace("\\\"", "");
        assert_eq!(quotes.matches('"').count() % 2, 0, "{line}");
        let bare: String = quotes.split('"').step_by(2).collect();
        assert!(!bare.contains('}') && !bare.contains('<') && bare.ends_with("];"), "{bare}");
    }
    let mermaid = render(&[hostile()], GraphFormat::Mermaid, &Look::default());
    for line in mermaid.lines().filter(|l| l.starts_with("  n")) {
        assert_eq!(line.matches('"').count(), 2, "{line}");
        assert!(!line.contains('`') && !line.contains('<') && !line.contains('}'), "{line}");
    }
}

#[test]
fn several_graphs_are_one_drawing() {
    let dot = render(&[graph(), graph()], GraphFormat::Dot, &Look::default());
    assert!(dot.contains("subgraph cluster_2") && dot.contains("  n5 -> n4 ") && dot.matches("digraph").count() == 1);
    let mermaid = render(&[graph(), graph()], GraphFormat::Mermaid, &Look::default());
    assert!(mermaid.contains("subgraph g2[\"incident 2\"]") && mermaid.matches("flowchart").count() == 1);
}
