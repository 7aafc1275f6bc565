//! Ops on objects: one helper call each.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, StackSlot, Value};

use crate::ir;
use crate::ir::{Binary, Const, Imm, InstData, Unary};
use crate::runtime::data::WORD as WORD_BYTES;
use crate::runtime::meta::CacheKind;
use crate::runtime::table::Helper;

use super::Lower;
use super::cached;
pub(super) use super::exceptions::{
    catch, caught_frame, end_catch, enter_context, exit_context, group_matches, leave_frame, matches,
    merge_groups, reraise, reraise_handled, take_error, throw, throw_unbound,
};
pub(super) use super::patterns::{len, match_class, match_keys, type_flag};
use super::quick;
use crate::codegen::abi::{BOOL, WORD};
use crate::codegen::code::displacement;

/// The constant that the immediate names.
pub(super) fn named_constant(cx: &mut Lower<'_>, at: &InstData) -> Value {
    let Imm::Const(constant) = at.imm else { unreachable!("the verifier checks immediates") };
    let offset = cx.code.data.constant(constant.index());
    cx.code.data_word(offset)
}

/// A small number as an argument.
pub(super) fn number(cx: &mut Lower<'_>, number: usize) -> Value {
    cx.code.word(i64::try_from(number).expect("counted budgets keep every list short"))
}

/// Ends an op whose result is a new reference or null.
pub(super) fn new_object(cx: &mut Lower<'_>, at: &InstData, object: Value) {
    cx.fail_if_null(object);
    cx.result(at, object);
}

pub(super) fn constant(cx: &mut Lower<'_>, at: &InstData) {
    let object = named_constant(cx, at);
    cx.result(at, object);
}

pub(super) fn global(cx: &mut Lower<'_>, at: &InstData) {
    cached::global(cx, at);
}

pub(super) fn attr(cx: &mut Lower<'_>, at: &InstData) {
    cached::attr(cx, at);
}

pub(super) fn method(cx: &mut Lower<'_>, at: &InstData) {
    cached::method(cx, at);
}

/// Ends an op without result, whose helper answers 0 or -1.
pub(super) fn done(cx: &mut Lower<'_>, helper: Helper, args: &[Value]) {
    let status = cx.code.call_one(helper, args);
    cx.fail_if_negative(status);
}

pub(super) fn set_attr(cx: &mut Lower<'_>, at: &InstData) {
    cached::set_attr(cx, at);
}

pub(super) fn set_attr_float(cx: &mut Lower<'_>, at: &InstData) {
    cached::set_attr_float(cx, at);
}

pub(super) fn del_attr(cx: &mut Lower<'_>, at: &InstData) {
    let (object, name) = (cx.arg(at, 0), named_constant(cx, at));
    done(cx, Helper::ObjDelAttr, &[object, name]);
}

pub(super) fn set_global(cx: &mut Lower<'_>, at: &InstData) {
    let (value, name, unit) = (cx.arg(at, 0), named_constant(cx, at), cx.loaded_unit());
    done(cx, Helper::ObjSetGlobal, &[unit, name, value]);
}

pub(super) fn item(cx: &mut Lower<'_>, at: &InstData) {
    let (container, key) = cx.args_two(at);
    let done = quick::item(cx, container, key);
    let object = cx.code.call_one(Helper::ObjItem, &[container, key]);
    cx.fail_if_null(object);
    let object = quick::meet(cx, done, object);
    cx.result(at, object);
}

pub(super) fn set_item(cx: &mut Lower<'_>, at: &InstData) {
    let (container, key, value) = cx.args_three(at);
    done(cx, Helper::ObjSetItem, &[container, key, value]);
}

pub(super) fn del_item(cx: &mut Lower<'_>, at: &InstData) {
    let (container, key) = cx.args_two(at);
    done(cx, Helper::ObjDelItem, &[container, key]);
}

pub(super) fn slice(cx: &mut Lower<'_>, at: &InstData) {
    let (start, stop, step) = cx.args_three(at);
    let object = cx.code.call_one(Helper::ObjSlice, &[start, stop, step]);
    new_object(cx, at, object);
}

pub(super) fn contains(cx: &mut Lower<'_>, at: &InstData) {
    let (container, item) = cx.args_two(at);
    let answer = cx.code.call_one(Helper::ObjContains, &[container, item]);
    cx.fail_if_negative(answer);
    let truth = cx.code.compare_constant(IntCC::NotEqual, answer, 0);
    cx.result(at, truth);
}

