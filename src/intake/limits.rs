//! What an input may cost: every limit of the intake, in one place. `docs/operations.md` repeats them.

/// Bytes of one input.
pub const BYTES: usize = 32 * 1024 * 1024;
/// Values (objects, lists, texts, numbers) of one input, those inside text columns included.
pub const NODES: usize = 2_000_000;
/// How deep objects and lists may lie in one another.
pub const DEPTH: usize = 100;
/// Incidents of one input.
pub const INCIDENTS: usize = 2_000;
/// Alerts of one incident.
pub const ALERTS: usize = 5_000;
/// Records of one incident: those that the source declares and those that its fields name.
pub const RECORDS: usize = 100_000;
/// Declared records of one incident.
pub const DECLARED: usize = 20_000;
/// Relations that the records of one incident hold.
pub const LINKS: usize = 200_000;
/// Bytes of one text; a longer one is cut, with a diagnostic.
pub const TEXT: usize = 64 * 1024;
/// Remarks about one incident; what lies beyond is counted in a last one.
pub const NOTES: usize = 200;
