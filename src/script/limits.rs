//! What an expression may cost. Each number is documented in `docs/operations.md`.

/// Bytes of one expression.
pub const SOURCE_BYTES: usize = 4096;
/// How deep an expression may nest, outside and inside closures.
pub const DEPTH: (usize, usize) = (128, 64);
/// How deep an expression may nest with the bindings and clauses that it uses.
pub const HEIGHT: u32 = 400;
/// Closures and parameters that may be open at one place.
pub const LOCALS: usize = 60;
/// Steps of one condition, binding or template on one incident: a step is a node, an item of a list, or 64 bytes of text.
pub const STEPS: u64 = 4_000_000;
/// Steps of all playbooks on one incident together.
pub const INCIDENT_STEPS: u64 = 200_000_000;
/// Relations that one signal may draw for one kind of pair in one alert, and all signals in one incident.
pub const SIGNAL_RELATIONS: (usize, usize) = (2_000, 200_000);
/// Items of a list that an expression makes.
pub const LIST_ITEMS: usize = 100_000;
/// Bytes of a text that an expression makes.
pub const TEXT_BYTES: usize = 1 << 20;
/// Bytes of the compiled form of one regular expression.
pub const REGEX_BYTES: usize = 256 << 10;
/// Findings under one clause.
pub const FINDINGS: usize = 20;
/// Findings that are looked for under one clause that is shown: some of them read the same. Of those that do not, no more are
/// looked for than are shown.
pub const LOOKED_FOR: usize = 40;
/// Findings that are looked for where something is decided by them.
pub const DECIDED_BY: usize = 400;
