//! From a schema to its rules.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::equal::canonical;
use super::format::Format;
use super::pattern::{Pattern, Patterns};
use super::{Checks, nulls, told_apart};
use crate::json_schema::keywords::{self, Members, Types};
use crate::json_schema::{
    BAD_REFERENCE, MALFORMED, SCHEMA_DEPTH_MAX, SCHEMA_TOO_LARGE, SchemaError, is_opaque, local, scalars,
    shown,
};
use crate::types::{LengthRange, Type};
use crate::wire::Kind;

/// Index of a node.
pub(super) type NodeId = usize;

/// Schemas of one document that are looked at.
const NODES_MAX: usize = 100_000;

/// Patterns whose places are noted, for a report.
const PLACES_MAX: usize = 1_000;

/// One schema, taken apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// What the type says, for values that were not read by it.
    pub(super) form: Form,
    /// What the type does not say.
    pub(super) rules: Vec<Rule>,
    /// Schemas that all hold for the same value.
    pub(super) all: Vec<NodeId>,
    /// Unions: of each, one must hold.
    pub(super) unions: Vec<Union>,
    pub(super) properties: BTreeMap<String, NodeId>,
    /// Values of an object whose keys are no properties, where it is a map.
    pub(super) values: Option<NodeId>,
    /// Elements, where they are all alike.
    pub(super) items: Option<NodeId>,
    /// Whether a value that fits the type must still be looked at.
    pub(super) live: bool,
}

/// `oneOf` or `anyOf`.
#[derive(Clone, Debug)]
pub(super) struct Union {
    pub(super) members: Vec<NodeId>,
    /// Whether kind and tags tell which member a value is of.
    pub(super) told_apart: bool,
}

/// What the type of a schema says of a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    /// `false` as a schema.
    pub(super) never: bool,
    /// Whether `null` is admitted in so many words.
    pub(super) null: bool,
    pub(super) types: Option<Types>,
    pub(super) literals: Option<BTreeSet<String>>,
    pub(super) text: Option<Type>,
    pub(super) number: Option<Type>,
    pub(super) length: Option<LengthRange>,
    pub(super) required: Vec<String>,
}

/// What a type does not say.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    Pattern(Pattern),
    Format(Format),
    MultipleOf(f64),
    UniqueItems,
    Properties(LengthRange),
    PropertyNames(NodeId),
    /// Keys that match hold values of the schema.
    KeysLike(Pattern, NodeId),
    /// Keys that match none of the patterns hold values of the schema.
    OtherKeys(Vec<Pattern>, NodeId),
    /// There are no keys but properties and those that match a pattern.
    OnlyKeys(Vec<Pattern>),
    /// Where the key is there, so are the others.
    Together(String, Vec<String>),
    /// Where the key is there, the schema holds.
    Dependent(String, NodeId),
    Not(NodeId),
    Conditional {
        condition: NodeId,
        then: Option<NodeId>,
        otherwise: Option<NodeId>,
    },
    Contains(NodeId, LengthRange),
    /// What stands in the first places, and in all others.
    Places(Vec<NodeId>, Option<NodeId>),
    /// Literals among which are lists or objects.
    Literals(BTreeSet<String>),
}

impl Rule {
    /// The schema of the value under such a key.
    pub(super) fn of_key(&self, key: &str) -> Option<NodeId> {
        match self {
            Self::KeysLike(pattern, schema) => {
                (pattern.is_known() && pattern.is_found_in(key)).then_some(*schema)
            }
            Self::OtherKeys(patterns, schema) => {
                (!patterns.iter().any(|pattern| pattern.is_found_in(key))).then_some(*schema)
            }
            _ => None,
        }
    }

    /// The schema of the element in that place.
    pub(super) fn of_place(&self, at: usize) -> Option<NodeId> {
        match self {
            Self::Places(first, rest) => first.get(at).copied().or(*rest),
            _ => None,
        }
    }
}

/// Compiles `schema` and everything it refers to; of arguments also which keys there may be (`closed`).
pub(super) fn compile(schema: &Json, closed: bool) -> Result<Checks, SchemaError> {
    let mut compiler = Compiler {
        document: schema,
        closed,
        nodes: Vec::new(),
        // The document itself may be referred to as `#`.
        references: BTreeMap::from([("#".into(), 0)]),
        open: Vec::new(),
        patterns: Patterns::default(),
        places: Vec::new(),
    };
    let root = compiler.reserve("#")?;
    compiler.fill(root, schema, "#", 0)?;
    while let Some((pointer, id)) = compiler.open.pop() {
        let target = compiler.resolve(&pointer, &pointer)?;
        compiler.fill(id, target, &pointer, 0)?;
    }
    mark_live(&mut compiler.nodes);
    let live = compiler.nodes.first().is_some_and(|root| root.live);
    let nulls = nulls::are_wanted(&compiler.nodes);
    Ok(Checks { nodes: compiler.nodes, live, nulls, patterns: compiler.places })
}

