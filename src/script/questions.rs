//! The places for answers: equal questions share one, whoever asks them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::expr::{Key, MemoId};
use super::pattern::Pattern;

/// Gives equal questions one place for their answer. Several things may be compiled at a time, each with a handle of its
/// own on the same places.
#[derive(Debug, Default)]
pub struct Questions {
    shared: Arc<Mutex<Shared>>,
    asked: Vec<MemoId>,
    /// Whether what is compiled now is as it ships, so that the tests have compiled its patterns.
    pub shipped: bool,
    /// Whether it is compiled only when it is asked for.
    later: bool,
}

#[derive(Debug, Default)]
struct Shared {
    ids: HashMap<Key, MemoId>,
    patterns: HashMap<String, Arc<Pattern>>,
    texts: HashSet<Arc<str>>,
    /// How many places were given to what is compiled later.
    later: usize,
}

impl Questions {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another handle on the same places.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { shared: self.shared.clone(), asked: Vec::new(), shipped: self.shipped, later: self.later }
    }

    /// The same, for what ships and is compiled only when it is asked for.
    #[must_use]
    pub fn later(&self) -> Self {
        Self { shipped: true, later: true, ..self.again() }
    }

    /// The place for this question.
    pub fn id(&mut self, key: Key) -> MemoId {
        let mut shared = self.shared();
        let next = MemoId(u32::try_from(shared.ids.len()).unwrap_or(u32::MAX));
        let id = *shared.ids.entry(key).or_insert(next);
        shared.later = shared.later.saturating_add(usize::from(self.later && id == next));
        drop(shared);
        self.asked.push(id);
        id
    }

    /// The places that were asked for since this was last asked, each once.
    pub fn take_asked(&mut self) -> Vec<MemoId> {
        let mut asked = std::mem::take(&mut self.asked);
        asked.sort_unstable();
        asked.dedup();
        asked
    }

    /// A text, the same however often it is written: what many playbooks compare with stands in one place of the memory.
    pub fn text(&mut self, text: Arc<str>) -> Arc<str> {
        let mut shared = self.shared();
        let known = shared.texts.get(&text).cloned();
        known.unwrap_or_else(|| {
            shared.texts.insert(text.clone());
            text
        })
    }

    /// A regular expression, the same however often it is written.
    pub fn pattern(&mut self, text: &str) -> Result<Arc<Pattern>, regex::Error> {
        let known = self.shared().patterns.get(text).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        // Compiling takes long: meanwhile, others may go on.
        let made = Arc::new(if self.shipped { Pattern::later(text) } else { Pattern::now(text)? });
        Ok(self.shared().patterns.entry(text.to_owned()).or_insert(made).clone())
    }

    /// How many different questions there are by now.
    pub fn len(&self) -> usize {
        self.shared().ids.len()
    }

    /// Whether none was asked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many places were given to what is compiled later.
    pub fn given_later(&self) -> usize {
        self.shared().later
    }
}
