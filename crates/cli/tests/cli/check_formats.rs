//! `orch check --format`: what code hosts read.

use std::path::Path;

use serde_json::Value;

use crate::orch::{Folder, ended};

/// A file with findings of every kind: with and without fixes, over several lines, behind wide characters.
const FINDINGS: &str = "edition 2026\nuse cap { web_serch }\n\nfn one(x: Int) -> Int x\n\
                        fn two(h: String) -> String = (\"\u{1F600}\" + h.trim()) ?? \"100%,\n\";\n\
                        fn three(x: Int?) -> Int = match x {\n  null => 0,\n}\nfn four(x: Int) -> Int = x ?? 2\n";

fn folder() -> Folder {
    let folder = Folder::empty();
    folder.write("sub dir/find.orch", FINDINGS);
    folder.write("clean.orch", "fn f() -> Int = 1\n");
    folder
}

#[test]
fn github_gets_an_annotation_per_finding() {
    let folder = folder();
    let checked = folder.orch(["check", "--format", "github"]).exits(1);
    insta::assert_snapshot!(checked.out);
    assert!(checked.err.starts_with("checked 2 files, 0 plans: "), "{}", checked.err);
    for line in checked.out.lines() {
        let (head, _) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let (kind, properties) = head.split_once(' ').unwrap();
        assert!(["error", "warning", "notice"].contains(&kind), "{line}");
        for property in properties.split(',') {
            let (name, value) = property.split_once('=').unwrap();
            let number = !["title", "file"].contains(&name);
            assert!(!number || value.parse::<u32>().is_ok_and(|number| number > 0), "{line}");
        }
    }
    let clean = folder.orch(["check", "--format", "github", "clean.orch"]).succeeds();
    assert_eq!(clean.out, "");
}

#[test]
fn paths_are_those_of_the_checkout() {
    let folder = folder();
    let mut command = folder.command(["check", "--format", "github", "find.orch"]);
    command.current_dir(folder.path("sub dir"));
    let here = ended(&mut command).exits(1).out;
    assert!(here.contains(",file=find.orch,"), "{here}");
    let from_root = ended(command.env("GITHUB_WORKSPACE", folder.path("."))).exits(1).out;
    assert!(from_root.contains(",file=sub dir/find.orch,"), "{from_root}");
    let elsewhere = ended(command.env("GITHUB_WORKSPACE", folder.path("nowhere"))).exits(1).out;
    assert_eq!(elsewhere, here);
    // The places are the same of standard input, which goes by the name that it has in messages.
    let piped = folder.orch_with_input(["check", "--format", "github", "-"], FINDINGS).exits(1).out;
    assert_eq!(piped, here.replace(",file=find.orch,", ",file=<stdin>,"));
    assert!(piped.lines().count() > 3 && piped.contains(",file=<stdin>,line=4,endLine=4,col=22,"), "{piped}");
}

#[test]
fn a_sarif_log_is_one_document() {
    let folder = folder();
    let checked = folder.orch(["check", "--format", "sarif"]).exits(1);
    let log = checked.json();
    assert_eq!(checked.out.lines().count(), 1);
    let mut shown = log.clone();
    // The pages are tested where they are made.
    for rule in shown["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap() {
        rule["help"] = "<page>".into();
    }
    shown["runs"][0]["tool"]["driver"]["semanticVersion"] = "<version>".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&shown).unwrap());
    check_log(&log, &folder.path("."));
    let piped = folder.orch_with_input(["check", "--format", "sarif", "-"], FINDINGS).exits(1).json();
    check_log(&piped, &folder.path("."));
    let clean = folder.orch(["check", "--format", "sarif", "clean.orch", "-q"]).succeeds();
    assert_eq!((clean.err.as_str(), clean.json()["runs"][0]["results"].as_array().unwrap().len()), ("", 0));
}

