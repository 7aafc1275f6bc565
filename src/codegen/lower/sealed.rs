//! Objects of sealed classes: the test of a class, and fields at known places.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use crate::cpython::collector;
use crate::ir;
use crate::ir::{ClassId, Imm, InstData, Op, SealedField};
use crate::runtime::data::{CLASS_POOL, CLASS_TYPE, CLASS_YOUNG, Fixed, WORD as WORD_BYTES};
use crate::runtime::held;
use crate::runtime::sealed::{POOL_COUNT, POOL_FIRST, POOL_LINK};
use crate::runtime::table::Helper;
use crate::types::Held;

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
    /// The object; none where the number is held unboxed.
    object: Option<Value>,
    ty: Fixed,
}

/// Whether the instruction leaves what is known of fields and items as it is: it puts a number where no object stands.
pub(super) fn keeps_known(cx: &Lower<'_>, at: &InstData) -> bool {
    matches!(at.op, Op::SealedSetFloat | Op::SealedSetInt) && held(cx, at) != Held::Object
}

/// How the field holds what stands in it.
fn held(cx: &Lower<'_>, at: &InstData) -> Held {
    let Imm::Field(class, field) = at.imm else { unreachable!("the verifier checks immediates") };
    cx.unit.unit.classes[class.index()].fields[field as usize].held
}

/// Remembers what stands in the field from now on, until anything changes.
fn remember(cx: &mut Lower<'_>, at: &InstData, object: Option<Value>, ty: Fixed) {
    let offset = offset(cx, at);
    let known = KnownField { owner: at.args[0], offset, object, ty };
    cx.known_fields.push(known);
}

/// The object of this type that stands in the field, and the exit.
fn load_number(cx: &mut Lower<'_>, at: &InstData, ty: Fixed) -> (Value, Block) {
    let (number, exit) = load(cx, at);
    cx.code.require_type(number, ty, exit);
    remember(cx, at, Some(number), ty);
    (number, exit)
}

/// The word of a field that holds numbers unboxed.
fn load_word(cx: &mut Lower<'_>, at: &InstData, ty: types::Type) -> Value {
    let offset = offset(cx, at);
    let object = cx.arg(at, 0);
    cx.code.load(ty, object, offset)
}

pub(super) fn field_int(cx: &mut Lower<'_>, at: &InstData) {
    let value = if held(cx, at) == Held::Int {
        let word = load_word(cx, at, WORD);
        let exit = cx.exit_block();
        require_int(cx, word, exit);
        remember(cx, at, None, Fixed::IntType);
        cx.code.builder.ins().sshr_imm_u(word, i64::from(held::INT_SHIFT))
    } else {
        let (object, exit) = load_number(cx, at, Fixed::IntType);
        cx.code.unbox_int(object, exit)
    };
    cx.result(at, value);
}

/// Goes to the block unless the word of a field is an unboxed int.
fn require_int(cx: &mut Lower<'_>, word: Value, other: Block) {
    let is_number = cx.code.builder.ins().band_imm_s(word, 1);
    cx.code.branch_unless(is_number, other);
}

pub(super) fn field_float(cx: &mut Lower<'_>, at: &InstData) {
    let value = if held(cx, at) == Held::Float {
        let number = load_word(cx, at, types::F64);
        let exit = cx.exit_block();
        cx.code.branch_if_nan(number, exit);
        remember(cx, at, None, Fixed::FloatType);
        number
    } else {
        let (object, exit) = load_number(cx, at, Fixed::FloatType);
        cx.code.unbox_float(object, exit)
    };
    cx.result(at, value);
}

pub(super) fn field_float_any(cx: &mut Lower<'_>, at: &InstData) {
    let number = load_word(cx, at, types::F64);
    // It is one where anything is done with the field: the test stands in front of that.
    remember(cx, at, None, Fixed::FloatType);
    cx.result(at, number);
}

pub(super) fn field_bool(cx: &mut Lower<'_>, at: &InstData) {
    let (object, exit) = load(cx, at);
    let value = cx.code.unbox_bool(object, exit);
    cx.result(at, value);
}

/// What is known of the number in the field.
fn known(cx: &Lower<'_>, at: &InstData, ty: Fixed) -> Option<KnownField> {
    let offset = offset(cx, at);
    let is_it = |known: &&KnownField| known.owner == at.args[0] && known.offset == offset && known.ty == ty;
    cx.known_fields.iter().find(is_it).copied()
}

/// Where the field stands.
fn place(cx: &mut Lower<'_>, at: &InstData) -> Place {
    Place { base: cx.arg(at, 0), offset: offset(cx, at), is_optional: true }
}

