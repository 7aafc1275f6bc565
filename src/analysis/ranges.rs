//! Interval analysis: between which bounds each i64 value lies, and which truth values are decided.
//!
//! In: a function of the specialised version. Out: [`Ranges`], the operands' intervals at every
//! instruction that is reached.
//!
//! The analysis walks the dominator tree in rounds. Within a round everything known at a point (the
//! branches taken, guards passed and checked ops that did not exit on the way there) narrows what is
//! computed, and each jump adds its arguments' intervals to the destination's parameters. A loop header starts from what the
//! forward edges bring and, from the second round on, what the back edges brought before; bounds
//! that keep moving are widened to the next constant of the function and at last to the whole type.
//! When a round changes nothing the intervals are sound, and two more rounds without widening narrow them.
//!
//! Invariants: an interval covers every value that an execution can produce, for ops modulo 2**64
//! the wrapped one too. Intervals of bool values are 0 and 1. Cost: a bounded number of rounds, each linear.

pub mod facts;
pub mod interval;
pub mod order;
pub mod thresholds;
pub mod transfer;

use crate::ir::Block;
use crate::ir::Function;
use crate::ir::Inst;
use crate::ir::InstData;
use crate::ir::Op;
use crate::ir::Value;

use facts::Facts;
use facts::Path;
use interval::Interval;
use order::Order;
use order::Step;
use thresholds::Thresholds;
use transfer::exact_result;
use transfer::whole;

/// Rounds in which a header takes what its back edges bring as it is.
const PLAIN_ROUNDS: usize = 2;
/// Rounds after which bounds are no longer widened from constant to constant.
const THRESHOLD_ROUNDS: usize = 8;
/// Rounds after which every loop header is taken to be anything.
const MOST_ROUNDS: usize = 24;
/// Rounds that narrow a stable state.
const NARROWING_ROUNDS: usize = 2;

/// What one instruction was found to do.
#[derive(Clone, Debug)]
struct Found {
    operands: Vec<Interval>,
}

/// The intervals of a function's values.
pub struct Ranges {
    found: Vec<Option<Found>>,
    values: Vec<Interval>,
}

impl Ranges {
    /// Analyses the function.
    #[must_use]
    pub fn of(func: &Function) -> Ranges {
        let order = Order::of(func);
        let mut walk = Walk::new(func, &order);
        walk.stabilise();
        for _ in 0..NARROWING_ROUNDS {
            walk.narrow();
        }
        walk.into_ranges()
    }

    /// Whether some execution may get to the instruction.
    #[must_use]
    pub fn reaches(&self, inst: Inst) -> bool {
        self.found[inst.index()].is_some()
    }

    /// The interval of an operand just before the instruction, facts that hold there included; empty
    /// where no execution gets there.
    #[must_use]
    pub fn operand(&self, inst: Inst, number: usize) -> Interval {
        self.found[inst.index()].as_ref().map_or(Interval::EMPTY, |found| found.operands[number])
    }

    /// The interval of a value at its definition; anything for a value that is younger than the analysis.
    #[must_use]
    pub fn value(&self, value: Value) -> Interval {
        self.values.get(value.index()).copied().unwrap_or(Interval::I64)
    }

    /// The interval of the instruction's mathematical result, whether or not an i64 holds it; `None`
    /// where it is not reached or its result is no int and no truth value computed from such.
    #[must_use]
    pub fn exact_result(&self, func: &Function, inst: Inst) -> Option<Interval> {
        let found = self.found[inst.index()].as_ref()?;
        let data = func.inst(inst);
        let exact = exact_result_of(data, &found.operands)?;
        (!exact.is_empty()).then_some(exact)
    }
}

/// The instruction's exact result, where it is an int or a truth value; a square is never negative.
fn exact_result_of(data: &InstData, operands: &[Interval]) -> Option<Interval> {
    match (data.op, data.args.as_slice()) {
        (Op::IntMul | Op::IntMulChecked, &[a, b]) if a == b => {
            Some(operands[0].abs().times(operands[0].abs()))
        }
        _ => exact_result(data.op, data.imm, operands),
    }
}

/// What a value is where the facts hold. A sum that might have wrapped where it was computed has not if the
/// facts learnt since say of its operands that it fits.
fn known_here(facts: &Facts, func: &Function, value: Value) -> Interval {
    let found = facts.of(value);
    let Some(data) = func.def_inst(value).filter(|data| matches!(data.op, Op::IntAdd | Op::IntSub)) else {
        return found;
    };
    let operands: Vec<Interval> = data.args.iter().map(|&arg| facts.of(arg)).collect();
    match exact_result_of(data, &operands) {
        Some(exact) if exact.fits_i64() => found.meet(exact),
        _ => found,
    }
}

/// How a round treats the parameters of loop headers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Take in what is new.
    Ascending,
    /// Keep within the stable state.
    Descending,
}

struct Walk<'f> {
    func: &'f Function,
    order: &'f Order,
    thresholds: Thresholds,
    facts: Facts,
    /// Per block: whether an edge into it was taken in this round.
    reached: Vec<bool>,
    /// Per value, for parameters: what the forward edges of this round brought.
    forward: Vec<Interval>,
    /// Per value, for parameters of headers: what the back edges of this round bring.
    back: Vec<Interval>,
    /// The same of the round before.
    back_before: Vec<Interval>,
    /// Per value, for parameters of headers: what it is assumed to be at least.
    assumed: Vec<Interval>,
    /// Per value, for parameters of headers: the interval used in this round.
    used: Vec<Interval>,
    phase: Phase,
    found: Vec<Option<Found>>,
}

