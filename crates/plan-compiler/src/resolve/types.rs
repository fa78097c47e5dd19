//! Types as they are written to types as they are.

use plan_lang::ast::{self, Literal, Refine, TypeKind};
use plan_lang::{Diagnostic, Fix, suggest};
use schema::types::{FloatRange, IntRange, LengthRange, Type, TypeDefs};

use crate::codes;
use crate::prelude::{self, GENERIC, OF_THE_LIBRARY, PLAN_ERROR};
use crate::program::{Module, TypeName};
use crate::sink::{CANDIDATES_MAX, Sink, SourceId};

/// The names of the types that the language has.
pub(crate) const BUILTIN_TYPES: [&str; 15] = [
    "Bool",
    "Int",
    "Float",
    "String",
    "Bytes",
    "Url",
    "Time",
    "Duration",
    "Amount",
    "Json",
    "Result",
    "PlanError",
    "CallError",
    "ItemError",
    "Voted",
];

/// The type that `ty` means in `module`; [`Type::Error`] for what was reported.
pub(crate) fn resolve_type(
    ty: &ast::Type,
    module: &Module<'_>,
    types: &mut TypeDefs,
    source: SourceId,
    sink: &mut Sink,
) -> Type {
    TypeResolver { module, types, source, sink }.resolve(ty)
}

struct TypeResolver<'r, 'a> {
    module: &'r Module<'a>,
    types: &'r mut TypeDefs,
    source: SourceId,
    sink: &'r mut Sink,
}

impl TypeResolver<'_, '_> {
    fn resolve(&mut self, ty: &ast::Type) -> Type {
        match &ty.kind {
            TypeKind::Error => Type::Error,
            TypeKind::Optional(inner) => self.resolve(inner).optional(),
            TypeKind::List { element, refine } => {
                let element = self.resolve(element);
                Type::List(Box::new(element), self.length(refine.as_ref()))
            }
            TypeKind::Map { key, value, refine } => {
                if !matches!(self.resolve(key), Type::String(_) | Type::Error) {
                    self.report(
                        Diagnostic::error(codes::BAD_TYPE, "the keys of a map are of type `String`")
                            .primary(key.span, "not a key type"),
                    );
                }
                self.no_range(refine.as_ref(), "a map");
                Type::Map(Box::new(self.resolve(value)))
            }
            TypeKind::Named { name, args, refine } => self.named(name, args, refine.as_ref()),
        }
    }

    fn named(&mut self, name: &ast::Ident, args: &[ast::Type], refine: Option<&Refine>) -> Type {
        if name.is_missing() {
            return Type::Error;
        }
        if name.name == "Result" {
            self.no_range(refine, "`Result`");
            return self.result(name, args);
        }
        if GENERIC.contains(&name.name.as_str()) {
            self.no_range(refine, &format!("`{}`", name.name));
            return self.generic(name, args);
        }
        let is_builtin = BUILTIN_TYPES.contains(&name.name.as_str());
        let is_unknown = !is_builtin && matches!(lookup(self.module, &name.name), Lookup::Unknown);
        if let Some(first) = args.first().filter(|_| !is_unknown) {
            self.report(
                Diagnostic::error(codes::BAD_TYPE, format!("`{}` takes no type arguments", name.name))
                    .primary(first.span, "not expected"),
            );
        }
        let plain = match name.name.as_str() {
            "Int" => return Type::Int(self.int(refine)),
            "Float" => return Type::Float(self.float(refine)),
            "String" => return Type::String(self.length(refine)),
            "Bytes" => return Type::Bytes(self.length(refine)),
            "Bool" => Type::Bool,
            "Url" => Type::Url,
            "Time" => Type::Time,
            "Duration" => Type::Duration,
            "Amount" => Type::Amount,
            "Json" => Type::Json,
            "PlanError" => Type::Named(PLAN_ERROR),
            text => match OF_THE_LIBRARY.iter().find(|(known, _)| is_unknown && *known == text) {
                Some((_, takes)) => self.of_the_library(name, *takes, args),
                None => self.declared(name),
            },
        };
        self.no_range(refine, &format!("`{}`", name.name));
        plain
    }

    fn result(&mut self, name: &ast::Ident, args: &[ast::Type]) -> Type {
        if let [ok, err] = args {
            let ok = self.resolve(ok);
            return Type::Result(Box::new(ok), Box::new(self.resolve(err)));
        }
        let found = args.len();
        self.report(
            Diagnostic::error(codes::BAD_TYPE, format!("`Result` takes 2 types, not {found}"))
                .primary(name.span, "")
                .help("write `Result<T, E>`"),
        );
        Type::Error
    }

