//! The types of the language that take a type: one definition for each type they are used with.

use schema::error::CallErrorKind;
use schema::types::{
    DefId, EnumDef, EnumWire, FieldDef, FloatRange, IntRange, LengthRange, RecordDef, Type, TypeDef,
    TypeDefs, VariantDef,
};

/// The `PlanError { code, message, node }` record of a failed element, always the first definition.
pub(crate) const PLAN_ERROR: DefId = DefId(0);

/// Their names, with the number of types each takes.
pub(crate) const GENERIC: [&str; 3] = ["CallError", "ItemError", "Voted"];

/// The definition of [`PLAN_ERROR`].
pub(crate) fn plan_error() -> TypeDef {
    record(
        "PlanError",
        "Why a part of a plan failed.",
        vec![
            field("code", Type::STRING, "Code of the error page."),
            field("message", Type::STRING, "What happened."),
            field("node", Type::STRING.optional(), "The node that failed."),
        ],
    )
}

/// The generic type `name` of `of`, as it is written: `CallError<T>`.
pub(crate) fn generic(types: &mut TypeDefs, name: &str, of: Type) -> Option<DefId> {
    match name {
        "CallError" => Some(call_error(types, of, LengthRange::FULL)),
        "ItemError" => Some(item_error(types, of)),
        "Voted" => Some(voted(types, of)),
        _ => None,
    }
}

/// `ItemError { index, item, error }` for elements of this type.
pub(crate) fn item_error(types: &mut TypeDefs, item: Type) -> DefId {
    let index = Type::Int(IntRange { min: 0, max: i64::MAX });
    let fields = vec![
        field("index", index, "Place of the element in the list."),
        field("item", item, "The element."),
        field("error", Type::Named(PLAN_ERROR), "Why it failed."),
    ];
    types.intern(record("ItemError", "An element of a `for` that failed.", fields))
}

/// `Voted { value, agreed, of, share }`: what a quorum gives.
pub(crate) fn voted(types: &mut TypeDefs, value: Type) -> DefId {
    let count = Type::Int(IntRange { min: 0, max: i64::MAX });
    let share = Type::Float(FloatRange { min: 0.0, max: 1.0 });
    let fields = vec![
        field("value", value, "The answer that enough votes agree on."),
        field("agreed", count.clone(), "How many agree."),
        field("of", count, "How many were asked."),
        field("share", share, "Agreed of asked."),
    ];
    types.intern(record("Voted", "What the votes of a call agree on.", fields))
}

/// `CallError`: a variant for each way a call with answers of this type can fail; `votes` is how many answers
/// may not have agreed.
pub(crate) fn call_error(types: &mut TypeDefs, answer: Type, votes: LengthRange) -> DefId {
    let variants = CallErrorKind::ALL.into_iter().map(|kind| VariantDef {
        name: kind.variant().into(),
        wire: serde_json::Value::from(kind.variant()).to_string(),
        payload: match kind {
            CallErrorKind::Invalid => Some(Type::STRING),
            CallErrorKind::NoQuorum => Some(Type::List(Box::new(answer.clone()), votes)),
            _ => None,
        },
        doc: String::new(),
    });
    let def = EnumDef {
        name: "CallError".into(),
        variants: variants.collect(),
        wire: EnumWire::Literal,
        doc: "Why a call failed.".into(),
    };
    types.intern(TypeDef::Enum(def))
}

/// The records of the library that a file can write, unless it declares a type of that name, with the number of types
/// each takes.
pub(crate) const OF_THE_LIBRARY: [(&str, usize); 2] = [("Pair", 2), ("Entry", 1)];

/// The record of the library called `name` of these types.
pub(crate) fn of_the_library(types: &TypeDefs, name: &str, of: &[Type]) -> Option<TypeDef> {
    match (name, of) {
        ("Pair", [left, right]) => Some(pair(types, left, right)),
        ("Entry", [value]) => Some(entry(types, value)),
        _ => None,
    }
}

/// Whether the library has a record called `name`.
pub(crate) fn is_of_the_library(name: &str) -> bool {
    OF_THE_LIBRARY.iter().any(|(known, _)| *known == name)
}

/// The fields of a record of the library, in order, with the types of those that are always the same.
pub(crate) fn parts_of_the_library(name: &str) -> &'static [(&'static str, Option<Type>)] {
    match name {
        "Pair" => &[("left", None), ("right", None)],
        "Entry" => &[("key", Some(Type::STRING)), ("value", None)],
        _ => &[],
    }
}

/// Whether `def` is the record of the library called `name`, of any types.
pub(crate) fn is_made(types: &TypeDefs, def: DefId, name: &str) -> bool {
    let Some(record) = types.record(def) else { return false };
    let open =
        parts_of_the_library(name).iter().zip(&record.fields).filter(|((_, fixed), _)| fixed.is_none());
    let of: Vec<Type> = open.map(|(_, field)| field.ty.clone()).collect();
    of_the_library(types, name, &of).as_ref() == types.get(def)
}

/// `Pair<A, B> { left, right }`: what `zip` gives.
pub(crate) fn pair(types: &TypeDefs, left: &Type, right: &Type) -> TypeDef {
    let fields = vec![
        field("left", left.clone(), "Of the first list."),
        field("right", right.clone(), "Of the second list."),
    ];
    record(&made_of(types, "Pair", &[left, right]), "Elements of the same place of two lists.", fields)
}

/// `Entry<T> { key, value }`: what `entries` gives.
pub(crate) fn entry(types: &TypeDefs, value: &Type) -> TypeDef {
    let fields = vec![field("key", Type::STRING, "The key."), field("value", value.clone(), "Its value.")];
    record(&made_of(types, "Entry", &[value]), "A key of a map with its value.", fields)
}

/// The name of a record that the language makes for these types. No declared record has such a name.
pub(crate) fn made_of(types: &TypeDefs, name: &str, of: &[&Type]) -> String {
    /// Types of types would double with each level.
    const CHARS_MAX: usize = 60;
    let of: Vec<String> = of.iter().map(|ty| types.show(ty)).collect();
    let of = of.join(", ");
    if of.chars().count() > CHARS_MAX { format!("{name}<..>") } else { format!("{name}<{of}>") }
}

fn record(name: &str, doc: &str, fields: Vec<FieldDef>) -> TypeDef {
    TypeDef::Record(RecordDef { name: name.into(), fields, doc: doc.into() })
}

fn field(name: &str, ty: Type, doc: &str) -> FieldDef {
    FieldDef { name: name.into(), ty, doc: doc.into() }
}
