//! How fast the product is, over one workload from a seed.
//!
//! `cargo bench --bench speed` measures everything; `-- evaluate intake` these parts; `-- --quick` only shows that all of
//! it works. Every part prints a table of medians, and ratios to something that was measured beside it: on a machine that
//! others use too, ratios are what can be compared.
#![allow(
    unused_crate_dependencies,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a bench fails loudly and says what it measured"
)]

mod answer;
mod evaluate;
mod intake;
mod load;
mod process;
mod reload;
mod replay;
#[path = "../workload/mod.rs"]
mod workload;

/// The parts, in the order in which an incident meets them.
const PARTS: &[(&str, fn())] = &[
    ("load", load::run),
    ("reload", reload::run),
    ("intake", intake::run),
    ("evaluate", evaluate::run),
    ("answer", answer::run),
    ("replay", replay::run),
    ("process", process::run),
];

fn main() {
    // `cargo bench` adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    if let Some(unknown) = wanted.iter().find(|w| PARTS.iter().all(|(name, _)| name != w)) {
        let known: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
        panic!("no part is called `{unknown}`: there are {}", known.join(", "));
    }
    for (name, run) in PARTS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|w| w == name)) {
        println!("── {name} ──\n");
        run();
    }
}
