//! Which playbooks could match an incident: all parts of `match:` at once, a line of playbooks at a time.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;

use super::set::{Gate, Match, Playbook};
use crate::model::technique::base;
use crate::model::{Kind, Level};
use crate::script::Facts;

/// Playbooks by position: lines of five hundred and twelve with at least one of them, in order. A line is about as long as one
/// of the processor's cache, so that a step or two through memory tell of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Some512(Vec<(u32, Line)>);

/// A bit for each, sixty-four to a block.
type Line = [u64; 8];

impl Some512 {
    /// Says whether a position is there. Mostly it is the last one so far.
    fn put(&mut self, n: usize, there: bool) {
        let number = u32::try_from(n / 512).unwrap_or(u32::MAX);
        let found = match self.0.last() {
            Some((last, _)) if *last >= number => self.0.binary_search_by_key(&number, |(number, _)| *number),
            _ => Err(self.0.len()),
        };
        let at = match found {
            Ok(at) => at,
            Err(_) if !there => return,
            Err(at) => {
                self.0.insert(at, (number, [0; 8]));
                at
            }
        };
        let Some((_, line)) = self.0.get_mut(at) else { return };
        let Some(block) = line.get_mut(n / 64 % 8) else { return };
        let bit = 1 << (n % 64);
        *block = if there { *block | bit } else { *block & !bit };
        if *line == [0; 8] {
            self.0.remove(at);
        }
    }
}

/// Hashes words of playbooks. Whoever writes an incident looks words up and adds none, so that the order of the table is
/// nothing to attack.
#[derive(Clone, Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let last = rest.iter().fold(0, |word, b| word << 8 | u64::from(*b));
        for word in words.iter().map(|w| u64::from_le_bytes(*w)).chain([last]) {
            self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    fn finish(&self) -> u64 {
        // The table takes the highest bits and the lowest.
        self.0 ^ (self.0 >> 32)
    }
}

/// A part of `match:` that asks for any of some words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Any {
    /// Those that do not ask.
    free: Some512,
    words: HashMap<Arc<str>, Some512, BuildHasherDefault<Quick>>,
}

impl Any {
    fn put<'w>(&mut self, n: usize, words: impl Iterator<Item = &'w str>, there: bool) {
        let mut asked = false;
        for w in words {
            asked = true;
            match self.words.get_mut(w) {
                Some(all) => {
                    all.put(n, there);
                    if all.0.is_empty() {
                        self.words.remove(w);
                    }
                }
                None if there => self.words.entry(w.into()).or_default().put(n, there),
                None => {}
            }
        }
        if !asked {
            self.free.put(n, there);
        }
    }

    /// The playbooks that some words of an incident, each given once, lead to.
    fn led<'i, 'w>(&'i self, words: impl Iterator<Item = &'w str>) -> Lists<'i> {
        let mut all = SmallVec::new();
        all.push(&*self.free.0);
        if !self.words.is_empty() {
            all.extend(words.filter_map(|w| Some(&*self.words.get(w)?.0)));
        }
        Lists(all)
    }
}

/// What is left of some lists that are gone through together: an incident leads to few.
struct Lists<'i>(SmallVec<[&'i [(u32, Line)]; 16]>);

impl Lists<'_> {
    /// How many lines there are.
    fn lines(&self) -> usize {
        self.0.iter().map(|l| l.len()).fold(0, usize::saturating_add)
    }

    /// The number of the next line.
    fn peek(&self) -> Option<u32> {
        self.0.iter().filter_map(|l| l.first()).map(|(n, _)| *n).min()
    }

    /// All that is in a line. It and those before it are passed.
    #[inline]
    fn take(&mut self, number: u32) -> Line {
        let mut all = [0; 8];
        for list in &mut self.0 {
            while let [(n, line), rest @ ..] = *list
                && *n <= number
            {
                if *n == number {
                    all.iter_mut().zip(line).for_each(|(all, some)| *all |= some);
                }
                *list = rest;
            }
        }
        all
    }
}

/// Says whether a position is there under a key.
fn put<K: Ord + Copy>(all: &mut BTreeMap<K, Some512>, key: K, n: usize, there: bool) {
    let list = all.entry(key).or_default();
    list.put(n, there);
    if list.0.is_empty() {
        all.remove(&key);
    }
}

/// The playbooks of a set by what they ask for in `match:`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    types: Any,
    signals: Any,
    techniques: Any,
    /// Those that ask for a kind.
    kinds: BTreeMap<Kind, Some512>,
    /// Those that ask for at least this severity.
    severities: BTreeMap<Level, Some512>,
    /// The gate of each, sixty-four together: what is asked first of all stands apart from what is asked only then.
    gates: Vec<Arc<[Option<Gate>]>>,
}

impl Index {
    /// The index of some playbooks.
    pub fn build(playbooks: &[Arc<Playbook>]) -> Self {
        let gates = playbooks.chunks(64).map(|some| some.iter().map(|p| p.gate.clone()).collect()).collect();
        let mut index = Self { gates, ..Self::default() };
        playbooks.iter().enumerate().for_each(|(n, p)| index.put(n, &p.matching, true));
        index
    }

    /// There is another playbook at a position.
    pub fn change(&mut self, n: usize, old: &Playbook, new: &Playbook) {
        if old.matching != new.matching {
            self.put(n, &old.matching, false);
            self.put(n, &new.matching, true);
        }
        let gate = self.gates.get_mut(n / 64).and_then(|some| Arc::make_mut(some).get_mut(n % 64));
        if let Some(gate) = gate {
            gate.clone_from(&new.gate);
        }
    }

