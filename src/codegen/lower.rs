//! From CIR to CLIF: the blocks of one version of a function.
//!
//! The ops' lowerings stand in `lower/`, a function per row of the op table, named as the row; the
//! dispatcher is generated from the table, so a row without a lowering does not compile. Blocks are
//! written in reverse postorder, so every value is written before it is used. In a resume function,
//! which is entered at many points, the values that live across an entry are frontend variables; all
//! others, and all in a body, are CLIF values directly.

mod bool;
mod bytes;
mod cached;
mod call;
mod control;
mod exceptions;
mod float;
mod guard;
mod int;
mod list;
mod object;
mod patterns;
mod quick;
mod refcount;
mod sealed;
mod store;
mod str;

use cranelift_codegen::ir::{Block, FuncRef, InstBuilder, StackSlot, Value};
use cranelift_frontend::Variable;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::loops::Loops;
use crate::for_each_op;
use crate::ir;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;
use crate::ir::{Effects, FuncId, Function, Inst, InstData, Op};
use crate::runtime::data::Fixed;
use crate::runtime::meta::CacheKind;

use super::abi::machine_type;
use super::carried::{Depth, Thread};
use super::code::Code;
use super::leave::Cold;
use super::plan::Header;
use super::unit::UnitContext;

macro_rules! declare_dispatcher {
    ($($group:ident { $(
        $(#[$doc:meta])*
        $variant:ident = $name:ident($($operand:ident $(($of:ident))?),*) -> ($($result:ident),*), $imm:ident,
            [$($effect:ident),*] $(, $varying:ident)?;
    )* })*) => {
        /// Writes one instruction.
        fn lower(cx: &mut Lower<'_>, at: &InstData) {
            match at.op { $($( Op::$variant => $group::$name(cx, at), )*)* }
        }
    };
}

for_each_op!(declare_dispatcher);

/// Which version of a function is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// The specialised one, as a body.
    Body,
    /// The generic one, as a resume function.
    Resume,
    /// A specialised one that begins at a loop of the generic one.
    Loop,
}

/// Where a CIR value is kept.
#[derive(Clone, Copy, Debug)]
enum Home {
    Nowhere,
    Direct(Value),
    Variable(Variable),
}

/// A version of a function being lowered.
pub(super) struct Lower<'a> {
    /// The function being written.
    pub(super) code: Code<'a>,
    /// What all functions of the unit share.
    pub(super) unit: &'a UnitContext<'a>,
    /// The version being read.
    pub(super) func: &'a Function,
    /// Which version it is.
    pub(super) version: Version,
    /// Where the thread state is.
    pub(super) thread: Thread,
    /// Where the depth is.
    pub(super) depth: Depth,
    /// Whether the thread state's counter has to be right inside this body.
    pub(super) keeps_depth: bool,
    /// The bodies that the function calls directly.
    pub(super) callees: FxHashMap<FuncId, FuncRef>,
    /// The block being written.
    pub(super) at_block: ir::Block,
    /// The instruction being written.
    pub(super) inst: Inst,
    /// Cold paths that are still to be written.
    pub(super) cold: Cold,
    /// Blocks that begin in the middle of a CIR block, by block and position.
    pub(super) splits: FxHashMap<(ir::Block, usize), Block>,
    /// The loop headers at which a generic version asks for a specialised loop, by the places of
    /// [`Lower::splits`].
    pub(super) headers: FxHashMap<(ir::Block, usize), Header>,
    /// The memory that the caller lends for slots and words: in resume functions and loop versions.
    pub(super) lent: Option<Value>,
    /// In a loop version: how many turns loops have made.
    pub(super) turns: Option<Variable>,
    /// What the reads of items since the last op that changes anything found in their lists.
    known_items: Vec<list::KnownItem>,
    /// The same of the reads of fields.
    known_fields: Vec<sealed::KnownField>,
    cfg: Cfg,
    loops: Loops,
    homes: Vec<Home>,
    blocks: Vec<Option<Block>>,
    scratch: Option<(StackSlot, usize)>,
}

