//! What shows, without reading it, that a file or folder is another one now.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

/// Size, times and identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
    created: Option<SystemTime>,
    identity: Identity,
}

impl Stamp {
    /// That of a file or folder.
    pub fn of(meta: &Metadata) -> Self {
        Self { len: meta.len(), modified: meta.modified().ok(), created: meta.created().ok(), identity: Identity::of(meta) }
    }

    /// When it last changed in any way, its name or rights included.
    pub fn changed(&self) -> Option<SystemTime> {
        self.modified.max(self.identity.changed())
    }
}

/// Which file it is, and when anything about it last changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Identity {
    file: (u64, u64),
    changed: (i64, i64),
}

impl Identity {
    #[cfg(unix)]
    fn of(meta: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { file: (meta.dev(), meta.ino()), changed: (meta.ctime(), meta.ctime_nsec()) }
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self::default()
    }

    fn changed(&self) -> Option<SystemTime> {
        let seconds = u64::try_from(self.changed.0).ok().filter(|s| *s > 0)?;
        let nanos = u32::try_from(self.changed.1).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
    }
}

/// Which folder it is: a folder that was removed and made again is another one, also at the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Which {
    file: (u64, u64),
    created: Option<SystemTime>,
}

impl Which {
    pub fn of(meta: &Metadata) -> Self {
        Self { file: Identity::of(meta).file, created: meta.created().ok() }
    }
}
