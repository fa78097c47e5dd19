//! What is known of the bodies of a text from its earlier versions.
//!
//! Something is known of a body as long as nothing changes that it can see. That is
//! - its own text, and that of the functions, plans and policies that it names, of those that these name, and so on:
//!   one number of [`Reach`];
//! - everything else that is declared in the file, and the names of all functions, plans and policies, which messages
//!   suggest: [`Reach::environment`]. Where that changes, all is forgotten;
//! - the lock, which is the same for the life of a memo.
//!
//! Places are kept as they were, with the [`Layout`] of the text they were in, and moved when they are asked for.

mod reach;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plan_lang::{Diagnostic, Span};

use crate::check::{Asked, BodyId, Report};
use crate::program::Program;
use crate::sink::SourceId;
use crate::texts::Texts;

use reach::Reach;

/// What lowering a plan or test comes to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lowering {
    /// How many nodes, expressions and members of types it has.
    pub(crate) parts: usize,
    /// What there is to say.
    pub(crate) found: Vec<Diagnostic>,
}

/// What is known of the bodies of one text. Holds nothing of texts before.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    reach: Reach,
    environment: String,
    layout: Arc<Layout>,
    places: BTreeMap<BodyId, Place>,
    entries: BTreeMap<BodyId, Entry>,
    limited: bool,
}

/// Where a body stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In a chunk of the plan's own file.
    Chunk(usize),
    /// In a capability of the lock.
    Lock,
}

/// Where each chunk of a text starts, and its end.
type Layout = Vec<u32>;

#[derive(Debug)]
struct Entry {
    /// Of what it can see.
    key: u64,
    layout: Arc<Layout>,
    report: Report,
    lowering: Option<KnownLowering>,
}

#[derive(Debug)]
struct KnownLowering {
    layout: Arc<Layout>,
    /// Another plan runs it: then it need not declare a budget.
    is_sub_plan: bool,
    lowering: Lowering,
}

