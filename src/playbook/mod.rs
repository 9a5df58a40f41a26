//! The language: YAML with places, the keys of each kind of file, and the way from files to a checked, compiled set.

mod book;
mod cards;
pub mod catalogue;
pub mod compile;
pub mod format;
mod front;
pub mod holds;
pub mod hunting;
mod index;
pub mod keys;
mod later;
pub mod limits;
pub mod lint;
mod mend;
mod names;
pub mod order;
mod overlay;
pub mod query;
pub mod read;
pub mod scaffold;
pub mod schema;
mod scope;
pub mod set;
pub mod shipped;
pub mod speech;
pub mod tests;
mod text;
pub mod wording;
pub mod yaml;

pub use compile::{Compiler, Input, Workers, compile};
pub use later::Later;
pub use lint::lint;
pub use set::{Playbook, PlaybookSet};
pub use shipped::{SHIPPED, is_shipped};
pub use tests::{Test, tests};

use crate::diag::Diagnostic;
use crate::model::Time;

/// All that is known to be wrong with the files of a set, sorted by place: what compiling it found, what is wrong with the
/// tests of its playbooks, and what is probably not meant, as of a day.
pub fn findings(set: &PlaybookSet, today: Time) -> Vec<Diagnostic> {
    let mut all = set.diagnostics.clone();
    // The tests of what ships are for what ships alone: an overlay may well take a card away that they name.
    let alone = set.sources.iter().all(|(_, f)| is_shipped(&f.path));
    let spoken_of = |p: &Playbook| alone || !set.sources.get(p.span.file).is_some_and(|f| is_shipped(&f.path));
    all.extend(set.playbooks.iter().filter(|p| spoken_of(p)).flat_map(|p| tests(&set.sources, p).1));
    all.extend(lint(set, today));
    crate::diag::sort_in(&mut all, &set.sources);
    all
}
