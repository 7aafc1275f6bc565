//! Gives functions their woven code.

use pyo3::PyResult;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::pyfunction;

use crate::cpython;
use crate::cpython::function;

use super::frozen::methods;

/// Assigns `__code__` such that calls of the function stay as quick as they were.
///
/// CPython 3.13 specialises calls only of functions that still have the version that their `def` gave them, and any
/// assignment takes it away; a function that had it gets the new code's.
#[pyfunction]
pub(super) fn set_code(function: &Bound<'_, PyAny>, code: &Bound<'_, PyAny>) -> PyResult<()> {
    let running = cpython::running();
    if function.get_type_ptr() as usize != running.function_type {
        return Err(PyTypeError::new_err("set_code takes a function written in Python"));
    }
    // SAFETY: a Python function.
    let is_fresh = unsafe { function::has_version_of_code(running.layout, function.as_ptr()) };
    methods::as_ours(|| function.setattr(intern!(function.py(), "__code__"), code))?;
    if is_fresh {
        // SAFETY: as above, and the code was assigned just now.
        unsafe { function::take_version_of_code(running.layout, function.as_ptr()) };
    }
    Ok(())
}
