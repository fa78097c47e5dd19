//! JSON Schema to types and back.
//!
//! The dialect is 2020-12 as OpenAPI 3.1 documents use it. What a type can say is mapped; a constraint
//! that only narrows a scalar (`pattern`, `multipleOf`, `uniqueItems` ...) is left to the peer to check;
//! everything else, above all a keyword nobody here has heard of, is refused with a code and a JSON
//! pointer. Nothing is dropped in silence, for a plan is checked against the mapped type.
//!
//! The result depends on what a schema says, not on the order in which an object's members stand: fields
//! follow `required`, then their names.

use serde_json::Value as Json;

use crate::boundary::Checks;
use crate::types::{DefId, Type, TypeDefs};

mod arrays;
mod discriminator;
mod emit;
pub(crate) mod keywords;
mod literals;
mod mapper;
mod merge;
mod merged;
mod names;
mod objects;
mod operation;
pub(crate) mod scalars;
mod unions;

pub(crate) use literals::is_opaque;
pub(crate) use mapper::local;
pub(crate) use names::shown;

pub use emit::to_json_schema;
pub use operation::OperationTypes;
pub(crate) use operation::type_stem;

/// Nesting of schemas that are mapped: a document of the deepest admitted nesting needs no more.
pub const SCHEMA_DEPTH_MAX: usize = 64;
/// Records and enums that one operation may bring.
pub const SCHEMA_TYPES_MAX: usize = 2_000;
/// Fields of one record.
pub const RECORD_FIELDS_MAX: usize = 1_000;
/// Literals of one enum, and members of one union.
pub const ENUM_VARIANTS_MAX: usize = 1_000;
/// Parts of schemas that are looked at for one operation, each as often as it is used.
pub const SCHEMA_VISITS_MAX: usize = 1_000_000;

/// A schema that does not map to a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[{code}] {message}, at {pointer}")]
#[non_exhaustive]
pub struct SchemaError {
    /// Stable code of the error page, `E0610` to `E0617`.
    pub code: &'static str,
    /// Where, as a JSON pointer into the schema such as `#/properties/data/items`; for an operation
    /// `input` or `output` stands before it.
    pub pointer: String,
    /// What was found and what is admitted.
    pub message: String,
}

/// A keyword whose value has the wrong form, or keywords that contradict each other.
pub(crate) const MALFORMED: &str = "E0610";
/// A keyword that is not of JSON Schema.
pub(crate) const UNKNOWN_KEYWORD: &str = "E0611";
/// A union whose members cannot be told apart.
pub(crate) const AMBIGUOUS_UNION: &str = "E0612";
/// A keyword of JSON Schema that no type can express.
pub(crate) const UNSUPPORTED: &str = "E0613";
/// A reference that leads nowhere, elsewhere or in a circle.
pub(crate) const BAD_REFERENCE: &str = "E0614";
/// Members of `allOf` that contradict each other.
pub(crate) const CONTRADICTION: &str = "E0615";
/// A schema that is too deep or too large.
pub(crate) const SCHEMA_TOO_LARGE: &str = "E0616";
/// An operation's input that is no object of named parameters.
pub(crate) const INPUT_NOT_NAMED: &str = "E0617";

impl SchemaError {
    pub(crate) fn new(code: &'static str, pointer: &str, message: impl Into<String>) -> Self {
        Self { code, pointer: pointer.into(), message: message.into() }
    }
}

/// The type that `schema` describes, with the records and enums it needs. Types without a `title` are
/// named after `name`, as in `<name><Field>Item`.
///
/// # Errors
/// [`SchemaError`] with the first construct that does not map.
///
/// ```
/// use schema::json_schema::from_json_schema;
/// let schema = serde_json::json!({
///     "type": "object",
///     "required": ["link"],
///     "properties": { "link": { "type": "string", "format": "uri" }, "rank": { "type": "integer" } },
/// });
/// let (defs, ty) = from_json_schema(&schema, "Hit")?;
/// assert_eq!(defs.show(&ty), "Hit");
/// let fields = defs.iter().next().and_then(|(id, _)| defs.record(id)).map(|hit| &hit.fields);
/// assert_eq!(fields.map(|f| f.iter().map(|f| defs.show(&f.ty)).collect()), Some(vec!["Url".to_owned(), "Int?".into()]));
/// # Ok::<(), schema::json_schema::SchemaError>(())
/// ```
pub fn from_json_schema(schema: &Json, name: &str) -> Result<(TypeDefs, Type), SchemaError> {
    let mut table = mapper::Table::default();
    let ty = mapper::Mapper::new(schema, &mut table).root(&names::pascal(name))?;
    // What the type does not say is checked at the boundary, so it must make sense, too.
    Checks::of(schema)?;
    Ok((table.defs, ty))
}

/// Where a schema stands and what its type is called.
#[derive(Clone, Debug)]
struct At {
    /// JSON pointer with the leading `#`.
    pointer: String,
    /// Name of the type, should it need one and have no `title`.
    name: String,
    /// References that are being resolved and mean this very type, or with `true` this type or `null`.
    aliases: Vec<(String, bool)>,
}

impl At {
    /// A schema below this one, whose type is another.
    fn below(&self, segments: &[&str], suffix: &str) -> Self {
        let mut pointer = self.pointer.clone();
        for segment in segments {
            pointer.push('/');
            pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
        }
        Self { pointer, name: format!("{}{suffix}", self.name), aliases: Vec::new() }
    }

    /// A schema below this one that describes the same value.
    fn same(&self, segments: &[&str]) -> Self {
        Self { aliases: self.aliases.clone(), ..self.below(segments, "") }
    }

    /// The same schema, seen from within something that admits `null` in its place.
    fn or_null(&self, nullable: bool) -> Self {
        let mut at = self.clone();
        at.aliases.iter_mut().for_each(|(_, null)| *null |= nullable);
        at
    }
}

/// A mapped schema; `ty` itself is never optional.
#[derive(Clone, Debug, PartialEq)]
struct Mapped {
    ty: Type,
    nullable: bool,
}

impl Mapped {
    const fn plain(ty: Type) -> Self {
        Self { ty, nullable: false }
    }

    const fn named(id: DefId) -> Self {
        Self::plain(Type::Named(id))
    }

    fn or_null(self, nullable: bool) -> Self {
        Self { nullable: self.nullable || nullable, ..self }
    }

    fn into_type(self) -> Type {
        if self.nullable { self.ty.optional() } else { self.ty }
    }
}

#[cfg(test)]
mod tests;
