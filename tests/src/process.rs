//! The real binary, built and run as a user runs it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;
use std::{env, fs};

use crate::root;

/// The `orch` binary of the profile these tests were built with. Cargo does not hand the binaries of other
/// packages to tests, so it is looked for beside them, and built where it is missing or older than its
/// sources.
///
/// # Panics
/// If it cannot be built.
pub fn orch() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // <target>/<profile>/deps/<test>
        let test = env::current_exe().unwrap();
        let folder = test.parent().and_then(Path::parent).unwrap();
        let binary = folder.join(format!("orch{}", env::consts::EXE_SUFFIX));
        if !is_fresh(&binary) {
            let profile = match folder.file_name().and_then(|name| name.to_str()).unwrap() {
                "debug" => "dev",
                profile => profile,
            };
            let cargo = env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
            let mut build = Command::new(cargo);
            // What cargo told this test about itself would look like a change to the build scripts of others.
            for (name, _) in env::vars_os() {
                let told = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME"];
                if name.to_str().is_some_and(|name| told.iter().any(|prefix| name.starts_with(prefix))) {
                    build.env_remove(name);
                }
            }
            let status = build
                .args(["build", "--package", "orch", "--bin", "orch", "--profile", profile, "--target-dir"])
                .arg(folder.parent().unwrap())
                .current_dir(root())
                .status()
                .unwrap();
            assert!(status.success(), "the orch binary could not be built");
        }
        binary
    })
}

/// Whether the binary is there and younger than every source that cargo lists beside it (`orch.d`).
fn is_fresh(binary: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let sources = fs::read_to_string(binary.with_extension("d")).unwrap_or_default();
    let Some((built, sources)) = changed(binary).zip(sources.split_once(": ").map(|(_, rest)| rest)) else {
        return false;
    };
    let is_older = |source: &str| changed(Path::new(source)).is_some_and(|time: SystemTime| time <= built);
    // A path with a space in it is written with a backslash; it counts as changed, which only costs a build.
    sources.split_whitespace().all(is_older)
}

/// A running `orch serve`; dropping it kills it.
#[derive(Debug)]
pub struct Orch {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    _stdout: BufReader<ChildStdout>,
}

impl Orch {
    /// Starts `orch serve` in `folder`, whose `orchestra.toml` says how, and waits until it listens.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn serve(folder: &Path) -> Self {
        Self::serve_with(folder, &[])
    }

    /// The same with further arguments.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn serve_with(folder: &Path, args: &[&str]) -> Self {
        let mut command = serve_command(folder);
        command.args(args);
        Self::start(command)
    }

    /// Starts what [`serve_command`] made on a port of its own, and waits until it listens.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let listening = command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut child = listening.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").and_then(|text| text.parse().ok());
        let address = address.unwrap_or_else(|| panic!("`orch serve` said `{line}`"));
        Self { child, address, _stdout: stdout }
    }

    /// Asks it to end, as a service manager does, and waits until it has; its exit code.
    ///
    /// # Panics
    /// If it cannot be asked, or is killed by a signal.
    #[must_use]
    pub fn terminate(mut self) -> i32 {
        // The shell has `kill` built in, and nothing here may be unsafe.
        let asked = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status();
        assert!(asked.unwrap().success());
        self.child.wait().unwrap().code().expect("it ended by itself")
    }

    /// Ends it as the operating system does when it must: at once, without a word to it.
    ///
    /// # Panics
    /// If it has ended before.
    pub fn kill(mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "it was running");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Orch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `orch serve` with its state in `folder/.orchestra`; where it listens is still to be said.
#[must_use]
pub fn serve_command(folder: &Path) -> Command {
    let mut command = Command::new(orch());
    command
        .arg("serve")
        .current_dir(folder)
        .env_remove("ORCHESTRA_CONFIG")
        .env_remove("ORCHESTRA_SERVER")
        .env("ORCHESTRA_KEYS", folder.join(".vault/keys.age"))
        .stdin(Stdio::null());
    command
}
