//! What the whole program must keep: the street stays one-way, the table of functions tells the truth, both evaluators
//! agree, order does not matter, and nothing that is read makes it panic, hang or grow.
#![allow(
    missing_docs,
    unused_crate_dependencies,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests fail loudly and say what they did"
)]

mod candidates;
mod check;
mod diff;
mod explain;
mod export;
mod format;
mod functions;
mod guards;
mod hostile;
mod live;
mod lsp;
mod mistakes;
mod mistyped;
mod names;
mod oracle;
mod pages;
mod random;
mod reload;
mod replay;
mod scaffold;
mod schemas;
mod street;
mod support;
mod tester;
mod walkthrough;
mod watch;
mod whole;
