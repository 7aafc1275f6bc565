//! The native callable of CPython 3.11, whose interpreter ignores a function's own vectorcall field.
//!
//! In: a plain function and the entry to call. Out: an object that is that function in every respect but
//! `type(f)`: it has a vectorcall entry of its own, binds as a method, and every attribute is the
//! function's. Invariant: `function` is non-null from creation until the collector clears the object.

use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_ulong;
use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;

use pyo3::exceptions::PyReferenceError;
use pyo3::ffi;
use pyo3::ffi::vectorcallfunc;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;
use pyo3::types::PyType;

use crate::cpython::function::descriptions;
use crate::cpython::running;
use crate::runtime::install;

use super::jit;

/// The object's layout.
#[repr(C)]
struct NativeCallable {
    base: ffi::PyObject,
    vectorcall: vectorcallfunc,
    function: *mut ffi::PyObject,
    weak_references: *mut ffi::PyObject,
}

/// Bits of `tp_flags` that the stable ABI of 3.11 does not name but its interpreter reads.
const FLAG_DISALLOW_INSTANTIATION: c_ulong = 1 << 7;
const FLAG_IMMUTABLE_TYPE: c_ulong = 1 << 8;
const FLAG_HAVE_VECTORCALL: c_ulong = 1 << 11;
const FLAG_METHOD_DESCRIPTOR: c_ulong = 1 << 17;

/// Attributes that are the callable's own. Asked of the function, they would bind or call the function
/// itself and so step around the checks.
const OWN_ATTRIBUTES: &[&str] = &[
    "__call__",
    "__delattr__",
    "__eq__",
    "__get__",
    "__hash__",
    "__ne__",
    "__reduce__",
    "__reduce_ex__",
    "__setattr__",
];

const MEMBER_SSIZE: c_int = 19;
const MEMBER_READONLY: c_int = 1;

static TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// A native callable around the function.
///
/// # Errors
/// When there is no memory for it.
pub(super) fn wrap<'py>(function: &Bound<'py, PyAny>, entry: vectorcallfunc) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let class = TYPE.get_or_try_init(py, || new_type(py))?.bind(py);
    // SAFETY: the type was made below with `NativeCallable` as its basic size and with a gc header, so
    // PyType_GenericAlloc gives a zeroed, tracked object of that layout, or null with an exception.
    unsafe {
        let object = ffi::PyType_GenericAlloc(class.as_type_ptr(), 0);
        if object.is_null() {
            return Err(PyErr::fetch(py));
        }
        let callable = object.cast::<NativeCallable>();
        (*callable).vectorcall = entry;
        (*callable).function = function.clone().into_ptr();
        Ok(Bound::from_owned_ptr(py, object))
    }
}

/// Whether the object is a native callable.
///
/// # Safety
/// The thread is attached and the object's header is that of an object.
pub(super) unsafe fn is_native(object: *mut ffi::PyObject) -> bool {
    // SAFETY: the thread is attached.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: the object has a type.
    TYPE.get(py).is_some_and(|class| unsafe { ffi::Py_TYPE(object) }.cast() == class.as_ptr())
}

/// The function inside, when the object is a native callable.
pub(super) fn wrapped<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: the object is live; the layout is read only where the type is exactly ours, and the
    // function is null or a live object.
    unsafe {
        if !is_native(object.as_ptr()) {
            return None;
        }
        let function = (*object.as_ptr().cast::<NativeCallable>()).function;
        Bound::from_borrowed_ptr_or_opt(object.py(), function)
    }
}

/// The function inside a native callable, borrowed.
///
/// # Safety
/// The object is a live native callable.
pub(super) unsafe fn function_inside(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise.
    unsafe { (*object.cast::<NativeCallable>()).function }
}

/// The entry of a native callable.
///
/// # Safety
/// The object is a live native callable.
pub(super) unsafe fn entry(object: *mut ffi::PyObject) -> vectorcallfunc {
    // SAFETY: the caller's promise.
    unsafe { (*object.cast::<NativeCallable>()).vectorcall }
}

/// Replaces the entry of a native callable.
///
/// # Safety
/// - The thread is attached and the object's memory is that of a native callable.
/// - The entry stays valid until it is replaced or the object is dead.
pub(super) unsafe fn set_entry(object: *mut ffi::PyObject, entry: vectorcallfunc) {
    // SAFETY: the caller's promise.
    unsafe { (*object.cast::<NativeCallable>()).vectorcall = entry }
}

/// The entry of a native callable without code: the function's own.
///
/// # Safety
/// As every vectorcall function; the callable is a live native callable.
pub(super) unsafe extern "C" fn call_function(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise; the function is live while it is called, as the callable holds it
    // and the reference taken here outlives a clearing of the callable.
    unsafe {
        let function = inner(callable);
        if function.is_null() {
            return ptr::null_mut();
        }
        ffi::Py_INCREF(function);
        let result = (running().plain_vectorcall)(function, args, nargsf, names);
        ffi::Py_DECREF(function);
        result
    }
}

