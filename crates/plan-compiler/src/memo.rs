//! What is known of the bodies of a text from its earlier versions.
//!
//! Something is known of a body as long as nothing changes that it can see. That is
//! - its own text, and that of the declarations that it names, of those that these name, and so on: one number of
//!   [`Reach`];
//! - imports, capabilities and adapters, which it sees without a name: [`Reach::everywhere`];
//! - where something was said of it that lists more names than are written in it, as messages do that suggest one, or
//!   that points at something else, all types and the names of everything else, and the order of the text, which says
//!   where their places are: [`Reach::declared`];
//! - the lock, which is the same for the life of a memo.
//!
//! Bodies go by their place in the text: where others come and go, what is known of them is moved. Places in messages
//! are kept as they were, with the [`Layout`] of the text they were in, and moved when they are asked for.

mod frame;
mod interned;
mod numbering;
mod reach;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::HashMap;
use plan_lang::{Diagnostic, Span};
use schema::types::TypeDefs;

use crate::check::{Asked, BodyId, Found, Report};
use crate::kept::{Keeping, KeptStmts};
use crate::layout::Layout;
use crate::program::Program;
use crate::sink::SourceId;
use crate::texts::Texts;

use frame::{Difference, Frame};
use interned::Interned;
use reach::Reach;

/// What lowering a plan or test comes to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lowering {
    /// How many nodes, expressions and members of types it has.
    pub(crate) parts: usize,
    /// What there is to say.
    pub(crate) found: Vec<Diagnostic>,
}

/// What is known of the bodies of one text. Of texts before it holds the statements of plans that stand as they did, each
/// with the layout of the text that it was checked in.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    reach: Reach,
    everywhere: Vec<u64>,
    declared: String,
    layout: Arc<Layout>,
    places: BTreeMap<BodyId, Place>,
    entries: BTreeMap<BodyId, Entry>,
    /// The bodies that were checked in the text at hand.
    checked: BTreeSet<BodyId>,
    limited: bool,
    /// Of the last text without a syntax error.
    frame: Frame,
    /// Whether the text at hand is another with that frame.
    has_frame: bool,
    /// The statements of plans in texts with that frame, or one in which what is around a plan itself is another.
    stmts: BTreeMap<BodyId, Arc<KeptStmts>>,
    /// The types that those may name beside the program's.
    interned: Interned,
}

/// Where a body stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In a chunk of the plan's own file, so far from its start.
    Chunk(usize, u32),
    /// In a capability of the lock.
    Lock,
}

/// What tells a body from all others in every version of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Home {
    /// The number of its chunk, and how far it is from its start.
    Chunk(u64, u32),
    /// Those of the lock stay what they are until the imports change.
    Lock(BodyId),
}

#[derive(Debug)]
struct Entry {
    /// Of what it can see.
    key: u64,
    layout: Arc<Layout>,
    /// Where the chunk that the body stands in started.
    start: u32,
    report: Report,
    /// Whether what was said of the body tells of nothing but what it names, and points at nothing else.
    is_own: bool,
    lowering: Option<KnownLowering>,
}

#[derive(Debug)]
struct KnownLowering {
    layout: Arc<Layout>,
    /// Another plan runs it: then it need not declare a budget.
    is_sub_plan: bool,
    lowering: Lowering,
}

impl Entry {
    /// Whether what is said of the body may tell of any declaration.
    fn sees_all(&self) -> bool {
        let lowering = self.lowering.as_ref();
        !self.is_own || lowering.is_some_and(|known| !known.lowering.found.is_empty())
    }
}

