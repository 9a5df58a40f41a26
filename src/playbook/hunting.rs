//! Tables and columns of hunting queries: a reader that follows a query as far as it is sure, and is silent beyond.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::OnceLock;

use crate::diag::nearest;

/// Tables with their columns; none where only the name is known.
static SCHEMA: &str = include_str!("hunting_schema.txt");

/// Columns that every table of a Log Analytics workspace has, also those that Defender streams there.
const EVERYWHERE: &[&str] = &[
    "TimeGenerated",
    "Type",
    "TenantId",
    "SourceSystem",
    "Computer",
    "_ResourceId",
    "_SubscriptionId",
    "_ItemId",
    "_TimeReceived",
    "_IsBillable",
    "_BilledSize",
];

/// What is known of the tables.
pub fn tables() -> &'static BTreeMap<&'static str, Vec<&'static str>> {
    static TABLES: OnceLock<BTreeMap<&str, Vec<&str>>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let lines = SCHEMA.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
        lines.map(|l| l.split_once(": ").map_or((l, Vec::new()), |(t, columns)| (t, columns.split(' ').collect()))).collect()
    })
}

/// Something in a query that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The bytes of the query.
    pub at: Range<usize>,
    /// The table, or where it is a column, the tables that it was looked for in.
    pub what: What,
    /// The name that is probably meant.
    pub near: Option<String>,
}

/// What is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A table.
    Table,
    /// A column, with the tables that it was looked for in.
    Column(Vec<String>),
}

/// What a query names that is not there. `literals` are the bytes of its placeholders.
pub fn unknown(query: &str, literals: &[Range<usize>]) -> Vec<Finding> {
    let mut reader = Reader { tokens: tokens(query, literals), at: 0, names: BTreeMap::new(), out: Vec::new(), depth: 0 };
    while reader.at < reader.tokens.len() {
        reader.statement();
        // Whatever stopped a statement, the next one begins behind the semicolon.
        while reader.at < reader.tokens.len() && !reader.is(";") {
            reader.at = reader.at.saturating_add(1);
        }
        reader.at = reader.at.saturating_add(1);
    }
    reader.out.sort_by_key(|f| f.at.start);
    // A column of a join that neither side has is one finding.
    reader.out.dedup_by(|b, a| a.at == b.at);
    reader.out
}

/// A word, sign or literal.
struct Token<'q> {
    /// Empty for texts and placeholders.
    text: &'q str,
    at: Range<usize>,
}

impl Token<'_> {
    /// Whether it can be the name of a table or column: these begin with a capital or `_`, words of the language do not.
    fn name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
    }
}

fn tokens<'q>(query: &'q str, literals: &[Range<usize>]) -> Vec<Token<'q>> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(c) = query.get(at..).and_then(|r| r.chars().next()) {
        if let Some(l) = literals.iter().find(|l| l.contains(&at)) {
            // The braces belong to the placeholder.
            all.push(Token { text: "", at: l.clone() });
            at = l.end.saturating_add(1);
            continue;
        }
        let rest = query.get(at..).unwrap_or("");
        let len = match c {
            '/' if rest.starts_with("//") => {
                at = at.saturating_add(rest.find('\n').unwrap_or(rest.len()));
                continue;
            }
            c if c.is_whitespace() => {
                at = at.saturating_add(c.len_utf8());
                continue;
            }
            '"' | '\'' => quoted(rest, c, matches!(all.last(), Some(Token { text: "@", .. }))),
            c if c.is_alphanumeric() || c == '_' => rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let end = at.saturating_add(len);
        let text = if matches!(c, '"' | '\'') { "" } else { query.get(at..end).unwrap_or("") };
        all.push(Token { text, at: at..end });
        at = end;
    }
    all
}

/// How long a text with its quotes is.
fn quoted(rest: &str, quote: char, verbatim: bool) -> usize {
    let mut escaped = false;
    for (n, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if !verbatim => escaped = true,
            '\n' => return n,
            c if c == quote => return n.saturating_add(1),
            _ => {}
        }
    }
    rest.len()
}

/// The columns at a place of a query.
#[derive(Clone, Debug, Default)]
struct Columns {
    known: BTreeSet<String>,
    tables: Vec<String>,
    /// Whether there may be others, of which nothing is known.
    open: bool,
}

impl Columns {
    fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    fn add(&mut self, other: Columns) {
        // The second column of a name is called so in a join.
        self.known.extend(other.known.iter().filter(|c| self.known.contains(*c)).map(|c| format!("{c}1")).collect::<Vec<_>>());
        self.known.extend(other.known);
        for t in other.tables {
            if !self.tables.contains(&t) {
                self.tables.push(t);
            }
        }
        self.open |= other.open;
    }
}

