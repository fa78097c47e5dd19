//! Codes of failed calls; each has a page in `docs/errors`. Errors found before a call carry theirs themselves, and
//! answers that do not fit their type have the codes of [`schema::decode`].

/// A hotkey is needed and none was given.
pub const HOTKEY_MISSING: &str = "E1108";
/// A descriptor that no request can be formed from.
pub const BINDING: &str = "E1109";
/// A transport or an auth scheme that this version does not speak.
pub const UNSUPPORTED: &str = "E1111";
/// An input that cannot be sent.
pub const INPUT: &str = "E1112";
/// A task that ended without a result.
pub const TASK_FAILED: &str = "E1114";
/// A task that was not done in time.
pub const TASK_LATE: &str = "E1115";
/// An answer without what its entry says is in it: the list of a page, the id or state of a task.
pub const DELIVERY: &str = "E1116";
/// Pages that go round.
pub const PAGES_LOOP: &str = "E1117";
/// A stream that broke off before its end.
pub const STREAM_CUT: &str = "E1130";
/// An answer whose signature is missing or wrong.
pub const ANSWER_SIGNATURE: &str = "E1131";
/// Status 402.
pub const PAYMENT_REQUIRED: &str = "E1132";
/// No complete answer in time.
pub const TIMEOUT: &str = "E1140";
/// No connection.
pub const CONNECT: &str = "E1141";
/// Cut off, or not HTTP.
pub const CUT: &str = "E1142";
/// Status 5xx.
pub const PEER_FAILED: &str = "E1143";
/// Status 429.
pub const RATE_LIMITED: &str = "E1144";
/// Status 401 or 403.
pub const UNAUTHORIZED: &str = "E1145";
/// Any other status 4xx.
pub const REJECTED: &str = "E1146";
/// Status 3xx.
pub const REDIRECT: &str = "E1147";
/// An answer that is not in the declared form: HTML for JSON, another character set, broken JSON.
pub const FORM: &str = "E1148";
/// An answer beyond a limit.
pub const TOO_LARGE: &str = "E1149";
/// An answer that repeats the caller's key.
pub const ECHO: &str = "E1113";
