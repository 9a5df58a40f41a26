//! Every key that a file can have: the one table that parser, schema, hover and completion read.

use super::read::{Key, may, must};

/// `playbook:` files.
pub const PLAYBOOK: &[Key] = &[
    must("playbook", "the id: dotted, lower case"),
    must("format", "the version of this format: 1"),
    must("version", "the version of the content, as in 1.4.0"),
    must("title", "what it is about"),
    may("status", "experimental, test, stable or deprecated"),
    may("owner", "who looks after it"),
    may("tags", "labels such as attack.t1566.002"),
    may("references", "addresses to read on"),
    may("description", "what it is about, in some sentences"),
    may("use", "libraries whose bindings and conditions it uses"),
    may("match", "what must be in the incident, or no expression runs"),
    may("bind", "named values, in order"),
    may("conditions", "named clauses with their two sentences"),
    may("triage", "what the incident is, first arm that holds"),
    may("containment", "cards that stop it"),
    may("investigation", "cards that look further"),
    may("remediation", "cards that repair it"),
    may("hunts", "queries"),
    may("exceptions", "for whom a card does not apply"),
    may("tests", "incidents and what is expected of them"),
];

/// `library:` files.
pub const LIBRARY: &[Key] = &[
    must("library", "the id"),
    may("title", "what it is about"),
    may("description", "what it is about, in some sentences"),
    may("bind", "named values, in order"),
    may("conditions", "named clauses with their two sentences"),
];

/// `match:`
pub const MATCH: &[Key] = &[
    may("types", "any of these incident types"),
    may("signals", "any of these signals"),
    may("techniques", "any of these techniques or their sub-techniques"),
    may("entities", "all of these kinds"),
    may("severity", "at least this severity"),
];

/// A condition.
pub const CONDITION: &[Key] = &[
    must("if", "the expression"),
    may("with", "the parameter's kind, or parameters by name"),
    may("pass", "the sentence when it holds"),
    may("fail", "the sentence when it does not"),
];

/// An arm of `triage:`.
pub const ARM: &[Key] = &[
    must("classify", "true_positive, informational, false_positive or undetermined"),
    may("determination", "of which kind"),
    must("confidence", "0–100"),
    may("when", "the expression"),
    must("why", "the sentence"),
];

/// A card.
pub const CARD: &[Key] = &[
    must("id", "its id in the playbook"),
    must("action", "the verb of the catalogue"),
    may("title", "a title in place of the action's"),
    may("for", "NAME in EXPRESSION: one card for each"),
    may("for_all", "NAME in EXPRESSION: one card with all"),
    may("when", "the expression"),
    must("why", "the sentence"),
    may("priority", "0–100; 50 if not given"),
    may("confidence", "0–100; 70 if not given"),
    may("params", "parameters of the action"),
    may("after", "ids of cards to apply before"),
    may("hunt", "the query that belongs to it"),
];

/// A hunt.
pub const HUNT: &[Key] = &[must("title", "what it looks for"), may("with", "the parameter's kind, or parameters by name"), must("kql", "the query")];

/// An exception.
pub const EXCEPTION: &[Key] = &[
    must("id", "its id"),
    may("cards", "the cards that it is about; all if not given"),
    must("for", "kinds with ids or aliases"),
    must("reason", "why"),
    may("owner", "who answers for it"),
    must("expires", "the last day"),
];

/// A test.
pub const TEST: &[Key] = &[
    must("name", "what it shows"),
    may("incident", "a file"),
    may("given", "an incident in our own format"),
    may("from", "another test of this file to start from"),
    may("patch", "changes to the incident"),
    may("todo", "whether it is known to fail"),
    may("now", "the moment for `now()`"),
    must("expect", "what must come out"),
];

/// `expect:` of a test.
pub const EXPECT: &[Key] = &[
    may("triage", "the classification, and the determination if one is meant"),
    may("confidence", "how certain triage is, 0–100"),
    may("cards", "these cards at least, each as `card_id` or `card_id entity`"),
    may("only_cards", "these cards and no others"),
    may("no_cards", "none of these cards"),
    may("completed", "these cards, which the source says are done"),
    may("unavailable", "these cards, which cannot be applied"),
    may("failed", "cards that are not there, with the clauses that fail: { card: [conditions] }"),
    may("hunts", "these hunts, by id or a part of their title"),
    may("diagnostics", "these codes among the diagnostics of the answer"),
    may("matched", "whether `match:` holds"),
];

