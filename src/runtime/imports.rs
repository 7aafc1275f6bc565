//! Helpers of imports inside functions, and of names of the module that are unbound.

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::object::drop_ref;
use crate::cpython::object::fail;
use crate::cpython::object::put_error;
use crate::cpython::object::take_error;

use super::frames;
use super::object::namespace_get;
use super::object::raise_name_error;
use super::unit::LoadedUnit;

/// Imports a module: what `__import__` of the builtins gives.
///
/// # Safety
/// The unit is loaded, all objects are alive; the thread is attached.
pub unsafe extern "C" fn obj_import(
    unit: *const LoadedUnit,
    name: *mut PyObject,
    names: *mut PyObject,
    level: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract; the import function is ours while it runs.
    unsafe {
        let _frames = frames::link();
        let key = ffi::PyUnicode_InternFromString(c"__import__".as_ptr());
        if key.is_null() {
            return key;
        }
        let import = namespace_get((*unit).builtins(), key);
        drop_ref(key);
        if import.is_null() {
            if ffi::PyErr_Occurred().is_null() {
                fail(ffi::PyExc_ImportError, "__import__ not found");
            }
            return import;
        }
        let module = ffi::PyObject_CallFunctionObjArgs(
            import,
            name,
            (*unit).globals(),
            ffi::Py_None(),
            names,
            level,
            std::ptr::null_mut::<PyObject>(),
        );
        drop_ref(import);
        module
    }
}

/// What `from module import name` gives.
///
/// # Safety
/// Both objects are alive, the second is a str; the thread is attached.
pub unsafe extern "C" fn obj_import_from(module: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link();
        let found = ffi::PyObject_GetAttr(module, name);
        if found.is_null() && ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) != 0 {
            ffi::PyErr_Clear();
            return import_as_interpreted(module, name);
        }
        found
    }
}

/// Has the interpreter do it, in a namespace of its own: it looks among the modules, and fails in its own words.
unsafe fn import_as_interpreted(module: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    const IMPORT: &CStr = c"def give(module, name, compile=compile, exec=exec):
    spaces = {'__builtins__': {'__import__': lambda *_: module}}
    exec(compile(f'from module import {name} as given', '<import>', 'exec'), spaces)
    return spaces['given']
";
    // SAFETY: both objects are alive; everything made here is dropped here.
    unsafe {
        let space = ffi::PyDict_New();
        if space.is_null() {
            return space;
        }
        let builtins = ffi::PyEval_GetBuiltins();
        let mut given = std::ptr::null_mut();
        if ffi::PyDict_SetItemString(space, c"__builtins__".as_ptr(), builtins) >= 0 {
            let code = ffi::Py_CompileString(IMPORT.as_ptr(), c"<import>".as_ptr(), ffi::Py_file_input);
            if !code.is_null() {
                let done = ffi::PyEval_EvalCode(code, space, space);
                drop_ref(code);
                if !done.is_null() {
                    drop_ref(done);
                    let give = ffi::PyDict_GetItemString(space, c"give".as_ptr());
                    given = ffi::PyObject_CallFunctionObjArgs(
                        give,
                        module,
                        name,
                        std::ptr::null_mut::<PyObject>(),
                    );
                }
            }
        }
        drop_ref(space);
        if given.is_null() {
            forget_traceback();
        }
        given
    }
}

/// What is set was raised by the statement itself, not by what stands in for it.
unsafe fn forget_traceback() {
    // SAFETY: an exception is set; its parts are owned until they are put back.
    unsafe {
        let [kind, value, traceback] = take_error();
        if !traceback.is_null() {
            drop_ref(traceback);
        }
        ffi::PyException_SetTraceback(value, ffi::Py_None());
        put_error([kind, value, std::ptr::null_mut()]);
    }
}

/// Unbinds a global name: 0 or -1.
///
/// # Safety
/// The unit is loaded, the name is a live str; the thread is attached.
pub unsafe extern "C" fn obj_del_global(unit: *const LoadedUnit, name: *mut PyObject) -> i32 {
    // SAFETY: a function's globals are a dict or of a subclass, whose own methods CPython does not ask here.
    unsafe {
        if ffi::PyDict_DelItem((*unit).globals(), name) >= 0 {
            return 0;
        }
        if ffi::PyErr_ExceptionMatches(ffi::PyExc_KeyError) != 0 {
            ffi::PyErr_Clear();
            raise_name_error(name);
        }
        -1
    }
}
