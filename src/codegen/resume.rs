//! Resume functions: the generic version behind `(thread, depth, entry number, slots, result)`.
//!
//! A table of jumps leads to the entries that the unit's exits use. Each entry takes the words of its
//! slots and goes into the middle of the generic version. All words are owned references; those of
//! values that the generic version only borrows (constants) are dropped at once, and the unit's own taken.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    Block, BlockCall, FuncRef, InstBuilder, JumpTableData, TrapCode, Type, Value, types,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::ir;
use crate::ir::dominators::Positions;
use crate::ir::{Def, Effects, FuncId, Function, Imm, Inst, Op, Point};
use crate::runtime::data::{ASKS, WORD as WORD_BYTES};

use super::abi::{WORD, machine_type};
use super::body::enter_version;
use super::carried::Thread;
use super::code::{Code, displacement};
use super::lower::{Lower, Parts, Version};
use super::plan::{Entry, Header};
use super::unit::UnitContext;

/// Writes the resume function of a function.
pub(super) fn write_resume(
    mut code: Code<'_>,
    unit: &UnitContext<'_>,
    func: &Function,
    callees: FxHashMap<FuncId, FuncRef>,
) {
    let first = code.block();
    code.builder.append_block_params_for_function_params(first);
    code.enter(first);
    let params = code.builder.block_params(first).to_vec();
    let [thread, depth, number, slots, result] = params[..] else {
        unreachable!("the signature has five parameters")
    };
    code.take_segment();
    code.is_compact = unit.symbols[func.id.index()].body.is_some() || !unit.unit.function(func.id).gains;
    let thread = Thread::Argument(thread);
    let mut cx = Lower::new(code, Parts { unit, func, version: Version::Resume, thread, depth, callees });
    let entries = unit.plan.entries(func.id);
    cx.declare_variables(&values_across(func, entries));
    let places = Places(Positions::of(func));
    let blocks: Vec<Block> = entries.iter().map(|_| cx.code.block()).collect();
    cx.lent = Some(slots);
    for &header in unit.plan.headers(func.id) {
        let place = places.before(func, header.inst);
        cx.headers.insert(place, header);
    }
    dispatch(&mut cx, number, &blocks);
    for (entry, &block) in entries.iter().zip(&blocks) {
        cx.code.enter(block);
        write_entry(&mut cx, entry, &places, slots, result);
    }
    cx.write_blocks();
}

/// The values that more than one path defines: those in slots, and results that arrive from outside.
fn values_across(func: &Function, entries: &[Entry]) -> FxHashSet<ir::Value> {
    let mut values = FxHashSet::default();
    for entry in entries {
        match entry.point {
            Point::Entry => {}
            Point::Before(_) => values.extend(entry.slots.iter().copied()),
            Point::After(inst) => {
                values.extend(entry.slots.iter().copied());
                values.extend(func.inst(inst).results.iter().copied());
            }
        }
    }
    values
}

/// Goes to the entry of this number.
fn dispatch(cx: &mut Lower<'_>, number: Value, entries: &[Block]) {
    if let [only] = entries {
        return cx.code.jump(*only, &[]);
    }
    let none = cx.code.cold_block();
    let pool = &mut cx.code.builder.func.dfg.value_lists;
    let calls: Vec<BlockCall> = entries.iter().map(|&entry| BlockCall::new(entry, [], pool)).collect();
    let default = BlockCall::new(none, [], pool);
    let table = cx.code.builder.create_jump_table(JumpTableData::new(default, &calls));
    let number = cx.code.builder.ins().ireduce(types::I32, number);
    cx.code.builder.ins().br_table(number, table);
    cx.code.enter(none);
    cx.code.builder.ins().trap(TrapCode::unwrap_user(1));
}

/// Takes the words of an entry's slots and goes to its point.
fn write_entry(cx: &mut Lower<'_>, entry: &Entry, places: &Places, slots: Value, result: Value) {
    let words: Vec<Value> =
        entry.slots.iter().enumerate().map(|(number, &value)| load_slot(cx, value, slots, number)).collect();
    match entry.point {
        Point::Entry => enter_version(cx, &words),
        Point::Before(inst) => {
            take_slots(cx, entry, &words);
            let target = split_block(cx, places.before(cx.func, inst));
            cx.code.jump(target, &[]);
        }
        Point::After(inst) => {
            take_slots(cx, entry, &words);
            write_result(cx, entry, inst, result);
            let target = split_block(cx, places.after(cx.func, inst));
            drop_unused_result(cx, places, inst);
            cx.code.jump(target, &[]);
        }
    }
}

