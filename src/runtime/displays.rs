//! Helpers on displays and calls with stars: containers that grow item by item, calls with the items of iterables.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::object::drop_ref;
use crate::cpython::object::fail;
use crate::cpython::object::new_ref;
use crate::cpython::object::tuple_items;
use crate::cpython::object::type_name;
use crate::cpython::object::type_of;
use crate::cpython::running;

use super::calls::obj_call_plainly;
use super::frames;
use super::names::Name;
use super::object::explain_not_iterable;
use super::table::position;

/// How long names of types are at most in messages, in bytes.
const MOST_OF_NAME: usize = 200;

/// A new set of borrowed items.
///
/// # Safety
/// `items` holds `count` live objects; the thread is attached.
pub unsafe extern "C" fn obj_set(items: *const *mut PyObject, count: i64) -> *mut PyObject {
    // SAFETY: the caller keeps the items alive while they are compared and hashed.
    unsafe {
        let _frames = frames::link();
        let set = ffi::PySet_New(std::ptr::null_mut());
        if set.is_null() {
            return set;
        }
        for number in 0..position(count) {
            if ffi::PySet_Add(set, *items.add(number)) < 0 {
                drop_ref(set);
                return std::ptr::null_mut();
            }
        }
        set
    }
}

/// Appends to a list: 0 or -1.
///
/// # Safety
/// Both objects are alive, the first is a list; the thread is attached.
pub unsafe extern "C" fn obj_list_append(list: *mut PyObject, item: *mut PyObject) -> i32 {
    // SAFETY: the caller's contract.
    unsafe { ffi::PyList_Append(list, item) }
}

/// Extends a list by an iterable: 0 or -1.
///
/// # Safety
/// Both objects are alive, the first is a list; the thread is attached.
pub unsafe extern "C" fn obj_list_extend(list: *mut PyObject, iterable: *mut PyObject) -> i32 {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link();
        let none = (running().symbols.objects.list_extend)(list, iterable);
        if none.is_null() {
            if is_no_iterable(iterable) && ffi::PyErr_ExceptionMatches(ffi::PyExc_TypeError) != 0 {
                ffi::PyErr_Clear();
                let name = name_of(iterable);
                return fail(ffi::PyExc_TypeError, &format!("Value after * must be an iterable, not {name}"));
            }
            return -1;
        }
        drop_ref(none);
        0
    }
}

/// The items of a list as a tuple.
///
/// # Safety
/// The object is a live list; the thread is attached.
pub unsafe extern "C" fn obj_list_to_tuple(list: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { ffi::PyList_AsTuple(list) }
}

/// Adds to a set: 0 or -1.
///
/// # Safety
/// Both objects are alive, the first is a set; the thread is attached.
pub unsafe extern "C" fn obj_set_add(set: *mut PyObject, item: *mut PyObject) -> i32 {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link();
        ffi::PySet_Add(set, item)
    }
}

/// Adds the items of an iterable to a set: 0 or -1.
///
/// # Safety
/// Both objects are alive, the first is a set; the thread is attached.
pub unsafe extern "C" fn obj_set_update(set: *mut PyObject, iterable: *mut PyObject) -> i32 {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link();
        (running().symbols.objects.set_update)(set, iterable)
    }
}

/// Puts the items of a mapping into a dict: 0 or -1.
///
/// # Safety
/// Both objects are alive, the first is a dict; the thread is attached.
pub unsafe extern "C" fn obj_dict_update(dict: *mut PyObject, mapping: *mut PyObject) -> i32 {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link();
        if ffi::PyDict_Update(dict, mapping) >= 0 {
            return 0;
        }
        if ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) != 0 {
            ffi::PyErr_Clear();
            let name = name_of(mapping);
            fail(ffi::PyExc_TypeError, &format!("'{name}' object is not a mapping"));
        }
        -1
    }
}

/// Puts the items of a mapping into the dict of a call's named arguments: 0 or -1.
///
/// # Safety
/// All objects are alive, the first is a dict; the thread is attached.
pub unsafe extern "C" fn obj_dict_merge(
    dict: *mut PyObject,
    mapping: *mut PyObject,
    callable: *mut PyObject,
) -> i32 {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link();
        if (running().symbols.objects.dict_merge)(dict, mapping, 2) >= 0 {
            return 0;
        }
        if ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) != 0 {
            ffi::PyErr_Clear();
            let name = name_of(mapping);
            say_of_call(callable, &format!("argument after ** must be a mapping, not {name}"));
        } else if ffi::PyErr_ExceptionMatches(ffi::PyExc_KeyError) != 0 {
            explain_names(callable);
        }
        -1
    }
}

/// Turns the KeyError of a merge into a TypeError about the call.
unsafe fn explain_names(callable: *mut PyObject) {
    // SAFETY: an exception is set; its parts are owned until they are put back or dropped.
    unsafe {
        let mut parts = [std::ptr::null_mut(); 3];
        let [kind, value, traceback] = &mut parts;
        ffi::PyErr_Fetch(kind, value, traceback);
        let key = match parts[1] {
            value if value.is_null() => std::ptr::null_mut(),
            value if ffi::PyTuple_Check(value) != 0 => match tuple_items(running().layout, value) {
                &[only] => new_ref(only),
                _ => std::ptr::null_mut(),
            },
            // CPython 3.11 explains no exception that has been made already, as it is where one is handled.
            _ if running().layout.version == (3, 11) => std::ptr::null_mut(),
            value => only_argument(value),
        };
        if key.is_null() {
            let [kind, value, traceback] = parts;
            ffi::PyErr_Restore(kind, value, traceback);
            return;
        }
        parts.into_iter().filter(|part| !part.is_null()).for_each(|part| drop_ref(part));
        if ffi::PyUnicode_Check(key) == 0 {
            say_of_call(callable, "keywords must be strings");
        } else if let Some(text) = super::object::text_of(key) {
            say_of_call(callable, &format!("got multiple values for keyword argument '{text}'"));
        }
        drop_ref(key);
    }
}

