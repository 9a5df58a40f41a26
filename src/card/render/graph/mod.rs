//! The graph of an incident as data, and how it is shown. Alerts are listed beside it; they are not drawn.

mod dot;
mod mermaid;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::Look;

/// The version of the document.
pub const SCHEMA: &str = "incident-graph/1";

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphFormat {
    /// The document, indented; an array when there are several.
    Json,
    /// For Graphviz.
    Dot,
    /// For Markdown pages that draw Mermaid.
    Mermaid,
    /// For a terminal.
    Text,
}

/// The graph of one incident.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GraphDoc {
    /// The version of the document.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: &'static str,
    /// The entities, by id.
    pub nodes: Vec<GraphNode>,
    /// The relations, by start, name and end.
    pub edges: Vec<GraphEdge>,
    /// The alerts, by id.
    pub alerts: Vec<GraphAlert>,
}

/// An entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct GraphNode {
    /// `kind:key`.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its name for people.
    pub name: String,
    /// Its other strong ids.
    pub aliases: Vec<String>,
    /// What is recorded of it.
    pub properties: BTreeMap<String, serde_json::Value>,
    /// `malicious`, `suspicious`, `unknown` or `no_threats_found`.
    pub verdict: String,
    /// The parts that it plays.
    pub roles: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The signals of the alerts that name it.
    pub signals: Vec<String>,
    /// The alerts that name it.
    pub alerts: Vec<String>,
}

/// A relation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GraphEdge {
    /// The entity where it starts.
    pub from: String,
    /// Its name.
    pub relation: String,
    /// The entity where it leads.
    pub to: String,
    /// `record`, `signal` or `co-occurrence`.
    pub basis: String,
    /// First time, RFC 3339.
    pub first_seen: Option<String>,
    /// Last time, RFC 3339.
    pub last_seen: Option<String>,
    /// The alerts that say it.
    pub alerts: Vec<String>,
}

/// An alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GraphAlert {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: Option<String>,
    /// What it says.
    pub signals: Vec<String>,
    /// ATT&CK technique ids.
    pub techniques: Vec<String>,
}

/// Writes graphs in a format; what it gives ends with a newline. Several graphs are one drawing with a frame around each.
pub fn render(graphs: &[GraphDoc], format: GraphFormat, look: &Look) -> String {
    match format {
        GraphFormat::Json => super::json(graphs),
        GraphFormat::Dot => dot::drawing(graphs),
        GraphFormat::Mermaid => mermaid::drawing(graphs),
        GraphFormat::Text => text::page(graphs, *look),
    }
}

/// A node with a name for drawings that no value can influence, such as `n4`.
struct Drawn<'a> {
    name: String,
    node: &'a GraphNode,
}

/// The nodes of a graph, named; `offset` of them were named before. Ids that only edges know get a node of their own.
fn drawn<'a>(graph: &'a GraphDoc, implied: &'a [GraphNode], offset: usize) -> Vec<Drawn<'a>> {
    let all = graph.nodes.iter().chain(implied);
    all.zip(offset..).map(|(node, n)| Drawn { name: format!("n{n}"), node }).collect()
}

/// Nodes for ids that edges name and the document does not hold.
fn implied(graph: &GraphDoc) -> Vec<GraphNode> {
    let known: BTreeSet<&str> = graph.nodes.iter().map(|n| n.id.as_str()).collect();
    let named: BTreeSet<&str> = graph.edges.iter().flat_map(|e| [e.from.as_str(), e.to.as_str()]).collect();
    let missing = named.difference(&known);
    missing.map(|id| GraphNode { id: (*id).to_owned(), name: (*id).to_owned(), ..GraphNode::default() }).collect()
}

/// Whether a relation is guessed.
fn guessed(edge: &GraphEdge) -> bool {
    edge.basis == "co-occurrence"
}

/// The mark of a node: malicious, suspicious or none.
fn mark(node: &GraphNode) -> Option<&'static str> {
    match node.verdict.as_str() {
        "malicious" => Some("malicious"),
        "suspicious" => Some("suspicious"),
        _ => None,
    }
}

/// A name for people, never empty; long ones are cut.
fn label(node: &GraphNode) -> String {
    const LONGEST: usize = 60;
    let name = if node.name.is_empty() { &node.id } else { &node.name };
    if name.chars().count() > LONGEST { name.chars().take(LONGEST).chain(['…']).collect() } else { name.clone() }
}

#[cfg(test)]
mod tests;