struct Compiler<'a> {
    document: &'a Json,
    closed: bool,
    nodes: Vec<Node>,
    references: BTreeMap<String, NodeId>,
    /// References that were met, and the nodes kept for them.
    open: Vec<(String, NodeId)>,
    patterns: Patterns,
    /// Where the first patterns stand.
    places: Vec<(String, Pattern)>,
}

impl<'a> Compiler<'a> {
    fn reserve(&mut self, pointer: &str) -> Result<NodeId, SchemaError> {
        if self.nodes.len() >= NODES_MAX {
            let message = format!("the schema has more than {NODES_MAX} schemas in it");
            return Err(SchemaError::new(SCHEMA_TOO_LARGE, pointer, message));
        }
        self.nodes.push(Node::default());
        Ok(self.nodes.len() - 1)
    }

    fn schema(&mut self, schema: &Json, pointer: String, depth: usize) -> Result<NodeId, SchemaError> {
        if depth >= SCHEMA_DEPTH_MAX {
            let message = format!("schemas nest deeper than {SCHEMA_DEPTH_MAX} levels");
            return Err(SchemaError::new(SCHEMA_TOO_LARGE, &pointer, message));
        }
        let id = self.reserve(&pointer)?;
        self.fill(id, schema, &pointer, depth + 1)?;
        Ok(id)
    }

    fn reference(&mut self, target: &str, from: &str) -> Result<NodeId, SchemaError> {
        let pointer = local(target, from)?;
        self.resolve(&pointer, from)?;
        if let Some(id) = self.references.get(&pointer) {
            return Ok(*id);
        }
        let id = self.reserve(&pointer)?;
        self.references.insert(pointer.clone(), id);
        self.open.push((pointer, id));
        Ok(id)
    }

    fn resolve(&self, pointer: &str, from: &str) -> Result<&'a Json, SchemaError> {
        let path = pointer.strip_prefix('#').unwrap_or(pointer);
        self.document.pointer(path).ok_or_else(|| {
            let message = format!("the schema has nothing at `{}`", shown(pointer));
            SchemaError::new(BAD_REFERENCE, from, message)
        })
    }

    /// A pattern, noted with its place.
    fn pattern(&mut self, text: &str, pointer: &str) -> Pattern {
        let pattern = self.patterns.get(text);
        if self.places.len() < PLACES_MAX {
            self.places.push((pointer.into(), pattern.clone()));
        }
        pattern
    }

    fn fill(&mut self, id: NodeId, schema: &Json, pointer: &str, depth: usize) -> Result<(), SchemaError> {
        let mut node = Node::default();
        match schema {
            Json::Bool(admitted) => node.form.never = !admitted,
            Json::Object(members) => {
                keywords::check(members, pointer)?;
                let mut reader = Reader { compiler: self, members, pointer, depth };
                node.form = form(members, pointer)?;
                reader.parts(&mut node)?;
                reader.rules(&mut node)?;
            }
            _ => return Err(SchemaError::new(MALFORMED, pointer, "a schema is an object or a boolean")),
        }
        if let Some(slot) = self.nodes.get_mut(id) {
            *slot = node;
        }
        Ok(())
    }
}

/// Reads the members of one schema.
struct Reader<'r, 'a> {
    compiler: &'r mut Compiler<'a>,
    members: &'r Members,
    pointer: &'r str,
    depth: usize,
}

impl Reader<'_, '_> {
    /// The schema under a keyword.
    fn one(&mut self, keyword: &str) -> Result<Option<NodeId>, SchemaError> {
        let Some(schema) = self.members.get(keyword) else { return Ok(None) };
        let pointer = format!("{}/{keyword}", self.pointer);
        self.compiler.schema(schema, pointer, self.depth).map(Some)
    }

    /// The schemas in a list under a keyword.
    fn list(&mut self, keyword: &str) -> Result<Vec<NodeId>, SchemaError> {
        let list = keywords::array(self.members, keyword, self.pointer)?.unwrap_or_default();
        let schemas = list.iter().enumerate().map(|(place, schema)| {
            let pointer = format!("{}/{keyword}/{place}", self.pointer);
            self.compiler.schema(schema, pointer, self.depth)
        });
        schemas.collect()
    }

