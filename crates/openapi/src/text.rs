//! From bytes to a JSON value: unpacked, UTF-8, JSON or YAML.

use std::io::Read as _;

use serde_json::Value as Json;

use crate::error::{Error, NO_API, TOO_LARGE, UNREADABLE};
use crate::{DOCUMENT_BYTES_MAX, json, yaml};

/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Where a whole document stands.
const DOCUMENT: &str = "the document";

/// The value that `bytes` hold.
pub(crate) fn read(bytes: &[u8]) -> Result<Json, Error> {
    let unpacked;
    let bytes = if bytes.starts_with(&GZIP) {
        unpacked = unpack(bytes)?;
        &unpacked
    } else {
        bytes
    };
    check_size(bytes.len())?;
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = format!("byte {}", error.valid_up_to() + 1);
        Error::new(UNREADABLE, at, "the document is not text in UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('<') {
        // What a web server answers where a document is not: its front page, or an error made for people.
        return Err(Error::new(NO_API, DOCUMENT, "the document is HTML or XML, and no API description"));
    }
    if text.trim_start().starts_with('{') { json::read(text) } else { yaml::read(text) }
}

/// A few bytes can unpack to gigabytes, so unpacking stops one byte past the limit.
fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut unpacked = Vec::new();
    let limit = DOCUMENT_BYTES_MAX as u64 + 1;
    flate2::read::MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut unpacked).map_err(|error| {
        Error::new(UNREADABLE, DOCUMENT, format!("the document is packed, but damaged: {error}"))
    })?;
    Ok(unpacked)
}

fn check_size(length: usize) -> Result<(), Error> {
    if length <= DOCUMENT_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the document has more than {DOCUMENT_BYTES_MAX} bytes");
    Err(Error::new(TOO_LARGE, DOCUMENT, message))
}

/// A part of an address with its percent-encoding resolved; nothing where that is not spelled right.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            let digits = std::str::from_utf8(&digits).ok().filter(|digits| !digits.starts_with('+'))?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}
