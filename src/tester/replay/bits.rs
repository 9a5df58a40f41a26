//! A set of small numbers, a bit for each.

/// A set of small numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// Adds a number.
    pub fn set(&mut self, n: usize) {
        let (word, bit) = place(n);
        if self.0.len() <= word {
            self.0.resize(word.saturating_add(1), 0);
        }
        if let Some(w) = self.0.get_mut(word) {
            *w |= bit;
        }
    }

    /// Whether a number is in it.
    pub fn has(&self, n: usize) -> bool {
        let (word, bit) = place(n);
        self.0.get(word).is_some_and(|w| w & bit != 0)
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(word, bits)| {
            let mut left = *bits;
            std::iter::from_fn(move || {
                let next = usize::try_from(left.trailing_zeros()).ok().filter(|n| *n < 64)?;
                left &= left.wrapping_sub(1);
                Some(word.saturating_mul(64).saturating_add(next))
            })
        })
    }
}

fn place(n: usize) -> (usize, u64) {
    (n >> 6, 1u64.checked_shl(u32::try_from(n & 63).unwrap_or(0)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn numbers_come_back_in_order() {
        let mut bits = Bits::default();
        [700, 0, 63, 64, 5, 64].into_iter().for_each(|n| bits.set(n));
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 5, 63, 64, 700]);
        assert!(bits.has(700) && !bits.has(701) && !bits.has(100_000));
    }
}
