//! The graph for Graphviz.

use std::collections::BTreeMap;

use super::{GraphDoc, drawn, guessed, implied, label, mark};
use crate::diag::human::visible;

/// One `digraph`.
pub fn drawing(graphs: &[GraphDoc]) -> String {
    let mut out = String::from(
        "digraph incident {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f4f5f7\", color=\"#545d69\", fontname=\"Helvetica\", fontsize=11];\n  edge [color=\"#545d69\", fontcolor=\"#545d69\", fontname=\"Helvetica\", fontsize=9];\n",
    );
    let mut offset = 0usize;
    for (graph, number) in graphs.iter().zip(1usize..) {
        let framed = graphs.len() > 1;
        if framed {
            out.push_str(&format!("  subgraph cluster_{number} {{\n  label=\"incident {number}\";\n"));
        }
        let implied = implied(graph);
        let nodes = drawn(graph, &implied, offset);
        for d in &nodes {
            let look = match mark(d.node) {
                Some("malicious") => ", fillcolor=\"#fdeceb\", color=\"#a3271f\", penwidth=2",
                Some(_) => ", fillcolor=\"#fff3da\", color=\"#7a4a00\", penwidth=2",
                None => "",
            };
            let mut lines = vec![d.node.kind.clone(), label(d.node)];
            lines.extend(mark(d.node).map(str::to_owned));
            // `\n` is Graphviz's own line end, put in after each line was made harmless.
            let text = lines.iter().filter(|l| !l.is_empty()).map(|l| escape(l)).collect::<Vec<_>>().join("\\n");
            out.push_str(&format!("  {} [label=\"{text}\", tooltip=\"{}\"{look}];\n", d.name, escape(&d.node.id)));
        }
        let names: BTreeMap<&str, &str> = nodes.iter().map(|d| (d.node.id.as_str(), d.name.as_str())).collect();
        for e in &graph.edges {
            let (Some(from), Some(to)) = (names.get(e.from.as_str()), names.get(e.to.as_str())) else { continue };
            let dashed = if guessed(e) { ", style=dashed" } else { "" };
            out.push_str(&format!("  {from} -> {to} [label=\"{}\"{dashed}];\n", escape(&e.relation)));
        }
        offset = offset.saturating_add(nodes.len());
        if framed {
            out.push_str("  }\n");
        }
    }
    out.push_str("}\n");
    out
}

/// The inside of a quoted string: no quote, no escape sequence, no entity, one line.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in visible(text).chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '&' => out.push_str("&amp;"),
            '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
