//! `engine graph`

use clap::{Args, ValueEnum};

use super::{Exit, IncidentArgs, PlaybookArgs, colour_out, put};
use crate::card::graph::document;
use crate::card::render::Look;
use crate::card::render::graph::{GraphFormat, render};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// Text on a terminal, JSON in a pipe
    Auto,
    /// One document, or an array for several incidents
    Json,
    /// For Graphviz
    Dot,
    /// For Markdown pages
    Mermaid,
    /// For people
    Text,
}

#[derive(Args, Debug)]
pub(super) struct Graph {
    #[command(flatten)]
    incidents: IncidentArgs,
    #[command(flatten)]
    playbooks: PlaybookArgs,
    /// How the graph is written
    #[arg(long, value_enum, default_value = "auto")]
    format: Wanted,
}

impl Graph {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        let set = self.playbooks.load()?;
        let read = self.incidents.read()?;
        let docs: Vec<_> = read
            .iter()
            .map(|r| {
                let (facts, _) = crate::eval::facts(&set, &r.incident, None);
                document(&facts)
            })
            .collect();
        let format = match self.format {
            Wanted::Auto if std::io::IsTerminal::is_terminal(&std::io::stdout()) => GraphFormat::Text,
            Wanted::Auto | Wanted::Json => GraphFormat::Json,
            Wanted::Dot => GraphFormat::Dot,
            Wanted::Mermaid => GraphFormat::Mermaid,
            Wanted::Text => GraphFormat::Text,
        };
        let notes: Vec<_> = read.into_iter().flat_map(|r| r.diagnostics).collect();
        super::tell(&notes, &set.sources);
        put(&render(&docs, format, &Look { colour: colour_out(), ..Look::default() }))
    }
}
