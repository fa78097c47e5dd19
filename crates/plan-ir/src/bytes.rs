//! A compiled plan as bytes, and its hash.
//!
//! The outer object and the graph are OCB1, which a verifier in any language reads; the body is octets that
//! only a runtime or a replay opens. Bytes come from strangers (a bundle, a journal), so reading them
//! checks everything that executing the plan relies on. Source positions are not part of them.

use schema::hash::{Context, Hash};
use schema::ocb::{FieldError, Fields, Item, MapBuilder, OcbError, Profile};
use serde::Deserialize as _;

use crate::graph::{Graph, Node};
use crate::plan::{CompiledPlan, DebugInfo, IR_VERSION, LIBRARY_VERSION, PlanBody};
use crate::topology::{GraphError, Topology};
use crate::validate::{InvalidPlan, validate};

mod nesting;
mod outline;

/// Bytes of one compiled plan.
pub const PLAN_BYTES_MAX: usize = 8 << 20;

/// CBOR items of one plan, the body counting as one. A graph at its limits has about 220,000; without a
/// limit, a few bytes for each would become a tree a hundred times as large before any rule is checked.
const ITEMS_MAX: usize = 500_000;

/// Nesting of the body's parts. A value as deep as JSON may be takes three levels for each of its own.
const BODY_LEVELS_MAX: usize = 256;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BytesError {
    /// More than [`PLAN_BYTES_MAX`].
    #[error("a compiled plan of {size} bytes is larger than {PLAN_BYTES_MAX}")]
    TooLarge {
        /// How many.
        size: usize,
    },
    /// More parts than the largest graph has.
    #[error("a compiled plan of more than {ITEMS_MAX} parts is too large")]
    TooManyItems,
    /// The bytes are not OCB1.
    #[error("the bytes are no compiled plan: {0}")]
    Encoding(#[from] OcbError),
    /// The bytes are OCB1 but hold no plan.
    #[error("the bytes are no compiled plan: {0}")]
    Shape(#[from] FieldError),
    /// A format or library that this build does not have.
    #[error("the plan needs {what} version {found}, and this build has {known}")]
    Version {
        /// `format` or `library`.
        what: &'static str,
        /// What the plan says.
        found: u32,
        /// What this build has.
        known: u32,
    },
    /// The graph breaks a rule.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The body cannot be read, or written.
    #[error("the body of the compiled plan is damaged: {0}")]
    Body(String),
    /// The body contradicts itself or the graph.
    #[error(transparent)]
    Invalid(#[from] InvalidPlan),
}

impl BytesError {
    /// Code of the error page.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::TooManyItems => "E0808",
            Self::Graph(error) => error.code(),
            _ => "E0807",
        }
    }
}

/// What a verifier knows of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// Nodes and edges; well formed.
    pub graph: Graph,
    /// The same, seen from each node.
    pub topology: Topology,
    /// Version of the library its results depend on.
    pub library_version: u32,
    /// Hash of the lockfile it was compiled against.
    pub lock_hash: Hash,
}

/// The bytes of `plan`. A plan has one encoding only.
///
/// # Errors
/// [`BytesError::TooLarge`] or, where the plan was not made by the compiler, any reason that
/// [`decode`] would refuse it for.
pub fn encode(plan: &CompiledPlan) -> Result<Vec<u8>, BytesError> {
    validate(plan)?;
    let bytes = MapBuilder::new()
        .with(1, IR_VERSION)
        .with(2, outline::graph_item(&plan.graph))
        .with(3, body_bytes(&plan.body)?)
        .with(4, plan.library_version)
        .with(5, plan.lock_hash)
        .build()
        .encode(Profile::Proof)?;
    match bytes.len() {
        size if size > PLAN_BYTES_MAX => Err(BytesError::TooLarge { size }),
        _ => Ok(bytes),
    }
}

