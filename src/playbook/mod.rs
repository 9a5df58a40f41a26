//! The language: YAML with places, the keys of each kind of file, and the way from files to a checked, compiled set.

mod book;
mod cards;
pub mod catalogue;
pub mod compile;
pub mod format;
pub mod holds;
pub mod hunting;
pub mod keys;
pub mod limits;
pub mod lint;
mod mend;
mod names;
pub mod order;
mod overlay;
pub mod query;
pub mod read;
mod scope;
pub mod set;
pub mod tests;
mod text;
pub mod yaml;

pub use compile::{Compiler, Input, compile};
pub use lint::lint;
pub use set::{Playbook, PlaybookSet};
pub use tests::{Test, tests};
