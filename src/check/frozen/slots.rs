//! The functions of sealed types that CPython calls: an instance is written, visited, cleared and freed.

use std::cell::Cell;
use std::cell::RefCell;
use std::ffi::c_int;
use std::ffi::c_void;
use std::ptr;

use pyo3::PyResult;
use pyo3::exceptions::PyAttributeError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::Python;
use pyo3::types::PyString;

use super::Field;
use super::Hot;
use super::Seal;
use super::layout;
use super::seal_of;
use crate::cpython::class;
use crate::cpython::object::Counts;
use crate::cpython::object::drop_optional;
use crate::cpython::object::drop_ref;
use crate::cpython::object::is_last;
use crate::cpython::object::new_ref;
use crate::cpython::running;
use crate::runtime::frames;
use crate::runtime::object::dies_quietly;
use crate::runtime::sealed::is_simple;
use crate::types::MAX_KEPT_FLOATS;

/// How deep instances may free each other before the next ones wait, as in CPython.
const MAX_NESTED: u32 = 50;

thread_local! {
    static NESTED: Cell<u32> = const { Cell::new(0) };
    static WAITING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// `tp_dealloc`, which also tells sealed types from others.
///
/// # Safety
/// CPython calls it, attached, with an instance whose last reference is gone; for an instance of an ordinary
/// subclass, after what the subclass added is gone.
pub(super) unsafe extern "C" fn dealloc(object: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let own = class::fields(class);
        let (seal, sealed) = seal_of(class);
        seal.kept.untrack(object);
        if sealed != own || (*own).finalize.is_some() {
            dealloc_slowly(object);
            return;
        }
        let counts = Counts::of_running();
        clear_weak_references(object, (*own).weaklist_offset);
        let left = seal.kept.left();
        let mut is_filled = left != 0;
        for (number, hot) in seal.hot.iter().enumerate() {
            let slot = hot.slot(object);
            let value = slot.read();
            if number < MAX_KEPT_FLOATS && left >> number & 1 != 0 {
                if !value.is_null() && ffi::Py_TYPE(value) == &raw mut ffi::PyFloat_Type && is_last(value) {
                    continue;
                }
                is_filled = false;
            }
            if !value.is_null() {
                if (*class::fields(ffi::Py_TYPE(value))).flags & class::FLAG_GC != 0 && is_last(value) {
                    dealloc_slowly(object);
                    return;
                }
                slot.write(ptr::null_mut());
                if !dies_quietly(value) {
                    frames::show();
                }
                counts.let_go(value);
            }
        }
        if is_filled {
            seal.kept.keep_filled(object);
        } else {
            if left != 0 {
                drop_fields(seal, object);
            }
            seal.kept.free(object);
        }
        counts.let_go(class.cast());
    }
}

/// Frees an instance of exactly a sealed class if nothing can look on: its fields hold numbers, str, bytes or None.
///
/// # Safety
/// As for [`dealloc`].
pub(super) unsafe fn dies_at_once(object: *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let own = class::fields(class);
        let (seal, _) = seal_of(class);
        let offset = (*own).weaklist_offset;
        let is_referred =
            offset > 0 && !object.cast::<u8>().offset(offset).cast::<*mut PyObject>().read().is_null();
        let is_plain = |hot: &Hot| {
            let value = hot.slot(object).read();
            value.is_null() || is_simple(value)
        };
        let can = !is_referred && (*own).finalize.is_none() && seal.hot.iter().all(is_plain);
        if can {
            (running().symbols.dealloc)(object);
        }
        can
    }
}

/// The same for an instance whose fields may free other instances, or which has a finaliser.
///
/// # Safety
/// As for [`dealloc`]; the object is untracked.
#[inline(never)]
unsafe fn dealloc_slowly(object: *mut PyObject) {
    // SAFETY: the caller's promise; an object that waits is untracked and nobody has a reference to it.
    unsafe {
        let depth = NESTED.get();
        if depth >= MAX_NESTED {
            WAITING.with_borrow_mut(|waiting| waiting.push(object.expose_provenance()));
            return;
        }
        NESTED.set(depth + 1);
        free(object);
        NESTED.set(depth);
        while depth == 0
            && let Some(next) = WAITING.with_borrow_mut(Vec::pop)
        {
            NESTED.set(1);
            free(ptr::with_exposed_provenance_mut(next));
            NESTED.set(0);
        }
    }
}

/// Frees one instance.
unsafe fn free(object: *mut PyObject) {
    // SAFETY: as for `dealloc`. The finaliser may bring the object back; weak references are cleared before
    // the fields, which nobody can read then; the type is dropped last.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let own = class::fields(class);
        let is_exact = layout::is_sealed(own);
        if (*own).finalize.is_some() && is_exact {
            frames::show();
            ffi::PyObject_GC_Track(object.cast::<c_void>());
            if finalize(object) < 0 {
                return;
            }
            ffi::PyObject_GC_UnTrack(object.cast::<c_void>());
        }
        let (seal, sealed) = seal_of(class);
        clear_weak_references(object, (*sealed).weaklist_offset);
        drop_fields(seal, object);
        if is_exact {
            seal.kept.free(object);
        } else {
            let free = (*own).free.expect("every heap type has it");
            free(object.cast::<c_void>());
        }
        drop_ref(class.cast());
    }
}

