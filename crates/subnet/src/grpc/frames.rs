//! The frame of "gRPC over HTTP2": a flag, four bytes of length, the message.

use bytes::{BufMut as _, Bytes, BytesMut};
use schema::error::CallError;

use crate::code;

/// Bytes before each message.
const PREFIX_BYTES: usize = 5;

/// Appends a message to a body.
///
/// # Errors
/// Why it cannot be written, in words.
pub(crate) fn put(body: &mut BytesMut, message: &impl prost::Message) -> Result<(), String> {
    let length = message.encoded_len();
    body.reserve(PREFIX_BYTES + length);
    body.put_u8(0);
    body.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    message.encode(body).map_err(|error| error.to_string())
}

/// Takes the next message, where all of it is there.
///
/// # Errors
/// [`code::FORM`] for one that is compressed, [`code::TOO_LARGE`] for one above `bytes_max`.
pub(crate) fn take(pending: &mut BytesMut, bytes_max: usize) -> Result<Option<Bytes>, CallError> {
    let Some(prefix) = pending.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    let [flag, length @ ..] = *prefix;
    if flag != 0 {
        let message = "a message is compressed although that was not asked for";
        return Err(CallError::invalid(code::FORM, "$", message));
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > bytes_max {
        return Err(CallError::invalid(code::TOO_LARGE, "$", format!("a message has {length} bytes")));
    }
    if pending.len() - PREFIX_BYTES < length {
        return Ok(None);
    }
    let mut message = pending.split_to(PREFIX_BYTES + length);
    Ok(Some(message.split_off(PREFIX_BYTES).freeze()))
}

/// Takes the next message of an answer that is over, whether or not it can be read, and of one that is cut off what there is.
/// `None` where nothing is left but a prefix.
pub(crate) fn take_broken(pending: &mut BytesMut) -> Option<Bytes> {
    let [_, length @ ..] = *pending.first_chunk::<PREFIX_BYTES>()?;
    let mut message = pending.split_off(PREFIX_BYTES);
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    *pending = message.split_off(length.min(message.len()));
    Some(message.freeze())
}
