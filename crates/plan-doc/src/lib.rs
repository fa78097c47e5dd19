//! What a compiled plan looks like: its graph as data, text, DOT and SVG, and its page as Markdown and HTML.
//!
//! Everything here is a pure function of a plan and its bound: no files, no clock, and the same input gives the
//! same text on every machine. Nothing is fetched by what is made: a picture stands alone. Read
//! [`PlanGraph`] first, which all forms are made from, and [`page::Page`] for documentation.
//!
//! ```
//! use plan_compiler::{Options, Source, compile};
//! use plan_doc::PlanGraph;
//! use plan_lang::LineIndex;
//! use schema::lock::Lock;
//! let text = "plan double(x: Int(0..9)) -> Int(0..18) { let twice = x * 2\n twice }\n";
//! let compilation = compile(&Source { name: "double.orch", text }, &Lock::empty(), &Options::default());
//! let (plan, bound) = compilation.plan("double").unwrap();
//! let graph = PlanGraph::of(plan, bound, &LineIndex::new(text));
//! assert_eq!(graph.nodes[0].label, "twice");
//! assert!(plan_doc::to_svg(&graph).starts_with("<svg "));
//! ```
#![forbid(unsafe_code)]

mod dot;
mod graph;
mod layout;
pub mod page;
mod svg;
mod text;

pub use dot::to_dot;
pub use graph::{Cost, CostRow, Edge, GRAPH_FORMAT, GraphNode, PlanGraph, Region, RegionKind, SubPlan};
pub use svg::{Svg, to_svg};
pub use text::to_text;
