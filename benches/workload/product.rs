//! All that the benches call of the product, in one place.

use std::path::Path;
use std::sync::Arc;

use guided_response::card::{self, Context};
use guided_response::diag::Severity;
use guided_response::eval;
use guided_response::eval::because::{self, Reason};
use guided_response::intake;
pub use guided_response::model::Incident;
use guided_response::model::Time;
pub use guided_response::playbook::{Compiler, Input, PlaybookSet};
use guided_response::runtime::corpus::{Batches, Corpus};
use guided_response::runtime::parallel::{folded, ordered};
use guided_response::runtime::playbooks;
use guided_response::script::{Cx, Facts, Memory};
pub use guided_response::tester::replay::Recall;
use guided_response::tester::replay::{Asker, Counter, Past, Totals};

use super::rule::Rule;
use super::yaml;

/// The files of these rules, with what they stand on; `layer` 0 is where what ships is.
pub fn files(rules: &[Rule], layer: usize) -> Vec<Input> {
    let pages = yaml::base().into_iter().chain(rules.iter().map(yaml::playbook));
    pages.map(|(path, text)| Input { path, text, layer }).collect()
}

/// What ships.
pub fn shipped() -> Vec<Input> {
    playbooks::shipped()
}

/// The set of these files. That all of it loads is asserted: else something else would be measured.
pub fn load(files: &[Input]) -> PlaybookSet {
    loaded(guided_response::playbook::compile(files))
}

/// The same on all threads, as the program does it.
pub fn load_on_threads(files: &[Input]) -> PlaybookSet {
    loaded(playbooks::compile(files))
}

fn loaded(set: PlaybookSet) -> PlaybookSet {
    let wrong = set.diagnostics.iter().find(|d| d.severity == Severity::Error);
    assert!(wrong.is_none(), "{wrong:?}");
    set
}

/// From the bytes of one document to the incident.
pub fn read(bytes: &[u8]) -> Incident {
    intake::read(bytes, None).unwrap().pop().unwrap().incident
}

/// The facts of an incident, as they are before playbooks are asked.
pub fn facts<'a>(set: &'a PlaybookSet, incident: &'a Incident) -> Facts<'a> {
    eval::facts(set, incident, None).0
}

/// The memory of one who answers many incidents with a set.
pub fn memory(set: &PlaybookSet) -> Memory {
    Memory::new(set.questions)
}

/// What holds, and nothing about why.
#[inline(never)]
pub fn bare(set: &PlaybookSet, facts: &Facts<'_>, memory: &mut Memory) -> eval::Evaluation {
    let mut cx = Cx::with(facts, std::mem::take(memory));
    let evaluation = eval::evaluate(set, &mut cx, None);
    *memory = cx.into_memory();
    evaluation
}

/// What holds, with its evidence: for every card that is there, and what triage says, the clauses behind it and what was
/// looked at for them, as the answer writes it out. They stand in `reasons` and in the memory, in place of those before.
#[inline(never)]
pub fn with_evidence<'s>(set: &'s PlaybookSet, facts: &Facts<'_>, memory: &mut Memory, reasons: &mut Vec<Reason<'s>>) -> eval::Evaluation {
    let mut cx = Cx::with(facts, std::mem::take(memory));
    let evaluation = eval::evaluate(set, &mut cx, None);
    reasons.clear();
    for m in &evaluation.matched {
        let playbook = &set.playbooks[m.playbook];
        for hit in &m.hits {
            let card = &playbook.cards[hit.card];
            because::card(&mut cx, &card.target, card.when.as_ref(), &hit.targets, reasons);
        }
        if let Some(when) = m.arms.first().and_then(|a| playbook.triage[*a].when.as_ref()) {
            because::clauses(&mut cx, when, &[], reasons);
        }
    }
    *memory = cx.into_memory();
    evaluation
}

/// The rules that match, by number: those whose playbook has its card.
pub fn matching(set: &PlaybookSet, evaluation: &eval::Evaluation) -> Vec<usize> {
    let hit = evaluation.matched.iter().filter(|m| !m.hits.is_empty());
    hit.filter_map(|m| set.playbooks[m.playbook].id.strip_prefix("workload.r")?.parse().ok()).collect()
}

/// From the bytes of an incident to the bytes of the answer.
#[inline(never)]
pub fn answer(set: &PlaybookSet, bytes: &[u8]) -> String {
    let read = intake::read(bytes, None).unwrap().pop().unwrap();
    let response = card::respond(set, &read.incident, &Context { input: read.diagnostics, ..context() });
    card::render::json(&[&response])
}

/// A set that can be edited.
pub fn compiler(files: &[Input]) -> (Compiler, Arc<PlaybookSet>) {
    let mut compiler = Compiler::default();
    let set = compiler.compile(files);
    (compiler, set)
}

fn context() -> Context {
    Context { now: None, today: Time::UNIX_EPOCH, actor: None, input: Vec::new(), only: None }
}

/// Does `work` on all items, on the threads that a replay has.
pub fn each<T: Send>(items: impl Iterator<Item = T> + Send, work: impl Fn(T) + Sync) {
    ordered(items, work, |()| true);
}

/// What `engine replay` does; how many incidents there were.
pub fn replay(set: &PlaybookSet, corpus: &Path) -> u64 {
    let context = context();
    let counted = folded(
        Batches::of(Corpus::at(corpus).unwrap()),
        || Counter::new(set),
        |counter, batch| {
            for (at, item) in batch {
                item.read(None).unwrap().into_iter().for_each(|read| counter.add(&read.incident, &context, at));
            }
        },
        |()| true,
    );
    let mut totals = Totals::default();
    counted.into_iter().for_each(|c| totals.merge(c.finish()));
    totals.report(set, 95, 20);
    totals.incidents
}

/// What one thread of a replay does with its lines.
pub fn replay_lines(set: &PlaybookSet, lines: &[Vec<u8>]) -> Totals {
    let context = context();
    let mut counter = Counter::new(set);
    for (at, line) in (0u64..).zip(lines) {
        intake::read(line, None).unwrap().iter().for_each(|read| counter.add(&read.incident, &context, at));
    }
    counter.finish()
}

/// The incidents of a corpus, to be kept.
pub fn past(corpus: &Path) -> Vec<Past> {
    let read = (0u64..).zip(Corpus::at(corpus).unwrap()).flat_map(|(at, item)| item.read(None).unwrap().into_iter().map(move |r| (at, r)));
    read.map(|(at, r)| Past { at, incident: r.incident }).collect()
}

/// What `engine replay --watch` does with a corpus that it keeps; how many incidents there were.
pub fn replay_again(recall: &mut Recall<'_>, set: &PlaybookSet, incidents: usize) -> u64 {
    const SOME: usize = 64;
    let mut turn = recall.turn(set);
    let mut heard = Vec::new();
    let (asked, what) = (&*recall, &turn);
    folded(
        (0..incidents).step_by(SOME),
        || Asker::new(what),
        |asker, first| (first..(first + SOME).min(incidents)).filter_map(|n| asked.ask(what, asker, n)).collect::<Vec<_>>(),
        |some| {
            heard.extend(some);
            true
        },
    );
    heard.into_iter().for_each(|h| recall.hear(&mut turn, h));
    let totals = recall.settle(turn);
    totals.report(set, 95, 20);
    totals.incidents
}