pub(super) fn set_float(cx: &mut Lower<'_>, at: &InstData) {
    let (place, known, value) = (place(cx, at), known(cx, at, Fixed::FloatType), cx.arg(at, 1));
    if held(cx, at) == Held::Object {
        return store::float(cx, place, known.and_then(|known| known.object), value);
    }
    let exit = cx.exit_block();
    cx.code.branch_if_nan(value, exit);
    if known.is_none() {
        let old = cx.code.load(types::F64, place.base, place.offset);
        let is_number = cx.code.builder.ins().fcmp(FloatCC::Equal, old, old);
        let unset = cx.code.word(held::unset(Held::Float).cast_signed());
        require_unset(cx, place, (is_number, unset));
    }
    cx.code.store(value, place.base, place.offset);
}

pub(super) fn set_int(cx: &mut Lower<'_>, at: &InstData) {
    let (place, known, value) = (place(cx, at), known(cx, at, Fixed::IntType), cx.arg(at, 1));
    if held(cx, at) == Held::Object {
        return store::int(cx, place, known.and_then(|known| known.object), value);
    }
    let (shifted, overflows) = cx.code.builder.ins().sadd_overflow(value, value);
    let exit = cx.exit_block();
    cx.code.branch_if(overflows, exit);
    if known.is_none() {
        let old = cx.code.load(WORD, place.base, place.offset);
        let is_number = cx.code.builder.ins().band_imm_s(old, 1);
        let unset = cx.code.word(held::unset(Held::Int).cast_signed());
        require_unset(cx, place, (is_number, unset));
    }
    let word = cx.code.builder.ins().bor_imm_s(shifted, 1);
    cx.code.store(word, place.base, place.offset);
}

/// Exits unless a number stands in the place, as the condition says, or the word of a field that is unset.
fn require_unset(cx: &mut Lower<'_>, place: Place, (is_number, unset): (Value, Value)) {
    let (other, done) = (cx.code.cold_block(), cx.code.block());
    cx.code.builder.ins().brif(is_number, done, &[], other, &[]);
    cx.code.enter(other);
    let old = cx.code.load(WORD, place.base, place.offset);
    let same = cx.code.compare(IntCC::Equal, old, unset);
    cx.exit_unless(same);
    cx.code.jump(done, &[]);
    cx.code.enter(done);
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
    let fields = &cx.unit.unit.classes[class.index()].fields;
    let operands = &at.args[1..];
    // An object for a field that holds numbers unboxed has to be looked at.
    let is_plain = |(field, &operand): (&SealedField, &ir::Value)| {
        field.held == Held::Object || cx.func.ty(operand) != ir::Type::Obj
    };
    if fields.iter().zip(operands).all(is_plain) {
        let words = words(cx, at, empty);
        let pool = class_word(cx, class, CLASS_POOL);
        let object = cx.code.load(WORD, pool, POOL_FIRST);
        cx.code.branch_unless(object, empty);
        take(cx, pool, object);
        let own = cx.arg(at, 0);
        cx.code.inc_ref(own);
        for (field, word) in fields.iter().zip(words) {
            cx.code.store(word, object, field.offset);
        }
        track(cx, class, object);
        cx.code.jump(done, &[object]);
    } else {
        cx.code.jump(empty, &[]);
    }
    cx.code.enter(empty);
    let slot = store_operands(cx, operands, 0);
    let (own, values) = (cx.arg(at, 0), cx.code.slot_address(slot, 0));
    let numbered = operands.iter().enumerate();
    let numbers = numbered.filter(|&(_, &operand)| cx.func.ty(operand) != ir::Type::Obj);
    let unboxed: u64 = numbers.map(|(number, _)| 1 << number).sum();
    let unboxed = cx.code.word(unboxed.cast_signed());
    let made = cx.code.call_one(Helper::SealedNew, &[own, values, unboxed]);
    cx.fail_if_null(made);
    cx.code.jump(done, &[made]);
    cx.code.enter(done);
    cx.result(at, result);
}

/// What stands in the fields of the new object. Goes to the block where a number has to be boxed: an int, for NaNs
/// have left before.
fn words(cx: &mut Lower<'_>, at: &InstData, other: Block) -> Vec<Value> {
    let mut words = Vec::with_capacity(at.args.len() - 1);
    for &operand in &at.args[1..] {
        let mut word = cx.value(operand);
        if cx.func.ty(operand) == ir::Type::I64 {
            let (shifted, overflows) = cx.code.builder.ins().sadd_overflow(word, word);
            cx.code.branch_if(overflows, other);
            word = cx.code.builder.ins().bor_imm_s(shifted, 1);
        }
        words.push(word);
    }
    words
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
