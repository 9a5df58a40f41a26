//! What people read, kept as files: a change of a page shows in review. `UPDATE_WRITTEN=1` writes them anew.

use guided_response::card::render::graph::{GraphFormat, render as render_graph};
use guided_response::card::render::{Format, Look, render};
use guided_response::card::{Context, respond};
use guided_response::playbook::compile;

use crate::support::{path, written};

#[test]
fn the_pages_are_as_they_were() {
    let set = compile(&guided_response::runtime::playbooks::shipped());
    let bytes = std::fs::read(path("tests/data/incidents/graph-phishing-clicked.json")).unwrap();
    let read = guided_response::intake::read(&bytes, None).unwrap().remove(0);
    let today = "2026-03-05T00:00:00Z".parse().unwrap();
    let mut answer = respond(&set, &read.incident, &Context { now: None, today, actor: None, input: read.diagnostics, only: None });
    // The revision changes with every shipped file; the page does not.
    answer.playbooks.revision = "revision".into();
    let all = [answer];
    let look = Look { width: 100, colour: false };
    let (facts, _) = guided_response::eval::facts(&set, &read.incident, None);
    let graph = [guided_response::card::graph::document(&facts)];
    written(
        "tests/data/pages",
        &[
            ("phishing.txt", render(&all, Format::Text, &look)),
            ("phishing.md", render(&all, Format::Markdown, &look)),
            ("phishing.json", render(&all, Format::Json, &look)),
            ("phishing-graph.txt", render_graph(&graph, GraphFormat::Text, &look)),
            ("phishing-graph.mmd", render_graph(&graph, GraphFormat::Mermaid, &look)),
        ],
    );
}
