//! Objects of sealed classes: the test of a class, and fields at known places.

use cranelift_codegen::ir::{Block, Value};

use crate::ir::{Imm, InstData};
use crate::runtime::data::Fixed;

use super::Lower;
use crate::codegen::abi::WORD;
use crate::codegen::code::Subclasses;

pub(super) fn guard(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Sealed(class) = at.imm else { unreachable!("the verifier checks immediates") };
    let object = cx.arg(at, 0);
    let exit = cx.exit_block();
    let subclasses = Subclasses::of(&cx.unit.unit.classes[class.index()]);
    cx.code.require_sealed(object, class, subclasses, exit);
}

/// What stands in the field, borrowed, and the exit, which is taken while it is unset.
fn load(cx: &mut Lower<'_>, at: &InstData) -> (Value, Block) {
    let Imm::Field(class, field) = at.imm else { unreachable!("the verifier checks immediates") };
    let offset = cx.unit.unit.classes[class.index()].fields[field as usize].offset;
    let object = cx.arg(at, 0);
    let value = cx.code.load(WORD, object, offset);
    let exit = cx.exit_block();
    cx.code.branch_unless(value, exit);
    (value, exit)
}

pub(super) fn field(cx: &mut Lower<'_>, at: &InstData) {
    let (value, _) = load(cx, at);
    cx.code.inc_ref(value);
    cx.result(at, value);
}

pub(super) fn field_int(cx: &mut Lower<'_>, at: &InstData) {
    let (object, exit) = load(cx, at);
    cx.code.require_type(object, Fixed::IntType, exit);
    let value = cx.code.unbox_int(object, exit);
    cx.result(at, value);
}

pub(super) fn field_float(cx: &mut Lower<'_>, at: &InstData) {
    let (object, exit) = load(cx, at);
    cx.code.require_type(object, Fixed::FloatType, exit);
    let value = cx.code.unbox_float(object, exit);
    cx.result(at, value);
}

pub(super) fn field_bool(cx: &mut Lower<'_>, at: &InstData) {
    let (object, exit) = load(cx, at);
    let value = cx.code.unbox_bool(object, exit);
    cx.result(at, value);
}
