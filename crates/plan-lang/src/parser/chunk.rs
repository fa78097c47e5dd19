//! Where a file is split before it is parsed: before each declaration that starts in column 0.
//!
//! A chunk is parsed without looking at the others, so a broken declaration damages only itself, and an
//! editor parses again only what changed.

/// The words that start a declaration.
const ITEM_WORDS: [&str; 10] =
    ["edition", "use", "record", "enum", "policy", "capability", "adapter", "fn", "plan", "test"];

/// Words that may follow a name in an expression: `plan as T` is no declaration.
const OPERATOR_WORDS: [&str; 4] = ["as", "else", "with", "in"];

/// Splits `text` into chunks that, joined, are `text`. Never empty.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut starts = vec![0];
    // Where a run of blank lines, comments and docs began to hold docs, if it did.
    let mut docs: Option<usize> = None;
    let mut at = 0;
    for line in lines(text) {
        let trimmed = line.trim_start();
        if starts_item(line) {
            starts.push(docs.take().unwrap_or(at));
        } else if is_doc(trimmed) {
            docs.get_or_insert(at);
        } else if !trimmed.is_empty() && !trimmed.starts_with("//") {
            docs = None;
        }
        at += line.len();
    }
    starts.push(text.len());
    let chunks: Vec<&str> = starts
        .iter()
        .zip(starts.iter().skip(1))
        .filter_map(|(&start, &end)| text.get(start..end))
        .filter(|chunk| !chunk.is_empty())
        .collect();
    if chunks.is_empty() { vec![text] } else { chunks }
}

/// The lines of a text with their ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
    ends.chain([text.len()]).filter_map(move |end| {
        let line = text.get(start..end).filter(|line| !line.is_empty());
        start = end;
        line
    })
}

fn is_doc(line: &str) -> bool {
    line.starts_with("///") && !line.starts_with("////")
}

/// Whether the line starts a declaration: an item word in column 0 and then, on the same line, what only a
/// declaration can have there. The words are contextual, so `policy: String` or `test(x)` are none.
fn starts_item(line: &str) -> bool {
    let word = leading_word(line);
    if !ITEM_WORDS.contains(&word) {
        return false;
    }
    let rest = line.get(word.len()..).unwrap_or("").trim_start_matches([' ', '\t']);
    match rest.chars().next() {
        Some('"') => word == "test",
        Some(c) if c.is_ascii_digit() => word == "edition",
        Some(c) if c == '_' || c.is_alphabetic() => !OPERATOR_WORDS.contains(&leading_word(rest)),
        _ => false,
    }
}

fn leading_word(text: &str) -> &str {
    let end = text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
    text.get(..end).unwrap_or("")
}
