//! Floats that fields hold unboxed are tested by what is computed of them.
//!
//! ```text
//! v2 = sealed.field_float Vec: x v0 exit [A]           v2 = sealed.field_float_any Vec: x v0
//! v3 = sealed.field_float Vec: x v1 exit [B]           v3 = sealed.field_float_any Vec: x v1
//! v4 = float.sub v2, v3                          ->    v4 = float.sub v2, v3
//! v5 = float.mul v4, v4                                v5 = float.mul v4, v4
//! sealed.set_float Vec: y v1, v5 exit [C]              sealed.set_float Vec: y v1, v5 exit [A]
//! ```
//!
//! What stands in such a field is a number or a NaN with a reference in it, and arithmetic makes a NaN of a NaN. So one
//! test of a result finds out about all that it was computed of, if nothing has happened since the first was read: then
//! whatever exits meanwhile may go back to there. Where no test is made anyway, one is added if it takes the place of
//! several.
//!
//! A stretch of code is a part of a block in which nothing has effects, dies or is made. Nothing that moves code comes
//! behind this pass: a read behind its test would be as good, one that is tested no longer would not.

use rustc_hash::FxHashMap;

use super::borrow;
use super::borrow::Deaths;
use crate::ir::{Block, Cmp, Effects, FuncId, Function, Imm, Inst, InstData, Op, Type, Unit, Value};
use crate::types::Held;

/// So many reads of a stretch are told apart; others are tested where they stand.
const MAX_READS: usize = 64;

/// Fields of floats that a value is a NaN for if one of them is, as bits.
type Reads = u64;

/// Leaves tests to later ones.
pub fn test_late(unit: &mut Unit, id: FuncId) {
    let Some(mut func) = unit.functions[id.index()].specialised.take() else { return };
    let insts = || func.layout.iter().flat_map(|&block| &func.block(block).insts);
    if insts().any(|&inst| is_unboxed(unit, func.inst(inst), Op::SealedFieldFloat)) {
        let deaths = borrow::deaths(&func);
        for block in func.layout.clone() {
            test_block(unit, &mut func, block, &deaths);
        }
    }
    unit.functions[id.index()].specialised = Some(func);
}

/// Whether this is that op on a field that holds floats unboxed.
fn is_unboxed(unit: &Unit, data: &InstData, op: Op) -> bool {
    match data.imm {
        Imm::Field(class, field) if data.op == op => {
            unit.classes[class.index()].fields[field as usize].held == Held::Float
        }
        _ => false,
    }
}

fn test_block(unit: &Unit, func: &mut Function, block: Block, deaths: &Deaths) {
    let mut stretch = Stretch::default();
    for inst in std::mem::take(&mut func.block_mut(block).insts) {
        let closes = !can_be_inside(func.inst(inst)) || deaths.behind.contains(&inst);
        if closes {
            let tested = stretch.tested_by_store(unit, func, inst);
            let written = std::mem::take(&mut stretch).close(func, tested);
            func.block_mut(block).insts.extend(written);
            func.block_mut(block).insts.push(inst);
        } else {
            stretch.add(unit, func, inst);
        }
    }
}

/// Whether running the op twice is the same as running it once, and nothing is made that would have to die.
fn can_be_inside(data: &InstData) -> bool {
    let effects = data.op.effects();
    let harmful = [Effects::FOREIGN, Effects::RAISES, Effects::WRITES, Effects::TERMINATOR];
    let makes = data.op.row().results.contains(&Type::Obj);
    !harmful.iter().any(|&effect| effects.has(effect))
        && (!makes || effects.has(Effects::BORROWS))
        && !matches!(data.op, Op::GuardDepth | Op::Anchor)
}

/// What can stand in one go.
#[derive(Default)]
struct Stretch {
    insts: Vec<Inst>,
    /// The reads whose tests may be left out.
    reads: Vec<Inst>,
    /// Which of these make the value a NaN if they are one.
    follows: FxHashMap<Value, Reads>,
    /// Which are tested.
    tested: Reads,
}

impl Stretch {
    fn add(&mut self, unit: &Unit, func: &Function, inst: Inst) {
        self.insts.push(inst);
        let data = func.inst(inst);
        if is_unboxed(unit, data, Op::SealedFieldFloat) && self.reads.len() < MAX_READS {
            self.follows.insert(data.results[0], 1 << self.reads.len());
            self.reads.push(inst);
        } else if keeps_nans(data.op) {
            let of = data.args.iter().map(|arg| self.of(*arg)).fold(0, |all, one| all | one);
            if of != 0 {
                self.follows.insert(data.results[0], of);
            }
        } else if let Some(value) = tested_by_guard(func, data) {
            self.tested |= self.of(value);
        }
    }