/// A code host reads what is written to standard output, and nothing else.
#[test]
fn why_nothing_was_checked_is_told_in_the_same_format() {
    let folder = folder();
    let told = folder.orch(["check", "--format", "github", "clean.orch", "no,where.orch"]).exits(2);
    assert_eq!(
        told.out,
        "::error title=E1502,file=no%2Cwhere.orch::no,where.orch cannot be read: there is no such file or folder\
         %0Ahelp: check the path; it is taken from the working folder\n"
    );
    assert!(told.err.contains("error[E1502]"), "{}", told.err);
    let log = folder.orch(["check", "--format", "sarif", "nowhere.orch"]).exits(2).json();
    let run = &log["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "E1502");
    let [result] = run["results"].as_array().unwrap().as_slice() else { panic!("{log}") };
    assert_eq!(result["ruleId"], "E1502");
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "nowhere.orch");
    assert!(result["message"]["text"].as_str().unwrap().starts_with("nowhere.orch cannot be read"), "{log}");
}

#[test]
fn formats_that_contradict_each_other_are_refused() {
    let folder = folder();
    for (args, why) in [
        (&["check", "--json", "--format", "sarif"][..], "`--json` is another format"),
        (&["check", "--diff", "--format", "github"], "a diff is shown with"),
        (&["check", "--format", "sarfi"], "a similar value exists: 'sarif'"),
    ] {
        let refused = folder.orch(args).exits(2);
        assert!(refused.err.contains(why) && refused.out.is_empty(), "{}", refused.err);
    }
    let twice = folder.orch(["check", "--json", "--format", "json"]).exits(1);
    assert_eq!(twice.out, folder.orch(["check", "--json"]).exits(1).out);
    // What comes before any finding is said as JSON too.
    let missing = folder.orch(["check", "--format", "json", "nowhere.orch"]).exits(2);
    assert_eq!(missing.json()["error"]["code"], "E1502");
}

/// What SARIF 2.1.0 demands of the parts that are used: names, kinds, references, order.
fn check_log(log: &Value, root: &Path) {
    only(log, &["$schema", "version", "runs"], &[]);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    only(run, &["tool", "results", "columnKind", "invocations", "artifacts"], &[]);
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let driver = &run["tool"]["driver"];
    only(driver, &["name", "semanticVersion", "rules"], &[]);
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        only(rule, &["id", "shortDescription", "help", "defaultConfiguration"], &[]);
        assert!(!rule["help"]["markdown"].as_str().unwrap().is_empty());
        assert!(!rule["help"]["text"].as_str().unwrap().contains("```"));
    }
    for result in run["results"].as_array().unwrap() {
        only(
            result,
            &["ruleId", "ruleIndex", "level", "message", "locations"],
            &["relatedLocations", "fixes"],
        );
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert_eq!(result["locations"].as_array().unwrap().len(), 1);
        check_place(&result["locations"][0]["physicalLocation"], root);
        for related in result["relatedLocations"].as_array().unwrap() {
            check_place(&related["physicalLocation"], root);
        }
        for fix in result["fixes"].as_array().into_iter().flatten() {
            only(fix, &["description", "artifactChanges", "properties"], &[]);
            let change = &fix["artifactChanges"][0];
            let replacements = change["replacements"].as_array().unwrap();
            assert!(!replacements.is_empty());
            for replacement in replacements {
                only(replacement, &["deletedRegion", "insertedContent"], &[]);
                check_region(&replacement["deletedRegion"]);
            }
        }
    }
}

fn check_place(place: &Value, root: &Path) {
    only(place, &["artifactLocation", "region"], &[]);
    let uri = place["artifactLocation"]["uri"].as_str().unwrap();
    if place["artifactLocation"]["uriBaseId"] == "%SRCROOT%" {
        assert!(root.join(uri.replace("%20", " ")).is_file(), "{uri}");
    } else {
        assert_eq!(uri, "stdin:");
    }
    check_region(&place["region"]);
}

fn check_region(region: &Value) {
    only(region, &["startLine", "startColumn", "endLine", "endColumn"], &[]);
    let [line, column, end_line, end_column] =
        ["startLine", "startColumn", "endLine", "endColumn"].map(|name| region[name].as_u64().unwrap());
    assert!(line > 0 && column > 0 && end_column > 0 && (line, column) <= (end_line, end_column), "{region}");
}

/// The value has all of `required` and nothing beyond `optional`.
fn only(value: &Value, required: &[&str], optional: &[&str]) {
    let fields = value.as_object().unwrap();
    for name in required {
        assert!(fields.contains_key(*name), "{name} is missing in {value}");
    }
    for name in fields.keys() {
        let known = required.contains(&name.as_str()) || optional.contains(&name.as_str());
        assert!(known, "{name} is no part of {value}");
    }
}
