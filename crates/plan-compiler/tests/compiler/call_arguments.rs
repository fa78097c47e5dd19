//! Arguments under the names that tools of language models have for parameters.

use plan_compiler::with_own_names;
use plan_ir::plan::Param;
use schema::types::Type;

fn renamed(names: &[&str], arguments: &str) -> String {
    let param =
        |name: &&str| Param { name: (*name).into(), ty: Type::Json, default: None, doc: String::new() };
    let params: Vec<Param> = names.iter().map(param).collect();
    String::from_utf8(with_own_names(&params, arguments.as_bytes()).into_owned()).unwrap()
}

#[test]
fn names_of_tools_are_those_of_the_parameters_again() {
    let names = ["q", "$top", "ids[]"];
    let given =
        r#"{ "q": {"_top": ["_top", "\"_top\":"]}, "_top" : 18446744073709551616, "ids__": [1.50,{}] }"#;
    let own =
        r#"{ "q": {"_top": ["_top", "\"_top\":"]}, "$top" : 18446744073709551616, "ids[]": [1.50,{}] }"#;
    assert_eq!(renamed(&names, given), own);
    // One's own names are names, too; what is unknown or given twice is left to whoever reads it.
    assert_eq!(renamed(&names, own), own);
    assert_eq!(renamed(&names, r#"{"_top":1,"$top":2,"x":"_top"}"#), r#"{"$top":1,"$top":2,"x":"_top"}"#);
    assert_eq!(renamed(&names, r#"{"_\u0074op":1}"#), r#"{"$top":1}"#);
    // So is what is no object.
    for other in [
        "",
        "{}",
        "[\"_top\"]",
        "{\"_top",
        "[{\"_top\":1}]",
        "[1,\"_top\"]",
        "}{\"_top\":1}",
        "\"_top\"",
        "{\"\\",
    ] {
        assert_eq!(renamed(&names, other), other);
    }
    // A name that every form admits is nobody else's.
    assert_eq!(renamed(&["$top", "_top"], r#"{"_top":1}"#), r#"{"_top":1}"#);
}
