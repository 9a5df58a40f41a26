//! Each row of the table of functions compiles, and its example gives the value that the row promises.

use guided_response::eval;
use guided_response::script::functions::{self, CLOSURES, docs};
use guided_response::script::{Cx, Questions};

use crate::support::{Names, example, example_set, path, shown};

#[test]
fn every_example_gives_what_its_row_says() {
    let (set, incident) = (example_set(), example());
    let (facts, failed) = eval::facts(&set, &incident, None);
    assert!(failed.is_empty(), "{failed:?}");
    let names = Names::of(&set);
    let rows = functions::all().map(|f| (f.name, f.example.0, f.example.1)).chain(CLOSURES.iter().map(|c| (c.0, c.2, c.3)));
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, text, wanted) in rows {
        count += 1;
        assert!(text.contains(name), "the example of `{name}` does not use it: {text}");
        let mut questions = Questions::default();
        let expr = match names.compile(text, &mut questions) {
            Ok(e) => e,
            Err(d) => {
                wrong.push(format!("{name}: `{text}` does not compile: {d:?}"));
                continue;
            }
        };
        let mut cx = Cx::new(&facts, questions.len());
        match cx.value(&expr, &[]) {
            Ok(v) if shown(&facts, &v) == wanted => {}
            Ok(v) => wrong.push(format!("{name}: `{text}` gives {}, and the row says {wanted}", shown(&facts, &v))),
            Err(stop) => wrong.push(format!("{name}: `{text}` fails: {stop:?}")),
        }
    }
    assert!(count > 60, "only {count} rows");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_two_rows_answer_to_the_same_call() {
    let mut seen = std::collections::BTreeSet::new();
    for f in functions::all() {
        assert!(seen.insert((f.name, format!("{:?}", f.on), f.params.len())), "`{}` stands twice", f.signature());
        assert!(f.doc.ends_with('.'), "the sentence of `{}` has no end", f.name);
    }
}

#[test]
fn the_page_of_functions_is_current() {
    let page = docs::page();
    for f in functions::all() {
        assert!(page.contains(f.example.0), "`{}` is missing", f.name);
    }
    let file = path("docs/functions.md");
    if std::env::var_os("UPDATE_WRITTEN").is_some_and(|v| v == "1") {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/functions.md is out of date: run `UPDATE_WRITTEN=1 cargo test --test it the_page_of_functions`");
}
