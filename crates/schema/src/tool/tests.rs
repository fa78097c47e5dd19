#![expect(clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::types::{EnumDef, EnumWire, FloatRange, IntRange, LengthRange, VariantDef};

fn tool(ty: Type, types: TypeDefs) -> Tool {
    let required = ty.absent().is_none();
    let param = ToolParam { name: "x".into(), ty, required, doc: String::new(), rules: Vec::new() };
    Tool {
        target: "plans/p".into(),
        description: String::new(),
        params: vec![param],
        output: Type::STRING,
        types,
        effects: Effects::NONE,
    }
}

fn field(name: &str, ty: Type) -> FieldDef {
    FieldDef { name: name.into(), ty, doc: String::new() }
}

fn record(name: &str, fields: Vec<FieldDef>) -> TypeDef {
    TypeDef::Record(RecordDef { name: name.into(), fields, doc: String::new() })
}

/// The schema of the only argument, and what is said in words.
fn strict(ty: Type, types: TypeDefs) -> (String, Vec<String>) {
    let definition = tool(ty, types).definition(Form::OpenAi);
    let function = &definition.json["function"];
    assert_eq!(function["strict"], true, "{definition:?}");
    (function["parameters"]["properties"]["x"].to_string(), definition.unsaid)
}

#[test]
fn limits_become_words() {
    let ty = Type::List(Box::new(Type::String(LengthRange { min: 1, max: Some(40) })), LengthRange::up_to(8));
    let (schema, unsaid) = strict(ty, TypeDefs::new());
    assert_eq!(
        schema,
        r#"{"type":"array","items":{"type":"string","description":"[from 1 to 40 characters]"},"description":"[at most 8 elements]"}"#
    );
    assert_eq!(unsaid, ["x[]: from 1 to 40 characters", "x: at most 8 elements"]);
}

#[test]
fn what_may_be_left_out_is_required_and_may_be_null() {
    let mut types = TypeDefs::new();
    let literal = |name: &str| VariantDef {
        name: name.into(),
        wire: format!("\"{name}\""),
        payload: None,
        doc: String::new(),
    };
    let kind = types.push(TypeDef::Enum(EnumDef {
        name: "Kind".into(),
        variants: vec![literal("A"), literal("B")],
        wire: EnumWire::Literal,
        doc: String::new(),
    }));
    let id = types.push(record(
        "R",
        vec![
            field("n", Type::INT.optional()),
            field("kind", Type::Named(kind).optional()),
            field("j", Type::Json),
        ],
    ));
    let (schema, _) = strict(Type::Named(id), types);
    for part in [
        r#""required":["n","kind","j"],"additionalProperties":false"#,
        r#""n":{"type":["integer","null"]}"#,
        r#""kind":{"anyOf":[{"type":"string","enum":["A","B"]},{"type":"null"}]}"#,
    ] {
        assert!(schema.contains(part), "{schema} has no {part}");
    }
}

#[test]
fn a_number_above_a_bound_is_said_so() {
    let range = FloatRange { min: 0.0_f64.next_up(), max: 1.0 };
    assert_eq!(strict(Type::Float(range), TypeDefs::new()).1, ["x: above 0, at most 1"]);
    assert_eq!(
        strict(Type::String(LengthRange { min: 1, max: None }), TypeDefs::new()).1,
        ["x: at least 1 character"]
    );
}

#[test]
fn a_type_within_itself_is_a_definition() {
    let mut types = TypeDefs::new();
    let id = types.push(record("Tree", Vec::new()));
    if let Some(TypeDef::Record(tree)) = types.get_mut(id) {
        tree.fields = vec![field("leaf", Type::STRING), field("more", Type::list(Type::Named(id)))];
    }
    let definition = tool(Type::Named(id), types).definition(Form::OpenAi);
    let parameters = &definition.json["function"]["parameters"];
    assert_eq!(parameters["properties"]["x"]["$ref"], "#/$defs/Tree");
    assert_eq!(parameters["$defs"]["Tree"]["properties"]["more"]["items"]["$ref"], "#/$defs/Tree");
}

