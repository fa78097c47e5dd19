//! The lossless tree: every byte of the text is in exactly one token, errors included.
//!
//! This is what the formatter and editors read; a checker reads the AST. The tree is kept by `rowan`,
//! which shows through nowhere: [`SyntaxNode`] and [`SyntaxToken`] are our own and cheap to clone.

mod kind;

use std::fmt;

pub use kind::SyntaxKind;

use crate::text::Span;

/// Ties our kinds to rowan's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Orch {}

impl rowan::Language for Orch {
    type Kind = SyntaxKind;

    fn kind_from_raw(raw: rowan::SyntaxKind) -> SyntaxKind {
        kind::ALL.get(raw.0 as usize).copied().unwrap_or(SyntaxKind::Unknown)
    }

    fn kind_to_raw(kind: SyntaxKind) -> rowan::SyntaxKind {
        rowan::SyntaxKind(kind as u16)
    }
}

/// A node of the tree, with its place in it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SyntaxNode(rowan::SyntaxNode<Orch>);

/// A token of the tree, with its place in it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SyntaxToken(rowan::SyntaxToken<Orch>);

/// A node or a token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SyntaxElement {
    /// A node.
    Node(SyntaxNode),
    /// A token.
    Token(SyntaxToken),
}

impl SyntaxNode {
    pub(crate) fn root(green: rowan::GreenNode) -> Self {
        Self(rowan::SyntaxNode::new_root(green))
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> SyntaxKind {
        self.0.kind()
    }

    /// Where it is.
    #[must_use]
    pub fn span(&self) -> Span {
        span(self.0.text_range())
    }

    /// Its text, copied.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.0.text_range().len().into());
        any_token(&self.0.green(), |token| {
            text.push_str(token.text());
            false
        });
        text
    }

    /// Whether its text has a line end.
    pub(crate) fn has_line_end(&self) -> bool {
        any_token(&self.0.green(), |token| token.text().contains('\n'))
    }

    /// Whether both are one and the same in memory, whatever their places: then nothing in them differs. What an update of a text did
    /// not read again it shares with the tree before, except for the root, which is new each time. Of nodes that look the same
    /// within one tree small ones may be shared, too; those of trees that were read apart are not.
    ///
    /// ```
    /// use plan_lang::{parse, syntax::SyntaxNode};
    ///
    /// let before = parse("fn a() -> Int = 1\nfn b() -> Int = 2\n");
    /// let after = before.update("fn a() -> Int = 100\nfn b() -> Int = 2\n");
    /// let items = |root: SyntaxNode| root.children().collect::<Vec<_>>();
    /// let (old, new) = (items(before.syntax()), items(after.syntax()));
    /// assert!(!new[0].is_shared_with(&old[0]) && new[1].is_shared_with(&old[1]));
    /// assert_ne!(new[1].span(), old[1].span());
    /// assert!(!new[1].is_shared_with(&items(parse("fn a() -> Int = 1\nfn b() -> Int = 2\n").syntax())[1]));
    /// ```
    #[must_use]
    pub fn is_shared_with(&self, other: &Self) -> bool {
        std::ptr::eq::<rowan::GreenNodeData>(&*self.0.green(), &*other.0.green())
    }

    /// The node around it.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.parent().map(Self)
    }

    /// Itself and the nodes around it, from inside out.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + use<> {
        self.0.ancestors().map(Self)
    }

    /// The nodes in it, one level down.
    pub fn children(&self) -> impl Iterator<Item = Self> + use<> {
        self.0.children().map(Self)
    }

    /// The nodes and tokens in it, one level down.
    pub fn elements(&self) -> impl Iterator<Item = SyntaxElement> + use<> {
        self.0.children_with_tokens().map(SyntaxElement::from)
    }

    /// The tokens in it, one level down.
    pub fn tokens(&self) -> impl Iterator<Item = SyntaxToken> + use<> {
        let tokens = self.0.children_with_tokens().by_kind(SyntaxKind::is_token);
        tokens.filter_map(rowan::NodeOrToken::into_token).map(SyntaxToken)
    }

    /// Itself and every node in it, parents before children.
    pub fn descendants(&self) -> impl Iterator<Item = Self> + use<> {
        self.0.descendants().map(Self)
    }

    /// Every token in it, in order.
    pub fn all_tokens(&self) -> impl Iterator<Item = SyntaxToken> + use<> {
        self.0.descendants_with_tokens().filter_map(rowan::NodeOrToken::into_token).map(SyntaxToken)
    }

    /// Whether it has a token of that kind, at any depth.
    pub(crate) fn holds(&self, kind: SyntaxKind) -> bool {
        let kind = <Orch as rowan::Language>::kind_to_raw(kind);
        any_token(&self.0.green(), |token| token.kind() == kind)
    }

    /// The first child node of that kind.
    #[must_use]
    pub fn child(&self, kind: SyntaxKind) -> Option<Self> {
        self.0.first_child_by_kind(&|child| child == kind).map(Self)
    }

    /// The first token of that kind, one level down.
    #[must_use]
    pub fn token(&self, kind: SyntaxKind) -> Option<SyntaxToken> {
        let token = self.0.first_child_or_token_by_kind(&|child| child == kind);
        token.and_then(rowan::NodeOrToken::into_token).map(SyntaxToken)
    }

    /// The first token in it, at any depth.
    #[must_use]
    pub fn first_token(&self) -> Option<SyntaxToken> {
        self.0.first_token().map(SyntaxToken)
    }

    /// The last token in it, at any depth.
    #[must_use]
    pub fn last_token(&self) -> Option<SyntaxToken> {
        self.0.last_token().map(SyntaxToken)
    }

    /// The node or token before it under the same parent.
    #[must_use]
    pub fn prev(&self) -> Option<SyntaxElement> {
        self.0.prev_sibling_or_token().map(SyntaxElement::from)
    }

    /// The node or token after it under the same parent.
    #[must_use]
    pub fn next(&self) -> Option<SyntaxElement> {
        self.0.next_sibling_or_token().map(SyntaxElement::from)
    }

    /// The text of the last token before it under the same parent that is no blank or comment.
    pub(crate) fn prev_significant(&self) -> Option<String> {
        let mut before = self.0.prev_sibling_or_token();
        while let Some(element) = before {
            if !element.kind().is_trivia() {
                return element.into_token().map(|token| token.text().to_owned());
            }
            before = element.prev_sibling_or_token();
        }
        None
    }

    /// The tokens left and right of a cursor at `offset`; the same one twice if it is inside a token.
    /// `None` at either end of the text and outside of this node.
    #[must_use]
    pub fn tokens_at(&self, offset: u32) -> (Option<SyntaxToken>, Option<SyntaxToken>) {
        if !self.span().touches(offset) {
            return (None, None);
        }
        match self.0.token_at_offset(offset.into()) {
            rowan::TokenAtOffset::None => (None, None),
            rowan::TokenAtOffset::Single(token) => {
                let token = SyntaxToken(token);
                let place = token.span();
                let left = (place.start < offset).then(|| token.clone());
                (left, (offset < place.end).then_some(token))
            }
            rowan::TokenAtOffset::Between(left, right) => (Some(SyntaxToken(left)), Some(SyntaxToken(right))),
        }
    }
}

