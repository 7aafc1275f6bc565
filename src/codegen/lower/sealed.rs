//! Objects of sealed classes: the test of a class, and fields at known places.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use crate::cpython::collector;
use crate::ir;
use crate::ir::{ClassId, Imm, InstData};
use crate::runtime::data::{CLASS_FILLED, CLASS_POOL, CLASS_TYPE, CLASS_YOUNG, Fixed, WORD as WORD_BYTES};
use crate::runtime::sealed::{POOL_COUNT, POOL_FIRST, POOL_LINK};
use crate::runtime::table::Helper;

use super::Lower;
use super::object::{named_constant, store_operands};
use super::store::{self, Place};
use crate::codegen::abi::WORD;
use crate::codegen::code::{Subclasses, displacement};

pub(super) fn guard(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    require(cx, at, object);
}

/// Exits unless the object is of the class that the immediate names.
fn require(cx: &mut Lower<'_>, at: &InstData, object: Value) {
    let Imm::Sealed(class) = at.imm else { unreachable!("the verifier checks immediates") };
    let exit = cx.exit_block();
    let subclasses = Subclasses::of(&cx.unit.unit.classes[class.index()]);
    cx.code.require_sealed(object, class, subclasses, exit);
}

pub(super) fn guard_optional(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    let (other, done) = (cx.code.block(), cx.code.block());
    let none = cx.code.fixed(Fixed::None);
    let same = cx.code.compare(IntCC::Equal, object, none);
    cx.code.builder.ins().brif(same, done, &[], other, &[]);
    cx.code.enter(other);
    require(cx, at, object);
    cx.code.jump(done, &[]);
    cx.code.enter(done);
}

pub(super) fn which(cx: &mut Lower<'_>, at: &InstData) {
    let Imm::Dispatch(class, method) = at.imm else { unreachable!("the verifier checks immediates") };
    let object = cx.arg(at, 0);
    let version = cx.code.version_of(object);
    let (exit, done) = (cx.exit_block(), cx.code.block());
    let result = cx.code.builder.append_block_param(done, WORD);
    for (position, &(exact, _)) in cx.unit.unit.targets(class, method).iter().enumerate() {
        let wanted = cx.code.data_word(cx.code.data.class(exact.index()));
        let number = cx.code.word(i64::try_from(position).expect("a method has few targets"));
        let same = cx.code.compare(IntCC::Equal, version, wanted);
        let next = cx.code.block();
        cx.code.builder.ins().brif(same, done, &[number.into()], next, &[]);
        cx.code.enter(next);
    }
    cx.code.jump(exit, &[]);
    cx.code.enter(done);
    cx.result(at, result);
}

/// Where the field stands in an instance.
fn offset(cx: &Lower<'_>, at: &InstData) -> i32 {
    let Imm::Field(class, field) = at.imm else { unreachable!("the verifier checks immediates") };
    cx.unit.unit.classes[class.index()].fields[field as usize].offset
}

