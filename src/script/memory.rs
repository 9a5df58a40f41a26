//! The answers to the questions of a set over one incident.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::eval::Stop;
use super::expr::{Key, MemoId};
use super::trace::{Looked, Trace};
use super::value::Value;
use crate::model::EntityIx;

/// A value that is kept, and what it took.
#[derive(Clone)]
pub(super) struct Memo {
    pub(super) value: Result<Value, Stop>,
    pub(super) cost: u64,
}

/// The answers to the questions of a set over one incident. Made once, it serves one incident after another, and is emptied
/// by the next turn: an answer of another turn is none.
pub struct Memory {
    /// For each question: the turn in which it was answered; no or yes with the cost and the place of what settled it, or where
    /// its value stands. What settled it is an item of the list that it goes through or, where items are counted, those whose
    /// places are kept.
    slots: Vec<u64>,
    turn: u64,
    values: Vec<Memo>,
    /// The places of the first items that were counted for some questions, a list after another, each led by its length.
    counted: Vec<u32>,
    pub(super) clauses: HashMap<(Key, Vec<EntityIx>), Memo>,
    /// What was looked at.
    pub(super) trace: Trace,
    /// Where that stands for each question that was looked into, and the end of all of them: few of the questions are.
    looked: HashMap<MemoId, Looked, BuildHasherDefault<Spread>>,
    end: usize,
}

