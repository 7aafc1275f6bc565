//! Loop versions: a specialised version that begins at a loop of the generic one, behind
//! `(thread, depth, nothing, words, nothing) -> answer`.
//!
//! The words are what is live at the loop's header, out of their boxes; objects among them are taken.
//! The answer is the call's result, null with the exception set, or an exit ([`EXITED`]): then the words of
//! the exit stand in the same memory, and behind them how many turns the loops made.
//!
//! [`EXITED`]: crate::runtime::data::EXITED

use cranelift_codegen::ir::{FuncRef, Value};
use rustc_hash::FxHashMap;

use crate::ir::{FuncId, Function};
use crate::runtime::data::WORD as WORD_BYTES;

use super::abi::{WORD, machine_type};
use super::body::enter_version;
use super::carried::Thread;
use super::code::{Code, displacement};
use super::lower::{Lower, Parts, Version};
use super::unit::UnitContext;

/// Writes a loop version.
pub(super) fn write_loop(
    mut code: Code<'_>,
    unit: &UnitContext<'_>,
    func: &Function,
    callees: FxHashMap<FuncId, FuncRef>,
) {
    let first = code.block();
    code.builder.append_block_params_for_function_params(first);
    code.enter(first);
    let params = code.builder.block_params(first).to_vec();
    let [thread, depth, _, words, _] = params[..] else { unreachable!("the signature has five parameters") };
    code.take_segment();
    let register = code.lend_register(thread);
    let thread = Thread::Borrowed(register);
    let mut cx = Lower::new(code, Parts { unit, func, version: Version::Loop, thread, depth, callees });
    cx.lent = Some(words);
    let turns = cx.code.builder.declare_var(WORD);
    let none = cx.code.word(0);
    cx.code.builder.def_var(turns, none);
    cx.turns = Some(turns);
    let params: Vec<Value> = func
        .params()
        .iter()
        .enumerate()
        .map(|(number, &param)| {
            let ty = machine_type(func.ty(param));
            cx.code.load(ty, words, displacement(number * WORD_BYTES))
        })
        .collect();
    enter_version(&mut cx, &params);
    cx.write_blocks();
}
