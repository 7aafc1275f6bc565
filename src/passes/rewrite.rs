//! Rewriting instructions in place, block by block: what the local passes share.
//!
//! A pass visits every instruction with [`rewrite_insts`] and may change it, put new ones in front of
//! it, drop it, or say that its result is another value. An instruction keeps its results when it
//! becomes another op, so that only replaced values touch the rest of the function.

use rustc_hash::FxHashMap;

use crate::ir::Block;
use crate::ir::Function;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::InstData;
use crate::ir::Op;
use crate::ir::Value;

/// Whether an instruction stays in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It stays, changed or not.
    Yes,
    /// It goes.
    No,
}

/// A function that is being rewritten.
pub struct Rewriter<'f> {
    /// The function.
    pub func: &'f mut Function,
    before: Vec<Inst>,
    replaced: FxHashMap<Value, Value>,
}

impl Rewriter<'_> {
    /// Puts a new instruction with one result in front of the one that is being visited, which it
    /// stands for in tracebacks.
    pub fn emit(&mut self, at: Inst, op: Op, imm: Imm, args: &[Value]) -> Value {
        let like = self.func.inst(at);
        let (range, site) = (like.range, like.site);
        let args = args.to_vec();
        let data =
            InstData { op, imm, args, results: Vec::new(), targets: Vec::new(), range, exit: None, site };
        let inst = self.func.add_inst(data, op.row().results);
        self.before.push(inst);
        self.func.inst(inst).results[0]
    }

    /// The same with an exit: that of the instruction being visited.
    pub fn emit_exiting(&mut self, at: Inst, op: Op, args: &[Value]) -> Value {
        let value = self.emit(at, op, Imm::None, args);
        let exit = self.func.inst(at).exit.expect("only an instruction that exits lends its exit state");
        let state = self.func.exit(exit).clone();
        let copy = self.func.add_exit(state);
        let inst = *self.before.last().expect("emit added it");
        self.func.inst_mut(inst).exit = Some(copy);
        value
    }

    /// A constant in front of the instruction that is being visited.
    pub fn emit_int(&mut self, at: Inst, value: i64) -> Value {
        self.emit(at, Op::IntConst, Imm::Int(value), &[])
    }

    /// Makes the instruction another op without an exit.
    pub fn become_op(&mut self, inst: Inst, op: Op, args: &[Value]) {
        let data = self.func.inst_mut(inst);
        data.op = op;
        data.imm = Imm::None;
        data.args = args.to_vec();
        data.exit = None;
    }

    /// Makes the instruction a constant.
    pub fn become_constant(&mut self, inst: Inst, op: Op, imm: Imm) {
        self.become_op(inst, op, &[]);
        self.func.inst_mut(inst).imm = imm;
    }

    /// Drops the instruction, whose one result is this other value.
    pub fn replace(&mut self, inst: Inst, by: Value) -> Keep {
        let result = self.func.inst(inst).results[0];
        self.replaced.insert(result, by);
        Keep::No
    }
}

/// Visits the instructions of the blocks in the layout; what a visit puts in front is not visited itself.
pub fn rewrite_insts(func: &mut Function, mut visit: impl FnMut(&mut Rewriter<'_>, Inst) -> Keep) {
    let blocks: Vec<Block> = func.layout.clone();
    let mut rewriter = Rewriter { func, before: Vec::new(), replaced: FxHashMap::default() };
    for block in blocks {
        let insts = std::mem::take(&mut rewriter.func.block_mut(block).insts);
        let mut kept = Vec::with_capacity(insts.len());
        for inst in insts {
            let keep = visit(&mut rewriter, inst);
            kept.append(&mut rewriter.before);
            if keep == Keep::Yes {
                kept.push(inst);
            }
        }
        rewriter.func.block_mut(block).insts = kept;
    }
    let replaced = std::mem::take(&mut rewriter.replaced);
    if !replaced.is_empty() {
        replace_uses(rewriter.func, &replaced);
    }
}

fn replace_uses(func: &mut Function, replaced: &FxHashMap<Value, Value>) {
    let resolve = |mut value: Value| {
        while let Some(&by) = replaced.get(&value) {
            value = by;
        }
        value
    };
    for number in 0..func.layout.len() {
        let block = func.layout[number];
        for position in 0..func.block(block).insts.len() {
            let inst = func.block(block).insts[position];
            func.map_uses(inst, resolve);
        }
    }
}
