//! From the texts of files to a set.

use crate::workload::measure::{Table, median, quick, time, wall};
use crate::workload::product;
use crate::workload::rule::{Variant, rules};

pub fn run() {
    let (counts, rounds): (&[usize], usize) = if quick() { (&[100, 1_000], 1) } else { (&[1_000, 10_000], 5) };
    println!("From files to a set; medians of {rounds} rounds by the clock, the processor time of all threads beside it.\n");
    let mut table = Table::new(&["files", "of them", "MB", "time", "a file", "processor"]);
    let mut row = |what: &str, files: &[product::Input], rounds: usize| {
        let runs: Vec<(f64, f64)> = (0..rounds).map(|_| wall(|| product::load_on_threads(files))).collect();
        let (clock, cpu) = (median(runs.iter().map(|r| r.0).collect()), median(runs.iter().map(|r| r.1).collect()));
        let bytes: usize = files.iter().map(|f| f.text.len()).sum();
        let each = time(clock / files.len() as f64);
        table.row(vec![what.into(), files.len().to_string(), format!("{:.1}", bytes as f64 / 1e6), time(clock), each, time(cpu)]);
    };
    row("what ships", &product::shipped(), rounds * 3);
    for &n in counts {
        row("workload", &product::files(&rules(Variant::A, n), 1), rounds);
    }
    table.print();
}