#[test]
fn maps_are_left_out_where_they_may_be_and_turn_strict_mode_off_where_not() {
    let map = Type::Map(Box::new(Type::INT));
    let definition = tool(map.clone().optional(), TypeDefs::new()).definition(Form::OpenAi);
    let function = &definition.json["function"];
    assert_eq!(
        (function["strict"].clone(), function["parameters"]["properties"].to_string()),
        (true.into(), "{}".into())
    );
    assert_eq!(
        definition.unsaid,
        ["x: an object with keys of its own, which strict mode cannot say, so it is left out"]
    );

    let definition = tool(map, TypeDefs::new()).definition(Form::OpenAi);
    let function = &definition.json["function"];
    assert_eq!(function["strict"], false);
    assert_eq!(function["parameters"]["properties"]["x"]["additionalProperties"]["type"], "integer");
    assert_eq!(definition.unsaid, ["strict mode is off: it has no form for `x`"]);
}

#[test]
fn what_is_deeper_or_larger_than_strict_mode_admits_turns_it_off() {
    let nested = |levels: usize| (0..levels).fold(Type::INT, |ty, _| Type::list(ty));
    let is_strict = |levels| {
        tool(nested(levels), TypeDefs::new()).definition(Form::OpenAi).json["function"]["strict"] == true
    };
    // The arguments are a level themselves.
    assert!(is_strict(strict::DEPTH_MAX - 1) && !is_strict(strict::DEPTH_MAX));

    let wide = |count: usize| {
        let mut types = TypeDefs::new();
        let fields = (0..count).map(|at| field(&format!("f{at}"), Type::Bool)).collect();
        let id = types.push(record("Wide", fields));
        tool(Type::Named(id), types).definition(Form::OpenAi).json["function"]["strict"] == true
    };
    assert!(wide(strict::PROPERTIES_MAX - 1) && !wide(strict::PROPERTIES_MAX));
}

#[test]
fn members_of_a_union_differ_in_what_stands_first() {
    let mut types = TypeDefs::new();
    let mut variant = |name: &str, other: &str| VariantDef {
        name: name.to_uppercase(),
        wire: format!("\"{name}\""),
        payload: Some(Type::Named(
            types.push(record(name, vec![field(other, Type::INT), field("kind", Type::STRING)])),
        )),
        doc: String::new(),
    };
    let variants = vec![variant("a", "n"), variant("b", "m")];
    let id = types.push(TypeDef::Enum(EnumDef {
        name: "U".into(),
        variants,
        wire: EnumWire::Discriminator("kind".into()),
        doc: String::new(),
    }));
    let (schema, _) = strict(Type::Named(id), types);
    for name in ["a", "b"] {
        assert!(
            schema.contains(&format!(r#""properties":{{"kind":{{"type":"string","enum":["{name}"]}},"#)),
            "{schema}"
        );
    }
}

#[test]
fn answers_that_are_no_records_stand_under_one_name() {
    let definition = tool(Type::Int(IntRange { min: 0, max: 9 }), TypeDefs::new()).definition(Form::Mcp);
    let output = &definition.json["outputSchema"];
    assert_eq!((output["type"].clone(), output["required"].clone()), ("object".into(), json!([RESULT])));
    assert_eq!(output["properties"][RESULT]["type"], "string");
    assert_eq!(definition.json["inputSchema"]["properties"]["x"]["maximum"], 9);
}

#[test]
fn names_of_tools_are_short_plain_and_differ() {
    assert_eq!(tool_name("cap.generate"), "cap_generate");
    let long = |end: char| format!("plans/{}{end}", "x".repeat(80));
    let names = [
        tool_name(&long('a')),
        tool_name(&long('b')),
        tool_name("sn1.a.b"),
        tool_name("sn1.a-b"),
        tool_name("sn1.a_b"),
        tool_name("sn1.ä"),
        tool_name("plans/sn1_a_b"),
        tool_name("x"),
    ];
    for name in &names {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        assert!(plain && name.len() <= TOOL_NAME_BYTES_MAX, "{name}");
    }
    let different: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "{names:?}");
    assert_eq!(tool_name(&long('a')), names[0]);
}

#[test]
fn long_descriptions_are_cut_between_characters() {
    let long = Tool { description: "ä".repeat(DESCRIPTION_BYTES_MAX), ..tool(Type::INT, TypeDefs::new()) };
    let description = long.definition(Form::Anthropic).json["description"].to_string();
    assert_eq!(description.len(), DESCRIPTION_BYTES_MAX + 2);
}