pub(super) fn binary(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Binary(operator, in_place) = at.imm else { unreachable!("the verifier checks immediates") };
    let row = Binary::ALL.iter().position(|&other| other == operator).expect("every operator is in the list");
    let (a, b) = cx.args_two(at);
    let done = quick::binary(cx, operator, a, b);
    let operator = number(cx, row);
    let in_place = cx.code.word(i64::from(in_place == ir::InPlace::Yes));
    let object = cx.code.call_one(Helper::ObjBinary, &[operator, in_place, a, b]);
    cx.fail_if_null(object);
    let object = quick::meet(cx, done, object);
    cx.result(at, object);
}

pub(super) fn unary(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Unary(operator) = at.imm else { unreachable!("the verifier checks immediates") };
    let row = Unary::ALL.iter().position(|&other| other == operator).expect("every operator is in the list");
    let a = cx.arg(at, 0);
    let operator = number(cx, row);
    let object = cx.code.call_one(Helper::ObjUnary, &[operator, a]);
    new_object(cx, at, object);
}

pub(super) fn compare(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Cmp(cmp) = at.imm else { unreachable!("the verifier checks immediates") };
    let (a, b) = cx.args_two(at);
    let row = ir::Cmp::ALL.iter().position(|&other| other == cmp).expect("every comparison is in the list");
    let done = quick::compare(cx, cmp, a, b);
    let comparison = number(cx, row);
    let object = cx.code.call_one(Helper::ObjCompare, &[comparison, a, b]);
    cx.fail_if_null(object);
    let object = quick::meet(cx, done, object);
    cx.result(at, object);
}

pub(super) fn is(cx: &mut Lower<'_>, at: &InstData) {
    let (a, b) = cx.args_two(at);
    let same = cx.code.compare(IntCC::Equal, a, b);
    cx.result(at, same);
}

pub(super) fn truth(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    let done = quick::truth(cx, object);
    let answer = cx.code.call_one(Helper::ObjTruth, &[object]);
    cx.fail_if_negative(answer);
    let truth = cx.code.compare_constant(IntCC::NotEqual, answer, 0);
    let truth = quick::meet(cx, done, truth);
    cx.result(at, truth);
}

/// Stores operands into scratch words, behind so many that stay free, as vectorcall's offset flag wants it.
pub(super) fn store_operands(cx: &mut Lower<'_>, operands: &[ir::Value], free: usize) -> StackSlot {
    let slot = cx.scratch((operands.len() + free).max(1));
    for (position, &operand) in operands.iter().enumerate() {
        let operand = cx.value(operand);
        let address = cx.code.slot_address(slot, position + free);
        cx.code.store(operand, address, 0);
    }
    slot
}

pub(super) fn call(cx: &mut Lower<'_>, at: &InstData) {
    let callee = cx.arg(at, 0);
    let slot = store_operands(cx, &at.args[1..], 1);
    let args = cx.code.slot_address(slot, 1);
    let count = number(cx, at.args.len() - 1);
    let names = argument_names(cx, at);
    let object = cx.code.call_one(Helper::ObjCall, &[callee, args, count, names]);
    new_object(cx, at, object);
}

pub(super) fn call_method(cx: &mut Lower<'_>, at: &InstData) {
    let callee = cx.arg(at, 0);
    let slot = store_operands(cx, &at.args[1..], 1);
    let args = cx.code.slot_address(slot, 0);
    let count = number(cx, at.args.len() - 2);
    let names = argument_names(cx, at);
    let object = cx.code.call_one(Helper::ObjCallMethod, &[callee, args, count, names]);
    new_object(cx, at, object);
}

/// The names of a call's last arguments, or null.
fn argument_names(cx: &mut Lower<'_>, at: &InstData) -> Value {
    let Imm::Const(names) = at.imm else { unreachable!("the verifier checks immediates") };
    match cx.unit.unit.consts[names.index()] {
        Const::None => cx.code.word(0),
        _ => named_constant(cx, at),
    }
}

pub(super) fn tuple(cx: &mut Lower<'_>, at: &InstData) {
    display(cx, at, Helper::ObjTuple, at.args.len());
}

pub(super) fn list(cx: &mut Lower<'_>, at: &InstData) {
    display(cx, at, Helper::ObjList, at.args.len());
}

pub(super) fn dict(cx: &mut Lower<'_>, at: &InstData) {
    display(cx, at, Helper::ObjDict, at.args.len() / 2);
}

fn display(cx: &mut Lower<'_>, at: &InstData, helper: Helper, count: usize) {
    let slot = store_operands(cx, &at.args, 0);
    let items = cx.code.slot_address(slot, 0);
    let count = number(cx, count);
    let object = cx.code.call_one(helper, &[items, count]);
    new_object(cx, at, object);
}

