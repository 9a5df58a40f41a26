//! Playbooks of a git revision, read from git's own objects: no checkout, no change to the repository, nothing run from it.
//!
//! The `git` program is asked through its plumbing. What a user wrote is always one argument of its own, behind
//! `--end-of-options`; no shell is involved.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::playbooks::{Loaded, is_playbook};
use crate::diag::{Diagnostic, Severity, codes, nearest};
use crate::playbook::{Input, limits};

/// A repository, by a folder in it.
#[derive(Clone, Debug)]
pub struct Repository {
    folder: PathBuf,
}

/// A file of a revision.
struct Entry {
    id: String,
    path: String,
}

impl Repository {
    /// The repository that a folder lies in.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The playbook files of `REV` or `REV:PATH`, as `layer`. Without a path: `default` where one is given, else the
    /// folder `playbooks`, else the root if playbook files lie in it.
    ///
    /// # Errors
    /// If git cannot be asked, the revision or path is not known, or nothing is there.
    pub fn load(&self, spec: &str, default: Option<&str>, layer: usize) -> Result<Loaded, Box<Diagnostic>> {
        let (revision, path) = match spec.split_once(':') {
            Some((r, p)) => (r, Some(p)),
            None => (spec, default),
        };
        let tree = self.tree(revision)?;
        let (path, id) = match path.map(|p| p.trim_start_matches("./").trim_matches('/')) {
            Some("" | ".") => (String::new(), tree),
            Some(p) => (p.to_owned(), self.below(revision, &tree, p)?),
            None => match self.below(revision, &tree, "playbooks") {
                Ok(id) => ("playbooks".to_owned(), id),
                Err(_) => (String::new(), tree),
            },
        };
        let mut loaded = Loaded::default();
        let entries = self.entries(&id, &path, &mut loaded)?;
        if entries.is_empty() {
            let place = if path.is_empty() { "its root".to_owned() } else { format!("`{path}`") };
            let d = wrong(format!("revision `{revision}` holds no playbook file in {place}"));
            return Err(Box::new(d.help("playbook files end in .yaml or .yml; `REV:FOLDER` or --path says where they lie")));
        }
        self.read(revision, entries, layer, &mut loaded)?;
        Ok(loaded)
    }

    /// The tree of a revision.
    fn tree(&self, revision: &str) -> Result<String, Box<Diagnostic>> {
        if revision.is_empty() || revision.starts_with('-') || revision.contains(|c: char| c.is_control()) {
            return Err(Box::new(wrong(format!("`{revision}` cannot be a revision"))));
        }
        self.object(&format!("{revision}^{{tree}}"))?.ok_or_else(|| Box::new(self.unknown(revision)))
    }

    /// The object at a path of a tree.
    fn below(&self, revision: &str, tree: &str, path: &str) -> Result<String, Box<Diagnostic>> {
        if path.split('/').any(|part| part == "..") || path.contains(|c: char| c.is_control()) {
            return Err(Box::new(wrong(format!("`{path}` leaves the repository")).help("paths of a revision begin at the repository's root")));
        }
        self.object(&format!("{tree}:{path}"))?.ok_or_else(|| {
            let d = wrong(format!("revision `{revision}` has no `{path}`"));
            Box::new(d.help("paths of a revision begin at the repository's root; --path or `REV:FOLDER` says where the playbooks lie"))
        })
    }

