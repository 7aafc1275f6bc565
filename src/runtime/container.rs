//! Helpers on containers, attributes and namespaces: one operation of CPython's object protocol each.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::container::list_items;
use crate::cpython::object::drop_ref;
use crate::cpython::object::int_value;
use crate::cpython::object::is_int;
use crate::cpython::object::new_ref;
use crate::cpython::object::tuple_items;
use crate::cpython::running;

use super::frames;
use super::object::dies_quietly;
use super::quiet;
use super::table::position;
use super::unit::LoadedUnit;

/// `del object.name`: 0 or -1.
///
/// # Safety
/// Both objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_del_attr(object: *mut PyObject, name: *mut PyObject) -> i32 {
    // SAFETY: setting an attribute to null deletes it.
    unsafe {
        let _frames = frames::link();
        ffi::PyObject_SetAttr(object, name, std::ptr::null_mut())
    }
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
    unsafe {
        let globals = (*unit).globals();
        let _frames = frames::link_unless(|| {
            let old = ffi::PyDict_GetItemWithError(globals, name);
            is_quiet_key(globals, name) && (old.is_null() || dies_quietly(old))
        });
        ffi::PyDict_SetItem(globals, name, value)
    }
}

/// The place of an item in `count` of them, where the key is an exact int that names one.
#[inline]
unsafe fn place_of(key: *mut PyObject, count: usize) -> Option<usize> {
    // SAFETY: the caller passes a live object, which is exactly an int before its value is read.
    let index = unsafe { if is_int(key) { int_value(running().layout, key)? } else { return None } };
    let place = if index < 0 { index.checked_add_unsigned(count as u64)? } else { index };
    usize::try_from(place).ok().filter(|&place| place < count)
}

/// Whether the dict answers for the key without Python: it is a string, and so is every key.
#[inline]
unsafe fn is_quiet_key(dict: *mut PyObject, key: *mut PyObject) -> bool {
    // SAFETY: the caller passes an exact dict.
    unsafe { ffi::PyUnicode_CheckExact(key) != 0 && quiet::has_string_keys(dict) }
}

/// Whether a container that can't run Python for a simple key is asked for one.
#[inline]
unsafe fn is_quiet_item(container: *mut PyObject, key: *mut PyObject) -> bool {
    // SAFETY: the caller passes live objects.
    unsafe {
        if ffi::PyDict_CheckExact(container) != 0 {
            return is_quiet_key(container, key);
        }
        (quiet::is_simple(key) || quiet::is_slice(key)) && quiet::is_container(container)
    }
}

/// `container[key]`
///
/// # Safety
/// Both objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_item(container: *mut PyObject, key: *mut PyObject) -> *mut PyObject {
    let layout = running().layout;
    // SAFETY: the caller's contract; items are counted before anything else runs.
    unsafe {
        let items = if ffi::PyList_CheckExact(container) != 0 {
            Some(list_items(layout, container))
        } else if ffi::PyTuple_CheckExact(container) != 0 {
            Some(tuple_items(layout, container))
        } else {
            None
        };
        if let Some(items) = items
            && let Some(place) = place_of(key, items.len())
        {
            frames::pass();
            return new_ref(items[place]);
        }
        if items.is_none() && ffi::PyDict_CheckExact(container) != 0 && is_quiet_key(container, key) {
            let found = ffi::PyDict_GetItemWithError(container, key);
            if !found.is_null() {
                frames::pass();
                return new_ref(found);
            }
        }
        let _frames = frames::link_unless(|| is_quiet_item(container, key));
        ffi::PyObject_GetItem(container, key)
    }
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
    // SAFETY: the caller's contract; an item is replaced before the old one is dropped.
    unsafe {
        if ffi::PyList_CheckExact(container) != 0 {
            let items = list_items(running().layout, container);
            if let Some(place) = place_of(key, items.len()) {
                let place = items.as_ptr().cast_mut().add(place);
                let old = place.replace(new_ref(value));
                let _frames = frames::link_unless(|| dies_quietly(old));
                drop_ref(old);
                return 0;
            }
        }
        let _frames = frames::link_unless(|| {
            ffi::PyDict_CheckExact(container) != 0 && is_quiet_key(container, key) && {
                let old = ffi::PyDict_GetItemWithError(container, key);
                old.is_null() || dies_quietly(old)
            }
        });
        ffi::PyObject_SetItem(container, key, value)
    }
}

/// `del container[key]`: 0 or -1.
///
/// # Safety
/// Both objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_del_item(container: *mut PyObject, key: *mut PyObject) -> i32 {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link();
        ffi::PyObject_DelItem(container, key)
    }
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
    unsafe {
        let _frames = frames::link_unless(|| {
            let is_dict = ffi::PyDict_CheckExact(container) != 0;
            is_dict && is_quiet_key(container, item) || quiet::is_simple(container) && quiet::is_simple(item)
        });
        ffi::PySequence_Contains(container, item)
    }
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
        let keys = std::slice::from_raw_parts(items, 2 * position(pairs));
        let _frames = frames::link_unless(|| keys.iter().step_by(2).all(|&key| quiet::is_simple(key)));
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
