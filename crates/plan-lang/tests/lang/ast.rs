//! What the AST says about a text, written as s-expressions.

#![expect(clippy::indexing_slicing, clippy::panic, reason = "tests")]

use plan_lang::ast::{
    Arg, Block, Expr, ExprKind, FieldInit, Item, Literal, MockValue, MockValueKind, Pattern, PatternKind,
    PolicyField, PolicyUse, PolicyValueKind, Stmt, Template, TemplatePart, TestStmt, Type, TypeKind,
};
use plan_lang::{Edition, parse};

/// The body of `fn f`, written as `text`.
fn body(text: &str) -> String {
    let parse = parse(&format!("plan f() -> T {{ {text} }}"));
    assert!(!parse.has_errors(), "{text}: {:?}", parse.diagnostics());
    let Item::Plan(plan) = &parse.ast().items[0] else { panic!("no plan") };
    block(&plan.body)
}

fn block(block: &Block) -> String {
    let mut parts: Vec<String> = block.stmts.iter().map(stmt).collect();
    parts.extend(block.value.as_deref().map(expr));
    parts.join("; ")
}

fn stmt(stmt: &Stmt) -> String {
    match stmt {
        Stmt::Let(it) => {
            let ty = it.ty.as_ref().map(|t| format!(": {}", ty(t))).unwrap_or_default();
            format!("(let {}{ty} {})", it.name.name, expr(&it.value))
        }
        Stmt::Ensure(it) => format!("(ensure {} {})", expr(&it.cond), template(&it.message)),
        Stmt::Expr(it) => format!("(do {})", expr(it)),
    }
}

fn template(template: &Template) -> String {
    let parts = template.parts.iter().map(|part| match part {
        TemplatePart::Text(text) => format!("{text:?}"),
        TemplatePart::Expr(part) => expr(part),
    });
    format!("<{}>", parts.collect::<Vec<_>>().join(" "))
}

fn args(args: &[Arg]) -> String {
    let shown = args.iter().map(|arg| {
        let name = arg.name.as_ref().map(|name| format!("{}=", name.name)).unwrap_or_default();
        format!(" {name}{}", expr(&arg.value))
    });
    shown.collect()
}

fn inits(fields: &[FieldInit]) -> String {
    fields.iter().map(|field| format!(" {}={}", field.key.name, expr(&field.value))).collect()
}

fn policy(policy: Option<&PolicyUse>) -> String {
    let Some(policy) = policy else { return String::new() };
    let base = policy.base.as_ref().map(|base| format!(" {}", base.dotted())).unwrap_or_default();
    format!(" (with{base}{})", policy_fields(&policy.fields))
}

fn policy_fields(fields: &[PolicyField]) -> String {
    let shown = fields.iter().map(|field| {
        let value = match &field.value.kind {
            PolicyValueKind::Fields(fields) => format!("({})", policy_fields(fields).trim()),
            PolicyValueKind::Percent(share) => format!("{}%%", share.0),
            PolicyValueKind::Expr(value) => expr(value),
        };
        format!(" {}={value}", field.key.name)
    });
    shown.collect()
}

fn ty(it: &Type) -> String {
    let range = |refine: &Option<plan_lang::ast::Refine>| match refine {
        None => String::new(),
        Some(refine) => {
            let end = |bound: &Option<plan_lang::ast::Bound>| {
                bound.as_ref().map(|b| literal(&b.value)).unwrap_or_default()
            };
            format!("({}..{})", end(&refine.min), end(&refine.max))
        }
    };
    match &it.kind {
        TypeKind::Named { name, args, refine } => {
            let args: Vec<_> = args.iter().map(ty).collect();
            let args = if args.is_empty() { String::new() } else { format!("<{}>", args.join(", ")) };
            format!("{}{args}{}", name.name, range(refine))
        }
        TypeKind::List { element, refine } => format!("[{}]{}", ty(element), range(refine)),
        TypeKind::Map { key, value, refine } => format!("{{{}: {}}}{}", ty(key), ty(value), range(refine)),
        TypeKind::Optional(inner) => format!("{}?", ty(inner)),
        TypeKind::Error => "error".to_owned(),
    }
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Float(value) => format!("{value:?}"),
        Literal::DurationUs(value) => format!("{value}us"),
        Literal::Rao(value) => format!("{value}rao"),
        Literal::MicroUsd(value) => format!("{value}uUSD"),
    }
}

