//! The methods of a module's classes: what calls of methods in it probably call.
//!
//! Found in the namespaces of the classes that the module's globals hold. Nothing here runs Python, and nothing is
//! bet on it: compiled code compares what a lookup gives with these functions.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::types::PyString;
use pyo3::types::PyType;
use rustc_hash::FxHashMap;

use crate::cpython::class::fields;
use crate::cpython::object::type_of;
use crate::cpython::running;

use super::callable;

/// By name: what classes have under it that is a function, or stands for one.
pub(super) type Methods<'py> = FxHashMap<String, Vec<Bound<'py, PyAny>>>;

/// The methods of all classes that the namespace holds.
pub(super) fn all<'py>(globals: &Bound<'py, PyAny>) -> Methods<'py> {
    let mut methods = Methods::default();
    let Ok(globals) = globals.cast_exact::<PyDict>() else { return methods };
    for (_, value) in globals.iter() {
        let Some(space) = value.cast::<PyType>().ok().and_then(namespace) else { continue };
        for (name, value) in space.iter().filter(|(_, value)| is_function(value)) {
            let Ok(name) = name.cast_into::<PyString>() else { continue };
            let known = methods.entry(name.to_string_lossy().into_owned()).or_default();
            if !known.iter().any(|known| known.is(&value)) {
                known.push(value);
            }
        }
    }
    methods
}

/// The namespace of a class that Python made.
fn namespace<'py>(class: &Bound<'py, PyType>) -> Option<Bound<'py, PyDict>> {
    // SAFETY: a live class; one that Python made has its namespace there, for as long as it lives.
    unsafe {
        let class_fields = fields(class.as_type_ptr());
        if (*class_fields).flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return None;
        }
        Bound::from_borrowed_ptr_or_opt(class.py(), (*class_fields).dict)?.cast_into_exact().ok()
    }
}

fn is_function(value: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a live object.
    unsafe {
        type_of(value.as_ptr()) as usize == running().function_type || callable::is_native(value.as_ptr())
    }
}
