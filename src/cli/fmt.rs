//! `engine fmt`

use clap::Args;

use super::Exit;

#[derive(Args, Debug)]
pub(super) struct Fmt {}

impl Fmt {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        Err(Exit::Internal)
    }
}
