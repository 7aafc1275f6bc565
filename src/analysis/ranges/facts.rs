//! What holds of values at one point: their intervals, with the facts of the branches taken, guards
//! passed and checked ops that did not exit on the way there.
//!
//! Facts are scoped: the walk over the dominator tree marks the log before a block and rolls back to
//! the mark after it.

use crate::ir::Cmp;
use crate::ir::Function;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::Op;
use crate::ir::Value;

use super::interval::Interval;
use super::transfer::exact_result;

/// How far a fact about a value is followed back into what the value was computed from.
const DEPTH: u32 = 6;

/// Whether a path that needs all the facts learnt can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Nothing speaks against it.
    Open,
    /// Two facts contradict each other.
    Closed,
}

impl Path {
    fn and(self, other: Path) -> Path {
        if self == Path::Open { other } else { Path::Closed }
    }
}

/// The intervals of all values, at the point where the walk is.
pub struct Facts {
    now: Vec<Interval>,
    log: Vec<(Value, Interval)>,
}

impl Facts {
    /// Nothing computed yet.
    #[must_use]
    pub fn new(func: &Function) -> Facts {
        Facts { now: vec![Interval::EMPTY; func.values.len()], log: Vec::new() }
    }

    /// The value's interval here.
    #[must_use]
    pub fn of(&self, value: Value) -> Interval {
        self.now[value.index()]
    }