/// Clears the weak references to an object whose list of them stands at the offset, if it has one.
#[inline]
unsafe fn clear_weak_references(object: *mut PyObject, offset: isize) {
    // SAFETY: the offset lies within the instance.
    unsafe {
        if offset > 0 && !object.cast::<u8>().offset(offset).cast::<*mut PyObject>().read().is_null() {
            frames::show();
            ffi::PyObject_ClearWeakRefs(object);
        }
    }
}

/// Runs the finaliser; less than 0 when the object lives on.
unsafe fn finalize(object: *mut PyObject) -> c_int {
    // SAFETY: the caller's promise; a class was sealed, so the functions are known.
    unsafe {
        match layout::functions(Python::assume_attached()) {
            Ok(functions) => (functions.finalize)(object),
            Err(_) => 0,
        }
    }
}

/// Drops all fields, in their order.
unsafe fn drop_fields(seal: &Seal, object: *mut PyObject) {
    for field in &seal.fields {
        // SAFETY: an instance's field is null or owned; it is null before foreign code can see it.
        unsafe {
            let value = field.slot(object).replace(ptr::null_mut());
            if !value.is_null()
                && !dies_quietly(value)
                && !layout::is_sealed(class::fields(ffi::Py_TYPE(value)))
            {
                frames::show();
            }
            drop_optional(value);
        }
    }
}

/// `tp_traverse`
///
/// # Safety
/// CPython calls it with a live instance.
pub(super) unsafe extern "C" fn traverse(
    object: *mut PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: the fields and the type are references that the instance owns.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let result = visit(class.cast(), argument);
        if result != 0 {
            return result;
        }
        for field in &seal_of(class).0.fields {
            let value = *field.slot(object);
            if !value.is_null() {
                let result = visit(value, argument);
                if result != 0 {
                    return result;
                }
            }
        }
    }
    0
}

/// `tp_clear`
///
/// # Safety
/// CPython calls it with a live instance that only garbage refers to.
pub(super) unsafe extern "C" fn clear(object: *mut PyObject) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { drop_fields(seal_of(ffi::Py_TYPE(object)).0, object) };
    0
}

/// `tp_setattro`: a field takes what passes its check; what is no field is written as in any object.
///
/// # Safety
/// CPython calls it, attached, with a live instance, a name and a value or null.
pub(super) unsafe extern "C" fn set_attribute(
    object: *mut PyObject,
    name: *mut PyObject,
    value: *mut PyObject,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let (seal, sealed) = seal_of(class);
        let found = seal.hot.iter().find(|hot| hot.name == name);
        if let Some(hot) = found
            && class.cast() == sealed
            && !value.is_null()
            && hot.knows(value)
            && (!seal.immutable || (*hot.slot(object)).is_null())
        {
            let counts = Counts::of_running();
            counts.keep(value);
            let old = hot.slot(object).replace(value);
            if !old.is_null() {
                counts.let_go(old);
            }
            return 0;
        }
        let Some(field) = find(seal, name) else {
            frames::show();
            return ffi::PyObject_GenericSetAttr(object, name, value);
        };
        if class.cast() != sealed && !shows(field, class) {
            frames::show();
            return ffi::PyObject_GenericSetAttr(object, name, value);
        }
        finish(write(seal, field, object, value))
    }
}

/// Whether a sealed class has [`set_attribute`], not a `__setattr__` of its own.
///
/// # Safety
/// A live type.
pub(super) unsafe fn writes(class: *mut class::TypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*class).setattro.is_some_and(|own| ptr::fn_addr_eq(own, set_attribute as class::SetAttr)) }
}

/// The field of the name, which may be any object.
#[inline]
unsafe fn find(seal: &Seal, name: *mut PyObject) -> Option<&Field> {
    if let Some(found) = seal.fields.iter().find(|field| field.name.as_ptr() == name) {
        return Some(found);
    }
    // SAFETY: a live object. Names that are not interned compare by their characters.
    unsafe {
        let name = Bound::from_borrowed_ptr(Python::assume_attached(), name);
        let name = name.cast::<PyString>().ok()?;
        let same = |field: &&Field| ffi::PyUnicode_Compare(field.name.as_ptr(), name.as_ptr()) == 0;
        seal.fields.iter().find(same)
    }
}

/// Whether a class still has the field under its name.
///
/// # Safety
/// A live class; the thread is attached.
pub(super) unsafe fn shows(field: &Field, class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: a live class, attached.
    unsafe {
        let py = Python::assume_attached();
        let Ok(functions) = layout::functions(py) else { return false };
        (functions.lookup)(class, field.name.as_ptr()).addr() == field.descriptor
    }
}

