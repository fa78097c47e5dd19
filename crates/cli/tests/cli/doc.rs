//! `orch doc`: pages to standard output and into folders.

use crate::orch::Folder;

const TWO: &str =
    "edition 2026\n\n/// The first.\nplan a(x: Int(0..9)) -> Int { x + 1 }\n\nplan b() -> Int { 2 }\n";

#[test]
fn one_page_goes_to_standard_output() {
    let folder = Folder::project();
    let page = folder.orch(["doc", "plan.orch"]).succeeds();
    assert!(page.out.starts_with("# plan brief\n\n"), "{}", page.out);
    for part in [
        "## Inputs and result",
        "## Bounds\n\nCosts at most 0.028 USD, of a budget of 0.05 USD. ",
        "| hits (`web_search`) | 0.008 USD | 20.4 s | 2 attempts x 0.004 USD | declared |",
        "## Graph",
        "| `sn22.web_search` 1.1 |",
        "## When something fails",
        "From `plan.orch`; plan ",
    ] {
        assert!(page.out.contains(part), "{part}\n{}", page.out);
    }
    assert_eq!(folder.orch(["doc"]).succeeds().out, page.out);
    assert_eq!(folder.orch(["doc", "plan.orch", "--plan", "brief"]).succeeds().out, page.out);
    let html = folder.orch(["doc", "plan.orch", "--format", "html"]).succeeds().out;
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("<title>plan brief</title>"), "{html}");
    let json = folder.orch(["doc", "plan.orch", "--json"]).succeeds().json();
    assert_eq!((&json["plan"], &json["text"]), (&"brief".into(), &page.out.as_str().into()));
}

#[test]
fn all_pages_and_an_index_go_into_a_folder() {
    let folder = Folder::project();
    folder.write("sub/two.orch", TWO);
    folder.write("only_functions.orch", "edition 2026\nfn f() -> Int = 1\n");
    let made = folder.orch(["doc", "--out", "site/pages"]).succeeds();
    assert_eq!(made.err, "wrote 3 pages and site/pages/index.md\n");
    let names: Vec<_> =
        folder.files("site/pages").iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["index.md", "plan.brief.md", "sub-two.a.md", "sub-two.b.md"]);
    let index = folder.read("site/pages/index.md");
    assert!(
        index.contains(
            "| [a](sub-two.a.md) | The first. | makes no call and costs nothing | `sub/two.orch` |"
        )
    );
    let first = folder.read("site/pages/sub-two.a.md");
    let again = folder.orch(["doc", "--out", "site/pages", "--json"]).succeeds().json();
    assert_eq!(again["written"].as_array().unwrap().len(), 4);
    assert_eq!(folder.read("site/pages/sub-two.a.md"), first);
    folder.orch(["doc", "--out", "html", "--format", "html", "--plan", "a", "-q"]).succeeds();
    assert_eq!(folder.files("html").len(), 2);
    assert!(folder.read("html/index.html").contains("<a href=\"sub-two.a.html\">a</a>"));
}

#[test]
fn what_is_not_clear_or_broken_writes_nothing() {
    let folder = Folder::project();
    folder.write("two.orch", TWO);
    let several = folder.orch(["doc"]).exits(2);
    assert!(several.err.contains("E1506") && several.err.contains("--out FOLDER"), "{}", several.err);
    let which = folder.orch(["doc", "two.orch"]).exits(2);
    assert!(which.err.contains("--plan NAME"), "{}", which.err);
    assert!(folder.orch(["doc", "--plan", "b"]).succeeds().out.starts_with("# plan b\n"));
    let unknown = folder.orch(["doc", "two.orch", "--plan", "c"]).exits(2);
    assert!(unknown.err.contains("has no plan `c`"), "{}", unknown.err);
    let nowhere = folder.orch(["doc", "--out", "site", "--plan", "c"]).exits(2);
    assert!(nowhere.err.contains("none of the files has a plan `c`"), "{}", nowhere.err);
    folder.write("broken.orch", "plan p() -> Int {");
    let broken = folder.orch(["doc", "--out", "site"]).exits(1);
    assert!(broken.err.contains("E0116"), "{}", broken.err);
    assert!(!folder.path("site").exists());
    folder.write("taken", "a file");
    let taken = folder.orch(["doc", "two.orch", "--out", "taken"]).exits(1);
    assert!(taken.err.contains("error[E1503]"), "{}", taken.err);
}