fn new_type(py: Python<'_>) -> PyResult<Py<PyType>> {
    let mut members = [
        member(c"__vectorcalloffset__".as_ptr(), offset_of!(NativeCallable, vectorcall)),
        member(c"__weaklistoffset__".as_ptr(), offset_of!(NativeCallable, weak_references)),
        member(ptr::null(), 0),
    ];
    // The type keeps the table, which therefore must live as long as the process.
    let methods = Box::leak(Box::new([
        method(c"__reduce__", reduce, ffi::METH_NOARGS),
        method(c"__reduce_ex__", reduce, ffi::METH_O),
        method(c"__copy__", itself, ffi::METH_NOARGS),
        method(c"__deepcopy__", itself, ffi::METH_O),
        ffi::PyMethodDef::zeroed(),
    ]));
    let mut slots = [
        slot(ffi::Py_tp_dealloc, dealloc as *mut c_void),
        slot(ffi::Py_tp_traverse, traverse as *mut c_void),
        slot(ffi::Py_tp_clear, clear as *mut c_void),
        slot(ffi::Py_tp_call, call as *mut c_void),
        slot(ffi::Py_tp_repr, repr as *mut c_void),
        slot(ffi::Py_tp_getattro, get_attribute as *mut c_void),
        slot(ffi::Py_tp_setattro, set_attribute as *mut c_void),
        slot(ffi::Py_tp_descr_get, bind as *mut c_void),
        slot(ffi::Py_tp_members, members.as_mut_ptr().cast()),
        slot(ffi::Py_tp_methods, methods.as_mut_ptr().cast()),
        ffi::PyType_Slot::default(),
    ];
    let flags = ffi::Py_TPFLAGS_DEFAULT
        | ffi::Py_TPFLAGS_HAVE_GC
        | FLAG_DISALLOW_INSTANTIATION
        | FLAG_IMMUTABLE_TYPE
        | FLAG_HAVE_VECTORCALL
        | FLAG_METHOD_DESCRIPTOR;
    let mut spec = ffi::PyType_Spec {
        name: c"castiron.native_function".as_ptr(),
        basicsize: c_int::try_from(size_of::<NativeCallable>()).expect("the object is small"),
        itemsize: 0,
        flags: u32::try_from(flags).expect("type flags have 32 bits"),
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the spec and its tables are valid during the call; members are copied, methods leaked.
    unsafe {
        let class = ffi::PyType_FromSpec(&raw mut spec);
        Ok(Bound::from_owned_ptr_or_err(py, class)?.cast_into::<PyType>()?.unbind())
    }
}

fn slot(number: c_int, pointer: *mut c_void) -> ffi::PyType_Slot {
    ffi::PyType_Slot { slot: number, pfunc: pointer }
}

fn member(name: *const c_char, offset: usize) -> ffi::PyMemberDef {
    ffi::PyMemberDef {
        name,
        type_code: MEMBER_SSIZE,
        offset: offset.cast_signed(),
        flags: MEMBER_READONLY,
        doc: ptr::null(),
    }
}

fn method(name: &'static std::ffi::CStr, function: ffi::PyCFunction, flags: c_int) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
        ml_flags: flags,
        ml_doc: ptr::null(),
    }
}

/// The function inside, borrowed; null with ReferenceError after the collector has cleared the object.
///
/// # Safety
/// The thread is attached and `object` is a live native callable.
unsafe fn inner(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise.
    let function = unsafe { (*object.cast::<NativeCallable>()).function };
    if function.is_null() {
        // SAFETY: the thread is attached.
        let py = unsafe { Python::assume_attached() };
        PyReferenceError::new_err("the function was cleared by the garbage collector").restore(py);
    }
    function
}

// SAFETY contract of the slots below: CPython calls them attached, with a live object of this type.

unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: the count is zero, so nobody else uses the object; a heap type's instance owns its type.
    unsafe {
        ffi::PyObject_GC_UnTrack(object.cast());
        let callable = object.cast::<NativeCallable>();
        if !(*callable).weak_references.is_null() {
            ffi::PyObject_ClearWeakRefs(object);
        }
        ffi::Py_CLEAR(&raw mut (*callable).function);
        let class = ffi::Py_TYPE(object);
        ffi::PyObject_GC_Del(object.cast());
        ffi::Py_DECREF(class.cast());
    }
}

unsafe extern "C" fn traverse(
    object: *mut ffi::PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: both are references that the object owns.
    unsafe {
        let class_result = visit(ffi::Py_TYPE(object).cast(), argument);
        if class_result != 0 {
            return class_result;
        }
        let function = (*object.cast::<NativeCallable>()).function;
        if function.is_null() { 0 } else { visit(function, argument) }
    }
}

unsafe extern "C" fn clear(object: *mut ffi::PyObject) -> c_int {
    // SAFETY: the object is live; weak references went first, so its entry is the plain one by now.
    unsafe {
        ffi::Py_CLEAR(&raw mut (*object.cast::<NativeCallable>()).function);
    }
    0
}

