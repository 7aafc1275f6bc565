//! Reference counts and liveness on random functions of objects: every path balances, the slots of
//! resume points are what the definition says and outlast the refcount pass; large functions are no trouble.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;
use std::time::Instant;

use _castiron::analysis::liveness::Liveness;
use _castiron::ir::Block;
use _castiron::ir::Function;
use _castiron::ir::Inst;
use _castiron::ir::Op;
use _castiron::ir::Unit;
use _castiron::ir::Value;
use _castiron::ir::cfg::Cfg;
use _castiron::ir::parse;
use _castiron::ir::verify::Version;
use _castiron::passes;
use _castiron::passes::Counts;
use _castiron::passes::guards::remove_guards;
use _castiron::passes::refcount::insert_counts;
use _castiron::passes::rotate::rotate_loops;
use _castiron::passes::simplify::simplify;

const FUNCTIONS: u64 = 3_000;

/// Xorshift: the same programs for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("below a usize")
    }
}

/// Writes the text of a function over some variables, all of which every join and loop passes on.
struct Writer {
    random: Random,
    version: Version,
    text: String,
    values: usize,
    blocks: usize,
    params: String,
}

const VARIABLES: usize = 4;

impl Writer {
    fn function(seed: u64, version: Version) -> String {
        let random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut writer = Writer {
            random,
            version,
            text: String::new(),
            values: VARIABLES,
            blocks: 1,
            params: String::new(),
        };
        let mut variables: Vec<usize> = (0..VARIABLES).collect();
        writer.params = join(&variables, "");
        let kind = if version == Version::Generic { "generic" } else { "specialised" };
        let typed = join(&variables, ": obj");
        let head = format!(
            "fn0 \"f\" (object, object, object, object) -> object\n{kind} fn0 \"f\" -> obj:\nb0({typed}):\n"
        );
        writer.text = head;
        if writer.statements(&mut variables, 3) {
            writer.leave(&variables);
        }
        writer.text
    }

    fn line(&mut self, line: &str) {
        writeln!(self.text, "    {line}").expect("writing to a string succeeds");
    }

    fn value(&mut self) -> usize {
        self.values += 1;
        self.values - 1
    }

    fn block(&mut self) -> usize {
        self.blocks += 1;
        self.blocks - 1
    }

    /// An operation on two values; its result.
    fn operation(&mut self, variables: &[usize]) -> usize {
        let pick = |random: &mut Random| variables[random.below(variables.len())];
        let (a, b) = (pick(&mut self.random), pick(&mut self.random));
        let result = self.value();
        let op = match self.random.below(5) {
            0 => "object.constant \"c\"".to_owned(),
            1 => format!("object.tuple v{a}, v{b}, v{a}"),
            2 if self.version == Version::Specialised => {
                self.line(&format!("guard.none v{a} exit [fn0@entry ({})]", self.params));
                format!("object.attr \"x\" v{b}")
            }
            _ => format!("object.binary add v{a}, v{b}"),
        };
        self.line(&format!("v{result} = {op}"));
        result
    }

    fn condition(&mut self, variables: &[usize]) -> usize {
        let operand = variables[self.random.below(variables.len())];
        let truth = self.value();
        self.line(&format!("v{truth} = object.truth v{operand}"));
        truth
    }

    /// Returns whether control reaches the end.
    fn statements(&mut self, variables: &mut [usize], depth: usize) -> bool {
        for _ in 0..1 + self.random.below(5) {
            match self.random.below(if depth == 0 { 4 } else { 7 }) {
                0..=2 => self.assignment(variables),
                3 => {
                    let one = self.random.below(VARIABLES);
                    variables[one] = variables[self.random.below(VARIABLES)];
                }
                4 => self.choice(variables, depth - 1),
                5 => self.turns(variables, depth - 1),
                _ if self.random.below(4) == 0 => {
                    self.leave(variables);
                    return false;
                }
                _ => {}
            }
        }
        true
    }

