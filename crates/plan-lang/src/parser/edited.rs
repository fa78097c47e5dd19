//! Of a plan that was read before, only what is around an edit is read again.
//!
//! The grammar commits itself by what is next: in a text without mistakes, how a statement is read depends on its own text and
//! on the first token behind it, not on the statements before it; and what is around the body of a plan depends on no more of the
//! body than that it is none of a policy. So of a plan that has no mistake, these are read anew: of an edit within its body the
//! statements that it touches, the one before, and the one behind, which must turn out to be what it was; of an edit outside of
//! the body all that is outside of it. Wherever a mistake or anything else is found, the plan is read as a whole.

use rowan::{GreenNode, GreenNodeData, Language as _, NodeCache, NodeOrToken};

use super::part::{Part, offset};
use super::tree::{GreenElement, beginnings};
use crate::ast::{Block, Item, Plan, Shift as _};
use crate::limits::MAX_BROKEN_PLACES;
use crate::syntax::{Orch, SyntaxKind};

/// What stands before statements that are read by themselves, and behind them where that is not the end of the plan: as
/// deep as the body of a plan.
const HEAD: &str = "plan p() -> Int {\n";
const TAIL: &str = "\n}";
/// What is read in place of a body.
const EMPTY: &str = "{}";
/// What is no longer than this is read without asking whether it is worth it.
const SHORT_BYTES: usize = 4 << 10;

/// The part of `text`, which takes the place of `before`, and its declaration. The place of `before` in the file was `was_at`;
/// `items` are its declarations there, and the new one is given as if it were there still. `None` where all of `text` has
/// to be read.
pub(super) fn reread(
    before: &Part,
    items: Vec<Item>,
    text: &str,
    was_at: u32,
    cache: &mut NodeCache,
) -> Option<(Part, Vec<Item>)> {
    let plan = only_plan(items).filter(|_| before.is_sound())?;
    let body = Body::of(&before.green)?;
    let change = Change::between(&before.text, text);
    let Reread { green, plan, gone, new } = if change.end <= body.block.at || body.end <= change.start {
        around(&body, plan, &change, text, was_at, cache)?
    } else {
        within(&body, plan, &change, text, was_at, cache)?
    };
    let names = || before.known_names().map(|names| names.replaced(nodes(&gone), nodes(&new)));
    is_hopeful(&green, &before.text, &change, text, cache)
        .then(|| (Part::sound(text, green, names()), vec![Item::Plan(plan)]))
}

/// What came of reading a part of a plan again.
struct Reread {
    green: GreenNode,
    plan: Plan,
    /// What is not in the tree any more.
    gone: Vec<GreenElement>,
    /// What is there instead.
    new: Vec<GreenElement>,
}

fn nodes(elements: &[GreenElement]) -> impl Iterator<Item = &GreenNodeData> {
    elements.iter().filter_map(|element| element.as_node()).map(|node| &**node)
}

fn only_plan(items: Vec<Item>) -> Option<Plan> {
    match <[Item; 1]>::try_from(items) {
        Ok([Item::Plan(plan)]) => Some(plan),
        _ => None,
    }
}

/// Reads a plan that stands for a part of `text`; `None` if there is something to say of it, or it is hardly shorter.
fn sound(read: &str, text: &str, cache: &mut NodeCache) -> Option<(Part, Plan)> {
    if read.len() > SHORT_BYTES.max(text.len() / 2) {
        return None;
    }
    let (part, items) = Part::read(read, cache);
    let plan = only_plan(items).filter(|_| part.is_sound())?;
    Some((part, plan))
}

/// Whether no beginning of `text` that is tried, were it new, is given up: what is broken of one is the statement that it ends in.
/// Of the text `before` none was given up.
fn is_hopeful(plan: &GreenNode, before: &str, change: &Change, text: &str, cache: &mut NodeCache) -> bool {
    let was_tried = |end: &usize| *end <= change.start && beginnings(before).any(|tried| tried == *end);
    beginnings(text).filter(|end| !was_tried(end)).all(|end| {
        let body = Body::of(plan);
        let cut =
            body.and_then(|body| body.statements.iter().map(|statement| statement.at).rfind(|at| *at < end));
        let cut = cut.and_then(|at| text.get(at..end)).filter(|cut| cut.len() <= SHORT_BYTES);
        cut.is_some_and(|cut| Part::read(&format!("{HEAD}{cut}"), cache).0.broken < MAX_BROKEN_PLACES / 2)
    })
}

