//! `engine lsp`

use clap::Args;

use super::{Exit, tell_line};
use crate::lsp::{Ended, stdio};

/// The language server; the editor says in `initialize` where the playbooks are.
#[derive(Args, Debug)]
pub(super) struct Lsp {
    /// Accepted because editors add it: standard input and output are the only way
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Lsp {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        let _ = self.stdio;
        match stdio() {
            Ok(Ended::Orderly) => Ok(Exit::Fine),
            Ok(Ended::Abruptly) => Err(Exit::Findings),
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Err(Exit::Findings),
            Err(e) => {
                tell_line(&format!("engine: the conversation broke off: {e}"));
                Err(Exit::Internal)
            }
        }
    }
}
