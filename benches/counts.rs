//! Runs one hot path once, for an instruction counter: `counts NAME`. `benches/counts.py` counts them all and compares.
//! `counts NAME TIMES ENTITIES` runs it often, for a profiler that takes samples of time, over an incident of another size.
#![allow(
    unused_crate_dependencies,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a bench fails loudly and says what it measured"
)]

mod workload;

use std::hint::black_box;

use workload::native::Native;
use workload::rule::{Variant, rules};
use workload::{incident::incident, product};

const PATHS: &[&str] = &[
    "native",
    "evaluate_bare",
    "evaluate_nested",
    "evaluate_nested_evidence",
    "evaluate_with_evidence",
    "evaluate_large",
    "value",
    "intake",
    "answer",
    "answer_shipped",
    "load",
    "replay",
];

fn main() {
    // `cargo bench` adds `--bench`; with no name there is nothing to do but to tell the names.
    let mut given = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let Some(name) = given.next() else {
        return println!("{}", PATHS.join("\n"));
    };
    let times = given.next().map_or(1, |n| n.parse().unwrap());
    let entities = given.next().map_or(if name == "evaluate_large" { 500 } else { 30 }, |n| n.parse().unwrap());
    let bytes = incident(7, entities).json().to_string().into_bytes();
    let read = product::read(&bytes);
    let set = |variant, n| product::load(&product::files(&rules(variant, n), 1));
    match name.as_str() {
        "evaluate_bare" | "evaluate_nested" | "evaluate_nested_evidence" | "evaluate_with_evidence" | "evaluate_large" => {
            let set = set(if name.starts_with("evaluate_nested") { Variant::E } else { Variant::A }, 1_000);
            let facts = product::facts(&set, &read);
            let mut memory = product::memory(&set);
            if matches!(name.as_str(), "evaluate_with_evidence" | "evaluate_large" | "evaluate_nested_evidence") {
                let mut reasons = Vec::new();
                again(times, || product::with_evidence(&set, &facts, &mut memory, &mut reasons));
            } else {
                again(times, || product::bare(&set, &facts, &mut memory));
            }
        }
        // The yardstick of these three: the same rules as closures behind the same index.
        "native" => {
            let (native, incident) = (Native::new(&rules(Variant::A, 1_000)), incident(7, 30));
            again(times, || native.indexed(&incident));
        }
        // The yardstick of the next three: the same bytes as a tree.
        "value" => again(times, || serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()),
        "intake" => again(times, || product::read(&bytes)),
        "answer" => {
            let set = set(Variant::A, 1_000);
            again(times, || product::answer(&set, &bytes));
        }
        "answer_shipped" => {
            let set = product::load(&product::shipped());
            again(times, || product::answer(&set, &bytes));
        }
        "load" => {
            let files = product::files(&rules(Variant::A, 100), 1);
            again(times, || product::load(&files));
        }
        "replay" => {
            let set = set(Variant::A, 1_000);
            let lines: Vec<_> = (0..20).map(|n| incident(n, 30).json().to_string().into_bytes()).collect();
            again(times, || product::replay_lines(&set, &lines));
        }
        other => panic!("no path is called `{other}`"),
    }
}

/// Once to make what is made once, and then to be counted.
fn again<T>(times: usize, mut run: impl FnMut() -> T) {
    drop(black_box(run()));
    (0..times).for_each(|_| drop(counted(&mut run)));
}

/// Only what happens in here is counted.
#[inline(never)]
fn counted<T>(run: &mut impl FnMut() -> T) -> T {
    black_box(run())
}
