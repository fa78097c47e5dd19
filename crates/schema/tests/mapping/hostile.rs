//! Nothing that a stranger writes takes the mapper or the reader long, or gets an answer without a code.

use schema::boundary::Checks;
use schema::decode::decode;
use schema::json_schema::{from_json_schema, to_json_schema};

use crate::bombs;

/// Small enough for an unoptimised build; the benchmark tries them at full size.
const SCHEMA_BYTES: usize = 30_000;
const ANSWER_BYTES: usize = 100_000;

#[test]
fn bombs_end_in_a_type_or_a_code() {
    let (mut mapped, mut refused) = (0, 0);
    for bomb in bombs::all(SCHEMA_BYTES, ANSWER_BYTES) {
        match from_json_schema(&bomb.schema, "Op") {
            Ok((defs, ty)) => {
                mapped += 1;
                assert!(to_json_schema(&ty, &defs).is_object(), "{}", bomb.name);
                let Some(answer) = &bomb.answer else { continue };
                if let Err(error) = decode(answer.as_bytes(), &ty, &defs) {
                    assert!(error.code.starts_with("E112"), "{}: {error}", bomb.name);
                }
                let value = serde_json::from_str(answer).unwrap();
                if let Err(error) = Checks::of(&bomb.schema).unwrap().check(&value) {
                    assert!(error.code.starts_with("E112"), "{}: {error}", bomb.name);
                }
            }
            Err(error) => {
                refused += 1;
                assert!(error.code.starts_with("E06"), "{}: {error}", bomb.name);
                assert!(error.pointer.starts_with('#'), "{}: {error}", bomb.name);
            }
        }
    }
    assert!(mapped > 10 && refused > 10, "{mapped} mapped, {refused} refused");
}
