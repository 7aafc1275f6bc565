//! Type objects: the fields that the stable ABI hides, and what may be changed of a class that has no
//! instances yet.
//!
//! The struct is the same in CPython 3.11, 3.12 and 3.13. [`check`] compares it with what types say of
//! themselves before anything is changed.

use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_ulong;
use std::ffi::c_void;

use pyo3::PyResult;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyTypeObject;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::prelude::Python;
use pyo3::types::PyType;

use super::Layout;
use super::symbols;

/// `Py_TPFLAGS_INLINE_VALUES` (3.13), `MANAGED_WEAKREF` (3.12 and later) and `MANAGED_DICT`: what an instance keeps in front
/// of its header.
pub const FLAGS_MANAGED: c_ulong = 1 << 2 | 1 << 3 | 1 << 4;
/// `Py_TPFLAGS_IMMUTABLETYPE`
pub const FLAG_IMMUTABLE: c_ulong = 1 << 8;
/// `Py_TPFLAGS_HEAPTYPE`
pub const FLAG_HEAP: c_ulong = 1 << 9;
/// `Py_TPFLAGS_BASETYPE`
pub const FLAG_BASE: c_ulong = 1 << 10;
/// `Py_TPFLAGS_HAVE_GC`
pub const FLAG_GC: c_ulong = 1 << 14;
/// `Py_TPFLAGS_IS_ABSTRACT`
pub const FLAG_ABSTRACT: c_ulong = 1 << 20;

/// `tp_setattro`: object, name, new value or null.
pub type SetAttr = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> c_int;

/// `PyTypeObject`, without what follows `tp_vectorcall`.
#[repr(C)]
pub struct TypeObject {
    /// Header and `ob_size`, which for a class is the number of its own slots.
    pub base: ffi::PyVarObject,
    /// `tp_name`
    pub name: *const c_char,
    /// `tp_basicsize`
    pub basic_size: isize,
    /// `tp_itemsize`
    pub item_size: isize,
    /// `tp_dealloc`
    pub dealloc: Option<ffi::destructor>,
    vectorcall_offset: isize,
    getattr_setattr_async_repr_numbers: [*mut c_void; 7],
    hash_call_str: [*mut c_void; 3],
    /// `tp_getattro`
    pub getattro: *mut c_void,
    /// `tp_setattro`
    pub setattro: Option<SetAttr>,
    as_buffer: *mut c_void,
    /// `tp_flags`
    pub flags: c_ulong,
    doc: *const c_char,
    /// `tp_traverse`
    pub traverse: Option<ffi::traverseproc>,
    /// `tp_clear`
    pub clear: Option<ffi::inquiry>,
    richcompare: *mut c_void,
    /// `tp_weaklistoffset`
    pub weaklist_offset: isize,
    iter_next_methods_members_getset: [*mut c_void; 5],
    /// `tp_base`
    pub parent: *mut TypeObject,
    /// `tp_dict`: of a class that Python made, its namespace.
    pub dict: *mut PyObject,
    descr_get_set: [*mut c_void; 2],
    /// `tp_dictoffset`
    pub dict_offset: isize,
    /// `tp_init`
    pub init: *mut c_void,
    /// `tp_alloc`
    pub alloc: Option<ffi::allocfunc>,
    /// `tp_new`
    pub new: Option<ffi::newfunc>,
    /// `tp_free`
    pub free: Option<ffi::freefunc>,
    is_gc: *mut c_void,
    bases: *mut PyObject,
    /// `tp_mro`
    pub mro: *mut PyObject,
    /// `tp_cache`: CPython uses it no more, but visits it in `type`'s traverse and drops it when the type is freed, after its last instance.
    pub cache: *mut PyObject,
    subclasses_weaklist_del: [*mut c_void; 3],
    version_tag: u32,
    /// `tp_finalize`
    pub finalize: Option<ffi::destructor>,
    /// `tp_vectorcall`
    pub vectorcall: Option<ffi::vectorcallfunc>,
}

/// The fields of a type.
#[inline]
#[must_use]
pub fn fields(class: *mut PyTypeObject) -> *mut TypeObject {
    class.cast()
}

/// Functions of the interpreter that a sealed class needs.
#[derive(Clone, Copy)]
pub struct ClassFunctions {
    /// `PyDescr_NewWrapper`: type, the slot's description, what it wraps.
    pub new_wrapper: unsafe extern "C" fn(*mut PyTypeObject, *mut c_void, *mut c_void) -> *mut PyObject,
    /// `_PyType_Lookup`: a borrowed attribute of the type, or null.
    pub lookup: unsafe extern "C" fn(*mut PyTypeObject, *mut PyObject) -> *mut PyObject,
    /// `PyObject_CallFinalizerFromDealloc`: less than 0 when the object lives on.
    pub finalize: unsafe extern "C" fn(*mut PyObject) -> c_int,
    /// `PySys_AddAuditHook`
    pub add_audit_hook: unsafe extern "C" fn(AuditHook, *mut c_void) -> c_int,
}