/// The only argument of an exception that has one, a new reference; null without an exception else.
unsafe fn only_argument(exception: *mut PyObject) -> *mut PyObject {
    // SAFETY: a live object.
    unsafe {
        let args = Name::Args.of(exception);
        if args.is_null() {
            ffi::PyErr_Clear();
            return args;
        }
        let only = match ffi::PyTuple_CheckExact(args) {
            0 => std::ptr::null_mut(),
            _ => match tuple_items(running().layout, args) {
                &[only] => new_ref(only),
                _ => std::ptr::null_mut(),
            },
        };
        drop_ref(args);
        only
    }
}

/// Raises TypeError: the callable as messages name it, then the text.
unsafe fn say_of_call(callable: *mut PyObject, text: &str) {
    // SAFETY: a live callable; no exception is set.
    unsafe {
        let name = (running().symbols.objects.function_text)(callable);
        if name.is_null() {
            return;
        }
        if let Some(name) = super::object::text_of(name) {
            fail(ffi::PyExc_TypeError, &format!("{name} {text}"));
        }
        drop_ref(name);
    }
}

/// Calls with the items of an iterable, and of a dict unless that is null.
///
/// # Safety
/// All objects are alive, the last is null or a dict; the thread is attached.
pub unsafe extern "C" fn obj_call_ex(
    callable: *mut PyObject,
    args: *mut PyObject,
    named: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract; the tuple is ours, or the caller's.
    unsafe {
        let _frames = frames::link();
        let tuple = if ffi::PyTuple_CheckExact(args) != 0 {
            new_ref(args)
        } else {
            if is_no_iterable(args) {
                let name = name_of(args);
                say_of_call(callable, &format!("argument after * must be an iterable, not {name}"));
                return std::ptr::null_mut();
            }
            ffi::PySequence_Tuple(args)
        };
        if tuple.is_null() {
            return tuple;
        }
        let result = obj_call_plainly(callable, tuple, named);
        drop_ref(tuple);
        result
    }
}

unsafe fn is_no_iterable(object: *mut PyObject) -> bool {
    // SAFETY: the caller passes a live object.
    unsafe {
        ffi::PyType_GetSlot(type_of(object), ffi::Py_tp_iter).is_null() && ffi::PySequence_Check(object) == 0
    }
}

/// The name of the object's type, as long as messages show it.
unsafe fn name_of(object: *mut PyObject) -> String {
    // SAFETY: the caller passes a live object.
    let name = unsafe { type_name(running().layout, object) };
    super::object::truncate(&name, MOST_OF_NAME)
}

/// Unpacks into new references in `out`: `before` items, a list, `after` items. 0 or -1.
///
/// # Safety
/// The object is alive, `out` has room for all of them; the thread is attached.
pub unsafe extern "C" fn obj_unpack_rest(
    iterable: *mut PyObject,
    before: i64,
    after: i64,
    out: *mut *mut PyObject,
) -> i32 {
    let (before, after) = (position(before), position(after));
    // SAFETY: the caller's contract; what stands in `out` is owned until it is all there.
    unsafe {
        let _frames = frames::link();
        let iterator = ffi::PyObject_GetIter(iterable);
        if iterator.is_null() {
            return explain_not_iterable(iterable);
        }
        let filled = unpack_around(iterator, before, after, out);
        drop_ref(iterator);
        match filled {
            Ok(()) => 0,
            Err(filled) => {
                for number in (0..filled).rev() {
                    drop_ref(*out.add(number));
                }
                -1
            }
        }
    }
}

/// Fills `out`; the error is how many references stand in it, with the exception set.
unsafe fn unpack_around(
    iterator: *mut PyObject,
    before: usize,
    after: usize,
    out: *mut *mut PyObject,
) -> Result<(), usize> {
    let too_few = |got: usize| {
        let wanted = before + after;
        let message = format!("not enough values to unpack (expected at least {wanted}, got {got})");
        // SAFETY: the thread is attached.
        unsafe { fail(ffi::PyExc_ValueError, &message) };
    };
    // SAFETY: a live iterator; `out` has room; the list is ours alone.
    unsafe {
        for number in 0..before {
            let item = ffi::PyIter_Next(iterator);
            if item.is_null() {
                if ffi::PyErr_Occurred().is_null() {
                    too_few(number);
                }
                return Err(number);
            }
            *out.add(number) = item;
        }
        let rest = ffi::PySequence_List(iterator);
        if rest.is_null() {
            return Err(before);
        }
        *out.add(before) = rest;
        let size = ffi::PyList_Size(rest).cast_unsigned();
        let Some(kept) = size.checked_sub(after) else {
            too_few(before + size);
            return Err(before + 1);
        };
        for number in 0..after {
            let item = ffi::PyList_GetItem(rest, (kept + number).cast_signed());
            *out.add(before + 1 + number) = new_ref(item);
        }
        let filled = before + 1 + after;
        let cut = ffi::PyList_SetSlice(rest, kept.cast_signed(), size.cast_signed(), std::ptr::null_mut());
        if cut < 0 { Err(filled) } else { Ok(()) }
    }
}
