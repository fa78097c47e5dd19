//! Tables: aligned columns for people, tab-separated rows for programs.

use std::fmt::Write as _;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    head: &'static str,
    right: bool,
}

/// A column of text.
pub(crate) const fn text(head: &'static str) -> Column {
    Column { head, right: false }
}

/// A column of figures, aligned to the right.
pub(crate) const fn figures(head: &'static str) -> Column {
    Column { head, right: true }
}

/// Aligned columns under a head; lines longer than `width` characters are cut.
pub(crate) fn aligned(columns: &[Column], rows: &[Vec<String>], width: usize) -> String {
    let head: Vec<String> = columns.iter().map(|column| column.head.to_owned()).collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|index| {
            let cells = std::iter::once(&head).chain(rows).filter_map(|row| row.get(index));
            cells.map(|cell| console::measure_text_width(cell)).max().unwrap_or(0)
        })
        .collect();
    let mut table = String::new();
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        for ((cell, column), width) in row.iter().zip(columns).zip(&widths) {
            let fill = " ".repeat(width.saturating_sub(console::measure_text_width(cell)));
            let (before, after) = if column.right { (fill.as_str(), "") } else { ("", fill.as_str()) };
            // Writing to a string cannot fail.
            let _ = write!(line, "{before}{cell}{after}  ");
        }
        let _ = writeln!(table, "{}", console::truncate_str(line.trim_end(), width, "…"));
    }
    table
}

/// Rows without a head, cells separated by tabs; a tab or line break within a cell becomes a space.
pub(crate) fn tabbed(rows: &[Vec<String>]) -> String {
    let plain = |cell: &String| cell.replace(['\t', '\n', '\r'], " ");
    rows.iter().map(|row| row.iter().map(plain).collect::<Vec<_>>().join("\t") + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_for_people_and_split_by_tabs_for_programs() {
        let rows = vec![
            vec!["a".to_owned(), "5".into(), "long cell".into()],
            vec!["bb".into(), "12".into(), "c\td".into()],
        ];
        let columns = [text("X"), figures("N"), text("Y")];
        assert_eq!(aligned(&columns, &rows, 80), "X    N  Y\na    5  long cell\nbb  12  c\td\n");
        assert_eq!(aligned(&columns, &rows[..1], 9), "X  N  Y\na  5  lo…\n");
        assert_eq!(tabbed(&rows), "a\t5\tlong cell\nbb\t12\tc d\n");
    }
}
