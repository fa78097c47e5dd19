//! The packages for users, as they get them: built, installed on their own, and run against a real `orch serve` with
//! sample subnets and one that misbehaves.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::peer::Peer;
use e2e::process::Orch;
use e2e::{python, root};
use tempfile::TempDir;

/// What `orchestra.toml` says of a server for these tests.
const CONFIG: &str = "[development]\nsamples = true\nsample_latency_ms = 5\nallow_loopback = true\n";

/// The origin of the page that may call the server. Nothing listens there: the browser is handed the page.
const PAGE_ORIGIN: &str = "http://localhost:4173";

/// A server with sample subnets, beside a subnet whose failures are asked for.
struct World {
    folder: TempDir,
    orch: Orch,
    unruly: Peer,
}

impl World {
    fn start() -> Self {
        let folder = e2e::folder();
        fs::write(folder.path().join("orchestra.toml"), CONFIG).unwrap();
        let unruly = Peer::start("ORCH_PACKAGE_PYTHON", "venv-package", "unruly_server", &[]);
        Self { orch: Orch::serve_with(folder.path(), &["--allow-origin", PAGE_ORIGIN]), folder, unruly }
    }

    /// Tells a program where everything is.
    fn known_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("ORCHESTRA_SERVER", format!("http://{}", self.orch.address))
            .env("ORCHESTRA_UNRULY", self.unruly.ready.to_string())
            .env("ORCHESTRA_REPOSITORY", root())
            .env("ORCHESTRA_PAGE_ORIGIN", PAGE_ORIGIN)
            .env_remove("ORCHESTRA_TOKEN")
            .env("PYTHONDONTWRITEBYTECODE", "1")
    }
}

fn tools() -> PathBuf {
    python("ORCH_PACKAGE_PYTHON", "venv-package")
}

/// Runs it to its end; what it printed.
fn must(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}\n{error}");
    said
}

/// A fresh environment with the wheel in it. What the wheel depends on is taken from the environment of tools, so that
/// nothing is fetched.
fn installed(folder: &Path) -> PathBuf {
    let source = root().join("clients/python");
    let wheels = folder.join("wheels");
    must(
        Command::new(tools())
            .args(["-m", "build", "--wheel", "--no-isolation", "--outdir"])
            .arg(&wheels)
            .arg(&source),
    );
    let wheel = fs::read_dir(&wheels).unwrap().next().unwrap().unwrap().path();
    let environment = folder.join("environment");
    must(Command::new(tools()).args(["-m", "venv"]).arg(&environment));
    let own = environment.join("bin/python");
    let purelib = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let packages = |python: &Path| must(Command::new(python).args(["-c", purelib])).trim().to_owned();
    fs::write(Path::new(&packages(&own)).join("tools.pth"), packages(&tools())).unwrap();
    must(Command::new(&own).args(["-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]).arg(&wheel));
    own
}

#[test]
fn the_python_package_calls_streams_runs_watches_and_verifies() {
    let world = World::start();
    let own = installed(world.folder.path());
    let mut tests = Command::new(own);
    tests
        .args(["-m", "pytest", "-q"])
        .arg(root().join("clients/python/tests"))
        .current_dir(world.folder.path());
    let said = must(world.known_to(&mut tests));
    assert!(said.contains(" passed") && !said.contains("skipped"), "{said}");
}

#[test]
fn the_generated_code_of_python_is_fresh_and_all_of_it_is_typed() {
    let source = root().join("clients/python");
    must(Command::new(tools()).arg("generate.py").arg("--check").current_dir(&source));
    let cache = e2e::folder();
    let mut mypy = Command::new(tools());
    must(mypy.args(["-m", "mypy", "--cache-dir"]).arg(cache.path()).current_dir(&source));
}

/// A folder of tests with the packed package in it, and beside it what it depends on.
fn unpacked(folder: &Path) -> PathBuf {
    let source = root().join("clients/typescript");
    let modules = source.join("node_modules");
    assert!(modules.exists(), "run `cargo xtask test` once, which installs {}", modules.display());
    let project = folder.join("project");
    let package = project.join("node_modules/@orchestra/client");
    fs::create_dir_all(&package).unwrap();
    must(
        Command::new("npm").args(["pack", "--silent", "--pack-destination"]).arg(folder).current_dir(&source),
    );
    let tarball = folder.join("orchestra-client-0.1.0.tgz");
    must(Command::new("tar").arg("-xzf").arg(tarball).args(["--strip-components=1", "-C"]).arg(&package));
    for dependency in fs::read_dir(&modules).unwrap() {
        let dependency = dependency.unwrap();
        symlink(dependency.path(), project.join("node_modules").join(dependency.file_name())).unwrap();
    }
    for test in fs::read_dir(source.join("test")).unwrap() {
        let test = test.unwrap();
        fs::copy(test.path(), project.join(test.file_name())).unwrap();
    }
    project
}

#[test]
fn the_typescript_package_works_in_node_and_in_a_browser_and_verifies() {
    let world = World::start();
    let project = unpacked(world.folder.path());
    let mut tests = Command::new("node");
    tests
        .args(["--test", "--test-timeout=120000", "client.test.mjs", "browser.test.mjs", "proof.test.mjs"])
        .current_dir(project);
    let said = must(world.known_to(&mut tests));
    assert!(
        said.contains("# fail 0") && said.contains("# skipped 0") && !said.contains("# pass 0"),
        "{said}"
    );
}

#[test]
fn the_generated_code_of_typescript_is_fresh() {
    let source = root().join("clients/typescript");
    let made = e2e::folder();
    let mut generate = Command::new("npx");
    must(generate.args(["buf", "generate", "--output"]).arg(made.path()).current_dir(&source));
    must(Command::new("diff").arg("-r").arg(made.path().join("src/gen")).arg(source.join("src/gen")));
}
