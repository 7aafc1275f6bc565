//! Helpers on strings: characters as code points.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use super::table::position;

/// The code point of the character at an index that exists.
///
/// # Safety
/// `string` is a live exact str with more than `index` characters; the thread is attached.
pub unsafe extern "C" fn str_item(string: *mut PyObject, index: i64) -> i64 {
    // SAFETY: the caller's contract; so there is such a character.
    i64::from(unsafe { ffi::PyUnicode_ReadChar(string, position(index).cast_signed()) })
}

/// 1 where two strings are equal, else 0.
///
/// # Safety
/// Both are live exact strs; the thread is attached.
pub unsafe extern "C" fn str_equal(a: *mut PyObject, b: *mut PyObject) -> i64 {
    // SAFETY: comparing exact strs runs nothing and can't fail.
    i64::from(unsafe { ffi::PyUnicode_Compare(a, b) } == 0)
}

/// The string of one character.
///
/// # Safety
/// `point` is a code point; the thread is attached.
pub unsafe extern "C" fn str_char(point: i64) -> *mut PyObject {
    let point = u32::try_from(point).expect("code points fit 32 bits").cast_signed();
    // SAFETY: the thread is attached.
    unsafe { ffi::PyUnicode_FromOrdinal(point) }
}
