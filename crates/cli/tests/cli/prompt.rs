//! What is typed on a terminal, without anybody seeing it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::orch::Folder;

const CANARY: &str = "cnry-0rch3stra-typed";

/// A command whose standard input and error are a terminal, and the other end of it.
struct Terminal {
    child: Child,
    end: File,
    shown: String,
    /// How much of that stood there at the last answer.
    answered: usize,
}

impl Terminal {
    fn start(folder: &Folder, args: &[&str]) -> Self {
        let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&end).unwrap();
        unlockpt(&end).unwrap();
        let name = ptsname(&end, Vec::new()).unwrap().into_string().unwrap();
        let open = || OpenOptions::new().read(true).write(true).open(&name).unwrap();
        let mut command = folder.command(args);
        // Dropped with the command, so that the terminal ends when the child does.
        let child = command.stdin(open()).stderr(open()).stdout(Stdio::null()).spawn().unwrap();
        Self { child, end: File::from(end), shown: String::new(), answered: 0 }
    }

    /// Types `line` when `question` stands there.
    fn answer(&mut self, question: &str, line: &str, hidden: bool) {
        while !self.shown.get(self.answered..).unwrap().contains(question) {
            assert!(self.read(), "it ended without asking {question:?}:\n{}", self.shown);
        }
        // The question is written before the echo is switched off.
        while hidden && tcgetattr(&self.end).unwrap().local_modes.contains(LocalModes::ECHO) {
            std::thread::yield_now();
        }
        self.answered = self.shown.len();
        self.end.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Waits for the end: the exit code, and all that was shown.
    fn end(mut self) -> (i32, String) {
        while self.read() {}
        (self.child.wait().unwrap().code().unwrap(), self.shown)
    }

    /// Whether the terminal is there still.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 1024];
        // The system ends a terminal that nobody holds any more by an error.
        let read = self.end.read(&mut bytes).unwrap_or(0);
        self.shown.push_str(&String::from_utf8_lossy(&bytes[..read]));
        read > 0
    }
}

#[test]
fn a_key_and_a_passphrase_are_asked_for_and_not_shown() {
    let folder = Folder::empty();
    let mut terminal = Terminal::start(&folder, &["keys", "add", "sn22", "--passphrase"]);
    terminal.answer("a passphrase for the new vault: ", "cnry-0rch3stra-pass", true);
    terminal.answer("once more: ", "cnry-0rch3stra-pass", true);
    terminal.answer("the key of sn22 for https://api.desearch.ai: ", CANARY, true);
    let (code, shown) = terminal.end();
    assert!(code == 0 && !shown.contains("cnry"), "{shown}");
    let mut terminal = Terminal::start(&folder, &["keys", "remove", "sn22"]);
    terminal.answer("passphrase of ", "cnry-0rch3stra-other", true);
    let (code, shown) = terminal.end();
    assert!(code == 7 && shown.contains("E1703") && !shown.contains("cnry"), "{shown}");
}

#[test]
fn two_passphrases_that_differ_make_no_vault() {
    let folder = Folder::empty();
    let mut terminal = Terminal::start(&folder, &["keys", "add", "sn22", "--passphrase"]);
    terminal.answer("a passphrase for the new vault: ", "cnry-0rch3stra-one", true);
    terminal.answer("once more: ", "cnry-0rch3stra-two", true);
    let (code, shown) = terminal.end();
    assert!(code == 7 && shown.contains("the two passphrases differ") && !shown.contains("cnry"), "{shown}");
    assert!(!folder.vault().exists());
}

#[test]
fn a_key_is_removed_when_somebody_says_yes() {
    let folder = Folder::empty();
    folder.orch_with_input(["keys", "add", "sn22", "--stdin"], CANARY).succeeds();
    let left = || folder.orch(["keys", "list", "--json"]).succeeds().json()["keys"].as_array().unwrap().len();
    for (answer, keys) in [("", 1), ("no", 1), ("y", 0)] {
        let mut terminal = Terminal::start(&folder, &["keys", "remove", "sn22"]);
        terminal.answer("? [y/N] ", answer, false);
        assert_eq!((terminal.end().0, left()), (0, keys), "{answer:?}");
    }
}

#[test]
#[cfg(feature = "mcp")]
fn who_starts_the_server_of_an_agent_by_hand_is_told_what_it_is_for() {
    let folder = Folder::empty();
    let mut agent = Terminal::start(&folder, &["mcp", "--no-journal"]);
    // Ctrl-D at the beginning of a line ends standard input.
    agent.answer("an agent starts this command and speaks to it on standard input", "\u{4}", false);
    let (code, shown) = agent.end();
    assert_eq!(code, 0, "{shown}");
}
