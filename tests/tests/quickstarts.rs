//! The pages of `docs/quickstart` run as they are written: their files are written, their commands run, and what those print
//! is compared with what the pages show.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::process::{Orch, orch};
use e2e::{python, root};

/// Where the pages say that the server is.
const WRITTEN: &str = "http://127.0.0.1:7410";

/// A reader of a page: where they are, what they started, and what the last commands printed.
struct Reader {
    folder: PathBuf,
    path: String,
    server: Option<Orch>,
    printed: String,
}

impl Reader {
    /// Does what a block says; `info` is what stands behind its fence.
    fn follow(&mut self, info: &str, text: &str) {
        match info.split_once(' ') {
            None if info == "console" => self.run(text),
            None if info == "output" => assert_eq!(self.printed.trim_end(), text.trim_end()),
            Some(("console", "install")) => {}
            Some(("console", "serve")) => {
                self.run(text.strip_suffix("\norch serve").unwrap());
                self.server = Some(Orch::serve(&self.folder));
            }
            Some((_, file)) => fs::write(self.folder.join(file), self.here(text)).unwrap(),
            None => panic!("what is a block of `{info}`?"),
        }
    }

    /// The text with the address at which the server really is.
    fn here(&self, text: &str) -> String {
        match &self.server {
            Some(server) => text.replace(WRITTEN, &format!("http://{}", server.address)),
            None => text.to_owned(),
        }
    }

    fn run(&mut self, text: &str) {
        self.printed.clear();
        for line in text.lines() {
            if let Some(folder) = line.strip_prefix("cd ") {
                self.folder.push(folder);
                continue;
            }
            let mut command = Command::new("sh");
            command.args(["-c", line]).current_dir(&self.folder).env("PATH", &self.path);
            command.env("ORCHESTRA_KEYS", self.folder.join(".keys.age")).env("PYTHONDONTWRITEBYTECODE", "1");
            for ours in ["ORCHESTRA_CONFIG", "ORCHESTRA_SERVER", "ORCHESTRA_TOKEN"] {
                command.env_remove(ours);
            }
            let output = command.output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{line}\n{error}");
            self.printed.push_str(&String::from_utf8(output.stdout).unwrap());
        }
    }
}

/// Follows a page from its first block to its last, in an empty folder; how many outputs were compared.
fn follow(page: &str, folder: &Path, programs: &[&Path]) -> usize {
    let text = fs::read_to_string(root().join("docs/quickstart").join(page)).unwrap();
    let mut path: Vec<PathBuf> = vec![orch().parent().unwrap().to_owned()];
    path.extend(programs.iter().map(|program| (*program).to_owned()));
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let path = env::join_paths(path).unwrap().into_string().unwrap();
    let mut reader = Reader { folder: folder.to_owned(), path, server: None, printed: String::new() };
    let blocks = text.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    let mut compared = 0;
    for (info, text) in blocks {
        reader.follow(info, text);
        compared += usize::from(info == "output");
    }
    compared
}

#[test]
fn ten_minutes_in_a_terminal() {
    let folder = e2e::folder();
    assert_eq!(follow("shell.md", folder.path(), &[]), 2);
}

#[test]
fn ten_minutes_in_python() {
    let folder = e2e::folder();
    // The package as it lies here; that it can be built and installed is a test of its own.
    let tools = python("ORCH_PACKAGE_PYTHON", "venv-package");
    named_python(
        folder.path(),
        &format!("PYTHONPATH='{}'", root().join("clients/python/src").display()),
        &tools,
    );
    assert_eq!(follow("python.md", folder.path(), &[folder.path()]), 4);
}

#[test]
fn ten_minutes_with_a_client_of_openais_api() {
    let folder = e2e::folder();
    named_python(folder.path(), "", &python("ORCH_CLIENTS_PYTHON", "venv-clients"));
    assert_eq!(follow("openai.md", folder.path(), &[folder.path()]), 3);
}

#[test]
fn ten_minutes_with_a_langchain_agent() {
    let folder = e2e::folder();
    named_python(folder.path(), "", &python("ORCH_AGENTS_PYTHON", "venv-agents"));
    assert_eq!(follow("langchain.md", folder.path(), &[folder.path()]), 2);
}

/// A program `python` in `folder` that is the one at `path`, with variables of its own.
fn named_python(folder: &Path, variables: &str, path: &Path) {
    let python = folder.join("python");
    fs::write(&python, format!("#!/bin/sh\n{variables} exec '{}' \"$@\"\n", path.display())).unwrap();
    let made = Command::new("chmod").arg("+x").arg(&python).status().unwrap();
    assert!(made.success());
}

#[test]
fn ten_minutes_in_typescript() {
    let folder = e2e::folder();
    let source = root().join("clients/typescript");
    let built = folder.path().join("client");
    let mut compile = Command::new("npx");
    compile.args(["tsc", "-p", ".", "--outDir"]).arg(built.join("dist")).current_dir(&source);
    assert!(compile.status().unwrap().success());
    fs::copy(source.join("package.json"), built.join("package.json")).unwrap();
    let modules = source.join("node_modules");
    symlink(&modules, built.join("node_modules")).unwrap();
    let own = folder.path().join("node_modules");
    fs::create_dir_all(own.join("@orchestra")).unwrap();
    symlink(&built, own.join("@orchestra/client")).unwrap();
    symlink(modules.join("zod"), own.join("zod")).unwrap();
    assert_eq!(follow("typescript.md", folder.path(), &[]), 3);
}