pub(super) fn new_cell(cx: &mut Lower<'_>, at: &InstData) {
    let value = cx.arg(at, 0);
    let cell = cx.code.call_one(Helper::ObjNewCell, &[value]);
    new_object(cx, at, cell);
}

pub(super) fn empty_cell(cx: &mut Lower<'_>, at: &InstData) {
    let nothing = cx.code.word(0);
    let cell = cx.code.call_one(Helper::ObjNewCell, &[nothing]);
    new_object(cx, at, cell);
}

pub(super) fn load_cell(cx: &mut Lower<'_>, at: &InstData) {
    let (cell, name) = (cx.arg(at, 0), named_constant(cx, at));
    let object = cx.code.call_one(Helper::ObjLoadCell, &[cell, name]);
    new_object(cx, at, object);
}

pub(super) fn load_free(cx: &mut Lower<'_>, at: &InstData) {
    let (cell, name) = (cx.arg(at, 0), named_constant(cx, at));
    let object = cx.code.call_one(Helper::ObjLoadFree, &[cell, name]);
    new_object(cx, at, object);
}

pub(super) fn store_cell(cx: &mut Lower<'_>, at: &InstData) {
    let (cell, value) = cx.args_two(at);
    cx.code.call(Helper::ObjStoreCell, &[cell, value]);
}

pub(super) fn clear_cell(cx: &mut Lower<'_>, at: &InstData) {
    let (cell, nothing) = (cx.arg(at, 0), cx.code.word(0));
    cx.code.call(Helper::ObjStoreCell, &[cell, nothing]);
}

/// The number of the function that the instruction belongs to.
fn function_number(cx: &mut Lower<'_>, at: &InstData) -> Value {
    let function = match at.site {
        Some(site) => cx.func.sites[site.index()].func,
        None => cx.func.id,
    };
    number(cx, function.index())
}

pub(super) fn make_function(cx: &mut Lower<'_>, at: &InstData) {
    let slot = store_operands(cx, &at.args, 0);
    let parts = cx.code.slot_address(slot, 0);
    let (function, nested) = (function_number(cx, at), cx.code.word(i64::from(super::control::count(at))));
    let unit = cx.loaded_unit();
    let object = cx.code.call_one(Helper::ObjMakeFunction, &[unit, function, nested, parts]);
    new_object(cx, at, object);
}

pub(super) fn build_class(cx: &mut Lower<'_>, at: &InstData) {
    let unit = cx.loaded_unit();
    let object = cx.code.call_one(Helper::ObjBuildClass, &[unit]);
    new_object(cx, at, object);
}

pub(super) fn type_alias(cx: &mut Lower<'_>, at: &InstData) {
    let (name, params, function) = cx.args_three(at);
    let object = cx.code.call_one(Helper::ObjTypeAlias, &[name, params, function]);
    new_object(cx, at, object);
}

pub(super) fn super_of(cx: &mut Lower<'_>, at: &InstData) {
    let (callable, cell, first) = cx.args_three(at);
    let object = cx.code.call_one(Helper::ObjSuper, &[callable, cell, first]);
    new_object(cx, at, object);
}

pub(super) fn call_ex(cx: &mut Lower<'_>, at: &InstData) {
    let args = cx.values(&at.args);
    let named = match args.get(2) {
        Some(&named) => named,
        None => cx.code.word(0),
    };
    let object = cx.code.call_one(Helper::ObjCallEx, &[args[0], args[1], named]);
    new_object(cx, at, object);
}

pub(super) fn set(cx: &mut Lower<'_>, at: &InstData) {
    display(cx, at, Helper::ObjSet, at.args.len());
}

/// Ends an op on operands alone, whose helper answers 0 or -1.
pub(super) fn done_with_operands(cx: &mut Lower<'_>, at: &InstData, helper: Helper) {
    let args = cx.values(&at.args);
    done(cx, helper, &args);
}

pub(super) fn list_append(cx: &mut Lower<'_>, at: &InstData) {
    super::list::append(cx, at);
}

pub(super) fn list_extend(cx: &mut Lower<'_>, at: &InstData) {
    done_with_operands(cx, at, Helper::ObjListExtend);
}

pub(super) fn list_to_tuple(cx: &mut Lower<'_>, at: &InstData) {
    let list = cx.arg(at, 0);
    let object = cx.code.call_one(Helper::ObjListToTuple, &[list]);
    new_object(cx, at, object);
}

pub(super) fn set_add(cx: &mut Lower<'_>, at: &InstData) {
    done_with_operands(cx, at, Helper::ObjSetAdd);
}

