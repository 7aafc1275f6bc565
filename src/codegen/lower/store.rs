//! Stores of numbers into places that hold objects: items of lists and fields of sealed classes.
//!
//! A number object that only the place knows takes the new number: nobody can tell it from another object. Whatever else
//! is overwritten dies unobserved, or the op exits before it has done anything.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use crate::cpython::layout::{Immortality, IntHeader};
use crate::runtime::data::Fixed;
use crate::runtime::table::Helper;

use super::Lower;
use crate::codegen::abi::WORD;

/// The first magnitude that takes more than one digit.
const DIGIT: i64 = 1 << 30;

/// Where an object is stored.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) base: Value,
    pub(super) offset: i32,
    /// Whether nothing may stand there.
    pub(super) is_optional: bool,
}

/// A store: the place, what stands there, and the block behind it.
struct Store {
    place: Place,
    old: Value,
    done: Block,
}

impl Store {
    /// Goes on where an exact object of this type stands in the place, as it does where one is `known`; else to the
    /// block that is given too, where nothing or something that dies unobserved stands there. Exits otherwise.
    fn begin(cx: &mut Lower<'_>, place: Place, known: Option<Value>, ty: Fixed) -> (Store, Block) {
        if let Some(old) = known {
            let fresh = cx.code.block();
            return (Store { place, old, done: cx.code.block() }, fresh);
        }
        let old = cx.code.load(WORD, place.base, place.offset);
        let (other, fresh) = (cx.code.cold_block(), cx.code.block());
        if place.is_optional {
            cx.code.branch_unless(old, fresh);
        }
        cx.code.require_type(old, ty, other);
        let behind = cx.code.builder.current_block().expect("code is being written");
        cx.code.enter(other);
        exit_unless_silent(cx, old);
        cx.code.jump(fresh, &[]);
        cx.code.builder.switch_to_block(behind);
        (Store { place, old, done: cx.code.block() }, fresh)
    }

    /// Puts a new reference in place of the old one, if there is one, and goes on.
    fn replace(&self, cx: &mut Lower<'_>, new: Value) {
        cx.code.store(new, self.place.base, self.place.offset);
        if self.place.is_optional {
            cx.code.branch_unless(self.old, self.done);
        }
        cx.code.dec_ref(self.old);
        cx.code.jump(self.done, &[]);
    }
}

/// Exits unless nothing can tell that the object dies.
pub(super) fn exit_unless_silent(cx: &mut Lower<'_>, object: Value) {
    let silent = cx.code.call_aside(Helper::DiesSilently, &[object])[0];
    cx.exit_unless(silent);
}

/// Stores a float; exits for NaN, whose object is told from others. The object in the place may be known to be a float.
pub(super) fn float(cx: &mut Lower<'_>, place: Place, known: Option<Value>, value: Value) {
    let exit = cx.exit_block();
    cx.code.branch_if_nan(value, exit);
    let (store, fresh) = Store::begin(cx, place, known, Fixed::FloatType);
    cx.code.require_only_reference(store.old, fresh);
    cx.code.store(value, store.old, cx.code.layout.float_value);
    cx.code.jump(store.done, &[]);
    cx.code.enter(fresh);
    let new = cx.code.call_aside(Helper::FloatBox, &[value])[0];
    cx.fail_if_null(new);
    store.replace(cx, new);
    cx.code.enter(store.done);
}