    fn of(&self, value: Value) -> Reads {
        self.follows.get(&value).copied().unwrap_or(0)
    }

    /// The instruction that closes the stretch, if it tests what it stores or boxes before it does so, and may exit to
    /// where the stretch begins; the reads that it tests are.
    fn tested_by_store(&mut self, unit: &Unit, func: &Function, inst: Inst) -> Option<Inst> {
        let data = func.inst(inst);
        let first = func.inst(*self.reads.first()?);
        let value = match data.op {
            Op::FloatBox => data.args[0],
            _ if is_unboxed(unit, data, Op::SealedSetFloat) => data.args[1],
            _ => return None,
        };
        let of = if data.site == first.site { self.of(value) } else { 0 };
        self.tested |= of;
        (of != 0).then_some(inst)
    }

    /// The instructions as they are to be; `store` closes the stretch and tests, too.
    fn close(mut self, func: &mut Function, store: Option<Inst>) -> Vec<Inst> {
        let Some(&first) = self.reads.first() else { return self.insts };
        let added = self.add_tests(func, first);
        let late: Vec<Inst> = (0..self.reads.len())
            .filter(|number| self.tested >> number & 1 != 0)
            .map(|number| self.reads[number])
            .collect();
        let Some(&begin) = late.first() else { return self.insts };
        let like = func.inst(begin).clone();
        let Some(state) = like.exit.map(|exit| func.exit(exit).clone()) else { return self.insts };
        let start = self.insts.iter().position(|&inst| inst == begin).expect("reads are part of the stretch");
        for inst in self.insts[start..].iter().copied().chain(added.iter().copied()).chain(store) {
            if func.inst(inst).exit.is_some() {
                let exit = func.add_exit(state.clone());
                let data = func.inst_mut(inst);
                data.exit = Some(exit);
                data.site = like.site;
                data.range = if Some(inst) == store { data.range } else { like.range };
            }
        }
        for inst in late {
            let data = func.inst_mut(inst);
            data.op = Op::SealedFieldFloatAny;
            data.exit = None;
        }
        self.insts.extend(added);
        self.insts
    }

    /// Tests for reads that nothing tests: of values that are computed of several of them.
    fn add_tests(&mut self, func: &mut Function, first: Inst) -> Vec<Inst> {
        let mut added = Vec::new();
        let like = func.inst(first).clone();
        loop {
            let open = !self.tested;
            let best = self.insts.iter().filter_map(|&inst| func.inst(inst).results.first().copied());
            let best = best.max_by_key(|&value| (self.of(value) & open).count_ones());
            let Some(value) = best.filter(|&value| (self.of(value) & open).count_ones() > 1) else {
                return added;
            };
            self.tested |= self.of(value);
            added.extend(test(func, &like, value));
        }
    }
}

/// Whether the result is a NaN if an operand is.
fn keeps_nans(op: Op) -> bool {
    matches!(
        op,
        Op::FloatAdd
            | Op::FloatSub
            | Op::FloatMul
            | Op::FloatDiv
            | Op::FloatDivChecked
            | Op::FloatNeg
            | Op::FloatAbs
            | Op::FloatSqrt
    )
}

/// The value that a guard finds to be no NaN.
fn tested_by_guard(func: &Function, data: &InstData) -> Option<Value> {
    if data.op != Op::GuardTrue {
        return None;
    }
    let compared = func.def_inst(data.args[0])?;
    let is_test = compared.op == Op::FloatCompare
        && compared.imm == Imm::Cmp(Cmp::Eq)
        && compared.args[0] == compared.args[1];
    is_test.then_some(compared.args[0])
}

/// A guard that exits for a NaN.
fn test(func: &mut Function, like: &InstData, value: Value) -> [Inst; 2] {
    let data = |op, imm, args| InstData { op, imm, args, results: Vec::new(), ..like.clone() };
    let same = InstData { exit: None, ..data(Op::FloatCompare, Imm::Cmp(Cmp::Eq), vec![value, value]) };
    let same = func.add_inst(same, Op::FloatCompare.row().results);
    let holds = func.inst(same).results[0];
    [same, func.add_inst(data(Op::GuardTrue, Imm::None, vec![holds]), &[])]
}
