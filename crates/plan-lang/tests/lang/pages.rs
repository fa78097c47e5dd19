//! Every code of the crate has a page whose failing snippet fails with that code and whose fixed one does not.

use std::path::Path;

use plan_lang::{codes, format, parse};

/// Mistakes that no readable snippet can show: size, depth, encoding, what cannot be seen.
const WITHOUT_SNIPPET: [&str; 5] = ["E0101", "E0102", "E0103", "E0104", "E0105"];

/// The text of the fenced block with that info string.
fn block<'a>(page: &'a str, info: &str) -> Option<&'a str> {
    let (_, after) = page.split_once(&format!("```{info}\n"))?;
    after.split_once("```\n").map(|(block, _)| block)
}

#[test]
fn every_code_has_a_page_that_is_true() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    for code in codes::ALL {
        let name = code.as_str();
        let page = std::fs::read_to_string(pages.join(format!("{name}.md"))).unwrap_or_default();
        assert!(page.starts_with(&format!("# {name}: ")), "{name} has no page");
        let (Some(fails), Some(ok)) = (block(&page, "orch fails"), block(&page, "orch ok")) else {
            assert!(WITHOUT_SNIPPET.contains(&name), "{name} has no snippets");
            continue;
        };
        let found: Vec<_> = parse(fails).diagnostics().iter().map(|found| found.code.as_str()).collect();
        assert_eq!(found, [name], "{fails}");
        assert_eq!(parse(ok).diagnostics(), [], "{name}: {ok}");
        assert_eq!(format(ok).unwrap(), ok, "{name}: the fixed snippet is not formatted");
    }
}
