//! The walkthrough in `docs/` does what it says: its files are written, its commands run in order, and what they print is
//! what the page shows. `UPDATE_WRITTEN=1` writes the outputs anew.

use std::path::Path;
use std::process::Command;

use crate::support::path;

/// A piece of the page.
enum Piece {
    /// Prose and code that is only shown.
    Said(String),
    /// A file to be written, or added to: its name, and the lines of the block.
    File { name: String, add: bool, lines: Vec<String> },
    /// Commands with what they print.
    Console(Vec<Step>),
}

/// A command of a console block.
struct Step {
    command: String,
    prints: Vec<String>,
}

/// The pieces of a page: blocks that open with ```` ```yaml file=NAME ```` (or `file+=NAME`), ```` ```console ````, and
/// everything else.
fn pieces(page: &str) -> Vec<Piece> {
    let mut all = Vec::new();
    let mut said = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let named = |sign: &str| line.strip_prefix("```").and_then(|l| l.split_once(sign)).map(|(_, name)| name.trim().to_owned());
        let file = named(" file=").map(|n| (n, false)).or_else(|| named(" file+=").map(|n| (n, true)));
        if line != "```console" && file.is_none() {
            said.push_str(line);
            said.push('\n');
            continue;
        }
        said.push_str(line);
        said.push('\n');
        all.push(Piece::Said(std::mem::take(&mut said)));
        let body: Vec<String> = lines.by_ref().take_while(|l| *l != "```").map(str::to_owned).collect();
        match file {
            Some((name, add)) => all.push(Piece::File { name, add, lines: body }),
            None => {
                let mut steps: Vec<Step> = Vec::new();
                for l in body {
                    match (l.strip_prefix("$ "), steps.last_mut()) {
                        (Some(command), _) => steps.push(Step { command: command.to_owned(), prints: Vec::new() }),
                        (None, Some(step)) => step.prints.push(l),
                        (None, None) => panic!("a console block begins with `$ `: {l}"),
                    }
                }
                all.push(Piece::Console(steps));
            }
        }
        said.push_str("```\n");
    }
    all.push(Piece::Said(said));
    all
}

/// Whether a line that was printed is the one that is shown; `…` stands for anything.
fn same(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = printed.strip_prefix(parts.next().unwrap_or("")) else { return false };
    let mut open = false;
    for part in parts {
        open = true;
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    if open && shown.ends_with('…') { true } else { rest.is_empty() }
}

/// What a command prints, both ways together, in the order in which a terminal would show it.
fn run(command: &str, folder: &Path) -> Vec<String> {
    let bin = Path::new(env!("CARGO_BIN_EXE_engine")).parent().unwrap();
    let search = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let done = Command::new("sh")
        .arg("-c")
        .arg(format!("{{ {command}\n}} 2>&1"))
        .current_dir(folder)
        .env("PATH", search)
        .env("NO_COLOR", "1")
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.com")
        .env("GIT_COMMITTER_NAME", "A")
        .env("GIT_COMMITTER_EMAIL", "a@example.com")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    String::from_utf8(done.stdout).unwrap().lines().map(|l| l.trim_end().to_owned()).collect()
}

#[test]
fn every_command_of_the_walkthrough_prints_what_it_shows() {
    let file = path("docs/walkthrough.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let folder = std::env::temp_dir().join(format!("walkthrough-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let mut again = String::new();
    let mut wrong = Vec::new();
    let mut commands = 0;
    for piece in pieces(&page) {
        match piece {
            Piece::Said(text) => again.push_str(&text),
            Piece::File { name, add, lines } => {
                let to = folder.join(name);
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                let text = lines.join("\n") + "\n";
                let before = if add { std::fs::read_to_string(&to).unwrap() } else { String::new() };
                std::fs::write(to, format!("{before}{text}")).unwrap();
                again.push_str(&text);
            }
            Piece::Console(steps) => {
                for step in steps {
                    commands += 1;
                    let printed = run(&step.command, &folder);
                    let fits = printed.len() == step.prints.len() && step.prints.iter().zip(&printed).all(|(s, p)| same(s, p));
                    if !fits {
                        wrong.push(format!("$ {}\n--- shown\n{}\n--- printed\n{}", step.command, step.prints.join("\n"), printed.join("\n")));
                    }
                    // A line that fits keeps its dots.
                    let kept = printed.iter().enumerate().map(|(n, p)| match step.prints.get(n) {
                        Some(s) if same(s, p) => s.clone(),
                        _ => p.clone(),
                    });
                    again.push_str(&format!("$ {}\n", step.command));
                    for l in kept {
                        again.push_str(&l);
                        again.push('\n');
                    }
                }
            }
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    if std::env::var_os("UPDATE_WRITTEN").is_some() {
        std::fs::write(&file, again).unwrap();
        return;
    }
    assert!(commands >= 10, "only {commands} commands");
    assert!(wrong.is_empty(), "{} differ; read them, then run with UPDATE_WRITTEN=1\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn dots_stand_for_anything() {
    assert!(same("a … c", "a b c") && same("took …", "took 3 ms") && same("a", "a") && !same("a", "ab") && !same("a … d", "a b c"));
}
