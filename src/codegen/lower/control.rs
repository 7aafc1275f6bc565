//! Jumps, branches, the ways out, and the test for pending work.

use cranelift_codegen::ir::TrapCode;
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, InstructionData, Value, ValueDef, types};

use crate::cpython::layout::BreakerPlace;
use crate::ir::{Imm, InstData, Target};
use crate::runtime::table::Helper;

use super::{Lower, Version};
use crate::codegen::abi::WORD;

pub(super) fn jump(cx: &mut Lower<'_>, at: &InstData) {
    let (block, args) = target(cx, &at.targets[0]);
    cx.code.builder.ins().jump(block, &args);
}

/// The target that leaves the innermost loop comes first: Cranelift hoists nothing out of a loop whose
/// branches name the next turn before the way out.
pub(super) fn branch(cx: &mut Lower<'_>, at: &InstData) {
    let from = cx.at_block;
    let condition = cx.arg(at, 0);
    let (then, then_args) = target(cx, &at.targets[0]);
    let (other, other_args) = target(cx, &at.targets[1]);
    let stays = |number: usize| cx.stays_in_loop(from, at.targets[number].block);
    if stays(0) && !stays(1) {
        let opposite = negated(cx, condition);
        cx.code.builder.ins().brif(opposite, other, &other_args, then, &then_args);
    } else {
        cx.code.builder.ins().brif(condition, then, &then_args, other, &other_args);
    }
}

/// The opposite of a truth value, as a comparison where it is one.
fn negated(cx: &mut Lower<'_>, condition: Value) -> Value {
    let dfg = &cx.code.builder.func.dfg;
    let data = match dfg.value_def(condition) {
        ValueDef::Result(inst, _) => Some(dfg.insts[inst]),
        ValueDef::Param(..) | ValueDef::Union(..) => None,
    };
    match data {
        Some(InstructionData::IntCompare { cond, args: [a, b], .. }) => {
            cx.code.builder.ins().icmp(cond.complement(), a, b)
        }
        Some(InstructionData::FloatCompare { cond, args: [a, b], .. }) => {
            cx.code.builder.ins().fcmp(cond.complement(), a, b)
        }
        _ => cx.code.builder.ins().bxor_imm_u(condition, 1),
    }
}

fn target(cx: &mut Lower<'_>, target: &Target) -> (Block, Vec<BlockArg>) {
    let args = cx.values(&target.args).into_iter().map(BlockArg::from).collect();
    (cx.block(target.block), args)
}

pub(super) fn ret(cx: &mut Lower<'_>, at: &InstData) {
    let value = cx.arg(at, 0);
    cx.return_value(value);
}

pub(super) fn raise(cx: &mut Lower<'_>, at: &InstData) {
    let exception = cx.arg(at, 0);
    let cause = if at.args.len() > 1 { cx.arg(at, 1) } else { cx.code.word(0) };
    cx.code.call(Helper::ObjRaise, &[exception, cause]);
    cx.fail();
}

pub(super) fn raise_unbound(cx: &mut Lower<'_>, at: &InstData) {
    let name = super::object::named_constant(cx, at);
    cx.code.call(Helper::RaiseUnbound, &[name]);
    cx.fail();
}

pub(super) fn leave(cx: &mut Lower<'_>, _at: &InstData) {
    let exit = cx.exit_block();
    cx.code.jump(exit, &[]);
}

pub(super) fn unreachable(cx: &mut Lower<'_>, _at: &InstData) {
    cx.code.builder.ins().trap(TrapCode::unwrap_user(1));
}

pub(super) fn pending(cx: &mut Lower<'_>, at: &InstData) {
    let found = pending_work(cx);
    let truth = cx.code.builder.ins().icmp_imm_u(IntCC::NotEqual, found, 0);
    cx.result(at, truth);
}

pub(super) fn anchor(_cx: &mut Lower<'_>, _at: &InstData) {}

pub(super) fn poll(cx: &mut Lower<'_>, _at: &InstData) {
    let done = cx.code.block();
    let status = poll_aside(cx, Helper::Poll, done);
    cx.fail_if_negative(status);
    cx.code.jump(done, &[]);
    cx.code.enter(done);
}

/// Goes to `done` when nothing is pending, else through the helper; what it answers.
pub(super) fn poll_aside(cx: &mut Lower<'_>, helper: Helper, done: Block) -> Value {
    let pending = cx.code.cold_block();
    let found = pending_work(cx);
    cx.code.builder.ins().brif(found, pending, &[], done, &[]);
    cx.code.enter(pending);
    poll_helper(cx, helper)
}

/// Whether the eval loop would look after something.
fn pending_work(cx: &mut Lower<'_>) -> Value {
    let breaker = cx.code.layout.breaker;
    let (address, offset) = match breaker.place {
        BreakerPlace::Thread(offset) => (cx.thread(), offset),
        BreakerPlace::Interpreter(offset) => {
            let interpreter = cx.code.layout.thread.interpreter;
            let thread = cx.thread();
            (cx.code.load_constant(thread, interpreter), offset)
        }
    };
    // Little-endian: the low bits of the word stand first.
    let found = match (breaker.width, breaker.mask) {
        (_, 0xff) => cx.code.load(types::I8, address, offset),
        (4, 0xffff_ffff) => cx.code.load(types::I32, address, offset),
        (_, mask) => {
            let word = cx.code.load(WORD, address, offset);
            cx.code.builder.ins().band_imm_u(word, mask.cast_signed())
        }
    };
    cx.code.compare_constant(IntCC::NotEqual, found, 0)
}

/// Signal handlers count their own depth, so the thread state must say how deep this call is, also in
/// a body that else leaves the counter alone.
fn poll_helper(cx: &mut Lower<'_>, helper: Helper) -> Value {
    let thread = cx.thread();
    let mut args = vec![thread];
    if helper == Helper::PollCells {
        args.push(cx.loaded_unit());
    }
    if cx.version != Version::Body || cx.keeps_depth {
        return cx.code.call_aside(helper, &args)[0];
    }
    let offset = cx.code.layout.thread.recursion_remaining;
    let before = cx.code.load(types::I32, thread, offset);
    cx.store_depth(1);
    let status = cx.code.call_aside(helper, &args)[0];
    cx.code.store(before, thread, offset);
    status
}

/// The immediate of an op that carries a count.
pub(super) fn count(at: &InstData) -> u32 {
    let Imm::Count(count) = at.imm else { unreachable!("the verifier checks immediates") };
    count
}