/// An audit hook: event, arguments, its own data.
pub type AuditHook = unsafe extern "C" fn(*const c_char, *mut PyObject, *mut c_void) -> c_int;

impl ClassFunctions {
    /// Looks them up.
    ///
    /// # Errors
    /// When one is missing.
    pub fn find(layout: &Layout) -> Result<ClassFunctions, String> {
        type NewWrapper = unsafe extern "C" fn(*mut PyTypeObject, *mut c_void, *mut c_void) -> *mut PyObject;
        type Lookup = unsafe extern "C" fn(*mut PyTypeObject, *mut PyObject) -> *mut PyObject;
        type Finalize = unsafe extern "C" fn(*mut PyObject) -> c_int;
        type AddAuditHook = unsafe extern "C" fn(AuditHook, *mut c_void) -> c_int;
        // SAFETY: each type is that of the function's declaration in CPython's headers.
        unsafe {
            Ok(ClassFunctions {
                new_wrapper: std::mem::transmute::<*mut c_void, NewWrapper>(symbols::address(
                    layout,
                    c"PyDescr_NewWrapper",
                )?),
                lookup: std::mem::transmute::<*mut c_void, Lookup>(symbols::address(
                    layout,
                    c"_PyType_Lookup",
                )?),
                finalize: std::mem::transmute::<*mut c_void, Finalize>(symbols::address(
                    layout,
                    c"PyObject_CallFinalizerFromDealloc",
                )?),
                add_audit_hook: std::mem::transmute::<*mut c_void, AddAuditHook>(symbols::address(
                    layout,
                    c"PySys_AddAuditHook",
                )?),
            })
        }
    }
}

/// Compares the struct with what an ordinary class and `type` say of themselves.
///
/// # Errors
/// When a class can't be made, or an attribute is missing.
pub fn check(py: Python<'_>) -> PyResult<bool> {
    let probe = py.get_type::<PyType>().call1((
        "probe",
        (py.get_type::<PyAny>(),),
        [("__slots__", ("a", "b"))].into_iter().collect::<std::collections::HashMap<_, _>>(),
    ))?;
    let probe = probe.cast_into::<PyType>()?;
    Ok(agrees(&probe)? && agrees(&py.get_type::<PyType>())? && has_slots(&probe))
}

fn agrees(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let number = |name: &str| -> PyResult<isize> { class.getattr(name)?.extract() };
    // SAFETY: a live type; everything read lies within the struct of every version.
    unsafe {
        let found = fields(class.as_type_ptr());
        Ok((*found).basic_size == number("__basicsize__")?
            && (*found).item_size == number("__itemsize__")?
            && (*found).dict_offset == number("__dictoffset__")?
            && (*found).weaklist_offset == number("__weakrefoffset__")?
            && (*found).flags == class.getattr("__flags__")?.extract::<c_ulong>()?
            && (*found).parent.cast() == class.getattr("__base__")?.as_ptr()
            && (*found).mro == class.getattr("__mro__")?.as_ptr())
    }
}

/// Whether the functions of an ordinary class stand where they are expected.
fn has_slots(class: &Bound<'_, PyType>) -> bool {
    // SAFETY: a live class, made a moment ago; PyType_GetSlot reads the same fields by number.
    unsafe {
        let class = class.as_type_ptr();
        let found = fields(class);
        let slot = |number| ffi::PyType_GetSlot(class, number);
        let is = |field: *mut c_void, number| field == slot(number) && !field.is_null();
        let generic = ffi::PyObject_GenericSetAttr as SetAttr as *mut c_void;
        is((*found).dealloc.map_or(std::ptr::null_mut(), |f| f as *mut c_void), ffi::Py_tp_dealloc)
            && is((*found).traverse.map_or(std::ptr::null_mut(), |f| f as *mut c_void), ffi::Py_tp_traverse)
            && is((*found).clear.map_or(std::ptr::null_mut(), |f| f as *mut c_void), ffi::Py_tp_clear)
            && is((*found).alloc.map_or(std::ptr::null_mut(), |f| f as *mut c_void), ffi::Py_tp_alloc)
            && is((*found).new.map_or(std::ptr::null_mut(), |f| f as *mut c_void), ffi::Py_tp_new)
            && is((*found).free.map_or(std::ptr::null_mut(), |f| f as *mut c_void), ffi::Py_tp_free)
            && is((*found).setattro.map_or(std::ptr::null_mut(), |f| f as *mut c_void), ffi::Py_tp_setattro)
            && slot(ffi::Py_tp_setattro) == generic
            && (*found).cache.is_null()
            && (*found).vectorcall.is_none()
    }
}
