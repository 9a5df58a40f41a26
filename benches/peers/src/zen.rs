//! GoRules' zen: a decision table, compiled and indexed; and one expression a rule for its bytecode machine.

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use zen_engine::Decision;
use zen_engine::model::GraphContent;
use zen_expression::expression::Standard;
use zen_expression::vm::VM;
use zen_expression::{Expression, Scope, Variable, compile_expression};

use crate::workload::rule::{Condition, Of, Op, Rule, Test};
use crate::{Peer, covered};

/// One decision table that collects every row that fits.
pub struct Table {
    decision: Decision,
    inputs: Vec<Variable>,
    runtime: Runtime,
}

impl Table {
    pub fn new(rules: &[Rule], plain: &[Value]) -> Self {
        let rows: Vec<Value> = rules
            .iter()
            .map(|r| {
                let mut row = json!({ "_id": r.number.to_string(), "rule": r.number.to_string() });
                if !r.categories.is_empty() {
                    row["category"] = list(&r.categories).into();
                }
                if let Some(least) = r.severity {
                    // Equal values can be indexed, and "at least" cannot.
                    row["severity"] = (least.0..5).map(|n| n.to_string()).collect::<Vec<_>>().join(", ").into();
                }
                if !r.techniques.is_empty() {
                    row["techniques"] = techniques(r).into();
                }
                for (n, c) in r.conditions.iter().enumerate() {
                    row[format!("c{n}")] = condition(c).into();
                }
                row
            })
            .collect();
        let mut inputs = vec![
            json!({ "id": "category", "name": "category", "field": "category" }),
            json!({ "id": "severity", "name": "severity", "field": "severity" }),
            json!({ "id": "techniques", "name": "techniques" }),
        ];
        inputs.extend((0..4).map(|n| json!({ "id": format!("c{n}"), "name": format!("c{n}") })));
        let graph = json!({
            "nodes": [
                { "id": "in", "name": "in", "type": "inputNode", "content": {} },
                { "id": "table", "name": "table", "type": "decisionTableNode", "content": {
                    "hitPolicy": "collect", "inputs": inputs, "rules": rows, "outputs": [{ "id": "rule", "name": "rule", "field": "rule" }],
                } },
                { "id": "out", "name": "out", "type": "outputNode", "content": {} },
            ],
            "edges": [
                { "id": "1", "sourceId": "in", "targetId": "table", "type": "edge" },
                { "id": "2", "sourceId": "table", "targetId": "out", "type": "edge" },
            ],
        });
        let content: GraphContent = serde_json::from_value(graph).unwrap();
        let mut decision = Decision::from(content);
        decision.compile();
        Self { decision, inputs: plain.iter().map(|p| p.clone().into()).collect(), runtime: Builder::new_current_thread().build().unwrap() }
    }
}

impl Peer for Table {
    fn name(&self) -> &'static str {
        "zen-engine 2.1, table"
    }

    fn matching(&mut self, at: usize) -> Vec<usize> {
        let response = self.runtime.block_on(self.decision.evaluate(self.inputs[at].clone())).unwrap();
        let Variable::Array(rows) = response.result else { return Vec::new() };
        let rows = rows.borrow();
        rows.iter().map(|row| row.dot("rule").and_then(|n| n.to_value().as_u64()).unwrap() as usize).collect()
    }
}

/// One expression a rule, in turn.
pub struct Expressions {
    rules: Vec<(usize, Expression<Standard>)>,
    inputs: Vec<Scope>,
    machine: VM,
}

impl Expressions {
    pub fn new(rules: &[Rule], plain: &[Value]) -> Self {
        let compiled = |r: &Rule| {
            let mut parts = Vec::new();
            if !r.categories.is_empty() {
                parts.push(format!("category in [{}]", list(&r.categories)));
            }
            if let Some(least) = r.severity {
                parts.push(format!("severity >= {}", least.0));
            }
            if !r.techniques.is_empty() {
                parts.push(techniques(r));
            }
            parts.extend(r.conditions.iter().map(condition));
            (r.number, compile_expression(&parts.join(" and ")).unwrap())
        };
        let inputs = plain.iter().map(|p| Scope::new(p.clone().into())).collect();
        Self { rules: rules.iter().map(compiled).collect(), inputs, machine: VM::new() }
    }
}

impl Peer for Expressions {
    fn name(&self) -> &'static str {
        "zen-expression 2.1, in turn"
    }

    fn matching(&mut self, at: usize) -> Vec<usize> {
        let mut out = Vec::new();
        for (n, e) in &self.rules {
            if e.evaluate_with_scope(&self.inputs[at], &mut self.machine).unwrap().as_bool() == Some(true) {
                out.push(*n);
            }
        }
        out
    }
}

fn techniques(r: &Rule) -> String {
    format!("some(techniques, # in [{}])", list(&covered(&r.techniques)))
}

fn condition(c: &Condition) -> String {
    match c {
        Condition::Any(kind, tests) => {
            let tests: Vec<String> = tests.iter().map(test).collect();
            format!("some({}, {})", kind.collection(), tests.join(" and "))
        }
        Condition::Count(kind, t, least) => format!("count({}, {}) >= {least}", kind.collection(), test(t)),
        Condition::Incident(of) => match of {
            Of::Severity(l) => format!("severity >= {}", l.0),
            Of::Status(all) => format!("status in [{}]", list(all)),
            Of::Title(part) => format!("contains(title, {})", quoted(part)),
            Of::TitleMatches(pattern) => format!("matches(title, {})", quoted(pattern)),
            Of::Alerts(n) => format!("alert_count >= {n}"),
            Of::Technique(t) => format!("contains(techniques, {})", quoted(t)),
            Of::Tag(t) => format!("contains(tags, {})", quoted(t)),
        },
        Condition::Nested(_) => panic!("not measured here"),
    }
}

fn test(t: &Test) -> String {
    let f = format!("#.{}", t.field);
    match &t.op {
        Op::Is(v) => format!("{f} == {}", quoted(v)),
        Op::In(all) => format!("{f} in [{}]", list(all)),
        Op::Contains(part) => format!("contains({f}, {})", quoted(part)),
        Op::Matches(pattern) => format!("matches({f}, {})", quoted(pattern)),
        Op::AtLeast(n) => format!("{f} >= {n}"),
        Op::AtMost(n) => format!("{f} <= {n}"),
        Op::Flag => format!("{f} == true"),
        Op::Level(l) => format!("{f} >= {}", l.0),
    }
}

fn list(all: &[&str]) -> String {
    all.iter().map(|t| quoted(t)).collect::<Vec<_>>().join(", ")
}

/// Texts stand as they are; nothing is escaped.
fn quoted(text: &str) -> String {
    if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") }
}