/// Reads what is outside of the body.
fn around(
    body: &Body<'_>,
    plan: Plan,
    change: &Change,
    text: &str,
    was_at: u32,
    cache: &mut NodeCache,
) -> Option<Reread> {
    let at = if change.end <= body.block.at { change.moved(body.block.at) } else { body.block.at };
    let (head, tail) = (text.get(..at)?, text.get(at + body.block.len..)?);
    let (part, mut new) = sound(&format!("{head}{EMPTY}{tail}"), text, cache)?;
    let new_body = Body::of(&part.green)?;
    if (new_body.block.at, new_body.block.len) != (at, EMPTY.len()) {
        return None;
    }
    new.shift(was_at);
    new.span.end = new.span.end.wrapping_add(offset(body.block.len - EMPTY.len()));
    new.body = plan.body;
    new.body.shift(offset(at).wrapping_sub(offset(body.block.at)));
    let green = new_body.with(body.block.node.to_owned());
    let gone = vec![body.with(new_body.block.node.to_owned()).into()];
    Some(Reread { green, plan: new, gone, new: vec![part.green.clone().into()] })
}

/// Reads the statements that the change touches.
fn within(
    body: &Body<'_>,
    mut plan: Plan,
    change: &Change,
    text: &str,
    was_at: u32,
    cache: &mut NodeCache,
) -> Option<Reread> {
    let touched = body.touched(change)?;
    let (first, behind) = (body.statements.get(touched.first)?, body.statements.get(touched.behind));
    let end = behind.map_or(body.end, |behind| behind.at + behind.len);
    let read = text.get(first.at..change.moved(end))?;
    let read = format!("{HEAD}{read}{}", if behind.is_some() { TAIL } else { "" });

    let (part, new) = sound(&read, text, cache)?;
    let new_body = Body::of(&part.green).filter(|body| body.end == read.len())?;
    let new_behind = new_body.statements.last().filter(|_| behind.is_some());
    if let (Some(behind), Some(new)) = (behind, new_behind)
        && (behind.node != new.node || new.at + first.at != change.moved(behind.at) + HEAD.len())
    {
        return None;
    }
    let new_first = new_body.statements.first()?;
    let children = new_body.block.node.children().map(|child| child.to_owned());
    let children = children.take(new_behind.map_or(usize::MAX, |behind| behind.index)).skip(new_first.index);
    let children: Vec<GreenElement> = children.collect();
    let last = behind.map_or_else(|| body.block.node.children().len(), |behind| behind.index);
    let gone =
        body.block.node.children().take(last).skip(first.index).map(|child| child.to_owned()).collect();
    let block = body.block.node.splice_children(first.index..last, children.iter().cloned());

    let by = offset(first.at).wrapping_sub(offset(HEAD.len())).wrapping_add(was_at);
    // Of a text that is shorter it wraps.
    let longer = offset(change.new_end).wrapping_sub(offset(change.end));
    splice(&mut plan.body, body.statements.len(), &touched, new.body, by, longer)?;
    plan.body.span.end = plan.body.span.end.wrapping_add(longer);
    plan.span.end = plan.span.end.wrapping_add(longer);
    Some(Reread { green: body.with(block), plan, gone, new: children })
}

/// Where two texts differ: what is before is the same, and what is behind.
struct Change {
    start: usize,
    /// In the text before.
    end: usize,
    /// In the new text.
    new_end: usize,
}

impl Change {
    fn between(before: &str, text: &str) -> Self {
        let start = same_bytes(before.as_bytes(), text.as_bytes());
        let start = before.floor_char_boundary(start);
        let [left, new_left] = [before, text].map(|text| text.get(start..).unwrap_or_default());
        let tail = same_bytes_back(left.as_bytes(), new_left.as_bytes());
        let end = before.ceil_char_boundary(before.len() - tail);
        Self { start, end, new_end: text.len() - (before.len() - end) }
    }

    /// Where in the new text that is which was at `at`, behind the change.
    fn moved(&self, at: usize) -> usize {
        at - self.end + self.new_end
    }
}

/// How many bytes are compared at once.
const AT_ONCE: usize = 64;

/// How many bytes two texts begin with that are the same.
fn same_bytes(a: &[u8], b: &[u8]) -> usize {
    let same =
        a.chunks_exact(AT_ONCE).zip(b.chunks_exact(AT_ONCE)).take_while(|(a, b)| a == b).count() * AT_ONCE;
    let rest = a.iter().zip(b).skip(same);
    same + rest.take_while(|(a, b)| a == b).count()
}

