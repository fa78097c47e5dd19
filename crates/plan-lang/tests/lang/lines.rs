//! Lines and columns of a text.

use plan_lang::{LineCol, LineIndex};

#[test]
fn columns_of_every_character_convert_both_ways() {
    let text = "let a = \"\u{e9}\u{1F600}\u{4e2d}\"\r\n\n\u{1F600}\u{1F600}x\n";
    let index = LineIndex::new(text);
    assert_eq!(index.line_count(), 4);
    let (mut line, mut line_start) = (0, 0);
    for (at, c) in text.char_indices() {
        let before = text.get(line_start..at).unwrap();
        let narrow = LineCol { line, column: before.len() as u32 };
        let wide = LineCol { line, column: before.encode_utf16().count() as u32 };
        assert_eq!(index.utf8(at as u32), narrow);
        assert_eq!(index.utf16(at as u32), wide);
        assert_eq!(index.offset_utf8(narrow), Some(at as u32));
        assert_eq!(index.offset_utf16(wide), Some(at as u32));
        if c == '\n' {
            line += 1;
            line_start = at + 1;
        }
    }
    assert_eq!(index.utf8(9_999), LineCol { line: 3, column: 0 });
    assert_eq!(index.offset_utf16(LineCol { line: 9, column: 0 }), None);
}

#[test]
fn half_a_surrogate_pair_is_before_the_character() {
    let index = LineIndex::new("\u{1F600}x");
    assert_eq!(index.offset_utf16(LineCol { line: 0, column: 1 }), Some(0));
    assert_eq!(index.offset_utf16(LineCol { line: 0, column: 99 }), Some(5));
}
