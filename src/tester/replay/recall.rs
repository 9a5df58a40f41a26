//! A corpus that was read once, and what was said of it. After an edit only the questions that the edit changed are asked
//! again, and only of the incidents that the edited playbooks match; every other figure is there already.
//!
//! A question is an arm, a card, or a clause with the ways in which its playbook asks it. Its answers are kept by its
//! content, not by its place: a bit for each incident that it was asked of, a bit for each of which it held, and the few
//! answers that are more than that.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::asks::{Answered, Asks, Walk};
use super::counter::{Judged, judge};
use super::{Bits, CardFired, Fired, Totals};
use crate::card::{Verdict, verdict};
use crate::eval::{self, Evaluation, Matched};
use crate::model::Incident;
use crate::playbook::set::Target;
use crate::playbook::{Playbook, PlaybookSet};
use crate::script::Memory;
use crate::script::expr::{Expr, Key, key};
use crate::script::{Cx, Facts, Stop};
use crate::tester::tally::{add, count};

/// An incident of the corpus, with its position in it.
#[derive(Debug)]
pub struct Past {
    /// Its position.
    pub at: u64,
    /// The incident.
    pub incident: Incident,
}

/// An answer to a question of one incident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Answer {
    asked: u32,
    held: u32,
    stop: Option<Stop>,
}

impl Answer {
    fn of(held: usize) -> Self {
        Self { asked: 1, held: u32::try_from(held).unwrap_or(u32::MAX), stop: None }
    }
}

/// The answers to one question.
#[derive(Debug, Default)]
struct Answers {
    asked: Bits,
    held: Bits,
    /// Those that are more than asked once, and held or not.
    other: HashMap<usize, Answer>,
}

impl Answers {
    fn put(&mut self, n: usize, answer: Answer) {
        self.asked.set(n);
        if answer.held > 0 {
            self.held.set(n);
        }
        if answer != Answer::of(usize::from(answer.held > 0)) {
            self.other.insert(n, answer);
        }
    }

    fn get(&self, n: usize) -> Option<Answer> {
        let known = || self.other.get(&n).cloned().unwrap_or_else(|| Answer::of(usize::from(self.held.has(n))));
        self.asked.has(n).then(known)
    }
}

/// The questions of a playbook, by their keys.
struct Questions {
    /// Of each arm; none where it holds always.
    arms: Vec<Option<Key>>,
    cards: Vec<Key>,
    clauses: Vec<Key>,
}

impl Questions {
    fn of(p: &Playbook) -> Self {
        let whole = |when: Option<&Expr>| when.map_or([0; 16], |w| w.key);
        let arms: Vec<Option<Key>> = p.triage.iter().map(|a| a.when.as_ref().map(|w| key("arm", &[w.key]))).collect();
        let cards: Vec<Key> = p
            .cards
            .iter()
            .map(|c| {
                let (word, list) = match &c.target {
                    Target::Incident => ("incident", [0; 16]),
                    Target::Each(_, list) => ("each", list.key),
                    Target::All(_, list) => ("all", list.key),
                };
                key(&format!("card {word} {:?} {}", c.action.kinds, c.when.is_some()), &[list, whole(c.when.as_ref())])
            })
            .collect();
        // How a clause is asked depends on all that asks it.
        let mut roots: Vec<Key> = arms.iter().flatten().chain(&cards).copied().collect();
        roots.extend(p.conditions.values().map(|c| c.body.key));
        let roots = key("asks", &roots);
        let clauses = p.conditions.keys().map(|name| key(&format!("clause {name}"), &[roots])).collect();
        Self { arms, cards, clauses }
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        self.arms.iter().flatten().chain(&self.cards).chain(&self.clauses)
    }
}

/// What a playbook said of the corpus.
struct Told {
    playbook: Arc<Playbook>,
    fired: Fired,
    cards: Vec<CardFired>,
    clauses: Vec<Answered>,
    failures: BTreeMap<String, u64>,
    /// The first arm that holds, by incident.
    arms: Vec<(usize, usize)>,
}