pub(super) fn set_update(cx: &mut Lower<'_>, at: &InstData) {
    done_with_operands(cx, at, Helper::ObjSetUpdate);
}

pub(super) fn dict_update(cx: &mut Lower<'_>, at: &InstData) {
    done_with_operands(cx, at, Helper::ObjDictUpdate);
}

pub(super) fn dict_merge(cx: &mut Lower<'_>, at: &InstData) {
    done_with_operands(cx, at, Helper::ObjDictMerge);
}

pub(super) fn format(cx: &mut Lower<'_>, at: &InstData) {
    let (object, spec) = cx.args_two(at);
    let conversion = cx.code.word(i64::from(super::control::count(at)));
    let object = cx.code.call_one(Helper::ObjFormat, &[conversion, object, spec]);
    new_object(cx, at, object);
}

pub(super) fn join(cx: &mut Lower<'_>, at: &InstData) {
    display(cx, at, Helper::ObjJoin, at.args.len());
}

pub(super) fn import(cx: &mut Lower<'_>, at: &InstData) {
    let ((names, level), name, unit) = (cx.args_two(at), named_constant(cx, at), cx.loaded_unit());
    let object = cx.code.call_one(Helper::ObjImport, &[unit, name, names, level]);
    new_object(cx, at, object);
}

pub(super) fn import_from(cx: &mut Lower<'_>, at: &InstData) {
    let (module, name) = (cx.arg(at, 0), named_constant(cx, at));
    let object = cx.code.call_one(Helper::ObjImportFrom, &[module, name]);
    new_object(cx, at, object);
}

pub(super) fn del_global(cx: &mut Lower<'_>, at: &InstData) {
    let (name, unit) = (named_constant(cx, at), cx.loaded_unit());
    done(cx, Helper::ObjDelGlobal, &[unit, name]);
}

pub(super) fn unpack_rest(cx: &mut Lower<'_>, at: &InstData) {
    let (before, after) = crate::ir::rest_counts(super::control::count(at));
    let iterable = cx.arg(at, 0);
    let slot = cx.scratch(at.own_results());
    let items = cx.code.slot_address(slot, 0);
    let (before, after) = (number(cx, before), number(cx, after));
    let status = cx.code.call_one(Helper::ObjUnpackRest, &[iterable, before, after, items]);
    cx.fail_if_negative(status);
    load_items(cx, at, items);
}

fn load_items(cx: &mut Lower<'_>, at: &InstData, items: Value) {
    for (position, &result) in at.results.iter().enumerate().take(at.own_results()) {
        let item = cx.code.load(WORD, items, displacement(position * WORD_BYTES));
        cx.set_value(result, item);
    }
}

pub(super) fn unpack(cx: &mut Lower<'_>, at: &InstData) {
    let iterable = cx.arg(at, 0);
    let slot = cx.scratch(at.own_results().max(1));
    let items = cx.code.slot_address(slot, 0);
    let count = number(cx, at.own_results());
    let status = cx.code.call_one(Helper::ObjUnpack, &[iterable, count, items]);
    cx.fail_if_negative(status);
    load_items(cx, at, items);
}

pub(super) fn iter(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    let object = cx.code.call_one(Helper::ObjIter, &[object]);
    new_object(cx, at, object);
}

pub(super) fn next(cx: &mut Lower<'_>, at: &InstData) {
    let iterator = cx.arg(at, 0);
    let done = quick::next(cx, iterator);
    let (item, state) = cx.code.call_two(Helper::ObjNext, &[iterator]);
    cx.fail_if_null(item);
    let more = cx.code.builder.ins().ireduce(BOOL, state);
    cx.code.jump(done, &[item, more]);
    cx.code.enter(done);
    let results = cx.code.builder.block_params(done).to_vec();
    cx.set_value(at.results[0], results[0]);
    cx.set_value(at.results[1], results[1]);
}

pub(super) fn check_result(cx: &mut Lower<'_>, at: &InstData) {
    let result = cx.arg(at, 0);
    let (cache, offset) = cx.new_cache(CacheKind::Promise);
    let (other, done) = (cx.code.cold_block(), cx.code.block());
    cx.code.find_promise(offset, result, done);
    cx.code.jump(other, &[]);
    cx.code.enter(other);
    let function = function_number(cx, at);
    let unit = cx.loaded_unit();
    let status = cx.code.call_one(Helper::CheckResult, &[unit, function, cache, result]);
    cx.fail_if_negative(status);
    cx.code.jump(done, &[]);
    cx.code.enter(done);
}

pub(super) fn release(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    cx.code.dec_ref(object);
}
