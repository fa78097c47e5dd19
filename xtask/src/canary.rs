//! What the tests left and printed, searched for the secrets that they used.
//!
//! Tests keep their folders, and what commands said, below [`Suite::folder`] while [`VARIABLE`] names it. Secrets in tests
//! begin with [`CANARY`], so that one search finds them all; tokens and what opens a vault have forms of their own.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::root;

/// What secrets of tests begin with. Long enough that no other bytes look like a piece of it in base64.
pub(crate) const CANARY: &str = "cnry-0rch3stra-";
/// Names the folder that tests leave things in.
const VARIABLE: &str = "ORCHESTRA_SUITE";
/// How an age identity begins, which opens a vault.
const IDENTITY: &[u8] = b"AGE-SECRET-KEY-1";
/// How a token of a server begins; 64 hex digits follow.
const TOKEN: &[u8] = b"orch_";
const TOKEN_DIGITS: usize = 64;
/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;
/// Most bytes of anything that is looked for, for what lies across two blocks.
const OVERLAP: usize = 256;

/// Files that tests write a secret to themselves, by name, and what they may hold. Nothing else may.
const ALLOWED: [(&str, Kind); 8] = [
    // Where the user keeps keys in plain text, as docs/errors/E1105.md describes it.
    ("secrets.toml", Kind::Canary),
    // Given to `orch keys add --from-file`.
    ("key.txt", Kind::Canary),
    // Given to the vault as `ORCHESTRA_KEYS_PASSPHRASE_FILE`.
    ("passphrase", Kind::Canary),
    // Made by the first `orch keys add` to open the vault; what is encrypted is looked through like everything.
    ("keys.identity", Kind::Identity),
    // The same, where `ORCHESTRA_KEYS_IDENTITY` names it.
    ("elsewhere.identity", Kind::Identity),
    // Given to a client as `ORCHESTRA_TOKEN_FILE`.
    ("token", Kind::Token),
    // The same, as docs/quickstart/langchain.md has it.
    ("agent.token", Kind::Token),
    // What `orch tokens add` said, which shows the token, this once.
    ("tokens-add.said", Kind::Token),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Canary,
    Identity,
    Token,
}

/// A secret where it must not be.
#[derive(Debug, PartialEq, Eq)]
struct Hit {
    offset: u64,
    kind: Kind,
    form: &'static str,
}

/// The folder of one run of all tests.
pub(crate) struct Suite {
    folder: PathBuf,
}

impl Suite {
    /// An empty folder in `target/`.
    pub(crate) fn begin() -> Result<Self> {
        let folder = root().join("target/suite");
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} cannot be emptied", folder.display()));
            }
            _ => {}
        }
        fs::create_dir_all(folder.join("tmp"))?;
        Ok(Self { folder })
    }

    /// Runs the tests. What they print is kept; the terminal gets it without what tests that passed have printed.
    pub(crate) fn run(&self, command: &mut Command) -> Result<bool> {
        let both = File::create(self.folder.join("stderr"))?;
        let mut kept = File::create(self.folder.join("stdout"))?;
        command.env(VARIABLE, &self.folder).env("TMPDIR", self.folder.join("tmp"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let said = child.stderr.take().context("the tests have no standard error")?;
        let errors = std::thread::spawn(move || tee(said, both));
        let mut shown = true;
        for line in BufReader::new(child.stdout.take().context("the tests have no output")?).split(b'\n') {
            let line = line?;
            kept.write_all(&line)?;
            kept.write_all(b"\n")?;
            shown = is_shown(&line, shown);
            if shown {
                println!("{}", String::from_utf8_lossy(&line));
            }
        }
        let passed = child.wait()?.success();
        errors.join().map_err(|_| anyhow::anyhow!("what the tests said could not be kept"))??;
        Ok(passed)
    }

    /// Looks through everything, and empties the folder where there is no secret in it.
    pub(crate) fn search(self) -> Result<()> {
        let mut searched = Searched::default();
        searched.folder(&self.folder)?;
        // Where the tests of a package run, and so where one that crashed leaves its memory.
        for package in packages()? {
            searched.core_files(&package)?;
        }
        let Searched { files, bytes, hits } = searched;
        if files == 0 || bytes == 0 {
            bail!("the tests left nothing in {} to be searched for secrets", self.folder.display());
        }
        println!("  {files} files with {} MiB searched for secrets: {} found", bytes >> 20, hits.len());
        if !hits.is_empty() {
            bail!("secrets of tests are where they must not be:\n{}", hits.join("\n"));
        }
        fs::remove_dir_all(&self.folder)?;
        Ok(())
    }
}

/// `--show-output` puts what passed tests printed between these two lines.
fn is_shown(line: &[u8], shown: bool) -> bool {
    match line {
        b"successes:" => false,
        b"failures:" => true,
        line => shown || line.starts_with(b"test result:"),
    }
}

fn tee(mut from: impl io::Read, mut kept: File) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        let read = from.read(&mut block)?;
        let Some(bytes) = block.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        kept.write_all(bytes)?;
        io::stderr().write_all(bytes)?;
    }
}

