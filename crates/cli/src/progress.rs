//! Progress of a run: a live tree on a terminal, a line per event elsewhere.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use proto::v1;

use crate::args::Progress;
use crate::output::{self, Output};

/// Lines of the tree that are visible at once; the rest is summed up in the head line.
const LIVE_LINES_MAX: usize = 16;

/// A view of a run's events.
#[derive(Debug)]
pub(crate) struct View {
    kind: Kind,
    output: Output,
    started: Instant,
    done: usize,
    failed: usize,
    spent: String,
}

#[derive(Debug)]
enum Kind {
    None,
    Plain,
    Tree { bars: MultiProgress, head: ProgressBar, open: BTreeMap<(String, Vec<u32>), ProgressBar> },
}

impl View {
    /// A view of the kind asked for; `Auto` is a tree on a terminal and lines elsewhere.
    pub(crate) fn new(progress: Progress, output: Output) -> Self {
        let kind = match progress {
            Progress::None => Kind::None,
            _ if output.quiet || output.json => Kind::None,
            Progress::Plain => Kind::Plain,
            Progress::Auto if !output.live() => Kind::Plain,
            Progress::Auto | Progress::Tree => Self::tree(),
        };
        Self { kind, output, started: Instant::now(), done: 0, failed: 0, spent: String::new() }
    }

    fn tree() -> Kind {
        let bars = MultiProgress::new();
        let head = bars.add(ProgressBar::new_spinner());
        head.set_style(style("{spinner:.cyan} {msg}"));
        head.enable_steady_tick(Duration::from_millis(100));
        Kind::Tree { bars, head, open: BTreeMap::new() }
    }

    /// Takes in one event.
    pub(crate) fn event(&mut self, event: &v1::RunEvent) {
        if let Some(spent) = &event.spent {
            self.spent = output::amount(Some(spent));
        }
        if event.kind() == v1::RunEventKind::Node {
            match event.state.as_str() {
                "succeeded" | "skipped" => self.done += 1,
                "failed" => self.failed += 1,
                _ => {}
            }
        }
        match &mut self.kind {
            Kind::None => {}
            Kind::Plain => {
                if let Some(line) = line(event, self.started.elapsed(), &self.spent) {
                    self.output.error(&line);
                }
            }
            Kind::Tree { bars, head, open } => {
                update_tree(bars, open, event);
                let failed =
                    if self.failed == 0 { String::new() } else { format!(", {} failed", self.failed) };
                head.set_message(format!(
                    "{} nodes done{failed}, {} running, {} spent, {:.1} s",
                    self.done,
                    open.len(),
                    if self.spent.is_empty() { "nothing" } else { &self.spent },
                    self.started.elapsed().as_secs_f64()
                ));
            }
        }
    }

    /// Removes what is live from the terminal.
    pub(crate) fn finish(self) {
        if let Kind::Tree { bars, head, open } = self.kind {
            open.values().for_each(ProgressBar::finish_and_clear);
            head.finish_and_clear();
            // A terminal that went away has nothing left to clear.
            let _ = bars.clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn update_tree(
    bars: &MultiProgress,
    open: &mut BTreeMap<(String, Vec<u32>), ProgressBar>,
    event: &v1::RunEvent,
) {
    let key = (event.node.clone(), event.iteration.clone());
    match (event.kind(), event.state.as_str()) {
        (v1::RunEventKind::Node, "running") if open.len() < LIVE_LINES_MAX => {
            let bar = bars.add(ProgressBar::new_spinner());
            bar.set_style(style("  {prefix}{spinner:.cyan} {msg}"));
            bar.set_prefix("│ ".repeat(event.iteration.len()));
            bar.set_message(name(event));
            bar.enable_steady_tick(Duration::from_millis(100));
            open.insert(key, bar);
        }
        (v1::RunEventKind::AttemptSent, _) => {
            if let Some(bar) = open.get(&key) {
                let again =
                    if event.attempt > 1 { format!(", attempt {}", event.attempt) } else { String::new() };
                bar.set_message(format!("{} ({}{again})", name(event), event.operation));
            }
        }
        (v1::RunEventKind::Node, "succeeded" | "failed" | "skipped" | "cancelled") => {
            if let Some(bar) = open.remove(&key) {
                bar.finish_and_clear();
                if event.state == "failed" {
                    // A broken pipe must not end the run.
                    let _ = bars.println(format!("  ✗ {}: {}", name(event), event.message));
                }
            }
        }
        _ => {}
    }
}

fn line(event: &v1::RunEvent, elapsed: Duration, spent: &str) -> Option<String> {
    let stamp = format!("{:>7.3}s", elapsed.as_secs_f64());
    let reason = if event.message.is_empty() { String::new() } else { format!(": {}", event.message) };
    let text = match event.kind() {
        v1::RunEventKind::Unspecified | v1::RunEventKind::Heartbeat => return None,
        v1::RunEventKind::Opened => "run     opened".to_owned(),
        v1::RunEventKind::Node if event.state == "running" => return None,
        v1::RunEventKind::Node => format!("node    {} {}{reason}", name(event), event.state),
        v1::RunEventKind::AttemptSent => {
            format!("attempt {} -> {} (attempt {})", name(event), event.operation, event.attempt)
        }
        v1::RunEventKind::AttemptDone if event.message.is_empty() => return None,
        v1::RunEventKind::AttemptDone => format!("attempt {} {}{reason}", name(event), event.state),
        v1::RunEventKind::Closed => format!("run     {}{reason}, {spent} spent", event.state),
    };
    Some(format!("{stamp}  {text}"))
}

/// `label[0][2]`.
fn name(event: &v1::RunEvent) -> String {
    let mut name = event.node.clone();
    for index in &event.iteration {
        name.push_str(&format!("[{index}]"));
    }
    name
}
