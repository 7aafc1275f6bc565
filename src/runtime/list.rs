//! Helpers on lists: what is too long to stand in compiled code.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::container::list_items;
use crate::cpython::object::drop_ref;
use crate::cpython::object::field;
use crate::cpython::object::new_ref;
use crate::cpython::running;

use super::frames;
use super::quiet;
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

/// Takes the last item out of a list and gives memory back, as `list.pop` does. The item, or null where there is
/// no memory.
///
/// # Safety
/// The thread is attached; the object is exactly a list and has an item.
pub unsafe extern "C" fn list_pop(list: *mut PyObject) -> *mut PyObject {
    // SAFETY: the last item exists and gets a reference of its own before the list's is dropped.
    unsafe {
        let size = ffi::PyList_Size(list);
        let item = new_ref(ffi::PyList_GetItem(list, size - 1));
        if ffi::PyList_SetSlice(list, size - 1, size, std::ptr::null_mut()) < 0 {
            ffi::PyErr_Clear();
            drop_ref(item);
            return std::ptr::null_mut();
        }
        item
    }
}

/// Start, stop and number of items of a slice of so many items.
fn adjusted(size: isize, start: i64, stop: i64, step: i64) -> (isize, isize, isize) {
    let (mut start, mut stop) = (word(start), word(stop));
    // SAFETY: both are local, and the step is neither zero nor the least number.
    let count = unsafe { ffi::PySlice_AdjustIndices(size, &raw mut start, &raw mut stop, word(step)) };
    (start, stop, count)
}

fn word(value: i64) -> isize {
    isize::try_from(value).expect("machine words have 64 bits")
}

/// A new list of a slice of a list, or null with the exception set.
///
/// # Safety
/// The thread is attached; the object is exactly a list, the step is not zero.
pub unsafe extern "C" fn list_slice(list: *mut PyObject, start: i64, stop: i64, step: i64) -> *mut PyObject {
    // SAFETY: the adjusted indices are positions of the list, which nobody changes meanwhile: a collection on the way
    // could, so its items are looked at behind the allocation, as CPython does.
    unsafe {
        let step = step.max(-i64::MAX);
        let (first, last, _) = adjusted(ffi::PyList_Size(list), start, stop, step);
        if step == 1 {
            return ffi::PyList_GetSlice(list, first, last.max(first));
        }
        let (_, _, count) = adjusted(ffi::PyList_Size(list), start, stop, step);
        let slice = ffi::PyList_New(count);
        if slice.is_null() {
            return slice;
        }
        let layout = running().layout;
        let (items, new) =
            (list_items(layout, list), field::<*mut *mut PyObject, _>(slice, layout.container.list_items));
        let mut position = first;
        for number in 0..count.cast_unsigned() {
            // A slice of a list that became shorter has None for what is gone.
            let item = items.get(position.cast_unsigned()).copied();
            new.add(number).write(new_ref(item.unwrap_or_else(|| ffi::Py_None())));
            position = position.wrapping_add(word(step));
        }
        slice
    }
}

/// Puts the items of a list in place of a slice of a list. 0, or -1 with the exception set.
///
/// # Safety
/// The thread is attached; both objects are exactly lists.
pub unsafe extern "C" fn list_set_slice(
    list: *mut PyObject,
    start: i64,
    stop: i64,
    items: *mut PyObject,
) -> i32 {
    // SAFETY: the adjusted indices are positions of the list.
    unsafe {
        let (first, last, _) = adjusted(ffi::PyList_Size(list), start, stop, 1);
        let last = last.max(first);
        let _frames = frames::link_unless(|| {
            let old = &list_items(running().layout, list)[first.cast_unsigned()..last.cast_unsigned()];
            old.iter().all(|&item| quiet::is_simple(item))
        });
        ffi::PyList_SetSlice(list, first, last, items)
    }
}