/// The folders of all packages.
fn packages() -> Result<Vec<PathBuf>> {
    let mut packages = vec![root(), root().join("tests"), root().join("xtask")];
    for entry in fs::read_dir(root().join("crates"))? {
        packages.push(entry?.path());
    }
    Ok(packages)
}

#[derive(Default)]
struct Searched {
    files: usize,
    bytes: u64,
    hits: Vec<String>,
}

impl Searched {
    fn folder(&mut self, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.folder(&entry.path())?;
            } else if kind.is_file() {
                self.file(&entry.path())?;
            }
        }
        Ok(())
    }

    fn core_files(&mut self, folder: &Path) -> Result<()> {
        let is_core = |name: &str| name == "core" || name.starts_with("core.");
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() && entry.file_name().to_str().is_some_and(is_core) {
                self.file(&entry.path())?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let allowed: Vec<Kind> =
            ALLOWED.iter().filter(|(allowed, _)| *allowed == name).map(|(_, kind)| *kind).collect();
        let file = match File::open(path) {
            // A test may take the right to read away.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                bail!("{} cannot be searched: {error}", path.display())
            }
            opened => opened?,
        };
        let (bytes, hits) = search(file).with_context(|| format!("{}", path.display()))?;
        self.files += 1;
        self.bytes += bytes;
        for Hit { offset, kind, form } in hits.into_iter().filter(|hit| !allowed.contains(&hit.kind)) {
            self.hits.push(format!("  {}, byte {offset}: {kind:?}, {form}", path.display()));
        }
        Ok(())
    }
}

/// How many bytes there are, and the secrets in them; of each form, only the first.
fn search(mut from: impl io::Read) -> io::Result<(u64, Vec<Hit>)> {
    let forms = forms();
    let mut begins = vec![false; 1 << 16];
    for (_, _, bytes) in &forms {
        begins.iter_mut().skip(pair(bytes)).take(1).for_each(|begins| *begins = true);
    }
    let mut found: Vec<Option<Hit>> = forms.iter().map(|_| None).collect();
    let (mut block, mut start) = (Vec::new(), 0_u64);
    loop {
        let read = from.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        for (at, window) in block.windows(2).enumerate() {
            // Nearly always not.
            if begins.get(pair(window)) != Some(&true) {
                continue;
            }
            let here = block.get(at..).unwrap_or_default();
            for ((kind, form, bytes), found) in forms.iter().zip(&mut found) {
                let is_there = here.starts_with(bytes) && (*kind != Kind::Token || is_token(here));
                if found.is_none() && is_there {
                    *found = Some(Hit { offset: start + at as u64, kind: *kind, form });
                }
            }
        }
        if read == 0 {
            return Ok((start + block.len() as u64, found.into_iter().flatten().collect()));
        }
        let passed = block.len().saturating_sub(OVERLAP);
        block.drain(..passed);
        start += passed as u64;
    }
}

