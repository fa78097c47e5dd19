//! The rules of ARCHITECTURE.md over `cargo metadata` and the sources: who may import whom, which
//! packages stay where, which crates never touch the outside world.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test helpers")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// Crates that may import everything of ours.
const FREE: &[&str] = &["orch", "e2e", "xtask"];

/// Crates that nobody but the free ones may import.
const TOPS: &[&str] = &["orch", "e2e", "xtask", "samples", "server", "mcp", "openai-http"];

/// Crates that embed in an editor, a browser or a validator.
const PURE: &[&str] = &["schema", "openapi", "plan-lang", "plan-ir", "plan-compiler", "plan-doc", "proof"];

/// What a pure crate must not have anywhere in its tree.
const OUTSIDE_WORLD: &[&str] =
    &["tokio", "tonic", "hyper", "rusqlite", "cranelift-codegen", "getrandom", "mio"];

/// The one crate with unsafe code.
const UNSAFE: &str = "plan-jit";

/// Packages that only the named crates may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("age", &["keys"]),
    ("flate2", &["openapi"]),
    ("cranelift-codegen", &["plan-jit"]),
    ("cranelift-frontend", &["plan-jit"]),
    ("cranelift-jit", &["plan-jit"]),
    ("cranelift-module", &["plan-jit"]),
    ("cranelift-native", &["plan-jit"]),
    ("pest", &["plan-lang"]),
    ("pest_meta", &["plan-lang"]),
    ("pest_vm", &["plan-lang"]),
    ("rowan", &["plan-lang"]),
    ("regex-automata", &["schema"]),
    ("rusqlite", &["store"]),
    ("saphyr-parser", &["openapi"]),
    ("rmcp", &["mcp"]),
    ("tonic", &["proto", "server", "orch", "subnet", "mcp", "openai-http", "e2e"]),
    ("prost", &["proto", "server", "orch", "subnet", "e2e"]),
    ("hyper-rustls", &["subnet"]),
    ("anyhow", &["orch", "xtask"]),
];

struct Workspace {
    packages: BTreeMap<String, Package>,
}

struct Package {
    name: String,
    ours: bool,
    folder: PathBuf,
    /// Name, whether it is a development dependency.
    dependencies: Vec<(String, bool)>,
    /// Ids of normal and build dependencies as resolved.
    resolved: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn workspace() -> Workspace {
    let manifest = root().join("Cargo.toml");
    let cargo = env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(manifest)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let mut resolved: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let normal = node["deps"].as_array().unwrap().iter().filter(|dep| {
            dep["dep_kinds"]
                .as_array()
                .unwrap()
                .iter()
                .any(|kind| kind["kind"] != "dev" && kind["kind"] != "build")
        });
        resolved.insert(
            node["id"].as_str().unwrap(),
            normal.map(|dep| dep["pkg"].as_str().unwrap().to_owned()).collect(),
        );
    }
    let packages = metadata["packages"].as_array().unwrap().iter().map(|package| {
        let id = package["id"].as_str().unwrap();
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let package = Package {
            name: package["name"].as_str().unwrap().to_owned(),
            ours: members.contains(id),
            folder: manifest.parent().unwrap().to_owned(),
            dependencies: dependencies
                .map(|dep| (dep["name"].as_str().unwrap().to_owned(), dep["kind"] == "dev"))
                .collect(),
            resolved: resolved.remove(id).unwrap_or_default(),
        };
        (id.to_owned(), package)
    });
    Workspace { packages: packages.collect() }
}

impl Workspace {
    fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.values().filter(|package| package.ours)
    }

    fn package(&self, name: &str) -> &Package {
        self.ours().find(|package| package.name == name).unwrap_or_else(|| panic!("no crate {name}"))
    }

    /// Names of everything the normal dependencies of `name` bring in.
    fn tree(&self, name: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = self.package(name).resolved.iter().map(String::as_str).collect();
        while let Some(id) = open.pop() {
            let package = &self.packages[id];
            if seen.insert(package.name.as_str()) {
                open.extend(package.resolved.iter().map(String::as_str));
            }
        }
        seen
    }
}

/// The picture of ARCHITECTURE.md: whom each crate may import; `None` is everything but [`TOPS`].
fn picture() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, section) = text.split_once("## Who may import whom").unwrap();
    let block = section.split("```").nth(1).unwrap();
    let list = |names: &str| names.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
    let mut picture = BTreeMap::new();
    for line in block.lines().filter(|line| !line.trim().is_empty()) {
        let (crates, imports) = match line.split_once("->") {
            Some((crates, imports)) if imports.contains("everything") => (crates, None),
            Some((crates, imports)) => (crates, Some(list(imports).into_iter().collect())),
            None => (line.split_once("  ").unwrap().0, Some(BTreeSet::new())),
        };
        picture.extend(list(crates).into_iter().map(|name| (name, imports.clone())));
    }
    picture
}