    fn assignment(&mut self, variables: &mut [usize]) {
        let mut result = self.operation(variables);
        if self.random.below(3) == 0 {
            let mut with_temporary = variables.to_vec();
            with_temporary.push(result);
            result = self.operation(&with_temporary);
        }
        let variable = self.random.below(VARIABLES);
        let old = std::mem::replace(&mut variables[variable], result);
        self.line(&format!("object.release v{old}"));
    }

    fn choice(&mut self, variables: &mut [usize], depth: usize) {
        let truth = self.condition(variables);
        let (then, other, end) = (self.block(), self.block(), self.block());
        self.line(&format!("control.branch v{truth} -> b{then}, b{other}"));
        let mut reached = false;
        for side in [then, other] {
            writeln!(self.text, "b{side}:").expect("writing to a string succeeds");
            let mut inner = variables.to_vec();
            if self.statements(&mut inner, depth) {
                self.line(&format!("control.jump -> b{end}({})", join(&inner, "")));
                reached = true;
            }
        }
        if !reached {
            // What follows needs a way in.
            let (before, after) = self.text.split_at(self.text.rfind("    control.").unwrap_or(0));
            let _ = after;
            self.text = format!("{before}    control.jump -> b{end}({})\n", join(variables, ""));
        }
        self.begin(end, variables);
    }

    fn begin(&mut self, block: usize, variables: &mut [usize]) {
        variables.iter_mut().for_each(|variable| *variable = self.value());
        let typed = join(variables, ": obj");
        writeln!(self.text, "b{block}({typed}):").expect("writing to a string succeeds");
    }

    fn turns(&mut self, variables: &mut [usize], depth: usize) {
        let (header, body, end) = (self.block(), self.block(), self.block());
        self.line(&format!("control.jump -> b{header}({})", join(variables, "")));
        self.begin(header, variables);
        let truth = self.condition(variables);
        self.line(&format!("control.branch v{truth} -> b{body}, b{end}"));
        writeln!(self.text, "b{body}:").expect("writing to a string succeeds");
        let mut inner = variables.to_vec();
        if self.statements(&mut inner, depth) {
            self.line("control.poll");
            self.line(&format!("control.jump -> b{header}({})", join(&inner, "")));
        }
        writeln!(self.text, "b{end}:").expect("writing to a string succeeds");
    }

    fn leave(&mut self, variables: &[usize]) {
        let result = variables[self.random.below(VARIABLES)];
        if self.random.below(4) == 0 {
            return self.line(&format!("control.raise v{result}"));
        }
        for variable in variables {
            self.line(&format!("object.release v{variable}"));
        }
        self.line(&format!("control.ret v{result}"));
    }
}

fn join(values: &[usize], ending: &str) -> String {
    values.iter().map(|value| format!("v{value}{ending}")).collect::<Vec<_>>().join(", ")
}

fn version_of(unit: &mut Unit, version: Version) -> &mut Function {
    let function = &mut unit.functions[0];
    let func = match version {
        Version::Generic => &mut function.generic,
        Version::Specialised => &mut function.specialised,
    };
    func.as_mut().expect("the text has this version")
}

/// The values live before each instruction, by the textbook.
fn live_before_each(func: &Function) -> Vec<(Inst, BTreeSet<Value>)> {
    let cfg = Cfg::of(func);
    let mut at_start: Vec<BTreeSet<Value>> = vec![BTreeSet::new(); func.blocks.len()];
    loop {
        let mut found = Vec::new();
        let mut changed = false;
        for &block in cfg.reverse_postorder().iter().rev() {
            let live = walk_back(func, block, &at_start, &mut found);
            changed |= at_start[block.index()] != live;
            at_start[block.index()] = live;
        }
        if !changed {
            return found;
        }
    }
}

fn walk_back(
    func: &Function,
    block: Block,
    at_start: &[BTreeSet<Value>],
    found: &mut Vec<(Inst, BTreeSet<Value>)>,
) -> BTreeSet<Value> {
    let mut live: BTreeSet<Value> = BTreeSet::new();
    for next in func.successors(block) {
        let params = &func.block(next).params;
        live.extend(at_start[next.index()].iter().filter(|value| !params.contains(value)));
    }
    for &inst in func.block(block).insts.iter().rev() {
        let data = func.inst(inst);
        data.results.iter().for_each(|result| {
            live.remove(result);
        });
        if !matches!(data.op, Op::IncRef | Op::DecRef) {
            func.visit_uses(inst, |value| {
                live.insert(value);
            });
        }
        found.push((inst, live.clone()));
    }
    live
}

