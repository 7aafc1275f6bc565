//! Helpers of `match`: what a pattern asks of its subject, as the interpreter's own instructions do it.

use std::ffi::c_ulong;

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::object::drop_optional;
use crate::cpython::object::drop_ref;
use crate::cpython::object::fail;
use crate::cpython::object::has_type_flag;
use crate::cpython::object::name_of_class;
use crate::cpython::object::new_ref;
use crate::cpython::object::tuple_items;
use crate::cpython::object::type_name;
use crate::cpython::running;

use super::calls::call_with;
use super::frames;
use super::object::text_of;
use super::table::position;

/// `_Py_TPFLAGS_MATCH_SELF`: a pattern with one positional part gives it the subject itself.
const MATCH_SELF: c_ulong = 1 << 22;

/// 1 where the object's type has the flag of this number, else 0.
///
/// # Safety
/// The object is alive; the thread is attached.
pub unsafe extern "C" fn obj_type_flag(flag: i64, object: *mut PyObject) -> i64 {
    // SAFETY: the caller's contract.
    i64::from(unsafe { has_type_flag(object, 1 << position(flag)) })
}

/// `len(object)`
///
/// # Safety
/// The object is alive; the thread is attached.
pub unsafe extern "C" fn obj_len(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link();
        match ffi::PyObject_Size(object) {
            ..0 => std::ptr::null_mut(),
            size => ffi::PyLong_FromSsize_t(size),
        }
    }
}

/// What a pattern looks for next.
enum Found {
    /// A new reference.
    Value(*mut PyObject),
    /// Nothing: the pattern does not match.
    Nothing,
    /// An exception is set.
    Failed,
}

/// The values of a mapping for a tuple of keys, a tuple; None where one is missing; null with an exception.
///
/// # Safety
/// Both objects are alive, the second is a tuple; the thread is attached.
pub unsafe extern "C" fn obj_match_keys(mapping: *mut PyObject, keys: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract; what is made here is dropped here.
    unsafe {
        let _frames = frames::link();
        let keys = tuple_items(running().layout, keys);
        if keys.is_empty() {
            return ffi::PyTuple_New(0);
        }
        let mut get = std::ptr::null_mut();
        let name = ffi::PyUnicode_InternFromString(c"get".as_ptr());
        if name.is_null() {
            return name;
        }
        let is_method = (running().symbols.get_method)(mapping, name, &raw mut get) != 0;
        drop_ref(name);
        if get.is_null() {
            return get;
        }
        let missing = ffi::PyObject_CallNoArgs((&raw mut ffi::PyBaseObject_Type).cast());
        let seen = ffi::PySet_New(std::ptr::null_mut());
        let mut values = Vec::with_capacity(keys.len());
        let mut end = if missing.is_null() || seen.is_null() { Some(Found::Failed) } else { None };
        for &key in keys {
            if end.is_some() {
                break;
            }
            let value = if is_seen(seen, key, || already_asked(key)) {
                std::ptr::null_mut()
            } else if is_method {
                call_with(get, [mapping, key, missing])
            } else {
                call_with(get, [key, missing])
            };
            if value.is_null() {
                end = Some(Found::Failed);
            } else if value == missing {
                drop_ref(value);
                end = Some(Found::Nothing);
            } else {
                values.push(value);
            }
        }
        let result = finished(&values, end);
        drop_optional(seen);
        drop_optional(missing);
        drop_ref(get);
        result
    }
}

/// The tuple of values, None, or null; the values are handed over.
unsafe fn finished(values: &[*mut PyObject], end: Option<Found>) -> *mut PyObject {
    // SAFETY: owned references; the tuple takes its own.
    unsafe {
        let result = match end {
            None | Some(Found::Value(_)) => tuple_of(values),
            Some(Found::Nothing) => new_ref(ffi::Py_None()),
            Some(Found::Failed) => std::ptr::null_mut(),
        };
        values.iter().for_each(|&value| drop_ref(value));
        result
    }
}

/// A new tuple of borrowed items.
unsafe fn tuple_of(items: &[*mut PyObject]) -> *mut PyObject {
    // SAFETY: the tuple steals a reference to each.
    unsafe {
        let tuple = ffi::PyTuple_New(items.len().cast_signed());
        if !tuple.is_null() {
            for (number, &item) in items.iter().enumerate() {
                ffi::PyTuple_SetItem(tuple, number.cast_signed(), new_ref(item));
            }
        }
        tuple
    }
}

/// Adds to the set; true with an exception where the object is in it already, which `complain` says, or can't be.
unsafe fn is_seen(seen: *mut PyObject, object: *mut PyObject, complain: impl FnOnce()) -> bool {
    // SAFETY: a live set and a live object.
    unsafe {
        match ffi::PySet_Contains(seen, object) {
            0 => ffi::PySet_Add(seen, object) < 0,
            1 => {
                complain();
                true
            }
            _ => true,
        }
    }
}

fn already_asked(key: *mut PyObject) {
    // SAFETY: a live object; the text is ours.
    unsafe {
        let repr = ffi::PyObject_Repr(key);
        if repr.is_null() {
            return;
        }
        ffi::PyErr_Format(ffi::PyExc_ValueError, c"mapping pattern checks duplicate key (%U)".as_ptr(), repr);
        drop_ref(repr);
    }
}

