//! Constants that are read when a playbook loads: levels, durations, times, patterns, names of tables.

use std::sync::Arc;

use super::env::Env;
use super::expr::Questions;
use super::functions::Pat;
use super::glob::Glob;
use super::network::Net;
use super::ty::Ty;
use super::value::Value;
use crate::diag::{codes, nearest};
use crate::model::{Kind, Level, Rel};

/// What is wrong with a constant: code, sentence, help.
pub type Wrong = (&'static str, String, Option<String>);

fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|k| format!("did you mean `{k}`?"))
}

/// A text where a level, duration or time belongs.
pub fn read_as(ty: &Ty, text: &str) -> Option<Result<Value, Wrong>> {
    Some(match ty {
        Ty::Level => Level::parse(text).map(Value::Level).ok_or_else(|| {
            let words: Vec<&str> = Level::ALL.iter().map(|l| l.word()).collect();
            let help = did_you_mean(text, words.iter().copied()).unwrap_or_else(|| format!("levels are {}", words.join(", ")));
            (codes::UNKNOWN_WORD, format!("`{text}` is not a level"), Some(help))
        }),
        Ty::Duration => crate::model::time::duration(text).map(Value::Duration).ok_or_else(|| {
            (codes::PATTERN, format!("`{text}` is not a duration"), Some("durations are written as in \"90s\", \"15m\", \"2h\", \"14d\"".into()))
        }),
        Ty::Time => crate::model::time::time(text)
            .map(Value::Time)
            .ok_or_else(|| (codes::PATTERN, format!("`{text}` is not a time"), Some("times are written as in \"2026-01-31T09:30:00Z\"".into()))),
        _ => return None,
    })
}

/// A text for a parameter that is read when the playbook loads.
pub fn read_param(pat: Pat, text: &str, env: &Env<'_>, questions: &mut Questions) -> Result<Value, Wrong> {
    match pat {
        Pat::Regex => questions
            .pattern(text)
            .map(Value::Pattern)
            .map_err(|e| (codes::PATTERN, format!("`{text}` is not a regular expression: {}", last_line(&e.to_string())), None)),
        Pat::Glob => Ok(Value::Glob(Arc::new(Glob::new(text)))),
        Pat::Network => Net::parse(text)
            .map(Value::Net)
            .ok_or_else(|| (codes::PATTERN, format!("`{text}` is not a network"), Some("networks are written as in \"203.0.113.0/24\"".into()))),
        Pat::Relation => Rel::named(text).map(Value::Rel).ok_or_else(|| {
            let known = crate::model::kind::RELATIONS.iter().map(|r| r.name);
            (codes::UNKNOWN_RELATION, format!("there is no relation `{text}`"), did_you_mean(text, known))
        }),
        Pat::KindName => Kind::ALL.iter().copied().find(|k| k.word() == text).map(Value::Kind).ok_or_else(|| {
            let known = Kind::ALL.iter().map(|k| k.word());
            (codes::UNKNOWN_WORD, format!("there is no kind of entity `{text}`"), did_you_mean(text, known))
        }),
        Pat::Technique => {
            if crate::model::technique::technique(text).is_some() {
                Ok(text.into())
            } else {
                let help = did_you_mean(text, crate::model::technique::technique_ids());
                Err((codes::UNKNOWN_WORD, format!("the ATT&CK matrix has no technique `{text}`"), help))
            }
        }
        Pat::Tactic => crate::model::technique::tactic(text).map(Value::text).ok_or_else(|| {
            (codes::UNKNOWN_WORD, format!("there is no tactic `{text}`"), did_you_mean(text, crate::model::technique::TACTICS.iter().copied()))
        }),
        Pat::Signal => {
            if env.signals.contains(text) {
                Ok(text.into())
            } else {
                let help = did_you_mean(text, env.signals.iter().map(|s| &**s));
                Err((codes::UNKNOWN_REF, format!("there is no signal `{text}`"), help))
            }
        }
        Pat::ListId => env
            .lists
            .get(text)
            .map(|n| Value::Named(*n))
            .ok_or_else(|| (codes::UNKNOWN_REF, format!("there is no list `{text}`"), did_you_mean(text, env.lists.keys().map(|s| &**s)))),
        Pat::LevelWord => read_as(&Ty::Level, text).unwrap_or_else(|| Ok(Value::Absent)),
        _ => Ok(text.into()),
    }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}