    /// `Pair<A, B>` and the like, where the file declares no type of that name.
    fn of_the_library(&mut self, name: &ast::Ident, takes: usize, args: &[ast::Type]) -> Type {
        if args.len() != takes {
            let (what, shape) = if takes == 1 { ("1 type", "T") } else { ("2 types", "A, B") };
            let found = args.len();
            self.report(
                Diagnostic::error(codes::BAD_TYPE, format!("`{}` takes {what}, not {found}", name.name))
                    .primary(name.span, "")
                    .help(format!("write `{}<{shape}>`, or declare a type of that name", name.name)),
            );
            return Type::Error;
        }
        let of: Vec<Type> = args.iter().map(|arg| self.resolve(arg)).collect();
        if of.contains(&Type::Error) {
            return Type::Error;
        }
        let def = prelude::of_the_library(self.types, &name.name, &of);
        def.map_or(Type::Error, |def| Type::Named(self.types.intern(def)))
    }

    /// `CallError<T>` and the like.
    fn generic(&mut self, name: &ast::Ident, args: &[ast::Type]) -> Type {
        let [of] = args else {
            let found = args.len();
            self.report(
                Diagnostic::error(codes::BAD_TYPE, format!("`{}` takes 1 type, not {found}", name.name))
                    .primary(name.span, "")
                    .help(format!("write `{}<T>`", name.name)),
            );
            return Type::Error;
        };
        match self.resolve(of) {
            Type::Error => Type::Error,
            of => prelude::generic(self.types, &name.name, of).map_or(Type::Error, Type::Named),
        }
    }

    fn declared(&mut self, name: &ast::Ident) -> Type {
        match lookup(self.module, &name.name) {
            Lookup::Found(TypeName::Def(def)) => Type::Named(def),
            Lookup::Found(TypeName::Broken) => Type::Error,
            Lookup::Ambiguous => {
                self.report(ambiguous(name));
                Type::Error
            }
            Lookup::Unknown if self.module.broken_import => Type::Error,
            Lookup::Unknown => {
                let report =
                    Diagnostic::error(codes::UNKNOWN_TYPE, format!("there is no type `{}`", name.name))
                        .primary(name.span, "unknown type");
                let report = match type_here(&name.name) {
                    Some((here, true)) => report
                        .help(format!("write `{here}`"))
                        .fix(Fix::maybe(format!("use `{here}`")).replace(name.span, here)),
                    Some((shape, false)) => report.help(shape),
                    None if self.sink.is_full() => report,
                    None => match near(self.module, &name.name) {
                        Some(near) => report.meant(&near, name.span),
                        None => report,
                    },
                };
                self.report(report);
                Type::Error
            }
        }
    }

    /// Refuses a range. To remove it is the author's to decide: what it was to keep out comes in then, unless there is
    /// nothing to keep out, as of a `Bool`.
    fn no_range(&mut self, refine: Option<&Refine>, what: &str) {
        if let Some(refine) = refine {
            let message = "remove the range";
            let fix = if what == "`Bool`" { Fix::safe(message) } else { Fix::maybe(message) };
            self.report(
                Diagnostic::error(codes::BAD_REFINEMENT, format!("{what} takes no range"))
                    .primary(refine.span, "")
                    .fix(fix.delete(refine.span)),
            );
        }
    }

    fn int(&mut self, refine: Option<&Refine>) -> IntRange {
        let Some(refine) = refine else { return IntRange::FULL };
        let read = |literal: &Literal| match literal {
            Literal::Int(value) => Some(*value),
            _ => None,
        };
        let min = self.bound(refine.min.as_ref(), read, "a whole number").unwrap_or(i64::MIN);
        let max = self.bound(refine.max.as_ref(), read, "a whole number").unwrap_or(i64::MAX);
        if min > max {
            self.empty(refine);
            return IntRange::FULL;
        }
        IntRange { min, max }
    }

    fn float(&mut self, refine: Option<&Refine>) -> FloatRange {
        let Some(refine) = refine else { return FloatRange::FULL };
        let read = |literal: &Literal| match literal {
            Literal::Int(value) => Some(*value as f64),
            Literal::Float(value) => Some(*value),
            _ => None,
        };
        let min = self.bound(refine.min.as_ref(), read, "a number").unwrap_or(f64::NEG_INFINITY);
        let max = self.bound(refine.max.as_ref(), read, "a number").unwrap_or(f64::INFINITY);
        if min > max {
            self.empty(refine);
            return FloatRange::FULL;
        }
        FloatRange { min, max }
    }

    fn length(&mut self, refine: Option<&Refine>) -> LengthRange {
        let Some(refine) = refine else { return LengthRange::FULL };
        let read = |literal: &Literal| match literal {
            Literal::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        };
        let min = self.bound(refine.min.as_ref(), read, "a length").unwrap_or(0);
        let max = self.bound(refine.max.as_ref(), read, "a length");
        if max.is_some_and(|max| min > max) {
            self.empty(refine);
            return LengthRange::FULL;
        }
        LengthRange { min, max }
    }

