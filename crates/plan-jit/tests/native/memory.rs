//! What results refer to.

use plan_ir::interp::Meter;
use schema::value::Value;

use crate::common::{Arguments, ints, plan, texts};

#[test]
fn results_outlive_their_plan() {
    use plan_jit::{Flat, FlatEnv};
    struct Texts(Flat);
    impl FlatEnv for Texts {
        fn param(&self, _: u32) -> Option<Flat> {
            Some(self.0.clone())
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
    let plan = plan(
        "plan p(ts: [String]) -> [String] { ts.map(t => if t == \"a\" { \"a literal of the plan\" } else { t }) }",
    );
    let native = plan.native();
    let shape = native.shape(&plan.plan.body.params[0].ty);
    let mut env = Texts(shape.lay_out(texts(&["a", "a text from outside"]), 1 << 20).unwrap());
    // Each result is the next argument: more than one value may keep alive.
    for _ in 0..100 {
        env = Texts(native.eval_flat(&plan.fragment, &[], &env, &mut Meter::default()).unwrap());
    }
    drop(native);
    let expected = texts(&["a literal of the plan", "a text from outside"]);
    assert_eq!(env.0.to_value(), Some(expected));
}

#[test]
fn records_that_pass_through_are_the_very_values() {
    let plan = plan("record R { name: String, n: Int }\nplan p(rs: [R]) -> [R] { rs.filter(r => r.n > 1) }");
    let records: Vec<Value> =
        (0..4).map(|n| Value::record([Value::string(format!("r{n}")), Value::Int(n)])).collect();
    let args = Arguments(vec![Value::list(records.clone())]);
    let kept = plan.native().eval(&plan.fragment, &[], &args, &mut Meter::default()).unwrap();
    let kept = kept.as_list().unwrap();
    assert_eq!(kept.len(), 2);
    for (kept, record) in kept.iter().zip(&records[2..]) {
        assert!(std::ptr::eq(kept.as_record().unwrap(), record.as_record().unwrap()));
    }
}

#[test]
fn a_text_that_is_null_is_no_known_text_whatever_lay_there_before() {
    let plan = plan(
        "record R { n: Int, note: String? }\n\
         plan p(rs: [R]) -> [R] {\n\
           (if rs.len() > 0 { rs } else { [R { n: rs.len(), note: null }] }).filter(r => r.note == \"a\")\n\
         }",
    );
    let native = plan.native();
    let records = |notes: [Value; 4]| Value::list(notes.map(|note| Value::record([Value::Int(1), note])));
    // Memory is used again: what comes from outside, and then what native code makes, lies where the texts lay.
    for (records, kept) in [
        (records([(); 4].map(|()| Value::string("a"))), 4),
        (records([(); 4].map(|()| Value::Null)), 0),
        (records([(); 4].map(|()| Value::string("a"))), 4),
        (Value::list([]), 0),
    ] {
        let args = Arguments(vec![records]);
        let (mut meter, mut expected_meter) = (Meter::default(), Meter::default());
        let expected = plan.interpreted(&args, &mut expected_meter).unwrap();
        let value = native.eval(&plan.fragment, &[], &args, &mut meter).unwrap();
        assert_eq!(value.as_list().unwrap().len(), kept);
        assert_eq!((value, meter), (expected, expected_meter));
    }
}

#[test]
fn what_a_record_that_is_null_refers_to_is_never_read() {
    let fields: String = (0..20).map(|n| format!("f{n}: Int, ")).collect();
    let plan = plan(&format!(
        "record Large {{ {fields} }}\nrecord R {{ large: Large? }}\n\
         plan p(rs: [R], xs: [Int]) -> [Int] {{ rs.map(r => xs.filter(x => r.large?.f9 == x).len()) }}"
    ));
    let native = plan.native();
    let large = Value::record((0..20).map(Value::Int).collect::<Vec<_>>());
    // Numbers that are no addresses lie where records are laid out next.
    for (records, numbers) in [(vec![], vec![9; 100]), (vec![Value::Null, large, Value::Null], vec![9, 8, 9])]
    {
        let records = Value::list(records.into_iter().map(|large| Value::record([large])));
        let args = Arguments(vec![records, ints(&numbers)]);
        let expected = plan.interpreted(&args, &mut Meter::default()).unwrap();
        assert_eq!(native.eval(&plan.fragment, &[], &args, &mut Meter::default()), Ok(expected));
    }
}
