//! Several answers that one value was made of, such as votes, pages, or what a task said: where each stands among the
//! bytes of all, and what its peer signed of it.

use crate::attestation::Attestation;
use crate::limits::{ANSWERS_MAX, SIGNED_BYTES_MAX};
use crate::object::{ObjectError, Problem, Reader, Writer};

/// What a commit calls the peers of several answers, of which some are signed. What is committed to as signed is the list
/// of them; request and response of the leaf are theirs, with a line end between each two.
pub const PEER: &str = "twresp/1/answers";

/// One answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Length of its redacted request, bytes.
    pub request: u64,
    /// Length of its response, bytes.
    pub response: u64,
    /// The signature of its peer, where it has one.
    pub attestation: Option<Attestation>,
}

impl Answer {
    /// The answer that is so long, to a request that is so long.
    #[must_use]
    pub fn new(request: &[u8], response: &[u8], attestation: Option<Attestation>) -> Self {
        Self { request: request.len() as u64, response: response.len() as u64, attestation }
    }

    fn write(&self, writer: &mut Writer) {
        writer.object(|fields| {
            fields.uint(0, self.request);
            fields.uint(1, self.response);
            if let Some(Attestation { key, signed, signature, .. }) = &self.attestation {
                fields.bytes(2, key);
                fields.bytes(3, signature);
                fields.text(4, signed);
            }
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError> {
        reader.object(|fields| {
            let (request, response) = (fields.get(0, |r| r.uint())?, fields.get(1, |r| r.uint())?);
            let attestation = match fields.maybe(2, |r| r.fixed())? {
                None => None,
                Some(key) => {
                    let signature = fields.get(3, |r| r.fixed::<64>())?;
                    let signed =
                        fields.get(4, |r| r.text(SIGNED_BYTES_MAX, "the length of what is signed"))?;
                    let read = Attestation::read(signed.to_owned(), &signature);
                    let Some(read) = read.filter(|attestation| attestation.key == key) else {
                        return fields.reader.fail(Problem::Range("what is signed, or whose it is,"));
                    };
                    Some(read)
                }
            };
            Ok(Self { request, response, attestation })
        })
    }
}

/// The list of these as it is committed to.
#[must_use]
pub fn to_bytes(answers: &[Answer]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(answers.len() * 400);
    writer.array(answers.len());
    answers.iter().for_each(|answer| answer.write(&mut writer));
    writer.into_bytes()
}

/// The answers of a list.
///
/// # Errors
/// [`ObjectError`] for anything [`to_bytes`] does not make of two answers or more of which one is signed.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Answer>, ObjectError> {
    let mut reader = Reader::new(bytes);
    let count = reader.array(ANSWERS_MAX, "the number of answers")?;
    let answers = (0..count).map(|_| Answer::read(&mut reader)).collect::<Result<Vec<_>, _>>()?;
    reader.end()?;
    match answers.len() > 1 && answers.iter().any(|answer| answer.attestation.is_some()) {
        true => Ok(answers),
        false => reader.fail(Problem::Range("a list of one answer, or of none that is signed,")),
    }
}

/// The parts of `bytes` that have these lengths, with a line end between each two; `None` where they do not make it up.
pub(crate) fn parts(bytes: &[u8], lengths: impl Iterator<Item = u64>) -> Option<Vec<&[u8]>> {
    let mut left = Some(bytes);
    let parts: Option<Vec<_>> = lengths
        .map(|length| {
            let (part, rest) = left?.split_at_checked(usize::try_from(length).ok()?)?;
            left = match rest {
                [] => None,
                [b'\n', rest @ ..] => Some(rest),
                _ => return None,
            };
            Some(part)
        })
        .collect();
    parts.filter(|_| left.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_whole() {
        let parts = |bytes, lengths: &[u64]| parts(bytes, lengths.iter().copied());
        assert_eq!(parts(b"ab\n\nc", &[2, 0, 1]), Some(vec![&b"ab"[..], b"", b"c"]));
        assert_eq!(parts(b"ab\n", &[2, 0]), Some(vec![&b"ab"[..], b""]));
        assert_eq!(parts(b"\n", &[0, 0]), Some(vec![&b""[..], b""]));
        for (bytes, lengths) in [
            (&b"ab\n\nc"[..], &[2, 0][..]),
            (b"ab", &[1]),
            (b"ab", &[2, 0]),
            (b"abc", &[1, 1]),
            (b"ab", &[u64::MAX]),
        ] {
            assert_eq!(parts(bytes, lengths), None, "{lengths:?}");
        }
    }
}