impl<'f> Walk<'f> {
    fn new(func: &'f Function, order: &'f Order) -> Walk<'f> {
        let none = vec![Interval::EMPTY; func.values.len()];
        Walk {
            func,
            order,
            thresholds: Thresholds::of(func),
            facts: Facts::new(func),
            reached: vec![false; func.blocks.len()],
            forward: none.clone(),
            back: none.clone(),
            back_before: none.clone(),
            assumed: none.clone(),
            used: none,
            phase: Phase::Ascending,
            found: vec![None; func.insts.len()],
        }
    }

    /// Rounds until what the back edges bring is what was assumed.
    fn stabilise(&mut self) {
        let mut round = 0;
        loop {
            self.round();
            round += 1;
            let mut stable = true;
            for block in self.order.headers() {
                for &param in &self.func.block(block).params {
                    let used = self.used[param.index()];
                    let total = used.join(self.back[param.index()]);
                    stable &= total == used;
                    self.assumed[param.index()] = if total == used || round <= PLAIN_ROUNDS {
                        total
                    } else if round <= THRESHOLD_ROUNDS {
                        self.thresholds.widen(used, total)
                    } else if round <= MOST_ROUNDS {
                        Thresholds::give_up(used, total).meet(whole(self.func.ty(param)))
                    } else {
                        whole(self.func.ty(param))
                    };
                }
            }
            if stable {
                return;
            }
        }
    }

    /// One round within a stable state.
    fn narrow(&mut self) {
        self.phase = Phase::Descending;
        self.assumed.clone_from(&self.used);
        self.round();
    }

    fn round(&mut self) {
        self.reached.fill(false);
        self.forward.fill(Interval::EMPTY);
        std::mem::swap(&mut self.back, &mut self.back_before);
        self.back.fill(Interval::EMPTY);
        self.found.fill(None);
        let mut marks = Vec::new();
        for &step in self.order.steps() {
            match step {
                Step::Enter(block) => {
                    marks.push(self.facts.mark());
                    self.block(block);
                }
                Step::Leave => {
                    let mark = marks.pop().expect("every block that is left was entered");
                    self.facts.roll_back(mark);
                }
            }
        }
    }

    fn block(&mut self, block: Block) {
        if block == self.func.entry() {
            self.reached[block.index()] = true;
            for &param in self.func.params() {
                self.forward[param.index()] = whole(self.func.ty(param));
            }
        }
        if !self.reached[block.index()] {
            return;
        }
        self.define_params(block);
        if let Some((condition, truth)) = self.order.only_edge(self.func, block) {
            self.facts.learn(self.func, condition, truth);
        }
        for &inst in &self.func.block(block).insts {
            if self.instruction(inst) == Path::Closed {
                return;
            }
        }
        self.leave(block);
    }

    fn define_params(&mut self, block: Block) {
        for &param in &self.func.block(block).params {
            let at = param.index();
            let mut interval = self.forward[at];
            if self.order.is_header(block) {
                interval = match self.phase {
                    Phase::Ascending => interval.join(self.assumed[at]),
                    Phase::Descending => interval.join(self.back_before[at]).meet(self.assumed[at]),
                };
                self.used[at] = interval;
            }
            self.facts.define(param, interval);
        }
    }

    /// Records what the instruction sees, gives its results their intervals and learns from its passing.
    fn instruction(&mut self, inst: Inst) -> Path {
        let data = self.func.inst(inst);
        let operands = self.facts.operands(self.func, inst);
        let mut path = Path::Open;
        let exact = exact_result_of(data, &operands);
        for &result in &data.results {
            let whole = whole(self.func.ty(result));
            let interval = match exact {
                None => whole,
                Some(exact) if exact.fits_i64() || data.op.exits() => exact.meet(whole),
                // The op works modulo 2**64 and wraps.
                Some(_) => whole,
            };
            if interval.is_empty() {
                path = Path::Closed;
            }
            self.facts.define(result, interval);
        }
        self.found[inst.index()] = Some(Found { operands });
        self.facts.pass(self.func, inst);
        path
    }

    /// Hands the arguments of the block's jumps to their destinations.
    fn leave(&mut self, block: Block) {
        let data = self.func.inst(self.func.terminator(block));
        for (number, target) in data.targets.iter().enumerate() {
            let mark = self.facts.mark();
            let path = match data.op {
                Op::Branch => self.facts.learn(self.func, data.args[0], number == 0),
                _ => Path::Open,
            };
            if path == Path::Open {
                self.reached[target.block.index()] = true;
                let into = if self.order.is_back_edge(block, target.block) {
                    &mut self.back
                } else {
                    &mut self.forward
                };
                for (&param, &arg) in self.func.block(target.block).params.iter().zip(&target.args) {
                    let brought = known_here(&self.facts, self.func, arg);
                    into[param.index()] = into[param.index()].join(brought);
                }
            }
            self.facts.roll_back(mark);
        }
    }

    fn into_ranges(self) -> Ranges {
        let mut values = vec![Interval::EMPTY; self.func.values.len()];
        for (index, interval) in values.iter_mut().enumerate() {
            *interval = self.facts.of(Value::new(index));
        }
        Ranges { found: self.found, values }
    }
}
