//! Playbooks over incidents whose facts are known: the product, bare and with evidence, against the same rules written in
//! Rust, tried one by one or behind the same index.

use std::collections::HashSet;
use std::hint::black_box;
use std::time::Duration;

use crate::workload::incident::{Incident, incident};
use crate::workload::measure::{Table, contender, interleaved, quick, ratio, time};
use crate::workload::native::Native;
use crate::workload::product;
use crate::workload::rule::{Variant, rules};

pub fn run() {
    let (sizes, counts, rounds): (&[usize], &[usize], usize) =
        if quick() { (&[30], &[100, 1_000], 3) } else { (&[30, 500, 5_000], &[100, 1_000, 10_000], 11) };
    println!("Evaluation of one incident whose facts are known; processor time, medians of {rounds} interleaved rounds.\n");
    describe(if quick() { 40 } else { 200 }, counts);
    for &entities in sizes {
        let corpus: Vec<Incident> = (0..(1_200 / entities).clamp(2, 40)).map(|n| incident(n, entities)).collect();
        println!("{entities} entities ({} incidents)", corpus.len());
        let mut table = Table::new(&[
            "workload",
            "playbooks",
            "one by one",
            "indexed",
            "bare",
            "with evidence",
            "evidence ÷ bare",
            "evidence ÷ indexed",
            "evidence ÷ one by one",
        ]);
        for (variant, n) in Variant::ALL.iter().flat_map(|v| counts.iter().map(move |n| (*v, *n))) {
            // What is large is about how it grows with the incident, not with the rules. And a question that goes through
            // pairs of 5,000 entities costs more than one may.
            let asked = n == 1_000 && !matches!(variant, Variant::B | Variant::C) && (entities < 5_000 || variant != Variant::E);
            if entities > 30 && !asked {
                continue;
            }
            let [one_by_one, indexed, bare, evidence] = measured(variant, n, &corpus, rounds);
            table.row(vec![
                variant.about().into(),
                n.to_string(),
                time(one_by_one),
                time(indexed),
                time(bare),
                time(evidence),
                ratio(evidence, bare),
                ratio(evidence, indexed),
                ratio(evidence, one_by_one),
            ]);
        }
        table.print();
        if let (30, [.., few, many]) = (entities, counts) {
            let [bare, evidence] = growth(Variant::B, [*few, *many], &corpus, rounds);
            println!("B, from {few} playbooks to {many}, in turn: bare {bare}, with evidence {evidence}\n");
        }
    }
}

/// Nanoseconds an incident: one by one, indexed, the product bare and with evidence. Answers are compared first.
fn measured(variant: Variant, n: usize, corpus: &[Incident], rounds: usize) -> [f64; 4] {
    let rules = rules(variant, n);
    let native = Native::new(&rules);
    let set = product::load(&product::files(&rules, 1));
    let read = read(corpus);
    let facts: Vec<_> = read.iter().map(|i| product::facts(&set, i)).collect();
    let mut memory = product::memory(&set);
    let mut other = product::memory(&set);
    let mut reasons = Vec::new();
    for (i, f) in corpus.iter().zip(&facts) {
        let expected = native.one_by_one(i);
        assert_eq!(native.indexed(i), expected, "the index loses rules of {}", i.id);
        let evaluation = product::with_evidence(&set, f, &mut memory, &mut reasons);
        assert_eq!(evaluation.diagnostics, [], "{variant:?}, {n} playbooks, {}", i.id);
        assert_eq!(product::matching(&set, &evaluation), expected, "{variant:?}, {n} playbooks, {}", i.id);
        assert_eq!(product::matching(&set, &product::bare(&set, f, &mut memory)), expected);
        let told: usize = expected.iter().map(|n| rules[*n].conditions.len()).sum();
        assert_eq!(reasons.len(), told, "every condition of what holds is a reason");
    }
    let mut contenders = [
        contender("one by one", || corpus.iter().map(|i| native.one_by_one(i).len()).sum::<usize>()),
        contender("indexed", || corpus.iter().map(|i| native.indexed(i).len()).sum::<usize>()),
        contender("bare", || facts.iter().for_each(|f| drop(black_box(product::bare(&set, f, &mut memory))))),
        contender("with evidence", || facts.iter().for_each(|f| drop(black_box(product::with_evidence(&set, f, &mut other, &mut reasons))))),
    ];
    let ns = interleaved(&mut contenders, rounds, least());
    std::array::from_fn(|n| ns[n] / corpus.len() as f64)
}

/// By how much many playbooks take longer than few, bare and with evidence: in turn, since what else the machine does would
/// meet one and not the other.
fn growth(variant: Variant, counts: [usize; 2], corpus: &[Incident], rounds: usize) -> [String; 2] {
    let sets = counts.map(|n| product::load(&product::files(&rules(variant, n), 1)));
    let read = read(corpus);
    let facts = sets.each_ref().map(|set| read.iter().map(|i| product::facts(set, i)).collect::<Vec<_>>());
    let mut contenders = Vec::new();
    for (set, facts) in sets.iter().zip(&facts) {
        let (mut memory, mut other, mut reasons) = (product::memory(set), product::memory(set), Vec::new());
        let bare = move || facts.iter().for_each(|f| drop(black_box(product::bare(set, f, &mut memory))));
        let evidence = move || facts.iter().for_each(|f| drop(black_box(product::with_evidence(set, f, &mut other, &mut reasons))));
        contenders.extend([contender("bare", bare), contender("with evidence", evidence)]);
    }
    let ns = interleaved(&mut contenders, rounds, least());
    [ratio(ns[2], ns[0]), ratio(ns[3], ns[1])]
}

/// The incidents as the product reads them.
fn read(corpus: &[Incident]) -> Vec<product::Incident> {
    corpus.iter().map(|i| product::read(i.json().to_string().as_bytes())).collect()
}

/// How long each has its turn.
fn least() -> Duration {
    Duration::from_millis(if quick() { 1 } else { 20 })
}

/// What the workload is like, so that it can be compared with other ones.
fn describe(incidents: usize, counts: &[usize]) {
    let corpus: Vec<Incident> = (0..incidents).map(|n| incident(n, 30)).collect();
    let mean = |of: &dyn Fn(&Incident) -> usize| corpus.iter().map(of).sum::<usize>() as f64 / corpus.len() as f64;
    println!(
        "incidents: mean {:.1} KB, {:.1} entities, {:.1} alerts, {:.1} relations",
        mean(&|i| i.json().to_string().len()) / 1e3,
        mean(&|i| i.len()),
        mean(&|i| i.alerts.len()),
        mean(&|i| i.relations.len())
    );
    let mut table = Table::new(&["workload", "playbooks", "candidates", "matches", "share", "conditions", "of them different"]);
    for &variant in Variant::ALL {
        for &n in counts {
            let rules = rules(variant, n);
            let native = Native::new(&rules);
            let all: Vec<_> = rules.iter().flat_map(|r| &r.conditions).collect();
            let different: HashSet<_> = all.iter().collect();
            let matches = mean(&|i| native.indexed(i).len());
            table.row(vec![
                variant.about().into(),
                n.to_string(),
                format!("{:.1}", mean(&|i| native.candidates(i))),
                format!("{matches:.2}"),
                format!("{:.2} %", matches / n as f64 * 100.0),
                all.len().to_string(),
                different.len().to_string(),
            ]);
        }
    }
    table.print();
}