    /// Says whether the playbook at a position asks for this.
    fn put(&mut self, n: usize, m: &Match, there: bool) {
        self.types.put(n, m.types.iter().map(|t| &**t), there);
        self.signals.put(n, m.signals.iter().map(|s| &**s), there);
        self.techniques.put(n, m.techniques.iter().map(|t| t.as_str()), there);
        for k in &m.entities {
            put(&mut self.kinds, *k, n, there);
        }
        if let Some(least) = m.severity {
            put(&mut self.severities, least, n, there);
        }
    }

    /// The positions of the playbooks whose `match` holds, in order.
    pub fn find(&self, facts: &Facts<'_>) -> Found<'_> {
        let mut types = self.types.led(facts.types.iter().map(|(t, _)| &**t));
        let mut signals = self.signals.led(facts.signals().iter().map(|s| &**s));
        // In order, so that those of a technique follow it or one another: what is above them is looked up once.
        let mut last = "";
        let mut techniques = self.techniques.led(facts.techniques().iter().flat_map(|t| {
            let above = base(t);
            let new = above != last && above.len() < t.len();
            last = above;
            [new.then_some(above), Some(&**t)].into_iter().flatten()
        }));
        // Those that ask for what is not there.
        let kinds = self.kinds.iter().filter(|(k, _)| !facts.has_kind(**k)).map(|(_, all)| all);
        let severities = self.severities.iter().filter(|(least, _)| facts.incident.severity.is_none_or(|s| s < **least)).map(|(_, all)| all);
        let mut out = Lists(kinds.chain(severities).map(|all| &*all.0).collect());

        // What few are led to goes first: nothing else is looked at where it has nobody.
        let mut parts = [&mut types, &mut signals, &mut techniques];
        parts.sort_by_key(|lists| lists.lines());
        let [first, rest @ ..] = &mut parts;
        let mut live = Vec::new();
        while let Some(number) = first.peek() {
            let mut line = first.take(number);
            for part in &mut *rest {
                if line != [0; 8] {
                    line.iter_mut().zip(part.take(number)).for_each(|(left, led)| *left &= led);
                }
            }
            if line != [0; 8] {
                line.iter_mut().zip(out.take(number)).for_each(|(left, out)| *left &= !out);
                live.extend((number.saturating_mul(8)..).zip(line).filter(|(_, bits)| *bits != 0));
            }
        }
        Found { blocks: live.into_iter(), all: &self.gates, first: 0, bits: 0, gates: &[] }
    }
}

/// Positions of playbooks, in order, and their gates.
#[derive(Debug)]
pub struct Found<'i> {
    /// Blocks of sixty-four that are still to come.
    blocks: std::vec::IntoIter<(u32, u64)>,
    all: &'i [Arc<[Option<Gate>]>],
    /// The first of the block that is gone through, those that are still to come, and the gates of all.
    first: usize,
    bits: u64,
    gates: &'i [Option<Gate>],
}

impl<'i> Iterator for Found<'i> {
    type Item = (usize, Option<&'i Gate>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while self.bits == 0 {
            let (block, bits) = self.blocks.next()?;
            self.gates = self.all.get(block as usize).map_or(&[], |some| some);
            (self.first, self.bits) = ((block as usize).saturating_mul(64), bits);
        }
        let n = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits.wrapping_sub(1);
        Some((self.first.wrapping_add(n), self.gates.get(n).and_then(Option::as_ref)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.blocks.as_slice().iter().map(|(_, bits)| bits.count_ones()).fold(self.bits.count_ones(), u32::saturating_add) as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Found<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::{Input, compile};

    #[test]
    fn a_changed_index_is_the_one_that_is_built_anew() {
        // What only the first and the last ask for, in lines far apart, comes last.
        const MANY: usize = 1_600;
        let words = [
            "",
            "techniques: [T1566, T1566.002]",
            "entities: [user, ip, user]",
            "severity: high",
            "severity: low\n  techniques: [T1566.002]",
            "techniques: [T1003]",
        ];
        let page = |n: usize, m: &str| {
            let m = if m.is_empty() { String::new() } else { format!("match:\n  {m}\n") };
            let text = format!("playbook: a.p{n:04}\nformat: 1\nversion: 1.0.0\ntitle: T\nstatus: test\nowner: o\ndescription: d\n{m}");
            Input { path: format!("{n:04}.yaml"), text, layer: 1 }
        };
        let word = |n: usize| if [0, MANY - 1].contains(&n) { 5 } else { n / 7 % 5 };
        let all: Vec<Input> = (0..MANY).map(|n| page(n, words[word(n)])).collect();
        let mut set = compile(&all);
        assert_eq!(set.playbooks.len(), MANY, "{:?}", set.diagnostics.first());
        let mut index = Index::build(&set.playbooks);
        for at in [700, 0, 63, 64, 511, 512, 1_023, 1_024, MANY - 1, 64] {
            for m in words {
                let new = compile(&[page(at, m)]).playbooks[0].clone();
                index.change(at, &set.playbooks[at], &new);
                set.playbooks[at] = new;
                assert_eq!(index, Index::build(&set.playbooks), "{at} {m}");
            }
        }
    }
}
