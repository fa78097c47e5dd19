//! Progress of a run: a live tree on a terminal, a line per event elsewhere.

mod lines;
mod tree;

use std::time::{Duration, Instant};

use plan_ir::bound::Bound;
use plan_ir::plan::CompiledPlan;
use proto::v1;

use crate::args::Progress;
use crate::output::{Output, money};

use tree::Tree;

/// A view of a run's events.
#[derive(Debug)]
pub(crate) struct View {
    kind: Kind,
    output: Output,
    clock: Clock,
}

#[derive(Debug)]
enum Kind {
    Silent,
    Plain { spent: String },
    Json,
    Tree(Box<Tree>),
}

impl View {
    /// A view of the kind asked for; `Auto` is a tree on a terminal and lines elsewhere.
    pub(crate) fn new(progress: Progress, output: Output, plan: &CompiledPlan, bound: &Bound) -> Self {
        let kind = match progress {
            Progress::Json => Kind::Json,
            Progress::None => Kind::Silent,
            _ if output.quiet || output.json => Kind::Silent,
            Progress::Plain => Kind::Plain { spent: String::new() },
            Progress::Auto if !output.live() => Kind::Plain { spent: String::new() },
            Progress::Auto | Progress::Tree => Kind::Tree(Box::new(Tree::new(plan, bound))),
        };
        Self { kind, output, clock: Clock::default() }
    }

    /// A view that shows nothing.
    pub(crate) fn silent(output: Output) -> Self {
        Self { kind: Kind::Silent, output, clock: Clock::default() }
    }

    /// Takes in one event.
    pub(crate) fn event(&mut self, event: &v1::RunEvent) {
        let at = self.clock.of(event);
        match &mut self.kind {
            Kind::Silent => {}
            Kind::Json => self.output.error(&lines::json(event).to_string()),
            Kind::Plain { spent } => {
                if let Some(total) = &event.spent {
                    *spent = money::shown(Some(total));
                }
                if let Some(line) = lines::plain(event, at, spent) {
                    self.output.error(&line);
                }
            }
            Kind::Tree(tree) => tree.event(event),
        }
    }

    /// Draws what has changed, and the clock.
    pub(crate) fn redraw(&mut self) {
        if let Kind::Tree(tree) = &mut self.kind {
            tree.redraw();
        }
    }

    /// Says something about the run that is no event of it.
    pub(crate) fn say(&self, text: &str) {
        match &self.kind {
            Kind::Tree(tree) => tree.say(text),
            _ => self.output.note(text),
        }
    }
}

/// Time since the run's first event by the run's own clock, so that a stream read later says the same.
#[derive(Debug)]
struct Clock {
    began: Instant,
    first: Option<Duration>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { began: Instant::now(), first: None }
    }
}

impl Clock {
    fn of(&mut self, event: &v1::RunEvent) -> Duration {
        let time = event.time.as_ref().and_then(|time| {
            Some(Duration::new(u64::try_from(time.seconds).ok()?, u32::try_from(time.nanos).ok()?))
        });
        let Some(time) = time else { return self.began.elapsed() };
        time.saturating_sub(*self.first.get_or_insert(time))
    }
}
