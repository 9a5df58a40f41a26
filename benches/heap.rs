//! The most memory that is held at once from the bytes of an incident to the incident, and to the answer: as a multiple of
//! the bytes. By itself, since counting takes time. `cargo bench --bench heap`
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

use peak_alloc::PeakAlloc;
use workload::measure::{FAMILY, Table, quick};
use workload::rule::{Variant, rules};
use workload::{incident::incident, product};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

fn main() {
    println!("The most memory held at once, in bytes asked of the allocator, as a multiple of the incident's bytes.\n");
    let set = product::load(&product::files(&rules(Variant::A, if quick() { 100 } else { 1_000 }), 1));
    let shipped = product::load(&product::shipped());
    let mut table = Table::new(&["entities", "KB", "serde_json to Value", "intake", "answer, 1,000 playbooks", "answer, what ships"]);
    for &entities in FAMILY.iter().take(if quick() { 3 } else { FAMILY.len() }) {
        let bytes = incident(1, entities).json().to_string().into_bytes();
        // What is made once and kept is not the incident's.
        product::answer(&set, &bytes);
        product::answer(&shipped, &bytes);
        let times = |peak: usize| format!("{:.1}×", peak as f64 / bytes.len() as f64);
        table.row(vec![
            entities.to_string(),
            format!("{:.1}", bytes.len() as f64 / 1e3),
            times(peak(|| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap())),
            times(peak(|| product::read(&bytes))),
            times(peak(|| product::answer(&set, &bytes))),
            times(peak(|| product::answer(&shipped, &bytes))),
        ]);
    }
    table.print();
}

/// The bytes held at most while something runs, beyond what is held before.
fn peak<T>(run: impl FnOnce() -> T) -> usize {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    drop(black_box(run()));
    HEAP.peak_usage().saturating_sub(before)
}