/// The first two bytes as a number.
fn pair(bytes: &[u8]) -> usize {
    bytes.iter().take(2).fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Whether the digits of a token follow, and no more of them than it has.
fn is_token(text: &[u8]) -> bool {
    let digits = text.get(TOKEN.len()..).unwrap_or_default();
    digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count() == TOKEN_DIGITS
}

/// Everything that is looked for.
fn forms() -> Vec<(Kind, &'static str, Vec<u8>)> {
    let each = |form: &dyn Fn(u8) -> String| CANARY.bytes().map(form).collect::<String>().into_bytes();
    let punctuation = |escaped: &str| CANARY.replace('-', escaped).into_bytes();
    let mut forms = vec![
        (Kind::Canary, "as it is", CANARY.into()),
        (Kind::Canary, "in capitals", CANARY.to_ascii_uppercase().into_bytes()),
        (Kind::Canary, "backwards", CANARY.bytes().rev().collect()),
        (Kind::Canary, "as UTF-16", CANARY.bytes().flat_map(|byte| [byte, 0]).collect()),
        (Kind::Canary, "in hex", each(&|byte| format!("{byte:02x}"))),
        (Kind::Canary, "in hex", each(&|byte| format!("{byte:02X}"))),
        (Kind::Canary, "percent-encoded", each(&|byte| format!("%{byte:02x}"))),
        (Kind::Canary, "percent-encoded", each(&|byte| format!("%{byte:02X}"))),
        (Kind::Canary, "percent-encoded", punctuation("%2d")),
        (Kind::Canary, "percent-encoded", punctuation("%2D")),
        (Kind::Canary, "escaped as in JSON", each(&|byte| format!("\\u{byte:04x}"))),
        (Kind::Canary, "escaped as in JSON", each(&|byte| format!("\\u{byte:04X}"))),
        (Kind::Canary, "escaped as in JSON", punctuation("\\u002d")),
        (Kind::Canary, "escaped as in JSON", punctuation("\\u002D")),
        (Kind::Canary, "as a list of numbers", each(&|byte| format!("{byte},"))),
        (Kind::Canary, "as a list of numbers", each(&|byte| format!("{byte}, "))),
        (Kind::Identity, "as it is", IDENTITY.into()),
        (Kind::Token, "as it is", TOKEN.into()),
    ];
    for before in 0..3 {
        forms.push((Kind::Canary, "in base64", in_base64(before)));
    }
    forms
}

/// What any base64 has of the canary that stands behind so many bytes, whatever stands around it. No character of it is one of
/// the two in which the alphabets differ.
fn in_base64(before: usize) -> Vec<u8> {
    let mut bytes = vec![0; before];
    bytes.extend(CANARY.bytes());
    let (first, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    BASE64.encode(bytes).into_bytes().get(first..end).map(<[u8]>::to_vec).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn forms_in(text: impl AsRef<[u8]>) -> Vec<&'static str> {
        search(text.as_ref()).unwrap().1.iter().map(|hit| hit.form).collect()
    }

    #[test]
    fn a_canary_is_found_in_every_writing() {
        let key = format!("{CANARY}5f1d?0c9a/+");
        let percent = |byte: u8| format!("%{byte:02X}");
        for (form, text) in [
            ("as it is", key.clone()),
            ("in hex", key.bytes().map(|byte| format!("{byte:02x}")).collect()),
            ("in hex", key.bytes().map(|byte| format!("{byte:02X}")).collect()),
            ("percent-encoded", key.bytes().map(percent).collect()),
            ("percent-encoded", key.replace('-', "%2D")),
            ("escaped as in JSON", key.bytes().map(|byte| format!("\\u{byte:04x}")).collect()),
            ("as a list of numbers", format!("{:?}", key.as_bytes())),
        ] {
            assert_eq!(forms_in(format!("before {text} behind")), [form], "{text}");
        }
        for before in 0..12 {
            let text = format!("{}{key}", "x".repeat(before));
            assert_eq!(forms_in(BASE64.encode(&text)), ["in base64"], "{before}");
            assert_eq!(forms_in(URL_SAFE_NO_PAD.encode(&text)), ["in base64"], "{before}");
        }
        assert_eq!(forms_in("cnry-0rch3str"), Vec::<&str>::new());
    }

    #[test]
    fn what_lies_across_two_blocks_is_found_and_its_place_told() {
        for before in [0, 7, BLOCK - 1, BLOCK - CANARY.len() + 1, BLOCK, 2 * BLOCK - 3] {
            let text = [vec![b'.'; before], CANARY.into(), vec![b'.'; 5]].concat();
            let (bytes, hits) = search(&text[..]).unwrap();
            assert_eq!((bytes, hits.len()), (text.len() as u64, 1));
            assert_eq!(hits.first().unwrap().offset, before as u64);
        }
    }

    #[test]
    fn tokens_and_identities_are_known_by_their_form() {
        let token = format!("orch_{}", "a1".repeat(32));
        for (text, kind) in [
            (format!("Bearer {token}\n"), Some(Kind::Token)),
            (format!("{token}0"), None),
            ("orch_...".to_owned(), None),
            ("AGE-SECRET-KEY-1QQQ".to_owned(), Some(Kind::Identity)),
        ] {
            let hits = search(text.as_bytes()).unwrap().1;
            assert_eq!(hits.first().map(|hit| hit.kind), kind, "{text}");
        }
    }

    #[test]
    fn a_file_may_hold_what_its_name_says_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let found = || {
            let mut searched = Searched::default();
            searched.folder(folder.path()).unwrap();
            searched.hits
        };
        write(".orchestra/secrets.toml", CANARY);
        write("a/keys.identity", "AGE-SECRET-KEY-1QQQ");
        assert_eq!(found(), Vec::<String>::new());
        write("a/keys.identity", CANARY);
        write("core.7", &format!("\0\0{CANARY}"));
        let mut found = found();
        found.sort();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|hit| hit.ends_with("core.7, byte 2: Canary, as it is")), "{found:?}");
    }

    /// Whoever may not read a file cannot say that nothing is in it. Root may read everything.
    #[test]
    fn a_file_that_cannot_be_read_fails_the_search() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("closed");
        fs::write(&path, CANARY).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        let mut searched = Searched::default();
        let failed = searched.folder(folder.path());
        assert!(failed.is_err() || !searched.hits.is_empty());
    }

    #[test]
    fn what_tests_that_passed_printed_is_kept_from_the_terminal() {
        let lines = ["test a ... ok", "successes:", "printed", "failures:", "why", "test result: ok."];
        let mut shown = true;
        let seen: Vec<bool> = lines
            .iter()
            .map(|line| {
                shown = is_shown(line.as_bytes(), shown);
                shown
            })
            .collect();
        assert_eq!(seen, [true, false, false, true, true, true]);
    }
}
