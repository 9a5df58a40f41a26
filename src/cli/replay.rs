//! `engine replay`

mod watch;

use std::path::PathBuf;

use clap::Args;

use super::corpus::{Asking, Wanted};
use super::{Exit, PlaybookArgs, colour_out, put};
use crate::card::render::{json, line};
use crate::playbook::PlaybookSet;
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
    /// Go on: the figures again after each edit of a playbook, over the corpus as it was read
    #[arg(long)]
    watch: bool,
    /// With --watch, look at the files again and again, for file systems that tell no events
    #[arg(long, requires = "watch")]
    poll: bool,
}

impl Replay {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        if self.watch {
            return watch::watch(self);
        }
        let set = self.playbooks.load()?;
        let totals = self.count(&set)?;
        put(&self.shown(&totals, &set, false))?;
        Ok(if totals.incidents == 0 { Exit::Input } else { Exit::Fine })
    }

    /// Reads the corpus and asks a set.
    fn count(&self, set: &PlaybookSet) -> Result<Totals, Exit> {
        let context = self.asking.context(set)?;
        let mut totals = Totals::default();
        let counted = self.asking.each(
            &self.incidents,
            || Counter::new(set),
            |counter, read, at| counter.add(&read.incident, &context, at),
            |(at, name, why)| totals.unread.add(at, &name, &why),
        )?;
        counted.into_iter().for_each(|c| totals.merge(c.finish()));
        Ok(totals)
    }

    /// The report as it is written: where one follows another, each JSON document is a line.
    fn shown(&self, totals: &Totals, set: &PlaybookSet, one_of_many: bool) -> String {
        let report = totals.report(set, self.at_precision, self.top);
        match self.format.settled() {
            Wanted::Human => text(&report, colour_out()),
            Wanted::Markdown => markdown(&report),
            Wanted::Json | Wanted::Auto if one_of_many => line(&report),
            Wanted::Json | Wanted::Auto => json(&[&report]),
        }
    }
}
