//! The int passes keep what random functions compute: results are exact, exits happen with the right
//! slots and no earlier than before.

#[path = "int_passes/generator.rs"]
mod generator;
#[path = "int_passes/interpreter.rs"]
mod interpreter;

use _castiron::analysis::ranges::Ranges;
use _castiron::analysis::ranges::interval::Interval;
use _castiron::analysis::ranges::transfer::exact_result;
use _castiron::ir::Cmp;
use _castiron::ir::Function;
use _castiron::ir::Imm;
use _castiron::ir::Op;
use _castiron::ir::Signature;
use _castiron::ir::Unit;
use _castiron::ir::UnitFunction;
use _castiron::ir::verify::Version;
use _castiron::ir::verify::verify;
use _castiron::passes::demand::drop_checks_below_masks;
use _castiron::passes::guards::remove_guards;
use _castiron::passes::overflow::eliminate_overflow_checks;
use _castiron::passes::rotate::rotate_loops;
use _castiron::passes::simplify::simplify;
use _castiron::passes::simplify::simplify_after_ranges;
use _castiron::types;
use interpreter::End;
use interpreter::Mode;
use interpreter::run;

const FUNCTIONS: u64 = 2_000;
const RUNS: usize = 24;

fn unit() -> Unit {
    let signature = Signature { params: vec![types::Type::Int; 3], result: types::Type::Int };
    let name = "random".to_owned();
    let function = UnitFunction {
        name,
        signature,
        keyword_only: 0,
        names: Vec::new(),
        variables: Vec::new(),
        nested: Vec::new(),
        free: Vec::new(),
        promised: true,
        checked_first: false,
        checked_classes: Vec::new(),
        gains: true,
        generic: None,
        specialised: None,
    };
    Unit { functions: vec![function], ..Unit::default() }
}

fn count(func: &Function, op: impl Fn(Op) -> bool) -> usize {
    let insts = func.layout.iter().flat_map(|&block| &func.block(block).insts);
    insts.filter(|&&inst| op(func.inst(inst).op)).count()
}

fn text(func: &Function) -> String {
    func.display(&unit()).to_string()
}

fn check(before: &Function, after: &Function, arguments: &[i64]) {
    let exact = run(before, Mode::Exact, arguments);
    let machine = run(after, Mode::Machine, arguments);
    let context = || {
        format!(
            "{arguments:?}\nbefore {:?}, after {:?}\n{}\n{}",
            exact.end,
            machine.end,
            text(before),
            text(after)
        )
    };
    match (&exact.end, &machine.end) {
        (End::Beyond, _) | (_, End::Beyond) => {}
        (_, End::Exit(event)) => {
            let at = exact.events.iter().rposition(|reached| reached == event);
            let at = at.unwrap_or_else(|| panic!("an exit with other slots: {}", context()));
            assert!(at >= exact.kept.min(exact.events.len() - 1), "an exit too early: {}", context());
        }
        (End::Return(expected), End::Return(found)) => assert_eq!(expected, found, "{}", context()),
        (End::Exit(_), End::Return(_)) => panic!("the exit is gone: {}", context()),
    }
}

#[test]
fn random_functions_keep_their_meaning() {
    let unit = unit();
    let (mut checked_before, mut checked_after) = (0, 0);
    for seed in 1..=FUNCTIONS {
        let before = generator::function(seed);
        verify(&unit, &before, Version::Specialised).unwrap_or_else(|error| panic!("generator: {error}"));
        let mut after = before.clone();
        if seed % 4 != 0 {
            drop_checks_below_masks(&mut after);
            verify(&unit, &after, Version::Specialised)
                .unwrap_or_else(|error| panic!("demand, seed {seed}: {error}"));
        }
        for _ in 0..1 + seed % 2 {
            let ranges = Ranges::of(&after);
            eliminate_overflow_checks(&mut after, &ranges);
            verify(&unit, &after, Version::Specialised)
                .unwrap_or_else(|error| panic!("overflow, seed {seed}: {error}"));
        }
        checked_before += count(&before, Op::exits);
        checked_after += count(&after, Op::exits);
        let mut random = generator::Random::new(seed + 1_000_000);
        for _ in 0..RUNS {
            let arguments = [random.int(), random.int(), random.int()];
            check(&before, &after, &arguments);
        }
    }
    assert!(
        checked_after * 3 < checked_before * 2,
        "too few checks went: {checked_after} of {checked_before} are left"
    );
}

