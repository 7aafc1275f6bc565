//! Helpers on wide ints: two words, the low one first, of at most [`WIDE_BITS`] bits and a sign.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::object::drop_optional;
use crate::ir::start::WIDE_BITS;

use super::table::Pair;

/// What stands for a result that is no wide int: its high word is that of none.
const NONE: Pair<i64, i64> = Pair(0, i64::MIN);

/// The number that two words are.
#[must_use]
pub fn joined(low: i64, high: i64) -> i128 {
    i128::from(high) << 64 | i128::from(low.cast_unsigned())
}

#[expect(clippy::cast_possible_truncation, reason = "the words of the number")]
fn split(value: i128) -> Pair<i64, i64> {
    Pair(value as i64, (value >> 64) as i64)
}

fn checked(value: Option<i128>) -> Pair<i64, i64> {
    value.filter(|value| (-(1 << WIDE_BITS)..1 << WIDE_BITS).contains(value)).map_or(NONE, split)
}

/// `a * b`, or 0 and the least i64 when it is no wide int.
pub extern "C" fn wide_mul(a: i64, a_high: i64, b: i64, b_high: i64) -> Pair<i64, i64> {
    checked(joined(a, a_high).checked_mul(joined(b, b_high)))
}

/// `a // b` with a floor, b not zero; 0 and the least i64 when it is no wide int.
pub extern "C" fn wide_floor_div(a: i64, a_high: i64, b: i64, b_high: i64) -> Pair<i64, i64> {
    let (a, b) = (joined(a, a_high), joined(b, b_high));
    let (quotient, remainder) = (a / b, a % b);
    checked(Some(if remainder != 0 && (remainder < 0) != (b < 0) { quotient - 1 } else { quotient }))
}

fn floor_mod(a: i128, b: i128) -> i128 {
    let remainder = a % b;
    if remainder != 0 && (remainder < 0) != (b < 0) { remainder + b } else { remainder }
}

/// `a % b` with the sign of b, which is not zero.
pub extern "C" fn wide_mod(a: i64, a_high: i64, b: i64, b_high: i64) -> Pair<i64, i64> {
    split(floor_mod(joined(a, a_high), joined(b, b_high)))
}

/// `a % b` of a wide int by an i64, with the sign of b, which is not zero.
pub extern "C" fn wide_mod_int(a: i64, a_high: i64, b: i64) -> i64 {
    let Pair(low, _) = split(floor_mod(joined(a, a_high), i128::from(b)));
    low
}

/// A new int; null with MemoryError.
///
/// # Safety
/// The thread is attached.
pub unsafe extern "C" fn box_wide(low: i64, high: i64) -> *mut PyObject {
    // SAFETY: the thread is attached.
    unsafe { int_of(joined(low, high)) }
}

/// A new int; null with MemoryError. PyO3 would panic there.
///
/// # Safety
/// The thread is attached.
pub unsafe fn int_of(value: i128) -> *mut PyObject {
    if let Ok(small) = i64::try_from(value) {
        // SAFETY: the thread is attached.
        return unsafe { ffi::PyLong_FromLongLong(small) };
    }
    let Pair(low, high) = split(value);
    // SAFETY: the thread is attached; what is made is checked before it is used, and dropped.
    unsafe {
        let parts = [
            ffi::PyLong_FromLongLong(high),
            ffi::PyLong_FromLongLong(64),
            ffi::PyLong_FromUnsignedLongLong(low.cast_unsigned()),
        ];
        let mut result = std::ptr::null_mut();
        if parts.iter().all(|part| !part.is_null()) {
            let shifted = ffi::PyNumber_Lshift(parts[0], parts[1]);
            if !shifted.is_null() {
                result = ffi::PyNumber_Or(shifted, parts[2]);
            }
            drop_optional(shifted);
        }
        parts.into_iter().for_each(|part| drop_optional(part));
        result
    }
}