    /// The schemas by name under a keyword.
    fn named(&mut self, keyword: &str) -> Result<Vec<(String, NodeId)>, SchemaError> {
        let Some(named) = keywords::object(self.members, keyword, self.pointer)? else {
            return Ok(Vec::new());
        };
        let schemas = named.iter().map(|(name, schema)| {
            let segment = name.replace('~', "~0").replace('/', "~1");
            let pointer = format!("{}/{keyword}/{segment}", self.pointer);
            Ok((name.clone(), self.compiler.schema(schema, pointer, self.depth)?))
        });
        schemas.collect()
    }

    /// The schemas that apply to the value and its parts.
    fn parts(&mut self, node: &mut Node) -> Result<(), SchemaError> {
        if let Some(target) = keywords::text(self.members, "$ref", self.pointer)? {
            node.all.push(self.compiler.reference(target, self.pointer)?);
        }
        node.all.extend(self.list("allOf")?);
        for keyword in ["oneOf", "anyOf"] {
            let members = self.list(keyword)?;
            if !members.is_empty() {
                let parts = keywords::array(self.members, keyword, self.pointer)?.unwrap_or_default();
                let told_apart = told_apart(self.compiler.document, parts);
                node.unions.push(Union { members, told_apart });
            }
        }
        node.properties = self.named("properties")?.into_iter().collect();
        for keyword in ["additionalProperties", "unevaluatedProperties"] {
            // Beside properties the rest is not looked at: objects are read open.
            if self.members.get(keyword).is_some_and(|value| !value.is_boolean()) {
                let values = self.one(keyword)?;
                let is_map = node.properties.is_empty() && node.form.required.is_empty();
                node.values = node.values.or(values.filter(|_| is_map));
            }
        }
        Ok(())
    }

    fn rules(&mut self, node: &mut Node) -> Result<(), SchemaError> {
        self.rules_of_scalars(node)?;
        self.rules_of_arrays(node)?;
        self.rules_of_objects(node)?;
        if let Some(schema) = self.one("not")? {
            node.rules.push(Rule::Not(schema));
        }
        let (condition, then, otherwise) = (self.one("if")?, self.one("then")?, self.one("else")?);
        if let Some(condition) = condition {
            node.rules.push(Rule::Conditional { condition, then, otherwise });
        }
        Ok(())
    }

    fn rules_of_scalars(&mut self, node: &mut Node) -> Result<(), SchemaError> {
        let (members, pointer) = (self.members, self.pointer);
        if let Some(pattern) = keywords::text(members, "pattern", pointer)? {
            node.rules.push(Rule::Pattern(self.compiler.pattern(pattern, pointer)));
        }
        if let Some(format) = keywords::text(members, "format", pointer)?.and_then(Format::of) {
            node.rules.push(Rule::Format(format));
        }
        if let Some(divisor) = keywords::number(members, "multipleOf", pointer)? {
            let divisor = divisor.as_f64().filter(|divisor| *divisor > 0.0 && divisor.is_finite());
            let divisor = divisor.ok_or_else(|| {
                SchemaError::new(MALFORMED, pointer, "the value of `multipleOf` is not above zero")
            })?;
            node.rules.push(Rule::MultipleOf(divisor));
        }
        if let Some(literals) = node.form.literals.as_ref().filter(|_| is_opaque(members)) {
            node.rules.push(Rule::Literals(literals.clone()));
        }
        Ok(())
    }

    fn rules_of_arrays(&mut self, node: &mut Node) -> Result<(), SchemaError> {
        if keywords::flag(self.members, "uniqueItems", self.pointer)? {
            node.rules.push(Rule::UniqueItems);
        }
        let counts = keywords::lengths(self.members, "minContains", "maxContains", self.pointer)?;
        if let Some(schema) = self.one("contains")? {
            let min = if self.members.contains_key("minContains") { counts.min } else { 1 };
            node.rules.push(Rule::Contains(schema, LengthRange { min, ..counts }));
        }
        let old = self.members.get("items").is_some_and(Json::is_array);
        let first = self.list(if old { "items" } else { "prefixItems" })?;
        let rest = if old { self.one("additionalItems")? } else { self.one("items")? };
        let rest = match self.one("unevaluatedItems")? {
            Some(unevaluated) => rest.or(Some(unevaluated)),
            None => rest,
        };
        if first.is_empty() {
            node.items = rest;
        } else {
            node.rules.push(Rule::Places(first, rest));
        }
        Ok(())
    }

