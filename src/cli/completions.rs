//! `engine completions`

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Cli, Exit, put};

#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "engine", &mut script);
        put(&String::from_utf8_lossy(&script))
    }
}
