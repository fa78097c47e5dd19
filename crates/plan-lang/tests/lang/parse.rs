//! Parsing as a user of the crate sees it.

use plan_lang::{SourceFile, parse, render};
const FIXTURES: [(&str, &str); 5] = [
    ("analyse.orch", include_str!("../fixtures/analyse.orch")),
    ("answer.orch", include_str!("../fixtures/answer.orch")),
    ("screen.orch", include_str!("../fixtures/screen.orch")),
    ("web_search_adapter.orch", include_str!("../fixtures/web_search_adapter.orch")),
    ("everything.orch", include_str!("../fixtures/everything.orch")),
];

#[test]
fn fixtures_parse_without_a_diagnostic() {
    for (name, text) in FIXTURES {
        let parse = parse(text);
        assert_eq!(parse.syntax().text(), text);
        let shown = render(&SourceFile { name, text }, parse.diagnostics(), false);
        assert_eq!(shown, "", "{name}");
    }
}
