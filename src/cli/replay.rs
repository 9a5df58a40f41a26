//! `engine replay`

use std::path::PathBuf;

use clap::Args;

use super::corpus::{Asking, Wanted};
use super::{Exit, PlaybookArgs, colour_out, put};
use crate::card::render::json;
use crate::tester::replay::{Counter, Totals, markdown, text};

#[derive(Args, Debug)]
pub(super) struct Replay {
    /// Past incidents: a folder, a file (one document, an array, JSON Lines), or `-` for standard input
    #[arg(long, value_name = "CORPUS")]
    incidents: PathBuf,
    #[command(flatten)]
    playbooks: PlaybookArgs,
    #[command(flatten)]
    asking: Asking,
    /// The precision, in percent, at which the coverage of triage is told
    #[arg(long, value_name = "PERCENT", default_value_t = 95, value_parser = clap::value_parser!(u8).range(1..=100))]
    at_precision: u8,
    /// How many titles of alerts that no signal knows are listed
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// How the report is written
    #[arg(long, value_enum, default_value = "auto")]
    format: Wanted,
}

impl Replay {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        let set = self.playbooks.load()?;
        let context = self.asking.context(&set)?;
        let mut totals = Totals::default();
        let counted = self.asking.each(
            &self.incidents,
            || Counter::new(&set),
            |counter, read, at| counter.add(&read.incident, &context, at),
            |(at, name, why)| totals.unread.add(at, &name, &why),
        )?;
        counted.into_iter().for_each(|c| totals.merge(c.finish()));
        let report = totals.report(&set, self.at_precision, self.top);
        put(&match self.format.settled() {
            Wanted::Human => text(&report, colour_out()),
            Wanted::Markdown => markdown(&report),
            Wanted::Json | Wanted::Auto => json(&[&report]),
        })?;
        Ok(if totals.incidents == 0 { Exit::Input } else { Exit::Fine })
    }
}
