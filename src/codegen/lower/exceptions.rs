//! Ops of `try`, `with` and `raise`: one helper call each.

use cranelift_codegen::ir::Value as ClifValue;
use cranelift_codegen::ir::condcodes::IntCC;

use crate::ir::InstData;
use crate::runtime::data::Fixed;
use crate::runtime::table::Helper;

use super::Lower;
use super::object::{done, done_with_operands, named_constant, new_object};

pub(super) fn throw(cx: &mut Lower<'_>, at: &InstData) {
    let args = cx.values(&at.args);
    let cause = match args.get(1) {
        Some(&cause) => cause,
        None => cx.code.word(0),
    };
    cx.code.call(Helper::ObjRaise, &[args[0], cause]);
    always_failed(cx);
}

pub(super) fn throw_unbound(cx: &mut Lower<'_>, at: &InstData) {
    let name = named_constant(cx, at);
    cx.code.call(Helper::RaiseUnbound, &[name]);
    always_failed(cx);
}

/// Ends an op that never succeeds, in the middle of a block.
fn always_failed(cx: &mut Lower<'_>) {
    let null = cx.code.word(0);
    cx.fail_if_null(null);
}

pub(super) fn reraise(cx: &mut Lower<'_>, at: &InstData) {
    done_with_operands(cx, at, Helper::ObjReraise);
}

pub(super) fn reraise_handled(cx: &mut Lower<'_>, _at: &InstData) {
    let (shown, unit) = (cx.show_nothing(cx.inst), cx.loaded_unit());
    let shown = cx.code.word(i64::from(shown));
    done(cx, Helper::ObjReraiseHandled, &[unit, shown]);
}

pub(super) fn catch(cx: &mut Lower<'_>, at: &InstData) {
    let (exception, previous) = cx.code.call_two(Helper::ObjCatch, &[]);
    cx.set_value(at.results[0], exception);
    cx.set_value(at.results[1], previous);
}

pub(super) fn caught_frame(cx: &mut Lower<'_>, at: &InstData) {
    let args = activation_and(cx, at);
    let frame = cx.code.call_one(Helper::ObjCaughtFrame, &args);
    cx.result(at, frame);
}

/// Which function runs, and the operands.
fn activation_and(cx: &mut Lower<'_>, at: &InstData) -> Vec<ClifValue> {
    let function = cx.code.word(i64::try_from(cx.func.id.index()).expect("a unit has few functions"));
    [cx.loaded_unit(), function].into_iter().chain(cx.values(&at.args)).collect()
}

pub(super) fn leave_frame(cx: &mut Lower<'_>, at: &InstData) {
    let frame = cx.arg(at, 0);
    let (shared, done) = (cx.code.cold_block(), cx.code.block());
    let none = cx.code.fixed(Fixed::None);
    let absent = cx.code.compare(IntCC::Equal, frame, none);
    cx.code.branch_if(absent, done);
    cx.code.require_only_reference(frame, shared);
    cx.code.jump(done, &[]);
    cx.code.enter(shared);
    let ([number, words], unit) = (cx.store_shown_copies(cx.inst), cx.loaded_unit());
    cx.code.call(Helper::ObjLeaveFrame, &[unit, number, words]);
    cx.code.jump(done, &[]);
    cx.code.enter(done);
}

pub(super) fn take_error(cx: &mut Lower<'_>, at: &InstData) {
    let args = activation_and(cx, at);
    let (exception, frame) = cx.code.call_two(Helper::ObjTakeError, &args);
    cx.set_value(at.results[0], exception);
    cx.set_value(at.results[1], frame);
}

pub(super) fn end_catch(cx: &mut Lower<'_>, at: &InstData) {
    let previous = cx.arg(at, 0);
    cx.code.call(Helper::ObjEndCatch, &[previous]);
}

pub(super) fn matches(cx: &mut Lower<'_>, at: &InstData) {
    let (exception, class) = cx.args_two(at);
    let answer = cx.code.call_one(Helper::ObjMatches, &[exception, class]);
    cx.fail_if_negative(answer);
    let truth = cx.code.compare_constant(IntCC::NotEqual, answer, 0);
    cx.result(at, truth);
}

pub(super) fn enter_context(cx: &mut Lower<'_>, at: &InstData) {
    two_objects(cx, at, Helper::ObjEnterContext);
}

pub(super) fn exit_context(cx: &mut Lower<'_>, at: &InstData) {
    let (exit, exception) = cx.args_two(at);
    let object = cx.code.call_one(Helper::ObjExitContext, &[exit, exception]);
    new_object(cx, at, object);
}

/// Ends an op with two results, new references or null, null for a failure.
fn two_objects(cx: &mut Lower<'_>, at: &InstData, helper: Helper) {
    let args = cx.values(&at.args);
    let (first, second) = cx.code.call_two(helper, &args);
    cx.fail_if_null(first);
    cx.set_value(at.results[0], first);
    cx.set_value(at.results[1], second);
}

pub(super) fn group_matches(cx: &mut Lower<'_>, at: &InstData) {
    two_objects(cx, at, Helper::ObjGroupMatches);
}

pub(super) fn merge_groups(cx: &mut Lower<'_>, at: &InstData) {
    let (caught, raised) = cx.args_two(at);
    let object = cx.code.call_one(Helper::ObjMergeGroups, &[caught, raised]);
    new_object(cx, at, object);
}