    fn rules_of_objects(&mut self, node: &mut Node) -> Result<(), SchemaError> {
        let counts = keywords::lengths(self.members, "minProperties", "maxProperties", self.pointer)?;
        if counts != LengthRange::FULL {
            node.rules.push(Rule::Properties(counts));
        }
        if let Some(names) = self.one("propertyNames")? {
            node.rules.push(Rule::PropertyNames(names));
        }
        let patterns = self.named("patternProperties")?;
        if let (Some(values), false) = (node.values, patterns.is_empty()) {
            let patterns = patterns.iter().map(|(pattern, _)| self.compiler.patterns.get(pattern)).collect();
            node.rules.push(Rule::OtherKeys(patterns, values));
            node.values = None;
        }
        // Of `unevaluatedProperties` other parts of the schema decide, too. Without patterns the type names every key.
        let is_closed = self.members.get("additionalProperties") == Some(&Json::Bool(false));
        if self.compiler.closed && is_closed && !patterns.is_empty() {
            let patterns = patterns.iter().map(|(pattern, _)| self.compiler.patterns.get(pattern)).collect();
            node.rules.push(Rule::OnlyKeys(patterns));
        }
        for (pattern, schema) in patterns {
            node.rules.push(Rule::KeysLike(self.compiler.pattern(&pattern, self.pointer), schema));
        }
        for (key, schema) in self.named("dependentSchemas")? {
            node.rules.push(Rule::Dependent(key, schema));
        }
        for keyword in ["dependentRequired", "dependencies"] {
            let Some(all) = keywords::object(self.members, keyword, self.pointer)? else { continue };
            for (key, value) in all {
                let malformed = || {
                    let message = format!("the value of `{keyword}` is not lists of names by name");
                    SchemaError::new(MALFORMED, self.pointer, message)
                };
                match value {
                    Json::Array(names) => {
                        let names = names.iter().map(|name| name.as_str().map(str::to_owned));
                        let names = names.collect::<Option<Vec<_>>>().ok_or_else(malformed)?;
                        node.rules.push(Rule::Together(key.clone(), names));
                    }
                    schema if keyword == "dependencies" => {
                        let segment = key.replace('~', "~0").replace('/', "~1");
                        let pointer = format!("{}/{keyword}/{segment}", self.pointer);
                        let schema = self.compiler.schema(schema, pointer, self.depth)?;
                        node.rules.push(Rule::Dependent(key.clone(), schema));
                    }
                    _ => return Err(malformed()),
                }
            }
        }
        Ok(())
    }
}

/// What the type says, read as the mapper reads it.
fn form(members: &Members, pointer: &str) -> Result<Form, SchemaError> {
    let types = keywords::types(members, pointer)?;
    let has = |kind: Kind| types.as_ref().is_some_and(|types| types.kinds.contains(&kind));
    let literals = match (keywords::array(members, "enum", pointer)?, members.get("const")) {
        (None, None) => None,
        (Some(listed), None) => Some(listed.iter().map(canonical).collect()),
        (None, Some(constant)) => Some(BTreeSet::from([canonical(constant)])),
        (Some(listed), Some(constant)) => {
            Some(listed.iter().filter(|value| *value == constant).map(canonical).collect())
        }
    };
    let extensible = keywords::flag(members, "x-extensible", pointer)?;
    let integer = types.as_ref().is_some_and(|types| types.integer);
    let null =
        types.as_ref().is_some_and(|types| types.null) || keywords::flag(members, "nullable", pointer)?;
    Ok(Form {
        never: false,
        null,
        literals: literals.filter(|_| !extensible),
        text: has(Kind::String).then(|| scalars::string(members, pointer)).transpose()?,
        number: has(Kind::Number).then(|| scalars::number(members, integer, pointer)).transpose()?,
        length: has(Kind::Array)
            .then(|| keywords::lengths(members, "minItems", "maxItems", pointer))
            .transpose()?,
        required: keywords::required(members, pointer)?.into_iter().map(str::to_owned).collect(),
        types,
    })
}

/// Marks the nodes from which a rule is reached along the ways that a value takes.
fn mark_live(nodes: &mut [Node]) {
    let mut above: Vec<Vec<NodeId>> = vec![Vec::new(); nodes.len()];
    let mut open = Vec::new();
    for (id, node) in nodes.iter_mut().enumerate() {
        let unions = node.unions.iter().flat_map(|union| &union.members);
        let below = node.all.iter().chain(unions).chain(node.properties.values());
        for below in below.chain(&node.values).chain(&node.items) {
            if let Some(above) = above.get_mut(*below) {
                above.push(id);
            }
        }
        if !node.rules.is_empty() {
            node.live = true;
            open.push(id);
        }
    }
    while let Some(id) = open.pop() {
        for &id in above.get(id).map(Vec::as_slice).unwrap_or_default() {
            if let Some(node) = nodes.get_mut(id).filter(|node| !node.live) {
                node.live = true;
                open.push(id);
            }
        }
    }
}
