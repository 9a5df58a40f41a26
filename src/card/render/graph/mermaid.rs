//! The graph for Mermaid.

use std::collections::BTreeMap;

use super::{GraphDoc, drawn, guessed, implied, label, mark};
use crate::diag::human::visible;

/// One `flowchart`.
pub fn drawing(graphs: &[GraphDoc]) -> String {
    let mut out = String::from(
        "flowchart LR\n  classDef malicious fill:#fdeceb,stroke:#a3271f,color:#a3271f,stroke-width:2px\n  classDef suspicious fill:#fff3da,stroke:#7a4a00,color:#7a4a00,stroke-width:2px\n",
    );
    let mut offset = 0usize;
    for (graph, number) in graphs.iter().zip(1usize..) {
        let framed = graphs.len() > 1;
        if framed {
            out.push_str(&format!("  subgraph g{number}[\"incident {number}\"]\n"));
        }
        let implied = implied(graph);
        let nodes = drawn(graph, &implied, offset);
        for d in &nodes {
            let kind = if d.node.kind.is_empty() { "entity" } else { &d.node.kind };
            let class = mark(d.node).map(|m| format!(":::{m}")).unwrap_or_default();
            out.push_str(&format!("  {}[\"{}: {}\"]{class}\n", d.name, escape(kind), escape(&label(d.node))));
        }
        let names: BTreeMap<&str, &str> = nodes.iter().map(|d| (d.node.id.as_str(), d.name.as_str())).collect();
        for e in &graph.edges {
            let (Some(from), Some(to)) = (names.get(e.from.as_str()), names.get(e.to.as_str())) else { continue };
            let arrow = if guessed(e) { "-.->" } else { "-->" };
            out.push_str(&format!("  {from} {arrow}|\"{}\"| {to}\n", escape(&e.relation)));
        }
        offset = offset.saturating_add(nodes.len());
        if framed {
            out.push_str("  end\n");
        }
    }
    out
}

/// The inside of a quoted label: whatever is neither letter, digit nor harmless is an entity code of Mermaid's.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in visible(text).chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '\n' => out.push(' '),
            ' ' | '.' | ',' | ':' | '/' | '_' | '-' | '@' | '=' | '+' | '(' | ')' => out.push(c),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => out.push_str(&format!("#{};", c as u32)),
            c => out.push(c),
        }
    }
    out
}