/// A playbook that is to be asked.
struct Work {
    playbook: Arc<Playbook>,
    questions: Questions,
    matched: Bits,
}

/// What is to be asked after an edit.
pub struct Turn<'t> {
    set: &'t PlaybookSet,
    work: Vec<Work>,
    /// The work on a playbook, by its position in the set.
    by_position: HashMap<usize, usize>,
    /// How many different questions are asked of any incident for the first time.
    pub new: usize,
    /// How many questions all playbooks ask.
    pub all: usize,
}

impl Turn<'_> {
    /// Whether so few playbooks are to be asked that each is looked at by itself.
    pub fn is_small(&self) -> bool {
        self.work.len() < FEW
    }
}

/// What one incident answered.
pub struct Heard(usize, Vec<(usize, Vec<(Key, Answer)>)>);

/// What a thread needs to ask one incident after another.
pub struct Asker<'t> {
    memory: Memory,
    asks: HashMap<usize, Asks<'t>>,
    walk: Walk,
}

/// The corpus with all that was said of it. Signals, lists and incident types are those of the facts; see [`same_ground`].
pub struct Recall<'a> {
    past: &'a [Past],
    facts: &'a [Facts<'a>],
    answers: HashMap<Key, Answers>,
    told: BTreeMap<Arc<str>, Told>,
    /// What playbooks say of each incident for which something is recorded: the playbook and its first arm that holds.
    opinions: Vec<BTreeMap<Arc<str>, usize>>,
    verdicts: Vec<Option<Verdict>>,
    /// What depends on no playbook.
    common: Totals,
}

/// Whether two sets know the same of an incident before any playbook is asked.
pub fn same_ground(a: &PlaybookSet, b: &PlaybookSet) -> bool {
    fn same<T>(a: &[Arc<T>], b: &[Arc<T>]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
    }
    same(&a.signals, &b.signals) && same(&a.lists, &b.lists) && same(&a.types, &b.types)
}

