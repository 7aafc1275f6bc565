//! Helpers on ints: boxing and the operations that are too long to stand in compiled code.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::object;
use crate::cpython::running;

use super::table::Pair;

/// An exact int's value and 1, or 0 and 0 when it does not fit.
///
/// # Safety
/// `int` is a live exact int; the thread is attached.
pub unsafe extern "C" fn int_unbox(int: *mut PyObject) -> Pair<i64, i64> {
    // SAFETY: a live int, laid out as the running interpreter's.
    match unsafe { object::int_value(running().layout, int) } {
        Some(value) => Pair(value, 1),
        None => Pair(0, 0),
    }
}

/// A new int.
///
/// # Safety
/// The thread is attached.
pub unsafe extern "C" fn int_box(value: i64) -> *mut PyObject {
    // SAFETY: the thread is attached.
    unsafe { ffi::PyLong_FromLongLong(value) }
}

/// `base ** exponent` and 1, or 0 and 0 when the exponent is negative or the result does not fit.
pub extern "C" fn int_pow(base: i64, exponent: i64) -> Pair<i64, i64> {
    let power = match (base, u32::try_from(exponent)) {
        (_, Ok(exponent)) => base.checked_pow(exponent),
        (0 | 1, _) if exponent > 0 => Some(base),
        (-1, _) if exponent > 0 => Some(if exponent & 1 == 0 { 1 } else { -1 }),
        _ => None,
    };
    power.map_or(Pair(0, 0), |power| Pair(power, 1))
}

/// `a / b` correctly rounded; `b` is not zero.
pub extern "C" fn int_true_div(a: i64, b: i64) -> f64 {
    const EXACT: u64 = 1 << 53;
    let (top, bottom) = (a.unsigned_abs(), b.unsigned_abs());
    if top <= EXACT && bottom <= EXACT {
        return a as f64 / b as f64;
    }
    // With its top bit at position 127 the dividend leaves a quotient of at least 64 bits, so that the
    // lowest of them can stand for all that the division leaves over.
    let wide = u128::from(top);
    let shift = wide.leading_zeros().min(127);
    let (dividend, divisor) = (wide << shift, u128::from(bottom));
    let quotient = (dividend / divisor) | u128::from(dividend % divisor != 0);
    let magnitude = quotient as f64 * f64::from_bits(u64::from(1023 - shift) << 52);
    if (a < 0) == (b < 0) { magnitude } else { -magnitude }
}

/// -1, 0, 1 as the int is less than, equal to, greater than the float; 2 for a NaN.
pub extern "C" fn int_compare_float(int: i64, float: f64) -> i32 {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return 2;
    }
    if float >= BEYOND {
        return -1;
    }
    if float < -BEYOND {
        return 1;
    }
    let whole = float.trunc();
    // Within the bounds tested above the conversion is exact.
    let order = int.cmp(&to_int(whole)) as i32;
    if order != 0 || float == whole {
        order
    } else if float > whole {
        -1
    } else {
        1
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the caller has tested the bounds")]
fn to_int(whole: f64) -> i64 {
    whole as i64
}

/// `len(range(start, stop, step))` and 1, or 0 and 0 when it does not fit; `step` is not zero.
pub extern "C" fn int_range_len(start: i64, stop: i64, step: i64) -> Pair<i64, i64> {
    let (low, high) = if step > 0 { (start, stop) } else { (stop, start) };
    if low >= high {
        return Pair(0, 1);
    }
    let distance = high.wrapping_sub(low).cast_unsigned();
    let count = (distance - 1) / step.unsigned_abs() + 1;
    i64::try_from(count).map_or(Pair(0, 0), |count| Pair(count, 1))
}
