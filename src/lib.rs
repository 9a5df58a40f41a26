//! Guided response as code: an incident in, triage, containment, investigation and remediation cards out.
//!
//! The rooms, each of which imports only those before it:
//! `source diag model intake script playbook eval card tester | runtime | lsp cli`. See `docs/architecture.md`.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        clippy::too_many_arguments,
        reason = "tests may fail loudly"
    )
)]

pub mod card;
pub mod cli;
pub mod diag;
pub mod eval;
pub mod intake;
pub mod lsp;
pub mod model;
pub mod playbook;
pub mod runtime;
pub mod script;
pub mod source;
pub mod tester;
