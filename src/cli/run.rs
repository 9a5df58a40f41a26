//! `engine run`

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};

use super::{Exit, IncidentArgs, PlaybookArgs, colour_out, put, tell_line};
use crate::card::render::{Format, Look, render};
use crate::card::{Context, Response, respond};
use crate::intake::Read;
use crate::model::Time;
use crate::playbook::PlaybookSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Wanted {
    /// Text on a terminal, JSON in a pipe
    Auto,
    /// A page for a terminal
    Text,
    /// One document, or an array for several incidents
    Json,
    /// One document a line
    Ndjson,
    /// For a ticket or pull request
    Markdown,
    /// One self-contained page
    Html,
}

#[derive(Args, Debug)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) incidents: IncidentArgs,
    #[command(flatten)]
    pub(super) playbooks: PlaybookArgs,
    /// Answer as this role or user of the `permissions:` files may act; without it every permission is assumed
    #[arg(long = "as", value_name = "NAME")]
    actor: Option<String>,
    /// The moment for `now()` and for exceptions; an RFC 3339 time or a day
    #[arg(long, value_name = "TIME", value_parser = moment)]
    now: Option<Time>,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "auto")]
    pub(super) format: Wanted,
    /// Go on: after each edit of a playbook or of the incident, what changed in the answer
    #[arg(long)]
    watch: bool,
    /// With --watch, look at the files again and again, for file systems that tell no events
    #[arg(long, requires = "watch")]
    pub(super) poll: bool,
}

pub(super) fn moment(text: &str) -> Result<Time, String> {
    crate::model::time::time(text).ok_or_else(|| "times are written as in 2026-01-31T09:30:00Z or 2026-01-31".to_owned())
}

/// What a role or user may do. That there is none of this name is told.
pub(super) fn permissions(set: &PlaybookSet, name: &str) -> Result<BTreeSet<String>, Exit> {
    set.permissions.of(name).ok_or_else(|| {
        let known: Vec<&str> = set.permissions.roles.keys().chain(set.permissions.users.keys()).map(String::as_str).collect();
        let near = crate::diag::nearest(name, known.iter().copied())
            .map_or_else(|| format!("known are {}", known.join(", ")), |k| format!("did you mean `{k}`?"));
        tell_line(&format!("engine: no role or user is called `{name}`; {near}"));
        Exit::Input
    })
}

impl Run {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        if self.watch {
            return super::watch::watch(self);
        }
        let set = self.playbooks.load()?;
        let responses = self.answers(&set, &self.incidents.read()?)?;
        let format = match self.format {
            Wanted::Auto if std::io::IsTerminal::is_terminal(&std::io::stdout()) => Format::Text,
            Wanted::Auto | Wanted::Json => Format::Json,
            Wanted::Text => Format::Text,
            Wanted::Ndjson => Format::Ndjson,
            Wanted::Markdown => Format::Markdown,
            Wanted::Html => Format::Html,
        };
        let done = put(&render(&responses, format, &look()));
        // The process ends here; taking the set apart would only cost time.
        std::mem::forget(set);
        done
    }

    /// The answers to incidents. That nobody is called as `--as` says is told.
    pub(super) fn answers(&self, set: &PlaybookSet, incidents: &[Read]) -> Result<Vec<Response>, Exit> {
        let actor = match &self.actor {
            None => None,
            Some(name) => Some((name.clone(), permissions(set, name)?)),
        };
        let today = self.now.unwrap_or_else(crate::runtime::today);
        let context = |r: &Read| Context { now: self.now, today, actor: actor.clone(), input: r.diagnostics.clone(), only: None };
        Ok(incidents.iter().map(|r| respond(set, &r.incident, &context(r))).collect())
    }
}

/// How a page for this terminal looks.
pub(super) fn look() -> Look {
    Look { width: width(), colour: colour_out() }
}

/// The width of the terminal as the shell tells it, within what is good to read.
pub(super) fn width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|c| c.parse::<usize>().ok()).unwrap_or(100).clamp(60, 120)
}
