//! What stands in the fields of instances of sealed classes: one word each, as [`Held`] says.
//!
//! Numbers that are held unboxed have no identity; whatever is no such number keeps its own, a NaN for instance.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::object::new_ref;
use crate::types::Held;

/// What a NaN with a reference in it has above that: no arithmetic of ours comes by such a word, since no NaN is held
/// as it is.
pub const REFERENCE: u64 = 0xFFF8 << 48;

/// How far an int that is held unboxed is shifted.
pub const INT_SHIFT: u32 = 1;

/// What stands in a field that is unset.
#[inline]
#[must_use]
pub fn unset(held: Held) -> u64 {
    match held {
        Held::Object | Held::Int => 0,
        Held::Float => REFERENCE,
    }
}

/// The reference in a word, null where there is none.
#[inline]
#[must_use]
pub fn reference(held: Held, word: u64) -> *mut PyObject {
    let address = match held {
        Held::Object => word,
        Held::Float if f64::from_bits(word).is_nan() => word & !REFERENCE,
        Held::Int if word & 1 == 0 => word,
        Held::Float | Held::Int => 0,
    };
    address as *mut PyObject
}

/// The word for a value, whose reference it takes.
///
/// # Safety
/// The value is alive, the thread attached.
#[inline]
pub unsafe fn word_of(held: Held, value: *mut PyObject) -> u64 {
    // SAFETY: the caller's promise; an exact int or float runs nothing when it is read or dropped.
    unsafe {
        let found = match held {
            Held::Object => None,
            Held::Float => float_word(value),
            Held::Int => int_word(value),
        };
        match (found, held) {
            (Some(word), _) => {
                ffi::Py_DECREF(value);
                word
            }
            (None, Held::Float) => REFERENCE | value.expose_provenance() as u64,
            (None, _) => value.expose_provenance() as u64,
        }
    }
}

/// A new reference to the value in a word; null where the field is unset, without an exception, and for lack of memory,
/// with one.
///
/// # Safety
/// The word stands in a field that is held like this, the thread is attached.
#[inline]
pub unsafe fn value_of(held: Held, word: u64) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        match held {
            Held::Float if !f64::from_bits(word).is_nan() => ffi::PyFloat_FromDouble(f64::from_bits(word)),
            Held::Int if word & 1 != 0 => ffi::PyLong_FromLongLong(word.cast_signed() >> INT_SHIFT),
            _ => {
                let found = reference(held, word);
                if found.is_null() { found } else { new_ref(found) }
            }
        }
    }
}

/// The word for a number that compiled code has, if it is held unboxed: a double, or an int of 64 bits.
#[inline]
#[must_use]
pub fn number_word(held: Held, number: u64) -> Option<u64> {
    match held {
        Held::Object => None,
        Held::Float => (!f64::from_bits(number).is_nan()).then_some(number),
        Held::Int => int_bits(number.cast_signed()),
    }
}

/// A new object for a number that compiled code has; null with an exception for lack of memory.
///
/// # Safety
/// The thread is attached.
pub unsafe fn boxed(held: Held, number: u64) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        match held {
            Held::Float => ffi::PyFloat_FromDouble(f64::from_bits(number)),
            Held::Object | Held::Int => ffi::PyLong_FromLongLong(number.cast_signed()),
        }
    }
}

unsafe fn float_word(value: *mut PyObject) -> Option<u64> {
    // SAFETY: a live object; an exact float has its number there.
    unsafe {
        if ffi::Py_TYPE(value) != &raw mut ffi::PyFloat_Type {
            return None;
        }
        number_word(Held::Float, ffi::PyFloat_AsDouble(value).to_bits())
    }
}

unsafe fn int_word(value: *mut PyObject) -> Option<u64> {
    // SAFETY: a live object; an exact int that is too large says so and sets no exception.
    unsafe {
        if ffi::Py_TYPE(value) != &raw mut ffi::PyLong_Type {
            return None;
        }
        let mut overflow = 0;
        let number = ffi::PyLong_AsLongLongAndOverflow(value, &raw mut overflow);
        (overflow == 0).then(|| int_bits(number)).flatten()
    }
}

fn int_bits(number: i64) -> Option<u64> {
    let shifted = number.checked_mul(1 << INT_SHIFT)?;
    Some(shifted.cast_unsigned() | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_of_63_bits_are_held_unboxed() {
        for number in [0, 1, -1, (1 << 62) - 1, -(1 << 62)] {
            let word = number_word(Held::Int, i64::cast_unsigned(number)).expect("it fits");
            assert_eq!(word & 1, 1);
            assert_eq!(word.cast_signed() >> INT_SHIFT, number);
        }
        for number in [1 << 62, -(1 << 62) - 1, i64::MAX, i64::MIN] {
            assert_eq!(number_word(Held::Int, i64::cast_unsigned(number)), None);
        }
    }

    #[test]
    fn no_float_looks_like_a_reference() {
        for number in [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE] {
            let word = number_word(Held::Float, number.to_bits()).expect("it is no NaN");
            assert!(reference(Held::Float, word).is_null());
            assert_ne!(word, unset(Held::Float));
        }
        for bits in [f64::NAN.to_bits(), REFERENCE, REFERENCE | 1, 0x7FF0_0000_0000_0001] {
            assert_eq!(number_word(Held::Float, bits), None);
        }
    }
}