    /// Where the log stands.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.log.len()
    }

    /// Forgets what was learnt since the mark.
    pub fn roll_back(&mut self, mark: usize) {
        for (value, before) in self.log.drain(mark..).rev() {
            self.now[value.index()] = before;
        }
    }

    /// Gives a value its interval at its definition. Nothing reads it outside the blocks that the
    /// definition dominates, so there is nothing to roll back.
    pub fn define(&mut self, value: Value, interval: Interval) {
        self.now[value.index()] = interval;
    }

    /// The intervals of the instruction's operands.
    #[must_use]
    pub fn operands(&self, func: &Function, inst: Inst) -> Vec<Interval> {
        func.inst(inst).args.iter().map(|&arg| self.of(arg)).collect()
    }

    /// Learns that the truth value is `truth`.
    pub fn learn(&mut self, func: &Function, condition: Value, truth: bool) -> Path {
        self.learn_to(func, condition, truth, DEPTH)
    }

    fn learn_to(&mut self, func: &Function, condition: Value, truth: bool, depth: u32) -> Path {
        let here = self.narrow(condition, Interval::exactly(i128::from(truth)));
        let (Some(data), Some(depth)) = (func.def_inst(condition), depth.checked_sub(1)) else {
            return here;
        };
        let rest = match (data.op, data.imm, data.args.as_slice()) {
            (Op::BoolNot, _, &[of]) => self.learn_to(func, of, !truth, depth),
            (Op::BoolAnd, _, &[a, b]) => self.learn_both(func, [a, b], truth, true, depth),
            (Op::BoolOr, _, &[a, b]) => self.learn_both(func, [a, b], truth, false, depth),
            (Op::IntCompare, Imm::Cmp(cmp), &[a, b]) => {
                let cmp = if truth { cmp } else { cmp.negated() };
                self.compare(func, cmp, a, b, depth)
            }
            _ => Path::Open,
        };
        here.and(rest)
    }

    /// Learns from an `and` (whose `neutral` is true) or an `or` (false): both sides where the result
    /// is the neutral truth, else one side where the other is known to be neutral.
    fn learn_both(
        &mut self,
        func: &Function,
        sides: [Value; 2],
        truth: bool,
        neutral: bool,
        depth: u32,
    ) -> Path {
        if truth == neutral {
            let first = self.learn_to(func, sides[0], truth, depth);
            return first.and(self.learn_to(func, sides[1], truth, depth));
        }
        let known = Some(i128::from(neutral));
        for (side, other) in [(sides[0], sides[1]), (sides[1], sides[0])] {
            if self.of(side).single() == known {
                return self.learn_to(func, other, truth, depth);
            }
        }
        Path::Open
    }

    fn compare(&mut self, func: &Function, cmp: Cmp, a: Value, b: Value, depth: u32) -> Path {
        if a == b {
            let possible = matches!(cmp, Cmp::Eq | Cmp::Le | Cmp::Ge);
            return if possible { Path::Open } else { Path::Closed };
        }
        let (of_a, of_b) = (self.of(a), self.of(b));
        let first = self.refine(func, a, of_a.where_holds(cmp, of_b), depth);
        first.and(self.refine(func, b, of_b.where_holds(cmp.swapped(), of_a), depth))
    }

    /// Narrows a value, without looking at where it comes from.
    fn narrow(&mut self, value: Value, to: Interval) -> Path {
        let before = self.of(value);
        let after = before.meet(to);
        if after != before {
            self.log.push((value, before));
            self.now[value.index()] = after;
        }
        if after.is_empty() { Path::Closed } else { Path::Open }
    }

    /// Narrows an int and, where it is an exact sum or the like, what it was computed from.
    fn refine(&mut self, func: &Function, value: Value, to: Interval, depth: u32) -> Path {
        let before = self.of(value);
        let here = self.narrow(value, to);
        if here == Path::Closed || self.of(value) == before {
            return here;
        }
        let (Some(data), Some(depth)) = (func.def_inst(value), depth.checked_sub(1)) else {
            return here;
        };
        let &[a, ..] = data.args.as_slice() else {
            return here;
        };
        let b = data.args.get(1).copied().unwrap_or(a);
        let (result, of_a, of_b) = (self.of(value), self.of(a), self.of(b));
        // A sum modulo 2**64 says nothing of its operands unless it is the exact one.
        let fits = || exact_result(data.op, data.imm, &[of_a, of_b]).is_some_and(Interval::fits_i64);
        match data.op {
            Op::BoolToInt => self.narrow(a, result),
            Op::IntAdd | Op::IntSub | Op::IntNeg if !fits() => here,
            Op::IntAddChecked | Op::IntAdd if a != b => {
                let first = self.refine(func, a, result.minus(of_b), depth);
                first.and(self.refine(func, b, result.minus(of_a), depth))
            }
            Op::IntSubChecked | Op::IntSub if a != b => {
                let first = self.refine(func, a, result.plus(of_b), depth);
                first.and(self.refine(func, b, of_a.minus(result), depth))
            }
            Op::IntNegChecked | Op::IntNeg => self.refine(func, a, result.negated(), depth),
            _ => here,
        }
    }

    /// Learns what an instruction that was passed says of its operands: it did not exit.
    pub fn pass(&mut self, func: &Function, inst: Inst) {
        let data = func.inst(inst);
        let args = data.args.as_slice();
        let of = |facts: &Facts, number: usize| facts.of(args[number]);
        let not_negative = Interval::new(0, i128::MAX);
        match data.op {
            Op::GuardTrue => _ = self.learn(func, args[0], true),
            Op::IntShlChecked | Op::IntShrChecked | Op::IntPowChecked => {
                self.refine(func, args[1], not_negative, DEPTH);
            }
            Op::IntFloorDivChecked | Op::IntModChecked | Op::IntTrueDivChecked => {
                let divisor = of(self, 1).where_holds(Cmp::Ne, Interval::exactly(0));
                self.refine(func, args[1], divisor, DEPTH);
            }
            Op::IntAddChecked if args[0] != args[1] => {
                let (a, b) = (of(self, 0), of(self, 1));
                self.refine(func, args[0], Interval::I64.minus(b), DEPTH);
                self.refine(func, args[1], Interval::I64.minus(a), DEPTH);
            }
            Op::IntSubChecked if args[0] != args[1] => {
                let (a, b) = (of(self, 0), of(self, 1));
                self.refine(func, args[0], Interval::I64.plus(b), DEPTH);
                self.refine(func, args[1], a.minus(Interval::I64), DEPTH);
            }
            Op::IntMulChecked => self.pass_product(func, args[0], args[1]),
            Op::IntNegChecked | Op::IntAbsChecked => {
                self.refine(func, args[0], Interval::I64.negated(), DEPTH);
            }
            _ => {}
        }
    }

    /// A product that an i64 holds bounds each factor by the least magnitude of the other.
    fn pass_product(&mut self, func: &Function, a: Value, b: Value) {
        if a == b {
            const ROOT: i128 = 3_037_000_499;
            self.refine(func, a, Interval::new(-ROOT, ROOT), DEPTH);
            return;
        }
        for (factor, other) in [(a, b), (b, a)] {
            let magnitude = self.of(other).abs().min;
            if magnitude > 1 && !self.of(other).is_empty() {
                let bound = (1_i128 << 63) / magnitude;
                self.refine(func, factor, Interval::new(-bound, bound), DEPTH);
            }
        }
    }
}
