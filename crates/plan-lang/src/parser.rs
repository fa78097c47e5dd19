//! Text to tree, AST and diagnostics. Never fails: every text has a tree that holds all of it.
//!
//! pest is private to this module; what leaves it is [`Parse`].

mod chunk;
mod gap;
mod grammar;
mod precheck;
mod rules;
mod squeeze;
mod tree;

use std::collections::HashMap;
use std::sync::Arc;

use rowan::{GreenNode, NodeCache};

use crate::ast;
use crate::diagnostic::Diagnostic;
use crate::lower;
use crate::messages;
use crate::syntax::SyntaxNode;
use crate::text::Span;

/// A parsed text: its tree, its AST and what is wrong with it. Cheap to clone and to send to threads.
#[derive(Clone, Debug)]
pub struct Parse {
    green: GreenNode,
    file: Arc<ast::File>,
    diagnostics: Arc<[Diagnostic]>,
    /// The green tree of each chunk by its text. Green trees hold no positions, so a chunk that did not
    /// change keeps its tree wherever it moves.
    chunks: Arc<HashMap<Box<str>, GreenNode>>,
}

impl Parse {
    /// The lossless tree.
    #[must_use]
    pub fn syntax(&self) -> SyntaxNode {
        SyntaxNode::root(self.green.clone())
    }

    /// The AST. What could not be read is left out of it or marked as an error; see [`ast`].
    #[must_use]
    pub fn ast(&self) -> &ast::File {
        &self.file
    }

    /// The AST, shared.
    #[must_use]
    pub fn shared_ast(&self) -> Arc<ast::File> {
        Arc::clone(&self.file)
    }

    /// Errors and warnings in source order.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Whether the text breaks the rules of the grammar. A warning does not.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Parses a changed text, taking the trees of unchanged declarations from this one. The result is the
    /// same as that of [`parse`].
    #[must_use]
    pub fn update(&self, text: &str) -> Self {
        parse_with(text, &self.chunks)
    }
}

/// Parses a source text.
///
/// ```
/// let parse = plan_lang::parse("edition 2026\nfn double(x: Int(0..9)) -> Int(0..18) = x * 2\n");
/// assert!(!parse.has_errors());
/// assert_eq!(parse.ast().items.len(), 2);
/// assert_eq!(plan_lang::parse("fn half(").diagnostics()[0].code.as_str(), "E0116");
/// ```
#[must_use]
pub fn parse(text: &str) -> Parse {
    parse_with(text, &HashMap::new())
}

/// Parses bytes that may be no text. If they are not UTF-8, what comes before the mistake is parsed and
/// the mistake is reported first.
#[must_use]
pub fn parse_bytes(bytes: &[u8]) -> Parse {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text),
        Err(error) => {
            let (valid, rest) = bytes.split_at(error.valid_up_to().min(bytes.len()));
            let bad = rest.get(..error.error_len().unwrap_or(rest.len())).unwrap_or(rest);
            let mut parse = parse(std::str::from_utf8(valid).unwrap_or(""));
            let mut diagnostics = vec![precheck::not_utf8(valid.len(), bad)];
            diagnostics.extend(parse.diagnostics.iter().cloned());
            parse.diagnostics = diagnostics.into();
            parse
        }
    }
}

fn parse_with(text: &str, known: &HashMap<Box<str>, GreenNode>) -> Parse {
    if let Some(error) = precheck::size(text) {
        return unread(text, error);
    }
    let mut diagnostics: Vec<Diagnostic> = precheck::hidden_characters(text).into_iter().collect();
    let mut chunks = HashMap::new();
    let mut trees = Vec::new();
    let mut cache = NodeCache::default();
    let mut at = 0;
    for chunk in chunk::split(text) {
        let tree = match known.get(chunk).or_else(|| chunks.get(chunk)) {
            Some(tree) => tree.clone(),
            None => match parse_chunk(chunk, &mut cache) {
                Ok(tree) => tree,
                Err(deep) => {
                    diagnostics.push(precheck::too_deep_at(at + deep));
                    tree::unparsed_chunk(chunk)
                }
            },
        };
        // A chunk that was too deep is not remembered, else it would be silent the next time.
        if diagnostics.is_empty() {
            chunks.insert(chunk.into(), tree.clone());
        }
        trees.push(tree);
        at += chunk.len();
    }
    let green = tree::join(&trees);
    let root = SyntaxNode::root(green.clone());
    let misread = messages::collect(&root, text, &mut diagnostics);
    let (file, checks) = lower::file(&root);
    messages::merge(text, &mut diagnostics, &misread, checks);
    Parse { green, file: Arc::new(file), diagnostics: diagnostics.into(), chunks: Arc::new(chunks) }
}

/// The tree of one chunk, or the offset in it where it gets too deep.
fn parse_chunk(chunk: &str, cache: &mut NodeCache) -> Result<GreenNode, usize> {
    let gaps = precheck::look(chunk)?;
    tree::parse_chunk(chunk, &gaps, cache).ok_or(0)
}

/// The result for a text that is not read at all.
fn unread(text: &str, error: Diagnostic) -> Parse {
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let file = ast::File { edition: crate::Edition::NEWEST, items: Vec::new(), span: Span::new(0, end) };
    Parse {
        green: tree::one_token(text),
        file: Arc::new(file),
        diagnostics: Arc::new([error]),
        chunks: Arc::default(),
    }
}
