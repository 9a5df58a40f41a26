//! A small seeded generator of numbers: the same seed gives the same workload on every machine.

/// splitmix64.
pub struct Rng(u64);

impl Rng {
    /// The stream of one thing of a workload: a kind of thing, and its number.
    pub fn new(stream: u64, n: u64) -> Self {
        let mut rng = Self(stream.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ n.wrapping_mul(0xD1B5_4A32_D192_ED03));
        rng.next();
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True so often out of a hundred.
    pub fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// One of these, the first ones more often: what is common in real data is asked about more often as well.
    pub fn pick_skewed<T: Copy>(&mut self, all: &[T]) -> T {
        let n = self.below(all.len()).min(self.below(all.len()));
        all[n]
    }

    /// So many different ones of these.
    pub fn several<T: Copy + PartialEq>(&mut self, all: &[T], n: usize) -> Vec<T> {
        let mut out: Vec<T> = Vec::new();
        while out.len() < n.min(all.len()) {
            let one = self.pick(all);
            if !out.contains(&one) {
                out.push(one);
            }
        }
        out
    }

    /// So many lower-case hexadecimal digits.
    pub fn hex(&mut self, n: usize) -> String {
        (0..n).map(|_| char::from(b"0123456789abcdef"[self.below(16)])).collect()
    }
}