fn variant(of: Option<&plan_lang::ast::Ident>, name: &str, payload: Option<String>) -> String {
    let of = of.map(|of| format!("{}.", of.name)).unwrap_or_default();
    payload.map_or_else(|| format!("#{of}{name}"), |payload| format!("(#{of}{name} {payload})"))
}

fn pattern(it: &Pattern) -> String {
    match &it.kind {
        PatternKind::Wildcard => "_".to_owned(),
        PatternKind::Binding(name) => name.name.clone(),
        PatternKind::Variant { of, variant: name, payload } => {
            variant(of.as_ref(), &name.name, payload.as_deref().map(pattern))
        }
        PatternKind::Literal(value) => literal(value),
        PatternKind::Text(text) => format!("{text:?}"),
        PatternKind::Error => "error".to_owned(),
    }
}

fn expr(it: &Expr) -> String {
    match &it.kind {
        ExprKind::Error => "error".to_owned(),
        ExprKind::Literal(value) => literal(value),
        ExprKind::Template(it) => template(it),
        ExprKind::Name(name) => name.name.clone(),
        ExprKind::Variant { of, variant: name, payload } => {
            variant(of.as_ref(), &name.name, payload.as_deref().map(expr))
        }
        ExprKind::List(elements) => format!("[{}]", elements.iter().map(expr).collect::<Vec<_>>().join(" ")),
        ExprKind::Record { name, fields } => format!("({}{})", name.name, inits(fields)),
        ExprKind::Anonymous(fields) => format!("({{}}{})", inits(fields)),
        ExprKind::Block(inner) => format!("{{{}}}", block(inner)),
        ExprKind::Call(call) => {
            let wanted = call.wanted.as_ref().map(|wanted| format!(" as {}", ty(wanted))).unwrap_or_default();
            format!(
                "(call {}{}{wanted}{})",
                call.target.dotted(),
                args(&call.args),
                policy(call.policy.as_ref())
            )
        }
        ExprKind::Run(run) => format!("(run {}{})", run.plan.dotted(), args(&run.args)),
        ExprKind::Try(inner) => format!("(try {})", expr(inner)),
        ExprKind::For(it) => {
            let name = it.binder.name().map_or("_", |name| &name.name);
            format!("(for {name} {}{} {{{}}})", expr(&it.list), policy(it.policy.as_ref()), block(&it.body))
        }
        ExprKind::If(it) => {
            let branches = it.branches.iter().map(|b| format!(" {} {{{}}}", expr(&b.cond), block(&b.then)));
            let otherwise =
                it.otherwise.as_ref().map(|b| format!(" else {{{}}}", block(b))).unwrap_or_default();
            format!("(if{}{otherwise})", branches.collect::<String>())
        }
        ExprKind::Match(it) => {
            let arms = it.arms.iter().map(|arm| format!(" ({} {})", pattern(&arm.pattern), expr(&arm.body)));
            format!("(match {}{})", expr(&it.value), arms.collect::<String>())
        }
        ExprKind::Lambda { params, body } => {
            let names: Vec<&str> = params.iter().map(|p| p.name().map_or("_", |name| &name.name)).collect();
            format!("(\\{} {})", names.join(","), expr(body))
        }
        ExprKind::Unary { op, operand, .. } => format!("({}{})", op.symbol(), expr(operand)),
        ExprKind::Binary { op, left, right, .. } => {
            format!("({} {} {})", op.symbol(), expr(left), expr(right))
        }
        ExprKind::Apply { function, args: list } => format!("({}{})", function.name, args(list)),
        ExprKind::Method { receiver, method, args: list, optional } => {
            format!("({}{}{}{})", expr(receiver), if *optional { "?." } else { "." }, method.name, args(list))
        }
        ExprKind::Field { base, field, optional } => {
            format!("{}{}{}", expr(base), if *optional { "?." } else { "." }, field.name)
        }
        ExprKind::Index { base, index } => format!("{}[{}]", expr(base), expr(index)),
        ExprKind::Cast { value, ty: to } => format!("({} as {})", expr(value), ty(to)),
        ExprKind::Decode { value, ty: to, optional } => {
            format!("({}{}decode {})", expr(value), if *optional { "?." } else { "." }, ty(to))
        }
    }
}

