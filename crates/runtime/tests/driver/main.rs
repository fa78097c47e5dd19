//! Runs over real sockets and a real store.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod admission;
mod cancelled;
mod durable;
#[path = "../support/mod.rs"]
mod support;
mod views;

use plan_ir::plan::CompiledPlan;
use schema::operation::OperationDescriptor;
use schema::types::{LengthRange, Type};
use support::server::{Reply, Server};
use support::{Builder, CallOptions, LoopOptions, list_of, operation, per_call, usd};

/// A deadline that no test reaches.
const HOUR_US: u64 = 3_600_000_000;

fn echo(server: &Server) -> OperationDescriptor {
    operation("sn1.echo", &server.url, per_call(100), true)
}

async fn echoing() -> Server {
    Server::start(|question| Reply::answer(&format!("re: {question}"))).await
}

fn one_call(operation: OperationDescriptor, options: &CallOptions) -> CompiledPlan {
    let mut b = Builder::new(Some(usd(10_000)), Some(60_000_000), &[operation]);
    let arg = b.text("hello");
    let call = b.call("ask", arg, options, &[]);
    b.finish(call, Type::STRING)
}

fn fan_out(operation: OperationDescriptor, count: usize) -> CompiledPlan {
    let mut b = Builder::new(Some(usd(1_000_000)), Some(60_000_000), &[operation]);
    let list = b.texts(count);
    let each = b.fan_out("each", list, &LoopOptions::default(), &[], |b, id| {
        let item = b.item(id);
        b.call("ask", item, &CallOptions::to(0), &[])
    });
    b.finish(each, list_of(LengthRange::up_to(count as u64)))
}
