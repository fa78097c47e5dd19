//! One meaning per error code: each code is raised by the crates that own its range, so that no two crates
//! give the same number to different things.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// First code, last code, the crates that may raise them: the table of `docs/errors/README.md`.
const OWNERS: &[(&str, &str, &[&str])] = &[
    ("E0100", "E0199", &["plan-lang"]),
    ("E0200", "E0599", &["plan-compiler"]),
    ("E0600", "E0607", &["schema"]),
    ("E0608", "E0608", &["server"]),
    ("E0609", "E0699", &["schema"]),
    ("E0700", "E0799", &["plan-ir", "plan-compiler"]),
    ("E0800", "E0899", &["plan-ir"]),
    ("W0900", "W0999", &["plan-lang", "plan-compiler"]),
    ("E1000", "E1099", &["store"]),
    ("E1100", "E1119", &["subnet"]),
    ("E1120", "E1129", &["schema"]),
    ("E1130", "E1149", &["subnet"]),
    ("E1150", "E1179", &["runtime"]),
    ("E1200", "E1249", &["ledger-service"]),
    ("E1250", "E1269", &["openapi"]),
    ("E1270", "E1299", &["ledger-service"]),
    ("E1300", "E1319", &["proof"]),
    ("E1320", "E1399", &["proof", "runtime"]),
    ("E1400", "E1499", &["runtime"]),
    ("E1500", "E1599", &["cli", "server"]),
    ("E1600", "E1699", &["runtime"]),
    ("E1700", "E1799", &["keys"]),
    ("E1820", "E1839", &["openai-http"]),
    ("E1850", "E1859", &["mcp"]),
];

/// Crates that pass on the codes of those below them, or ask for them.
const PASS_ON: &[&str] = &["cli", "server", "mcp", "openai-http", "fuzz-bodies"];

/// The same refusal, raised where it is noticed: a request id that was used for another request, and a plan that
/// the pages of two crates show.
const SHARED: &[(&str, &str)] = &[("runtime", "E1008"), ("plan-lang", "E0304")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn every_code_is_raised_by_the_crates_that_own_it() {
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if PASS_ON.contains(&name.as_str()) {
            continue;
        }
        for code in codes_below(&folder.join("src")) {
            let owned = OWNERS.iter().any(|(first, last, owners)| {
                (*first..=*last).contains(&code.as_str()) && owners.contains(&name.as_str())
            });
            if !owned && !SHARED.contains(&(name.as_str(), code.as_str())) {
                wrong.push(format!("{name} raises {code}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}; see docs/errors/README.md", wrong.join(", "));
}

#[test]
fn every_page_is_about_the_code_it_is_named_by() {
    for entry in fs::read_dir(root().join("docs/errors")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name != "README" {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&format!("# {name}: ")), "{}", path.display());
        }
    }
}

fn codes_below(folder: &Path) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                codes.extend(codes_in(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    codes
}

/// Quoted codes such as `"E0304"` and `"W0901"`.
fn codes_in(text: &str) -> BTreeSet<String> {
    let is_code = |part: &&str| {
        part.len() == 5
            && part.starts_with(['E', 'W'])
            && part.bytes().skip(1).all(|byte| byte.is_ascii_digit())
    };
    text.split('"').filter(is_code).map(str::to_owned).collect()
}