#[test]
fn random_functions_balance() {
    for seed in 1..=FUNCTIONS {
        let version = if seed % 2 == 0 { Version::Generic } else { Version::Specialised };
        let text = Writer::function(seed, version);
        let mut unit = parse::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        if let Err(error) =
            passes::verify(&unit, version_of(&mut unit.clone(), version), version, Counts::Absent)
        {
            panic!("the generator, seed {seed}: {error}");
        }
        let func = version_of(&mut unit, version);
        if version == Version::Specialised && seed % 3 == 0 {
            rotate_loops(func);
            simplify(func);
        }
        let slots = live_before_each(func);
        let before = Liveness::of(func);
        for (inst, live) in &slots {
            let expected: Vec<Value> = live.iter().copied().collect();
            assert_eq!(before.live_before(func, *inst), expected, "{inst}, seed {seed}\n{text}");
        }
        let original = func.clone();
        insert_counts(func, version);
        let after = Liveness::of(func);
        if version == Version::Generic {
            for (inst, _) in slots {
                assert_eq!(
                    after.live_before(func, inst),
                    before.live_before(&original, inst),
                    "{inst}, seed {seed}"
                );
                assert_eq!(
                    after.live_after(func, inst),
                    before.live_after(&original, inst),
                    "{inst}, seed {seed}"
                );
            }
        }
        let func = func.clone();
        if let Err(error) = passes::verify(&unit, &func, version, Counts::Present) {
            panic!("seed {seed}: {error}\nbefore\n{text}");
        }
    }
}

/// A function with this many statements, each an addition, a test and a join.
fn large(statements: usize, version: &str) -> String {
    let mut text = format!(
        "fn0 \"f\" (object, object) -> object\n{version} fn0 \"f\" -> obj:\nb0(v0: obj, v1: obj):\n    control.jump -> b1(v0)\n"
    );
    let mut value = 2;
    for number in 0..statements {
        let block = 1 + 2 * number;
        write!(
            text,
            "b{block}(v{value}: obj):\n    v{} = object.binary add v{value}, v1\n    v{} = object.truth v{}\n    \
             object.release v{value}\n    control.branch v{} -> b{}, b{}(v{})\nb{}:\n    control.poll\n    \
             control.jump -> b{}(v{})\n",
            value + 1,
            value + 2,
            value + 1,
            value + 2,
            block + 1,
            block + 2,
            value + 1,
            block + 1,
            block + 2,
            value + 1
        )
        .expect("writing to a string succeeds");
        value += 3;
    }
    write!(
        text,
        "b{}(v{value}: obj):\n    object.release v1\n    control.ret v{value}\n",
        1 + 2 * statements
    )
    .expect("writing to a string succeeds");
    text
}

#[test]
fn large_functions_are_no_trouble() {
    let start = Instant::now();
    let mut unit = parse::parse(&large(35_000, "generic")).expect("it is IR");
    let func = version_of(&mut unit, Version::Generic);
    let liveness = Liveness::of(func);
    for &block in &func.layout {
        for &inst in &func.block(block).insts {
            assert!(liveness.live_before(func, inst).len() <= 4);
        }
    }
    insert_counts(func, Version::Generic);
    let func = func.clone();
    passes::verify(&unit, &func, Version::Generic, Counts::Present).expect("it balances");

    let mut unit = parse::parse(&large(35_000, "specialised")).expect("it is IR");
    let func = version_of(&mut unit, Version::Specialised);
    simplify(func);
    rotate_loops(func);
    remove_guards(func);
    insert_counts(func, Version::Specialised);
    let func = func.clone();
    passes::verify(&unit, &func, Version::Specialised, Counts::Present).expect("it balances");
    // Seconds at worst; what is quadratic takes hours here.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
