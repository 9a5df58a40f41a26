//! The product beside other engines: the same rules over the same incidents, in one process and one thread.
//!
//! `cargo run --release` in this folder. Every engine gets the form in which it is fastest, compiled beforehand, and its
//! facts converted beforehand; its answers are compared with native Rust before it is timed. `--quick` only shows that it
//! works.

mod cedar;
mod cel_;
mod rego;
#[path = "../../workload/mod.rs"]
mod workload;
mod zen;

use std::time::Duration;

use serde_json::Value;
use workload::incident::{Incident, incident};
use workload::measure::{Contender, Table, contender, cpu, interleaved, quick, ratio, time};
use workload::native::Native;
use workload::product;
use workload::rule::{Rule, Variant, rules};
use workload::words::TECHNIQUES;

/// Another engine with all rules compiled.
pub trait Peer {
    /// What it is, in a few words.
    fn name(&self) -> &'static str;
    /// The rules that match the incident at this position.
    fn matching(&mut self, at: usize) -> Vec<usize>;
}

fn main() {
    let counts: &[usize] = if quick() { &[100] } else { &[100, 1_000] };
    for &n in counts {
        for variant in [Variant::A, Variant::D, Variant::C] {
            compare(variant, n);
        }
    }
}

fn compare(variant: Variant, n: usize) {
    let (checked, timed, rounds, budget) = if quick() { (5, 5, 3, 1) } else { (300, 20, 7, 8) };
    let rules = rules(variant, n);
    let corpus: Vec<Incident> = (0..checked).map(|n| incident(n, 30)).collect();
    let plain: Vec<Value> = corpus.iter().map(Incident::plain).collect();
    let native = Native::new(&rules);
    let set = product::load(&product::files(&rules, 1));
    let read: Vec<product::Incident> = corpus.iter().map(|i| product::read(i.json().to_string().as_bytes())).collect();
    let facts: Vec<_> = read.iter().map(|i| product::facts(&set, i)).collect();
    let expected: Vec<Vec<usize>> = corpus.iter().map(|i| native.one_by_one(i)).collect();
    let (mut memory, mut other) = (product::memory(&set), product::memory(&set));
    let mut reasons = Vec::new();
    for (f, wanted) in facts.iter().zip(&expected) {
        assert_eq!(product::matching(&set, &product::bare(&set, f, &mut memory)), *wanted);
    }
    let mut peers = peers(variant, &rules, &plain);
    let mut told = Vec::new();
    for peer in &mut peers {
        // As many incidents as a few seconds allow.
        let begun = cpu();
        let mut same = 0;
        for (at, wanted) in expected.iter().enumerate() {
            let mut got = peer.matching(at);
            got.sort_unstable();
            assert_eq!(got, *wanted, "{} says something else of incident {at}", peer.name());
            same += 1;
            if cpu() - begun > Duration::from_secs(budget) {
                break;
            }
        }
        told.push(format!("{} {same}", peer.name()));
    }
    println!("{}, {n} rules. Answers equal to native Rust over so many incidents: product {checked}, {}.", variant.about(), told.join(", "));
    let some = timed.min(corpus.len());
    let mut contenders: Vec<Contender<'_>> = vec![
        contender("product, with evidence", || facts.iter().take(some).for_each(|f| drop(std::hint::black_box(product::with_evidence(&set, f, &mut other, &mut reasons))))),
        contender("product, bare", || facts.iter().take(some).for_each(|f| drop(std::hint::black_box(product::bare(&set, f, &mut memory))))),
        contender("native Rust, indexed", || corpus.iter().take(some).map(|i| native.indexed(i).len()).sum::<usize>()),
        contender("native Rust, one by one", || corpus.iter().take(some).map(|i| native.one_by_one(i).len()).sum::<usize>()),
    ];
    for peer in &mut peers {
        contenders.push(contender(peer.name(), move || (0..some).map(|at| peer.matching(at).len()).sum::<usize>()));
    }
    let ns = interleaved(&mut contenders, rounds, Duration::from_millis(if quick() { 1 } else { 50 }));
    let mut table = Table::new(&["engine", "an incident", "× product with evidence", "× product bare", "× native indexed"]);
    for (c, t) in contenders.iter().zip(&ns) {
        table.row(vec![c.name.into(), time(t / some as f64), ratio(*t, ns[0]), ratio(*t, ns[1]), ratio(*t, ns[2])]);
    }
    println!();
    table.print();
}

fn peers(variant: Variant, rules: &[Rule], plain: &[Value]) -> Vec<Box<dyn Peer>> {
    let mut all: Vec<Box<dyn Peer>> = vec![
        Box::new(zen::Table::new(rules, plain)),
        Box::new(zen::Expressions::new(rules, plain)),
        Box::new(rego::Machine::new(rules, plain)),
        Box::new(cel_::Programs::new(rules, plain)),
    ];
    if variant == Variant::C {
        all.push(Box::new(cedar::Policies::new(rules, plain)));
    }
    all
}

/// All techniques of the workload that these cover: the others need not know that there are parents.
pub fn covered(wanted: &[&str]) -> Vec<&'static str> {
    let covers = |w: &str, t: &str| t.strip_prefix(w).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    TECHNIQUES.iter().copied().filter(|t| wanted.iter().any(|w| covers(w, t))).collect()
}

/// Texts between double quotes with commas between them.
pub fn listed(all: &[&str]) -> String {
    all.iter().map(|t| workload::yaml::quoted(t)).collect::<Vec<_>>().join(", ")
}
