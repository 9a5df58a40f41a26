//! Which places for answers are still in use: places are never given twice, so that what was compiled keeps its own.

use crate::script::expr::MemoId;

/// Counts for each place how many compiled things use it.
#[derive(Default)]
pub(super) struct Memory {
    uses: Vec<u32>,
    live: usize,
}

impl Memory {
    /// A compiled thing uses these places, in place of others.
    pub fn swap(&mut self, old: &[MemoId], new: &[MemoId]) {
        for id in new {
            let n = id.0 as usize;
            if self.uses.len() <= n {
                self.uses.resize(n.saturating_add(1), 0);
            }
            if let Some(uses) = self.uses.get_mut(n) {
                self.live = self.live.saturating_add(usize::from(*uses == 0));
                *uses = uses.saturating_add(1);
            }
        }
        for id in old {
            if let Some(uses) = self.uses.get_mut(id.0 as usize) {
                *uses = uses.saturating_sub(1);
                self.live = self.live.saturating_sub(usize::from(*uses == 0));
            }
        }
    }

    /// Whether most places are in nobody's use: then it is time to give them anew. `later` are those of what is compiled
    /// later, whose uses are not counted.
    pub fn mostly_stale(&self, later: usize) -> bool {
        self.live.saturating_add(later).saturating_mul(2) < self.uses.len()
    }
}