/// Hashes places of questions: they are those of playbooks, so that nobody outside chooses them.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.write_u32(u32::from(*b)));
    }

    fn write_u32(&mut self, n: u32) {
        // The table takes the highest bits and the lowest.
        let spread = (self.0 ^ u64::from(n)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ (spread >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What a slot holds: from the lowest bit, 2 bits of answer, 30 of cost, 20 of the place of the item that settled it, and 12 of
/// the turn.
mod answer {
    pub const NO: u64 = 1;
    pub const YES: u64 = 2;
    pub const OTHER: u64 = 3;

    /// Turns are counted from one to this; then all is forgotten at once.
    pub const TURNS: u64 = (1 << 12) - 1;
    const TURN: u32 = 52;
    const AT: u32 = 32;

    const COST: u64 = (1 << 30) - 1;
    const _: () = assert!(super::super::limits::STEPS <= COST);

    /// One more than the place; nothing where there is none, or where it is too far back to be kept.
    const PLACE: u64 = (1 << 20) - 1;

    /// What a slot holds of an answer.
    #[inline(always)]
    pub fn of(turn: u64, yes: bool, cost: u64, place: Option<usize>) -> u64 {
        let place = place.map_or(0, |n| (n as u64).wrapping_add(1));
        let place = if place <= PLACE { place } else { 0 };
        (turn << TURN) | (place << AT) | (cost << 2) | if yes { YES } else { NO }
    }

    /// What a slot holds of a value that stands elsewhere.
    pub fn elsewhere(turn: u64, at: usize) -> u64 {
        (turn << TURN) | ((at as u64 & (COST | PLACE << 30)) << 2) | OTHER
    }

    /// The lower bits, if the slot is of this turn: no answer leaves nothing.
    #[inline(always)]
    pub fn now(slot: u64, turn: u64) -> u64 {
        let found = slot ^ (turn << TURN);
        if found >> TURN == 0 { found } else { 0 }
    }

    pub fn cost(now: u64) -> u64 {
        (now >> 2) & COST
    }

    pub fn place(now: u64) -> Option<usize> {
        usize::try_from((now >> AT).checked_sub(1)?).ok()
    }

    pub fn at(now: u64) -> Option<usize> {
        usize::try_from(now >> 2).ok()
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Memory {
    /// With room for so many questions.
    pub fn new(questions: usize) -> Self {
        Self {
            slots: vec![0; questions],
            turn: 1,
            values: Vec::new(),
            counted: Vec::new(),
            clauses: HashMap::new(),
            trace: Trace::default(),
            looked: HashMap::default(),
            end: 0,
        }
    }

    /// Forgets all answers.
    pub fn clear(&mut self) {
        self.turn = if self.turn < answer::TURNS { self.turn.saturating_add(1) } else { 1 };
        if self.turn == 1 {
            self.slots.fill(0);
        }
        self.values.clear();
        self.counted.clear();
        self.clauses.clear();
        self.trace.truncate(0);
        self.looked.clear();
        self.end = 0;
    }

    /// Keeps the value of a question.
    pub(super) fn put(&mut self, id: MemoId, value: &Result<Value, Stop>, cost: u64) {
        let kept = match value {
            Ok(Value::Bool(yes)) => answer::of(self.turn, *yes, cost, None),
            other => {
                self.values.push(Memo { value: other.clone(), cost });
                answer::elsewhere(self.turn, self.values.len().saturating_sub(1))
            }
        };
        self.keep(id, kept);
    }

    /// Keeps an answer with what it took, and the place of what settled it.
    #[inline(always)]
    pub(super) fn answered(&mut self, id: MemoId, yes: bool, cost: u64, place: Option<usize>) {
        self.keep(id, answer::of(self.turn, yes, cost, place));
    }

    #[inline(always)]
    fn keep(&mut self, id: MemoId, kept: u64) {
        match self.slots.get_mut(id.0 as usize) {
            Some(slot) => *slot = kept,
            None => self.grow(id, kept),
        }
    }

    /// What is compiled only when it is asked for has places beyond those that were known before.
    #[cold]
    fn grow(&mut self, id: MemoId, kept: u64) {
        self.slots.resize(id.0 as usize, 0);
        self.slots.push(kept);
    }

    /// What is kept for a question; 0 where nothing is.
    #[inline(always)]
    fn now(&self, id: MemoId) -> u64 {
        self.slots.get(id.0 as usize).map_or(0, |slot| answer::now(*slot, self.turn))
    }

    /// The answer to a question where it is kept as no or yes, and what it took.
    #[inline(always)]
    pub(super) fn known(&self, id: MemoId) -> Option<(bool, u64)> {
        let now = self.now(id);
        match now & 3 {
            answer::NO => Some((false, answer::cost(now))),
            answer::YES => Some((true, answer::cost(now))),
            _ => None,
        }
    }

    /// The place of the item that settled a question in the list that it goes through, or in what is counted, where that is kept.
    pub(super) fn settled(&self, id: MemoId) -> Option<usize> {
        let now = self.now(id);
        if matches!(now & 3, answer::NO | answer::YES) { answer::place(now) } else { None }
    }

    /// Keeps the places of items that were counted; where they stand, to be kept as the place that settled a question.
    pub(super) fn count(&mut self, places: &[u32]) -> usize {
        let at = self.counted.len();
        self.counted.push(u32::try_from(places.len()).unwrap_or(0));
        self.counted.extend_from_slice(places);
        at
    }

    /// The places of items that were counted, which stand there.
    pub(super) fn counted(&self, at: usize) -> &[u32] {
        counted(&self.counted, at)
    }

    /// Where what was looked at for a question stands, where it was looked into.
    pub(super) fn looked(&self, id: MemoId) -> Option<Looked> {
        self.looked.get(&id).copied()
    }

    /// Keeps where that stands.
    pub(super) fn look(&mut self, id: MemoId, looked: Looked) {
        self.looked.insert(id, looked);
        self.end = looked.end();
    }

    /// Forgets what was looked at from there on, but not what is kept for a question.
    pub(super) fn forget(&mut self, from: usize) {
        self.trace.truncate(from.max(self.end));
    }

    /// The same, and what was looked at.
    pub(super) fn counted_for(&mut self, at: usize) -> (&mut Trace, &[u32]) {
        (&mut self.trace, counted(&self.counted, at))
    }

    /// What is kept for a question.
    pub(super) fn get(&self, id: MemoId) -> Option<Memo> {
        if let Some((yes, cost)) = self.known(id) {
            return Some(Memo { value: Ok(yes.into()), cost });
        }
        let now = self.now(id);
        if now & 3 == answer::OTHER { self.values.get(answer::at(now)?).cloned() } else { None }
    }
}

/// The list that stands there.
fn counted(lists: &[u32], at: usize) -> &[u32] {
    let (n, rest) = lists.get(at..).and_then(<[u32]>::split_first).unwrap_or((&0, &[]));
    rest.get(..*n as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_of_another_turn_is_known() {
        let mut memory = Memory::new(2);
        let far = 1 << 20;
        for turn in 0..10_000u32 {
            // The last one has no place yet.
            for id in [0, 1, 2].map(MemoId) {
                assert!(memory.get(id).is_none() && memory.settled(id).is_none(), "turn {turn}");
            }
            let (yes, cost) = (turn % 2 == 0, u64::from(turn) * 400);
            memory.answered(MemoId(0), yes, cost, Some(turn as usize));
            memory.answered(MemoId(2), !yes, cost, Some(far));
            memory.put(MemoId(1), &Ok(Value::Int(turn.into())), cost);
            for (id, wanted) in [(0, yes), (2, !yes)] {
                let known = memory.get(MemoId(id)).unwrap();
                assert!(known.cost == cost && known.value.unwrap().same(&wanted.into()), "turn {turn}");
            }
            assert_eq!(memory.settled(MemoId(0)), Some(turn as usize));
            assert_eq!(memory.settled(MemoId(2)), None, "too far back to be kept");
            assert!(matches!(memory.get(MemoId(1)).unwrap().value, Ok(Value::Int(n)) if n == i64::from(turn)));
            memory.clear();
        }
    }
}
