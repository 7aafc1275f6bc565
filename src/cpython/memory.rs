//! Lack of memory where PyO3 does not report it: what it can't make is a panic there.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::panic::resume_unwind;

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

/// What PyO3 says when CPython has returned null where it never does but for lack of memory.
const NULL: [&str; 2] = ["PyObject pointer is null", "Python API call failed"];

/// The outcome of what calls CPython through PyO3: MemoryError where that panics for lack of memory. Any
/// other panic goes on.
///
/// # Errors
/// What `run` fails with, or MemoryError.
pub fn or_memory_error<T>(run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
        if NULL.contains(&text) { Err(PyMemoryError::new_err(())) } else { resume_unwind(payload) }
    })
}
