//! All that touches the machine: playbooks and incidents from disk and from git, the clock.

pub mod corpus;
pub mod git;
pub mod incidents;
pub mod live;
pub mod parallel;
pub mod playbooks;
pub mod replace;
pub mod split;

use std::path::Path;

use crate::diag::{Diagnostic, Severity, codes};
pub use replace::replace;

/// That a path cannot be read, and why.
fn unreadable(path: &Path, e: &std::io::Error) -> Diagnostic {
    Diagnostic::new(codes::UNREADABLE, Severity::Error, format!("`{}` cannot be read: {e}", path.display()))
}

/// The moment by the machine's clock: for the expiry of exceptions, nothing else.
pub fn today() -> crate::model::Time {
    crate::model::Time::now()
}
