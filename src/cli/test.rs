//! `engine test`

use clap::Args;

use super::Exit;

#[derive(Args, Debug)]
pub(super) struct Test {}

impl Test {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        Err(Exit::Internal)
    }
}
