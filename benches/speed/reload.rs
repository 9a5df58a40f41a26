//! One edited file among many: from knowing its new text to the new set.

use crate::workload::measure::{Table, median, quick, time, wall};
use crate::workload::product::{self, Input};
use crate::workload::rule::{Variant, rules};

pub fn run() {
    let (n, rounds) = if quick() { (1_000, 3) } else { (10_000, 21) };
    println!("One edited playbook among {n}: from its new text to the new set; medians of {rounds} edits by the clock.\n");
    let files = product::files(&rules(Variant::A, n), 1);
    let (mut compiler, mut set) = product::compiler(&files);
    let middle = &files[n / 2];
    let edits: [(&str, &str, &str); 4] = [
        ("a sentence", "why: all conditions", "why: each of the conditions"),
        ("a priority", "    priority:", "    confidence: 90\n    priority:"),
        ("a condition", "    if: '", "    if: 'users.len() > 0 && "),
        ("the match", "match:\n", "match:\n  entities: [user]\n"),
    ];
    let mut table = Table::new(&["what is edited", "time", "processor"]);
    for (what, from, to) in edits {
        let edited = Input { text: middle.text.replacen(from, to, 1), ..middle.clone() };
        assert_ne!(edited.text, middle.text, "{what}");
        let mut runs: Vec<(f64, f64)> = Vec::new();
        for round in 0..rounds * 2 {
            let input = if round % 2 == 0 { &edited } else { middle };
            let old = set.clone();
            // Whoever answers from the old set still has it: it goes later.
            runs.push(wall(|| {
                assert!(compiler.put(input));
                set = compiler.set();
            }));
            assert_eq!(set.playbooks.len(), n);
            assert_ne!(old.revision, set.revision);
        }
        table.row(vec![what.into(), time(median(runs.iter().map(|r| r.0).collect())), time(median(runs.iter().map(|r| r.1).collect()))]);
    }
    table.print();
}