/// What a [`Lower`] is made of, besides the code.
pub(super) struct Parts<'a> {
    pub(super) unit: &'a UnitContext<'a>,
    pub(super) func: &'a Function,
    pub(super) version: Version,
    pub(super) thread: Thread,
    pub(super) depth: Value,
    pub(super) callees: FxHashMap<FuncId, FuncRef>,
}

impl<'a> Lower<'a> {
    /// A version of which nothing is written yet.
    pub(super) fn new(code: Code<'a>, parts: Parts<'a>) -> Lower<'a> {
        let Parts { unit, func, version, thread, depth, callees } = parts;
        let cfg = Cfg::of(func);
        let loops = Loops::of(&cfg, &Dominators::of(&cfg));
        Lower {
            code,
            unit,
            func,
            version,
            thread,
            depth: depth.into(),
            keeps_depth: version != Version::Resume && runs_foreign_code(func),
            callees,
            at_block: func.entry(),
            inst: Inst::new(0),
            cold: Cold::default(),
            splits: FxHashMap::default(),
            headers: FxHashMap::default(),
            lent: None,
            turns: None,
            known_items: Vec::new(),
            known_fields: Vec::new(),
            cfg,
            loops,
            homes: vec![Home::Nowhere; func.values.len()],
            blocks: vec![None; func.blocks.len()],
            scratch: None,
        }
    }

    /// Keeps these values in variables.
    pub(super) fn declare_variables(&mut self, values: &FxHashSet<ir::Value>) {
        let mut values: Vec<ir::Value> = values.iter().copied().collect();
        values.sort_unstable();
        for value in values {
            let variable = self.code.builder.declare_var(machine_type(self.func.ty(value)));
            self.homes[value.index()] = Home::Variable(variable);
        }
    }

    /// Writes all blocks and ends the function. Its first block is gone to already.
    pub(super) fn write_blocks(mut self) {
        let blocks = self.cfg.reverse_postorder().to_vec();
        for block in blocks {
            self.write_block(block);
        }
        self.code.shares_address = false;
        self.write_shared_cold_paths();
        self.code.finish();
    }

    fn write_block(&mut self, block: ir::Block) {
        let func = self.func;
        let target = self.block(block);
        self.at_block = block;
        self.code.shares_address = self.loops.innermost(block).is_some();
        self.forget_known();
        self.code.builder.switch_to_block(target);
        let params = self.code.builder.block_params(target).to_vec();
        for (&param, value) in func.block(block).params.iter().zip(params) {
            self.set_value(param, value);
        }
        if let Some(turns) = self.turns
            && self.loops.all().iter().any(|found| found.header == block)
        {
            let before = self.code.builder.use_var(turns);
            let after = self.code.builder.ins().iadd_imm_s(before, 1);
            self.code.builder.def_var(turns, after);
        }
        for (position, &inst) in func.block(block).insts.iter().enumerate() {
            if let Some(&header) = self.headers.get(&(block, position)) {
                self.ask_for_loop(header);
            }
            if let Some(&split) = self.splits.get(&(block, position)) {
                self.code.jump(split, &[]);
                self.code.builder.switch_to_block(split);
            }
            self.write_inst(inst);
        }
    }

    fn write_inst(&mut self, inst: Inst) {
        let at = self.func.inst(inst);
        self.inst = inst;
        if self.unit.forces_exits {
            self.count_down_to_exit(at);
        }
        self.code.place.trace = may_be_seen(at).then(|| self.trace(inst));
        lower(self, at);
        if changes_items(at.op) && !sealed::keeps_known(self, at) {
            self.forget_known();
        }
        if at.catches() {
            self.write_caught(inst);
        } else {
            self.write_cold_paths(inst, at.op.is_terminator());
        }
        self.code.place.trace = None;
    }

    fn forget_known(&mut self) {
        self.known_items.clear();
        self.known_fields.clear();
    }

    /// The number of the instruction's trace.
    pub(super) fn trace(&self, inst: Inst) -> u32 {
        self.unit.traces.borrow_mut().number(self.func, inst, self.unit.positions)
    }

    /// The CLIF block that a CIR block begins with.
    pub(super) fn block(&mut self, block: ir::Block) -> Block {
        if let Some(known) = self.blocks[block.index()] {
            return known;
        }
        let data = self.func.block(block);
        let target = if data.cold { self.code.cold_block() } else { self.code.builder.create_block() };
        for &param in &data.params {
            self.code.builder.append_block_param(target, machine_type(self.func.ty(param)));
        }
        self.blocks[block.index()] = Some(target);
        target
    }

    /// The CLIF value of a CIR value.
    ///
    /// # Panics
    /// When the value is not written yet, which the order of the blocks rules out in verified functions.
    pub(super) fn value(&mut self, value: ir::Value) -> Value {
        match self.homes[value.index()] {
            Home::Direct(known) => known,
            Home::Variable(variable) => self.code.builder.use_var(variable),
            Home::Nowhere => panic!("{value} of {} is used before it is written", self.func.name),
        }
    }

    /// The CLIF values of several CIR values.
    pub(super) fn values(&mut self, values: &[ir::Value]) -> Vec<Value> {
        values.iter().map(|&value| self.value(value)).collect()
    }

    /// An operand of the instruction.
    pub(super) fn arg(&mut self, at: &InstData, number: usize) -> Value {
        self.value(at.args[number])
    }

    /// The operands of an instruction that has two.
    pub(super) fn args_two(&mut self, at: &InstData) -> (Value, Value) {
        (self.arg(at, 0), self.arg(at, 1))
    }

    /// The operands of an instruction that has three.
    pub(super) fn args_three(&mut self, at: &InstData) -> (Value, Value, Value) {
        (self.arg(at, 0), self.arg(at, 1), self.arg(at, 2))
    }

    /// Says what a CIR value is.
    pub(super) fn set_value(&mut self, value: ir::Value, known: Value) {
        match self.homes[value.index()] {
            Home::Variable(variable) => self.code.builder.def_var(variable, known),
            Home::Nowhere | Home::Direct(_) => self.homes[value.index()] = Home::Direct(known),
        }
    }

    /// Says what the instruction's only result is.
    pub(super) fn result(&mut self, at: &InstData, value: Value) {
        self.set_value(at.results[0], value);
    }

    /// Whether an edge from the block that is being written stays in the innermost loop around it.
    pub(super) fn stays_in_loop(&self, from: ir::Block, to: ir::Block) -> bool {
        self.loops.innermost(from).is_some_and(|number| self.loops.contains(number, to))
    }

    /// A new inline cache, and its offset in the data.
    pub(super) fn new_cache(&mut self, kind: CacheKind) -> (Value, usize) {
        let number = self.unit.add_cache(kind);
        let word = self.code.word(i64::try_from(number).expect("counted budgets keep units small"));
        (word, self.code.data.cache(number))
    }

    /// The loaded unit, as helpers take it.
    pub(super) fn loaded_unit(&mut self) -> Value {
        self.code.fixed(Fixed::Unit)
    }

    /// The address of scratch words for a call's arguments or results; the next use overwrites them.
    pub(super) fn scratch(&mut self, words: usize) -> StackSlot {
        match self.scratch {
            Some((slot, room)) if room >= words => slot,
            _ => {
                let slot = self.code.slot(words);
                self.scratch = Some((slot, words));
                slot
            }
        }
    }
}

/// Whether other items than before may stand in lists behind the op.
fn changes_items(op: Op) -> bool {
    let changing = [Effects::FOREIGN, Effects::RAISES, Effects::WRITES];
    op == Op::Poll || op.calls_body() || changing.iter().any(|&effect| op.effects().has(effect))
}

/// Whether the op runs code that may ask how deep the calls are nested.
fn is_foreign(op: Op) -> bool {
    op.effects().has(Effects::FOREIGN) && !op.calls_body()
}

/// Whether something may look at the stack while the instruction runs, or in the generic version that goes
/// on in its place.
fn may_be_seen(at: &InstData) -> bool {
    let effects = at.op.effects();
    effects.has(Effects::FOREIGN) || effects.has(Effects::RAISES) || effects.has(Effects::EXITS)
}

fn runs_foreign_code(func: &Function) -> bool {
    let insts = func.layout.iter().flat_map(|&block| &func.block(block).insts);
    insts.into_iter().any(|&inst| is_foreign(func.inst(inst).op))
}
