//! `engine diff`

use clap::Args;

use super::Exit;

#[derive(Args, Debug)]
pub(super) struct Diff {}

impl Diff {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        Err(Exit::Internal)
    }
}
