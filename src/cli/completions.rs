//! `engine completions`

use clap::Args;

use super::Exit;

#[derive(Args, Debug)]
pub(super) struct Completions {}

impl Completions {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        Err(Exit::Internal)
    }
}
