//! The codes of syntax errors. Each has a page in `docs/errors` with a failing and a fixed snippet.

use crate::diagnostic::Code;

/// Declares the codes and the list of all of them, so that a test can ask for a page for each.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code::new($code);)*

        /// Every code of this crate, in order.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    /// More than 1 MiB of text.
    SOURCE_TOO_LARGE = "E0101";
    /// More than 128 brackets in one another.
    NESTED_TOO_DEEP = "E0102";
    /// Bytes that are no text.
    NOT_UTF8 = "E0103";
    /// A character that does not show, or turns the direction of text; a lone carriage return.
    HIDDEN_CHARACTER = "E0104";
    /// More than 256 operators, fields and calls stacked on one another.
    EXPRESSION_TOO_DEEP = "E0105";
    /// A name is missing.
    MISSING_NAME = "E0110";
    /// `=` is missing.
    MISSING_EQ = "E0111";
    /// A value is missing.
    MISSING_EXPR = "E0112";
    /// A type is missing.
    MISSING_TYPE = "E0113";
    /// `-> T` is missing.
    MISSING_RETURN_TYPE = "E0114";
    /// `{ .. }` is missing.
    MISSING_BLOCK = "E0115";
    /// A bracket is not closed.
    UNCLOSED = "E0116";
    /// A text is not closed.
    UNCLOSED_TEXT = "E0117";
    /// `,` is missing.
    MISSING_COMMA = "E0118";
    /// Two statements stand on one line.
    MISSING_NEWLINE = "E0119";
    /// `(..)` is missing.
    MISSING_PARENS = "E0120";
    /// `=>` is missing.
    MISSING_ARROW = "E0121";
    /// A text is missing.
    MISSING_TEXT = "E0122";
    /// A keyword is missing.
    MISSING_WORD = "E0123";
    /// `call` or `run` is missing after `try`.
    MISSING_CALL = "E0124";
    /// A policy is missing after `with`.
    MISSING_POLICY = "E0125";
    /// A pattern is missing.
    MISSING_PATTERN = "E0126";
    /// A number is missing.
    MISSING_NUMBER = "E0127";
    /// Text where a declaration should start.
    NO_ITEM = "E0130";
    /// A line that is no statement.
    NO_STATEMENT = "E0131";
    /// Text that is no member of the braces around it.
    NO_MEMBER = "E0132";
    /// Text that is no parameter.
    NO_PARAM = "E0133";
    /// `{..}` in a text holds no expression.
    NO_INTERPOLATION = "E0134";
    /// `String(80)` for `String(..80)`.
    BAD_RANGE = "E0135";
    /// Digits that run into letters.
    BAD_NUMBER = "E0136";
    /// A number that its unit cannot hold.
    NUMBER_RANGE = "E0137";
    /// A closing bracket without an opening one.
    STRAY_CLOSER = "E0138";
    /// A form of another language.
    FOREIGN_FORM = "E0139";
    /// `a < b < c`.
    CHAINED_COMPARISON = "E0140";
    /// A lambda where none can stand.
    LAMBDA_PLACE = "E0141";
    /// `return` before the end of a body.
    RETURN_PLACE = "E0142";
    /// `call` or `run` in pure code.
    CALL_PLACE = "E0143";
    /// `///` where nothing is documented.
    DOCS_PLACE = "E0144";
    /// `}` alone in a text.
    LONE_BRACE = "E0145";
    /// `{..}` in a one-line text runs over a line end.
    INTERPOLATION_LINES = "E0146";
    /// An unknown escape in a text.
    BAD_ESCAPE = "E0147";
    /// Text between `"""` that starts in column 0.
    TEXT_COLUMN = "E0148";
    /// Unknown, repeated or late edition.
    BAD_EDITION = "E0149";
    /// A name in the wrong letter case.
    LETTER_CASE = "E0150";
    /// Parentheses behind what is no function.
    NOT_CALLABLE = "E0151";
    /// `{..}` in a text that must be fixed.
    FIXED_TEXT = "E0152";
    /// `.decode()` without `as`.
    DECODE_WITHOUT_AS = "E0153";
    /// `if` without `else` as a value.
    IF_WITHOUT_ELSE = "E0154";
    /// A record in the head of `if`, `match` or `for`.
    RECORD_IN_HEAD = "E0155";
    /// A lint: a line that starts with `-` continues the one before.
    MINUS_CONTINUES = "W0910";
}
