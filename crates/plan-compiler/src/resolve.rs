//! Names: what every declaration and import of a file stands for.

mod cycles;
mod declare;
mod import;
mod operation;
mod signature;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use plan_lang::{Diagnostic, Span, ast};
use schema::lock::Lock;
use schema::types::TypeDefs;

use crate::codes;
use crate::prelude;
use crate::program::{Module, ModuleId, Origin, Program};
use crate::sink::{Sink, SourceId};
use crate::texts::Texts;

pub(crate) use import::{Namespace, namespace};
pub(crate) use signature::is_broken;
pub(crate) use types::{Lookup, ambiguous, article, listed, lookup, resolve_type};

/// Declarations and types of everything in `texts`.
pub(crate) fn resolve<'a>(texts: &'a Texts, lock: &'a Lock, sink: &mut Sink) -> (Program<'a>, TypeDefs) {
    let mut types = TypeDefs::new();
    types.push(prelude::plan_error());
    let program = Program {
        lock,
        modules: Vec::new(),
        operations: Vec::new(),
        capabilities: Vec::new(),
        adapters: Vec::new(),
        functions: Vec::new(),
        plans: Vec::new(),
        origins: vec![Origin::Prelude],
        unread: BTreeSet::new(),
    };
    let main_items = texts.items(0);
    let loaded = BTreeMap::new();
    let mut resolver = Resolver { program, types, sink, loaded, main_items };
    resolver.run(texts);
    (resolver.program, resolver.types)
}

struct Resolver<'a, 's> {
    program: Program<'a>,
    types: TypeDefs,
    sink: &'s mut Sink,
    /// Operations by id, `None` for those that cannot be used.
    loaded: BTreeMap<&'a str, Option<usize>>,
    /// The declarations of the plan's own file.
    main_items: &'a [ast::Item],
}

/// The texts of a module.
struct Unit<'a> {
    module: ModuleId,
    /// Its declarations, each with its text.
    items: Vec<(SourceId, &'a ast::Item)>,
}

impl<'a> Resolver<'a, '_> {
    fn run(&mut self, texts: &'a Texts) {
        let with_source = |source: SourceId| texts.items(source).iter().map(move |item| (source, item));
        let mut units = vec![Unit { module: 0, items: with_source(0).collect() }];
        for capability in &texts.capabilities {
            let items = capability.sources.iter().flat_map(|&source| with_source(source)).collect();
            units.push(Unit { module: units.len(), items });
        }
        self.program.modules.resize_with(units.len(), Module::default);
        // Capabilities of the lock first: the file's imports refer to them.
        for unit in units.iter().rev() {
            self.declare_types(unit);
        }
        for unit in units.iter().skip(1) {
            self.declare_values(unit);
        }
        if let Some(main) = units.first() {
            self.import(main, texts);
        }
        for unit in &units {
            self.resolve_definitions(unit);
        }
        if let Some(main) = units.first() {
            self.declare_values(main);
        }
        for unit in &units {
            self.resolve_signatures(unit);
        }
        // Those of the lock first, in its order of preference.
        for unit in units.iter().rev() {
            self.declare_adapters(unit);
        }
        self.check_cycles();
    }

    fn report(&mut self, source: SourceId, diagnostic: Diagnostic) {
        self.sink.report(source, diagnostic);
    }

    fn module(&mut self, module: ModuleId) -> Option<&mut Module<'a>> {
        self.program.modules.get_mut(module)
    }

    /// Takes a lower-case name; reports it where it is taken already.
    fn declare(&mut self, module: ModuleId, source: SourceId, name: &'a ast::Ident) -> bool {
        if name.is_missing() {
            return false;
        }
        let Some(scope) = self.module(module) else { return false };
        if let Some(&first) = scope.declared.get(name.name.as_str()) {
            self.report(source, duplicate(name, first));
            return false;
        }
        scope.declared.insert(&name.name, name.span);
        true
    }
}

/// Two declarations of one name.
fn duplicate(name: &ast::Ident, first: Span) -> Diagnostic {
    // Imports are read before declarations, but a reader goes from top to bottom.
    let (first, again) = (first.min(name.span), first.max(name.span));
    Diagnostic::error(codes::DUPLICATE_ITEM, format!("`{}` is declared twice", name.name))
        .primary(again, "declared again")
        .secondary(first, "first declared here")
        .help("rename one of them; an import takes another name by `as`")
}
