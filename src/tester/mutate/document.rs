//! What mutation found, as JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::page::{by_file, shares};
use super::{Fate, Mutant, Mutation};
use crate::source::Sources;
use crate::tester::coverage::Share;
use crate::tester::coverage::document::{Range, percent};

/// Which changes the tests notice.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document {
    /// Changes of expressions.
    conditions: Score,
    /// Entries of `match:` left out.
    #[serde(rename = "match")]
    matching: Score,
    /// The playbooks by id, then the libraries that they use.
    files: Vec<File>,
}

/// How many changes were noticed.
#[derive(Debug, Serialize, JsonSchema)]
struct Score {
    /// Of all that count, to two places.
    percent: f64,
    /// Changes that a test notices.
    killed: usize,
    /// Changes that no test notices.
    survived: usize,
}

/// A playbook or library.
#[derive(Debug, Serialize, JsonSchema)]
struct File {
    /// The playbook's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    playbook: Option<String>,
    /// The library's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    library: Option<String>,
    /// Its file.
    file: String,
    /// Changes of its expressions.
    conditions: Score,
    /// Entries of its `match:` left out.
    #[serde(rename = "match")]
    matching: Score,
    /// What no test notices, by place.
    survivors: Vec<Survivor>,
}

/// A change that no test notices.
#[derive(Debug, Serialize, JsonSchema)]
struct Survivor {
    /// What it belongs to.
    #[serde(rename = "in")]
    owner: String,
    /// Whether it is an entry of `match:`.
    #[serde(rename = "match")]
    matching: bool,
    /// Where it stands.
    place: Range,
    /// What stands there.
    from: String,
    /// What was put there; empty where it was left out.
    to: String,
    /// The tests that ask what was changed, and do not notice.
    asked_by: Vec<String>,
}

fn score(s: Share) -> Score {
    Score { percent: percent(s), killed: s.seen, survived: s.of.saturating_sub(s.seen) }
}

/// As JSON.
pub fn document(mutation: &Mutation<'_>, fates: &[Fate], sources: &Sources) -> Document {
    let files = by_file(mutation, fates).into_iter().map(|(file, all)| {
        let (own, matching) = shares(all.iter());
        let survivor = |(m, fate): &(&Mutant, &Fate)| {
            let Fate::Survived(put, asked) = fate else { return None };
            Some(Survivor {
                owner: m.owner.clone(),
                matching: m.matching,
                place: Range::of(sources, m.span),
                from: m.from.clone(),
                to: put.clone(),
                asked_by: asked.iter().map(ToString::to_string).collect(),
            })
        };
        let (playbook, library) = if file.library { (None, Some(file.name.clone())) } else { (Some(file.name.clone()), None) };
        File {
            playbook,
            library,
            file: sources.get(file.id).map_or_else(String::new, |f| f.path.to_string()),
            conditions: score(own),
            matching: score(matching),
            survivors: all.iter().filter_map(survivor).collect(),
        }
    });
    let files = files.collect();
    let everything: Vec<(&Mutant, &Fate)> = mutation.mutants.iter().zip(fates).collect();
    let (own, matching) = shares(everything.iter());
    Document { conditions: score(own), matching: score(matching), files }
}
