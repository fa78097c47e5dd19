//! `orch proof verify` and `show`.

use std::fs;

use crate::orch::{Folder, shape};

fn proven() -> (Folder, String) {
    let folder = Folder::project_with_latency(1);
    folder.orch(["run", "plan.orch", "-q", "--proof", "run.orchproof"]).succeeds();
    (folder, "run.orchproof".to_owned())
}

#[test]
fn a_proof_of_this_project_verifies_and_says_what_it_does_not_prove() {
    let (folder, proof) = proven();
    let verified = folder.orch(["proof", "verify", &proof]).succeeds();
    assert!(verified.out.starts_with("VERIFIED: signed by this project's runtime ("), "{}", verified.out);
    assert!(
        verified.out.contains("  level      L1 (calls: 2 at L1)\n  not proven:\n    - "),
        "{}",
        verified.out
    );
    let json = folder.orch(["proof", "verify", "--json", &proof]).succeeds().json();
    assert_eq!(
        (&json["valid"], &json["level"], &json["signer"]["kind"]),
        (&true.into(), &"L1".into(), &"trusted".into())
    );
}

#[test]
fn a_proof_is_shown_with_its_calls_its_inputs_and_its_output() {
    let (folder, proof) = proven();
    let shown = folder.orch(["proof", "show", &proof]).succeeds().out;
    for part in
        ["VERIFIED: ", "the run succeeded\n", "paid       0.0225 USD\n", "inputs {\n  \"topic\"", "output {"]
    {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let row = shown.lines().find(|line| line.starts_with("hits ")).unwrap();
    assert_eq!(
        row.split_whitespace().take(6).collect::<Vec<_>>(),
        ["hits", "sn22.web_search", "ok", "1", "0.0025", "USD"]
    );
    let mut json = folder.orch(["proof", "show", "--json", &proof]).succeeds().json();
    assert_eq!(json["output"]["topic"], "Halcyon versus Meridian");
    json.as_object_mut().unwrap().retain(|name, _| name == "calls" || name == "inputs" || name == "bytes");
    insta::assert_snapshot!(shape(json), @r#"
    {
      "bytes": "<number>",
      "calls": [
        {
          "step": "hits",
          "operation": "sn22.web_search",
          "ended": "ok",
          "attempts": 1,
          "cost": {
            "rao": 0,
            "micro_usd": 2500
          },
          "basis": "observed",
          "took_us": "<number>",
          "attested": "not_attested",
          "signed_by": []
        },
        {
          "step": "summary",
          "operation": "sn28.chat_completions",
          "ended": "ok",
          "attempts": 1,
          "cost": {
            "rao": 0,
            "micro_usd": 20000
          },
          "basis": "declared",
          "took_us": "<number>",
          "attested": "not_attested",
          "signed_by": []
        }
      ],
      "inputs": {
        "topic": "Halcyon versus Meridian"
      }
    }
    "#);
}

#[test]
fn a_proof_of_somebody_else_is_whole_but_not_attributed() {
    let (folder, proof) = proven();
    let elsewhere = Folder::empty();
    fs::copy(folder.path(&proof), elsewhere.path("their.orchproof")).unwrap();
    let unknown = elsewhere.orch(["proof", "verify", "their.orchproof"]).exits(9);
    assert!(
        unknown.out.starts_with("NOT ATTRIBUTED: the bundle is whole, but its signer "),
        "{}",
        unknown.out
    );
    let key = unknown.err.split("--trust ").nth(1).unwrap().get(..64).unwrap().to_owned();
    let trusted = elsewhere.orch(["proof", "verify", "their.orchproof", "--trust", &key]).succeeds();
    assert!(trusted.out.starts_with("VERIFIED: signed by a key of --trust ("), "{}", trusted.out);
    elsewhere.orch(["proof", "show", "their.orchproof"]).exits(9);
    for bad in ["abc", &key.to_uppercase(), key.trim_start_matches(|c: char| c.is_ascii_hexdigit())] {
        let refused = elsewhere.orch(["proof", "verify", "their.orchproof", "--trust", bad]).exits(2);
        assert!(
            refused.err.contains("E1507") && refused.err.contains("64 lower-case hex digits"),
            "{}",
            refused.err
        );
    }
}

#[test]
fn a_changed_proof_is_refused_with_the_check_that_failed() {
    let (folder, proof) = proven();
    let good = fs::read(folder.path(&proof)).unwrap();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for (name, bytes) in [
        ("flipped", flipped),
        ("short", good[..good.len() - 1].to_vec()),
        ("long", [&good[..], b"x"].concat()),
        ("text", b"not a proof".to_vec()),
        ("empty", Vec::new()),
    ] {
        folder.write(name, bytes);
        let refused = folder.orch(["proof", "verify", name]).exits(10);
        assert!(
            refused.out.starts_with("REFUSED: this is not the proof of a run\n  E13"),
            "{name}: {}",
            refused.out
        );
        assert!(refused.err.contains("`orch explain E13"), "{}", refused.err);
        folder.orch(["proof", "show", name]).exits(10);
        let json = folder.orch(["proof", "verify", "--json", name]).exits(10).json();
        assert_eq!(json["valid"], false);
    }
    for name in ["nope", "."] {
        assert!(folder.orch(["proof", "verify", name]).exits(2).err.contains("E1502"));
    }
}

/// The hashes of a bundle that anyone could have written hold, and nothing in its verdict can be taken for more.
#[test]
fn a_proof_that_nobody_signed_is_called_so() {
    let (folder, proof) = proven();
    let bytes = fs::read(folder.path(&proof)).unwrap();
    let mut bundle = ::proof::bundle::Bundle::from_bytes(&bytes).unwrap();
    bundle.signatures.clear();
    folder.write("unsigned.orchproof", bundle.to_bytes());
    let unsigned = folder.orch(["proof", "verify", "unsigned.orchproof"]).exits(9);
    assert!(
        unsigned.out.starts_with(
            "NOT SIGNED: the hashes hold, and nobody signed it: anyone could have written all of it\n"
        ),
        "{}",
        unsigned.out
    );
    assert!(unsigned.err.contains("nobody answers for this one"), "{}", unsigned.err);
    let says = |name: &str, exit: i32| {
        let verdict = folder.orch(["proof", "verify", "--json", name]).exits(exit).json();
        ["valid", "signed", "attributed"].map(|field| verdict[field].as_bool().unwrap())
    };
    assert_eq!(says("unsigned.orchproof", 9), [true, false, false]);
    assert_eq!(says(&proof, 0), [true, true, true]);
    let shown = folder.orch(["proof", "show", "--json", "unsigned.orchproof"]).exits(9).json();
    assert_eq!(
        (&shown["verdict"]["signed"], &shown["calls"][0]["attested"]),
        (&false.into(), &"not_attested".into())
    );
}
