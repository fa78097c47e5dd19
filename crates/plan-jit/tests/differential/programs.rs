//! Random well-typed programs over the whole language.

use std::sync::LazyLock;

use plan_ir::interp::{Env, Meter, Trap, TrapKind, eval};
use plan_ir::plan::PlanBody;
use plan_jit::{Coverage, Engine, Outcome};
use proptest::prelude::*;
use schema::value::Value;

use crate::generate::programs::{Program, program};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().unwrap());

/// The defaults of a plan's parameters.
struct Defaults<'a>(&'a PlanBody);

impl Env for Defaults<'_> {
    fn param(&self, index: u32) -> Option<Value> {
        self.0.params[index as usize].default.clone()
    }
    fn node(&self, _: plan_ir::graph::NodeId) -> Option<Value> {
        None
    }
    fn item(&self, _: plan_ir::graph::NodeId) -> Option<Value> {
        None
    }
    fn bound(&self, _: plan_ir::graph::NodeId, _: u32) -> Option<Value> {
        None
    }
}

const FUEL: u64 = 200_000;
const BYTES: u64 = 1 << 20;

/// What came of a program: the interpreter's result, what native code made of it, and whether it was
/// compiled at all.
fn run(program: &Program, fuel: u64) -> (Result<Value, Trap>, Outcome<Value>) {
    let env = Defaults(&program.body);
    let mut expected_meter = Meter::new(fuel, BYTES);
    let expected = eval(&program.body, &program.fragment, &[], &env, &mut expected_meter);
    let native = ENGINE.compile_fragments(&program.body, &[program.fragment], Coverage::All).unwrap();
    let mut meter = Meter::new(fuel, BYTES);
    let outcome = native.eval_native(&program.fragment, &[], &env, &mut meter);
    match &outcome {
        Outcome::Done(result) => {
            assert_eq!(result, &expected, "{}", shown(program));
            if result.is_ok() {
                assert_eq!(meter, expected_meter, "{}", shown(program));
            }
        }
        Outcome::Undecided => {}
        Outcome::NotCompiled => {
            assert!(!native.refused().is_empty());
        }
    }
    let mut meter = Meter::new(fuel, BYTES);
    assert_eq!(native.eval(&program.fragment, &[], &env, &mut meter), expected);
    (expected, outcome)
}

/// The program, for a failure's message.
fn shown(program: &Program) -> String {
    let table = &program.body.exprs;
    let lines = table.exprs.iter().zip(&table.types).enumerate();
    let lines = lines.map(|(id, (expr, ty))| format!("{id}: {expr:?} : {ty:?}\n"));
    format!("{:?}\n{}{:?}", program.fragment, lines.collect::<String>(), program.body.functions)
}

proptest! {
    #![proptest_config(crate::generate::cases(crate::cases()))]

    #[test]
    fn native_code_gives_what_the_interpreter_gives(
        numbers in prop::collection::vec(any::<u32>(), 0..300),
    ) {
        let program = program(numbers);
        let (expected, outcome) = run(&program, FUEL);
        // A quota is the one thing native code may leave open.
        if outcome == Outcome::Undecided {
            let quota = matches!(&expected, Err(Trap { kind: TrapKind::Quota(_), .. }));
            prop_assert!(quota || expected.is_err(), "{expected:?}");
        }
    }
}

#[test]
fn most_programs_are_compiled_and_decided() {
    let mut counts = std::collections::BTreeMap::<String, u32>::new();
    let mut number = 12_345_u32;
    for _ in 0..crate::cases() {
        let numbers = std::iter::repeat_with(|| {
            // xorshift32
            number ^= number << 13;
            number ^= number >> 17;
            number ^= number << 5;
            number
        });
        let program = program(numbers.take(300).collect());
        let (_, outcome) = run(&program, FUEL);
        let end = match outcome {
            Outcome::Done(Ok(_)) => "value".into(),
            Outcome::Done(Err(trap)) => trap.kind.code().into(),
            other => format!("{other:?}"),
        };
        *counts.entry(end).or_default() += 1;
    }
    println!("{counts:?}");
}

#[test]
fn smallest() {
    let mut best: Option<(usize, String)> = None;
    let mut number = 77_u32;
    for _ in 0..600 {
        let numbers = std::iter::repeat_with(|| {
            number ^= number << 13;
            number ^= number >> 17;
            number ^= number << 5;
            number
        });
        let program = program(numbers.take(30).collect());
        if let Err(panic) = std::panic::catch_unwind(|| run(&program, FUEL)) {
            let size = program.body.exprs.exprs.len();
            if best.as_ref().is_none_or(|(s, _)| size < *s) {
                let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                best = Some((size, text));
            }
        }
    }
    println!("BEST {best:#?}");
}
