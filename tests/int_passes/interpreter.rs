//! Runs CIR of ints and truth values, exactly or as machine code would.

use _castiron::ir::Block;
use _castiron::ir::Cmp;
use _castiron::ir::Function;
use _castiron::ir::Imm;
use _castiron::ir::Inst;
use _castiron::ir::Op;
use _castiron::ir::Point;
use _castiron::ir::Slot;
use _castiron::ir::Value;

/// Instructions that one run may take.
const FUEL: usize = 3_000;

/// Where a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It returned this.
    Return(i128),
    /// It left, or raised, at the point of this event.
    Exit(Event),
    /// It takes too long, or numbers that an `i128` does not hold.
    Beyond,
}

/// A moment at which an op could leave: its point in the generic version and the slots' values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The generic instruction.
    pub(crate) point: Point,
    /// What the slots hold.
    pub(crate) slots: Vec<i128>,
}

/// How ints behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As in Python: nothing leaves because of its size.
    Exact,
    /// As in machine code.
    Machine,
}

/// A finished run.
pub(crate) struct Run {
    /// How it ended.
    pub(crate) end: End,
    /// Every op with an exit state that was reached, in order.
    pub(crate) events: Vec<Event>,
    /// How many of those came before the first one that machine code would have taken.
    pub(crate) kept: usize,
}

struct Machine<'f> {
    func: &'f Function,
    mode: Mode,
    values: Vec<i128>,
}

/// What an instruction did.
enum Effect {
    Results(i128),
    Nothing,
    Leaves,
    Beyond,
}

fn fits(value: i128) -> bool {
    i64::try_from(value).is_ok()
}

/// Runs the function.
pub(crate) fn run(func: &Function, mode: Mode, arguments: &[i64]) -> Run {
    let mut machine = Machine { func, mode, values: vec![0; func.values.len()] };
    for (&param, &argument) in func.params().iter().zip(arguments) {
        machine.values[param.index()] = i128::from(argument);
    }
    machine.run()
}

impl Machine<'_> {
    fn get(&self, value: Value) -> i128 {
        self.values[value.index()]
    }

    fn run(&mut self) -> Run {
        let mut run = Run { end: End::Beyond, events: Vec::new(), kept: usize::MAX };
        let mut block = self.func.entry();
        let mut fuel = FUEL;
        loop {
            for position in 0..self.func.block(block).insts.len() {
                let inst = self.func.block(block).insts[position];
                let Some(left) = fuel.checked_sub(1) else {
                    return run;
                };
                fuel = left;
                if let Some(end) = self.step(inst, &mut run) {
                    run.end = end;
                    return run;
                }
            }
            block = self.jump(block);
        }
    }

    fn event(&self, inst: Inst) -> Option<Event> {
        let state = self.func.exit(self.func.inst(inst).exit?);
        let frame = &state.frames[0];
        let slots = frame.slots.iter().map(|slot| match slot {
            Slot::Value(value) => self.get(*value),
            other => panic!("the generator makes no {other:?}"),
        });
        Some(Event { point: frame.point, slots: slots.collect() })
    }

    fn step(&mut self, inst: Inst, run: &mut Run) -> Option<End> {
        let event = self.event(inst);
        let data = self.func.inst(inst);
        if let Some(event) = &event {
            run.events.push(event.clone());
        }
        if data.op == Op::Return {
            return Some(End::Return(self.get(data.args[0])));
        }
        match self.effect(inst) {
            Effect::Results(value) => {
                if event.is_some() && !fits(value) {
                    run.kept = run.kept.min(run.events.len() - 1);
                    if self.mode == Mode::Machine {
                        return event.map(End::Exit);
                    }
                }
                assert!(self.mode == Mode::Exact || fits(value), "{:?} gave {value}", data.op);
                self.values[data.results[0].index()] = value;
            }
            Effect::Nothing => {}
            Effect::Leaves => {
                run.kept = run.kept.min(run.events.len() - 1);
                return Some(End::Exit(event.expect("what leaves has an exit state")));
            }
            Effect::Beyond if self.mode == Mode::Machine => return event.map(End::Exit),
            Effect::Beyond => return Some(End::Beyond),
        }
        None
    }

    fn jump(&mut self, block: Block) -> Block {
        let data = self.func.inst(self.func.terminator(block));
        let taken = usize::from(data.op == Op::Branch && self.get(data.args[0]) == 0);
        let target = &data.targets[taken];
        let passed: Vec<i128> = target.args.iter().map(|&arg| self.get(arg)).collect();
        for (&param, value) in self.func.block(target.block).params.iter().zip(passed) {
            self.values[param.index()] = value;
        }
        target.block
    }

    fn effect(&self, inst: Inst) -> Effect {
        let data = self.func.inst(inst);
        let args: Vec<i128> = data.args.iter().map(|&arg| self.get(arg)).collect();
        effect(data.op, data.imm, &args)
    }
}

/// The op's exact result; none where it raises or gives too much.
pub(crate) fn exact(op: Op, imm: Imm, args: &[i128]) -> Option<i128> {
    match effect(op, imm, args) {
        Effect::Results(value) => Some(value),
        Effect::Nothing | Effect::Leaves | Effect::Beyond => None,
    }
}

