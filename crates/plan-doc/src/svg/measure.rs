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

/// `text` without its end, so that it fits.
pub(super) fn shorten(text: &str, size: f64, bold: bool, width_max: f64) -> String {
    if width(text, size, bold) <= width_max {
        return text.to_owned();
    }
    let factor = if bold { 1.08 } else { 1.0 };
    let mut left = width_max - width_of('\u{2026}') * size * factor;
    let mut short = String::new();
    for c in text.chars() {
        left -= width_of(c) * size * factor;
        if left < 0.0 {
            break;
        }
        short.push(c);
    }
    short.truncate(short.trim_end().len());
    short.push('\u{2026}');
    short
}

/// `text` in lines that fit, broken between words; at most `lines_max`, the last shortened.
pub(super) fn wrap(text: &str, size: f64, width_max: f64, lines_max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let is_full = lines.len() == lines_max;
        let Some(last) = lines.last_mut() else {
            lines.push(shorten(word, size, false, width_max));
            continue;
        };
        let longer = format!("{last} {word}");
        if width(&longer, size, false) <= width_max {
            *last = longer;
        } else if is_full {
            *last = shorten(&longer, size, false, width_max);
            break;
        } else {
            lines.push(shorten(word, size, false, width_max));
        }
    }
    lines
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
            let lines = wrap(text, 11.0, 120.0, lines_max);
            assert!(lines.len() <= lines_max && lines.iter().all(|line| width(line, 11.0, false) <= 120.0));
        }
        assert_eq!(wrap(text, 11.0, 2_000.0, 2), [text]);
        assert_eq!(wrap("", 11.0, 100.0, 2), [""; 0]);
        assert!(wrap("abcdefghijklmnopqrstuvwxyz", 11.0, 60.0, 2)[0].ends_with('\u{2026}'));
        assert_eq!(shorten("a name", 11.0, true, 500.0), "a name");
    }
}
