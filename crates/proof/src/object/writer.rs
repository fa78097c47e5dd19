//! Objects to bytes.

use super::{ARRAY, BYTES, FALSE, MAP, TEXT, TRUE, UINT};

/// Appends items to a byte string.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn head(&mut self, major: u8, value: u64) {
        let major = major << 5;
        let be = value.to_be_bytes();
        let [.., b4, b5, b6, b7] = be;
        match value {
            0..24 => self.bytes.push(major | b7),
            24..=0xff => self.bytes.extend([major | 24, b7]),
            0x100..=0xffff => self.bytes.extend([major | 25, b6, b7]),
            0x1_0000..=0xffff_ffff => self.bytes.extend([major | 26, b4, b5, b6, b7]),
            _ => {
                self.bytes.push(major | 27);
                self.bytes.extend(be);
            }
        }
    }

    pub(crate) fn uint(&mut self, value: u64) {
        self.head(UINT, value);
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.head(BYTES, value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.head(TEXT, value.len() as u64);
        self.bytes.extend_from_slice(value.as_bytes());
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.bytes.push(if value { TRUE } else { FALSE });
    }

    pub(crate) fn array(&mut self, items: usize) {
        self.head(ARRAY, items as u64);
    }

    /// The head of a map of `entries` entries; the caller writes them in ascending key order.
    pub(crate) fn map(&mut self, entries: usize) {
        self.head(MAP, entries as u64);
    }

    /// A map of fewer than 24 entries, as all objects of the format are.
    pub(crate) fn object(&mut self, fill: impl FnOnce(&mut Fields<'_>)) {
        let start = self.bytes.len();
        self.bytes.push(MAP << 5);
        let mut fields = Fields { writer: self, count: 0 };
        fill(&mut fields);
        let count = fields.count;
        if let Some(head) = self.bytes.get_mut(start) {
            *head |= count;
        }
    }
}

/// Writes the fields of one object, which must come in ascending key order.
pub(crate) struct Fields<'w> {
    writer: &'w mut Writer,
    count: u8,
}

impl Fields<'_> {
    pub(crate) fn put(&mut self, key: u8, value: impl FnOnce(&mut Writer)) {
        self.count += 1;
        self.writer.uint(u64::from(key));
        value(self.writer);
    }

    pub(crate) fn uint(&mut self, key: u8, value: u64) {
        self.put(key, |w| w.uint(value));
    }

    pub(crate) fn bytes(&mut self, key: u8, value: &[u8]) {
        self.put(key, |w| w.bytes(value));
    }

    pub(crate) fn text(&mut self, key: u8, value: &str) {
        self.put(key, |w| w.text(value));
    }

    pub(crate) fn maybe<T>(&mut self, key: u8, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        if let Some(value) = value {
            self.put(key, |w| write(w, value));
        }
    }
}
