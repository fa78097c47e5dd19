//! The error pages of this crate: each code has one, and the documents on it do what it says.

use std::path::Path;

use openapi::{Document, ExampleCall, Origin};

/// Reads everything there is to read of a document; the code of the first refusal.
fn code(text: &str) -> Option<&'static str> {
    let all = || {
        let document = Document::read(text.as_bytes())?;
        for operation in document.operations()? {
            document.request(&operation)?;
            document.answer(&operation)?;
        }
        let origin = Origin { netuid: 1, ..Origin::default() };
        document.import(&origin)?.operations.into_iter().try_for_each(|operation| operation.entry.map(drop))
    };
    all().err().map(|error: openapi::Error| error.code)
}

/// The bodies of fences with this info string.
fn snippets<'p>(page: &'p str, info: &str) -> Vec<&'p str> {
    let fence = format!("```{info}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn documents_on_the_pages_fail_and_are_read_as_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    for number in 1250..=1259 {
        let code_of_page = format!("E{number}");
        let page = std::fs::read_to_string(folder.join(format!("{code_of_page}.md"))).unwrap();
        assert!(page.starts_with(&format!("# {code_of_page}: ")) && page.contains("## What to do"));
        let (failing, good) = (snippets(&page, "yaml fails"), snippets(&page, "yaml ok"));
        // The limits on page E1251 would take a page of their own to reach.
        assert_eq!((failing.len(), good.len()), if number == 1251 { (0, 0) } else { (1, 1) }, "{number}");
        for text in failing {
            assert_eq!(code(text), Some(code_of_page.as_str()));
        }
        for text in good {
            assert_eq!(code(text), None, "{number}");
        }
    }
}

#[test]
fn examples_on_the_page_fail_and_are_read_as_they_say() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors/E1260.md"))
            .unwrap();
    let read = |text: &str| {
        let call: ExampleCall = toml::from_str(text).unwrap();
        call.entry(&Origin { netuid: 1, ..Origin::default() }).map_err(|error| error.code)
    };
    let (failing, good) = (snippets(&page, "toml fails"), snippets(&page, "toml ok"));
    assert_eq!((failing.len(), good.len()), (1, 1));
    assert_eq!(read(failing[0]).unwrap_err(), "E1260");
    assert_eq!(read(good[0]).unwrap().descriptor.id, "sn1.search");
}
