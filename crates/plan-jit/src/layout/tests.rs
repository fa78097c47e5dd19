use super::*;
use schema::types::{FieldDef, RecordDef};

fn record(defs: &mut TypeDefs, fields: Vec<Type>) -> Type {
    let fields = fields
        .into_iter()
        .enumerate()
        .map(|(n, ty)| FieldDef { name: format!("f{n}"), ty, doc: String::new() })
        .collect();
    Type::Named(defs.push(TypeDef::Record(RecordDef { name: "R".into(), fields, doc: String::new() })))
}

#[test]
fn sizes_and_places() {
    let (mut defs, mut layouts) = (TypeDefs::new(), Layouts::new());
    let small = record(&mut defs, vec![Type::STRING, Type::INT.optional(), Type::Amount]);
    let id = layouts.of(&small, &defs);
    assert_eq!(layouts.cells(id), ORIGIN_CELLS + 2 + 2 + 2);
    assert_eq!(layouts.field(id, 2), Some((ReprId::AMOUNT, 5)));
    assert_eq!(layouts.field(id, 3), None);
    let full = record(&mut defs, [vec![Type::STRING; 7], vec![Type::Bool]].concat());
    let id = layouts.of(&full, &defs);
    assert_eq!(layouts.cells(id), INLINE_CELLS);
    let large = record(&mut defs, vec![Type::STRING, Type::Bool, Type::INT, Type::STRING, small, full]);
    let id = layouts.of(&large, &defs);
    assert_eq!((layouts.cells(id), layouts.field(id, 5).map(|(_, at)| at)), (1, Some(14)));
    let result = Type::Result(Box::new(Type::INT), Box::new(Type::STRING));
    let id = layouts.of(&result, &defs);
    assert_eq!(layouts.cells(id), 3);
}

#[test]
fn null_is_one_value() {
    let (defs, mut layouts) = (TypeDefs::new(), Layouts::new());
    let once = layouts.of(&Type::INT.optional(), &defs);
    let twice = layouts.of(&Type::Optional(Box::new(Type::INT.optional())), &defs);
    assert_eq!(once, twice);
    assert_eq!(layouts.of(&Type::Optional(Box::new(Type::Json)), &defs), ReprId::OPAQUE);
}

#[test]
fn recursive_types_have_no_layout_and_neither_has_what_holds_them() {
    let mut defs = TypeDefs::new();
    let link = record(&mut defs, vec![Type::INT]);
    let Type::Named(id) = link else { panic!() };
    if let Some(TypeDef::Record(def)) = defs.get_mut(id) {
        def.fields.push(FieldDef { name: "next".into(), ty: link.clone().optional(), doc: String::new() });
    }
    let holder = record(&mut defs, vec![link.clone()]);
    let list = Type::list(link.clone());
    let mut layouts = Layouts::new();
    assert_eq!(layouts.of(&link, &defs), ReprId::OPAQUE);
    assert_eq!(layouts.of(&holder, &defs), ReprId::OPAQUE);
    let list = layouts.of(&list, &defs);
    assert_eq!(layouts.element(list), Some(ReprId::OPAQUE));
}

#[test]
fn tables_are_compared_by_structure() {
    let (mut defs, mut one, mut two) = (TypeDefs::new(), Layouts::new(), Layouts::new());
    let a = record(&mut defs, vec![Type::STRING, Type::list(Type::INT)]);
    let b = record(&mut defs, vec![Type::Url, Type::list(Type::INT)]);
    let c = record(&mut defs, vec![Type::STRING, Type::list(Type::FLOAT)]);
    two.of(&c, &defs);
    let (a, b) = (one.of(&a, &defs), two.of(&b, &defs));
    let c = two.of(&c, &defs);
    assert!(one.same(a, &two, b) && !one.same(a, &two, c));
    assert!(two.convertible(b, b) && !two.convertible(b, c));
}
