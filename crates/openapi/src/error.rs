//! What can be wrong with a document, in words and codes.

/// A document, or a part of it, that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[{code}] {message}, at {at}")]
#[non_exhaustive]
pub struct Error {
    /// Stable code of the error page, `E1250` to `E1262`.
    pub code: &'static str,
    /// Where: a JSON pointer into the document such as `#/paths/~1hits/get`, or line and column where it is not
    /// read that far.
    pub at: String,
    /// What was found and what is admitted.
    pub message: String,
}

/// Neither JSON nor YAML, or a spelling of it that two readers could read differently.
pub(crate) const UNREADABLE: &str = "E1250";
/// Too long, too deep, or too much of something.
pub(crate) const TOO_LARGE: &str = "E1251";
/// Not an API description of a known version.
pub(crate) const NO_API: &str = "E1252";
/// A reference that leads elsewhere, nowhere, or back to itself.
pub(crate) const BAD_REFERENCE: &str = "E1253";
/// A part of the document of the wrong form.
pub(crate) const MALFORMED: &str = "E1254";
/// Two parameters of one name.
pub(crate) const SAME_NAME: &str = "E1255";
/// An answer or body in no form that a plan could read or write.
pub(crate) const NO_FORM: &str = "E1256";

/// A method that is no call.
pub(crate) const NOT_CALLABLE: &str = "E1257";
/// Security of which no alternative can be spoken.
pub(crate) const UNSPEAKABLE: &str = "E1258";
/// A server that is no base URL.
pub(crate) const BAD_SERVER: &str = "E1259";
/// A gRPC method that no call can be of.
pub(crate) const NO_GRPC_CALL: &str = "E1261";
/// What is no set of protobuf descriptors, or not all of one.
pub(crate) const NO_DESCRIPTORS: &str = "E1262";
/// An example of a call that does not say what a call needs.
pub(crate) const BAD_EXAMPLE: &str = "E1260";

impl Error {
    /// Whether the document itself is wrong there, rather than sound and not sayable by an entry.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        [BAD_REFERENCE, MALFORMED, BAD_SERVER].contains(&self.code)
    }

    pub(crate) fn new(code: &'static str, at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, at: at.into(), message: message.into() }
    }

    pub(crate) fn malformed(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(MALFORMED, at, message)
    }
}

/// The first characters of a text from outside, for messages.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}
