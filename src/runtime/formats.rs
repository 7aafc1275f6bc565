//! Helpers of f-strings: formatting a value, joining the pieces.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::object::drop_ref;
use crate::cpython::object::new_ref;
use crate::cpython::running;

use super::frames;
use super::quiet;
use super::table::position;

/// `format(object, spec)` of what the conversion makes of the object.
///
/// # Safety
/// Both objects are alive, the second is None or a str; the thread is attached.
pub unsafe extern "C" fn obj_format(
    conversion: i64,
    object: *mut PyObject,
    spec: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract; the converted object is ours.
    unsafe {
        let is_plain = spec == ffi::Py_None();
        if is_plain && ffi::PyUnicode_CheckExact(object) != 0 && conversion < 2 {
            frames::pass();
            return new_ref(object);
        }
        // Text of bytes may be something to warn of.
        let _frames = frames::link_unless(|| {
            quiet::is_simple(object)
                && ffi::PyBytes_CheckExact(object) == 0
                && (is_plain || ffi::PyUnicode_CheckExact(spec) != 0)
        });
        let converted = match conversion {
            1 => ffi::PyObject_Str(object),
            2 => ffi::PyObject_Repr(object),
            3 => ffi::PyObject_ASCII(object),
            _ => new_ref(object),
        };
        let spec = if is_plain { std::ptr::null_mut() } else { spec };
        if converted.is_null() || (spec.is_null() && ffi::PyUnicode_CheckExact(converted) != 0) {
            return converted;
        }
        let formatted = ffi::PyObject_Format(converted, spec);
        drop_ref(converted);
        formatted
    }
}

/// The strings in a row, as one.
///
/// # Safety
/// `items` holds `count` live strings; the thread is attached.
pub unsafe extern "C" fn obj_join(items: *const *mut PyObject, count: i64) -> *mut PyObject {
    // SAFETY: the caller's contract; the separator is ours.
    unsafe {
        let nothing = ffi::PyUnicode_FromStringAndSize(std::ptr::null(), 0);
        if nothing.is_null() {
            return nothing;
        }
        let joined = (running().symbols.objects.join)(nothing, items, position(count).cast_signed());
        drop_ref(nothing);
        joined
    }
}
