//! `engine lsp`

use clap::Args;

use super::Exit;

#[derive(Args, Debug)]
pub(super) struct Lsp {}

impl Lsp {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        Err(Exit::Internal)
    }
}
