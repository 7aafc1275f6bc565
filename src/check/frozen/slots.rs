//! The functions of sealed types that CPython calls: an instance is written, visited, cleared and freed.

use std::cell::Cell;
use std::cell::RefCell;
use std::ffi::CString;
use std::ffi::c_int;
use std::ffi::c_void;
use std::ptr;

use pyo3::PyResult;
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
use crate::runtime::frames;
use crate::runtime::object::dies_quietly;
use crate::runtime::sealed::is_simple;

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
        for hot in &seal.hot {
            let value = hot.slot.reference(object);
            if !value.is_null() {
                if (*class::fields(ffi::Py_TYPE(value))).flags & class::FLAG_GC != 0 && is_last(value) {
                    dealloc_slowly(object);
                    return;
                }
                hot.slot.take(object);
                if !dies_quietly(value) {
                    frames::show();
                }
                counts.let_go(value);
            }
        }
        seal.kept.free(object);
        counts.let_go(class.cast());
    }
}

/// How deep instances in the fields of instances are looked at.
const MAX_LOOKS: u32 = 2;

/// Frees an instance of exactly a sealed class if nothing can look on: its fields hold numbers, str, bytes, None, what
/// others hold too, and such instances.
///
/// # Safety
/// As for [`dealloc`].
pub(super) unsafe fn dies_at_once(object: *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let can = is_alone(object, MAX_LOOKS);
        if can {
            free_alone(object, Counts::of_running());
        }
        can
    }
}

/// Whether nothing can look on when the instance of exactly a sealed class dies.
unsafe fn is_alone(object: *mut PyObject, looks: u32) -> bool {
    // SAFETY: as for `dies_at_once`.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let own = class::fields(class);
        let (seal, _) = seal_of(class);
        let offset = (*own).weaklist_offset;
        let is_referred =
            offset > 0 && !object.cast::<u8>().offset(offset).cast::<*mut PyObject>().read().is_null();
        // An object may stand in each of the fields.
        let shared = seal.hot.len().cast_signed();
        let is_plain = |hot: &Hot| {
            let value = hot.slot.reference(object);
            value.is_null()
                || ffi::Py_REFCNT(value) > shared
                || is_simple(value)
                || looks > 0
                    && is_last(value)
                    && layout::is_sealed(class::fields(ffi::Py_TYPE(value)))
                    && is_alone(value, looks - 1)
        };
        !is_referred && (*own).finalize.is_none() && seal.hot.iter().all(is_plain)
    }
}

/// Frees an instance that [`is_alone`], and what it alone has.
unsafe fn free_alone(object: *mut PyObject, counts: Counts) {
    // SAFETY: as for `dies_at_once`; what dies here was looked at.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let (seal, _) = seal_of(class);
        seal.kept.untrack(object);
        for hot in &seal.hot {
            let value = hot.slot.reference(object);
            if !value.is_null() {
                hot.slot.take(object);
                if is_last(value) && layout::is_sealed(class::fields(ffi::Py_TYPE(value))) {
                    free_alone(value, counts);
                } else {
                    counts.let_go(value);
                }
            }
        }
        seal.kept.free(object);
        counts.let_go(class.cast());
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
        // SAFETY: an instance owns what stands in a field, which is unset before foreign code can see it.
        unsafe {
            let value = field.slot.of(object).take(object);
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

/// `tp_alloc`: the fields are unset.
///
/// # Safety
/// CPython calls it, attached, with a sealed class.
pub(super) unsafe extern "C" fn allocate(
    class: *mut ffi::PyTypeObject,
    count: ffi::Py_ssize_t,
) -> *mut PyObject {
    // SAFETY: the caller's promise; nobody has seen the object but the collector, which runs nothing of it.
    unsafe {
        let object = ffi::PyType_GenericAlloc(class, count);
        if !object.is_null() {
            for hot in &seal_of(class).0.hot {
                hot.slot.clear(object);
            }
        }
        object
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
            let value = field.slot.of(object).reference(object);
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
            && (!seal.immutable || hot.slot.is_unset(object))
        {
            let counts = Counts::of_running();
            counts.keep(value);
            let old = hot.slot.replace(object, value);
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
        if seal.immutable && !field.slot.of(object).is_unset(object) {
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
        let old = field.slot.of(object).replace(object, new_ref(value.as_ptr()));
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

/// The getter of a field that is no member; the closure is the offset.
///
/// # Safety
/// CPython calls it with a live instance of the class.
pub(super) unsafe extern "C" fn get_field(object: *mut PyObject, offset: *mut c_void) -> *mut PyObject {
    // SAFETY: the definition's offset lies within the instance.
    unsafe {
        let (seal, _) = seal_of(ffi::Py_TYPE(object));
        let found = seal.hot.iter().find(|hot| hot.slot.offset.cast_unsigned() == offset.addr());
        let value = found.map_or(ptr::null_mut(), |hot| hot.slot.of(object).value(object));
        if !value.is_null() || !ffi::PyErr_Occurred().is_null() {
            return value;
        }
        let field = seal.fields.iter().find(|field| field.slot.offset.cast_unsigned() == offset.addr());
        if let Some(field) = field {
            raise_unset(field, object);
        }
        ptr::null_mut()
    }
}

/// The setter of such a field in a class that writes attributes in its own way.
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
        let field = seal.fields.iter().find(|field| field.slot.offset.cast_unsigned() == offset.addr());
        match field {
            Some(field) => finish(write(seal, field, object, value)),
            None => -1,
        }
    }
}

/// The setter of such a field in a class whose `__setattr__` writes: it says what a member that is only read says.
///
/// # Safety
/// CPython calls it, attached.
pub(super) unsafe extern "C" fn refuse_field(_: *mut PyObject, _: *mut PyObject, _: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { raise_attribute_error("readonly attribute") };
    -1
}

/// Sets AttributeError for an unset field, in the words of a member that is null.
///
/// # Safety
/// The object is a live instance, the field is unset and the thread is attached.
unsafe fn raise_unset(field: &Field, object: *mut PyObject) {
    // SAFETY: the caller's promise. Null looks as if the field held a number, meanwhile: nobody reads it.
    unsafe {
        let Ok(name) = super::c_name(&field.name, Python::assume_attached()) else { return };
        let definition = ffi::PyMemberDef {
            name: name.as_ptr(),
            type_code: ffi::Py_T_OBJECT_EX,
            offset: field.slot.offset,
            flags: ffi::Py_READONLY,
            doc: ptr::null(),
        };
        let word = object.cast::<u8>().offset(field.slot.offset).cast::<*mut PyObject>();
        let unset = word.replace(ptr::null_mut());
        ffi::PyMember_GetOne(object.cast(), ptr::from_ref(&definition).cast_mut());
        word.write(unset);
    }
}

/// Sets the exception at once: what PyO3 makes of it later would die later, too.
///
/// # Safety
/// The thread is attached.
unsafe fn raise_attribute_error(text: &str) {
    let text = CString::new(text).expect("names have no null characters");
    // SAFETY: the caller's promise.
    unsafe { ffi::PyErr_SetString(ffi::PyExc_AttributeError, text.as_ptr()) };
}
