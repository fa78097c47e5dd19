//! Arguments under the names that tools of language models have for them.

use std::borrow::Cow;

use plan_ir::plan::Param;
use schema::tool::{argument_name, is_argument_name};

/// The arguments with the names that the parameters have themselves. All else stays as it is written, whether or not it is JSON:
/// whoever reads the arguments says what is wrong with them.
#[must_use]
pub fn with_own_names<'a>(params: &[Param], arguments: &'a [u8]) -> Cow<'a, [u8]> {
    if params.iter().all(|param| is_argument_name(&param.name)) {
        return Cow::Borrowed(arguments);
    }
    let mut renamed = Vec::with_capacity(arguments.len());
    let mut left = arguments;
    while let Some((before, key, after)) = next_key(left, renamed.is_empty()) {
        renamed.extend_from_slice(before);
        let given = serde_json::from_slice::<String>(key).unwrap_or_default();
        match called(params, &given) {
            Some(own) => {
                renamed.extend_from_slice(serde_json::Value::from(&*own.name).to_string().as_bytes());
            }
            None => renamed.extend_from_slice(key),
        }
        left = after;
    }
    renamed.extend_from_slice(left);
    Cow::Owned(renamed)
}

/// The parameter of this name, its own or that of tools.
#[must_use]
pub fn called<'p>(params: &'p [Param], name: &str) -> Option<&'p Param> {
    let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
    let own = params.iter().find(|param| param.name == name);
    own.or_else(|| params.iter().find(|param| argument_name(&param.name, &names) == name))
}

/// What is before the next key of the outermost object, the key with its quotes, and what is behind it. `outside` says that the
/// object has not begun.
fn next_key(text: &[u8], outside: bool) -> Option<(&[u8], &[u8], &[u8])> {
    let (mut at, mut depth, mut is_key) = (0, u32::from(!outside), false);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                let end = end_of_text(text, at)?;
                if is_key {
                    return Some((text.get(..at)?, text.get(at..end)?, text.get(end..)?));
                }
                at = end;
                continue;
            }
            b'{' => {
                depth = depth.checked_add(1)?;
                is_key = depth == 1;
            }
            // The arguments are no object.
            b'[' if depth == 0 => return None,
            b'[' => depth = depth.checked_add(1)?,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' => is_key = depth == 1,
            byte if byte.is_ascii_whitespace() => {}
            _ => is_key = false,
        }
        at += 1;
    }
    None
}

/// Behind the closing quote of the text that begins at `from`.
fn end_of_text(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}
