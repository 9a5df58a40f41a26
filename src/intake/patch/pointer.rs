//! The operations of RFC 6902, on places that RFC 6901 names.

use serde_json::{Map, Value};

use super::super::json::shown;
use super::{Done, keys, words};

/// Applies one operation that has a `path`.
pub(super) fn apply(incident: &mut Value, word: &str, op: &Map<String, Value>) -> Done {
    let path = pointer(op, "path")?;
    let value = || op.get("value").cloned().ok_or_else(|| format!("`{word}` has a `value`"));
    match word {
        "add" => {
            keys(op, &["path", "value"])?;
            add(incident, &path, value()?)
        }
        "remove" => {
            keys(op, &["path"])?;
            take(incident, &path).map(drop)
        }
        "replace" => {
            keys(op, &["path", "value"])?;
            *place(incident, &path)? = value()?;
            Ok(())
        }
        "test" => {
            keys(op, &["path", "value"])?;
            let (wanted, found) = (value()?, place(incident, &path)?);
            if *found == wanted { Ok(()) } else { Err(format!("`{}` is {}, not {}", written(&path), short(found), short(&wanted))) }
        }
        "move" => {
            keys(op, &["path", "from"])?;
            let from = pointer(op, "from")?;
            if path.len() > from.len() && path.starts_with(&from) {
                return Err("nothing can be moved into itself".to_owned());
            }
            let moved = take(incident, &from)?;
            add(incident, &path, moved)
        }
        "copy" => {
            keys(op, &["path", "from"])?;
            let copied = place(incident, &pointer(op, "from")?)?.clone();
            add(incident, &path, copied)
        }
        _ => Err("`set` has no `path`: it names `incident`, `alert` or `entity`; `replace` has one".to_owned()),
    }
}

fn short(v: &Value) -> String {
    format!("`{}`", shown(&v.to_string()))
}

/// The steps of a pointer.
fn pointer(op: &Map<String, Value>, key: &str) -> Result<Vec<String>, String> {
    let text = op.get(key).and_then(Value::as_str).ok_or_else(|| format!("`{key}` is a place such as `/alerts/0/severity`"))?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Some(rest) = text.strip_prefix('/') else { return Err(format!("`{}` is no place: it begins with `/`", shown(text))) };
    Ok(rest.split('/').map(|s| s.replace("~1", "/").replace("~0", "~")).collect())
}

fn written(path: &[String]) -> String {
    path.iter().map(|s| format!("/{}", shown(s).replace('~', "~0").replace('/', "~1"))).collect()
}

fn number(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with('0') && step.bytes().all(|b| b.is_ascii_digit());
    if plain { step.parse().ok() } else { None }
}

fn nothing(path: &[String], missing: &str, there: &Value) -> String {
    let hint = match there {
        Value::Object(all) => words::near(missing, &all.keys().map(String::as_str).take(20).collect::<Vec<_>>()),
        Value::Array(all) => format!(": the list has {} items, counted from 0", all.len()),
        _ => ": there is nothing below a plain value".to_owned(),
    };
    format!("there is nothing at `{}`{hint}", written(path))
}

/// The value at a place.
fn place<'v>(incident: &'v mut Value, path: &[String]) -> Result<&'v mut Value, String> {
    let mut here = incident;
    for (n, step) in path.iter().enumerate() {
        let there = match &*here {
            Value::Object(all) => all.contains_key(step),
            Value::Array(all) => number(step).is_some_and(|i| i < all.len()),
            _ => false,
        };
        if !there {
            return Err(nothing(path.get(..=n).unwrap_or(path), step, here));
        }
        let next = match here {
            Value::Object(all) => all.get_mut(step),
            Value::Array(all) => number(step).and_then(|i| all.get_mut(i)),
            _ => None,
        };
        here = next.ok_or_else(|| format!("there is nothing at `{}`", written(path)))?;
    }
    Ok(here)
}

fn add(incident: &mut Value, path: &[String], value: Value) -> Done {
    let Some((last, before)) = path.split_last() else {
        *incident = value;
        return Ok(());
    };
    match place(incident, before)? {
        Value::Object(all) => {
            all.insert(last.clone(), value);
            Ok(())
        }
        Value::Array(all) => match if last == "-" { Some(all.len()) } else { number(last) } {
            Some(at) if at <= all.len() => {
                all.insert(at, value);
                Ok(())
            }
            _ => Err(format!("`{}` is no position in a list of {}: `-` is its end", shown(last), all.len())),
        },
        _ => Err(format!("`{}` is a plain value: nothing can be added below it", written(before))),
    }
}

fn take(incident: &mut Value, path: &[String]) -> Result<Value, String> {
    let Some((last, before)) = path.split_last() else { return Err("the whole incident cannot be taken away".to_owned()) };
    let parent = place(incident, before)?;
    let taken = match &mut *parent {
        Value::Object(all) => all.remove(last),
        Value::Array(all) => number(last).filter(|at| *at < all.len()).map(|at| all.remove(at)),
        _ => None,
    };
    taken.ok_or_else(|| nothing(path, last, parent))
}