impl<'a> Recall<'a> {
    /// Nothing was asked yet of these incidents, of which these are the facts.
    pub fn new(past: &'a [Past], facts: &'a [Facts<'a>]) -> Self {
        let mut common = Totals::default();
        facts.iter().for_each(|f| common.alerts_of(f));
        Self {
            past,
            facts,
            answers: HashMap::new(),
            told: BTreeMap::new(),
            opinions: vec![BTreeMap::new(); past.len()],
            verdicts: vec![None; past.len()],
            common,
        }
    }

    /// What is to be asked so that it is known what this set says.
    pub fn turn<'t>(&self, set: &'t PlaybookSet) -> Turn<'t> {
        let mut turn = Turn { set, work: Vec::new(), by_position: HashMap::new(), new: 0, all: 0 };
        for (n, p) in set.playbooks.iter().enumerate() {
            let questions = || Questions::of(p);
            match self.told.get(&p.id) {
                Some(told) if Arc::ptr_eq(&told.playbook, p) => turn.all = turn.all.saturating_add(told.asks()),
                _ => {
                    let questions = questions();
                    turn.all = turn.all.saturating_add(questions.keys().count());
                    turn.new = turn.new.saturating_add(questions.keys().filter(|k| !self.answers.contains_key(*k)).count());
                    turn.by_position.insert(n, turn.work.len());
                    turn.work.push(Work { playbook: p.clone(), questions, matched: Bits::default() });
                }
            }
        }
        turn
    }

    /// Asks the incident at a position of [`Recall::new`]'s what is to be asked of it and is not known.
    pub fn ask<'t>(&self, turn: &'t Turn<'_>, asker: &mut Asker<'t>, n: usize) -> Option<Heard> {
        let facts = self.facts.get(n)?;
        let matched: Vec<usize> = if turn.is_small() {
            turn.work.iter().enumerate().filter(|(_, w)| eval::unmatched(&w.playbook.matching, facts).is_none()).map(|(w, _)| w).collect()
        } else {
            turn.set.index.find(facts).filter_map(|(p, _)| turn.by_position.get(&p).copied()).collect()
        };
        if matched.is_empty() {
            return None;
        }
        let mut cx = Cx::with(facts, std::mem::take(&mut asker.memory));
        let heard = matched.into_iter().filter_map(|w| Some((w, self.put(turn.work.get(w)?, w, asker, &mut cx, n)))).collect();
        asker.memory = cx.into_memory();
        Some(Heard(n, heard))
    }

    /// Puts the questions of a playbook to an incident; what is known is not asked.
    fn put<'t>(&self, work: &'t Work, w: usize, asker: &mut Asker<'t>, cx: &mut Cx<'_>, n: usize) -> Vec<(Key, Answer)> {
        let p = &work.playbook;
        let mut out = Vec::new();
        let known = |key: &Key| self.answers.get(key).is_some_and(|a| a.asked.has(n));
        let answer = |held: Result<usize, Stop>| held.map_or_else(|stop| Answer { stop: Some(stop), ..Answer::default() }, Answer::of);
        for (arm, key) in p.triage.iter().zip(&work.questions.arms) {
            if let (Some(when), Some(key)) = (&arm.when, key)
                && !known(key)
            {
                out.push((*key, answer(cx.holds(when, &[]).map(usize::from))));
            }
        }
        for (card, key) in p.cards.iter().zip(&work.questions.cards) {
            if !known(key) {
                out.push((*key, answer(eval::targets(card, cx).map(|all| all.len()))));
            }
        }
        if work.questions.clauses.iter().any(|key| !known(key)) {
            let mut answers = vec![Answered::default(); p.conditions.len()];
            asker.asks.entry(w).or_insert_with(|| Asks::of(p)).ask(cx, &mut asker.walk, &mut answers);
            let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
            let answers = answers.into_iter().map(|a| Answer { asked: small(a.asked), held: small(a.held), stop: None });
            out.extend(work.questions.clauses.iter().copied().zip(answers));
        }
        out
    }

    /// Takes in what was heard; in any order.
    pub fn hear(&mut self, turn: &mut Turn<'_>, Heard(n, heard): Heard) {
        for (w, answers) in heard {
            if let Some(work) = turn.work.get_mut(w) {
                work.matched.set(n);
            }
            for (key, answer) in answers {
                self.answers.entry(key).or_default().put(n, answer);
            }
        }
    }

    /// What the set says of the whole corpus, when all that was to be asked was heard.
    pub fn settle(&mut self, turn: Turn<'_>) -> Totals {
        let set = turn.set;
        let mut touched = Bits::default();
        let here = |id: &Arc<str>| set.playbooks.binary_search_by(|p| p.id.cmp(id)).is_ok();
        let gone: Vec<Arc<str>> = self.told.keys().filter(|id| !here(id)).cloned().collect();
        let changed: Vec<(Arc<str>, Option<Told>)> =
            gone.into_iter().map(|id| (id, None)).chain(turn.work.into_iter().map(|w| (w.playbook.id.clone(), Some(self.tell(w))))).collect();
        for (id, told) in changed {
            if let Some(old) = self.told.remove(&id) {
                for (n, _) in old.arms {
                    touched.set(n);
                    if let Some(o) = self.opinions.get_mut(n) {
                        o.remove(&id);
                    }
                }
            }
            let Some(told) = told else { continue };
            for (n, arm) in &told.arms {
                touched.set(*n);
                if let Some(o) = self.opinions.get_mut(*n) {
                    o.insert(id.clone(), *arm);
                }
            }
            self.told.insert(id, told);
        }
        let position: HashMap<&Arc<str>, usize> = set.playbooks.iter().map(|p| &p.id).zip(0..).collect();
        let mut memory = Memory::new(set.questions);
        for (n, ((past, facts), slot)) in self.past.iter().zip(self.facts).zip(&mut self.verdicts).enumerate() {
            if past.incident.classification.is_none() || slot.is_some() && !touched.has(n) {
                continue;
            }
            let said = self.opinions.get(n).into_iter().flatten();
            let mut matched: Vec<Matched> =
                said.filter_map(|(id, arm)| Some(Matched { playbook: *position.get(id)?, arms: vec![*arm], ..Matched::default() })).collect();
            matched.sort_by_key(|m| m.playbook);
            let mut cx = Cx::with(facts, memory);
            *slot = Some(verdict(set, &mut cx, &Evaluation { matched, ..Evaluation::default() }));
            memory = cx.into_memory();
        }
        self.totals()
    }

    /// What a playbook said, from the answers.
    fn tell(&self, work: Work) -> Told {
        let p = work.playbook;
        let none = Answers::default();
        let of = |key: &Key| self.answers.get(key).unwrap_or(&none);
        let arms: Vec<Option<&Answers>> = work.questions.arms.iter().map(|k| k.as_ref().map(of)).collect();
        let cards: Vec<&Answers> = work.questions.cards.iter().map(of).collect();
        let clauses: Vec<&Answers> = work.questions.clauses.iter().map(of).collect();
        let mut told = Told {
            fired: Fired::default(),
            cards: vec![CardFired::default(); p.cards.len()],
            clauses: vec![Answered::default(); p.conditions.len()],
            failures: BTreeMap::new(),
            arms: Vec::new(),
            playbook: p,
        };
        let p = told.playbook.clone();
        for n in work.matched.iter() {
            let mut first = None;
            for (i, arm) in arms.iter().enumerate() {
                let a = arm.map_or_else(|| Answer::of(1), |a| a.get(n).unwrap_or_default());
                if a.held > 0 {
                    first = first.or(Some(i));
                }
                a.stop.iter().for_each(|stop| count(&mut told.failures, eval::failure(&p, None, stop).message, 1));
            }
            told.arms.extend(first.map(|i| (n, i)));
            let mut any = false;
            for ((slot, a), card) in told.cards.iter_mut().zip(&cards).zip(&p.cards) {
                let a = a.get(n).unwrap_or_default();
                any |= a.held > 0;
                add(&mut slot.incidents, u64::from(a.held > 0));
                add(&mut slot.cards, u64::from(a.held));
                a.stop.iter().for_each(|stop| count(&mut told.failures, eval::failure(&p, Some(card), stop).message, 1));
            }
            for (slot, a) in told.clauses.iter_mut().zip(&clauses) {
                let a = a.get(n).unwrap_or_default();
                add(&mut slot.asked, u64::from(a.asked));
                add(&mut slot.held, u64::from(a.held));
            }
            add(&mut told.fired.matched, 1);
            add(&mut told.fired.decided, u64::from(first.is_some()));
            add(&mut told.fired.with_cards, u64::from(any));
        }
        told
    }

    fn totals(&self) -> Totals {
        let mut totals = self.common.clone();
        let told = || self.told.values().filter(|t| t.fired.matched > 0);
        totals.tell(told().map(|t| super::Told { playbook: &t.playbook, fired: t.fired, cards: &t.cards, clauses: &t.clauses }));
        for told in told() {
            told.failures.iter().for_each(|(message, n)| count(&mut totals.failures, message.clone(), *n));
        }
        for (past, said) in self.past.iter().zip(&self.verdicts) {
            if let (Some(recorded), Some(said)) = (past.incident.classification, said) {
                judge(&mut totals, Judged { at: past.at, incident: &past.incident, recorded, said });
            }
        }
        totals
    }
}

/// Of fewer playbooks than this each is looked at by itself whether it matches.
const FEW: usize = 16;

impl Told {
    fn asks(&self) -> usize {
        let arms = self.playbook.triage.iter().filter(|a| a.when.is_some()).count();
        arms.saturating_add(self.cards.len()).saturating_add(self.clauses.len())
    }
}

impl Asker<'_> {
    /// With room for the answers of one incident at a time.
    pub fn new(turn: &Turn<'_>) -> Self {
        Self { memory: Memory::new(turn.set.questions), asks: HashMap::new(), walk: Walk::default() }
    }
}
