//! Early returns of callees, taken by the caller.
//!
//! ```text
//! fn0 "fib" -> i64:                        ... in a caller:
//! b0(v0: i64):                                 v2 = int.compare lt v1, two
//!     control.poll                             control.branch v2 -> b1, b2
//!     v1 = int.compare lt v0, two          b1:
//!     control.branch v1 -> b1, b2              guard.depth 1 exit [..]
//! b1:                                          control.jump -> b3(v1)
//!     control.ret v0                       b2:
//!                                              v3 = call.direct fn0 v1 exit [..]
//!                                              control.jump -> b3(v3)
//!                                          b3(v4: i64):
//! ```
//!
//! Half of the calls of a recursive function do nothing but find that they are done. Where a body begins
//! with a test that leads to a return at once, a call that is not inlined repeats that test and calls only
//! if it fails. The early return counts for the recursion limit, as an inlined call does.

use rustc_hash::FxHashMap;

use crate::ir::{Block, Def, Effects, Function, Imm, Inst, InstData, Op, Target, Type, Value};

/// How many instructions the test and the return have at most.
const MAX_EARLY: usize = 12;

/// The beginning of a body that may return at once.
pub(super) struct EarlyReturn<'a> {
    body: &'a Function,
    test: Inst,
    /// Which target of the test returns.
    returning: usize,
}

impl<'a> EarlyReturn<'a> {
    /// The early return that a body begins with, if it does.
    pub(super) fn of(body: &'a Function) -> Option<EarlyReturn<'a>> {
        let entry = body.entry();
        let test = body.terminator(entry);
        if body.inst(test).op != Op::Branch || !is_pure_but_for_entry(body, entry) {
            return None;
        }
        let returning = (0..2).find(|&number| {
            let block = body.inst(test).targets[number].block;
            body.inst(body.terminator(block)).op == Op::Return && is_pure_but_for_entry(body, block)
        })?;
        let early = body.inst(test).targets[returning].block;
        let size = body.block(entry).insts.len() + body.block(early).insts.len();
        (size <= MAX_EARLY).then_some(EarlyReturn { body, test, returning })
    }

    /// Puts the test in front of the call that stands behind its mark at `position` of the block. The mark
    /// becomes the early return's claim on `depth` levels of recursion.
    pub(super) fn put_before(&self, func: &mut Function, block: Block, position: usize, depth: u32) -> Block {
        let rest = func.block_mut(block).insts.split_off(position - 1);
        let (mark, old) = (rest[0], rest[1]);
        let call = func.inst(old).clone();
        let after = func.add_detached_block();
        func.block_mut(after).insts = rest[2..].to_vec();
        func.block_mut(after).params.extend_from_slice(&call.results);
        for (number, &result) in call.results.iter().enumerate() {
            func.values[result.index()].def = Def::Param(after, number);
        }
        let (early, slow) = (func.add_detached_block(), func.add_detached_block());
        let place = func.layout.iter().position(|&other| other == block);
        let place = place.expect("the block of a call lies in the layout") + 1;
        func.layout.splice(place..place, [early, slow, after]);
        func.inst_mut(mark).imm = Imm::Count(depth);
        func.block_mut(early).insts.push(mark);
        self.copy_test(func, &call, block, [early, slow], after);
        let types: Vec<Type> = call.results.iter().map(|&result| func.ty(result)).collect();
        let site_of_call = call.clone();
        let again = func.add_inst(call, &types);
        func.copy_shown(old, again);
        func.block_mut(slow).insts.push(again);
        let results = func.inst(again).results.clone();
        push_jump(func, &site_of_call, slow, Target { block: after, args: results });
        after
    }

    fn copy_test(&self, func: &mut Function, call: &InstData, block: Block, ways: [Block; 2], after: Block) {
        let [early, slow] = ways;
        let body = self.body;
        let mut values: FxHashMap<Value, Value> =
            body.params().iter().copied().zip(call.args.iter().copied()).collect();
        copy_pure(func, body, call, body.entry(), block, &mut values);
        let test = body.inst(self.test);
        let mut targets = vec![Target { block: slow, args: Vec::new() }; 2];
        targets[self.returning].block = early;
        let branch = InstData {
            op: Op::Branch,
            args: vec![values[&test.args[0]]],
            results: Vec::new(),
            targets,
            exit: None,
            ..call.clone()
        };
        let branch = func.add_inst(InstData { imm: Imm::None, ..branch }, &[]);
        func.block_mut(block).insts.push(branch);
        let returning = &test.targets[self.returning];
        let passed: Vec<Value> = returning.args.iter().map(|arg| values[arg]).collect();
        values.extend(body.block(returning.block).params.iter().copied().zip(passed));
        copy_pure(func, body, call, returning.block, early, &mut values);
        let result = body.inst(body.terminator(returning.block)).args[0];
        push_jump(func, call, early, Target { block: after, args: vec![values[&result]] });
    }
}

/// Whether all of a block but its terminator may be repeated, what stands at a beginning aside.
fn is_pure_but_for_entry(body: &Function, block: Block) -> bool {
    let insts = &body.block(block).insts;
    insts[..insts.len() - 1].iter().all(|&inst| {
        let data = body.inst(inst);
        belongs_to_entry(data.op)
            || (data.op.effects() == Effects::NONE && data.results.iter().all(|&v| body.ty(v) != Type::Obj))
    })
}

/// Whether a call that returns at once can do without the op: the caller polls, and claims the depth.
fn belongs_to_entry(op: Op) -> bool {
    matches!(op, Op::Anchor | Op::GuardDepth | Op::Poll)
}

/// Copies a block of a body but for what belongs to an entry and its terminator.
fn copy_pure(
    func: &mut Function,
    body: &Function,
    call: &InstData,
    from: Block,
    to: Block,
    values: &mut FxHashMap<Value, Value>,
) {
    let insts = &body.block(from).insts;
    for &inst in insts[..insts.len() - 1].iter().filter(|&&inst| !belongs_to_entry(body.inst(inst).op)) {
        let data = body.inst(inst);
        let types: Vec<Type> = data.results.iter().map(|&result| body.ty(result)).collect();
        let args = data.args.iter().map(|arg| values[arg]).collect();
        let copy = InstData { args, range: call.range, site: call.site, ..data.clone() };
        let copy = func.add_inst(copy, &types);
        values.extend(data.results.iter().copied().zip(func.inst(copy).results.iter().copied()));
        func.block_mut(to).insts.push(copy);
    }
}

fn push_jump(func: &mut Function, call: &InstData, from: Block, target: Target) {
    let data = InstData {
        op: Op::Jump,
        imm: Imm::None,
        args: Vec::new(),
        results: Vec::new(),
        targets: vec![target],
        exit: None,
        ..call.clone()
    };
    let jump = func.add_inst(data, &[]);
    func.block_mut(from).insts.push(jump);
}