/// The plan in `bytes`, ready to run; [`CompiledPlan::debug`] is empty.
///
/// # Errors
/// [`BytesError`]. Bytes that [`encode`] would not have written are refused.
pub fn decode(bytes: &[u8]) -> Result<CompiledPlan, BytesError> {
    let (outline, body) = open(bytes)?;
    let levels = BODY_LEVELS_MAX;
    let mut source = postcard::Deserializer::from_bytes(&body);
    let damaged = |error: postcard::Error| BytesError::Body(error.to_string());
    let parsed = PlanBody::deserialize(nesting::Nested::new(&mut source, levels)).map_err(damaged)?;
    // Also refuses numbers in a longer form than necessary, and bytes that are left over.
    if body_bytes(&parsed)? != body {
        return Err(BytesError::Body("it is not in its one canonical form".into()));
    }
    let plan = CompiledPlan {
        graph: outline.graph,
        body: parsed,
        library_version: outline.library_version,
        lock_hash: outline.lock_hash,
        debug: DebugInfo::default(),
    };
    validate(&plan)?;
    Ok(plan)
}

/// The part of `bytes` that a verifier needs; the body stays closed.
///
/// # Errors
/// [`BytesError`]
pub fn decode_outline(bytes: &[u8]) -> Result<Outline, BytesError> {
    open(bytes).map(|(outline, _)| outline)
}

/// The hash that names a plan, of its bytes as they are carried.
#[must_use]
pub fn plan_hash(bytes: &[u8]) -> Hash {
    Context::Plan.hash(&[bytes])
}

/// The hash that names a node in a proof, of its canonical bytes.
#[must_use]
pub fn node_hash(node: &Node) -> Hash {
    Context::PlanNode.hash(&[&node_bytes(node)])
}

/// The canonical bytes of a node.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "OCB1 refuses floats, nulls and deep nesting; a node has none of them"
)]
pub fn node_bytes(node: &Node) -> Vec<u8> {
    outline::node_item(node).encode(Profile::Proof).expect("a node has an encoding")
}

fn body_bytes(body: &PlanBody) -> Result<Vec<u8>, BytesError> {
    postcard::to_stdvec(body).map_err(|error| BytesError::Body(error.to_string()))
}

fn open(bytes: &[u8]) -> Result<(Outline, Vec<u8>), BytesError> {
    if bytes.len() > PLAN_BYTES_MAX {
        return Err(BytesError::TooLarge { size: bytes.len() });
    }
    if count_items(bytes) > ITEMS_MAX {
        return Err(BytesError::TooManyItems);
    }
    let mut fields = Fields::of(Item::decode(bytes, Profile::Proof)?)?;
    let found = fields.small::<u32>(1)?;
    if found != IR_VERSION {
        return Err(BytesError::Version { what: "format", found, known: IR_VERSION });
    }
    let graph = outline::graph(fields.map(2)?)?;
    let body = fields.bytes(3)?;
    let library_version = fields.small::<u32>(4)?;
    let lock_hash = fields.hash(5)?;
    fields.finish()?;
    if library_version != LIBRARY_VERSION {
        let (found, known) = (library_version, LIBRARY_VERSION);
        return Err(BytesError::Version { what: "library", found, known });
    }
    let topology = Topology::of(&graph)?;
    Ok((Outline { graph, topology, library_version, lock_hash }, body))
}

/// Heads of CBOR items, without looking at what they form. Where the bytes are not CBOR the count ends,
/// and the decoder says why.
fn count_items(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some((head, rest)) = bytes.split_first() {
        count += 1;
        let width = match head & 0x1f {
            0..=23 => 0,
            info @ 24..=27 => 1 << (info - 24),
            _ => return count,
        };
        let Some((argument, rest)) = rest.split_at_checked(width) else { return count };
        let content = match head >> 5 {
            // Octets and text: their argument is their length.
            2 | 3 if width == 0 => usize::from(head & 0x1f),
            2 | 3 => argument
                .iter()
                .fold(0, |length: usize, byte| length.saturating_mul(256).saturating_add(usize::from(*byte))),
            _ => 0,
        };
        let Some((_, rest)) = rest.split_at_checked(content) else { return count };
        bytes = rest;
    }
    count
}

#[cfg(test)]
mod tests;