fn effect(op: Op, imm: Imm, args: &[i128]) -> Effect {
    let wrapped = |value: Option<i128>| {
        let value = value.expect("machine operands are i64");
        #[expect(clippy::cast_possible_truncation, reason = "modulo 2**64 is what is meant")]
        Effect::Results(i128::from(value as i64))
    };
    let checked = |value: Option<i128>| value.map_or(Effect::Beyond, Effect::Results);
    match (op, args) {
        (Op::Jump | Op::Branch, _) => Effect::Nothing,
        (Op::GuardTrue, &[0]) => Effect::Leaves,
        (Op::GuardTrue, _) => Effect::Nothing,
        (Op::IntAddChecked, &[a, b]) => checked(a.checked_add(b)),
        (Op::IntSubChecked, &[a, b]) => checked(a.checked_sub(b)),
        (Op::IntMulChecked, &[a, b]) => checked(a.checked_mul(b)),
        (Op::IntNegChecked, &[a]) => checked(a.checked_neg()),
        (Op::IntAbsChecked, &[a]) => checked(a.checked_abs()),
        (Op::IntAdd, &[a, b]) => wrapped(a.checked_add(b)),
        (Op::IntSub, &[a, b]) => wrapped(a.checked_sub(b)),
        (Op::IntMul, &[a, b]) => wrapped(a.checked_mul(b)),
        (Op::IntNeg, &[a]) => wrapped(a.checked_neg()),
        (Op::IntAbs, &[a]) => wrapped(a.checked_abs()),
        (Op::IntShlChecked | Op::IntShrChecked, &[_, b]) if b < 0 => Effect::Leaves,
        (Op::IntShlChecked, &[a, b]) => shift_left(a, b),
        (Op::IntShrChecked, &[a, b]) => Effect::Results(a >> b.min(127)),
        (Op::IntShl | Op::IntShr, &[_, b]) if !(0..64).contains(&b) => panic!("shift by {b}"),
        (Op::IntShl, &[a, b]) => wrapped(Some(a << b)),
        (Op::IntShr, &[a, b]) => Effect::Results(a >> b),
        (Op::IntFloorDivChecked | Op::IntModChecked, &[_, 0]) => Effect::Leaves,
        (Op::IntFloorDiv | Op::IntMod, &[_, 0 | -1]) => panic!("unchecked division by 0 or -1"),
        (Op::IntDivUnsigned | Op::IntModUnsigned, &[a, b]) if a < 0 || b <= 0 => {
            panic!("{a} by {b}, unsigned")
        }
        (Op::IntFloorDivChecked | Op::IntFloorDiv | Op::IntDivUnsigned, &[a, b]) => checked(floor_div(a, b)),
        (Op::IntModChecked | Op::IntMod | Op::IntModUnsigned, &[a, b]) => {
            checked(floor_div(a, b).and_then(|quotient| quotient.checked_mul(b)).map(|whole| a - whole))
        }
        (Op::IntPowChecked, &[_, b]) if b < 0 => Effect::Leaves,
        (Op::IntPowChecked, &[a, b]) => checked(u32::try_from(b).ok().and_then(|b| a.checked_pow(b))),
        (Op::IntRangeLen, &[_, _, 0]) => Effect::Leaves,
        (Op::IntRangeLen, &[start, stop, step]) => checked(range_len(start, stop, step)),
        _ => Effect::Results(pure(op, imm, args)),
    }
}

fn shift_left(value: i128, count: i128) -> Effect {
    match u32::try_from(count) {
        _ if value == 0 => Effect::Results(0),
        Ok(count) if count < 127 => value.checked_mul(1 << count).map_or(Effect::Beyond, Effect::Results),
        _ => Effect::Beyond,
    }
}

fn floor_div(a: i128, b: i128) -> Option<i128> {
    let quotient = a.checked_div(b)?;
    Some(quotient - i128::from(a % b != 0 && (a < 0) != (b < 0)))
}

fn range_len(start: i128, stop: i128, step: i128) -> Option<i128> {
    let (distance, step) =
        if step > 0 { (stop.checked_sub(start)?, step) } else { (start.checked_sub(stop)?, -step) };
    Some(if distance <= 0 { 0 } else { (distance - 1) / step + 1 })
}

fn pure(op: Op, imm: Imm, args: &[i128]) -> i128 {
    match (op, imm, args) {
        (Op::IntConst, Imm::Int(value), _) => i128::from(value),
        (Op::BoolConst, Imm::Bool(value), _) => i128::from(value),
        (Op::IntAnd | Op::BoolAnd, _, &[a, b]) => a & b,
        (Op::IntOr | Op::BoolOr, _, &[a, b]) => a | b,
        (Op::IntXor | Op::BoolXor, _, &[a, b]) => a ^ b,
        (Op::IntInvert, _, &[a]) => !a,
        (Op::BoolNot, _, &[a]) => 1 - a,
        (Op::BoolToInt, _, &[a]) => a,
        (Op::IntMin, _, &[a, b]) => a.min(b),
        (Op::IntMax, _, &[a, b]) => a.max(b),
        (Op::IntCompare, Imm::Cmp(cmp), &[a, b]) => i128::from(match cmp {
            Cmp::Lt => a < b,
            Cmp::Le => a <= b,
            Cmp::Eq => a == b,
            Cmp::Ne => a != b,
            Cmp::Gt => a > b,
            Cmp::Ge => a >= b,
        }),
        other => panic!("the generator makes no {other:?}"),
    }
}
