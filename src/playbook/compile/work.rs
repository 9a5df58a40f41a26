//! Work that may be done in any order, and by several at a time.

use std::sync::OnceLock;

use super::declare::Things;
use super::files::Files;
use crate::script::Questions;

/// Does the work for each number below one, in any order, perhaps on several threads. Threads are the caller's: this room
/// has none.
pub type Workers = fn(usize, &(dyn Fn(usize) + Sync));

/// What does each thing in turn.
pub(super) fn in_turn(many: usize, work: &(dyn Fn(usize) + Sync)) {
    (0..many).for_each(work);
}

/// What the work gives for each number.
pub(super) fn worked<R: Send + Sync>(workers: Workers, many: usize, work: impl Fn(usize) -> R + Sync) -> Vec<Option<R>> {
    let all: Vec<OnceLock<R>> = std::iter::repeat_with(OnceLock::new).take(many).collect();
    workers(many, &|n| {
        if let Some(slot) = all.get(n) {
            slot.get_or_init(|| work(n));
        }
    });
    all.into_iter().map(OnceLock::into_inner).collect()
}

/// What things are compiled from.
pub(super) struct World<'w> {
    pub files: &'w Files,
    pub things: &'w Things,
    pub questions: &'w Questions,
    pub workers: Workers,
}
