//! Counts incidents one after another. What is counted for each playbook, card and clause has its place, so that an
//! incident adds to numbers and nothing else; names come back when all is counted.

use super::asks::{Answered, Asks, Walk};
use super::{CardFired, Disagreement, Fired, Told, Totals};
use crate::card::{Context, Verdict, verdict};
use crate::diag::{Diagnostic, Severity};
use crate::eval::{self, Matched};
use crate::model::{Classification, Incident};
use crate::playbook::{Playbook, PlaybookSet};
use crate::script::Cx;
use crate::script::Memory;
use crate::tester::tally::{add, count};

/// Counts incidents for one set.
pub struct Counter<'s> {
    set: &'s PlaybookSet,
    playbooks: Vec<Option<Tally<'s>>>,
    totals: Totals,
    memory: Memory,
    walk: Walk,
}

/// What was counted for a playbook.
pub struct Tally<'p> {
    fired: Fired,
    cards: Vec<CardFired>,
    clauses: Vec<Answered>,
    asks: Asks<'p>,
}

impl<'p> Tally<'p> {
    fn new(p: &'p Playbook) -> Self {
        Self {
            fired: Fired::default(),
            cards: vec![CardFired::default(); p.cards.len()],
            clauses: vec![Answered::default(); p.conditions.len()],
            asks: Asks::of(p),
        }
    }

    fn add(&mut self, m: &Matched) {
        add(&mut self.fired.decided, u64::from(!m.arms.is_empty()));
        add(&mut self.fired.with_cards, u64::from(!m.hits.is_empty()));
        // The hits of a card stand together.
        for hits in m.hits.chunk_by(|a, b| a.card == b.card) {
            if let Some(slot) = hits.first().and_then(|h| self.cards.get_mut(h.card)) {
                add(&mut slot.incidents, 1);
                add(&mut slot.cards, u64::try_from(hits.len()).unwrap_or(u64::MAX));
            }
        }
    }
}

impl<'s> Counter<'s> {
    /// Nothing counted yet.
    pub fn new(set: &'s PlaybookSet) -> Self {
        Self {
            set,
            playbooks: set.playbooks.iter().map(|_| None).collect(),
            totals: Totals::default(),
            memory: Memory::new(set.questions),
            walk: Walk::default(),
        }
    }

    /// Counts an incident; `at` is its position in the corpus. A classification that it carries is what was recorded: the
    /// rules are asked without it.
    pub fn add(&mut self, incident: &Incident, context: &Context, at: u64) {
        let set = self.set;
        let (facts, _) = eval::facts(set, incident, context.now);
        let mut cx = Cx::with(&facts, std::mem::take(&mut self.memory));
        let evaluation = eval::evaluate(set, &mut cx, context.only.as_deref());
        let matched = evaluation.matched.iter().map(|m| (m.playbook, Some(m)));
        for (n, matched) in matched.chain(evaluation.quiet().map(|n| (n, None))) {
            if let (Some(p), Some(slot)) = (set.playbooks.get(n), self.playbooks.get_mut(n)) {
                let tally = slot.get_or_insert_with(|| Tally::new(p));
                add(&mut tally.fired.matched, 1);
                matched.into_iter().for_each(|m| tally.add(m));
                tally.asks.ask(&mut cx, &mut self.walk, &mut tally.clauses);
            }
        }
        self.memory = {
            let said = incident.classification.map(|recorded| (recorded, verdict(set, &mut cx, &evaluation)));
            let failed = |d: &&Diagnostic| d.severity <= Severity::Warning;
            evaluation.diagnostics.iter().filter(failed).for_each(|d| count(&mut self.totals.failures, d.message.clone(), 1));
            if let Some((recorded, said)) = &said {
                judge(&mut self.totals, Judged { at, incident, recorded: *recorded, said });
            }
            cx.into_memory()
        };
        self.totals.alerts_of(&facts);
    }

    /// All that was counted.
    pub fn finish(self) -> Totals {
        let mut totals = self.totals;
        let tallies = self.set.playbooks.iter().zip(&self.playbooks).filter_map(|(p, tally)| Some((&**p, tally.as_ref()?)));
        totals.tell(tallies.map(|(p, t)| Told { playbook: p, fired: t.fired, cards: &t.cards, clauses: &t.clauses }));
        totals
    }
}

/// What the rules say of an incident, and what was recorded of it.
pub struct Judged<'j> {
    /// The incident's position in the corpus.
    pub at: u64,
    /// The incident.
    pub incident: &'j Incident,
    /// What is recorded.
    pub recorded: Classification,
    /// What the rules say.
    pub said: &'j Verdict,
}

/// Counts how far rules and record agree on an incident.
pub fn judge(t: &mut Totals, Judged { at, incident, recorded, said }: Judged<'_>) {
    count(&mut t.agreement.matrix, (recorded, said.classification), 1);
    if said.classification == Classification::Undetermined {
        return;
    }
    let right = said.classification == recorded;
    let slot = t.agreement.by_confidence.entry(said.confidence).or_default();
    add(&mut slot.0, 1);
    add(&mut slot.1, u64::from(right));
    if let (true, Some(a), Some(b)) = (right, &incident.determination, &said.determination) {
        add(&mut t.agreement.determinations.0, 1);
        add(&mut t.agreement.determinations.1, u64::from(a == b));
    }
    if !right {
        t.agreement.disagreements.add(Disagreement {
            at,
            incident: incident.id.to_string(),
            recorded,
            said: said.classification,
            confidence: said.confidence,
            playbook: said.playbook.as_ref().map(ToString::to_string),
            why: said.why.clone(),
        });
    }
}
