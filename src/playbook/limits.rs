//! What a file may hold. Each number is documented in `docs/operations.md`.

/// Bytes of one file.
pub const FILE_BYTES: usize = 256 << 10;
/// Nodes of one file.
pub const FILE_NODES: usize = 20_000;
/// How deep a file may nest.
pub const FILE_DEPTH: usize = 64;
/// Files of one set.
pub const FILES: usize = 20_000;
/// Diagnostics of one file; the rest is counted.
pub const FILE_DIAGNOSTICS: usize = 100;
/// Tests from which one test may start, one after another.
pub const TEST_DEPTH: usize = 64;
