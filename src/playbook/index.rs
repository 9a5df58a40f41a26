//! Which playbooks could match an incident: all parts of `match:` at once, sixty-four playbooks at a time.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::set::Playbook;
use crate::model::technique::base;
use crate::model::{Kind, Level};
use crate::script::Facts;

/// Playbooks by position: blocks of sixty-four with at least one of them, in order.
#[derive(Debug, Default)]
struct Some64(Vec<(u32, u64)>);

impl Some64 {
    /// Adds a position that is not before the last one.
    fn add(&mut self, n: usize) {
        let (block, bit) = place(n);
        match self.0.last_mut() {
            Some((b, bits)) if *b == block => *bits |= bit,
            _ => self.0.push((block, bit)),
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

/// Adds the playbooks of some lists to those of each block.
fn gather(lists: &[&Some64], into: &mut [u64]) {
    for (block, bits) in lists.iter().flat_map(|l| &l.0) {
        if let Some(word) = into.get_mut(*block as usize) {
            *word |= bits;
        }
    }
}

fn place(n: usize) -> (u32, u64) {
    let bit = u32::try_from(n % 64).unwrap_or_default();
    (u32::try_from(n / 64).unwrap_or(u32::MAX), 1u64.checked_shl(bit).unwrap_or_default())
}

/// Hashes words of playbooks. Whoever writes an incident looks words up and adds none, so that the order of the table is
/// nothing to attack.
#[derive(Default)]
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
#[derive(Debug, Default)]
struct Any {
    /// Those that do not ask.
    free: Some64,
    words: HashMap<Arc<str>, Some64, BuildHasherDefault<Quick>>,
}

impl Any {
    fn add<'w>(&mut self, n: usize, words: impl Iterator<Item = &'w str>) {
        let mut asked = false;
        for w in words {
            asked = true;
            match self.words.get_mut(w) {
                Some(all) => all.add(n),
                None => self.words.entry(w.into()).or_default().add(n),
            }
        }
        if !asked {
            self.free.add(n);
        }
    }

    /// The playbooks that the words of an incident lead to, a list for each word.
    fn led<'i, 'w>(&'i self, words: impl Iterator<Item = &'w str>) -> Vec<&'i Some64> {
        let mut all = vec![&self.free];
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

/// The playbooks of a set by what they ask for in `match:`.
#[derive(Debug, Default)]
pub struct Index {
    types: Any,
    signals: Any,
    techniques: Any,
    /// Those that ask for a kind.
    kinds: BTreeMap<Kind, Some64>,
    /// Those that ask for at least this severity.
    severities: BTreeMap<Level, Some64>,
    len: usize,
}

impl Index {
    /// The index of some playbooks.
    pub fn build(playbooks: &[Arc<Playbook>]) -> Self {
        let mut index = Self { len: playbooks.len(), ..Self::default() };
        for (n, p) in playbooks.iter().enumerate() {
            let m = &p.matching;
            index.types.add(n, m.types.iter().map(|t| &**t));
            index.signals.add(n, m.signals.iter().map(|s| &**s));
            index.techniques.add(n, m.techniques.iter().map(|t| t.as_str()));
            for (at, k) in m.entities.iter().enumerate() {
                if !m.entities.iter().take(at).any(|before| before == k) {
                    index.kinds.entry(*k).or_default().add(n);
                }
            }
            if let Some(least) = m.severity {
                index.severities.entry(least).or_default().add(n);
            }
        }
        index
    }

    /// The positions of the playbooks whose `match` holds, in order.
    pub fn find(&self, facts: &Facts<'_>) -> Vec<usize> {
        let types = self.types.led(facts.types.iter().map(|(t, _)| &**t));
        let signals = self.signals.led(facts.signals().iter().map(|s| &**s));
        let techniques = self.techniques.led(facts.techniques().iter().flat_map(|t| {
            let above = base(t);
            [Some(&**t), (above.len() < t.len()).then_some(above)].into_iter().flatten()
        }));
        // Those that ask for what is not there.
        let mut out: Vec<&Some64> = self.kinds.iter().filter(|(k, _)| !facts.has_kind(**k)).map(|(_, all)| all).collect();
        out.extend(self.severities.iter().filter(|(least, _)| facts.incident.severity.is_none_or(|s| s < **least)).map(|(_, all)| all));

        // What few are led to goes first: nothing else is looked at where it has nobody.
        let mut parts = [types, signals, techniques].map(|lists| (lists.iter().map(|l| l.0.len()).fold(0, usize::saturating_add), lists));
        parts.sort_by_key(|(blocks, _)| *blocks);
        let [(_, first), rest @ ..] = &parts;
        let mut live = vec![0u64; self.len.div_ceil(64)];
        gather(first, &mut live);
        let mut led = Vec::new();
        for (blocks, lists) in rest {
            // Lists are gone through from end to end, or asked for each block that is left, whichever is less.
            let left = live.iter().filter(|bits| **bits != 0).count();
            if *blocks <= left.saturating_mul(lists.len()) {
                led.clear();
                led.resize(live.len(), 0);
                gather(lists, &mut led);
                live.iter_mut().zip(&led).for_each(|(bits, all)| *bits &= all);
            } else {
                for (block, bits) in (0u32..).zip(&mut live).filter(|(_, bits)| **bits != 0) {
                    *bits &= lists.iter().fold(0, |all, l| all | l.at(block));
                }
            }
        }
        let mut found = Vec::new();
        for (block, mut bits) in (0u32..).zip(live).filter(|(_, bits)| *bits != 0) {
            for list in &out {
                if bits == 0 {
                    break;
                }
                bits &= !list.at(block);
            }
            while bits != 0 {
                found.push((block as usize).saturating_mul(64).saturating_add(bits.trailing_zeros() as usize));
                bits &= bits.wrapping_sub(1);
            }
        }
        found
    }
}
