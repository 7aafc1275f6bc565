//! Helpers on lists: what is too long to stand in compiled code.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::object::drop_ref;

use super::table::position;

/// A new list of the `count` numbers of a range.
///
/// # Safety
/// The thread is attached; every number of the range is an i64.
pub unsafe extern "C" fn list_range(start: i64, step: i64, count: i64) -> *mut PyObject {
    // SAFETY: each position is set once, with a reference of its own; a list that is not full may be dropped.
    unsafe {
        let list = ffi::PyList_New(position(count).cast_signed());
        if list.is_null() {
            return list;
        }
        let mut next = start;
        for index in 0..position(count).cast_signed() {
            let number = ffi::PyLong_FromLongLong(next);
            if number.is_null() {
                drop_ref(list);
                return number;
            }
            ffi::PyList_SetItem(list, index, number);
            next = next.wrapping_add(step);
        }
        list
    }
}
