//! `engine actions`

use clap::Args;

use super::{Exit, PlaybookArgs, put};

#[derive(Args, Debug)]
pub(super) struct Actions {
    #[command(flatten)]
    playbooks: PlaybookArgs,
}

impl Actions {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        let set = self.playbooks.load()?;
        let mut out = String::new();
        for a in set.actions.values() {
            let kinds = match (a.incident, a.kinds.is_none()) {
                (true, true) => "incident".to_owned(),
                (true, false) => format!("incident|{}", a.kinds),
                _ => a.kinds.to_string(),
            };
            out.push_str(&format!("{:<34} {:<14} {:<10} {:<40} {}\n", a.id, a.phase.word(), a.impact, kinds, a.title));
        }
        put(&out)
    }
}
