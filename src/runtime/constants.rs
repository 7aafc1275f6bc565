//! Live objects for the constants of a unit.

use std::ffi::CString;

use pyo3::exceptions::PyAssertionError;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBool;
use pyo3::types::PyByteArray;
use pyo3::types::PyBytes;
use pyo3::types::PyComplex;
use pyo3::types::PyEllipsis;
use pyo3::types::PyFloat;
use pyo3::types::PyFrozenSet;
use pyo3::types::PyInt;
use pyo3::types::PyList;
use pyo3::types::PyString;
use pyo3::types::PyTuple;
use pyo3::types::PyType;

use crate::ir::Const;
use crate::types::Class;

/// The constant as an object; strings are interned, since most of them are names.
///
/// # Errors
/// When there is no memory, or the text of an int is longer than the interpreter accepts.
pub fn make<'py>(py: Python<'py>, constant: &Const) -> PyResult<Bound<'py, PyAny>> {
    Ok(match constant {
        Const::None | Const::Unbound => py.None().into_bound(py),
        Const::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Const::Ellipsis => PyEllipsis::get(py).to_owned().into_any(),
        Const::Int(value) => PyInt::new(py, *value).into_any(),
        Const::BigInt(text) => big_int(py, text)?,
        Const::Float(bits) => PyFloat::new(py, f64::from_bits(*bits)).into_any(),
        Const::Imaginary(bits) => PyComplex::from_doubles(py, 0.0, f64::from_bits(*bits)).into_any(),
        Const::Str(text) => PyString::intern(py, text).into_any(),
        Const::Surrogates(bytes) => with_surrogates(py, bytes)?,
        Const::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Const::Tuple(items) => {
            let items = items.iter().map(|item| make(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyTuple::new(py, items)?.into_any()
        }
        Const::FrozenSet(items) => {
            let items = items.iter().map(|item| make(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyFrozenSet::new(py, items)?.into_any()
        }
        Const::Method(class, name) => class_object(py, *class).getattr(name.as_str())?,
        Const::AssertionError => py.get_type::<PyAssertionError>().into_any(),
    })
}

fn class_object(py: Python<'_>, class: Class) -> Bound<'_, PyType> {
    match class {
        Class::List => py.get_type::<PyList>(),
        Class::Str => py.get_type::<PyString>(),
        Class::Bytes => py.get_type::<PyBytes>(),
        Class::ByteArray => py.get_type::<PyByteArray>(),
    }
}

fn with_surrogates<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: so many bytes; the result is a new reference or null with an exception.
    unsafe {
        let (start, count) = (bytes.as_ptr().cast(), bytes.len().cast_signed());
        Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_DecodeUTF8(start, count, c"surrogatepass".as_ptr()))
    }
}

fn big_int<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let text =
        CString::new(text).map_err(|_| PyValueError::new_err("an int constant holds a null character"))?;
    // SAFETY: a C string; the result is a new reference or null with an exception.
    unsafe {
        Bound::from_owned_ptr_or_err(py, ffi::PyLong_FromString(text.as_ptr(), std::ptr::null_mut(), 0))
    }
}
