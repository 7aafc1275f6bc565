//! Reference counts.

use crate::ir::InstData;

use super::Lower;

pub(super) fn inc_ref(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    cx.code.inc_ref(object);
}

pub(super) fn dec_ref(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    cx.code.dec_ref(object);
}