type Pass = fn(&mut Function);

#[test]
fn random_functions_keep_their_meaning_in_another_shape() {
    keep_their_meaning(&[
        ("simplify", simplify),
        ("rotate", rotate_loops),
        ("simplify again", simplify),
        ("guards", remove_guards),
    ]);
}

#[test]
fn random_functions_keep_their_meaning_through_all_passes() {
    keep_their_meaning(&[
        ("simplify", simplify),
        ("demand", drop_checks_below_masks),
        ("ranges", |func| eliminate_overflow_checks(func, &Ranges::of(func))),
        ("rotate", rotate_loops),
        ("simplify again", simplify_after_ranges),
        ("guards", remove_guards),
    ]);
}

/// Runs most of the passes, in order, over each function.
fn keep_their_meaning(passes: &[(&str, Pass)]) {
    let unit = unit();
    for seed in 1..=FUNCTIONS {
        let before = generator::function(seed);
        let mut after = before.clone();
        for (number, (name, pass)) in passes.iter().enumerate() {
            if (seed + 1) % (passes.len() as u64 + 1) == number as u64 {
                continue;
            }
            pass(&mut after);
            verify(&unit, &after, Version::Specialised)
                .unwrap_or_else(|error| panic!("{name}, seed {seed}: {error}\n{}", text(&before)));
        }
        let mut random = generator::Random::new(seed + 2_000_000);
        for _ in 0..RUNS {
            let arguments = [random.int(), random.int(), random.int()];
            check(&before, &after, &arguments);
        }
    }
}

/// Intervals whose bounds lie near zero.
fn small_intervals() -> Vec<Interval> {
    let bounds = [-9, -8, -3, -1, 0, 1, 2, 5, 7, 8];
    let pairs = bounds.iter().flat_map(|&min| bounds.iter().map(move |&max| (min, max)));
    pairs.filter(|(min, max)| min <= max).map(|(min, max)| Interval::new(min, max)).collect()
}

#[test]
fn intervals_cover_every_result() {
    let ops = [
        Op::IntAddChecked,
        Op::IntSubChecked,
        Op::IntMulChecked,
        Op::IntShlChecked,
        Op::IntShrChecked,
        Op::IntAnd,
        Op::IntFloorDivChecked,
        Op::IntModChecked,
        Op::IntPowChecked,
        Op::IntOr,
        Op::IntXor,
        Op::IntMin,
        Op::IntMax,
    ];
    for a in small_intervals() {
        for b in small_intervals() {
            for op in ops {
                let covered = exact_result(op, Imm::None, &[a, b]).expect("it is an int op");
                for (x, y) in (a.min..=a.max).flat_map(|x| (b.min..=b.max).map(move |y| (x, y))) {
                    if let Some(result) = interpreter::exact(op, Imm::None, &[x, y]) {
                        assert!(
                            covered.contains(result),
                            "{op:?} of {x} in {a:?} and {y} in {b:?}: {result} in {covered:?}"
                        );
                    }
                }
            }
            for &cmp in Cmp::ALL {
                let covered = a.compare(cmp, b);
                let kept = a.where_holds(cmp, b);
                for (x, y) in (a.min..=a.max).flat_map(|x| (b.min..=b.max).map(move |y| (x, y))) {
                    let holds =
                        interpreter::exact(Op::IntCompare, Imm::Cmp(cmp), &[x, y]).expect("it is pure");
                    assert!(covered.contains(holds) && (holds == 0 || kept.contains(x)), "{x} {cmp:?} {y}");
                }
            }
        }
    }
}
