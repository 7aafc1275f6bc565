//! Helpers on floats: boxing, the operations that CPython defines case by case, and the C library's functions.

use std::ffi::CStr;
use std::ffi::c_void;
use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::symbols;
use crate::ir::MathFn;

use super::table::Address;
use super::table::Pair;

/// A new float.
///
/// # Safety
/// The thread is attached.
pub unsafe extern "C" fn float_box(value: f64) -> *mut PyObject {
    // SAFETY: the thread is attached.
    unsafe { ffi::PyFloat_FromDouble(value) }
}

/// `a // b` as CPython computes it; `b` is not zero.
pub extern "C" fn float_floor_div(a: f64, b: f64) -> f64 {
    let rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest != 0.0 && (b < 0.0) != (rest < 0.0) {
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return 0.0_f64.copysign(a / b);
    }
    let floor = quotient.floor();
    if quotient - floor > 0.5 { floor + 1.0 } else { floor }
}

/// `a % b` as CPython computes it; `b` is not zero.
pub extern "C" fn float_mod(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest == 0.0 {
        0.0_f64.copysign(b)
    } else if (b < 0.0) != (rest < 0.0) {
        rest + b
    } else {
        rest
    }
}

fn is_odd(value: f64) -> bool {
    (value.abs() % 2.0) == 1.0
}

/// `a ** b` and 1, or 0.0 and 0 where CPython raises or gives a complex number.
pub extern "C" fn float_pow(a: f64, b: f64) -> Pair<f64, i64> {
    if b == 0.0 {
        return Pair(1.0, 1);
    }
    if a.is_nan() {
        return Pair(a, 1);
    }
    if b.is_nan() {
        return Pair(if a == 1.0 { 1.0 } else { b }, 1);
    }
    if b.is_infinite() {
        let base = a.abs();
        let power = if base == 1.0 {
            1.0
        } else if (b > 0.0) == (base > 1.0) {
            f64::INFINITY
        } else {
            0.0
        };
        return Pair(power, 1);
    }
    if a.is_infinite() {
        return Pair(infinite_pow(a, b), 1);
    }
    if a == 0.0 {
        return match (b < 0.0, is_odd(b)) {
            (true, _) => Pair(0.0, 0),
            (false, true) => Pair(a, 1),
            (false, false) => Pair(0.0, 1),
        };
    }
    if a < 0.0 && b != b.floor() {
        return Pair(0.0, 0);
    }
    let negate = a < 0.0 && is_odd(b);
    // SAFETY: the C library's function is pure.
    let power = if a.abs() == 1.0 { 1.0 } else { unsafe { pow(a.abs(), b) } };
    if power.is_infinite() {
        return Pair(0.0, 0);
    }
    Pair(if negate { -power } else { power }, 1)
}

fn infinite_pow(a: f64, b: f64) -> f64 {
    match (b > 0.0, is_odd(b)) {
        (true, true) => a,
        (true, false) => a.abs(),
        (false, true) => 0.0_f64.copysign(a),
        (false, false) => 0.0,
    }
}

macro_rules! math_functions {
    ($($name:ident($($arg:ident),*),)*) => {
        unsafe extern "C" { $(fn $name($($arg: f64),*) -> f64;)* }

        /// Name and linked address of each function.
        const LINKED: [(&CStr, Address); MathFn::ALL.len()] = [$(
            (
                match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => panic!("a name has one null character, at its end"),
                },
                Address($name as *const c_void),
            )
        ),*];
    };
}

math_functions! {
    sin(x), cos(x), tan(x), asin(x), acos(x), atan(x), sinh(x), cosh(x), tanh(x), asinh(x), acosh(x), atanh(x),
    exp(x), exp2(x), expm1(x), log(x), log2(x), log10(x), log1p(x), cbrt(x), erf(x), erfc(x),
    atan2(y, x), fmod(x, y), copysign(x, y), pow(x, y),
}

static MATH_TABLE: OnceLock<[Address; MathFn::ALL.len()]> = OnceLock::new();

/// The C library's functions, in the order of `ir::MathFn::ALL`.
pub extern "C" fn math_table() -> *const c_void {
    let table = MATH_TABLE.get_or_init(|| {
        debug_assert!(
            MathFn::ALL.iter().zip(LINKED).all(|(row, (name, _))| row.name().as_bytes() == name.to_bytes())
        );
        // Rust links functions of its own for some of these names (`cbrt`), which round differently; those
        // that the process has loaded are CPython's.
        LINKED.map(|(name, linked)| {
            symbols::c_function(name).map_or(linked, |found| Address(found.cast_const()))
        })
    });
    table.as_ptr().cast()
}
