//! The codes of the mistakes this crate finds. Each has a page in `docs/errors` with a failing and a
//! fixed snippet.

use plan_lang::Code;

/// Declares the codes and the list of all of them, so that a test can ask for a page for each.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code::new($code);)*

        /// Every code of this crate, in order.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    /// A name that nothing binds.
    UNKNOWN_NAME = "E0201";
    /// Two declarations of one name.
    DUPLICATE_ITEM = "E0202";
    /// A `let` of a name that is already bound.
    REBOUND = "E0203";
    /// A type that is not declared.
    UNKNOWN_TYPE = "E0204";
    /// An operation that the lock does not hold.
    UNKNOWN_OPERATION = "E0205";
    /// `use` of something that is neither a subnet nor `cap`.
    UNKNOWN_NAMESPACE = "E0206";
    /// A capability that the lock does not hold.
    UNKNOWN_CAPABILITY = "E0207";
    /// `call` of a name that is no operation or capability of this file.
    UNKNOWN_TARGET = "E0208";
    /// `run` of a name that is no plan of this file.
    UNKNOWN_PLAN = "E0209";
    /// A function that is not declared.
    UNKNOWN_FUNCTION = "E0210";
    /// A policy that is not declared.
    UNKNOWN_POLICY = "E0211";
    /// Functions that call one another in a circle.
    RECURSIVE_FN = "E0212";
    /// Plans that run one another in a circle.
    RECURSIVE_PLAN = "E0213";
    /// A type that no finite value has: it contains itself without a list or `?` between, or has no variant.
    NO_FINITE_VALUE = "E0214";
    /// A type name that two imports bring.
    AMBIGUOUS_TYPE = "E0215";
    /// An adapter that is incomplete or belongs to nothing.
    BAD_ADAPTER = "E0216";
    /// A capability of the lock that does not compile.
    BROKEN_CAPABILITY = "E0217";

    /// A value of another type than its place wants.
    MISMATCH = "E0301";
    /// A value that may lie outside the range its place wants.
    OUT_OF_RANGE = "E0302";
    /// A record literal without a field that must be there.
    MISSING_FIELD = "E0303";
    /// A field that the record does not have.
    UNKNOWN_FIELD = "E0304";
    /// One field, key or argument twice.
    DUPLICATE_FIELD = "E0305";
    /// A method that values of this type do not have.
    UNKNOWN_METHOD = "E0306";
    /// Too many, too few or missing arguments.
    ARGUMENT_COUNT = "E0307";
    /// An argument that nothing takes.
    UNKNOWN_ARGUMENT = "E0308";
    /// `as` between types that cannot be decoded into one another.
    BAD_CAST = "E0309";
    /// An operator whose operands do not fit it.
    BAD_OPERANDS = "E0310";
    /// A lambda where a value belongs, or a value where a lambda belongs.
    LAMBDA_MISUSE = "E0311";
    /// A generic call without `as T`.
    WANTED_MISSING = "E0312";
    /// `as T` on a call whose answer has its own type.
    WANTED_UNEXPECTED = "E0313";
    /// A call, `run` or `ensure` where only pure code can stand.
    EFFECT_IN_PURE = "E0314";
    /// `null` or `[]` whose type nothing tells.
    UNDETERMINED = "E0315";
    /// A variant that the enum does not have.
    UNKNOWN_VARIANT = "E0316";
    /// A payload where there is none, or none where there is one.
    PAYLOAD = "E0317";
    /// A range that the type cannot have.
    BAD_REFINEMENT = "E0318";
    /// A value in a template that has no text of its own.
    NOT_SHOWN = "E0319";
    /// A text literal that is no URL or time.
    BAD_LITERAL = "E0320";
    /// A block that must have a value and has none.
    NO_VALUE = "E0321";
    /// Type arguments that the type does not take, or a map with other keys than text.
    BAD_TYPE = "E0322";
    /// A default that is not known when the plan is compiled.
    NOT_CONSTANT = "E0323";
    /// An argument of an operation without its name.
    UNNAMED_ARGUMENT = "E0324";

    /// A policy key that does not exist.
    UNKNOWN_KEY = "E0401";
    /// A policy key that does not apply here.
    MISPLACED_KEY = "E0402";
    /// A policy key twice.
    DUPLICATE_KEY = "E0403";
    /// A policy value of the wrong kind or outside its limits.
    BAD_POLICY_VALUE = "E0404";
    /// Repeating an operation that is not safe to repeat.
    UNSAFE_REPEAT = "E0405";
    /// A hedge after a percentile that is not known.
    P95_UNKNOWN = "E0406";
    /// Policy keys that contradict one another.
    CONFLICTING_KEYS = "E0407";
    /// No operation may serve the call under its policy.
    NOT_ADMISSIBLE = "E0408";
    /// A cached answer in place of a call that changes something.
    CACHED_EFFECT = "E0409";
    /// `spent()` where not everything before it is known.
    SPENT_MISPLACED = "E0410";
    /// `page` of an answer without pages, or `poll` of one that comes at once.
    NOT_DELIVERED_SO = "E0411";

    /// A `match` that forgets values.
    NOT_EXHAUSTIVE = "E0501";
    /// A value that may be `null` where it must not be.
    MAY_BE_NULL = "E0502";
    /// A pattern that no value of the type can match.
    BAD_PATTERN = "E0503";

    /// The most the plan can cost is above its budget.
    OVER_BUDGET = "E0701";
    /// A list without an upper bound in a `for` with calls.
    UNBOUNDED_LIST = "E0702";
    /// A call whose price is not known and that declares no `max_price`.
    PRICE_UNKNOWN = "E0703";
    /// The longest the plan can take is above its deadline.
    OVER_DEADLINE = "E0704";
    /// A plan with calls and without `budget` or `deadline`.
    NO_BUDGET = "E0705";
    /// A bound that is too large to compute.
    BOUND_OVERFLOW = "E0706";
    /// Prices in two currencies and no exchange rate in the lock.
    NO_RATE = "E0707";
    /// More nodes than a plan may have.
    TOO_MANY_NODES = "E0708";
    /// More calls or node instances than a run may have.
    TOO_MANY_INSTANCES = "E0709";

    /// The bound is above the budget, and every call handles that.
    OVER_BUDGET_HANDLED = "W0901";
    /// A value that nothing uses.
    UNUSED_VALUE = "W0903";
    /// `?.` or `??` on a value that is never `null`.
    NEVER_NULL = "W0904";
    /// An arm that no value reaches.
    UNREACHABLE_ARM = "W0905";
    /// Votes that all go to one operation.
    ONE_VOTER = "W0906";
    /// A hedge that is due when the attempt is over.
    LATE_HEDGE = "W0907";
    /// An operation that does not answer everybody who has a key.
    FEW_ARE_ANSWERED = "W0908";
    /// A computation that fails whatever its operands are.
    ALWAYS_FAILS = "W0911";
    /// A comparison whose answer the types give.
    ALWAYS_SAME = "W0912";
    /// More failures tolerated than the list has elements.
    TOLERATES_ALL = "W0913";
    /// A template of a text alone.
    NEEDLESS_TEMPLATE = "W0914";
    /// A name in a pattern that is a variant but for its letter case.
    NAME_LIKE_VARIANT = "W0915";
    /// A `use` without a name in its braces.
    EMPTY_IMPORT = "W0916";
}
