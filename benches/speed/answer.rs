//! From the bytes of an incident to the bytes of the answer: intake, graph, evaluation, cards, JSON. Beside `serde_json`
//! reading the same bytes into its tree.

use std::time::Duration;

use crate::workload::measure::{FAMILY, Table, contender, exponent, interleaved, quick, ratio, time};
use crate::workload::rule::{Variant, rules};
use crate::workload::{incident::incident, product};

pub fn run() {
    let rounds = if quick() { 3 } else { 11 };
    println!("From bytes to the answer in JSON; processor time, medians of {rounds} interleaved rounds.\n");
    let workload = product::load(&product::files(&rules(Variant::A, 1_000), 1));
    let shipped = product::load(&product::shipped());
    let mut table =
        Table::new(&["entities", "KB", "serde_json to Value", "1,000 playbooks", "÷ Value", "answer KB", "what ships", "÷ Value", "answer KB"]);
    let (mut sizes, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for &entities in FAMILY.iter().take(if quick() { 3 } else { FAMILY.len() }) {
        let bytes = incident(1, entities).json().to_string().into_bytes();
        let mut contenders = [
            contender("value", || serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()),
            contender("workload", || product::answer(&workload, &bytes)),
            contender("shipped", || product::answer(&shipped, &bytes)),
        ];
        let ns = interleaved(&mut contenders, rounds, Duration::from_millis(if quick() { 1 } else { 20 }));
        let size = |set| format!("{:.1}", product::answer(set, &bytes).len() as f64 / 1e3);
        table.row(vec![
            entities.to_string(),
            format!("{:.1}", bytes.len() as f64 / 1e3),
            time(ns[0]),
            time(ns[1]),
            ratio(ns[1], ns[0]),
            size(&workload),
            time(ns[2]),
            ratio(ns[2], ns[0]),
            size(&shipped),
        ]);
        if entities >= 50 {
            sizes.push(entities as f64);
            ours.push(ns[1]);
            theirs.push(ns[2]);
        }
    }
    table.print();
    println!(
        "from 50 entities on, it grows by the power {:.2} with 1,000 playbooks, {:.2} with what ships\n",
        exponent(&sizes, &ours),
        exponent(&sizes, &theirs)
    );
}