    fn bound<T>(
        &mut self,
        bound: Option<&ast::Bound>,
        read: impl Fn(&Literal) -> Option<T>,
        what: &str,
    ) -> Option<T> {
        let bound = bound?;
        let value = read(&bound.value);
        if value.is_none() {
            self.report(
                Diagnostic::error(codes::BAD_REFINEMENT, format!("the end of this range is not {what}"))
                    .primary(bound.span, format!("expected {what}")),
            );
        }
        value
    }

    fn empty(&mut self, refine: &Refine) {
        self.report(
            Diagnostic::error(codes::BAD_REFINEMENT, "no value lies in this range")
                .primary(refine.span, "the first number is larger than the second")
                .help("a range goes from the smaller to the larger end: `(0..100)`"),
        );
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.sink.report(self.source, diagnostic);
    }
}

/// What stands here for a type of other languages: its name, or else how it is written.
fn type_here(elsewhere: &str) -> Option<(&'static str, bool)> {
    Some(match elsewhere.to_lowercase().as_str() {
        "option" | "optional" | "maybe" | "nullable" => {
            ("a type whose value may be `null` is written `T?`", false)
        }
        "array" | "list" | "vec" | "set" | "seq" | "sequence" | "tuple" => {
            ("a list type is written `[T]`", false)
        }
        "map" | "hashmap" | "dict" | "record" | "object" => ("a map type is written `{String: T}`", false),
        "boolean" => ("Bool", true),
        "integer" | "long" | "short" | "number" | "i64" | "i32" | "u64" | "u32" | "usize" => ("Int", true),
        "double" | "f64" | "f32" => ("Float", true),
        "str" | "text" | "char" => ("String", true),
        "any" | "unknown" | "dynamic" => ("Json", true),
        "date" | "datetime" | "timestamp" | "instant" => ("Time", true),
        "money" | "price" | "decimal" => ("Amount", true),
        "uri" => ("Url", true),
        "void" | "unit" | "nothing" | "never" => {
            ("all that is run has a value: write its type, such as `Bool`", false)
        }
        _ => return None,
    })
}

/// What a type name was found to be.
pub(crate) enum Lookup {
    Found(TypeName),
    Ambiguous,
    Unknown,
}

/// A name that operations of several subnets bring.
pub(crate) fn ambiguous(name: &ast::Ident) -> Diagnostic {
    let message = format!("two imported operations bring a type `{}`", name.name);
    Diagnostic::error(codes::AMBIGUOUS_TYPE, message)
        .primary(name.span, "which one?")
        .help(format!("import the one that is meant: `use snN {{ {} as Name }}`", name.name))
}

/// The declared or imported type called `name`.
pub(crate) fn lookup(module: &Module<'_>, name: &str) -> Lookup {
    if let Some(found) = module.types.get(name) {
        return Lookup::Found(*found);
    }
    match module.brought.get(name).map(Vec::as_slice) {
        Some([only]) => Lookup::Found(TypeName::Def(*only)),
        Some([_, _, ..]) => Lookup::Ambiguous,
        _ => Lookup::Unknown,
    }
}

/// The type of a module, or of the language, that `name` was most probably meant to be. All types of the module have
/// to be declared.
fn near(module: &Module<'_>, name: &str) -> Option<String> {
    let all = candidates(module);
    if let Some(known) = module.near_types.borrow().get(name) {
        return known.clone();
    }
    let near = suggest(name, all.take(CANDIDATES_MAX)).map(str::to_owned);
    module.near_types.borrow_mut().insert(name.to_owned(), near.clone());
    near
}

/// Every type name of a module, built-in ones included.
fn candidates<'m>(module: &'m Module<'_>) -> impl Iterator<Item = &'m str> {
    let declared = module.types.all().keys().chain(module.brought.keys()).map(String::as_str);
    BUILTIN_TYPES.into_iter().chain(declared)
}

/// Names that a message lists.
const LISTED_MAX: usize = 20;

/// Names for a message: "`R` has: a, b, c".
pub(crate) fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<T> = names.by_ref().take(LISTED_MAX).collect();
    let shown: Vec<&str> = shown.iter().map(AsRef::as_ref).collect();
    // Of what knows how many it has, the others are not made only to be counted.
    let rest = match names.size_hint() {
        (least, Some(most)) if least == most => least,
        _ => names.count(),
    };
    match rest {
        0 => shown.join(", "),
        _ => format!("{} and {rest} more", shown.join(", ")),
    }
}

/// The article before a name in a message.
pub(crate) fn article(name: &str) -> &'static str {
    if name.starts_with(['A', 'E', 'I', 'O', 'a', 'e', 'i', 'o']) { "an" } else { "a" }
}
