//! `engine schema`

use clap::Args;

use super::Exit;

#[derive(Args, Debug)]
pub(super) struct Schema {}

impl Schema {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        Err(Exit::Internal)
    }
}
