//! Running the binary.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;

/// The binary.
pub(crate) const ORCH: &str = env!("CARGO_BIN_EXE_orch");

/// A temporary folder to run commands in.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    /// An empty one.
    pub(crate) fn empty() -> Self {
        let mut folder = tempfile::Builder::new();
        Self { folder: folder.prefix("orch-cli-").disable_cleanup(suite().is_some()).tempdir().unwrap() }
    }

    /// A copy of what `orch new` makes, which is made once.
    pub(crate) fn project() -> Self {
        static MADE: OnceLock<Folder> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let made = Self::empty();
            made.orch(["new", "hello"]).succeeds();
            made
        });
        let folder = Self::empty();
        copy(&made.path("hello"), &folder.path("."));
        folder
    }

    /// A project whose samples answer after this many milliseconds.
    pub(crate) fn project_with_latency(latency_ms: u32) -> Self {
        let folder = Self::project();
        folder.set_latency(latency_ms);
        folder
    }

    pub(crate) fn set_latency(&self, latency_ms: u32) {
        let text = format!("[development]\nsamples = true\nsample_latency_ms = {latency_ms}\n");
        self.write("orchestra.toml", &text);
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Replaces a text that is there.
    pub(crate) fn replace(&self, name: &str, old: &str, new: &str) {
        let text = self.read(name);
        assert!(text.contains(old), "{name} does not hold {old:?}:\n{text}");
        self.write(name, text.replace(old, new));
    }

    /// Files in a folder, sorted; none where it is not there.
    pub(crate) fn files(&self, name: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path(name)) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The one proof that runs have left.
    pub(crate) fn proof(&self) -> PathBuf {
        let proofs = self.files(".orchestra/proofs");
        assert_eq!(proofs.len(), 1, "{proofs:?}");
        proofs[0].clone()
    }

    /// Where the commands of this folder have their keys.
    pub(crate) fn vault(&self) -> PathBuf {
        self.path(".vault/keys.age")
    }

    /// A command in this folder, with nothing of the caller's environment that could change it.
    pub(crate) fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(ORCH);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("ORCHESTRA_")
                || name.starts_with("CLICOLOR")
                || ["NO_COLOR", "GITHUB_WORKSPACE"].contains(&&*name)
            {
                command.env_remove(&*name);
            }
        }
        // Not the vault of whoever runs the tests.
        command.env("ORCHESTRA_KEYS", self.vault());
        command.current_dir(self.folder.path()).args(args).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn orch(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ended {
        ended(&mut self.command(args))
    }

    /// Runs a command with a text on standard input.
    pub(crate) fn orch_with_input(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: impl AsRef<[u8]>,
    ) -> Ended {
        let mut command = self.command(args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin: ChildStdin = child.stdin.take().unwrap();
        let input = input.as_ref().to_vec();
        // A command that fails early need not read all of it.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ended::of(&command, output)
    }
}

/// The folder that `cargo xtask test` searches for secrets afterwards.
fn suite() -> Option<PathBuf> {
    std::env::var_os("ORCHESTRA_SUITE").map(PathBuf::from)
}

/// Leaves what a command said for that search. The file's name tells what was asked.
fn keep(command: &Command, output: &std::process::Output) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let Some(suite) = suite() else { return };
    let folder = suite.join(format!("said/{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    fs::create_dir_all(&folder).unwrap();
    let words = command.get_args().take(2).map(|arg| arg.to_string_lossy());
    let words: Vec<_> = words.filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())).collect();
    fs::write(
        folder.join(format!("{}.said", words.join("-"))),
        [&output.stdout[..], &output.stderr].concat(),
    )
    .unwrap();
}

pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    Ended::of(command, output)
}

impl Ended {
    fn of(command: &Command, output: std::process::Output) -> Self {
        keep(command, &output);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert!(!err.contains("panicked"), "{err}");
        Self { code: output.status.code().unwrap_or(-1), out, err }
    }

    pub(crate) fn succeeds(self) -> Self {
        self.exits(0)
    }

    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }
}

/// A command that goes on, with the lines it says on standard error.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStderr>,
    said: String,
    first: Receiver<String>,
    out: Option<JoinHandle<String>>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, first) = mpsc::channel();
        let out = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_line(&mut text).unwrap();
            // Only some tests ask for it.
            let _ = sender.send(text.clone());
            stdout.read_to_string(&mut text).unwrap();
            text
        });
        Self { child, lines, said: String::new(), first, out: Some(out) }
    }

    /// The first line on standard output.
    pub(crate) fn first_line(&self) -> String {
        self.first.recv().unwrap()
    }

    /// Reads standard error until a line holds `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).unwrap();
            assert!(read > 0, "it ended without saying {text:?}:\n{}", self.said);
            self.said.push_str(&line);
            if line.contains(text) {
                return;
            }
        }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits until it has ended.
    pub(crate) fn end(mut self) -> Ended {
        let mut line = String::new();
        while self.lines.read_line(&mut line).unwrap() > 0 {
            self.said.push_str(&std::mem::take(&mut line));
        }
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let out = self.out.take().unwrap().join().unwrap();
        Ended { code, out, err: std::mem::take(&mut self.said) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed leaves no process behind; one that has ended is not there any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A document with what differs from run to run replaced by its kind, so that its shape can be compared.
pub(crate) fn shape(mut value: Value) -> String {
    normalise(&mut value);
    serde_json::to_string_pretty(&value).unwrap()
}

fn normalise(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Object(fields) => {
            for (name, value) in fields {
                if name.ends_with("_us") || name == "bytes" {
                    *value = "<number>".into();
                }
                normalise(value);
            }
        }
        Value::String(text) => {
            let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if text.len() == 64 && hex {
                *text = "<hash>".into();
            } else if text.starts_with("runs/") {
                *text = "runs/<uuid>".into();
            } else if text.len() == 36 && text.matches('-').count() == 4 {
                *text = "<uuid>".into();
            } else if text.ends_with(".orchproof") {
                *text = "<proof>".into();
            }
        }
        _ => {}
    }
}
