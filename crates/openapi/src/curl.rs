//! A `curl` command line as an example of a call: the part of its language that documentation uses.

use std::str::Chars;

use serde_json::Value as Json;

use crate::error::{BAD_EXAMPLE, Error, shown};
use crate::example::ExampleCall;

/// Switches that change nothing of the request.
const HARMLESS: [&str; 12] = [
    "-s",
    "-S",
    "-sS",
    "-i",
    "-k",
    "-L",
    "--silent",
    "--show-error",
    "--insecure",
    "--location",
    "--compressed",
    "--http2",
];

impl ExampleCall {
    /// Reads a `curl` command line: `-X`, `-H`, `-d` or `--json`, and the address.
    ///
    /// # Errors
    /// `E1260` for a switch that says something else, or a body that is not JSON.
    ///
    /// ```
    /// let call = openapi::ExampleCall::from_curl(
    ///     "curl -H 'X-Api-Key: secret' \\\n  -d '{\"q\": \"tao\"}' https://api.example.com/search",
    /// )?;
    /// assert_eq!(call.method.as_deref(), Some("POST"));
    /// # Ok::<(), openapi::Error>(())
    /// ```
    pub fn from_curl(text: &str) -> Result<Self, Error> {
        let mut words = words(text)?.into_iter();
        if words.next().as_deref() != Some("curl") {
            return Err(bad("it does not begin with `curl`"));
        }
        let mut call = Self::default();
        let mut body = None;
        let mut in_query = false;
        while let Some(word) = words.next() {
            let (word, joined) = match word.split_once('=') {
                Some((switch, value)) if switch.starts_with("--") => {
                    (switch.to_owned(), Some(value.to_owned()))
                }
                _ => (word, None),
            };
            let mut value = || {
                let value = joined.clone().or_else(|| words.next());
                value.ok_or_else(|| bad(format!("`{}` lacks its value", shown(&word))))
            };
            match word.as_str() {
                "-X" | "--request" => call.method = Some(value()?),
                "-H" | "--header" => {
                    let header = value()?;
                    let (name, value) =
                        header.split_once(':').ok_or_else(|| bad("a header is written `Name: value`"))?;
                    call.headers.insert(name.trim().to_owned(), value.trim().to_owned());
                }
                // What a browser says of itself; the entry tells that it is left out.
                "-b" | "--cookie" => drop(call.headers.insert("Cookie".into(), value()?)),
                "-A" | "--user-agent" => drop(call.headers.insert("User-Agent".into(), value()?)),
                "-e" | "--referer" => drop(call.headers.insert("Referer".into(), value()?)),
                "-d" | "--data" | "--data-raw" | "--data-binary" | "--json" => body = Some(value()?),
                "--url" => call.url = value()?,
                "-G" | "--get" => in_query = true,
                switch if HARMLESS.contains(&switch) => {}
                switch if switch.starts_with('-') => {
                    // A short switch may carry its value, which may be a password.
                    let length = if switch.starts_with("--") { switch.len() } else { 2 };
                    let switch: String = switch.chars().take(length).collect();
                    return Err(bad(format!("the switch `{}` is not read", shown(&switch))));
                }
                address if call.url.is_empty() => address.clone_into(&mut call.url),
                _ => return Err(bad("it has two addresses")),
            }
        }
        if call.url.is_empty() {
            return Err(bad("it has no address"));
        }
        match body {
            Some(body) if in_query => call.url = format!("{}?{body}", call.url),
            Some(body) => {
                let json: Json = serde_json::from_str(&body)
                    .map_err(|error| bad(format!("its body is not JSON: {error}")))?;
                call.request = Some(json);
            }
            None => {}
        }
        let method = if call.request.is_some() { "POST" } else { "GET" };
        call.method.get_or_insert_with(|| method.into());
        Ok(call)
    }
}

