//! Helpers on attributes and methods: what compiled code calls where its inline cache does not fit.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::Layout;
use crate::cpython::attribute::Storage;
use crate::cpython::attribute::storage;
use crate::cpython::bound_super;
use crate::cpython::layout::INLINE_HEADER;
use crate::cpython::layout::InstanceValues;
use crate::cpython::object::drop_optional;
use crate::cpython::object::field;
use crate::cpython::object::new_ref;
use crate::cpython::object::type_of;
use crate::cpython::running;

use super::caches;
use super::calls;
use super::frames;
use super::object;
use super::sealed;
use super::table::Pair;
use super::table::position;
use super::unit::LoadedUnit;

/// `object.name`
///
/// # Safety
/// The unit is loaded and has this cache, both objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_attr(
    unit: *const LoadedUnit,
    cache: i64,
    object: *mut PyObject,
    name: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        if let Some(hit) = find(unit, cache, object, name)
            && !hit.is_method
        {
            frames::pass();
            return new_ref(hit.value);
        }
        let _frames = frames::link();
        ffi::PyObject_GetAttr(object, name)
    }
}

/// `object.name` to be called: a function and the object itself, or the attribute and None.
///
/// # Safety
/// As [`obj_attr`].
pub unsafe extern "C" fn obj_method(
    unit: *const LoadedUnit,
    cache: i64,
    object: *mut PyObject,
    name: *mut PyObject,
) -> Pair<*mut PyObject, *mut PyObject> {
    // SAFETY: the caller's contract.
    unsafe {
        // A method of None can't be told from an attribute: it is bound.
        if object == ffi::Py_None() {
            let _frames = frames::link();
            let found = ffi::PyObject_GetAttr(object, name);
            return Pair(found, if found.is_null() { found } else { new_ref(object) });
        }
        if type_of(object) == &raw mut ffi::PySuper_Type
            && let Some((function, with)) = bound_super::method(running().layout, object, name)
        {
            frames::pass();
            return Pair(new_ref(function), new_ref(with));
        }
        if let Some(hit) = find(unit, cache, object, name) {
            frames::pass();
            let with = if hit.is_method { object } else { ffi::Py_None() };
            return Pair(new_ref(hit.value), new_ref(with));
        }
        let _frames = frames::link();
        let mut method = std::ptr::null_mut();
        let is_method = (running().symbols.get_method)(object, name, &raw mut method) != 0;
        if method.is_null() {
            return Pair(method, method);
        }
        Pair(method, new_ref(if is_method { object } else { ffi::Py_None() }))
    }
}

/// What the cache finds, having looked for it once more if it found nothing.
unsafe fn find(
    unit: *const LoadedUnit,
    cache: i64,
    object: *mut PyObject,
    name: *mut PyObject,
) -> Option<caches::Hit> {
    // SAFETY: the unit lives while its code runs; the objects are alive.
    unsafe {
        let (unit, cache) = (&*unit, position(cache));
        if let Some(hit) = caches::find(unit, cache, object, name) {
            return Some(hit);
        }
        if caches::still_looks(unit, cache) {
            caches::learn(unit, cache, object, name);
            return caches::find(unit, cache, object, name);
        }
        None
    }
}

/// `object.name = value`: 0 or -1.
///
/// # Safety
/// As [`obj_attr`], for all three objects.
pub unsafe extern "C" fn obj_set_attr(
    unit: *const LoadedUnit,
    cache: i64,
    object: *mut PyObject,
    name: *mut PyObject,
    value: *mut PyObject,
) -> i32 {
    // SAFETY: the caller's contract.
    unsafe {
        let (unit, cache) = (&*unit, position(cache));
        let mut place = caches::find_place(unit, cache, object);
        if place.is_none() && caches::still_looks(unit, cache) {
            caches::learn(unit, cache, object, name);
            place = caches::find_place(unit, cache, object);
        }
        let old = match place {
            Some(caches::Target::Value(number)) => set_value(object, number, value),
            Some(caches::Target::Slot(offset)) => {
                let place = object.byte_offset(offset as isize).cast::<*mut PyObject>();
                Some(place.replace(new_ref(value)))
            }
            None => None,
        };
        match old {
            Some(old) => {
                let _frames = frames::link_unless(|| old.is_null() || object::dies_quietly(old));
                drop_optional(old);
                0
            }
            None if sealed::writes(object) => frames::wait(|| ffi::PyObject_SetAttr(object, name, value)),
            None => {
                let _frames = frames::link();
                ffi::PyObject_SetAttr(object, name, value)
            }
        }
    }
}

/// Puts a new reference among the instance's values; the old one, maybe null. None where it has no values, or a
/// dict that shares them.
unsafe fn set_value(object: *mut PyObject, number: usize, value: *mut PyObject) -> Option<*mut PyObject> {
    let layout = running().layout;
    // SAFETY: the cache's place is one of the shared keys, and so of the values.
    unsafe {
        let Storage::Values(values) = storage(layout, object, type_of(object)) else { return None };
        if matches!(layout.attribute.values, InstanceValues::Inline(..))
            && !field::<*mut PyObject, _>(object, layout.attribute.managed_dict).is_null()
        {
            return None;
        }
        let old = values.add(number).replace(new_ref(value));
        if old.is_null() {
            add_to_order(layout, values, number);
        }
        Some(old)
    }
}

/// Appends the value's number to the order in which the attributes were set.
unsafe fn add_to_order(layout: &Layout, values: *mut *mut PyObject, number: usize) {
    let number = u8::try_from(number).expect("shared keys are at most 30");
    // SAFETY: the array that says the order has room for every value.
    unsafe {
        match layout.attribute.values {
            // In front of the values, backwards: how much room there is, how many are set, their numbers.
            InstanceValues::Array(_) | InstanceValues::OddArray(_) => {
                let count = values.cast::<u8>().sub(2);
                *count += 1;
                *count.sub(usize::from(*count)) = number;
            }
            // In front of the values: how much room there is, how many are set; their numbers behind the values.
            InstanceValues::Inline(..) => {
                let header = values.cast::<u8>().offset(-(INLINE_HEADER as isize));
                let (room, count) = (*header, header.add(1));
                let order = values.add(usize::from(room)).cast::<u8>();
                *order.add(usize::from(*count)) = number;
                *count += 1;
            }
        }
    }
}

/// Calls what [`obj_method`] gave: `args` holds a free word, the object or None, and `count` arguments.
///
/// # Safety
/// As [`calls::obj_call`].
pub unsafe extern "C" fn obj_call_method(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    count: i64,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        if *args.add(1) == ffi::Py_None() {
            return calls::obj_call(callable, args.add(2), count, names);
        }
        calls::obj_call(callable, args.add(1), count + 1, names)
    }
}

/// The value of a global or builtin name; NameError.
///
/// # Safety
/// As [`obj_attr`].
pub unsafe extern "C" fn obj_global(
    unit: *const LoadedUnit,
    cache: i64,
    name: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let (loaded, cache) = (&*unit, position(cache));
        if caches::still_looks(loaded, cache) {
            super::cells::learn_global(loaded, cache, name);
        }
        object::obj_global(unit, name)
    }
}
