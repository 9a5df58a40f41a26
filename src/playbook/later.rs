//! What is made when it is first asked for.

use std::sync::LazyLock;

/// Something that is made when it is first asked for, or is there already.
pub type Later<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

/// To be made when it is first asked for.
pub(super) fn later<T>(make: impl FnOnce() -> T + Send + 'static) -> Later<T> {
    LazyLock::new(Box::new(make))
}

/// There already.
pub(super) fn now<T: Send + 'static>(made: T) -> Later<T> {
    let there = later(move || made);
    LazyLock::force(&there);
    there
}
