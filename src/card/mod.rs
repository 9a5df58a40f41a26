//! From what holds to what is shown: cards, triage, hunts, and the answer in every format.

pub mod render;
pub mod response;

pub use response::Response;
