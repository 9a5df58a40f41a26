//! A quick hash for texts of the input, behind a key that nobody outside knows: so nobody can write an input whose texts
//! all hash alike.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

/// A map whose keys come from the input.
pub(super) type Keyed<K, V> = HashMap<K, V, Key>;

/// The key of this run of the program.
static KEY: LazyLock<Key> = LazyLock::new(|| {
    let random = RandomState::new();
    // The second one multiplies, so it is odd.
    Key(random.hash_one(0), random.hash_one(1) | 1)
});

/// What all hashes of a map begin with.
#[derive(Clone, Copy)]
pub(super) struct Key(u64, u64);

impl Default for Key {
    fn default() -> Self {
        *KEY
    }
}

impl BuildHasher for Key {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded { hash: self.0, by: self.1 }
    }
}

/// Eight bytes at a time are multiplied with the key, and the two halves of the product are put together.
pub(super) struct Folded {
    hash: u64,
    by: u64,
}

impl Folded {
    fn fold(&mut self, eight: u64) {
        let product = u128::from(self.hash ^ eight).wrapping_mul(u128::from(self.by));
        #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
        let (low, high) = (product as u64, (product >> 64) as u64);
        self.hash = low ^ high.rotate_left(32);
    }
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks::<8>();
        eights.iter().for_each(|eight| self.fold(u64::from_le_bytes(*eight)));
        let rest = rest.iter().fold(bytes.len() as u64, |all, b| all << 8 | u64::from(*b));
        self.fold(rest);
    }

    fn write_u8(&mut self, n: u8) {
        self.write_u64(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.fold(n);
    }

    fn write_isize(&mut self, n: isize) {
        self.write_u64(n.cast_unsigned() as u64);
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn texts_that_differ_hash_differently() {
        let key = Key::default();
        let texts = (0..200).flat_map(|n| [format!("ip:203.0.113.{n}"), "a".repeat(n), format!("{n:08}"), format!("{n:016}")]);
        let texts: BTreeSet<String> = texts.collect();
        let hashes: BTreeSet<u64> = texts.iter().map(|t| key.hash_one(t)).collect();
        assert_eq!(hashes.len(), texts.len());
        // Maps look at the highest bits and at the lowest.
        assert!(texts.iter().map(|t| key.hash_one(t) & 0xff).collect::<BTreeSet<u64>>().len() > 200);
        assert!(texts.iter().map(|t| key.hash_one(t) >> 57).collect::<BTreeSet<u64>>().len() > 100);
    }
}
