//! What an author asks of playbooks: tests, coverage, mutation, past incidents, two versions compared.
//! One incident at a time, with totals that can be merged; `runtime` reads the incidents and runs them on threads.

mod blame;
pub mod compare;
pub mod coverage;
mod expect;
mod margin;
pub mod mutate;
pub mod replay;
pub mod report;
pub mod sheet;
pub mod tally;
pub mod test;
pub mod update;
