//! Server-sent events and lines, taken out of a body that comes in parts.
//! By the stream format of the HTML standard, section 9.2.6: of an event only its data matters here.

/// Collects bytes and gives whole lines without their ends: LF, CR LF, or CR.
#[derive(Debug, Default)]
pub(crate) struct LineReader {
    pending: Vec<u8>,
    /// A CR ended the last line; an LF right after it belongs to it.
    after_cr: bool,
    /// CR alone ends a line, too, as it does in events.
    splits_at_cr: bool,
}

impl LineReader {
    /// Lines as in events.
    pub(crate) fn of_events() -> Self {
        Self { splits_at_cr: true, ..Self::default() }
    }

    /// Takes `bytes`; calls `line` for each line that is complete.
    pub(crate) fn take(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8])) {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(at) =
            rest.iter().position(|byte| *byte == b'\n' || self.splits_at_cr && *byte == b'\r')
        {
            let (head, tail) = rest.split_at(at);
            let (is_cr, tail) = (tail.first() == Some(&b'\r'), tail.get(1..).unwrap_or_default());
            self.pending.extend_from_slice(head);
            let whole = std::mem::take(&mut self.pending);
            line(if self.splits_at_cr { &whole } else { whole.strip_suffix(b"\r").unwrap_or(&whole) });
            self.after_cr = is_cr && tail.is_empty();
            rest = if is_cr { tail.strip_prefix(b"\n").unwrap_or(tail) } else { tail };
        }
        self.pending.extend_from_slice(rest);
    }

    /// What stands after the last line end.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pending)
    }
}

/// Collects lines and gives the data of whole events.
#[derive(Debug, Default)]
pub(crate) struct EventReader {
    data: Vec<u8>,
    has_data: bool,
    is_past_start: bool,
}

impl EventReader {
    /// Takes one line; gives the data of the event it ends, if it ends one that has data.
    pub(crate) fn line(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        let line = match std::mem::replace(&mut self.is_past_start, true) {
            false => line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line),
            true => line,
        };
        if line.is_empty() {
            return std::mem::take(&mut self.has_data).then(|| std::mem::take(&mut self.data));
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        if field == b"data" {
            let value = value.strip_prefix(b":").unwrap_or(value);
            if std::mem::replace(&mut self.has_data, true) {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        }
        None
    }

    /// The data of an event that nothing ends, with its last line.
    pub(crate) fn rest(&mut self, line: &[u8]) -> Vec<u8> {
        match line.is_empty() {
            true => std::mem::take(&mut self.data),
            false => self.line(line).unwrap_or_else(|| std::mem::take(&mut self.data)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of all events of `body`, cut into parts of `size` bytes.
    fn events(body: &[u8], size: usize) -> Vec<String> {
        let (mut lines, mut reader, mut all) = (LineReader::of_events(), EventReader::default(), Vec::new());
        for part in body.chunks(size) {
            lines.take(part, |line| all.extend(reader.line(line)));
        }
        all.into_iter().map(|data| String::from_utf8(data).unwrap()).collect()
    }

    #[test]
    fn events_are_the_same_however_the_body_is_cut() {
        let body = "\u{feff}data: a\n\n: comment\nevent: x\ndata:b\ndata\ndata: c\r\n\r\nid: 7\n\ndata: \u{fc}\r\rdata: lost";
        for size in 1..=body.len() {
            assert_eq!(events(body.as_bytes(), size), ["a", "b\n\nc", "\u{fc}"], "in parts of {size}");
        }
    }

    #[test]
    fn lines_end_with_a_line_feed() {
        for size in 1..12 {
            let (mut reader, mut all) = (LineReader::default(), Vec::new());
            for part in b"{\"a\":1}\r\n\n{}\nrest".chunks(size) {
                reader.take(part, |line| all.push(String::from_utf8(line.to_vec()).unwrap()));
            }
            assert_eq!(
                (all.as_slice(), reader.rest().as_slice()),
                (&["{\"a\":1}".to_owned(), String::new(), "{}".into()][..], &b"rest"[..])
            );
        }
    }
}
