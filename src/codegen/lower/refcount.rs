//! Reference counts.

use crate::ir::InstData;

use cranelift_codegen::ir::condcodes::IntCC;

use super::Lower;
use crate::codegen::abi::WORD;

pub(super) fn inc_ref(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    cx.code.inc_ref(object);
}

pub(super) fn dec_ref(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    cx.code.dec_ref(object);
}

pub(super) fn is_last(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    let count = cx.code.load(WORD, object, cx.code.layout.refcount);
    let is_last = cx.code.compare_constant(IntCC::Equal, count, 1);
    cx.result(at, is_last);
}

pub(super) fn drop_shared(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    cx.code.drop_shared(object);
}
