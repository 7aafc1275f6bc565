//! Functions of CPython outside the stable ABI of 3.11, looked up by name when castiron is imported.

use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;

use pyo3::ffi::PyFrameObject;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyThreadState;
use pyo3::ffi::PyTypeObject;
use pyo3::ffi::vectorcallfunc;

use super::Layout;
use super::objects::Objects;

/// What a dict watcher is called with: event, dict, key, new value.
pub type DictWatcher = unsafe extern "C" fn(c_int, *mut PyObject, *mut PyObject, *mut PyObject) -> c_int;

/// What a function watcher is called with: event, function, new value.
pub type FunctionWatcher = unsafe extern "C" fn(c_int, *mut PyObject, *mut PyObject) -> c_int;

/// Functions that 3.11 has.
#[derive(Clone, Copy)]
pub struct Symbols {
    /// `PyObject_Vectorcall`
    pub vectorcall: vectorcallfunc,
    /// `_Py_Dealloc`
    pub dealloc: unsafe extern "C" fn(*mut PyObject),
    /// `PyFrame_New`: thread state, code, globals, locals.
    pub frame_new: unsafe extern "C" fn(
        *mut PyThreadState,
        *mut PyObject,
        *mut PyObject,
        *mut PyObject,
    ) -> *mut PyFrameObject,
    /// `PyFrame_GetBack`
    pub frame_back: unsafe extern "C" fn(*mut PyObject) -> *mut PyObject,
    /// Functions on objects.
    pub objects: Objects,
    /// `_PyType_Lookup`: what a class or a base of it has under a name, borrowed; null without an exception. Gives
    /// the class a version tag if it can.
    pub type_lookup: unsafe extern "C" fn(*mut PyTypeObject, *mut PyObject) -> *mut PyObject,
    /// `_PyObject_GetMethod`: 1 for a function that is to be called with the object, 0 for an attribute or null.
    pub get_method: unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut *mut PyObject) -> c_int,
    /// What 3.12 added.
    pub watchers: Option<Watchers>,
}

/// Functions that 3.12 added.
#[derive(Clone, Copy)]
pub struct Watchers {
    /// `PyDict_AddWatcher`
    pub dict_add: unsafe extern "C" fn(DictWatcher) -> c_int,
    /// `PyDict_Watch`
    pub dict_watch: unsafe extern "C" fn(c_int, *mut PyObject) -> c_int,
    /// `PyFunction_AddWatcher`
    pub function_add: unsafe extern "C" fn(FunctionWatcher) -> c_int,
    /// `PyFunction_SetVectorcall`
    pub set_vectorcall: unsafe extern "C" fn(*mut PyObject, vectorcallfunc),
}

impl Symbols {
    /// Looks all of them up in the process.
    ///
    /// # Errors
    /// When one is missing that this version has.
    pub fn find(layout: &Layout) -> Result<Symbols, String> {
        let watchers = match layout.dict_version {
            Some(_) => None,
            None => Some(Watchers::find(layout)?),
        };
        // SAFETY: each type is that of the function's declaration in CPython's headers.
        unsafe {
            Ok(Symbols {
                vectorcall: std::mem::transmute::<*mut c_void, vectorcallfunc>(address(
                    layout,
                    c"PyObject_Vectorcall",
                )?),
                dealloc: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut PyObject)>(address(
                    layout,
                    c"_Py_Dealloc",
                )?),
                frame_new: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(
                        *mut PyThreadState,
                        *mut PyObject,
                        *mut PyObject,
                        *mut PyObject,
                    ) -> *mut PyFrameObject,
                >(address(layout, c"PyFrame_New")?),
                frame_back: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*mut PyObject) -> *mut PyObject,
                >(address(layout, c"PyFrame_GetBack")?),
                objects: Objects::find(layout)?,
                type_lookup: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*mut PyTypeObject, *mut PyObject) -> *mut PyObject,
                >(address(layout, c"_PyType_Lookup")?),
                get_method: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut *mut PyObject) -> c_int,
                >(address(layout, c"_PyObject_GetMethod")?),
                watchers,
            })
        }
    }
}

impl Watchers {
    fn find(layout: &Layout) -> Result<Watchers, String> {
        // SAFETY: each type is that of the function's declaration in CPython's headers.
        unsafe {
            Ok(Watchers {
                dict_add: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(DictWatcher) -> c_int>(
                    address(layout, c"PyDict_AddWatcher")?,
                ),
                dict_watch: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(c_int, *mut PyObject) -> c_int,
                >(address(layout, c"PyDict_Watch")?),
                function_add: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(FunctionWatcher) -> c_int,
                >(address(layout, c"PyFunction_AddWatcher")?),
                set_vectorcall: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*mut PyObject, vectorcallfunc),
                >(address(layout, c"PyFunction_SetVectorcall")?),
            })
        }
    }
}

/// The address of a function of the interpreter; never null.
///
/// # Errors
/// When there is no such function.
pub fn address(layout: &Layout, name: &CStr) -> Result<*mut c_void, String> {
    // SAFETY: the name is a C string; looking a name up changes nothing.
    let found = unsafe { lookup(layout, name.as_ptr()) };
    if found.is_null() {
        return Err(format!("this interpreter has no {}", name.to_string_lossy()));
    }
    Ok(found)
}

/// A function of the C library that CPython uses too.
#[must_use]
pub fn c_function(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name is a C string; looking a name up changes nothing.
    let found = unsafe { library_function(c"ucrtbase.dll", name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

unsafe fn lookup(layout: &Layout, name: *const c_char) -> *mut c_void {
    let (major, minor) = layout.version;
    let library = CString::new(format!("python{major}{minor}.dll")).expect("a version has no null character");
    // SAFETY: the caller passes a C string.
    unsafe { library_function(&library, name) }
}

/// A function of the process. Only Windows looks names up by library.
#[cfg(unix)]
unsafe fn library_function(_library: &CStr, name: *const c_char) -> *mut c_void {
    // SAFETY: the caller passes a C string.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name) }
}

#[cfg(windows)]
unsafe fn library_function(library: &CStr, name: *const c_char) -> *mut c_void {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleA(name: *const c_char) -> *mut c_void;
        fn GetProcAddress(module: *mut c_void, name: *const c_char) -> *mut c_void;
    }
    // SAFETY: both names are C strings; the handle is that of a loaded library or null, which is answered by null.
    unsafe {
        let handle = GetModuleHandleA(library.as_ptr());
        if handle.is_null() { handle } else { GetProcAddress(handle, name) }
    }
}
