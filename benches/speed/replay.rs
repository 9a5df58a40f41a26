//! Many incidents of one file, as `engine replay` asks about them, beside `serde_json` reading the same lines into its tree
//! on the same threads.

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use serde_json::Value;

use crate::workload::incident::incident;
use crate::workload::measure::{Table, median, quick, ratio, time, wall};
use crate::workload::product;
use crate::workload::rule::{Variant, rules};

pub fn run() {
    let (incidents, rounds) = if quick() { (40, 1) } else { (2_000, 5) };
    println!("{incidents} incidents in JSON Lines, 1,000 playbooks; medians of {rounds} interleaved rounds, all threads.\n");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("replay.jsonl");
    let mut out = BufWriter::new(fs::File::create(&file).unwrap());
    for n in 0..incidents {
        writeln!(out, "{}", incident(n, 30).json()).unwrap();
    }
    out.into_inner().unwrap();
    let files = product::files(&rules(Variant::A, 1_000), 1);
    let (mut compiler, set) = product::compiler(&files);
    let chunks = || {
        let mut lines = BufReader::new(fs::File::open(&file).unwrap()).lines().map(Result::unwrap);
        std::iter::from_fn(move || Some(lines.by_ref().take(12).collect::<Vec<String>>()).filter(|c| !c.is_empty()))
    };
    let (mut values, mut replays) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        values.push(wall(|| product::each(chunks(), |lines| lines.iter().for_each(|l| drop(serde_json::from_str::<Value>(l).unwrap())))));
        replays.push(wall(|| assert_eq!(product::replay(&set, &file), incidents as u64)));
    }
    let mut table = Table::new(&["", "time", "an incident", "processor", "÷ Value (processor)", "÷ Value (time)"]);
    let middle = |all: &[(f64, f64)]| (median(all.iter().map(|r| r.0).collect()), median(all.iter().map(|r| r.1).collect()));
    let (value, replay) = (middle(&values), middle(&replays));
    // Over a corpus in memory, with the answers that are known: each edit asks what nobody asked before.
    let past = product::past(&file);
    let facts: Vec<_> = past.iter().map(|p| product::facts(&set, &p.incident)).collect();
    let mut recall = product::Recall::new(&past, &facts);
    let kept = wall(|| product::replay_again(&mut recall, &set, past.len()));
    let edited = &files[500];
    let mut edits = Vec::new();
    for round in 1..=rounds.max(3) {
        let condition = format!("    if: 'users.len() >= {round} && ");
        assert!(compiler.put(&product::Input { text: edited.text.replacen("    if: '", &condition, 1), ..edited.clone() }));
        let set = compiler.set();
        edits.push(wall(|| assert_eq!(product::replay_again(&mut recall, &set, past.len()), incidents as u64)));
    }
    let edit = middle(&edits);
    for (what, (clock, cpu)) in [("lines to Value", value), ("replay", replay), ("kept: the first time", kept), ("kept: after an edit", edit)] {
        let each = time(clock / incidents as f64);
        table.row(vec![what.into(), time(clock), each, time(cpu), ratio(cpu, value.1), ratio(clock, value.0)]);
    }
    table.print();
    println!("after an edit, {} faster than the first replay by the clock\n", ratio(replay.0, edit.0));
    fs::remove_file(&file).unwrap();
}
