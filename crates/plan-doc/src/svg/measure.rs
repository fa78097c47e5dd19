//! How much room text takes, without a font at hand: the widths of a common one, rounded up.

use super::arrange::TextLine;

/// Width of a character in a font of size 1.
fn width_of(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | '!' | '`' => 0.29,
        ' ' | 'f' | 't' | 'r' | 'I' | '(' | ')' | '[' | ']' | '/' | '\\' | '-' | '"' | '*' => 0.39,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '\u{2026}' => 0.95,
        'A'..='Z' | '&' | '<' | '>' | '=' | '+' | '~' | '#' => 0.72,
        ' '..='~' => 0.58,
        // Wide scripts and pictures.
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{1f000}'..='\u{3fffd}' => 1.1,
        _ => 0.68,
    }
}

/// Width of `text`.
pub(super) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let factor = if bold { 1.08 } else { 1.0 };
    text.chars().map(width_of).sum::<f64>() * size * factor
}

/// `text` in lines that fit, broken between words, and within words that are too wide for a line. Of more than
/// `lines_max`, the last that is kept ends in an ellipsis.
pub(super) fn wrap(text: &str, size: f64, bold: bool, width_max: f64, lines_max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if lines.len() > lines_max {
            break;
        }
        match lines.last_mut() {
            Some(last) if width(&format!("{last} {word}"), size, bold) <= width_max => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.extend(pieces(word, size, bold, width_max).take(lines_max + 1)),
        }
    }
    if lines.len() > lines_max {
        lines.truncate(lines_max);
        if let Some(last) = lines.last_mut() {
            let room = width_max - width("\u{2026}", size, bold);
            while width(last, size, bold) > room && last.pop().is_some() {}
            last.push('\u{2026}');
        }
    }
    lines
}

/// A word in parts that fit.
fn pieces(word: &str, size: f64, bold: bool, width_max: f64) -> impl Iterator<Item = String> {
    let of = move |c: char| width(c.encode_utf8(&mut [0; 4]), size, bold);
    let mut chars = word.chars().peekable();
    std::iter::from_fn(move || {
        let mut piece = String::from(chars.next()?);
        let mut used = width(&piece, size, bold);
        while let Some(c) = chars.next_if(|c| used + of(*c) <= width_max) {
            used += of(c);
            piece.push(c);
        }
        Some(piece)
    })
}

/// Width of the widest line.
pub(super) fn widest(lines: &[TextLine]) -> f64 {
    lines.iter().map(|line| width(&line.text, line.kind.size(), line.kind.is_bold())).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words_and_never_wider_than_there_is_room() {
        let text = "call sn22.web_search | sn52.web_search, 4 s each, 1 retry, accept, fallback to a value";
        for lines_max in 1..8 {
            let lines = wrap(text, 11.0, false, 120.0, lines_max);
            assert!(lines.len() <= lines_max && lines.iter().all(|line| width(line, 11.0, false) <= 120.0));
        }
        assert_eq!(wrap(text, 11.0, false, 2_000.0, 2), [text]);
        assert_eq!(wrap("", 11.0, false, 100.0, 2), [""; 0]);
        let alphabet = "abcdefghijklmnopqrstuvwxyz";
        assert_eq!(wrap(alphabet, 11.0, true, 60.0, 9).concat(), alphabet);
        assert!(wrap(alphabet, 11.0, true, 60.0, 2)[1].ends_with('\u{2026}'));
    }
}