impl Memo {
    /// Turns to a new version of the text, and forgets what that made uncertain.
    pub(crate) fn prepare(&mut self, texts: &Texts, program: &Program<'_>) {
        self.limited = false;
        self.reach.turn_to(texts);
        self.layout = Arc::new(self.reach.layout());
        self.places = self.places_of(texts, program);
        if self.environment != *self.reach.environment() {
            self.entries.clear();
            self.reach.environment().clone_into(&mut self.environment);
        }
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|&body, entry| self.key(body) == Some(entry.key));
        self.entries = entries;
    }

    fn places_of(&self, texts: &Texts, program: &Program<'_>) -> BTreeMap<BodyId, Place> {
        let place = |source: SourceId, span: Span| match source {
            0 => Place::Chunk(chunk_at(&self.layout, span.start)),
            _ => Place::Lock,
        };
        let mut places = BTreeMap::new();
        for (at, function) in program.functions.iter().enumerate() {
            places.insert(BodyId::Function(at), place(function.source, function.decl.span));
        }
        for (at, adapter) in program.adapters.iter().enumerate() {
            places.insert(BodyId::Adapter(at), place(adapter.source, adapter.decl.span));
        }
        for (at, plan) in program.plans.iter().enumerate() {
            places.insert(BodyId::Plan(at), place(0, plan.decl.span));
        }
        for (at, test) in texts.tests().enumerate() {
            places.insert(BodyId::Test(at), place(0, test.span));
        }
        places
    }

    fn key(&self, body: BodyId) -> Option<u64> {
        match self.places.get(&body)? {
            Place::Chunk(chunk) => self.reach.key(*chunk),
            Place::Lock => Some(0),
        }
    }

    /// Whether what there is to say of a body is known.
    pub(crate) fn knows(&self, body: BodyId) -> bool {
        self.entries.contains_key(&body)
    }

    /// Keeps what was found in a body.
    pub(crate) fn keep(&mut self, body: BodyId, report: Report) {
        let Some(key) = self.key(body) else { return };
        let entry = Entry { key, layout: Arc::clone(&self.layout), report, lowering: None };
        self.entries.insert(body, entry);
    }

    /// What there is to say of a body, as of the text at hand.
    pub(crate) fn found(&self, body: BodyId) -> Vec<(SourceId, Diagnostic)> {
        let Some(entry) = self.entries.get(&body) else { return Vec::new() };
        let moved = |(source, diagnostic): &(SourceId, Diagnostic)| {
            let diagnostic = diagnostic.clone();
            let diagnostic =
                if *source == 0 { self.moved(body, &entry.layout, diagnostic) } else { diagnostic };
            (*source, diagnostic)
        };
        entry.report.found.iter().map(moved).collect()
    }

    /// What all bodies took for granted of functions.
    pub(crate) fn asked(&self) -> impl Iterator<Item = &Asked> {
        self.entries.values().map(|entry| &entry.report.asked)
    }

    /// What lowering a plan or test says, as of the text at hand; `None` where that is not known.
    pub(crate) fn lowering(&self, body: BodyId, is_sub_plan: bool) -> Option<Lowering> {
        let known = self.entries.get(&body)?.lowering.as_ref()?;
        let found = known.lowering.found.iter().cloned();
        let found = found.map(|found| self.moved(body, &known.layout, found)).collect();
        (known.is_sub_plan == is_sub_plan).then_some(Lowering { parts: known.lowering.parts, found })
    }

    /// Keeps what lowering a plan or test said.
    pub(crate) fn keep_lowering(&mut self, body: BodyId, is_sub_plan: bool, lowering: &Lowering) {
        let layout = Arc::clone(&self.layout);
        if let Some(entry) = self.entries.get_mut(&body) {
            entry.lowering = Some(KnownLowering { layout, is_sub_plan, lowering: lowering.clone() });
        }
    }

    /// Forgets everything that was found: the text meets a limit, by which bodies depend on all before them.
    pub(crate) fn meet_limit(&mut self) {
        self.entries.clear();
        self.limited = true;
    }

    /// Whether the text at hand meets a limit.
    pub(crate) fn is_limited(&self) -> bool {
        self.limited
    }

    /// All bodies that go into `bodies` when they are lowered, themselves included.
    pub(crate) fn needs(
        &self,
        bodies: impl IntoIterator<Item = BodyId>,
        program: &Program<'_>,
    ) -> BTreeSet<BodyId> {
        let chunk = |body: &BodyId| match self.places.get(body) {
            Some(Place::Chunk(chunk)) => Some(*chunk),
            _ => None,
        };
        let mut first = bodies.into_iter().filter_map(|body| chunk(&body)).peekable();
        if first.peek().is_none() {
            return BTreeSet::new();
        }
        let reached = self.reach.from(first);
        // Any call may go to any adapter, and those of the lock use its functions.
        let needed = |body: &BodyId| match body {
            BodyId::Adapter(_) => true,
            BodyId::Function(at) if program.functions.get(*at).is_some_and(|f| f.source != 0) => true,
            _ => chunk(body).is_some_and(|chunk| reached.contains(&chunk)),
        };
        self.places.keys().copied().filter(needed).collect()
    }

    /// A diagnostic about `body` from a text with another layout.
    fn moved(&self, body: BodyId, from: &Layout, mut diagnostic: Diagnostic) -> Diagnostic {
        if *from == *self.layout {
            return diagnostic;
        }
        let own = match self.places.get(&body) {
            Some(Place::Chunk(chunk)) => *chunk,
            _ => return diagnostic,
        };
        let start = |layout: &Layout, chunk: usize| layout.get(chunk).copied().unwrap_or(0);
        diagnostic.move_by(|span| {
            // At the end of its own chunk something of it may be missing.
            let is_own = start(from, own) <= span.start && span.end <= start(from, own + 1);
            let chunk = if is_own { own } else { chunk_at(from, span.start) };
            start(&self.layout, chunk).wrapping_sub(start(from, chunk))
        });
        diagnostic
    }
}

/// The chunk that holds `offset`.
fn chunk_at(layout: &Layout, offset: u32) -> usize {
    // The last row is the end of the text.
    let last = layout.len().saturating_sub(2);
    layout.partition_point(|&start| start <= offset).saturating_sub(1).min(last)
}
