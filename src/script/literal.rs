//! Constants that are read when a playbook loads: levels, durations, times, patterns, names of tables.

use std::sync::Arc;

use super::env::Env;
use super::functions::Pat;
use super::glob::Glob;
use super::network::Net;
use super::questions::Questions;
use super::ty::Ty;
use super::value::Value;
use crate::diag::{codes, nearest};
use crate::model::{Kind, Level, Rel};

/// What is wrong with a constant.
#[derive(Debug)]
pub struct Wrong {
    /// The code.
    pub code: &'static str,
    /// The sentence.
    pub message: String,
    /// The known word that is near.
    pub near: Option<String>,
    /// What to do where none is.
    pub help: String,
}

fn unread(code: &'static str, message: String, help: &str) -> Wrong {
    Wrong { code, message, near: None, help: help.to_owned() }
}

fn unknown<'a>(code: &'static str, message: String, word: &str, known: impl IntoIterator<Item = &'a str>) -> Wrong {
    Wrong { code, message, near: nearest(word, known).map(str::to_owned), help: String::new() }
}

/// A text where a level, duration or time belongs.
pub fn read_as(ty: &Ty, text: &str) -> Option<Result<Value, Wrong>> {
    Some(match ty {
        Ty::Level => Level::parse(text).map(Value::Level).ok_or_else(|| {
            let words: Vec<&str> = Level::ALL.iter().map(|l| l.word()).collect();
            let wrong = unknown(codes::UNKNOWN_WORD, format!("`{text}` is not a level"), text, words.iter().copied());
            Wrong { help: format!("levels are {}", words.join(", ")), ..wrong }
        }),
        Ty::Duration => crate::model::time::duration(text).map(Value::Duration).ok_or_else(|| {
            unread(codes::PATTERN, format!("`{text}` is not a duration"), "durations are written as in \"90s\", \"15m\", \"2h\", \"14d\"")
        }),
        Ty::Time => crate::model::time::time(text)
            .map(Value::Time)
            .ok_or_else(|| unread(codes::PATTERN, format!("`{text}` is not a time"), "times are written as in \"2026-01-31T09:30:00Z\"")),
        _ => return None,
    })
}

/// A text for a parameter that is read when the playbook loads.
pub fn read_param(pat: Pat, text: &str, env: &Env<'_>, questions: &mut Questions) -> Result<Value, Wrong> {
    match pat {
        Pat::Regex => questions
            .pattern(text)
            .map(Value::Pattern)
            .map_err(|e| unread(codes::PATTERN, format!("`{text}` is not a regular expression: {}", last_line(&e.to_string())), regex_help(text))),
        Pat::Glob => Ok(Value::Glob(Arc::new(Glob::new(text)))),
        Pat::Network => Net::parse(text)
            .map(Value::Net)
            .ok_or_else(|| unread(codes::PATTERN, format!("`{text}` is not a network"), "networks are written as in \"203.0.113.0/24\"")),
        Pat::Relation => Rel::named(text).map(Value::Rel).ok_or_else(|| {
            let known = crate::model::kind::RELATIONS.iter().map(|r| r.name);
            unknown(codes::UNKNOWN_RELATION, format!("there is no relation `{text}`"), text, known)
        }),
        Pat::KindName => Kind::ALL.iter().copied().find(|k| k.word() == text).map(Value::Kind).ok_or_else(|| {
            let known = Kind::ALL.iter().map(|k| k.word());
            unknown(codes::UNKNOWN_WORD, format!("there is no kind of entity `{text}`"), text, known)
        }),
        Pat::Technique => {
            if crate::model::technique::technique(text).is_some() {
                Ok(text.into())
            } else {
                let message = format!("the ATT&CK matrix has no technique `{text}`");
                Err(unknown(codes::UNKNOWN_WORD, message, text, crate::model::technique::technique_ids()))
            }
        }
        Pat::Tactic => crate::model::technique::tactic(text).map(Value::text).ok_or_else(|| {
            unknown(codes::UNKNOWN_WORD, format!("there is no tactic `{text}`"), text, crate::model::technique::TACTICS.iter().copied())
        }),
        Pat::Signal => {
            if env.signals.contains(text) {
                Ok(text.into())
            } else {
                Err(unknown(codes::UNKNOWN_REF, format!("there is no signal `{text}`"), text, env.signals.iter().map(|s| &**s)))
            }
        }
        Pat::ListId => env
            .lists
            .get(text)
            .map(|n| Value::Named(*n))
            .ok_or_else(|| unknown(codes::UNKNOWN_REF, format!("there is no list `{text}`"), text, env.lists.keys().map(|s| &**s))),
        Pat::LevelWord => read_as(&Ty::Level, text).unwrap_or_else(|| Ok(Value::Absent)),
        _ => Ok(text.into()),
    }
}

fn regex_help(text: &str) -> &'static str {
    if text.starts_with(['*', '?', '+']) { "`*` and `?` alone belong in `.glob(…)`; in a regular expression, any text is `.*`" } else { "" }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}