impl SyntaxToken {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> SyntaxKind {
        self.0.kind()
    }

    /// Where it is.
    #[must_use]
    pub fn span(&self) -> Span {
        span(self.0.text_range())
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// The node around it.
    #[must_use]
    pub fn parent(&self) -> Option<SyntaxNode> {
        self.0.parent().map(SyntaxNode)
    }

    /// The node or token before it under the same parent.
    #[must_use]
    pub fn prev_sibling(&self) -> Option<SyntaxElement> {
        self.0.prev_sibling_or_token().map(SyntaxElement::from)
    }

    /// The node or token after it under the same parent.
    #[must_use]
    pub fn next_sibling(&self) -> Option<SyntaxElement> {
        self.0.next_sibling_or_token().map(SyntaxElement::from)
    }

    /// The token before it in the text.
    #[must_use]
    pub fn prev_token(&self) -> Option<Self> {
        self.0.prev_token().map(Self)
    }

    /// The token after it in the text.
    #[must_use]
    pub fn next_token(&self) -> Option<Self> {
        self.0.next_token().map(Self)
    }
}

impl SyntaxElement {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> SyntaxKind {
        match self {
            Self::Node(node) => node.kind(),
            Self::Token(token) => token.kind(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Node(node) => node.span(),
            Self::Token(token) => token.span(),
        }
    }

    /// The node or token after it under the same parent.
    #[must_use]
    pub fn next(&self) -> Option<Self> {
        match self {
            Self::Node(node) => node.next(),
            Self::Token(token) => token.next_sibling(),
        }
    }

    /// Every token in it, in the order of the text: the token itself, or those of a node.
    pub fn all_tokens(&self) -> impl Iterator<Item = SyntaxToken> + use<> {
        let (node, token) = match self {
            Self::Node(node) => (Some(node.all_tokens()), None),
            Self::Token(token) => (None, Some(token.clone())),
        };
        node.into_iter().flatten().chain(token)
    }

    /// The node around it.
    #[must_use]
    pub fn parent(&self) -> Option<SyntaxNode> {
        match self {
            Self::Node(node) => node.parent(),
            Self::Token(token) => token.parent(),
        }
    }
}

impl From<rowan::SyntaxElement<Orch>> for SyntaxElement {
    fn from(element: rowan::SyntaxElement<Orch>) -> Self {
        match element {
            rowan::NodeOrToken::Node(node) => Self::Node(SyntaxNode(node)),
            rowan::NodeOrToken::Token(token) => Self::Token(SyntaxToken(token)),
        }
    }
}

impl fmt::Debug for SyntaxNode {
    /// With `{:#?}` the whole tree, one line per node or token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Debug for SyntaxToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Shows `each` the texts of all tokens of that kind in a tree, in order.
pub(crate) fn each_text<'g>(
    green: &'g rowan::GreenNodeData,
    kind: SyntaxKind,
    mut each: impl FnMut(&'g str),
) {
    let kind = <Orch as rowan::Language>::kind_to_raw(kind);
    any_token(green, |token| {
        if token.kind() == kind {
            each(token.text());
        }
        false
    });
}

/// Whether `is` holds of a token in a tree, at any depth. Makes none of them, unlike [`SyntaxNode::all_tokens`].
fn any_token<'g>(
    green: &'g rowan::GreenNodeData,
    mut is: impl FnMut(&'g rowan::GreenTokenData) -> bool,
) -> bool {
    let mut open = vec![green.children()];
    while let Some(children) = open.last_mut() {
        match children.next() {
            Some(rowan::NodeOrToken::Node(node)) => open.push(node.children()),
            Some(rowan::NodeOrToken::Token(token)) if is(token) => return true,
            Some(rowan::NodeOrToken::Token(_)) => {}
            None => drop(open.pop()),
        }
    }
    false
}

fn span(range: rowan::TextRange) -> Span {
    Span::new(range.start().into(), range.end().into())
}