#[test]
fn operators_group_by_precedence_and_to_the_left() {
    assert_eq!(body("a + b * c - d % e"), "(- (+ a (* b c)) (% d e))");
    assert_eq!(body("a || b && c == d ?? e + f"), "(|| a (&& b (== c (?? d (+ e f)))))");
    assert_eq!(body("a - b - c"), "(- (- a b) c)");
    assert_eq!(body("(a < b) == (c < d)"), "(== (< a b) (< c d))");
    assert_eq!(body("!a.b[0] as Bool"), "(!(a.b[0] as Bool))");
    assert_eq!(body("-x - -1 - -9223372036854775808"), "(- (- (-x) -1) -9223372036854775808)");
    assert_eq!(body("- -1.abs()"), "(-(-(1.abs)))");
    assert_eq!(body("x as Int? ?? 3 < 5"), "(< (?? (x as Int?) 3) 5)");
    assert_eq!(body("x as Page?.url"), "(x as Page)?.url");
}

#[test]
fn case_tells_variants_from_values() {
    assert_eq!(body("Stance.Ahead == stance.Ahead"), "(== #Stance.Ahead stance.Ahead)");
    assert_eq!(body("[Ok(1), Kind.Bad(\"x\"), Null]"), "[(#Ok 1) (#Kind.Bad <\"x\">) #Null]");
    assert_eq!(body("r.isAI.URL"), "r.isAI.URL");
    assert_eq!(
        body(
            "match x { Err(NoQuorum(votes)) => 1, Stance.Ahead => 2, other => 3, -4s => 4, \"a\\n\" => 5, _ => 6 }"
        ),
        "(match x ((#Err (#NoQuorum votes)) 1) (#Stance.Ahead 2) (other 3) (-4000000us 4) (\"a\\n\" 5) (_ 6))"
    );
}

#[test]
fn calls_methods_and_casts() {
    assert_eq!(
        body(
            "call sn22.generate(prompt: p, url) as [Claim](..8) with model { accept: c => c.ok, retry: { max: 1 } }"
        ),
        "(call sn22.generate prompt=p url as [Claim](..8) (with model accept=(\\c c.ok) retry=(max=1)))"
    );
    assert_eq!(body("try run p(1, [])"), "(try (run p 1 []))");
    assert_eq!(body("xs.filter(h => f(h, 2)).take(4)[0].url"), "((xs.filter (\\h (f h 2))).take 4)[0].url");
    assert_eq!(body("x?.trim()?.len ?? 0"), "(?? (x?.trim)?.len 0)");
    assert_eq!(body("xs.decode() as [T](..3)"), "(xs.decode [T](..3))");
    assert_eq!(
        body("xs.decode(1).fold(0, (a, _) => { let b = a; b })"),
        "((xs.decode 1).fold 0 (\\a,_ {(let b a); b}))"
    );
    assert_eq!(
        body("for _ in xs with { tolerate: 12.5%, on_error: keep, budget: 0.5TAO } { spent() }"),
        "(for _ xs (with tolerate=1250%% on_error=keep budget=500000000rao) {(spent)})"
    );
}