#[test]
fn crates_import_only_what_the_picture_allows() {
    let workspace = workspace();
    let picture = picture();
    let names: BTreeSet<&str> = workspace.ours().map(|package| package.name.as_str()).collect();
    for package in workspace.ours().filter(|package| !FREE.contains(&package.name.as_str())) {
        let Some(allowed) = picture.get(&package.name) else {
            panic!("{} is not in the picture of ARCHITECTURE.md", package.name);
        };
        for (dependency, dev) in &package.dependencies {
            let dependency = dependency.as_str();
            let admitted = match allowed {
                Some(allowed) => allowed.contains(dependency),
                None => !TOPS.contains(&dependency),
            };
            assert!(*dev || !names.contains(dependency) || admitted, "{} imports {dependency}", package.name);
        }
    }
    for name in picture.keys().filter(|name| !["cli", "tests"].contains(&name.as_str())) {
        assert!(
            names.contains(name.as_str()),
            "the picture of ARCHITECTURE.md has {name}, the workspace has not"
        );
    }
}

#[test]
fn pure_crates_never_reach_the_outside_world() {
    let workspace = workspace();
    for name in PURE {
        let tree = workspace.tree(name);
        for package in OUTSIDE_WORLD {
            assert!(!tree.contains(package), "{name} has {package} in its tree");
        }
        for file in sources(&workspace.package(name).folder.join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            // Tests, which stand at the end, may read what the project has.
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for call in
                ["std::fs", "std::net", "std::env::", "Instant::now", "SystemTime::now", "std::process"]
            {
                assert!(!text.contains(call), "{} uses {call}", file.display());
            }
        }
    }
}

#[test]
fn packages_stay_in_their_crates() {
    for package in workspace().ours() {
        for (dependency, dev) in &package.dependencies {
            if let Some((_, allowed)) = ONLY_IN.iter().find(|(name, _)| name == dependency) {
                let wrong = !dev && !allowed.contains(&package.name.as_str());
                assert!(!wrong, "{} depends on {dependency}", package.name);
            }
        }
    }
}

#[test]
fn every_crate_shares_the_lints_and_forbids_unsafe_code() {
    for package in workspace().ours() {
        let manifest = fs::read_to_string(package.folder.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} does not share the lints", package.name);
        let roots = ["src/lib.rs", "src/main.rs"].map(|file| package.folder.join(file));
        let root = roots.iter().find(|file| file.exists()).unwrap();
        let text = fs::read_to_string(root).unwrap();
        assert!(text.starts_with("//!"), "{} does not say what it is", root.display());
        let forbids = text.contains("#![forbid(unsafe_code)]");
        assert!(forbids != (package.name == UNSAFE), "{} allows unsafe code", root.display());
    }
}

#[test]
fn no_test_stands_where_none_is_run() {
    let mut without = 0;
    for package in workspace().ours() {
        let manifest = fs::read_to_string(package.folder.join("Cargo.toml")).unwrap();
        let library = manifest.split("\n[").find(|section| section.starts_with("lib]"));
        if library.is_some_and(|library| library.contains("test = false")) {
            without += 1;
            for file in sources(&package.folder.join("src")) {
                let text = fs::read_to_string(&file).unwrap();
                assert!(!text.contains("#[cfg(test)]") && !text.contains("#[test]"), "{}", file.display());
            }
        }
    }
    assert!(without > 0);
}

#[test]
fn every_unsafe_block_says_what_makes_it_sound() {
    for file in sources(&workspace().package(UNSAFE).folder.join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let is_block = |line: &str| line.contains("unsafe {") || line.starts_with("unsafe impl");
        if lines.iter().any(|line| is_block(line)) {
            let says_why = text.contains("#![expect(unsafe_code, reason = ");
            assert!(says_why, "{} has unsafe code and does not say why", file.display());
        }
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_block(line)) {
            // A comment may speak for what follows it, up to the end of its function.
            let start = (0..at).rev().find(|at| lines[*at].starts_with("fn ") || lines[*at].contains(" fn "));
            let above = &lines[start.unwrap_or(0)..at];
            let near = lines[at.saturating_sub(4)..at].iter().any(|line| line.contains("SAFETY:"));
            let spoken_for = above.iter().any(|line| line.contains("SAFETY, here and below:"));
            assert!(near || spoken_for, "{}:{}: {line}", file.display(), at + 1);
        }
    }
}

#[test]
fn every_error_code_has_a_page_and_every_page_a_code() {
    let mut used = BTreeMap::new();
    for package in workspace().ours() {
        for file in sources(&package.folder.join("src")) {
            for code in codes(&fs::read_to_string(&file).unwrap()) {
                used.entry(code).or_insert_with(|| file.clone());
            }
        }
    }
    let pages: BTreeSet<String> = fs::read_dir(root().join("docs/errors"))
        .unwrap()
        .map(|page| page.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "README")
        .collect();
    let missing: BTreeMap<_, _> = used.iter().filter(|(code, _)| !pages.contains(*code)).collect();
    assert!(missing.is_empty(), "codes without a page in docs/errors: {missing:#?}");
    let idle: Vec<_> = pages.iter().filter(|page| !used.contains_key(*page)).collect();
    assert!(idle.is_empty(), "pages in docs/errors of codes that nothing raises: {idle:?}");
}

/// Codes in quotes or brackets, such as `"E0304"` and `[W0901]`.
fn codes(text: &str) -> BTreeSet<String> {
    text.split(['"', '[', ']'])
        .filter(|part| {
            part.len() == 5
                && part.starts_with(['E', 'W'])
                && part.bytes().skip(1).all(|byte| byte.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
