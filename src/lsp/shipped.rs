//! What ships with the program, as documents that can be read and not written.

use std::path::PathBuf;

use serde_json::json;

use super::protocol::{Answer, DocumentId, Error, path_of, uri_of};
use super::server::Server;
use crate::playbook::SHIPPED;
use crate::runtime;

/// The scheme of addresses of what ships.
pub const SCHEME: &str = "guided-response";

/// `workspace/textDocumentContent`
pub fn content(p: &DocumentId) -> Answer {
    let wanted = p.uri.strip_prefix(SCHEME).and_then(|r| r.strip_prefix(":/")).map(|r| path_of(&format!("file:///{}", r.trim_start_matches('/'))));
    let path = wanted.map(|w| format!("{SHIPPED}{}", w.trim_start_matches('/')));
    let file = path.and_then(|path| runtime::playbooks::shipped().into_iter().find(|f| f.path == path));
    match file {
        Some(file) => Ok(json!({ "text": file.text })),
        None => Err(Error::failed(format!("nothing ships as `{}`", p.uri))),
    }
}

/// The address of a file that ships. Clients that do not ask for contents get a copy in the user's own cache folder.
pub fn uri(server: &Server, path: &str) -> Option<String> {
    let below = path.strip_prefix(SHIPPED)?;
    if server.client.contents {
        let full = uri_of(&format!("/{below}"));
        return Some(format!("{SCHEME}:{}", full.strip_prefix("file://").unwrap_or(&full)));
    }
    copy(below).map(|p| uri_of(&p.to_string_lossy()))
}

/// Writes a file that ships into the cache folder, if it is not there already.
fn copy(below: &str) -> Option<PathBuf> {
    let text = runtime::playbooks::shipped().into_iter().find(|f| f.path.strip_prefix(SHIPPED) == Some(below))?.text;
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("LOCALAPPDATA").map(PathBuf::from))
        .or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".cache")))
        .filter(|p| p.is_absolute())?;
    let to = cache.join("guided-response").join(env!("CARGO_PKG_VERSION")).join("shipped").join(below);
    if std::fs::read_to_string(&to).is_ok_and(|old| old == text) {
        return Some(to);
    }
    std::fs::create_dir_all(to.parent()?).ok()?;
    std::fs::write(&to, text).ok()?;
    Some(to)
}
