//! Where code lies in memory. Alone in its process: another test's code may be given the same address.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../native/common.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod common;

use plan_ir::interp::Meter;

use common::{Arguments, ints, plan};

/// Mappings of this process: start, end, permissions.
fn mappings() -> Vec<(usize, usize, String)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = |line: &str| {
        let (range, rest) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let number = |text| usize::from_str_radix(text, 16).unwrap();
        (number(start), number(end), rest.split(' ').next().unwrap().to_owned())
    };
    maps.lines().map(line).collect()
}

#[test]
fn code_can_be_executed_and_not_written_and_nothing_else_can_be_both() {
    let plan = plan("plan p(xs: [Int]) -> [Int] { xs.map(x => x + 1) }");
    let native = plan.native();
    let address = native.code_address(&plan.fragment).unwrap();
    let all = mappings();
    let holds = |(start, end, _): &&(usize, usize, String)| (*start..*end).contains(&address);
    let (.., permissions) = all.iter().find(holds).unwrap();
    assert_eq!(permissions, "r-xp");
    let both: Vec<_> = all.iter().filter(|(.., flags)| flags.contains('w') && flags.contains('x')).collect();
    assert!(both.is_empty(), "writable and executable: {both:?}");
    let args = Arguments(vec![ints(&[1])]);
    assert_eq!(native.eval(&plan.fragment, &[], &args, &mut Meter::default()), Ok(ints(&[2])));
    drop(native);
    let still = mappings();
    let code = still.iter().find(holds);
    assert!(code.is_none_or(|(.., flags)| !flags.contains('x')), "code outlives its plan: {code:?}");
}