/// The words of a command line, as a shell takes them apart; nothing is substituted.
fn words(text: &str) -> Result<Vec<String>, Error> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.trim().chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('\n') | None => {}
                Some('\r') => drop(characters.next()),
                Some(c) => word.get_or_insert_default().push(c),
            },
            // Browsers copy a body with line ends or quotes in it so.
            '$' if characters.as_str().starts_with('\'') => {
                characters.next();
                word.get_or_insert_default().push_str(&escaped(&mut characters)?);
            }
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match (characters.next(), c) {
                        (Some(end), quote) if end == quote => break,
                        (Some('\\'), '"') => match characters.next() {
                            Some('\n') | None => {}
                            Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                        },
                        (Some(c), _) => word.push(c),
                        (None, quote) => return Err(bad(format!("a {quote} is not closed"))),
                    }
                }
            }
            '\n' | ' ' | '\t' | '\r' => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// The text of `$'…'` up to and with its closing quote: escapes are those of C.
fn escaped(characters: &mut Chars<'_>) -> Result<String, Error> {
    let mut text = String::new();
    loop {
        let c = match characters.next() {
            Some('\'') => return Ok(text),
            Some('\\') => match characters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('a') => '\x07',
                Some('b') => '\x08',
                Some('e' | 'E') => '\x1b',
                Some('f') => '\x0c',
                Some('v') => '\x0b',
                Some('x') => number(characters, 2, 16)?,
                Some('u') => number(characters, 4, 16)?,
                Some('U') => number(characters, 8, 16)?,
                Some(digit @ '0'..='7') => {
                    let rest = number_of(characters, 2, 8);
                    character(digit.to_digit(8).unwrap_or(0) * 8u32.pow(rest.1) + rest.0)?
                }
                Some(c @ ('\\' | '\'' | '"' | '?')) => c,
                // Bash leaves others as they are.
                Some(c) => {
                    text.push('\\');
                    c
                }
                None => return Err(bad("a $' is not closed")),
            },
            Some(c) => c,
            None => return Err(bad("a $' is not closed")),
        };
        text.push(c);
    }
}

/// The character whose number comes next.
fn number(characters: &mut Chars<'_>, digits: usize, radix: u32) -> Result<char, Error> {
    match number_of(characters, digits, radix) {
        (_, 0) => Err(bad("an escape within $'…' has no digits")),
        (value, _) => character(value),
    }
}

/// The number of at most so many digits that comes next, and how many it has.
fn number_of(characters: &mut Chars<'_>, digits: usize, radix: u32) -> (u32, u32) {
    let (mut value, mut read) = (0_u32, 0);
    for c in characters.clone().take(digits) {
        let Some(digit) = c.to_digit(radix) else { break };
        value = value.wrapping_mul(radix).wrapping_add(digit);
        read += 1;
        characters.next();
    }
    (value, read)
}

fn character(number: u32) -> Result<char, Error> {
    char::from_u32(number).ok_or_else(|| bad("an escape within $'…' is no character"))
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(BAD_EXAMPLE, "the command line", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        let found = words("curl -d '{\"a\": \"it\\n\"}' \\\n \"x\\\"y$Z\" a\\ b ''").unwrap();
        assert_eq!(found, ["curl", "-d", "{\"a\": \"it\\n\"}", "x\"y$Z", "a b", ""]);
        let found = words(r#"$'{"a": "it\'s\n\u00e9\x41\101\q\\n"}'b $ $x"#).unwrap();
        assert_eq!(found, ["{\"a\": \"it's\n\u{e9}AA\\q\\n\"}b", "$", "$x"]);
        for wrong in ["curl 'x", "curl $'x", r"curl $'\ud800'", r"curl $'\x'", r"curl $'\"] {
            assert_eq!(words(wrong).unwrap_err().code, BAD_EXAMPLE, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_read_is_refused() {
        for text in [
            "wget x",
            "curl",
            "curl -F a=b https://a.example",
            "curl -d a=b https://a.example",
            "curl a b",
            "curl -H x a",
        ] {
            assert_eq!(ExampleCall::from_curl(text).unwrap_err().code, BAD_EXAMPLE, "{text}");
        }
    }
}
