//! The functions of the library as plans see them.

use plan_ir::builtin::Builtin;

use crate::common::{compiled, shown};
use crate::execute::execute;

/// What examples may use: any value as JSON.
const HEAD: &str = "fn json(value: Json) -> Json = value\n";

#[test]
fn every_example_gives_what_it_says() {
    for builtin in Builtin::ALL {
        let signature = builtin.signature();
        assert!(!signature.examples.is_empty(), "{} has no example", signature.name);
        for (code, gives) in signature.examples {
            let text = format!("{HEAD}plan example() -> Bool {{ ({code}) == ({gives}) }}\n");
            assert!(!compiled(&text).has_errors(), "{}", shown(&text));
            let result = execute(&text, "example", &[], |_, _| None).result;
            assert_eq!(result.as_deref(), Ok("true"), "{code} is not {gives}");
            assert!(
                code.contains(&format!("{}(", signature.name)),
                "{code} does not show {}",
                signature.name
            );
        }
    }
}
