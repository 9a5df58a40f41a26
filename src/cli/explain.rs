//! `engine explain`

use clap::Args;

use super::Exit;

#[derive(Args, Debug)]
pub(super) struct Explain {}

impl Explain {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        Err(Exit::Internal)
    }
}