    /// The id of an object by name, if it is known.
    fn object(&self, name: &str) -> Result<Option<String>, Box<Diagnostic>> {
        let out = self.run(&["rev-parse", "--quiet", "--verify", "--end-of-options", name])?;
        let id = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        if out.status.success() && !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(Some(id));
        }
        let said = String::from_utf8_lossy(&out.stderr);
        // An unknown name is said by the exit code alone; anything that git says is about something else.
        if said.contains("not a git repository") || said.contains("dubious ownership") || said.contains("unsafe repository") {
            return Err(Box::new(refused(&self.folder, &said)));
        }
        Ok(None)
    }

    /// That a revision is not known, with the branch or tag that may be meant.
    fn unknown(&self, revision: &str) -> Diagnostic {
        let known = self.run(&["for-each-ref", "--count=5000", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes"]);
        let known = known.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        let d = wrong(format!("`{revision}` is neither a folder nor a revision of this repository"));
        match nearest(revision, known.lines()) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d.help("a revision is a branch, a tag, a commit, or such as HEAD~1; `REV:FOLDER` names a folder in it"),
        }
    }

    /// The playbook files of a tree (or the one file), by path.
    fn entries(&self, id: &str, path: &str, loaded: &mut Loaded) -> Result<Vec<Entry>, Box<Diagnostic>> {
        let kind = self.run(&["cat-file", "-t", id])?;
        if kind.stdout.trim_ascii() == b"blob" {
            return Ok(vec![Entry { id: id.to_owned(), path: path.to_owned() }]);
        }
        let out = self.run(&["ls-tree", "-r", "-z", "-l", "--full-tree", id])?;
        if !out.status.success() {
            return Err(Box::new(refused(&self.folder, &String::from_utf8_lossy(&out.stderr))));
        }
        let mut entries = Vec::new();
        for line in out.stdout.split(|b| *b == 0).filter(|l| !l.is_empty()) {
            let line = String::from_utf8_lossy(line);
            let Some((about, name)) = line.split_once('\t') else { continue };
            let mut words = about.split_ascii_whitespace();
            let (Some(mode), Some(_), Some(id), Some(size)) = (words.next(), words.next(), words.next(), words.next()) else { continue };
            // As in a folder: hidden entries are an editor's or a version control's, not an author's.
            if !is_playbook(Path::new(name)) || name.split('/').any(|part| part.starts_with('.')) {
                continue;
            }
            let full = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            if mode == "120000" || mode == "160000" {
                loaded.left_out.push(wrong(format!("`{full}` is a link, which is not followed in a revision")));
            } else if size.parse::<usize>().is_ok_and(|n| n > limits::FILE_BYTES) {
                let d = Diagnostic::new(codes::LIMIT, Severity::Error, format!("`{full}` is larger than {} KiB", limits::FILE_BYTES >> 10));
                loaded.left_out.push(d.help("split it"));
            } else {
                entries.push(Entry { id: id.to_owned(), path: full });
            }
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        if entries.len() > limits::FILES {
            entries.truncate(limits::FILES);
            let message = format!("more than {} files: the rest is not read", limits::FILES);
            loaded.left_out.push(Diagnostic::new(codes::LIMIT, Severity::Error, message));
        }
        Ok(entries)
    }

    /// The texts of the entries, through one process.
    fn read(&self, revision: &str, entries: Vec<Entry>, layer: usize, loaded: &mut Loaded) -> Result<(), Box<Diagnostic>> {
        let mut batch = Batch::start(self.command(&["cat-file", "--batch"])).map_err(|e| Box::new(missing(&e)))?;
        for entry in entries {
            let name = format!("{revision}:{}", entry.path);
            match batch.get(&entry.id) {
                Ok(Some(bytes)) => match String::from_utf8(bytes) {
                    Ok(text) => loaded.files.push(Input { path: name, text, layer }),
                    Err(e) => loaded.left_out.push(wrong(format!("`{name}` is not UTF-8: byte {}", e.utf8_error().valid_up_to()))),
                },
                Ok(None) => {
                    loaded.left_out.push(wrong(format!("`{name}` is not among the objects of the repository")).help("fetch the whole history"))
                }
                Err(e) => return Err(Box::new(wrong(format!("git cannot be read from: {e}")))),
            }
        }
        Ok(())
    }

    fn run(&self, args: &[&str]) -> Result<std::process::Output, Box<Diagnostic>> {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).output().map_err(|e| Box::new(missing(&e)))
    }

    /// git with nothing that could prompt, page, fetch, lock, or run what the repository brings.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.folder).args(["--no-pager", "--no-replace-objects", "--literal-pathspecs"]);
        command.args(["-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null"]).args(args);
        for (name, value) in [
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_ALLOW_PROTOCOL", "none"),
            ("GIT_PAGER", "cat"),
            ("LC_ALL", "C"),
        ] {
            command.env(name, value);
        }
        for name in ["GIT_ASKPASS", "SSH_ASKPASS", "GIT_EXTERNAL_DIFF", "GIT_SSH_COMMAND", "GIT_TRACE", "GIT_TRACE2", "GIT_EDITOR"] {
            command.env_remove(name);
        }
        command
    }
}

/// `git cat-file --batch`: an id in, its content out.
struct Batch {
    child: Child,
    from: BufReader<std::process::ChildStdout>,
}

impl Batch {
    fn start(mut command: Command) -> std::io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let from = child.stdout.take().ok_or_else(|| std::io::Error::other("no output"))?;
        Ok(Self { child, from: BufReader::new(from) })
    }

    /// The content of an object; `None` if it is not there.
    fn get(&mut self, id: &str) -> std::io::Result<Option<Vec<u8>>> {
        let to = self.child.stdin.as_mut().ok_or_else(|| std::io::Error::other("no input"))?;
        to.write_all(format!("{id}\n").as_bytes())?;
        to.flush()?;
        let mut head = String::new();
        if self.from.read_line(&mut head)? == 0 {
            return Err(std::io::Error::other("it ended early"));
        }
        let Some(size) = head.split_ascii_whitespace().nth(2).and_then(|n| n.parse::<u64>().ok()) else { return Ok(None) };
        let mut bytes = Vec::new();
        // One byte more: the line end behind the content.
        self.from.by_ref().take(size.saturating_add(1)).read_to_end(&mut bytes)?;
        bytes.pop();
        Ok(Some(bytes))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Its input ends, so it ends.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn wrong(message: String) -> Diagnostic {
    Diagnostic::new(codes::UNREADABLE, Severity::Error, message)
}

fn missing(e: &std::io::Error) -> Diagnostic {
    let d = wrong(format!("the program `git` cannot be started: {e}"));
    d.help("install git, or give two folders")
}

fn refused(folder: &Path, said: &str) -> Diagnostic {
    let first = said.lines().next().unwrap_or("").trim().trim_start_matches("fatal: ");
    let d = wrong(format!("`{}` cannot be read as a git repository: {first}", folder.display()));
    d.help("give two folders, or run it inside the repository (--repo DIR)")
}