struct Reader<'q> {
    tokens: Vec<Token<'q>>,
    at: usize,
    /// What `let` and `as` name: columns, if it is a table.
    names: BTreeMap<String, Columns>,
    out: Vec<Finding>,
    depth: usize,
}

impl<'q> Reader<'q> {
    fn text(&self, n: usize) -> &'q str {
        self.tokens.get(n).map_or("", |t| t.text)
    }

    fn is(&self, text: &str) -> bool {
        self.text(self.at) == text
    }

    fn next_is(&self, text: &str) -> bool {
        self.text(self.at.saturating_add(1)) == text
    }

    fn skip(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn done(&self) -> bool {
        self.at >= self.tokens.len() || self.is(";") || self.is(")")
    }

    fn statement(&mut self) {
        if self.is("let") {
            self.skip();
            let name = self.text(self.at).to_owned();
            self.skip();
            self.skip();
            let table = self.tokens.get(self.at).is_some_and(|t| t.name() && self.next_is("|")) || self.is("union");
            let columns = if table { self.pipeline() } else { Columns::open() };
            self.names.insert(name, columns);
            return;
        }
        if matches!(self.text(self.at), "set" | "declare" | "alias" | "restrict" | ".") {
            return;
        }
        self.pipeline();
    }

    /// `source | operator | …`, up to a closing parenthesis or the end of the statement.
    fn pipeline(&mut self) -> Columns {
        self.depth = self.depth.saturating_add(1);
        let mut columns = if self.depth > 32 { Columns::open() } else { self.source() };
        loop {
            // What is not understood ends at the next bar.
            let mut depth = 0usize;
            while self.at < self.tokens.len() {
                match self.text(self.at) {
                    "(" | "[" | "{" => depth = depth.saturating_add(1),
                    ")" | ";" if depth == 0 => break,
                    ")" | "]" | "}" => depth = depth.saturating_sub(1),
                    "|" if depth == 0 => break,
                    _ => {}
                }
                self.skip();
            }
            if !self.is("|") {
                break;
            }
            self.skip();
            self.operator(&mut columns);
        }
        self.depth = self.depth.saturating_sub(1);
        columns
    }

    fn source(&mut self) -> Columns {
        if self.is("(") {
            return self.inner();
        }
        if self.is("union") {
            self.skip();
            return self.union(None);
        }
        self.table()
    }

    /// A pipeline in parentheses.
    fn inner(&mut self) -> Columns {
        self.skip();
        let columns = self.pipeline();
        if self.is(")") {
            self.skip();
        }
        columns
    }

    fn table(&mut self) -> Columns {
        let Some(token) = self.tokens.get(self.at) else { return Columns::open() };
        let (name, at) = (token.text, token.at.clone());
        if let Some(columns) = self.names.get(name).cloned() {
            self.skip();
            return columns;
        }
        // A function, a table of another place, a pattern of names, or something that is not understood.
        if !token.name() || ["(", ".", "*"].iter().any(|s| self.next_is(s)) || name.ends_with("_CL") {
            return Columns::open();
        }
        self.skip();
        match tables().get(name) {
            Some(columns) if columns.is_empty() => Columns::open(),
            Some(columns) => {
                let known = columns.iter().chain(EVERYWHERE).map(|c| (*c).to_owned()).collect();
                Columns { known, tables: vec![name.to_owned()], open: false }
            }
            None => {
                let lets: Vec<&str> = self.names.keys().map(String::as_str).collect();
                let near = nearest(name, tables().keys().copied().chain(lets)).map(str::to_owned);
                self.out.push(Finding { at, what: What::Table, near });
                Columns::open()
            }
        }
    }

    /// The tables of a `union`, behind its word.
    fn union(&mut self, before: Option<Columns>) -> Columns {
        let mut all = before;
        loop {
            // `kind=outer`, `withsource=Name`, `isfuzzy=true`
            while self.next_is("=") {
                if self.is("withsource") || self.is("with_source") {
                    let name = self.text(self.at.saturating_add(2)).to_owned();
                    all.get_or_insert_default().known.insert(name);
                }
                self.at = self.at.saturating_add(3);
            }
            let one = if self.is("(") { self.inner() } else { self.table() };
            match &mut all {
                Some(all) => all.add(one),
                None => all = Some(one),
            }
            if !self.is(",") {
                break;
            }
            self.skip();
        }
        all.unwrap_or_default()
    }

    /// One operator behind a bar. What it does not know makes the columns open.
    fn operator(&mut self, columns: &mut Columns) {
        let mut word = self.text(self.at).to_owned();
        self.skip();
        while self.is("-") {
            word.push('-');
            self.skip();
            word.push_str(self.text(self.at));
            self.skip();
        }
        match word.as_str() {
            "where" | "filter" => {
                let all = self.until(&[]);
                self.check(all, columns);
            }
            "extend" | "serialize" | "mv-expand" | "mvexpand" => {
                let mut made = Vec::new();
                for item in self.items(&[]) {
                    let (names, value) = self.assigned(item);
                    self.check(value, columns);
                    made.extend(names);
                }
                columns.known.extend(made);
            }
            "project" | "distinct" | "project-keep" => self.project(columns),
            "project-away" | "project-reorder" => {
                for item in self.items(&[]) {
                    if !self.starred(&item) {
                        self.check(item.clone(), columns);
                        if word == "project-away" {
                            columns.known.remove(self.text(item.start));
                        }
                    }
                }
            }
            "project-rename" => {
                for item in self.items(&[]) {
                    let (names, old) = self.assigned(item);
                    self.check(old.clone(), columns);
                    columns.known.remove(self.text(old.start));
                    columns.known.extend(names);
                }
            }
            "summarize" => self.summarize(columns),
            "sort" | "order" | "top" => {
                while !self.done() && !self.is("by") && !self.is("|") {
                    self.skip();
                }
                self.skip();
                let all = self.until(&[]);
                self.check(all, columns);
            }
            "join" | "lookup" => self.join(columns),
            "union" => *columns = self.union(Some(std::mem::take(columns))),
            "count" => *columns = Columns { known: BTreeSet::from(["Count".to_owned()]), ..std::mem::take(columns) },
            "as" => {
                self.names.insert(self.text(self.at).to_owned(), columns.clone());
            }
            "take" | "limit" | "sample" | "render" | "getschema" | "consume" => {}
            "parse" | "parse-where" => {
                // Its pattern names columns; which of its words do is not looked into.
                let all = self.until(&[]);
                let names: Vec<String> = all.map(|n| self.text(n).to_owned()).collect();
                columns.known.extend(names);
            }
            _ => columns.open = true,
        }
    }

    fn project(&mut self, columns: &mut Columns) {
        let mut kept = Columns { tables: columns.tables.clone(), ..Columns::default() };
        for item in self.items(&[]) {
            if self.starred(&item) {
                kept.open |= columns.open;
                kept.known.extend(columns.known.iter().cloned());
                continue;
            }
            let (names, value) = self.assigned(item);
            self.check(value.clone(), columns);
            if !names.is_empty() {
                kept.known.extend(names);
            } else if value.len() == 1 {
                kept.known.insert(self.text(value.start).to_owned());
            } else {
                kept.open = true;
            }
        }
        *columns = kept;
    }

    fn summarize(&mut self, columns: &mut Columns) {
        let mut kept = Columns { tables: columns.tables.clone(), ..Columns::default() };
        let aggregates = self.items(&["by"]);
        let groups = if self.is("by") {
            self.skip();
            self.items(&[])
        } else {
            Vec::new()
        };
        for item in aggregates.into_iter().chain(groups) {
            let all = self.starred(&item);
            let (names, value) = self.assigned(item);
            self.check(value.clone(), columns);
            if all {
                kept.open |= columns.open;
                kept.known.extend(columns.known.iter().cloned());
            }
            // Without a name of its own, it is called after the function and the columns in it.
            if names.is_empty() {
                let function = self.text(value.start).to_owned();
                let inside: Vec<String> =
                    value.map(|n| self.text(n)).filter(|t| t.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')).map(str::to_owned).collect();
                kept.known.extend(inside.iter().map(|c| format!("{function}_{c}")));
                kept.known.extend(inside.iter().map(|c| format!("{}_{c}", function.trim_start_matches("make_"))));
                kept.known.insert(format!("{function}_"));
                kept.known.extend(inside);
            }
            kept.known.extend(names);
        }
        *columns = kept;
    }

    fn join(&mut self, columns: &mut Columns) {
        while !self.done() && (self.next_is("=") || self.next_is(".")) {
            // `kind=inner`, `hint.strategy=shuffle`
            self.at = self.at.saturating_add(if self.next_is(".") { 5 } else { 3 });
        }
        let other = if self.is("(") { self.inner() } else { self.table() };
        if self.is("on") {
            self.skip();
            for item in self.items(&[]) {
                if item.len() == 1 {
                    self.check(item.clone(), columns);
                    self.check(item, &other);
                    continue;
                }
                for n in item {
                    if self.text(n) == "." && n > 0 {
                        let side = match self.text(n.saturating_sub(1)) {
                            "left" => &*columns,
                            "right" => &other,
                            _ => continue,
                        };
                        let column = n.saturating_add(1);
                        if self.tokens.get(column).is_some_and(|t| !t.text.is_empty()) {
                            self.name(column, side);
                        }
                    }
                }
            }
        }
        columns.add(other);
    }

    /// The tokens up to the next bar, the end, or one of these words.
    fn until(&mut self, words: &[&str]) -> Range<usize> {
        let start = self.at;
        let mut depth = 0usize;
        while self.at < self.tokens.len() {
            match self.text(self.at) {
                "(" | "[" | "{" => depth = depth.saturating_add(1),
                ")" | ";" | "|" if depth == 0 => break,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                w if depth == 0 && words.contains(&w) => break,
                _ => {}
            }
            self.skip();
        }
        start..self.at
    }

    /// The items of a list with commas.
    fn items(&mut self, words: &[&str]) -> Vec<Range<usize>> {
        let all = self.until(words);
        let mut items = Vec::new();
        let (mut start, mut depth) = (all.start, 0usize);
        for n in all.clone() {
            match self.text(n) {
                "(" | "[" | "{" => depth = depth.saturating_add(1),
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                "," if depth == 0 => {
                    items.push(start..n);
                    start = n.saturating_add(1);
                }
                _ => {}
            }
        }
        items.push(start..all.end);
        items.retain(|i| !i.is_empty());
        items
    }

    /// `Name = value`, or `(A, B) = value`: the names, and the value.
    fn assigned(&self, item: Range<usize>) -> (Vec<String>, Range<usize>) {
        let sign = item.clone().find(|n| {
            let compares = ["=", "~"].contains(&self.text(n.saturating_add(1)))
                || n.checked_sub(1).is_some_and(|p| ["=", "!", "<", ">"].contains(&self.text(p)));
            self.text(*n) == "=" && !compares
        });
        let Some(sign) = sign else { return (Vec::new(), item) };
        let front = item.start..sign;
        let list = self.text(front.start) == "(";
        if front.len() == 1 || list {
            let names = front.map(|n| self.text(n)).filter(|t| !matches!(*t, "(" | ")" | ",")).map(str::to_owned).collect();
            return (names, sign.saturating_add(1)..item.end);
        }
        (Vec::new(), item)
    }

    /// Whether an item names all columns, or a pattern of them.
    fn starred(&self, item: &Range<usize>) -> bool {
        item.clone().any(|n| self.text(n) == "*" && matches!(self.text(n.saturating_add(1)), "" | "," | ")" | "|" | "by"))
            || item.len() == 1 && self.text(item.start) == "*"
            || item.clone().next_back().is_some_and(|n| self.text(n) == "*")
    }

    /// Every name in an expression is a column, a `let`, or a function.
    fn check(&mut self, all: Range<usize>, columns: &Columns) {
        let mut all = all;
        while let Some(n) = all.next() {
            let Some(token) = self.tokens.get(n) else { break };
            if matches!(token.text, "dynamic" | "datatable" | "typeof") {
                // What stands in its parentheses is data.
                let mut depth = 0usize;
                for m in all.by_ref() {
                    match self.text(m) {
                        "(" => depth = depth.saturating_add(1),
                        ")" => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
                continue;
            }
            let before = n.checked_sub(1).map_or("", |p| self.text(p));
            let after = self.text(n.saturating_add(1));
            // A table in a sub-query of `in (…)` is not looked into, nor is what is behind it.
            if token.name() && (after == "|" || tables().contains_key(token.text)) {
                return;
            }
            if token.name() && after != "(" && !matches!(before, "." | "$" | "@") {
                self.name(n, columns);
            }
        }
    }

    fn name(&mut self, n: usize, columns: &Columns) {
        let Some(token) = self.tokens.get(n) else { return };
        let name = token.text;
        if columns.open || columns.known.contains(name) || self.names.contains_key(name) {
            return;
        }
        let near = nearest(name, columns.known.iter().map(String::as_str)).map(str::to_owned);
        self.out.push(Finding { at: token.at.clone(), what: What::Column(columns.tables.clone()), near });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str) -> Vec<(String, Option<String>)> {
        unknown(query, &[]).into_iter().map(|f| (query[f.at].to_owned(), f.near)).collect()
    }

    #[test]
    fn what_is_right_is_left_alone() {
        for query in [
            "EmailEvents | where Timestamp > ago(7d) and Subject =~ \"FileNme\" | project Timestamp, Who = SenderFromAddress | order by Who desc",
            "DeviceEvents // Commment | where Nmae\n| where ActionType in~ (\"A\", 'B') and isnotempty(DeviceName)",
            "let hosts = dynamic([\"A\"]); let T = DeviceInfo | project DeviceId, Age = 1; T | where Age > 1 and DeviceId in (hosts)",
            "EmailEvents | join kind=leftouter (EmailUrlInfo | project NetworkMessageId, Url) on NetworkMessageId | project Url, NetworkMessageId1",
            "EmailEvents | join kind=inner hint.strategy=shuffle EmailUrlInfo on $left.NetworkMessageId == $right.NetworkMessageId | where UrlDomain has \"x\"",
            "DeviceProcessEvents | summarize count(), dcount(DeviceName), make_set(FileName) by bin(Timestamp, 1h), AccountName | where count_ > 1 and dcount_DeviceName > 1 and array_length(set_FileName) > 0 | sort by Timestamp",
            "DeviceProcessEvents | summarize arg_max(Timestamp, *) by DeviceId | project FileName",
            "CloudAppEvents | extend Raw = parse_json(RawEventData) | extend Op = tostring(Raw.Operation.Nme) | mv-expand Raw | where Op == \"x\"",
            "Custom_CL | where Anything_s == \"x\"",
            "_Im_Dns(starttime=ago(1d)) | where Foo == 1",
            "SecurityEvent | where EventID == 4624 | where Whatever == 1",
            "union withsource=Source DeviceEvents, (DeviceFileEvents | where SHA1 == \"x\") | where Source == \"DeviceEvents\" | project Timestamp",
            "EmailEvents | evaluate bag_unpack(X) | where Foo == 1",
            "EmailEvents | parse Subject with * \"ticket \" Ticket:long * | where Ticket == 1",
            "EmailEvents | where SenderFromAddress in ((IdentityInfo | where Nothing == 1))",
            "DeviceLogonEvents | where TimeGenerated > ago(1d) | project-away Timestamp | distinct DeviceName, AccountName",
            "print A = 1 | where A == 1",
            "EmailEvents | where Subject has @\"C:\\\" and SenderFromAddress has \"a\"",
            "set query_take_max_records=10; EmailEvents | count | where Count > 1",
            "workspace(\"x\").SigninLogs | where Foo == 1",
            "",
            ";;;| where (",
        ] {
            assert_eq!(found(query), [], "{query}");
        }
    }

    #[test]
    fn what_is_misspelt_is_found_at_its_place() {
        let one = |name: &str, near: &str| vec![(name.to_owned(), (!near.is_empty()).then(|| near.to_owned()))];
        assert_eq!(found("EmailEvent | where X == 1"), one("EmailEvent", "EmailEvents"));
        assert_eq!(found("EmailEvents | where SenderFromAdress =~ \"x\""), one("SenderFromAdress", "SenderFromAddress"));
        assert_eq!(found("EmailEvents | project Who = SenderFromAddress | where Whom == 1"), one("Whom", "Who"));
        assert_eq!(found("DeviceEvents | summarize count() by DeviceNam"), one("DeviceNam", "DeviceName"));
        assert_eq!(found("EmailEvents | join (EmailUrlInfos | take 1) on NetworkMessageId"), one("EmailUrlInfos", "EmailUrlInfo"));
        assert_eq!(found("EmailEvents | join (EmailUrlInfo) on NetworkMesageId").len(), 1);
        assert_eq!(found("union DeviceEvents, DeviceFileEvnts"), one("DeviceFileEvnts", "DeviceFileEvents"));
        assert_eq!(found("EmailEvents | top 5 by Timestmp desc"), one("Timestmp", "Timestamp"));
        assert_eq!(found("EmailEvents | extend A = Subjct, B = 1"), one("Subjct", "Subject"));
        assert_eq!(found("let T = DeviceInfo | where DeviceNme == 1; T"), one("DeviceNme", "DeviceName"));
        assert_eq!(found("SigninLogs | where UserPrincipalNme =~ \"x\""), one("UserPrincipalNme", "UserPrincipalName"));
        assert_eq!(found("EmailEvents | distinct Zzz"), one("Zzz", ""));
    }
}
