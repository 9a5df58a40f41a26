//! All that touches the machine: playbooks and incidents from disk, the clock.

pub mod incidents;
pub mod playbooks;

/// The moment by the machine's clock: for the expiry of exceptions, nothing else.
pub fn today() -> crate::model::Time {
    crate::model::Time::now()
}
