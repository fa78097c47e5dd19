//! Whole random plans: whatever a plan may hold, compiling it comes to an end, and entering what was compiled
//! gives what the interpreter gives.

#[path = "../../../plan-ir/tests/properties/generate/mod.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod generate;

use plan_ir::interp::{Meter, NoEnv, eval};
use plan_jit::{Coverage, Outcome, fragments};
use proptest::prelude::*;
use schema::value::Value;

use crate::common::ENGINE;

proptest! {
    #![proptest_config(generate::cases(60))]

    #[test]
    fn every_fragment_of_a_plan_is_compiled(numbers in prop::collection::vec(any::<u32>(), 0..300)) {
        let plan = generate::plans::plan(numbers);
        let all = fragments(&plan.body);
        let native = ENGINE.compile_fragments(&plan.body, &all, Coverage::All).unwrap();
        prop_assert!(native.refused().is_empty(), "{:?}", native.refused());
        for fragment in &all {
            // Most read what is not there; then there is nothing to compare but that both say so.
            let args = vec![Value::Null; fragment.params as usize];
            let expected = eval(&plan.body, fragment, &args, &NoEnv, &mut Meter::default());
            let outcome = native.eval_native(fragment, &args, &NoEnv, &mut Meter::default());
            if let Outcome::Done(result) = outcome {
                prop_assert_eq!(result, expected);
            }
        }
    }
}