/// The same from their ends.
fn same_bytes_back(a: &[u8], b: &[u8]) -> usize {
    let same =
        a.rchunks_exact(AT_ONCE).zip(b.rchunks_exact(AT_ONCE)).take_while(|(a, b)| a == b).count() * AT_ONCE;
    let rest = a.iter().rev().zip(b.iter().rev()).skip(same);
    same + rest.take_while(|(a, b)| a == b).count()
}

/// A child of a green node: its number, and its place in the text.
struct Child<'a> {
    index: usize,
    at: usize,
    len: usize,
    node: &'a GreenNodeData,
}

impl<'a> Child<'a> {
    /// The nodes among the children of `node`, which starts at `at`.
    fn all(node: &'a GreenNodeData, mut at: usize) -> impl Iterator<Item = Self> {
        node.children().enumerate().filter_map(move |(index, child)| {
            let len = match child {
                NodeOrToken::Node(node) => node.text_len(),
                NodeOrToken::Token(token) => token.text_len(),
            };
            let (here, len) = (at, usize::from(len));
            at += len;
            child.into_node().map(|node| Self { index, at: here, len, node })
        })
    }

    fn of(node: &'a GreenNodeData, at: usize, kind: SyntaxKind) -> Option<Self> {
        Self::all(node, at).find(|child| child.kind() == kind)
    }

    fn kind(&self) -> SyntaxKind {
        Orch::kind_from_raw(self.node.kind())
    }
}

/// The body of the one plan of a chunk.
struct Body<'a> {
    file: &'a GreenNodeData,
    item: Child<'a>,
    plan: Child<'a>,
    block: Child<'a>,
    statements: Vec<Child<'a>>,
    /// Behind its last brace.
    end: usize,
}

/// Which statements are read again: from `first` on, and up to the one `behind`, which is none at the end of the body.
struct Touched {
    first: usize,
    behind: usize,
}

impl<'a> Body<'a> {
    fn of(file: &'a GreenNodeData) -> Option<Self> {
        let item = Child::of(file, 0, SyntaxKind::Item)?;
        let plan = Child::of(item.node, item.at, SyntaxKind::Plan)?;
        let block = Child::of(plan.node, plan.at, SyntaxKind::Block)?;
        let statements = Child::all(block.node, block.at).collect();
        let end = block.at + block.len;
        Some(Self { file, item, plan, block, statements, end })
    }

    /// `None` where the change is not only among the statements.
    fn touched(&self, change: &Change) -> Option<Touched> {
        let own = self.statements.partition_point(|statement| statement.at <= change.start).checked_sub(1)?;
        // Behind the first byte of the first: what is before the statements stays what it was.
        let is_behind_head = self.statements.first().is_some_and(|first| first.at < change.start);
        let behind = self.statements.partition_point(|statement| statement.at <= change.end);
        (is_behind_head && change.end < self.end).then_some(Touched { first: own.saturating_sub(1), behind })
    }

    /// The tree with another block.
    fn with(&self, block: GreenNode) -> GreenNode {
        let plan = self.plan.node.replace_child(self.block.index, block.into());
        let item = self.item.node.replace_child(self.plan.index, plan.into());
        self.file.replace_child(self.item.index, item.into())
    }
}

/// Puts the statements of `new` in the place of those that were touched, of so many; the last of `new` is the one behind
/// them, where there is one. Moves those of `new` by `by` bytes, and what follows them by `longer`.
fn splice(
    block: &mut Block,
    count: usize,
    touched: &Touched,
    mut new: Block,
    by: u32,
    longer: u32,
) -> Option<()> {
    // One node, one statement: else what is where is not known.
    if block.stmts.len() + usize::from(block.value.is_some()) != count {
        return None;
    }
    new.stmts.shift(by);
    new.value.shift(by);
    if touched.behind < count {
        if new.value.is_none() {
            new.stmts.pop()?;
        }
        block.stmts.iter_mut().skip(touched.behind).for_each(|stmt| stmt.shift(longer));
        block.value.shift(longer);
        drop(block.stmts.splice(touched.first..touched.behind, new.stmts));
    } else {
        block.stmts.truncate(touched.first);
        block.stmts.append(&mut new.stmts);
        block.value = new.value;
    }
    Some(())
}
