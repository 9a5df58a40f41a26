//! `engine explain`

use std::io::IsTerminal;

use clap::{Args, ValueEnum};

use super::run::{moment, permissions, width};
use super::{Exit, IncidentArgs, PlaybookArgs, colour_out, put, tell_line};
use crate::card::Context;
use crate::card::render::Look;
use crate::card::render::explain::{ExplainFormat, render};
use crate::card::why::{Ask, explain};
use crate::model::Time;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// Text on a terminal, JSON in a pipe
    Auto,
    /// A page for a terminal
    Text,
    /// One document, or an array for several incidents
    Json,
    /// For a ticket or pull request
    Markdown,
}

#[derive(Args, Debug)]
pub(super) struct Explain {
    /// A card by its id in the answer, a playbook, `playbook/card`, or a card's id in its playbook
    #[arg(value_name = "CARD|PLAYBOOK")]
    what: Option<String>,
    #[command(flatten)]
    incidents: IncidentArgs,
    #[command(flatten)]
    playbooks: PlaybookArgs,
    /// Only what is about this entity, by its id or any alias
    #[arg(long, value_name = "ID")]
    entity: Option<String>,
    /// Answer as this role or user of the `permissions:` files may act; without it every permission is assumed
    #[arg(long = "as", value_name = "NAME")]
    actor: Option<String>,
    /// The moment for `now()` and for exceptions; an RFC 3339 time or a day
    #[arg(long, value_name = "TIME", value_parser = moment)]
    now: Option<Time>,
    /// Every card and every entity, in full
    #[arg(long)]
    all: bool,
    /// How it is written
    #[arg(long, value_enum, default_value = "auto")]
    format: Wanted,
}

impl Explain {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        let set = self.playbooks.load()?;
        let actor = match &self.actor {
            None => None,
            Some(name) => Some((name.clone(), permissions(&set, name)?)),
        };
        let today = self.now.unwrap_or_else(crate::runtime::today);
        let ask = Ask { what: self.what.clone(), entity: self.entity.clone(), all: self.all };
        let mut made = Vec::new();
        let mut wrong: Option<String> = None;
        for r in self.incidents.read()? {
            let context = Context { now: self.now, today, actor: actor.clone(), input: r.diagnostics, only: None };
            // Of several incidents those that have what was asked about are explained.
            match explain(&set, &r.incident, &context, &ask) {
                Ok(e) => made.push(e),
                Err(why) => wrong = wrong.or(Some(why)),
            }
        }
        if let (true, Some(why)) = (made.is_empty(), wrong) {
            tell_line(&format!("engine: {}", crate::diag::human::visible(&why)));
            return Err(Exit::Input);
        }
        let format = match self.format {
            Wanted::Auto if std::io::stdout().is_terminal() => ExplainFormat::Text,
            Wanted::Auto | Wanted::Json => ExplainFormat::Json,
            Wanted::Text => ExplainFormat::Text,
            Wanted::Markdown => ExplainFormat::Markdown,
        };
        put(&render(&made, format, &Look { width: width(), colour: colour_out() }))
    }
}
