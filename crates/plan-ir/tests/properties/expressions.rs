//! Random well-typed expressions: the interpreter always comes back, with a value of the right type or a
//! coded trap, and always with the same one.

use crate::generate::programs::{Program, program};
use plan_ir::builtin::Builtin;
use plan_ir::bytes::{decode, encode};
use plan_ir::graph::{Graph, Node, NodeId, NodeKind, Region};
use plan_ir::interp::{Env, Meter, Quota, Trap, TrapKind, eval};
use plan_ir::plan::{CompiledPlan, DebugInfo, LIBRARY_VERSION, NodeBody, PlanBody, ScopeId};
use plan_ir::validate::validate;
use proptest::prelude::*;
use schema::hash::Hash;
use schema::value::Value;

/// The defaults of a plan's parameters.
struct Defaults<'a>(&'a PlanBody);

impl Env for Defaults<'_> {
    fn param(&self, index: u32) -> Option<Value> {
        self.0.params[index as usize].default.clone()
    }
}

/// Less than an evaluation may use by default, so that a test ends soon.
const FUEL: u64 = 200_000;
const BYTES: u64 = 1 << 20;

fn run(program: &Program, fuel: u64) -> (Result<Value, Trap>, u64) {
    let mut meter = Meter::new(fuel, BYTES);
    let env = Defaults(&program.body);
    let result = eval(&program.body, &program.fragment, &[], &env, &mut meter);
    (result, fuel - meter.fuel())
}

fn as_plan(program: &Program) -> CompiledPlan {
    let mut body = program.body.clone();
    body.nodes.push(NodeBody::Pure(program.fragment));
    body.node_scopes.push(ScopeId(0));
    body.output = program.ty.clone();
    let node = Node { kind: NodeKind::Pure, label: "result".into(), parents: vec![], regions: vec![] };
    let root = Region { nodes: vec![NodeId(0)], result: Some(NodeId(0)) };
    CompiledPlan {
        graph: Graph { nodes: vec![node], root },
        body,
        library_version: LIBRARY_VERSION,
        lock_hash: Hash([5; 32]),
        debug: DebugInfo::default(),
    }
}

proptest! {
    #![proptest_config(crate::generate::cases(1_000))]

    #[test]
    fn evaluation_is_total_and_keeps_types(numbers in prop::collection::vec(any::<u32>(), 0..300)) {
        let program = program(numbers);
        let (result, used) = run(&program, FUEL);
        match &result {
            Ok(value) => {
                let fits = schema::decode::check(value, &program.ty, &program.body.types);
                prop_assert!(fits.is_ok(), "{value:?}: {fits:?}");
            }
            Err(trap) => {
                prop_assert!(!matches!(trap.kind, TrapKind::Malformed(_)), "{trap:?}");
            }
        }
        let (again, used_again) = run(&program, FUEL);
        prop_assert_eq!((&again, used_again), (&result, used));
        if !matches!(result, Err(Trap { kind: TrapKind::Quota(_), .. })) {
            // Exactly enough is enough; anything less is not.
            let (exact, _) = run(&program, used);
            prop_assert_eq!(&exact, &result);
            let (less, _) = run(&program, used - 1);
            prop_assert_eq!(less.map_err(|trap| trap.kind), Err(TrapKind::Quota(Quota::Steps)));
        }
    }

    #[test]
    fn programs_survive_as_bytes(numbers in prop::collection::vec(any::<u32>(), 0..300)) {
        let program = program(numbers);
        let plan = as_plan(&program);
        prop_assert_eq!(validate(&plan), Ok(()));
        let back = decode(&encode(&plan).unwrap()).unwrap();
        prop_assert_eq!(&back, &plan);
        let result = run(&program, FUEL).0;
        let again = run(&Program { body: back.body, ..program }, FUEL).0;
        prop_assert_eq!(again, result);
    }

    #[test]
    fn a_damaged_program_is_refused_or_runs_to_an_end(
        numbers in prop::collection::vec(any::<u32>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let program = program(numbers);
        let mut bytes = encode(&as_plan(&program)).unwrap();
        for (index, value) in changes {
            let position = index.index(bytes.len());
            bytes[position] = value;
        }
        if let Ok(plan) = decode(&bytes) {
            // It may claim types that are not so; it still ends.
            let NodeBody::Pure(fragment) = plan.body.nodes[0] else { return Ok(()) };
            let ty = plan.body.output.clone();
            let (result, _) = run(&Program { body: plan.body, fragment, ty }, FUEL);
            prop_assert!(result.is_ok() || result.is_err());
        }
    }
}

#[test]
fn generated_programs_reach_most_of_the_language() {
    // Guards the generator: a property over programs that are all constants would prove nothing.
    use std::collections::BTreeSet;
    let mut seen = BTreeSet::new();
    let mut ends = BTreeSet::new();
    let mut number = 12_345_u32;
    for _ in 0..3_000 {
        let numbers = std::iter::repeat_with(|| {
            // xorshift32
            number ^= number << 13;
            number ^= number >> 17;
            number ^= number << 5;
            number
        });
        let program = program(numbers.take(300).collect());
        for expr in &program.body.exprs.exprs {
            let text = format!("{expr:?}");
            seen.insert(text.split(['(', ' ', '{']).next().unwrap().to_owned());
            if let plan_ir::expr::Expr::Builtin { op, .. } = expr {
                seen.insert(format!("{op:?}"));
            }
        }
        ends.insert(match run(&program, FUEL).0 {
            Ok(_) => "a value",
            Err(trap) => trap.kind.code(),
        });
    }
    let wanted = "Apply Binary Builtin Cast Const DecodeText Field If Index Let List Local Map Match Param Record \
                  Template Unary Variant Widen";
    let functions = Builtin::ALL.into_iter().map(|op| format!("{op:?}"));
    let wanted = wanted.split_whitespace().map(str::to_owned).chain(functions);
    for name in wanted {
        assert!(seen.contains(&name), "{name} is never generated");
    }
    for end in ["a value", "E0801", "E0802", "E0803", "E0804"] {
        assert!(ends.contains(end), "no program ends in {end}");
    }
}
