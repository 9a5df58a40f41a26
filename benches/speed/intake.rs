//! From the bytes of an incident to the incident, beside `serde_json` reading the same bytes into its tree.

use std::time::Duration;

use crate::workload::measure::{FAMILY, Table, contender, exponent, interleaved, quick, ratio, time};
use crate::workload::{incident::incident, product};

pub fn run() {
    let rounds = if quick() { 3 } else { 11 };
    println!("From bytes to an incident; processor time, medians of {rounds} interleaved rounds.\n");
    let mut table = Table::new(&["entities", "KB", "serde_json to Value", "intake", "÷ Value", "MB/s"]);
    let (mut sizes, mut values, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for &entities in FAMILY.iter().take(if quick() { 3 } else { FAMILY.len() }) {
        let bytes = incident(1, entities).json().to_string().into_bytes();
        let mut contenders =
            [contender("value", || serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()), contender("intake", || product::read(&bytes))];
        let ns = interleaved(&mut contenders, rounds, Duration::from_millis(if quick() { 1 } else { 20 }));
        table.row(vec![
            entities.to_string(),
            format!("{:.1}", bytes.len() as f64 / 1e3),
            time(ns[0]),
            time(ns[1]),
            ratio(ns[1], ns[0]),
            format!("{:.0}", bytes.len() as f64 / ns[1] * 1e3),
        ]);
        if entities >= 50 {
            sizes.push(entities as f64);
            values.push(ns[0]);
            times.push(ns[1]);
        }
    }
    table.print();
    println!("from 50 entities on, it grows by the power {:.2} (Value {:.2})\n", exponent(&sizes, &times), exponent(&sizes, &values));
}
