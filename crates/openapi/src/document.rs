//! A document and the list of its operations.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::dialect::Dialect;
use crate::error::{BAD_REFERENCE, Error, NO_API, TOO_LARGE, shown};
use crate::text::percent_decoded;
use crate::{OPERATIONS_MAX, names, text};

/// Keys of a path item that hold an operation, with the method they stand for.
const METHODS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("trace", "TRACE"),
];

/// References that are followed from one place.
const HOPS_MAX: usize = 32;

/// An API description.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) dialect: Dialect,
    pub(crate) root: Json,
    /// BLAKE3 of the bytes it was read from, in hex.
    pub(crate) digest: String,
}

/// An operation of a document, not looked into yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Lower case with `_`, unique in the document; from `operationId`, else from method and path.
    pub name: String,
    /// Upper case.
    pub method: &'static str,
    /// Path template below the server's address.
    pub path: String,
    /// One line, empty where there is none.
    pub summary: String,
    /// JSON pointer to it, through references.
    pub at: String,
    /// JSON pointer to the path item it stands in, through references.
    pub(crate) item: String,
}

impl Document {
    /// Reads a document: JSON or YAML, packed by gzip or not.
    ///
    /// # Errors
    /// [`Error`] with line and column, or where it is no API description of a known version.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let root = text::read(bytes)?;
        if !root.is_object() {
            return Err(Error::new(NO_API, "#", "the document is no mapping"));
        }
        Ok(Self { dialect: Dialect::of(&root)?, root, digest: blake3::hash(bytes).to_hex().to_string() })
    }

    /// The language it is written in.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The whole document as it was read, for what is not read here: servers, security, prices.
    #[must_use]
    pub const fn root(&self) -> &Json {
        &self.root
    }

    /// BLAKE3 of the bytes it was read from, 64 hex digits, as `b3sum` prints it.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Every operation, in the order of the document.
    ///
    /// # Errors
    /// Where `paths` is not what it should be, or a path item refers to nothing.
    pub fn operations(&self) -> Result<Vec<Operation>, Error> {
        let paths = match self.root.get("paths") {
            // A document of webhooks or components only.
            None if self.dialect == Dialect::OpenApi31 => return Ok(Vec::new()),
            None => return Err(Error::malformed("#", "the document has no `paths`")),
            Some(Json::Object(paths)) => paths,
            Some(_) => return Err(Error::malformed("#/paths", "`paths` is no mapping")),
        };
        let mut operations = Vec::new();
        let mut taken = BTreeSet::new();
        for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
            let (item, item_at) = self.follow(item, below("#/paths", path))?;
            let members = object(item, &item_at, "a path item")?;
            for (key, method) in METHODS {
                let Some(operation) = members.get(key) else { continue };
                let at = below(&item_at, key);
                let operation = object(operation, &at, "an operation")?;
                let word = |key: &str| operation.get(key).and_then(Json::as_str).unwrap_or_default();
                let name = names::snake(word("operationId"));
                let name = if name.is_empty() { names::snake(&format!("{key} {path}")) } else { name };
                operations.push(Operation {
                    name: names::unique(name, &mut taken),
                    method,
                    path: path.clone(),
                    summary: one_line(if word("summary").is_empty() {
                        word("description")
                    } else {
                        word("summary")
                    }),
                    at,
                    item: item_at.clone(),
                });
                if operations.len() > OPERATIONS_MAX {
                    let message = format!("the document has more than {OPERATIONS_MAX} operations");
                    return Err(Error::new(TOO_LARGE, "#/paths", message));
                }
            }
        }
        Ok(operations)
    }

    /// The members of the operation itself.
    pub(crate) fn members(&self, operation: &Operation) -> Result<&Map<String, Json>, Error> {
        object(self.resolve(&operation.at, &operation.at)?, &operation.at, "an operation")
    }

    /// What `node` stands for, with the place where that is: references outside of schemas are followed.
    pub(crate) fn follow<'a>(&'a self, node: &'a Json, at: String) -> Result<(&'a Json, String), Error> {
        let (mut node, mut at) = (node, at);
        for _ in 0..HOPS_MAX {
            let Some(target) = node.get("$ref") else { return Ok((node, at)) };
            let Json::String(target) = target else {
                return Err(Error::malformed(at, "the value of `$ref` is no text"));
            };
            let pointer = local(target, &at)?;
            node = self.resolve(&pointer, &at)?;
            at = pointer;
        }
        Err(Error::new(BAD_REFERENCE, at, "the reference leads back to itself"))
    }

    /// What stands at `pointer`.
    pub(crate) fn resolve(&self, pointer: &str, from: &str) -> Result<&Json, Error> {
        let path = pointer.strip_prefix('#').unwrap_or(pointer);
        self.root.pointer(path).ok_or_else(|| {
            Error::new(BAD_REFERENCE, from, format!("the document has nothing at `{}`", shown(pointer)))
        })
    }
}

/// A reference as a pointer with `#`, percent-encoding resolved.
pub(crate) fn local(target: &str, from: &str) -> Result<String, Error> {
    let refused = |why: &str| {
        let message = format!("`{}` {why}", shown(target));
        Error::new(BAD_REFERENCE, from, message)
    };
    let Some(fragment) = target.strip_prefix('#') else {
        return Err(refused("leads out of the document, and nothing is fetched"));
    };
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return Err(refused("is no JSON pointer"));
    }
    match percent_decoded(fragment) {
        Some(decoded) => Ok(format!("#{decoded}")),
        None => Err(refused("is not spelled as an address should be")),
    }
}

/// The pointer to a member.
pub(crate) fn below(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The members of what should be a mapping.
pub(crate) fn object<'a>(node: &'a Json, at: &str, what: &str) -> Result<&'a Map<String, Json>, Error> {
    node.as_object().ok_or_else(|| Error::malformed(at, format!("{what} is a mapping")))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