/// `callable(*args, **keywords)` by way of the entry.
unsafe extern "C" fn call(
    object: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: `args` is a live tuple and `keywords` null or a live dict with strings as keys; all values
    // are borrowed from them, and they live as long as the call.
    unsafe {
        let count = ffi::PyTuple_Size(args);
        let mut values: Vec<*mut ffi::PyObject> =
            (0..count).map(|index| ffi::PyTuple_GetItem(args, index)).collect();
        let positional = values.len();
        let mut names = ptr::null_mut();
        if !keywords.is_null() && ffi::PyDict_Size(keywords) > 0 {
            let keys = ffi::PyDict_Keys(keywords);
            if keys.is_null() {
                return ptr::null_mut();
            }
            names = ffi::PyList_AsTuple(keys);
            ffi::Py_DECREF(keys);
            if names.is_null() {
                return ptr::null_mut();
            }
            let (mut position, mut value) = (0, ptr::null_mut());
            while ffi::PyDict_Next(keywords, &raw mut position, ptr::null_mut(), &raw mut value) != 0 {
                values.push(value);
            }
        }
        let result = entry(object)(object, values.as_ptr(), positional, names);
        ffi::Py_XDECREF(names);
        result
    }
}

unsafe extern "C" fn repr(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the function is live while it is asked for its name; the format takes two objects' pointers.
    unsafe {
        let function = inner(object);
        if function.is_null() {
            return ptr::null_mut();
        }
        let name = ffi::PyObject_GetAttrString(function, c"__qualname__".as_ptr());
        if name.is_null() {
            return ptr::null_mut();
        }
        let text = ffi::PyUnicode_FromFormat(c"<function %U at %p>".as_ptr(), name, object);
        ffi::Py_DECREF(name);
        text
    }
}

/// Whether an attribute's name (any object) is this one.
///
/// # Safety
/// The thread is attached and `name` is a live object.
unsafe fn is_name(name: *mut ffi::PyObject, text: &str) -> bool {
    // SAFETY: the caller's promise.
    let name = unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), name) };
    name.cast::<PyString>().is_ok_and(|name| name.to_str().is_ok_and(|name| name == text))
}

unsafe extern "C" fn get_attribute(
    object: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: a live native callable and a live name; every branch returns a new reference or raises.
    unsafe {
        let function = inner(object);
        if function.is_null() {
            return ptr::null_mut();
        }
        if is_name(name, "__class__") {
            return ffi::Py_NewRef(ffi::Py_TYPE(function).cast());
        }
        if OWN_ATTRIBUTES.iter().any(|own| is_name(name, own)) {
            return ffi::PyObject_GenericGetAttr(object, name);
        }
        ffi::PyObject_GetAttr(function, name)
    }
}

unsafe extern "C" fn set_attribute(
    object: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> c_int {
    // SAFETY: as above; a null value deletes, which PyObject_SetAttr does too.
    unsafe {
        let function = inner(object);
        if function.is_null() {
            return -1;
        }
        let result = ffi::PyObject_SetAttr(function, name, value);
        if result == 0 && is_name(name, "__code__") {
            jit::abandon(&Bound::from_borrowed_ptr(Python::assume_attached(), object));
        }
        if result == 0 && (is_name(name, "__defaults__") || is_name(name, "__kwdefaults__")) {
            install::stop_betting(object);
        }
        result
    }
}

unsafe extern "C" fn bind(
    object: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
    class: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: a live native callable; an instance and a class are live where there are any.
    unsafe {
        let is_bare = instance.is_null() || instance == ffi::Py_None();
        if is_bare && (class.is_null() || !is_bound_to_class(object)) {
            return ffi::Py_NewRef(object);
        }
        let instance = if is_bare { class } else { instance };
        let py = Python::assume_attached();
        let method = method_type(py).and_then(|class| {
            let (function, instance) =
                (Bound::from_borrowed_ptr(py, object), Bound::from_borrowed_ptr(py, instance));
            class.call1((function, instance))
        });
        match method {
            Ok(method) => method.into_ptr(),
            Err(error) => {
                error.restore(py);
                ptr::null_mut()
            }
        }
    }
}

/// Whether a class makes a class method by itself of a function that has the name of this one when the class is made: a
/// decorator may have renamed what was no such function before.
unsafe fn is_bound_to_class(object: *mut ffi::PyObject) -> bool {
    // SAFETY: a live native callable; its function, while it has one, has a name.
    unsafe {
        let function = function_inside(object);
        if function.is_null() {
            return false;
        }
        let [name, ..] = descriptions(running().layout, function);
        ["__class_getitem__", "__init_subclass__"].iter().any(|wanted| is_name(name, wanted))
    }
}

/// `types.MethodType`, taken from a bound method so that nothing needs to be imported.
fn method_type(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static METHOD: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    METHOD.import(py, "types", "MethodType")
}

unsafe extern "C" fn reduce(object: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the function is live while it is asked. A string tells pickle to save by reference.
    unsafe {
        let function = inner(object);
        if function.is_null() {
            return ptr::null_mut();
        }
        ffi::PyObject_GetAttrString(function, c"__qualname__".as_ptr())
    }
}

unsafe extern "C" fn itself(object: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the object is live.
    unsafe { ffi::Py_NewRef(object) }
}
