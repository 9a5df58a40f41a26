//! Counts incidents one after another. What is counted for each playbook, card and clause has its place, so that an
//! incident adds to numbers and nothing else; names come back when all is counted.

use super::asks::{Answered, Asks};
use super::{CardFired, Disagreement, Fired, Totals, pattern};
use crate::card::{Context, verdict};
use crate::diag::{Diagnostic, Severity};
use crate::eval::{self, Matched};
use crate::model::{Classification, Incident};
use crate::playbook::{Playbook, PlaybookSet};
use crate::script::Cx;
use crate::tester::tally::{add, count};

/// Counts incidents for one set.
pub struct Counter<'s> {
    set: &'s PlaybookSet,
    playbooks: Vec<Option<Box<Tally<'s>>>>,
    totals: Totals,
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

    fn add(&mut self, m: &Matched, cx: &mut Cx<'_>) {
        add(&mut self.fired.matched, 1);
        add(&mut self.fired.decided, u64::from(!m.arms.is_empty()));
        add(&mut self.fired.with_cards, u64::from(!m.hits.is_empty()));
        // The hits of a card stand together.
        for hits in m.hits.chunk_by(|a, b| a.card == b.card) {
            if let Some(slot) = hits.first().and_then(|h| self.cards.get_mut(h.card)) {
                add(&mut slot.incidents, 1);
                add(&mut slot.cards, u64::try_from(hits.len()).unwrap_or(u64::MAX));
            }
        }
        self.asks.ask(cx, &mut self.clauses);
    }
}

impl<'s> Counter<'s> {
    /// Nothing counted yet.
    pub fn new(set: &'s PlaybookSet) -> Self {
        Self { set, playbooks: set.playbooks.iter().map(|_| None).collect(), totals: Totals::default() }
    }

    /// Counts an incident; `at` is its position in the corpus. A classification that it carries is what was recorded: the
    /// rules are asked without it.
    pub fn add(&mut self, incident: &Incident, context: &Context, at: u64) {
        let set = self.set;
        let (facts, _) = eval::facts(set, incident, context.now);
        let mut cx = Cx::new(&facts, set.questions);
        let evaluation = eval::evaluate(set, &mut cx, context.only.as_deref());
        for m in &evaluation.matched {
            if let (Some(p), Some(slot)) = (set.playbooks.get(m.playbook), self.playbooks.get_mut(m.playbook)) {
                slot.get_or_insert_with(|| Box::new(Tally::new(p))).add(m, &mut cx);
            }
        }
        let t = &mut self.totals;
        add(&mut t.incidents, 1);
        let failed = |d: &&Diagnostic| d.severity <= Severity::Warning;
        evaluation.diagnostics.iter().filter(failed).for_each(|d| count(&mut t.failures, d.message.clone(), 1));
        add(&mut t.alerts, u64::try_from(incident.alerts.len()).unwrap_or(u64::MAX));
        for (_, a) in incident.alerts().filter(|(ix, _)| facts.signals_of(*ix).next().is_none()) {
            add(&mut t.unrecognised, 1);
            t.title(pattern(&a.title), 1);
        }
        let Some(recorded) = incident.classification else { return };
        let said = verdict(set, &mut cx, &evaluation);
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
                playbook: said.playbook.map(|p| p.to_string()),
                why: said.why,
            });
        }
    }

    /// All that was counted.
    pub fn finish(self) -> Totals {
        let mut totals = self.totals;
        for (p, tally) in self.set.playbooks.iter().zip(self.playbooks) {
            let Some(tally) = tally else { continue };
            totals.playbooks.insert(p.id.clone(), tally.fired);
            let cards = p.cards.iter().zip(tally.cards).filter(|(_, n)| n.incidents > 0);
            totals.cards.extend(cards.map(|(c, n)| ((p.id.clone(), c.id.clone()), n)));
            let clauses = p.conditions.keys().zip(tally.clauses).filter(|(_, n)| n.asked > 0);
            totals.clauses.extend(clauses.map(|(c, n)| ((p.id.clone(), c.clone()), n)));
        }
        totals
    }
}
