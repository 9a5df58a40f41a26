//! `engine replay`

use clap::Args;

use super::Exit;

#[derive(Args, Debug)]
pub(super) struct Replay {}

impl Replay {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        Err(Exit::Internal)
    }
}
