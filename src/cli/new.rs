//! `engine new`

use clap::Args;

use super::Exit;

#[derive(Args, Debug)]
pub(super) struct New {}

impl New {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        Err(Exit::Internal)
    }
}
