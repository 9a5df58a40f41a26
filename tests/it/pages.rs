//! What people read, kept as files: a change of a page shows in review. `UPDATE_WRITTEN=1` writes them anew.

use guided_response::card::render::graph::{GraphFormat, render as render_graph};
use guided_response::card::render::{Format, Look, render};
use guided_response::card::{Context, respond};
use guided_response::playbook::compile;

use crate::support::path;

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
    let mut stale = Vec::new();
    for (name, text) in [
        ("phishing.txt", render(&all, Format::Text, &look)),
        ("phishing.md", render(&all, Format::Markdown, &look)),
        ("phishing.json", render(&all, Format::Json, &look)),
        ("phishing-graph.txt", render_graph(&graph, GraphFormat::Text, &look)),
        ("phishing-graph.mmd", render_graph(&graph, GraphFormat::Mermaid, &look)),
    ] {
        let file = path("tests/data/pages").join(name);
        if std::env::var_os("UPDATE_WRITTEN").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &text).unwrap();
        }
        if std::fs::read_to_string(&file).ok().as_deref() != Some(&text) {
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "{stale:?} differ from what is written; read the difference, then run with UPDATE_WRITTEN=1");
}
