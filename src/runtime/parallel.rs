//! Work on several threads, with the results in the order of the items.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};

/// Fewer items than this are not worth a thread: what ships are fewer.
const FEW: usize = 64;

/// Does `work` for each number below `many`, in any order, on as many threads as the machine has.
pub fn each(many: usize, work: &(dyn Fn(usize) + Sync)) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if many < FEW || threads < 2 {
        return (0..many).for_each(work);
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= many {
                        return;
                    }
                    work(n);
                }
            });
        }
    });
}

/// What `work` gives for each item, in the order of the items.
pub fn map<T: Sync, R: Send + Sync>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let made: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    each(items.len(), &|n| {
        if let (Some(item), Some(slot)) = (items.get(n), made.get(n)) {
            slot.get_or_init(|| work(item));
        }
    });
    made.into_iter().filter_map(OnceLock::into_inner).collect()
}

/// What the threads share.
struct Shared<I, R> {
    items: I,
    /// The position of the next item.
    next: usize,
    /// The position of the next result to be taken.
    taken: usize,
    /// Results that wait for earlier ones.
    ready: BTreeMap<usize, R>,
    /// Whether there are no more items, and how many there were.
    end: Option<usize>,
    /// Threads that still work.
    workers: usize,
}

/// Does `work` on each item, on as many threads as the machine has, and gives the results to `take` in the order of the
/// items. Items are asked for only as fast as results are taken, so that a stream longer than memory can be worked on.
/// `take` says whether to go on.
pub fn ordered<T: Send, R: Send>(items: impl Iterator<Item = T> + Send, work: impl Fn(T) -> R + Sync, take: impl FnMut(R) -> bool) {
    folded(items, || (), |(), item| work(item), take);
}

/// The same, where each thread has something of its own that it adds to: gives what each of them has in the end.
pub fn folded<T: Send, S: Send, R: Send>(
    items: impl Iterator<Item = T> + Send,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, T) -> R + Sync,
    take: impl FnMut(R) -> bool,
) -> Vec<S> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let window = threads.saturating_mul(4);
    let shared = Mutex::new(Shared { items, next: 0, taken: 0, ready: BTreeMap::new(), end: None, workers: threads });
    let changed = Condvar::new();
    let one = || {
        // However this thread ends, those that wait must learn of it.
        let _leave = Leave(&shared, &changed);
        let mut own = begin();
        loop {
            let mut s = shared.lock().unwrap_or_else(PoisonError::into_inner);
            while s.end.is_none() && s.next >= s.taken.saturating_add(window) {
                s = changed.wait(s).unwrap_or_else(PoisonError::into_inner);
            }
            if s.end.is_some() {
                return own;
            }
            let n = s.next;
            let Some(item) = s.items.next() else {
                s.end = Some(n);
                return own;
            };
            s.next = n.saturating_add(1);
            drop(s);
            let made = work(&mut own, item);
            shared.lock().unwrap_or_else(PoisonError::into_inner).ready.insert(n, made);
            changed.notify_all();
        }
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        give(&shared, &changed, take);
        running.into_iter().map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Gives results on in their order, until there are no more or nobody wants them.
fn give<I, R>(shared: &Mutex<Shared<I, R>>, changed: &Condvar, mut take: impl FnMut(R) -> bool) {
    let locked = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    let mut s = locked();
    loop {
        let n = s.taken;
        if let Some(r) = s.ready.remove(&n) {
            s.taken = n.saturating_add(1);
            drop(s);
            changed.notify_all();
            let on = take(r);
            s = locked();
            if !on {
                s.end = Some(n);
                s.ready.clear();
                changed.notify_all();
                return;
            }
        } else if s.workers == 0 {
            // A thread that panicked leaves a gap: whoever waits for it passes its panic on.
            return;
        } else {
            s = changed.wait(s).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct Leave<'a, I, R>(&'a Mutex<Shared<I, R>>, &'a Condvar);

impl<I, R> Drop for Leave<'_, I, R> {
    fn drop(&mut self) {
        let mut s = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        s.workers = s.workers.saturating_sub(1);
        if std::thread::panicking() {
            s.end.get_or_insert(0);
        }
        drop(s);
        self.1.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::{map, ordered};

    #[test]
    fn results_come_in_the_order_of_their_items() {
        for many in [0, 1, 1000] {
            let items: Vec<u64> = (0..many).collect();
            assert_eq!(map(&items, |n| n * 2), items.iter().map(|n| n * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn results_come_in_order_and_stop_when_told() {
        let mut all = Vec::new();
        ordered(
            0..1000u64,
            |n| n * n,
            |r| {
                all.push(r);
                true
            },
        );
        assert_eq!(all, (0..1000).map(|n| n * n).collect::<Vec<u64>>());
        let mut few = Vec::new();
        ordered(
            0..,
            |n: u64| n,
            |r| {
                few.push(r);
                few.len() < 5
            },
        );
        assert_eq!(few, [0, 1, 2, 3, 4]);
        ordered(std::iter::empty::<u8>(), |n| n, |_| panic!("nothing to take"));
    }
}
