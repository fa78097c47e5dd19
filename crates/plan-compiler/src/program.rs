//! What the names of a file and of the capabilities it uses stand for.

use std::borrow::Borrow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use plan_lang::{Span, ast};
use schema::lock::{Lock, PinnedEntry};
use schema::operation::OperationDescriptor;
use schema::types::{DefId, Type};

use crate::hir::Target;
use crate::relate::Origins;
use crate::sink::SourceId;

/// Index of a module: 0 is the plan's own file, each capability of the lock is one more.
pub(crate) type ModuleId = usize;

/// Everything that is declared.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    pub(crate) lock: &'a Lock,
    pub(crate) modules: Vec<Module<'a>>,
    pub(crate) operations: Vec<Operation<'a>>,
    pub(crate) capabilities: Vec<Capability<'a>>,
    pub(crate) adapters: Vec<Adapter<'a>>,
    pub(crate) functions: Vec<Function<'a>>,
    pub(crate) plans: Vec<Plan<'a>>,
    /// Where each definition comes from, by its id; the checker's own ones lie behind the end.
    pub(crate) origins: Vec<Origin>,
    /// Enums and records that may have been meant to have variants and fields besides those that could be read.
    pub(crate) unread: BTreeSet<DefId>,
}

/// Where a type comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The language.
    Prelude,
    /// A declaration.
    File,
    /// An operation, by its place in [`Program::operations`].
    Ledger(usize),
}

/// A file with its names.
#[derive(Debug, Default)]
pub(crate) struct Module<'a> {
    /// Types that the file declares or imports by name.
    pub(crate) types: Names<String, TypeName>,
    /// Types that an imported operation brings along; several where names collide.
    pub(crate) brought: BTreeMap<String, Vec<DefId>>,
    pub(crate) targets: BTreeMap<String, CallTarget>,
    pub(crate) functions: Names<&'a str, usize>,
    pub(crate) plans: Names<&'a str, usize>,
    pub(crate) policies: Names<&'a str, &'a ast::PolicyDecl>,
    /// The names behind every `with` of its plans and policies. Nothing else makes a call; where it tries to, that is what
    /// is wrong with it.
    pub(crate) uses: Vec<&'a ast::Path>,
    /// Every lower-case name that is declared, and where.
    pub(crate) declared: BTreeMap<&'a str, Span>,
    /// Whether an import failed, so that the names it would have brought are missing.
    pub(crate) broken_import: bool,
    /// For names of types that are not there the nearest that is, once it was looked for: such a name often stands in
    /// many places.
    pub(crate) near_types: RefCell<BTreeMap<String, Option<String>>>,
}

impl Module<'_> {
    /// Whether something depended on more than what single names that are written where it is stand for, since this was
    /// last asked.
    pub(crate) fn take_listed(&self) -> bool {
        let Self { types, functions, plans, policies, .. } = self;
        // All of them, whatever the first says.
        [types.0.take(), functions.0.take(), plans.0.take(), policies.0.take()].contains(&true)
    }
}

/// What is declared, by name. Takes note of who looks at more of it than at names that are written where he is.
#[derive(Debug)]
pub(crate) struct Names<K, V>(Cell<bool>, BTreeMap<K, V>);

impl<K, V> Default for Names<K, V> {
    fn default() -> Self {
        Self(Cell::default(), BTreeMap::new())
    }
}

impl<K: Ord, V> Names<K, V> {
    /// What a name stands for that is written where this is asked for; of any other [`Self::all`] tells.
    pub(crate) fn get<Q: Ord + ?Sized>(&self, written: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.1.get(written)
    }

    /// Whether a name that is written where this is asked for stands for something.
    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, written: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.1.contains_key(written)
    }

    /// All names with what they stand for.
    pub(crate) fn all(&self) -> &BTreeMap<K, V> {
        self.0.set(true);
        &self.1
    }

    /// The same for who adds names.
    pub(crate) fn all_mut(&mut self) -> &mut BTreeMap<K, V> {
        &mut self.1
    }
}

/// What a type name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TypeName {
    /// A record or enum.
    Def(DefId),
    /// Something that was reported.
    Broken,
}

/// What `call name` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallTarget {
    /// An operation or a capability.
    Known(Target),
    /// Something that was reported.
    Broken,
}

/// An operation of the lock with its types.
#[derive(Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) entry: &'a PinnedEntry,
    pub(crate) input: DefId,
    pub(crate) output: Type,
}

impl<'a> Operation<'a> {
    pub(crate) fn descriptor(&self) -> &'a OperationDescriptor {
        self.entry.descriptor()
    }
}

/// A parameter of a function, plan or capability.
#[derive(Clone, Debug)]
pub(crate) struct Param<'a> {
    pub(crate) name: &'a ast::Ident,
    pub(crate) ty: Type,
    pub(crate) default: Option<&'a ast::Expr>,
    pub(crate) docs: &'a str,
}

/// A capability.
#[derive(Debug)]
pub(crate) struct Capability<'a> {
    pub(crate) name: &'a str,
    pub(crate) params: Vec<Param<'a>>,
    /// `None` where the caller says what it wants.
    pub(crate) output: Option<Type>,
    pub(crate) module: ModuleId,
    pub(crate) source: SourceId,
    /// The adapters that serve it, in order of preference, each with its operation.
    pub(crate) adapters: Vec<AdapterOf>,
}

/// An adapter of a capability.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdapterOf {
    /// Place in [`Program::operations`].
    pub(crate) operation: usize,
    /// Place in [`Program::adapters`].
    pub(crate) adapter: usize,
}

/// An adapter.
#[derive(Debug)]
pub(crate) struct Adapter<'a> {
    pub(crate) capability: usize,
    pub(crate) operation: usize,
    pub(crate) decl: &'a ast::Adapter,
    pub(crate) module: ModuleId,
    pub(crate) source: SourceId,
}

/// A function.
#[derive(Debug)]
pub(crate) struct Function<'a> {
    pub(crate) decl: &'a ast::Fn,
    pub(crate) params: Vec<Param<'a>>,
    pub(crate) output: Type,
    pub(crate) module: ModuleId,
    pub(crate) source: SourceId,
}

/// A plan. Plans stand in the plan's own file only.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) decl: &'a ast::Plan,
    pub(crate) params: Vec<Param<'a>>,
    pub(crate) output: Type,
    /// The names of the plans that it runs, in source order.
    pub(crate) runs: Vec<&'a ast::Ident>,
}

impl Program<'_> {
    /// Where `def` comes from.
    pub(crate) fn origin(&self, def: DefId) -> Origin {
        self.origins.get(def.0 as usize).copied().unwrap_or(Origin::Prelude)
    }
}

impl Origins for Program<'_> {
    fn is_ledger(&self, def: DefId) -> bool {
        matches!(self.origin(def), Origin::Ledger(_))
    }

    fn is_prelude(&self, def: DefId) -> bool {
        self.origin(def) == Origin::Prelude
    }
}
