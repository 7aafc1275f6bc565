//! What the checks need of the Python side, handed over when the package is imported.

use std::sync::Mutex;
use std::sync::PoisonError;

use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyDictMethods;
use pyo3::prelude::Python;
use pyo3::pyfunction;
use pyo3::types::PyDict;
use pyo3::types::PyTuple;

use super::call::Call;

/// Stands for the parameter where a generator yielded the value.
pub(super) const YIELDED: &str = "<yield>";

/// Stands for the parameter where a generator was sent the value.
pub(super) const SENT: &str = "<send>";

/// Stands for the name of the generator that a call makes.
pub(super) const MADE: &str = "<made>";

struct Hooks {
    describe: Py<PyAny>,
    accepts: Py<PyAny>,
    settles: Py<PyAny>,
    rebound: Py<PyAny>,
    violation: Py<PyAny>,
}

static HOOKS: Mutex<Option<Hooks>> = Mutex::new(None);

/// `describe(function, annotations, deep, strict)` gives a dict from names to pairs of a description and a list
/// of gaps; `accepts(description, value, function, first, choices)` runs a description;
/// `settles(description, value)` tells whether all instances of an accepted value's class pass like it;
/// `rebound(code)` gives the numbers of the variables that the code binds anew; `violation(function,
/// parameter, path, description, value, first, choices)` makes the exception of a broken promise.
#[pyfunction]
pub(super) fn install_enforcement(
    describe: Py<PyAny>,
    accepts: Py<PyAny>,
    settles: Py<PyAny>,
    rebound: Py<PyAny>,
    violation: Py<PyAny>,
) {
    let hooks = Hooks { describe, accepts, settles, rebound, violation };
    let previous = HOOKS.lock().unwrap_or_else(PoisonError::into_inner).replace(hooks);
    // Dropped after the lock is released: a destructor may run Python.
    drop(previous);
}

fn hook<'py>(py: Python<'py>, choose: impl FnOnce(&Hooks) -> &Py<PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let hooks = HOOKS.lock().unwrap_or_else(PoisonError::into_inner);
    match hooks.as_ref() {
        Some(hooks) => Ok(choose(hooks).bind(py).clone()),
        None => Err(PyRuntimeError::new_err("castiron._castiron is used without the package castiron")),
    }
}

/// The descriptions of a function's annotations, with what they leave unchecked.
pub(super) fn describe<'py>(
    function: &Bound<'py, PyAny>,
    annotations: &Bound<'py, PyDict>,
    deep: bool,
    strict: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let describe = hook(function.py(), |hooks| &hooks.describe)?;
    Ok(describe.call1((function, annotations, deep, strict))?.cast_into::<PyDict>()?)
}

/// The numbers of the variables that the code binds anew, a set.
pub(super) fn rebound<'py>(code: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    hook(code.py(), |hooks| &hooks.rebound)?.call1((code,))
}

/// The verdict of the Python side.
pub(super) fn accepts<'py>(
    described: &Bound<'py, PyTuple>,
    value: &Bound<'py, PyAny>,
    call: &Call<'_, 'py>,
) -> PyResult<bool> {
    let py = value.py();
    let choices = call.choices(py)?;
    let accepts = hook(py, |hooks| &hooks.accepts)?;
    let found = accepts.call1((described, value, call.function, call.first.as_ref(), &choices))?;
    if !choices.is_empty() {
        call.learn(&choices)?;
    }
    found.is_truthy()
}

/// Whether all instances of the accepted value's class pass like it, until the class changes.
pub(super) fn settles(described: &Bound<'_, PyTuple>, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    hook(value.py(), |hooks| &hooks.settles)?.call1((described, value))?.is_truthy()
}

/// The exception for a broken promise; `parameter` is `None` for the result, `path` leads from it to the value.
pub(super) fn violation(
    function: &Bound<'_, PyAny>,
    parameter: Option<&str>,
    path: &str,
    described: &Bound<'_, PyTuple>,
    value: &Bound<'_, PyAny>,
    call: &Call<'_, '_>,
) -> PyErr {
    let py = function.py();
    let raised = || {
        let make = hook(py, |hooks| &hooks.violation)?;
        let choices = call.choices(py)?;
        make.call1((function, parameter, path, described, value, call.first.as_ref(), choices))
    };
    match raised() {
        Ok(error) => {
            // Raising it, unlike restoring it, chains it to the exception that is being handled.
            // SAFETY: both are alive, and the exception is an instance of its class.
            unsafe { ffi::PyErr_SetObject(error.get_type_ptr().cast(), error.as_ptr()) };
            PyErr::fetch(py)
        }
        Err(error) => error,
    }
}
