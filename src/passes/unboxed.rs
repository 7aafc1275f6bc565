//! Numbers that go into fields which hold them unboxed are given to new objects as they are.
//!
//! ```text
//! v2 = float.box_float v0 exit [A]                  v5 = float.compare eq v0, v0
//! v3 = object.constant 1.5                  ->      guard.is_true v5 exit [A]
//! v4 = sealed.new Pair v9, v2, v3                   v6 = float.constant 1.5
//!                                                   v4 = sealed.new Pair v9, v0, v6
//! ```
//!
//! A NaN exits as before: it has an identity. A box that somebody else reads stays, and tests for it.
//!
//! Nothing that looks at what stands in fields comes behind this pass.

use rustc_hash::FxHashMap;

use crate::ir::{Cmp, Const, Def, FuncId, Function, Imm, Inst, InstData, Op, Unit, Value};
use crate::types::Held;

/// Gives new objects their numbers unboxed.
pub fn give_numbers(unit: &mut Unit, id: FuncId) {
    let Some(mut func) = unit.functions[id.index()].specialised.take() else { return };
    let wanted: Vec<Operand> = insts(&func).flat_map(|inst| operands(unit, &func, inst)).collect();
    if !wanted.is_empty() {
        take_out(&mut func, &wanted);
    }
    unit.functions[id.index()].specialised = Some(func);
}

fn insts(func: &Function) -> impl Iterator<Item = Inst> + '_ {
    func.layout.iter().flat_map(|&block| func.block(block).insts.iter().copied())
}

/// An operand of an instruction that makes an object, and the number that takes its place.
struct Operand {
    inst: Inst,
    place: usize,
    number: Number,
}

enum Number {
    /// What this instruction boxes.
    Boxed(Inst, Value),
    /// A constant.
    Constant(Op, Imm),
}

/// The operands that can be numbers.
fn operands(unit: &Unit, func: &Function, inst: Inst) -> Vec<Operand> {
    let data = func.inst(inst);
    let (Op::SealedNew, Imm::Sealed(class)) = (data.op, data.imm) else { return Vec::new() };
    let class = &unit.classes[class.index()];
    let number = |place: usize| {
        let held = class.unboxed(place - 1)?;
        let Def::Result(made, _) = func.def(data.args[place]) else { return None };
        let number = number_of(unit, func, made, held)?;
        Some(Operand { inst, place, number })
    };
    (1..data.args.len()).filter_map(number).collect()
}

fn number_of(unit: &Unit, func: &Function, made: Inst, held: Held) -> Option<Number> {
    let data = func.inst(made);
    match (data.op, held) {
        (Op::FloatBox, Held::Float) | (Op::IntBox, Held::Int) => Some(Number::Boxed(made, data.args[0])),
        (Op::ObjConst, _) => {
            let Imm::Const(constant) = data.imm else { return None };
            match (&unit.consts[constant.index()], held) {
                (&Const::Float(bits), Held::Float) if !f64::from_bits(bits).is_nan() => {
                    Some(Number::Constant(Op::FloatConst, Imm::Float(bits)))
                }
                (&Const::Int(number), Held::Int) => Some(Number::Constant(Op::IntConst, Imm::Int(number))),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Puts numbers in place of objects, and leaves out boxes that nobody reads any more.
fn take_out(func: &mut Function, wanted: &[Operand]) {
    let mut boxes: FxHashMap<Inst, Value> = FxHashMap::default();
    let mut constants: FxHashMap<Inst, Vec<Inst>> = FxHashMap::default();
    for operand in wanted {
        let value = match operand.number {
            Number::Boxed(made, value) => {
                boxes.insert(made, value);
                value
            }
            Number::Constant(op, imm) => {
                let data = like(func, operand.inst, (op, imm), Vec::new());
                let made = func.add_inst(data, op.row().results);
                constants.entry(operand.inst).or_default().push(made);
                func.inst(made).results[0]
            }
        };
        func.inst_mut(operand.inst).args[operand.place] = value;
    }
    let mut is_read = vec![false; func.values.len()];
    for inst in insts(func) {
        func.visit_uses(inst, |value| is_read[value.index()] = true);
    }
    for block in func.layout.clone() {
        let mut written = Vec::new();
        for inst in std::mem::take(&mut func.block_mut(block).insts) {
            written.extend(constants.remove(&inst).into_iter().flatten());
            match boxes.get(&inst) {
                Some(&value) if !is_read[func.inst(inst).results[0].index()] => {
                    if func.inst(inst).op == Op::FloatBox {
                        written.extend(test(func, inst, value));
                    }
                }
                _ => written.push(inst),
            }
        }
        func.block_mut(block).insts = written;
    }
}

/// A test that exits as the box would.
fn test(func: &mut Function, made: Inst, value: Value) -> [Inst; 2] {
    let exit = func.inst(made).exit;
    let same = like(func, made, (Op::FloatCompare, Imm::Cmp(Cmp::Eq)), vec![value, value]);
    let same = func.add_inst(same, Op::FloatCompare.row().results);
    let holds = func.inst(same).results[0];
    let guard = InstData { exit, ..like(func, made, (Op::GuardTrue, Imm::None), vec![holds]) };
    [same, func.add_inst(guard, &[])]
}

/// An instruction of the same source range and inlined call, without an exit.
fn like(func: &Function, other: Inst, (op, imm): (Op, Imm), args: Vec<Value>) -> InstData {
    let other = func.inst(other);
    InstData {
        op,
        imm,
        args,
        results: Vec::new(),
        targets: Vec::new(),
        range: other.range,
        exit: None,
        site: other.site,
    }
}
