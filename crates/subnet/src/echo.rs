//! Finds a key in what a peer answered, also where it is written in another way.
//!
//! The bytes of a body are searched before they are decoded. Undoing JSON's escapes over the whole body yields the
//! text of every string that any decoder can take from it, names of ignored fields included, so the decoded value
//! needs no search of its own, and a key in a part that the types leave out is found as well: the body is kept too.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::secrets::Key;

/// Shorter keys occur in answers by chance, so only longer ones are looked for there.
const KEY_BYTES_MIN: usize = 8;
/// Writings that are undone inside each other, such as percent signs in JSON in a JSON string. It bounds the work
/// to 15 passes over a body that is made for it; an ordinary body needs one or two.
const LAYERS_MAX: u32 = 3;
/// Words before a pasted key that are no part of it.
const SCHEMES: [&str; 4] = ["bearer ", "basic ", "token ", "apikey "];

/// Whether `content` repeats the key, as debugging endpoints do with request headers and error pages with
/// addresses: plainly, with JSON's escapes, percent-encoded, or in base64 (alone or after a user name or a scheme).
pub(crate) fn is_echoed(key: &Key, content: &[u8]) -> bool {
    key.texts().any(|part| is_text_echoed(part, content))
}

fn is_text_echoed(key: &SecretString, content: &[u8]) -> bool {
    let key = bare(key.expose_secret());
    if key.len() < KEY_BYTES_MIN {
        return false;
    }
    let writings = writings_of(key);
    let finders: Vec<memmem::Finder<'_>> =
        writings.iter().map(|writing| memmem::Finder::new(writing.as_bytes())).collect();
    is_found(&finders, content, LAYERS_MAX)
}

/// The key without the scheme of a header that was pasted along with it.
pub(crate) fn bare(key: &str) -> &str {
    let key = key.trim();
    let scheme = SCHEMES
        .iter()
        .find(|scheme| key.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)));
    let rest = scheme.and_then(|scheme| key.get(scheme.len()..)).map(str::trim_start);
    rest.filter(|rest| rest.len() >= KEY_BYTES_MIN).unwrap_or(key)
}

/// The texts that stand for the key and that undoing escapes does not lead back to it.
fn writings_of(key: &str) -> Vec<Zeroizing<String>> {
    let mut all = vec![Zeroizing::new(key.to_owned())];
    if key.contains(' ') {
        // As forms encode it.
        all.push(Zeroizing::new(key.replace(' ', "+")));
    }
    // Base64 writes three octets as four characters, so what precedes the key decides between three writings. Of
    // each, only the characters that depend on the key alone are looked for.
    for (before, shared_chars) in [(&[][..], 0), (&[0][..], 2), (&[0, 0][..], 3)] {
        let octets = Zeroizing::new([before, key.as_bytes()].concat());
        let whole_chars = octets.len() * 8 / 6;
        for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = Zeroizing::new(alphabet.encode(&octets));
            let own = Zeroizing::new(text.get(shared_chars..whole_chars).unwrap_or(key).to_owned());
            if !all.contains(&own) {
                all.push(own);
            }
        }
    }
    all
}

fn is_found(finders: &[memmem::Finder<'_>], content: &[u8], layers: u32) -> bool {
    if finders.iter().any(|finder| finder.find(content).is_some()) {
        return true;
    }
    // What one decoder leaves for another differs by their order, so both ways are followed.
    layers > 0
        && [unescaped(content), percent_decoded(content)].into_iter().any(|plain| match plain {
            Cow::Owned(plain) => is_found(finders, &plain, layers - 1),
            Cow::Borrowed(_) => false,
        })
}

/// `content` with JSON's escapes undone wherever they stand; borrowed if there are none.
pub(crate) fn unescaped(content: &[u8]) -> Cow<'_, [u8]> {
    replaced(content, b'\\', |rest| match rest {
        [b'u', digits @ ..] => {
            let unit = digits.get(..4).and_then(hexadecimal)?;
            // Keys are ASCII. One octet that is not stands for every other character.
            Some((u8::try_from(unit).ok().filter(u8::is_ascii).unwrap_or(u8::MAX), 5))
        }
        [own @ (b'"' | b'\\' | b'/'), ..] => Some((*own, 1)),
        [b'b', ..] => Some((8, 1)),
        [b'f', ..] => Some((12, 1)),
        [b'n', ..] => Some((b'\n', 1)),
        [b'r', ..] => Some((b'\r', 1)),
        [b't', ..] => Some((b'\t', 1)),
        _ => None,
    })
}