#[test]
fn records_and_blocks() {
    assert_eq!(body("Hit { url, `e-mail`: 1, in: 2 }"), "(Hit url=url e-mail=1 in=2)");
    assert_eq!(body("f({ query, \"a b\": null })"), "(f ({} query=query a b=null))");
    assert_eq!(
        body(
            "let x: [Int](1..)? = 1; ensure x > 0 else \"no {x}\"; if a { b } ; if a { 1 } else if b { 2 } else { 3 }"
        ),
        "(let x: [Int](1..)? 1); (ensure (> x 0) <\"no \" x>); (do (if a {b})); (if a {1} else {3})"
            .replace("(if a {1} else {3})", "(if a {1} b {2} else {3})")
    );
    // An `if` without `else` is a statement, also at the end.
    assert_eq!(body("if a { b }"), "(do (if a {b}))");
    assert_eq!(body("return x"), "x");
    assert_eq!(
        body("x as Result<Voted<{String: Float(-1..0.5)}>, E>"),
        "(x as Result<Voted<{String: Float(-1..0.5)}>, E>)"
    );
}

#[test]
fn texts_are_unescaped_and_dedented() {
    assert_eq!(body(r#""a\n\"\\\{\}\u{1F600}\t{x}{y}b""#), "<\"a\\n\\\"\\\\{}\u{1F600}\\t\" x y \"b\">");
    assert_eq!(body("\"\""), "<>");
    assert_eq!(body("\"\"\"\n    a\n      {b}\n\n    {c}\n    \"\"\""), "<\"a\\n  \" b \"\\n\\n\" c>");
    assert_eq!(body("\"\"\"\n  a\n  b\n \"\"\""), "<\"a\\nb\">");
    assert_eq!(body("\"\"\"a\n   b\n  c\"\"\""), "<\"a\\n b\\nc\">");
    assert_eq!(body("\"\"\"\r\n  a\r\n    b\r\n  \"\"\""), "<\"a\\n  b\">");
    assert_eq!(body("\"\"\"\n  \\n a\n \"\"\""), "<\"\\n a\">");
    assert_eq!(body("\"\"\" \"x\" \"\"\""), "<\" \\\"x\\\" \">");
}

#[test]
fn declarations_carry_docs_defaults_and_names() {
    let text = "edition 2026\n/// One.\n///\n///   Two.\ncapability c(/// Why.\n a: Int = 3) -> _\nuse sn22 { a as b, C }\n\
                enum E { A, /// x\n B([Int]) }\nadapter sn22.a as c { request = { a }; response = r => r }\n";
    let parse = parse(text);
    assert_eq!(parse.diagnostics(), []);
    assert_eq!(parse.ast().edition, Edition::E2026);
    let [
        Item::Edition(edition),
        Item::Capability(capability),
        Item::Use(imports),
        Item::Enum(choice),
        Item::Adapter(adapter),
    ] = parse.ast().items.as_slice()
    else {
        panic!("{:?}", parse.ast().items)
    };
    assert_eq!(edition.year, Some(2026));
    assert_eq!(capability.docs.as_deref(), Some("One.\n\n  Two."));
    assert!(matches!(capability.output, plan_lang::ast::CapabilityOutput::Wanted(_)));
    assert_eq!(capability.params[0].docs.as_deref(), Some("Why."));
    assert_eq!(expr(capability.params[0].default.as_ref().unwrap()), "3");
    let locals: Vec<_> = imports.imports.iter().map(|import| import.local().name.as_str()).collect();
    assert_eq!(locals, ["b", "C"]);
    assert_eq!(choice.variants[1].docs.as_deref(), Some("x"));
    assert_eq!(ty(choice.variants[1].payload.as_ref().unwrap()), "[Int]");
    assert_eq!(adapter.operation.dotted(), "sn22.a");
    let members: Vec<_> =
        adapter.members.iter().map(|m| format!("{}={}", m.name.name, expr(&m.value))).collect();
    assert_eq!(members, ["request=({} a=a)", "response=(\\r r)"]);
}

#[test]
fn tests_have_statements_of_their_own() {
    fn value(it: &MockValue) -> String {
        match &it.kind {
            MockValueKind::Fails { error, args: list } => format!("fails {}{}", error.name, args(list)),
            MockValueKind::After { delay_us, value: inner } => format!("after {delay_us} {}", value(inner)),
            MockValueKind::Sequence(values) => {
                format!("[{}]", values.iter().map(value).collect::<Vec<_>>().join(", "))
            }
            MockValueKind::Value(it) => expr(it),
        }
    }
    let parse = parse(
        "test \"a\" {\n mock sn1.f => sequence [after 5s 1, fails invalid(\"$.x\"), { a: 2 }]\n let r = run p()\n \
         expect fails run p(x: 1) with \"no\"\n assert cost == 1rao\n}\n",
    );
    assert_eq!(parse.diagnostics(), []);
    let [Item::Test(test)] = parse.ast().items.as_slice() else { panic!("no test") };
    assert_eq!(test.name.value, "a");
    let [TestStmt::Mock(mock), TestStmt::Stmt(run), TestStmt::ExpectFails(expect), TestStmt::Assert(cond)] =
        test.body.as_slice()
    else {
        panic!("{:?}", test.body)
    };
    assert_eq!(mock.target.dotted(), "sn1.f");
    assert_eq!(value(&mock.value), "[after 5000000 1, fails invalid <\"$.x\">, ({} a=2)]");
    assert_eq!(stmt(run), "(let r (run p))");
    assert_eq!(expect.message.as_ref().unwrap().as_text(), Some("no"));
    assert_eq!(expr(cond), "(== cost 1rao)");
}

#[test]
fn spans_point_at_what_they_are_about() {
    let text = "record R {\n  /// d\n  a: Int(0..9)? ,\n}\nplan p(x: R) -> R { R { a: (1 + x.a), } }\n";
    let parse = parse(text);
    let [Item::Record(record), Item::Plan(plan)] = parse.ast().items.as_slice() else { panic!("two items") };
    assert_eq!(record.fields[0].span.text(text), "/// d\n  a: Int(0..9)?");
    assert_eq!(record.fields[0].ty.span.text(text), "Int(0..9)?");
    let value = plan.body.value.as_deref().unwrap();
    let ExprKind::Record { fields, .. } = &value.kind else { panic!("no record") };
    assert_eq!(fields[0].span.text(text), "a: (1 + x.a)");
    assert_eq!(fields[0].value.span.text(text), "(1 + x.a)");
    let ExprKind::Binary { op_span, right, .. } = &fields[0].value.kind else { panic!("no sum") };
    assert_eq!((op_span.text(text), right.span.text(text)), ("+", "x.a"));
}

#[test]
fn one_mistake_leaves_the_rest_of_the_ast() {
    let parse =
        parse("plan p() -> Int {\n  let a = 1 +\n  let b = call f(\n  let = 3\n  a\n}\nfn f() -> = 2\n");
    let [Item::Plan(plan), Item::Fn(function)] = parse.ast().items.as_slice() else { panic!("two items") };
    assert_eq!(block(&plan.body), "(let a (+ 1 error)); (let b (call f)); (let  3); a");
    assert!(matches!(&plan.body.stmts[2], Stmt::Let(it) if it.name.is_missing()));
    assert_eq!(ty(&function.output), "error");
    assert_eq!(parse.diagnostics().len(), 4);
}

#[test]
fn tokens_are_found_at_a_cursor() {
    let root = parse("fn f() -> Int = 1 // c\n").syntax();
    let at = |offset: u32| {
        let (left, right) = root.tokens_at(offset);
        (left.map(|t| t.text().to_owned()), right.map(|t| t.text().to_owned()))
    };
    let pair = |left: &str, right: &str| (Some(left.to_owned()), Some(right.to_owned()));
    assert_eq!(at(0), (None, Some("fn".to_owned())));
    assert_eq!(at(1), pair("fn", "fn"));
    assert_eq!(at(4), pair("f", "("));
    assert_eq!(at(23), (Some("\n".to_owned()), None));
    assert_eq!(at(99), (None, None));
}
