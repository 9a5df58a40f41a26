//! Which playbooks could match an incident: all parts of `match:` at once, sixty-four playbooks at a time.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;

use super::set::{Gate, Match, Playbook};
use crate::model::technique::base;
use crate::model::{Kind, Level};
use crate::script::Facts;

/// Playbooks by position: blocks of sixty-four with at least one of them, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Some64(Vec<(u32, u64)>);

impl Some64 {
    /// Says whether a position is there. Mostly it is the last one so far.
    fn put(&mut self, n: usize, there: bool) {
        let (block, bit) = place(n);
        let found = match self.0.last() {
            Some((last, _)) if *last >= block => self.0.binary_search_by_key(&block, |(b, _)| *b),
            _ => Err(self.0.len()),
        };
        match found {
            Err(at) if there => self.0.insert(at, (block, bit)),
            Err(_) => {}
            Ok(at) => {
                let Some((_, bits)) = self.0.get_mut(at) else { return };
                *bits = if there { *bits | bit } else { *bits & !bit };
                if *bits == 0 {
                    self.0.remove(at);
                }
            }
        }
    }

    /// The playbooks of a block.
    fn at(&self, block: u32) -> u64 {
        // Where most blocks are there, a block stands at its own number or shortly before.
        let found = match self.0.get(block as usize) {
            Some((b, bits)) if *b == block => Some(*bits),
            _ => self.0.binary_search_by_key(&block, |(b, _)| *b).ok().and_then(|n| self.0.get(n)).map(|(_, bits)| *bits),
        };
        found.unwrap_or_default()
    }
}

fn place(n: usize) -> (u32, u64) {
    let bit = u32::try_from(n % 64).unwrap_or_default();
    (u32::try_from(n / 64).unwrap_or(u32::MAX), 1u64.checked_shl(bit).unwrap_or_default())
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
    free: Some64,
    words: HashMap<Arc<str>, Some64, BuildHasherDefault<Quick>>,
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

    /// The playbooks that the words of an incident lead to, a list for each word.
    fn led<'i, 'w>(&'i self, words: impl Iterator<Item = &'w str>) -> Lists<'i> {
        let mut all = Lists::new();
        all.push(&self.free);
        if !self.words.is_empty() {
            for found in words.filter_map(|w| self.words.get(w)) {
                if !all.iter().any(|known| std::ptr::eq(*known, found)) {
                    all.push(found);
                }
            }
        }
        all
    }
}

/// Some lists: an incident leads to few.
type Lists<'i> = SmallVec<[&'i Some64; 16]>;

/// Says whether a position is there under a key.
fn put<K: Ord + Copy>(all: &mut BTreeMap<K, Some64>, key: K, n: usize, there: bool) {
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
    kinds: BTreeMap<Kind, Some64>,
    /// Those that ask for at least this severity.
    severities: BTreeMap<Level, Some64>,
    /// The gate of each, sixty-four together: what is asked first of all stands apart from what is asked only then.
    gates: Vec<Arc<[Option<Gate>]>>,
    len: usize,
}

impl Index {
    /// The index of some playbooks.
    pub fn build(playbooks: &[Arc<Playbook>]) -> Self {
        let gates = playbooks.chunks(64).map(|some| some.iter().map(|p| p.gate.clone()).collect()).collect();
        let mut index = Self { len: playbooks.len(), gates, ..Self::default() };
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

    /// The playbooks of some lists, by block.
    fn gather(&self, lists: &Lists<'_>, into: &mut Vec<u64>) {
        into.clear();
        into.resize(self.len.div_ceil(64), 0);
        for (block, bits) in lists.iter().flat_map(|l| &l.0) {
            if let Some(word) = into.get_mut(*block as usize) {
                *word |= bits;
            }
        }
    }

    /// The positions of the playbooks whose `match` holds, in order.
    pub fn find(&self, facts: &Facts<'_>) -> Found<'_> {
        let types = self.types.led(facts.types.iter().map(|(t, _)| &**t));
        let signals = self.signals.led(facts.signals().iter().map(|s| &**s));
        let techniques = self.techniques.led(facts.techniques().iter().flat_map(|t| {
            let above = base(t);
            [Some(&**t), (above.len() < t.len()).then_some(above)].into_iter().flatten()
        }));
        // Those that ask for what is not there.
        let mut out: Lists<'_> = self.kinds.iter().filter(|(k, _)| !facts.has_kind(**k)).map(|(_, all)| all).collect();
        out.extend(self.severities.iter().filter(|(least, _)| facts.incident.severity.is_none_or(|s| s < **least)).map(|(_, all)| all));

        // What few are led to goes first: nothing else is looked at where it has nobody.
        let mut parts = [types, signals, techniques].map(|lists| (lists.iter().map(|l| l.0.len()).fold(0, usize::saturating_add), lists));
        parts.sort_by_key(|(blocks, _)| *blocks);
        let [(few, first), rest @ ..] = &parts;
        let mut led = Vec::new();
        let mut live: Vec<(u32, u64)> = if few.saturating_mul(4) < self.len / 64 {
            let mut live: Vec<_> = first.iter().flat_map(|l| l.0.iter().copied()).collect();
            live.sort_unstable_by_key(|(block, _)| *block);
            live.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                kept.1 |= if same { next.1 } else { 0 };
                same
            });
            live
        } else {
            self.gather(first, &mut led);
            (0..).zip(led.iter().copied()).filter(|(_, bits)| *bits != 0).collect()
        };
        for (blocks, lists) in rest {
            // Lists are gone through from end to end, or asked for each block that is left, whichever is less.
            if *blocks <= live.len().saturating_mul(lists.len()) {
                self.gather(lists, &mut led);
                live.iter_mut().for_each(|(block, bits)| *bits &= led.get(*block as usize).copied().unwrap_or_default());
            } else {
                for (block, bits) in &mut live {
                    // Mostly the first lists lead to all that is left.
                    let mut lost = *bits;
                    for list in lists {
                        if lost == 0 {
                            break;
                        }
                        lost &= !list.at(*block);
                    }
                    *bits &= !lost;
                }
            }
            live.retain(|(_, bits)| *bits != 0);
        }
        for (block, bits) in &mut live {
            for list in &out {
                if *bits == 0 {
                    break;
                }
                *bits &= !list.at(*block);
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
        let words =
            ["", "techniques: [T1566, T1566.002]", "entities: [user, ip, user]", "severity: high", "severity: low\n  techniques: [T1566.002]"];
        let page = |n: usize, m: &str| {
            let m = if m.is_empty() { String::new() } else { format!("match:\n  {m}\n") };
            let text = format!("playbook: a.p{n:03}\nformat: 1\nversion: 1.0.0\ntitle: T\nstatus: test\nowner: o\ndescription: d\n{m}");
            Input { path: format!("{n:03}.yaml"), text, layer: 1 }
        };
        let all: Vec<Input> = (0..200).map(|n| page(n, words[n / 7 % 5])).collect();
        let mut set = compile(&all);
        assert_eq!(set.playbooks.len(), 200, "{:?}", set.diagnostics.first());
        let mut index = Index::build(&set.playbooks);
        for at in [0, 63, 64, 130, 199, 64] {
            for m in words {
                let new = compile(&[page(at, m)]).playbooks[0].clone();
                index.change(at, &set.playbooks[at], &new);
                set.playbooks[at] = new;
                assert_eq!(index, Index::build(&set.playbooks), "{at} {m}");
            }
        }
    }
}
