//! The language server: what an editor needs while playbooks are written. One file a capability.

pub mod actions;
pub mod asking;
pub mod completion;
pub mod cursor;
pub mod diagnostics;
pub mod docs;
pub mod documents;
pub mod format;
pub mod hover;
pub mod inlay;
pub mod mentions;
pub mod navigation;
pub mod outline;
pub mod pinned;
pub mod protocol;
pub mod rename;
pub mod server;
pub mod shipped;
pub mod signature;
pub mod snapshot;
pub mod tokens;
pub mod walk;
pub mod wire;
pub mod workspace;

use std::io::BufReader;
use std::sync::mpsc;

pub use server::Ended;

/// How many messages wait before the reader does.
const WAITING: usize = 256;

/// Serves the client on standard input and output until it goes.
pub fn stdio() -> std::io::Result<Ended> {
    let (to_server, from_client) = mpsc::sync_channel(WAITING);
    // The reader ends with the process, or with the input.
    std::thread::spawn(move || {
        let mut from = BufReader::new(std::io::stdin().lock());
        while let Ok(Some(message)) = wire::read(&mut from) {
            if to_server.send(message).is_err() {
                break;
            }
        }
    });
    server::serve(&from_client, &mut std::io::stdout().lock())
}
