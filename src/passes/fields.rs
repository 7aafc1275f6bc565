//! Fields of sealed objects that nothing has changed since are read once, and what was just put there not at all.
//!
//! ```text
//! v1 = sealed.field_float Vec3: x v0 exit [..]             v1 = sealed.field_float Vec3: x v0 exit [..]
//! v2 = sealed.field_float Vec3: x v0 exit [..]       ->    v3 = float.mul v1, v1
//! v3 = float.mul v1, v2
//! ```
//!
//! What is known goes with the control flow, where paths meet as far as all of them know it; a loop begins with
//! nothing. Foreign code, stores and the death of an object end it: a store to a field of numbers runs nothing, so it
//! ends what is known of that field in all objects. Runs behind [`super::borrow`], which decides what dies where. A
//! reference is only taken again where both reads borrow it, so that nothing lives longer than it would.

use rustc_hash::FxHashMap;

use super::borrow;
use super::borrow::Deaths;
use crate::ir::cfg::Cfg;
use crate::ir::{Block, FuncId, Function, Imm, Inst, InstData, Op, Unit, Value};

/// In functions with more instructions every field is read.
const MAX_INSTS: usize = 20_000;

/// What the reads of a field give: the object, where the field stands, and the op that reads it.
type Known = FxHashMap<(Value, i32, Op), Value>;

/// Leaves out reads of fields of which it is known what stands there.
pub fn read_fields_once(unit: &mut Unit, id: FuncId) {
    let Some(mut func) = unit.functions[id.index()].specialised.take() else { return };
    let insts = || func.layout.iter().flat_map(|&block| &func.block(block).insts);
    if insts().any(|&inst| reads(func.inst(inst).op)) && insts().count() <= MAX_INSTS {
        let mut walk = Walk { unit, deaths: borrow::deaths(&func), replaced: FxHashMap::default() };
        walk.function(&mut func);
    }
    unit.functions[id.index()].specialised = Some(func);
}

/// Whether the op reads a field and takes no reference.
fn reads(op: Op) -> bool {
    matches!(op, Op::SealedFieldInt | Op::SealedFieldFloat | Op::SealedFieldBool | Op::SealedFieldBorrowed)
}

struct Walk<'a> {
    unit: &'a Unit,
    deaths: Deaths,
    replaced: FxHashMap<Value, Value>,
}

impl Walk<'_> {
    fn function(&mut self, func: &mut Function) {
        let cfg = Cfg::of(func);
        let mut ends: FxHashMap<Block, Known> = FxHashMap::default();
        for &block in cfg.reverse_postorder() {
            let mut known = self.beginning(&cfg, block, &ends);
            let mut insts = std::mem::take(&mut func.block_mut(block).insts);
            insts.retain(|&inst| self.inst(func, inst, &mut known));
            func.block_mut(block).insts = insts;
            ends.insert(block, known);
        }
        if self.replaced.is_empty() {
            return;
        }
        for block in func.layout.clone() {
            for inst in func.block(block).insts.clone() {
                func.map_uses(inst, |value| self.find(value));
            }
        }
    }

    fn find(&self, value: Value) -> Value {
        self.replaced.get(&value).copied().unwrap_or(value)
    }

    /// What all paths to the block know.
    fn beginning(&self, cfg: &Cfg, block: Block, ends: &FxHashMap<Block, Known>) -> Known {
        let mut before = cfg.predecessors(block).iter().map(|source| ends.get(source));
        let Some(Some(first)) = before.next().filter(|_| !self.deaths.at.contains(&block)) else {
            return Known::default();
        };
        let mut known = first.clone();
        for other in before {
            let Some(other) = other else { return Known::default() };
            known.retain(|key, value| other.get(key) == Some(value));
        }
        known
    }

    /// Whether the instruction stays.
    fn inst(&mut self, func: &Function, inst: Inst, known: &mut Known) -> bool {
        let data = func.inst(inst);
        // The last use of an object stays, so that it dies where it does.
        let is_last = self.deaths.behind.contains(&inst);
        if let (true, Some(key)) = (reads(data.op), self.key(data, data.op)) {
            if let Some(&value) = known.get(&key).filter(|_| !is_last) {
                self.replaced.insert(data.results[0], value);
                return false;
            }
            known.insert(key, data.results[0]);
        } else {
            self.change(func, data, known);
        }
        if is_last {
            known.clear();
        }
        true
    }

    fn key(&self, data: &InstData, read: Op) -> Option<(Value, i32, Op)> {
        let Imm::Field(class, field) = data.imm else { return None };
        let offset = self.unit.classes[class.index()].fields[field as usize].offset;
        Some((self.find(data.args[0]), offset, read))
    }

    /// What an instruction that is no read changes.
    fn change(&self, func: &Function, data: &InstData, known: &mut Known) {
        let read = match data.op {
            Op::SealedSetFloat => Op::SealedFieldFloat,
            Op::SealedSetInt => Op::SealedFieldInt,
            Op::SealedNew => return self.made(func, data, known),
            op => {
                if borrow::may_change(op) {
                    known.clear();
                }
                return;
            }
        };
        let Some(key) = self.key(data, read) else { return known.clear() };
        known.retain(|&(_, offset, _), _| offset != key.1);
        known.insert(key, self.find(data.args[1]));
    }

    /// What stands in the fields of a new object.
    fn made(&self, func: &Function, data: &InstData, known: &mut Known) {
        let Imm::Sealed(class) = data.imm else { return };
        for (field, &value) in self.unit.classes[class.index()].fields.iter().zip(&data.args[1..]) {
            let Some(boxed) = func.def_inst(value) else { continue };
            let read = match boxed.op {
                Op::IntBox => Op::SealedFieldInt,
                Op::FloatBox => Op::SealedFieldFloat,
                Op::BoolBox => Op::SealedFieldBool,
                _ => continue,
            };
            known.insert((data.results[0], field.offset, read), self.find(boxed.args[0]));
        }
    }
}