impl Lower<'_> {
    /// At a loop header: counts the turn, and when the counter falls below zero hands the slots over to
    /// the caller, who knows whether a specialised loop can go on.
    pub(super) fn ask_for_loop(&mut self, header: Header) {
        let (address, offset) =
            (self.code.data_address(), displacement(self.code.data.counter(header.counter as usize)));
        let left = self.code.load(WORD, address, offset);
        let left = self.code.builder.ins().iadd_imm_s(left, -1);
        self.code.store(left, address, offset);
        let (ask, stay) = (self.code.cold_block(), self.code.block());
        let is_time = self.code.compare_constant(IntCC::SignedLessThan, left, 0);
        self.code.builder.ins().brif(is_time, ask, &[], stay, &[]);
        self.code.enter(ask);
        self.hand_slots_over(header);
        self.code.enter(stay);
    }

    fn hand_slots_over(&mut self, header: Header) {
        let lent = self.lent.expect("a resume function gets memory for slots");
        let slots = self.unit.plan.entries(self.func.id)[header.entry as usize].slots.clone();
        for (number, &value) in slots.iter().enumerate() {
            let mut word = self.value(value);
            if is_borrowed(self.func, value) {
                self.code.inc_ref(word);
            }
            if self.func.ty(value) == ir::Type::Bool {
                word = self.code.builder.ins().uextend(WORD, word);
            }
            self.code.store(word, lent, displacement(number * WORD_BYTES));
        }
        let answer = self.code.word(i64::from(header.entry) << 1 | ASKS);
        self.code.builder.ins().return_(&[answer]);
    }
}

fn load_slot(cx: &mut Lower<'_>, value: ir::Value, slots: Value, number: usize) -> Value {
    let ty: Type = machine_type(cx.func.ty(value));
    cx.code.load(ty, slots, displacement(number * WORD_BYTES))
}

fn take_slots(cx: &mut Lower<'_>, entry: &Entry, words: &[Value]) {
    for (&value, &word) in entry.slots.iter().zip(words) {
        if is_borrowed(cx.func, value) {
            cx.code.dec_ref(word);
        }
        let taken = unit_constant(cx, value).unwrap_or(word);
        cx.set_value(value, taken);
    }
}

/// The unit's own object for a constant: the slot may have brought an equal one, which is gone by now.
fn unit_constant(cx: &mut Lower<'_>, value: ir::Value) -> Option<Value> {
    let Imm::Const(constant) = cx.func.def_inst(value).filter(|def| def.op == Op::ObjConst)?.imm else {
        return None;
    };
    let offset = cx.code.data.constant(constant.index());
    Some(cx.code.data_word(offset))
}

/// Whether the generic version owns no reference to an object value: only constants are borrowed.
fn is_borrowed(func: &Function, value: ir::Value) -> bool {
    match func.def(value) {
        Def::Param(..) => false,
        Def::Result(inst, _) => func.inst(inst).op.effects().has(Effects::BORROWS),
    }
}

/// The result of the call that the entry stands behind; null means that the call has raised.
fn write_result(cx: &mut Lower<'_>, entry: &Entry, inst: Inst, result: Value) {
    let (raised, returned) = (cx.code.cold_block(), cx.code.block());
    cx.code.builder.ins().brif(result, returned, &[], raised, &[]);
    cx.code.enter(raised);
    let mut owned = cx.owned(inst);
    let there = |value| entry.slots.binary_search(&value).is_ok();
    owned.retain(|&value| there(value));
    cx.raise(inst, owned, there);
    cx.code.enter(returned);
    if let &[value] = &cx.func.inst(inst).results[..] {
        debug_assert_eq!(machine_type(cx.func.ty(value)), WORD, "a call's result is an object");
        cx.set_value(value, result);
    }
}

/// The entry lies behind the drops that follow the call; that of a result nobody reads is done here.
fn drop_unused_result(cx: &mut Lower<'_>, places: &Places, inst: Inst) {
    let func = cx.func;
    let (block, from) = places.of_inst(inst);
    let insts = &func.block(block).insts[from + 1..];
    for &drop in insts.iter().take_while(|&&inst| func.inst(inst).op == Op::DecRef) {
        let object = func.inst(drop).args[0];
        if func.inst(inst).results.contains(&object) {
            cx.drop_all(&[object]);
        }
    }
}

/// The block that begins at this position.
fn split_block(cx: &mut Lower<'_>, place: (ir::Block, usize)) -> Block {
    match cx.splits.get(&place) {
        Some(&known) => known,
        None => {
            let block = cx.code.block();
            cx.splits.insert(place, block);
            block
        }
    }
}

/// Where resume points lie among the reference counts.
struct Places(Positions);

impl Places {
    fn of_inst(&self, inst: Inst) -> (ir::Block, usize) {
        self.0.get(inst).expect("a resume point lies in the layout")
    }

    /// In front of the counts that stand directly in front of the instruction.
    fn before(&self, func: &Function, inst: Inst) -> (ir::Block, usize) {
        let (block, position) = self.of_inst(inst);
        let counts = func.block(block).insts[..position].iter().rev();
        let counts = counts.take_while(|&&inst| func.inst(inst).op == Op::IncRef).count();
        (block, position - counts)
    }

    /// Behind the drops that stand directly behind the instruction.
    fn after(&self, func: &Function, inst: Inst) -> (ir::Block, usize) {
        let (block, position) = self.of_inst(inst);
        let drops = func.block(block).insts[position + 1..].iter();
        let drops = drops.take_while(|&&inst| func.inst(inst).op == Op::DecRef).count();
        (block, position + 1 + drops)
    }
}
