//! The kinds of nodes and tokens in the lossless tree.

/// Declares the kinds and the table from their numbers, so the two cannot differ.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// What a node or token of the tree is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        #[non_exhaustive]
        pub enum SyntaxKind {
            $($(#[$doc])* $kind,)*
        }

        /// Every kind, at the index that is its number.
        pub(crate) const ALL: &[SyntaxKind] = &[$(SyntaxKind::$kind,)*];
    };
}

kinds! {
    /// Blanks and line ends.
    Whitespace,
    /// `// ..`, without its line end.
    Comment,
    /// `/// ..`, without its line end.
    Doc,
    /// A name; in back-quotes where it is no identifier.
    Ident,
    /// `_`.
    Hole,
    /// A word with a meaning at its place, `true`, `false` and `null` included.
    Keyword,
    /// A number with its unit, in a range also with its sign.
    Number,
    /// Digits that run into letters: `1_000`, `4sec`.
    BadNumber,
    /// `20%`.
    Percent,
    /// `"` or `"""` at either end of a string.
    Quote,
    /// The text of a string between parts to fill in, not unescaped.
    StringText,
    /// An operator of an expression, or the `?` of a type.
    Operator,
    /// Brackets, separators, arrows.
    Punct,
    /// A character that is no part of the language.
    Unknown,
    /// A whole file.
    File,
    /// Docs and a declaration.
    Item,
    /// `edition 2026`.
    Edition,
    /// `use sn22 { .. }`.
    Use,
    /// The names between the braces of `use`.
    Imports,
    /// `web_search as search`.
    Import,
    /// `record Page { .. }`.
    Record,
    /// The fields of a record, braces included.
    Fields,
    /// `url: Url`.
    Field,
    /// `enum Stance { .. }`.
    Enum,
    /// The variants of an enum, braces included.
    Variants,
    /// `Other(String)`.
    Variant,
    /// `policy web = { .. }`.
    PolicyDecl,
    /// `capability f(..) -> T`.
    Capability,
    /// `adapter op as capability { .. }`.
    Adapter,
    /// The members of an adapter, braces included.
    AdapterBody,
    /// `request = ..`.
    AdapterMember,
    /// `fn f(..) -> T = ..`.
    Fn,
    /// `plan p(..) -> T { .. }`.
    Plan,
    /// `test ".." { .. }`.
    Test,
    /// Parameters, parentheses included.
    Params,
    /// `limit: Int = 10`.
    Param,
    /// A type with its range and `?`.
    Type,
    /// `[T]`.
    ListType,
    /// `{String: T}`.
    MapType,
    /// `Result<T, E>`.
    NamedType,
    /// `(1..20)`.
    Refine,
    /// `sn22.web_search`.
    Path,
    /// Statements, braces included.
    Block,
    /// The statements of a test, braces included.
    TestBlock,
    /// `let x = ..`.
    Let,
    /// `ensure c else ".."`.
    Ensure,
    /// `return ..`.
    Return,
    /// An expression as a statement.
    ExprStmt,
    /// `mock f => ..`.
    Mock,
    /// What a mock answers.
    MockValue,
    /// `fails timeout`.
    MockFails,
    /// `after 5s ..`.
    MockAfter,
    /// `sequence [..]`.
    MockSequence,
    /// `assert ..`.
    Assert,
    /// `expect fails run ..`.
    Expect,
    /// `with ..`.
    Policy,
    /// The keys of a policy, braces included.
    PolicyFields,
    /// `timeout: 4s`.
    PolicyField,
    /// A lambda, or operands and operators in a row; precedence is resolved in the AST.
    Expr,
    /// Prefix operators, a value and what follows it: fields, arguments, an index, `as`.
    Operand,
    /// A text, quotes included.
    String,
    /// `{expr}` in a text.
    Interpolation,
    /// A bare name as a value.
    NameRef,
    /// `Hit { .. }`.
    RecordLit,
    /// `{ .. }` as a value.
    AnonRecord,
    /// `url: x` or `url` in a record.
    Init,
    /// `[..]`.
    List,
    /// `( .. )`.
    Paren,
    /// Arguments, parentheses included.
    Args,
    /// One argument, with its name if it has one.
    Arg,
    /// `[i]` behind a value.
    Index,
    /// `.name` or `?.name` behind a value.
    Member,
    /// `as T` behind a value.
    Cast,
    /// `x => ..`.
    Lambda,
    /// What a lambda binds.
    LambdaParams,
    /// `call f(..)`.
    Call,
    /// `run p(..)`.
    Run,
    /// `try call ..`.
    Try,
    /// `for x in xs { .. }`.
    For,
    /// `if c { .. }` with all its branches.
    If,
    /// `else if c { .. }`.
    ElseIf,
    /// `else { .. }`.
    Else,
    /// `match v { .. }`.
    Match,
    /// The arms of a match, braces included.
    Arms,
    /// `Ok(x) => ..`.
    Arm,
    /// The left side of an arm, or a part of it.
    Pattern,
    /// A name in a pattern, with what it carries.
    VariantPattern,
    /// Text between declarations that is none.
    ErrorItem,
    /// A line in a block that is no statement.
    ErrorStmt,
    /// Text in braces that is no member.
    ErrorMember,
    /// Text between parentheses that is no parameter.
    ErrorParam,
    /// The rest of `{..}` in a text that is no expression.
    ErrorInterpolation,
    /// `(80)` where a range `(..80)` is meant.
    ErrorRefine,
    /// A name is missing; zero width, as all that follow.
    MissingName,
    /// A number is missing.
    MissingValue,
    /// An expression is missing.
    MissingExpr,
    /// A type is missing.
    MissingType,
    /// `-> T` is missing.
    MissingReturnType,
    /// A pattern is missing.
    MissingPattern,
    /// A text is missing.
    MissingString,
    /// The closing quote is missing.
    MissingQuote,
    /// `(..)` is missing in a declaration.
    MissingParams,
    /// `(..)` is missing in a call.
    MissingArgs,
    /// `call` or `run` is missing after `try`.
    MissingCall,
    /// A policy is missing after `with`.
    MissingPolicy,
    /// `{ .. }` is missing.
    MissingBlock,
    /// `=` is missing.
    MissingEq,
    /// `=>` is missing.
    MissingArrow,
    /// `else` is missing after the condition of `ensure`.
    MissingElse,
    /// `in` is missing in a `for`.
    MissingIn,
    /// `as` is missing in an adapter.
    MissingAs,
    /// `fails` is missing after `expect`.
    MissingFails,
    /// `,` is missing.
    MissingComma,
    /// A line end is missing between two statements.
    MissingNewline,
    /// `)` is missing.
    MissingParen,
    /// `]` is missing.
    MissingBracket,
    /// `}` is missing.
    MissingBrace,
    /// `>` is missing.
    MissingAngle,
}

impl SyntaxKind {
    /// Whether it carries no meaning: blanks and comments. Docs carry meaning.
    #[must_use]
    pub const fn is_trivia(self) -> bool {
        matches!(self, Self::Whitespace | Self::Comment)
    }

    /// Whether it is a token; those come before [`Self::File`].
    #[must_use]
    pub fn is_token(self) -> bool {
        self < Self::File
    }

    /// Whether it stands for a part that the text does not have.
    #[must_use]
    pub fn is_missing(self) -> bool {
        self >= Self::MissingName
    }

    /// Whether it stands for text that does not fit the grammar.
    #[must_use]
    pub fn is_error(self) -> bool {
        (Self::ErrorItem..Self::MissingName).contains(&self)
            || matches!(self, Self::BadNumber | Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_kind_is_its_index() {
        for (index, kind) in ALL.iter().enumerate() {
            assert_eq!(*kind as usize, index);
        }
        assert!(SyntaxKind::MissingAngle.is_missing() && SyntaxKind::MissingName.is_missing());
        assert!(SyntaxKind::ErrorRefine.is_error() && !SyntaxKind::Pattern.is_missing());
    }
}
