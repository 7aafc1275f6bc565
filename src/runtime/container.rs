//! Helpers on containers, attributes and namespaces: one operation of CPython's object protocol each.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::object::drop_ref;
use crate::cpython::object::new_ref;

use super::table::position;
use super::unit::LoadedUnit;

/// `del object.name`: 0 or -1.
///
/// # Safety
/// Both objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_del_attr(object: *mut PyObject, name: *mut PyObject) -> i32 {
    // SAFETY: setting an attribute to null deletes it.
    unsafe { ffi::PyObject_SetAttr(object, name, std::ptr::null_mut()) }
}

/// Binds a global name: 0 or -1.
///
/// # Safety
/// The unit is loaded, both objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_set_global(
    unit: *const LoadedUnit,
    name: *mut PyObject,
    value: *mut PyObject,
) -> i32 {
    // SAFETY: a function's globals are a dict or of a subclass, whose own methods CPython does not ask here.
    unsafe { ffi::PyDict_SetItem((*unit).globals(), name, value) }
}

/// `container[key]`
///
/// # Safety
/// Both objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_item(container: *mut PyObject, key: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { ffi::PyObject_GetItem(container, key) }
}

/// `container[key] = value`: 0 or -1.
///
/// # Safety
/// All objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_set_item(
    container: *mut PyObject,
    key: *mut PyObject,
    value: *mut PyObject,
) -> i32 {
    // SAFETY: the caller's contract.
    unsafe { ffi::PyObject_SetItem(container, key, value) }
}

/// `del container[key]`: 0 or -1.
///
/// # Safety
/// Both objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_del_item(container: *mut PyObject, key: *mut PyObject) -> i32 {
    // SAFETY: the caller's contract.
    unsafe { ffi::PyObject_DelItem(container, key) }
}

/// `slice(start, stop, step)`
///
/// # Safety
/// All objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_slice(
    start: *mut PyObject,
    stop: *mut PyObject,
    step: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { ffi::PySlice_New(start, stop, step) }
}

/// `item in container`: 1, 0, or -1 with an exception.
///
/// # Safety
/// Both objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_contains(container: *mut PyObject, item: *mut PyObject) -> i32 {
    // SAFETY: the caller's contract.
    unsafe { ffi::PySequence_Contains(container, item) }
}

/// A new list of borrowed items.
///
/// # Safety
/// `items` holds `count` live objects; the thread is attached.
pub unsafe extern "C" fn obj_list(items: *const *mut PyObject, count: i64) -> *mut PyObject {
    let count = position(count).cast_signed();
    // SAFETY: each position is set once, with a reference of its own.
    unsafe {
        let list = ffi::PyList_New(count);
        if !list.is_null() {
            for index in 0..count {
                ffi::PyList_SetItem(list, index, new_ref(*items.offset(index)));
            }
        }
        list
    }
}

/// A new dict of borrowed keys and values.
///
/// # Safety
/// `items` holds `pairs` live keys, each with its value behind it; the thread is attached.
pub unsafe extern "C" fn obj_dict(items: *const *mut PyObject, pairs: i64) -> *mut PyObject {
    // SAFETY: the caller keeps keys and values alive while they are compared and hashed.
    unsafe {
        let dict = ffi::PyDict_New();
        if dict.is_null() {
            return dict;
        }
        for pair in 0..position(pairs) {
            if ffi::PyDict_SetItem(dict, *items.add(2 * pair), *items.add(2 * pair + 1)) < 0 {
                drop_ref(dict);
                return std::ptr::null_mut();
            }
        }
        dict
    }
}