impl Memo {
    /// Turns to a new version of the text, and forgets what that made uncertain.
    pub(crate) fn prepare(&mut self, texts: &Texts, program: &Program<'_>) {
        self.limited = false;
        self.checked.clear();
        let homes: Vec<(BodyId, Home)> = self.homes().collect();
        self.reach.turn_to(texts);
        self.layout = Arc::new(self.reach.layout());
        self.places = self.places_of(texts, program);
        self.turn_frame(texts);
        if self.everywhere != self.reach.everywhere() {
            self.entries.clear();
            self.reach.everywhere().clone_into(&mut self.everywhere);
        }
        if self.declared != self.reach.declared() {
            self.entries.retain(|_, entry| !entry.sees_all());
            self.reach.declared().clone_into(&mut self.declared);
        }
        self.move_entries(&homes);
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|&body, entry| self.key(body) == Some(entry.key));
        self.entries = entries;
    }

    /// Forgets the statements of plans where something around them is another now: of a plan that has another signature
    /// or policy those of all others, which may run it. Of a text with a syntax error none are taken over nor kept, as what
    /// is made of it is no matter of its statements alone.
    fn turn_frame(&mut self, texts: &Texts) {
        self.has_frame = texts.get(0).is_some_and(|parse| !parse.has_errors());
        if !self.has_frame {
            return;
        }
        match self.reach.frame().difference(&self.frame) {
            Difference::None => return,
            Difference::Plan(chunk) => {
                let places = &self.places;
                let stands_at =
                    |body: &BodyId| matches!(places.get(body), Some(Place::Chunk(at, _)) if *at == chunk);
                self.stmts.retain(|body, _| stands_at(body));
            }
            Difference::Other => self.forget_statements(),
        }
        self.reach.frame().clone_into(&mut self.frame);
    }

    fn forget_statements(&mut self) {
        self.stmts.clear();
        self.interned = Interned::default();
    }

    /// Adds to the types of the program those that statements may name that are kept, by the numbers that they have.
    pub(crate) fn add_interned(&self, types: &mut TypeDefs) {
        if self.has_frame {
            self.interned.add_to(types);
        }
    }

    /// Keeps the `types` behind the first `declared`, as statements that are kept may name them.
    pub(crate) fn keep_interned(&mut self, types: &TypeDefs, declared: usize) {
        if self.has_frame && !self.interned.take(types, declared) {
            self.forget_statements();
        }
    }

    fn places_of(&self, texts: &Texts, program: &Program<'_>) -> BTreeMap<BodyId, Place> {
        let place = |source: SourceId, span: Span| {
            if source != 0 {
                return Place::Lock;
            }
            let chunk = self.layout.chunk_at(span.start);
            Place::Chunk(chunk, span.start - self.layout.start(chunk).unwrap_or(0).min(span.start))
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

    fn homes(&self) -> impl Iterator<Item = (BodyId, Home)> {
        self.places.iter().filter_map(|(&body, place)| {
            Some((
                body,
                match *place {
                    Place::Chunk(chunk, offset) => Home::Chunk(self.reach.number_of(chunk)?, offset),
                    Place::Lock => Home::Lock(body),
                },
            ))
        })
    }

    /// Gives what is known of bodies, which were at `homes`, to those that they are among those at hand. Messages stay
    /// with the body that they were said of as long as it has its place: from there they are moved.
    fn move_entries(&mut self, homes: &[(BodyId, Home)]) {
        let bodies: HashMap<Home, BodyId> = self.homes().map(|(body, home)| (home, body)).collect();
        let moved = homes.iter().filter_map(|(before, home)| Some((*before, *bodies.get(home)?)));
        let moved: BTreeMap<BodyId, BodyId> = moved.collect();
        if moved.iter().all(|(before, body)| before == body) && moved.len() == homes.len() {
            return;
        }
        let function = |at: usize| match moved.get(&BodyId::Function(at)) {
            Some(BodyId::Function(at)) => Some(*at),
            _ => None,
        };
        let entries = std::mem::take(&mut self.entries).into_iter();
        let entries = entries.filter_map(|(before, mut entry)| {
            let body = *moved.get(&before)?;
            entry.report.asked = entry.report.asked.moved(function)?;
            (body == before || !entry.sees_all()).then_some((body, entry))
        });
        self.entries = entries.collect();
    }

    fn key(&self, body: BodyId) -> Option<u64> {
        match self.places.get(&body)? {
            Place::Chunk(chunk, _) => self.reach.key(*chunk),
            Place::Lock => Some(0),
        }
    }

    /// Whether what there is to say of a body is known.
    pub(crate) fn knows(&self, body: BodyId) -> bool {
        self.entries.contains_key(&body)
    }

    /// What is known of the statements of a plan; `None` where they are not to be known.
    pub(crate) fn keeping(&self, body: BodyId) -> Option<Keeping> {
        let (BodyId::Plan(_), Place::Chunk(chunk, _)) = (body, *self.places.get(&body)?) else { return None };
        let text = self.has_frame.then(|| self.reach.text(chunk))?.map(Arc::clone)?;
        let start = self.layout.start(chunk)?;
        let known = self.stmts.get(&body).cloned().unwrap_or_default();
        Some(Keeping::new(text, start, Arc::clone(&self.layout), known))
    }

    /// Keeps what was found in a body.
    pub(crate) fn keep(&mut self, body: BodyId, found: Found) {
        let Some(key) = self.key(body) else { return };
        let Found { report, kept } = found;
        let (start, end) = match self.places.get(&body) {
            Some(Place::Chunk(chunk, _)) => (self.layout.start(*chunk), self.layout.start(chunk + 1)),
            _ => (None, None),
        };
        let own = Span::new(start.unwrap_or_default(), end.unwrap_or_default());
        let points_at_own = |(source, found): &(SourceId, Diagnostic)| {
            *source == 0 && found.spans().all(|span| own.contains(span))
        };
        let is_own = report.found.is_empty() || !report.listed && report.found.iter().all(points_at_own);
        let layout = Arc::clone(&self.layout);
        let entry = Entry { key, layout, start: own.start, report, is_own, lowering: None };
        self.entries.insert(body, entry);
        if !kept.is_empty() {
            self.stmts.insert(body, Arc::new(kept));
        }
        self.checked.insert(body);
    }

    /// Takes note of a text of which no body is checked.
    pub(crate) fn pass_over(&mut self) {
        self.checked.clear();
    }

    /// Where the declarations of the plan's own file start whose bodies were checked in the text at hand, in their order.
    pub(crate) fn checked(&self) -> Vec<u32> {
        let start = |body: &BodyId| match *self.places.get(body)? {
            Place::Chunk(chunk, offset) => Some(self.layout.start(chunk)? + offset),
            Place::Lock => None,
        };
        let mut starts: Vec<u32> = self.checked.iter().filter_map(start).collect();
        starts.sort_unstable();
        starts
    }

    /// What there is to say of a body, as of the text at hand.
    pub(crate) fn found(&self, body: BodyId) -> Vec<(SourceId, Diagnostic)> {
        let Some(entry) = self.entries.get(&body) else { return Vec::new() };
        let own_start = match self.places.get(&body) {
            Some(Place::Chunk(chunk, _)) => self.layout.start(*chunk),
            _ => None,
        };
        let moved = |(source, diagnostic): &(SourceId, Diagnostic)| {
            let mut diagnostic = diagnostic.clone();
            match (entry.is_own, own_start) {
                (true, Some(start)) => diagnostic.move_by(|_| start.wrapping_sub(entry.start)),
                _ if *source == 0 => diagnostic = self.moved(body, &entry.layout, diagnostic),
                _ => {}
            }
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
        self.forget_statements();
        self.checked = self.places.keys().copied().collect();
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
            Some(Place::Chunk(chunk, _)) => Some(*chunk),
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
            Some(Place::Chunk(chunk, _)) => *chunk,
            _ => return diagnostic,
        };
        diagnostic.move_by(|span| from.shift(&self.layout, Some(own), span));
        diagnostic
    }
}