/// A file of signals.
pub const SIGNALS: &[Key] = &[must("signals", "signals by id")];

/// A signal.
pub const SIGNAL: &[Key] = &[
    must("title", "what it says"),
    may("description", "more of it"),
    may("techniques", "the techniques it stands for"),
    may("benign", "whether it is a test or simulation; then it matches by id only"),
    must("any", "how products word it; any entry"),
    may("says", "what it says of the entities of that alert"),
];

/// An entry of a signal's `any:`.
pub const SIGNAL_RULE: &[Key] = &[
    may("detectors", "detector, alert type or rule ids, or globs over them"),
    may("titles", "globs over the title"),
    may("products", "globs over the product"),
    may("categories", "words of the source's category"),
    may("if", "an expression over `alert`"),
];

/// An entry of `says:`.
pub const SAYS: &[Key] = &[
    may("if", "an expression over `alert`"),
    may("relations", "as in \"user clicked url\""),
    may("roles", "kind: role"),
    may("verdicts", "kind: verdict"),
    may("properties", "kind: {property: value}"),
    may("tags", "kind: [tags]"),
];

/// A file of actions.
pub const ACTIONS: &[Key] = &[must("actions", "actions by id")];

/// An action.
pub const ACTION: &[Key] = &[
    must("title", "the verb for people"),
    may("description", "what it does"),
    must("phase", "triage, containment, investigation or remediation"),
    must("kinds", "the kinds of entity it applies to; `incident` for the whole"),
    may("permissions", "what it needs"),
    may("impact", "low, medium or high"),
    may("undo", "the action that takes it back"),
    may("params", "parameters"),
    may("never", "guards that no playbook overrides"),
    may("done_when", "typed source state that makes a card completed"),
    may("prerequisites", "what must be so before"),
    may("effects", "what else it does"),
    may("d3fend", "D3FEND techniques"),
    may("react", "RE&CT actions"),
];

/// A parameter of an action.
pub const PARAM: &[Key] = &[may("values", "the values that it takes"), may("default", "the value if none is given"), may("title", "what it is")];

/// A guard.
pub const GUARD: &[Key] = &[must("if", "an expression over `target` and `params`"), must("why", "the sentence")];

/// A file of lists.
pub const LISTS: &[Key] = &[must("lists", "lists by id")];

/// A list.
pub const LIST: &[Key] = &[
    must("kind", "what the values are: ip, domain, url, hash, name, pattern, text, or a kind of entity"),
    must("values", "the values"),
    may("tag", "the tag that an entity in it gets"),
    may("title", "what it is"),
];

/// A file of incident types.
pub const TYPES: &[Key] = &[must("incident_types", "incident types by id")];

/// An incident type.
pub const TYPE: &[Key] = &[must("title", "what it is called"), may("description", "what it is"), must("any", "what speaks for it, with weights")];

/// An entry of an incident type's `any:`.
pub const TYPE_RULE: &[Key] =
    &[may("signals", "any of these"), may("techniques", "any of these or their sub-techniques"), may("if", "an expression"), must("weight", "0–100")];

/// A file of permissions.
pub const PERMISSIONS_FILE: &[Key] = &[must("permissions", "roles and users")];

/// `permissions:`
pub const PERMISSIONS: &[Key] = &[may("roles", "permissions by role"), may("users", "roles by user")];

/// `overlay:` files.
pub const OVERLAY: &[Key] = &[
    must("overlay", "the id of what it changes"),
    may("base", "the versions that it fits, as in ^1.4"),
    may("set", "values by path"),
    may("add", "items by path"),
    may("disable", "paths of what is left out"),
];

/// The first key of each kind of file.
pub const FILES: &[&str] = &["playbook", "library", "signals", "actions", "incident_types", "lists", "permissions", "overlay"];