/// `content` with percent-encoded octets decoded, in either case; borrowed if there are none.
fn percent_decoded(content: &[u8]) -> Cow<'_, [u8]> {
    replaced(content, b'%', |rest| Some((u8::try_from(rest.get(..2).and_then(hexadecimal)?).ok()?, 2)))
}

/// Puts one octet in the place of each `mark` and the octets behind it that `decode` takes; `decode` answers with
/// the octet and how many it took, or `None` to leave the mark as it is.
fn replaced(content: &[u8], mark: u8, decode: impl Fn(&[u8]) -> Option<(u8, usize)>) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let mut changed = false;
    let mut rest = content;
    while let Some((before, [_, after @ ..])) =
        memchr::memchr(mark, rest).and_then(|at| rest.split_at_checked(at))
    {
        if !changed && decode(after).is_some() {
            out.reserve_exact(content.len());
            out.extend_from_slice(content.get(..content.len() - rest.len()).unwrap_or_default());
            changed = true;
        }
        let (octet, taken) = decode(after).unwrap_or((mark, 0));
        if changed {
            out.extend_from_slice(before);
            out.push(octet);
        }
        rest = after.get(taken..).unwrap_or_default();
    }
    if !changed {
        return Cow::Borrowed(content);
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "cpk_ab/c+d.Ef>?9~";

    fn found(content: impl AsRef<[u8]>) -> bool {
        is_echoed(&Key::from(KEY), content.as_ref())
    }

    fn units(text: &str) -> String {
        text.bytes().map(|byte| format!("\\u{byte:04X}")).collect()
    }

    fn percent(text: &str) -> String {
        text.bytes().map(|byte| format!("%{byte:02x}")).collect()
    }

    #[test]
    fn a_key_is_found_in_every_writing_and_in_writings_inside_each_other() {
        use base64::engine::general_purpose::{STANDARD, URL_SAFE};

        for text in [KEY.to_owned(), units(KEY), KEY.replace('/', "\\/"), percent(KEY)] {
            assert!(found(format!("head \\ % {text} tail")), "{text}");
            assert!(found(text.replace('\\', "\\\\")) && found(text.replace('%', "%25")), "{text}");
        }
        assert!(found(units(&percent(KEY))) && found(percent(&units(KEY))));
        assert!(found(KEY.replace('/', "%2F")) && found(KEY.replace('/', "%2f")));
        for text in [KEY.into(), format!("Bearer {KEY}"), format!("user:{KEY}"), format!("us:{KEY}:x")] {
            assert!(found(STANDARD.encode(&text)) && found(URL_SAFE.encode(&text)), "{text}");
            assert!(found(STANDARD.encode(&text).replace('/', "\\/")), "{text}");
        }
    }

    #[test]
    fn other_content_is_not_taken_for_the_key() {
        let less_one = KEY.strip_suffix('~').unwrap_or_default();
        for text in
            [less_one.to_owned(), units(less_one), percent(less_one), STANDARD_NO_PAD.encode(less_one)]
        {
            assert!(!found(&text), "{text}");
        }
        for text in ["", "\\", "\\u", "\\u00", "\\u00zz", "%", "%2", "%zz", "\\q%", "\\\\\\"] {
            assert!(!found(text), "{text}");
        }
        assert!(!is_echoed(&Key::from("seven77"), b"seven77"));
        assert!(is_echoed(&Key::from("eight888"), b"eight888"));
        assert!(is_echoed(&Key::from("Bearer eight888"), b"the token eight888"));
    }

    #[test]
    fn only_what_has_escapes_is_copied() {
        assert!(matches!(unescaped(b"a \\q %41 b"), Cow::Borrowed(_)));
        assert!(matches!(percent_decoded(b"100 % \\n %z"), Cow::Borrowed(_)));
        assert_eq!(unescaped(b"\\q\\n\\u00e9\\\\u0041x").as_ref(), b"\\q\n\xff\\u0041x");
        assert_eq!(percent_decoded(b"%%41%zz%2Bx").as_ref(), b"%A%zz+x");
    }
}
