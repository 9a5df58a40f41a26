//! `engine schema`

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use super::{Exit, put, tell_line};
use crate::card::Response;
use crate::card::render::graph::GraphDoc;
use crate::card::why::Explanation;
use crate::playbook::{compile, keys, schema};
use crate::runtime;

#[derive(Args, Debug)]
pub(super) struct Schema {
    /// The schema to write; all of them if it is not given
    name: Option<String>,
    /// The folder to write `NAME.schema.json` into; without it, one schema goes to standard output
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Name the schemas
    #[arg(long)]
    list: bool,
}

/// An answer of the program: its name, what it is, and its schema.
struct Output {
    name: &'static str,
    doc: &'static str,
    schema: fn() -> Value,
}

/// Every answer that has a JSON form.
const OUTPUTS: &[Output] = &[
    Output { name: "response", doc: "the answer of `engine run --format json` to one incident", schema: of::<Response> },
    Output { name: "incident-graph", doc: "the answer of `engine graph --format json` for one incident", schema: of::<GraphDoc> },
    Output { name: "check", doc: "the findings of `engine check --format json`", schema: of::<super::check::Report<'static>> },
    Output { name: "test", doc: "the results of `engine test --format json`", schema: of::<crate::tester::report::Document<'static>> },
    Output { name: "replay", doc: "the figures of `engine replay --format json`", schema: of::<crate::tester::replay::Report> },
    Output {
        name: "reload",
        doc: "a line of `engine run --watch --format ndjson`: what an edit changed",
        schema: of::<super::watch::Reload<'static>>,
    },
    Output { name: "diff", doc: "the difference of `engine diff --format json`", schema: of::<crate::tester::compare::Report> },
    Output { name: "explain", doc: "the answer of `engine explain --format json` for one incident", schema: of::<Explanation> },
];

/// The schema of what a type is written as.
fn of<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value();
    plain(&mut schema);
    schema
}

/// Leaves out how many bits a number has: it is nothing to those who read the answer.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(all) => {
            let bits = |v: &Value| v.as_str().is_some_and(|f| f.starts_with("uint") || f.starts_with("int"));
            if all.get("format").is_some_and(bits) {
                all.remove("format");
                if all.get("maximum").is_some_and(|m| m == 255) {
                    all.insert("maximum".to_owned(), 100.into());
                }
            }
            all.values_mut().for_each(plain);
        }
        Value::Array(all) => all.iter_mut().for_each(plain),
        _ => {}
    }
}

/// Every schema: its name, what it is of, and itself.
fn all() -> Vec<(String, String, Value)> {
    let shipped = compile(&runtime::playbooks::shipped());
    let doc = |name: &str| {
        keys::file(name).map_or_else(|| "any file of a playbooks folder, by its first key".to_owned(), |f| format!("a `{name}:` file: {}", f.doc))
    };
    let mut all: Vec<(String, String, Value)> = schema::files(&shipped).into_iter().map(|(name, s)| (name.clone(), doc(&name), s)).collect();
    all.push(("incident".to_owned(), "an incident in our own format".to_owned(), crate::intake::schema::incident()));
    all.extend(OUTPUTS.iter().map(|o| (o.name.to_owned(), o.doc.to_owned(), (o.schema)())));
    all
}

impl Schema {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        let mut all = all();
        if self.list || self.name.is_none() && self.out.is_none() {
            let width = all.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
            return put(&all.iter().map(|(name, doc, _)| format!("{name:width$}  {doc}\n")).collect::<String>());
        }
        if let Some(wanted) = &self.name {
            if !all.iter().any(|(name, ..)| name == wanted) {
                let names = all.iter().map(|(name, ..)| name.as_str());
                let near = crate::diag::nearest(wanted, names)
                    .map_or_else(|| "`engine schema --list` names them".to_owned(), |k| format!("did you mean `{k}`?"));
                tell_line(&format!("engine: there is no schema `{wanted}`; {near}"));
                return Err(Exit::Input);
            }
            all.retain(|(name, ..)| name == wanted);
        }
        let Some(folder) = &self.out else {
            return put(&all.iter().map(|(_, _, schema)| written(schema)).collect::<String>());
        };
        for (name, _, schema) in &all {
            let path = folder.join(format!("{name}.schema.json"));
            write(&path, &written(schema)).map_err(|e| {
                tell_line(&format!("engine: `{}` cannot be written: {e}", path.display()));
                Exit::Input
            })?;
        }
        tell_line(&format!("{} schemas in {}", all.len(), folder.display()));
        Ok(Exit::Fine)
    }
}

fn written(schema: &Value) -> String {
    format!("{schema:#}\n")
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}