/// The attributes that a class pattern asks for: `count` by position, those of the tuple by name. None where it
/// does not match; null with an exception.
///
/// # Safety
/// All objects are alive, the last is a tuple of str; the thread is attached.
pub unsafe extern "C" fn obj_match_class(
    count: i64,
    object: *mut PyObject,
    class: *mut PyObject,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract; the set is ours.
    unsafe {
        let _frames = frames::link();
        if !has_type_flag(class, ffi::Py_TPFLAGS_TYPE_SUBCLASS) {
            fail(ffi::PyExc_TypeError, running().layout.no_class_in_pattern);
            return std::ptr::null_mut();
        }
        match ffi::PyObject_IsInstance(object, class) {
            0 => return new_ref(ffi::Py_None()),
            1.. => {}
            _ => return std::ptr::null_mut(),
        }
        let seen = ffi::PySet_New(std::ptr::null_mut());
        if seen.is_null() {
            return seen;
        }
        let mut asked = Asked { object, class, seen, values: Vec::new() };
        let end = match asked.by_position(position(count)) {
            None => asked.by_name(tuple_items(running().layout, names)),
            end => end,
        };
        let result = finished(&asked.values, end);
        drop_ref(seen);
        result
    }
}

/// A class pattern at work: the attributes that it has, and a set of their names.
struct Asked {
    object: *mut PyObject,
    class: *mut PyObject,
    seen: *mut PyObject,
    values: Vec<*mut PyObject>,
}

impl Asked {
    /// The positional parts, by `__match_args__` of the class; nothing where all is well.
    unsafe fn by_position(&mut self, count: usize) -> Option<Found> {
        if count == 0 {
            return None;
        }
        // SAFETY: a live class; the tuple is ours.
        unsafe {
            // A new str each time would fill the interpreter's cache of what types have.
            let name = ffi::PyUnicode_InternFromString(c"__match_args__".as_ptr());
            if name.is_null() {
                return Some(Found::Failed);
            }
            let mut names = ffi::PyObject_GetAttr(self.class, name);
            drop_ref(name);
            let mut takes_itself = false;
            if names.is_null() {
                if ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) == 0 {
                    return Some(Found::Failed);
                }
                ffi::PyErr_Clear();
                takes_itself = ffi::PyType_GetFlags(self.class.cast()) & MATCH_SELF != 0;
                names = ffi::PyTuple_New(0);
                if names.is_null() {
                    return Some(Found::Failed);
                }
            }
            let end = self.by_match_args(names, takes_itself, count);
            drop_ref(names);
            end
        }
    }

    unsafe fn by_match_args(
        &mut self,
        names: *mut PyObject,
        takes_itself: bool,
        count: usize,
    ) -> Option<Found> {
        // SAFETY: live objects.
        unsafe {
            let class = name_of_class(running().layout, self.class.cast());
            if ffi::PyTuple_CheckExact(names) == 0 {
                let got = type_name(running().layout, names);
                return self.refuse(&format!("{class}.__match_args__ must be a tuple (got {got})"));
            }
            let names = tuple_items(running().layout, names);
            let allowed = if takes_itself { 1 } else { names.len() };
            if allowed < count {
                let plural = if allowed == 1 { "" } else { "s" };
                return self.refuse(&format!(
                    "{class}() accepts {allowed} positional sub-pattern{plural} ({count} given)"
                ));
            }
            if takes_itself {
                self.values.push(new_ref(self.object));
                return None;
            }
            for &name in &names[..count] {
                if ffi::PyUnicode_CheckExact(name) == 0 {
                    let got = type_name(running().layout, name);
                    return self.refuse(&format!("__match_args__ elements must be strings (got {got})"));
                }
                if let end @ Some(_) = self.by_name(&[name]) {
                    return end;
                }
            }
        }
        None
    }

    unsafe fn by_name(&mut self, names: &[*mut PyObject]) -> Option<Found> {
        for &name in names {
            // SAFETY: live objects.
            match unsafe { self.attribute(name) } {
                Found::Value(value) => self.values.push(value),
                end => return Some(end),
            }
        }
        None
    }

    unsafe fn attribute(&self, name: *mut PyObject) -> Found {
        // SAFETY: live objects.
        unsafe {
            if is_seen(self.seen, name, || self.asked_twice(name)) {
                return Found::Failed;
            }
            let value = ffi::PyObject_GetAttr(self.object, name);
            if !value.is_null() {
                return Found::Value(value);
            }
            if ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) == 0 {
                return Found::Failed;
            }
            ffi::PyErr_Clear();
            Found::Nothing
        }
    }

    fn asked_twice(&self, name: *mut PyObject) {
        // SAFETY: live objects.
        unsafe {
            let repr = ffi::PyObject_Repr(name);
            if repr.is_null() {
                return;
            }
            if let Some(shown) = text_of(repr) {
                let class = name_of_class(running().layout, self.class.cast());
                self.refuse(&format!("{class}() got multiple sub-patterns for attribute {shown}"));
            }
            drop_ref(repr);
        }
    }

    fn refuse(&self, message: &str) -> Option<Found> {
        // SAFETY: the thread is attached while a pattern is at work.
        unsafe { fail(ffi::PyExc_TypeError, message) };
        Some(Found::Failed)
    }
}
