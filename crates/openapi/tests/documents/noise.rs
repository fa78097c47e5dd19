//! Damaged documents: nothing panics or hangs, and every refusal has a code.

use proptest::prelude::*;

use crate::document::read;

const SEEDS: [&str; 3] = [
    include_str!("fixtures/library31.yaml"),
    include_str!("fixtures/shop30.json"),
    include_str!("fixtures/pets20.yaml"),
];

/// One change of the text: a piece removed, doubled, or put in from elsewhere.
fn damaged(seed: &str, cuts: &[(usize, usize, u8)]) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "$ref", ": *a", "&a ", "<<", "[", "}", "\"", "#/paths", "null", "allOf", "---", "\n", "  ", "\t",
        "?", "\u{0}",
    ];
    let mut text = seed.as_bytes().to_vec();
    for (from, length, kind) in cuts {
        let from = from % text.len().max(1);
        let to = (from + length).min(text.len());
        match kind % 3 {
            0 => drop(text.splice(from..to, [])),
            1 => {
                let piece = text.get(from..to).unwrap_or_default().to_vec();
                drop(text.splice(from..from, piece));
            }
            _ => {
                let word = WORDS.get(*length % WORDS.len()).copied().unwrap_or_default();
                drop(text.splice(from..from, word.bytes()));
            }
        }
    }
    text
}

proptest! {
    #[test]
    fn damaged_documents_are_read_or_refused(
        seed in prop::sample::select(SEEDS.to_vec()),
        cuts in prop::collection::vec((any::<usize>(), 0_usize..40, any::<u8>()), 1..6),
    ) {
        read(&damaged(seed, &cuts));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[ \\n\\-:{}\\[\\],&*!|>'\"%@`#?a-c<0-9]{0,80}") {
        read(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }
}

#[test]
fn what_once_went_wrong_is_read_or_refused() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        read(&std::fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 0);
}
