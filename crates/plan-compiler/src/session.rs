//! One file as it is edited.

use std::sync::Arc;

use plan_ir::bound::Bound;
use plan_ir::plan::CompiledPlan;
use plan_lang::{Diagnostic, Parse};
use schema::lock::Lock;

use crate::memo::Memo;
use crate::pipeline;
use crate::texts::Texts;
use crate::{Compilation, Options, Source};

/// A file that is compiled again and again while it changes, by an editor or an agent. Says the same as
/// [`compile`](crate::compile) of each version, and takes time for what changed: an edit of a declaration, one more or
/// one less costs reading, checking and lowering of those that name it, and a look at the names of all others.
///
/// Holds the last version of the text alone, with what was said of it.
///
/// ```
/// use std::sync::Arc;
/// use plan_compiler::{Options, Session};
/// use schema::lock::Lock;
///
/// let mut session = Session::new("double.orch", Arc::new(Lock::empty()), Options::default());
/// let text = "fn double(x: Int(0..9)) -> Int(0..18) = x * 2\nplan p(x: Int(0..9)) -> Int { double(x) }\n";
/// assert!(session.update(text).is_empty());
/// assert_eq!(session.plan("p").unwrap().0.body.name, "p");
///
/// let found = session.update(&text.replace("x * 2", "y * 2"));
/// assert_eq!(found[0].message, "there is no value `y`");
/// assert!(session.plan("p").is_none());
/// ```
#[derive(Debug)]
pub struct Session {
    lock: Arc<Lock>,
    options: Options,
    texts: Texts,
    memo: Memo,
    diagnostics: Vec<Diagnostic>,
}

impl Session {
    /// A session for the file that messages call `name`, which is empty at first.
    #[must_use]
    pub fn new(name: &str, lock: Arc<Lock>, options: Options) -> Self {
        let texts = Texts::parse(&Source { name, text: "" }, &lock);
        Self { lock, options, texts, memo: Memo::default(), diagnostics: Vec::new() }
    }

    /// Takes a new version of the text. Returns everything there is to say about it, in its order.
    pub fn update(&mut self, text: &str) -> &[Diagnostic] {
        self.texts.change(text, &self.lock);
        let Self { lock, options, texts, memo, .. } = self;
        self.diagnostics = pipeline::check(texts, lock, options, memo);
        &self.diagnostics
    }

    /// What the last [`Self::update`] returned.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Where the functions, adapters, plans and tests of the file start whose bodies the last [`Self::update`] checked
    /// anew, as offsets in bytes in their order: those that changed, and those that can see what did. All, where the text
    /// meets a limit by which bodies depend on those before them; none, where it has so many syntax errors that nothing
    /// else is said of it. What is said of the costs of a plan can change without its body being among them.
    #[must_use]
    pub fn rechecked(&self) -> Vec<u32> {
        self.memo.checked()
    }

    /// Whether something keeps the plans from running.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The parsed text, for what an editor shows besides. Let go of it before the next update, which copies
    /// what is still in use.
    #[must_use]
    pub fn parse(&self) -> Parse {
        self.texts.get(0).cloned().unwrap_or_else(|| plan_lang::parse(""))
    }

    /// The plan called `name` with its bound, lowered now; `None` if there is none or the file has an error.
    #[must_use]
    pub fn plan(&self, name: &str) -> Option<(CompiledPlan, Bound)> {
        if self.has_errors() {
            return None;
        }
        if self.memo.is_limited() {
            let compilation = self.compilation();
            return compilation.plan(name).map(|(plan, bound)| (plan.clone(), bound.clone()));
        }
        pipeline::plan(&self.texts, &self.lock, &self.memo, name)
    }

    /// Everything that [`compile`](crate::compile) makes of the text, made now, from the text as it was read.
    #[must_use]
    pub fn compilation(&self) -> Compilation {
        pipeline::compile(&self.texts, &self.lock, &self.options)
    }
}
