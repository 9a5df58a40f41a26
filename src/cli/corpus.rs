//! What commands over many incidents share: the corpus, on all threads, with progress and the time it took.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::progress::Progress;
use super::{Exit, tell, tell_line};
use crate::card::Context;
use crate::diag::Diagnostic;
use crate::diag::human::counted;
use crate::intake::{Read, Source};
use crate::model::Time;
use crate::playbook::PlaybookSet;
use crate::runtime::corpus::{Batches, Corpus};
use crate::runtime::parallel::folded;
use crate::source::Sources;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Wanted {
    /// Text on a terminal, JSON in a pipe
    Auto,
    /// For a terminal
    Human,
    /// One document
    Json,
    /// For a pull request
    Markdown,
}

impl Wanted {
    /// What `auto` stands for.
    pub(super) fn settled(self) -> Self {
        match self {
            Self::Auto if std::io::IsTerminal::is_terminal(&std::io::stdout()) => Self::Human,
            Self::Auto => Self::Json,
            other => other,
        }
    }
}

/// How incidents are asked about.
#[derive(Args, Clone, Debug)]
pub(super) struct Asking {
    /// The format of the incidents, where it is not to be recognised by its shape
    #[arg(long, value_name = "FORMAT", value_parser = super::source)]
    source: Option<Source>,
    /// Answer as this role or user of the `permissions:` files may act; without it every permission is assumed
    #[arg(long = "as", value_name = "NAME")]
    actor: Option<String>,
    /// The moment for `now()` and for exceptions; an RFC 3339 time or a day
    #[arg(long, value_name = "TIME", value_parser = super::run::moment)]
    now: Option<Time>,
}

/// An item of the corpus that could not be read: its position, its name, the reason.
pub(super) type Unread = (u64, String, Box<Diagnostic>);

impl Asking {
    /// The context in which a set answers.
    pub(super) fn context(&self, set: &PlaybookSet) -> Result<Context, Exit> {
        let actor: Option<(String, BTreeSet<String>)> = match &self.actor {
            None => None,
            Some(name) => Some((name.clone(), super::run::permissions(set, name)?)),
        };
        Ok(Context { now: self.now, today: self.now.unwrap_or_else(crate::runtime::today), actor, input: Vec::new(), only: None })
    }

    /// Does `work` on every incident of a corpus, on all threads, each of which has something of its own to add to; gives
    /// what each has in the end. What could not be read is given to `unread`, in order. Reads no faster than the work is
    /// done. Tells how long it took.
    pub(super) fn each<S: Send>(
        &self,
        corpus: &Path,
        begin: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, Read, u64) + Sync,
        mut unread: impl FnMut(Unread),
    ) -> Result<Vec<S>, Exit> {
        let items = Corpus::at(corpus).map_err(|d| {
            tell(&[*d], &Sources::default());
            Exit::Input
        })?;
        let begun = Instant::now();
        let mut progress = Progress::new("incidents", None);
        let mut incidents = 0u64;
        let all = folded(
            Batches::of(items),
            begin,
            |own, batch| {
                let (mut read, mut not) = (0u64, Vec::new());
                for (at, item) in batch {
                    let name = item.name.clone();
                    match item.read(self.source) {
                        Ok(reads) => reads.into_iter().for_each(|r| {
                            read = read.saturating_add(1);
                            work(own, r, at);
                        }),
                        Err(d) => not.push((at, name, d)),
                    }
                }
                (read, not)
            },
            |(read, not)| {
                for _ in 0..read {
                    progress.step();
                }
                incidents = incidents.saturating_add(read);
                not.into_iter().for_each(&mut unread);
                true
            },
        );
        drop(progress);
        let millis = begun.elapsed().as_millis().max(1);
        let rate = u128::from(incidents).saturating_mul(1000).checked_div(millis).unwrap_or(0);
        let (seconds, rest) = (millis.saturating_div(1000), millis.checked_rem(1000).unwrap_or(0));
        tell_line(&format!("{} in {seconds}.{rest:03} s: {rate} a second", counted(incidents, "incident")));
        Ok(all)
    }
}