/// What stands in the field, borrowed, and the exit, which is taken while it is unset.
fn load(cx: &mut Lower<'_>, at: &InstData) -> (Value, Block) {
    let offset = offset(cx, at);
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

pub(super) fn field_borrowed(cx: &mut Lower<'_>, at: &InstData) {
    let (value, _) = load(cx, at);
    cx.result(at, value);
}

/// A number that stands in a field, as was found a moment ago.
#[derive(Clone, Copy)]
pub(super) struct KnownField {
    owner: ir::Value,
    offset: i32,
    number: Value,
    ty: Fixed,
}

/// A number of this type that stands in the field, and the exit.
fn load_number(cx: &mut Lower<'_>, at: &InstData, ty: Fixed) -> (Value, Block) {
    let (number, exit) = load(cx, at);
    cx.code.require_type(number, ty, exit);
    let known = KnownField { owner: at.args[0], offset: offset(cx, at), number, ty };
    cx.known_fields.push(known);
    (number, exit)
}

pub(super) fn field_int(cx: &mut Lower<'_>, at: &InstData) {
    let (object, exit) = load_number(cx, at, Fixed::IntType);
    let value = cx.code.unbox_int(object, exit);
    cx.result(at, value);
}

pub(super) fn field_float(cx: &mut Lower<'_>, at: &InstData) {
    let (object, exit) = load_number(cx, at, Fixed::FloatType);
    let value = cx.code.unbox_float(object, exit);
    cx.result(at, value);
}

pub(super) fn field_bool(cx: &mut Lower<'_>, at: &InstData) {
    let (object, exit) = load(cx, at);
    let value = cx.code.unbox_bool(object, exit);
    cx.result(at, value);
}

/// Where the field stands, and the number that is known to stand there, of this type.
fn known_place(cx: &mut Lower<'_>, at: &InstData, ty: Fixed) -> (Place, Option<Value>) {
    let (base, offset) = (cx.arg(at, 0), offset(cx, at));
    let is_it = |known: &&KnownField| known.owner == at.args[0] && known.offset == offset && known.ty == ty;
    let known = cx.known_fields.iter().find(is_it).map(|known| known.number);
    (Place { base, offset, is_optional: true }, known)
}

pub(super) fn set_float(cx: &mut Lower<'_>, at: &InstData) {
    let (place, known) = known_place(cx, at, Fixed::FloatType);
    let value = cx.arg(at, 1);
    store::float(cx, place, known, value);
}

pub(super) fn set_int(cx: &mut Lower<'_>, at: &InstData) {
    let (place, known) = known_place(cx, at, Fixed::IntType);
    let value = cx.arg(at, 1);
    store::int(cx, place, known, value);
}

pub(super) fn set(cx: &mut Lower<'_>, at: &InstData) {
    let ((base, new), offset) = (cx.args_two(at), offset(cx, at));
    store::object(cx, Place { base, offset, is_optional: true }, new);
}

pub(super) fn accepted(cx: &mut Lower<'_>, at: &InstData) {
    let object = cx.arg(at, 0);
    let (declined, done) = (cx.code.cold_block(), cx.code.block());
    let wanted = cx.code.fixed(Fixed::NotImplemented);
    let same = cx.code.compare(IntCC::Equal, object, wanted);
    cx.code.builder.ins().brif(same, declined, &[], done, &[]);
    cx.code.enter(declined);
    let text = named_constant(cx, at);
    cx.code.call(Helper::SealedDeclined, &[text]);
    cx.fail();
    cx.code.enter(done);
}

/// One of the words of a sealed class, behind the guard that says that it is the class.
fn class_word(cx: &mut Lower<'_>, class: ClassId, number: usize) -> Value {
    let address = cx.code.data_address();
    let offset = cx.code.data.class(class.index()) + number * WORD_BYTES;
    cx.code.load(WORD, address, displacement(offset))
}

fn sealed_class(at: &InstData) -> ClassId {
    let Imm::Sealed(class) = at.imm else { unreachable!("the verifier checks immediates") };
    class
}

pub(super) fn class(cx: &mut Lower<'_>, at: &InstData) {
    let class = class_word(cx, sealed_class(at), CLASS_TYPE);
    cx.code.inc_ref(class);
    cx.result(at, class);
}

pub(super) fn borrowed_class(cx: &mut Lower<'_>, at: &InstData) {
    let class = class_word(cx, sealed_class(at), CLASS_TYPE);
    cx.result(at, class);
}

pub(super) fn new(cx: &mut Lower<'_>, at: &InstData) {
    let class = sealed_class(at);
    let (empty, done) = (cx.code.cold_block(), cx.code.block());
    let result = cx.code.builder.append_block_param(done, WORD);
    let unit = cx.unit.unit;
    let is_float = |&operand: &ir::Value| cx.func.ty(operand) == ir::Type::F64;
    let is_filled = at.args[1..].iter().any(is_float);
    let pool = class_word(cx, class, if is_filled { CLASS_FILLED } else { CLASS_POOL });
    let object = cx.code.load(WORD, pool, POOL_FIRST);
    cx.code.branch_unless(object, empty);
    take(cx, pool, object);
    let own = cx.arg(at, 0);
    cx.code.inc_ref(own);
    for (field, &operand) in unit.classes[class.index()].fields.iter().zip(&at.args[1..]) {
        let value = cx.value(operand);
        if cx.func.ty(operand) == ir::Type::F64 {
            let boxed = cx.code.load(WORD, object, field.offset);
            cx.code.store(value, boxed, cx.code.layout.float_value);
        } else {
            cx.code.store(value, object, field.offset);
        }
    }
    track(cx, class, object);
    cx.code.jump(done, &[object]);
    cx.code.enter(empty);
    let slot = store_operands(cx, &at.args[1..], 0);
    let (own, values) = (cx.arg(at, 0), cx.code.slot_address(slot, 0));
    let made = if is_filled {
        let floats = cx.code.word(unit.classes[class.index()].floats().cast_signed());
        cx.code.call_one(Helper::SealedNewOfFloats, &[own, values, floats])
    } else {
        cx.code.call_one(Helper::SealedNew, &[own, values])
    };
    cx.fail_if_null(made);
    cx.code.jump(done, &[made]);
    cx.code.enter(done);
    cx.result(at, result);
}

/// Takes the first object from the pool: it has one reference from now on.
fn take(cx: &mut Lower<'_>, pool: Value, object: Value) {
    let next = cx.code.load(WORD, object, POOL_LINK);
    cx.code.store(next, pool, POOL_FIRST);
    let count = cx.code.load(types::I32, pool, POOL_COUNT);
    let count = cx.code.builder.ins().iadd_imm_s(count, -1);
    cx.code.store(count, pool, POOL_COUNT);
    let one = cx.code.word(1);
    cx.code.store(one, object, cx.code.layout.refcount);
}

/// Links a new object behind the youngest one, as [`collector::Young::track`] does.
fn track(cx: &mut Lower<'_>, class: ClassId, object: Value) {
    let list = class_word(cx, class, CLASS_YOUNG);
    let last = cx.code.load(WORD, list, collector::PREVIOUS);
    let head = cx.code.builder.ins().iadd_imm_s(object, i64::from(collector::NEXT));
    let end = cx.code.builder.ins().iadd_imm_s(list, i64::from(collector::NEXT));
    cx.code.store(head, last, 0);
    cx.code.store(last, object, collector::PREVIOUS);
    cx.code.store(end, object, collector::NEXT);
    cx.code.store(head, list, collector::PREVIOUS);
}