/// Why `object.__setattr__` and `object.__delattr__` don't touch the attribute, in words; None where it is no field.
///
/// # Safety
/// The object is a live instance of a sealed class or of a subclass of one.
pub(super) unsafe fn refusal_of_object(
    py: Python<'_>,
    object: *mut PyObject,
    name: *mut PyObject,
) -> Option<String> {
    // SAFETY: the caller's promise.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let (seal, sealed) = seal_of(class);
        let field = find(seal, name)?;
        if class.cast() != sealed && !shows(field, class) {
            return None;
        }
        let class = class_of(object, py);
        let class = class.getattr("__qualname__").map_or_else(|_| String::new(), |name| name.to_string());
        let field = field.name.bind(py);
        let remedy = if seal.immutable {
            "assign it, once, as an attribute in __init__ or __post_init__"
        } else {
            "assign it as an attribute"
        };
        Some(format!(
            "field {field} of {class} is checked, which object.__setattr__ and object.__delattr__ would not do: {remedy}, \
             or define __setattr__ in the class"
        ))
    }
}

/// Writes a field, or raises.
#[inline]
unsafe fn write(seal: &Seal, field: &Field, object: *mut PyObject, value: *mut PyObject) -> PyResult<()> {
    // SAFETY: the object is a live instance of the seal's class and the value is live; the old value is dropped
    // after the slot holds the new one.
    unsafe {
        let py = Python::assume_attached();
        if value.is_null() {
            return Err(seal.refused(&seal.refusals.deleted, field, &class_of(object, py)));
        }
        if seal.immutable && !(*field.slot(object)).is_null() {
            return Err(seal.refused(&seal.refusals.assigned, field, &class_of(object, py)));
        }
        store(seal, field, object, Bound::ref_from_ptr(py, &value))
    }
}

/// Checks a value; less than 0 with an exception where it does not pass.
///
/// # Safety
/// The class is the seal's and alive, and so is the value.
#[cold]
pub(super) unsafe fn check(
    seal: &Seal,
    field: &Field,
    class: *mut ffi::PyTypeObject,
    value: *mut PyObject,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let py = Python::assume_attached();
        let value = Bound::ref_from_ptr(py, &value);
        finish(match field.accepts(seal, value) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let class = Bound::from_borrowed_ptr(py, class.cast());
                Err(seal.broken(field, &class, value))
            }
            Err(error) => Err(error),
        })
    }
}

/// Checks a value and puts it into its slot.
///
/// # Safety
/// The object is a live instance of the seal's class.
#[inline]
pub(super) unsafe fn store(
    seal: &Seal,
    field: &Field,
    object: *mut PyObject,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    if !field.accepts(seal, value)? {
        // SAFETY: a live instance.
        let class = unsafe { class_of(object, value.py()) };
        return Err(seal.broken(field, &class, value));
    }
    // SAFETY: the caller's promise.
    unsafe {
        let slot = field.slot(object);
        let old = slot.replace(new_ref(value.as_ptr()));
        if !old.is_null() && !dies_quietly(old) {
            frames::show();
        }
        drop_optional(old);
    }
    Ok(())
}

unsafe fn class_of(object: *mut PyObject, py: Python<'_>) -> Bound<'_, PyAny> {
    // SAFETY: a live object.
    unsafe { Bound::from_borrowed_ptr(py, ffi::Py_TYPE(object).cast()) }
}

/// What a slot answers CPython.
fn finish(written: PyResult<()>) -> c_int {
    match written {
        Ok(()) => 0,
        Err(error) => {
            // SAFETY: CPython called, so the thread is attached.
            error.restore(unsafe { Python::assume_attached() });
            -1
        }
    }
}

/// The getter of a field in a class that writes attributes in its own way; the closure is the offset.
///
/// # Safety
/// CPython calls it with a live instance of the class.
pub(super) unsafe extern "C" fn get_field(object: *mut PyObject, offset: *mut c_void) -> *mut PyObject {
    // SAFETY: the definition's offset lies within the instance.
    unsafe {
        let value = object.cast::<u8>().add(offset.addr()).cast::<*mut PyObject>().read();
        if !value.is_null() {
            return new_ref(value);
        }
        let py = Python::assume_attached();
        let (seal, _) = seal_of(ffi::Py_TYPE(object));
        let class = class_of(object, py);
        let class = class.getattr("__name__").map_or_else(|_| String::new(), |name| name.to_string());
        let field = seal.fields.iter().find(|field| field.offset.cast_unsigned() == offset.addr());
        let name = field.map_or_else(String::new, |field| field.name.bind(py).to_string());
        PyAttributeError::new_err(format!("{class:?} object has no attribute {name:?}").replace('"', "'"))
            .restore(py);
        ptr::null_mut()
    }
}

/// The setter of such a field.
///
/// # Safety
/// As [`get_field`]; the value is live or null.
pub(super) unsafe extern "C" fn set_field(
    object: *mut PyObject,
    value: *mut PyObject,
    offset: *mut c_void,
) -> c_int {
    // SAFETY: as for `get_field`.
    unsafe {
        let (seal, _) = seal_of(ffi::Py_TYPE(object));
        let field = seal.fields.iter().find(|field| field.offset.cast_unsigned() == offset.addr());
        match field {
            Some(field) => finish(write(seal, field, object, value)),
            None => -1,
        }
    }
}