/// Stores an int. The object in the place may be known to be one.
pub(super) fn int(cx: &mut Lower<'_>, place: Place, known: Option<Value>, value: Value) {
    let small = cx.code.layout.small_ints;
    let number = cx.code.builder.ins().iadd_imm_s(value, -small.first);
    let is_small = cx.code.compare_constant(IntCC::UnsignedLessThan, number, small.count);
    let (store, fresh) = Store::begin(cx, place, known, Fixed::IntType);
    let (kept, large, boxed) = (cx.code.block(), cx.code.block(), cx.code.cold_block());
    cx.code.builder.ins().brif(is_small, kept, &[], large, &[]);
    cx.code.enter(large);
    overwrite_digit(cx, value, store.old, (store.done, boxed));
    cx.code.enter(fresh);
    cx.code.builder.ins().brif(is_small, kept, &[], boxed, &[]);
    cx.code.enter(kept);
    let first = cx.code.fixed(Fixed::SmallInts);
    let distance = cx.code.builder.ins().imul_imm_s(number, small.stride);
    let new = cx.code.builder.ins().iadd(first, distance);
    inc_mortal(cx, new);
    store.replace(cx, new);
    cx.code.enter(boxed);
    let new = cx.code.call_aside(Helper::IntBox, &[value])[0];
    cx.fail_if_null(new);
    store.replace(cx, new);
    cx.code.enter(store.done);
}

/// Stores a bool. The object in the place may be known to be one.
pub(super) fn bool(cx: &mut Lower<'_>, place: Place, known: Option<Value>, value: Value) {
    let (store, fresh) = Store::begin(cx, place, known, Fixed::BoolType);
    cx.code.jump(fresh, &[]);
    cx.code.enter(fresh);
    let (yes, no) = (cx.code.fixed(Fixed::True), cx.code.fixed(Fixed::False));
    let new = cx.code.builder.ins().select(value, yes, no);
    let same = cx.code.compare(IntCC::Equal, new, store.old);
    cx.code.branch_if(same, store.done);
    inc_mortal(cx, new);
    store.replace(cx, new);
    cx.code.enter(store.done);
}

/// Stores an object, whatever stands there; drops that last.
pub(super) fn object(cx: &mut Lower<'_>, place: Place, new: Value) {
    let old = cx.code.load(WORD, place.base, place.offset);
    cx.code.inc_ref(new);
    let store = Store { place, old, done: cx.code.block() };
    store.replace(cx, new);
    cx.code.enter(store.done);
}

/// Takes a reference to an object that is immortal where there are immortal objects.
fn inc_mortal(cx: &mut Lower<'_>, object: Value) {
    if cx.code.layout.immortality == Immortality::None {
        cx.code.inc_ref(object);
    }
}

/// Writes a number of one digit into an int object of one digit that only one place knows, and goes to `done`; to
/// `other` where that can't be.
fn overwrite_digit(cx: &mut Lower<'_>, value: Value, old: Value, (done, other): (Block, Block)) {
    cx.code.require_only_reference(old, other);
    let magnitude = cx.code.builder.ins().iabs(value);
    let long = cx.code.compare_constant(IntCC::UnsignedGreaterThanOrEqual, magnitude, DIGIT);
    cx.code.branch_if(long, other);
    let header = cx.code.load(WORD, old, cx.code.layout.int_header);
    let sign = cx.code.builder.ins().sshr_imm_u(value, 63);
    let (digits, wanted) = match cx.code.layout.int_header_kind {
        IntHeader::SignedSize => {
            let digits = cx.code.builder.ins().iabs(header);
            let wanted = cx.code.builder.ins().bor_imm_s(sign, 1);
            (digits, wanted)
        }
        IntHeader::Tag => {
            let digits = cx.code.builder.ins().ushr_imm_u(header, 3);
            let negative = cx.code.builder.ins().band_imm_s(sign, 2);
            let wanted = cx.code.builder.ins().bor_imm_s(negative, 1 << 3);
            (digits, wanted)
        }
    };
    let differs = cx.code.compare_constant(IntCC::NotEqual, digits, 1);
    cx.code.branch_if(differs, other);
    cx.code.store(wanted, old, cx.code.layout.int_header);
    let digit = cx.code.builder.ins().ireduce(types::I32, magnitude);
    cx.code.store(digit, old, cx.code.layout.int_digits);
    cx.code.jump(done, &[]);
}
