//! Ops of `match`: one helper call each.

use cranelift_codegen::ir::condcodes::IntCC;

use crate::ir::InstData;
use crate::runtime::table::Helper;

use super::Lower;
use super::control::count;
use super::object::new_object;

pub(super) fn type_flag(cx: &mut Lower<'_>, at: &InstData) {
    let (flag, object) = (cx.code.word(i64::from(count(at))), cx.arg(at, 0));
    let answer = cx.code.call_one(Helper::ObjTypeFlag, &[flag, object]);
    let truth = cx.code.compare_constant(IntCC::NotEqual, answer, 0);
    cx.result(at, truth);
}

pub(super) fn len(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    let length = cx.code.call_one(Helper::ObjLen, &[object]);
    new_object(cx, at, length);
}

pub(super) fn match_keys(cx: &mut Lower<'_>, at: &InstData) {
    let (mapping, keys) = cx.args_two(at);
    let values = cx.code.call_one(Helper::ObjMatchKeys, &[mapping, keys]);
    new_object(cx, at, values);
}

pub(super) fn match_class(cx: &mut Lower<'_>, at: &InstData) {
    let (object, class, names) = cx.args_three(at);
    let count = cx.code.word(i64::from(count(at)));
    let values = cx.code.call_one(Helper::ObjMatchClass, &[count, object, class, names]);
    new_object(cx, at, values);
}
