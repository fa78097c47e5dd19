//! Random chains of list functions over records, which native code fuses into loops, with meters that run
//! out anywhere.

mod chains;
mod expressions;
mod generator;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plan_ir::expr::Fragment;
use plan_ir::interp::{Env, Meter, Trap, eval};
use plan_ir::plan::PlanBody;
use plan_jit::{Coverage, Engine, Flat, FlatEnv, NativePlan, Outcome, Shape};
use proptest::prelude::*;
use schema::value::Value;

use chains::chain;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().unwrap());

/// A chain with the list it runs over.
struct Chain {
    body: PlanBody,
    fragment: Fragment,
    items: Value,
}

impl Env for Chain {
    fn param(&self, index: u32) -> Option<Value> {
        (index == 0).then(|| self.items.clone())
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

fn shown(chain: &Chain) -> String {
    let table = &chain.body.exprs;
    let lines = table.exprs.iter().zip(&table.types).enumerate();
    let lines = lines.map(|(id, (expr, ty))| format!("{id}: {expr:?} : {ty:?}\n"));
    format!(
        "{:?}\n{}{:?}\n{:?}",
        chain.fragment,
        lines.collect::<String>(),
        chain.body.functions,
        chain.items
    )
}

/// Both engines with these meters; what native code made of it.
fn check(chain: &Chain, native: &NativePlan, fuel: u64, bytes: u64) -> (Result<Value, Trap>, Outcome<Value>) {
    let mut expected_meter = Meter::new(fuel, bytes);
    let expected = eval(&chain.body, &chain.fragment, &[], chain, &mut expected_meter);
    let mut meter = Meter::new(fuel, bytes);
    let outcome = native.eval_native(&chain.fragment, &[], chain, &mut meter);
    match &outcome {
        Outcome::Done(result) => {
            assert_eq!(result, &expected, "{}", shown(chain));
            if result.is_ok() {
                assert_eq!(meter, expected_meter, "{}", shown(chain));
            }
        }
        Outcome::Undecided => assert!(expected.is_err(), "undecided though {expected:?}: {}", shown(chain)),
        Outcome::NotCompiled => panic!("{:?}: {}", native.refused(), shown(chain)),
    }
    check_flat(chain, native, Meter::new(fuel, bytes), &outcome, &meter);
    (expected, outcome)
}

/// The items, laid out.
struct FlatItems(Flat);

impl FlatEnv for FlatItems {
    fn param(&self, index: u32) -> Option<Flat> {
        (index == 0).then(|| self.0.clone())
    }
    fn node(&self, _: plan_ir::graph::NodeId) -> Option<Flat> {
        None
    }
    fn item(&self, _: plan_ir::graph::NodeId) -> Option<Flat> {
        None
    }
    fn bound(&self, _: plan_ir::graph::NodeId, _: u32) -> Option<Flat> {
        None
    }
}

/// On values that are laid out, the same.
fn check_flat(chain: &Chain, native: &NativePlan, mut meter: Meter, outcome: &Outcome<Value>, after: &Meter) {
    let shape = Shape::new(&chain.body.params[0].ty, &chain.body.types);
    let items = FlatItems(shape.lay_out(chain.items.clone(), 1 << 24).unwrap());
    let flat = native.eval_flat_native(&chain.fragment, &[], &items, &mut meter);
    drop(items);
    match (flat, outcome) {
        (Outcome::Done(Ok(flat)), Outcome::Done(Ok(value))) => {
            assert_eq!(flat.to_value().as_ref(), Some(value), "{}", shown(chain));
            assert_eq!(&meter, after, "{}", shown(chain));
        }
        (Outcome::Done(Err(flat)), Outcome::Done(Err(trap))) => assert_eq!(&flat, trap),
        (Outcome::Undecided, Outcome::Undecided) => {}
        (flat, outcome) => panic!("{flat:?} and {outcome:?}: {}", shown(chain)),
    }
}

fn compiled(chain: &Chain) -> NativePlan {
    ENGINE.compile_fragments(&chain.body, &[chain.fragment], Coverage::All).unwrap()
}

const FUEL: u64 = 2_000_000;
const BYTES: u64 = 1 << 22;

proptest! {
    #![proptest_config(crate::generate::cases(crate::cases()))]

    #[test]
    fn chains_give_what_the_interpreter_gives(numbers in prop::collection::vec(any::<u32>(), 0..900)) {
        let chain = chain(numbers);
        let _ = check(&chain, &compiled(&chain), FUEL, BYTES);
    }

    #[test]
    fn chains_end_where_the_meter_does(
        numbers in prop::collection::vec(any::<u32>(), 0..900),
        shares in prop::collection::vec((0..=1_100_u64, 0..=1_100_u64), 1..8),
    ) {
        let chain = chain(numbers);
        let native = compiled(&chain);
        let mut whole = Meter::new(FUEL, BYTES);
        let _ = eval(&chain.body, &chain.fragment, &[], &chain, &mut whole);
        let (fuel, bytes) = (FUEL - whole.fuel(), BYTES - whole.bytes());
        // Exactly enough is enough, and one less is not.
        let _ = check(&chain, &native, fuel, BYTES);
        let _ = check(&chain, &native, fuel.saturating_sub(1), BYTES);
        let _ = check(&chain, &native, FUEL, bytes);
        let _ = check(&chain, &native, FUEL, bytes.saturating_sub(1));
        for (fuel_share, bytes_share) in shares {
            let _ = check(&chain, &native, fuel * fuel_share / 1_000, bytes * bytes_share / 1_000 + 16);
        }
    }
}

#[test]
fn most_chains_are_decided_and_every_trap_is_met() {
    let mut ends = BTreeMap::<String, usize>::new();
    for numbers in crate::streams(4_321, 900, crate::cases()) {
        let chain = chain(numbers);
        let (expected, outcome) = check(&chain, &compiled(&chain), FUEL, BYTES);
        let end = match (outcome, expected) {
            (Outcome::Done(Ok(_)), _) => "value".into(),
            (Outcome::Done(Err(trap)), _) => trap.kind.code().to_owned(),
            (_, Err(trap)) => format!("undecided {}", trap.kind.code()),
            (outcome, value) => unreachable!("{outcome:?} though {value:?}"),
        };
        *ends.entry(end).or_default() += 1;
    }
    // Where a later function of a loop traps, the interpreter is asked.
    for end in ["value", "E0801", "E0802", "E0803", "E0804", "undecided E0801", "undecided E0803"] {
        assert!(ends.contains_key(end), "no chain ends in {end}: {ends:?}");
    }
    let undecided: usize =
        ends.iter().filter(|(end, _)| end.starts_with("undecided")).map(|(_, count)| count).sum();
    assert!(undecided * 10 < ends.values().sum(), "{ends:?}");
}
