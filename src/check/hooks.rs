//! What the checks need of the Python side, handed over when the package is imported.

use std::sync::Mutex;
use std::sync::PoisonError;

use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::Python;
use pyo3::pyfunction;

use super::plan::Violation;

/// Stands for the parameter where a generator yielded the value.
pub(super) const YIELDED: &str = "<yield>";

/// Stands for the parameter where a generator was sent the value.
pub(super) const SENT: &str = "<send>";

struct Hooks {
    violation: Py<PyAny>,
    evaluate: Py<PyAny>,
    unresolved: Py<PyAny>,
}

static HOOKS: Mutex<Option<Hooks>> = Mutex::new(None);

/// `violation(function, parameter, path, expected, value, found)` makes the exception of a broken promise,
/// `evaluate(text, function)` the value of an annotation's text or an instance of the class `unresolved`.
#[pyfunction]
pub(super) fn install_enforcement(violation: Py<PyAny>, evaluate: Py<PyAny>, unresolved: Py<PyAny>) {
    let hooks = Hooks { violation, evaluate, unresolved };
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

/// The exception for a broken promise; `parameter` is `None` for the result.
pub(super) fn violation(
    function: &Bound<'_, PyAny>,
    parameter: Option<&str>,
    broken: &Violation<'_>,
) -> PyErr {
    let raised = || {
        let make = hook(function.py(), |hooks| &hooks.violation)?;
        make.call1((
            function,
            parameter,
            &broken.path,
            &broken.expected,
            &broken.value,
            broken.found.as_deref(),
        ))
    };
    match raised() {
        Ok(error) => {
            // Raising it, unlike restoring it, chains it to the exception that is being handled.
            // SAFETY: both are alive, and the exception is an instance of its class.
            unsafe { ffi::PyErr_SetObject(error.get_type_ptr().cast(), error.as_ptr()) };
            PyErr::fetch(function.py())
        }
        Err(error) => error,
    }
}

/// The value of an annotation's text where the function was defined.
pub(super) fn evaluate<'py>(
    py: Python<'py>,
    text: &str,
    function: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    hook(py, |hooks| &hooks.evaluate)?.call1((text, function))
}

/// Text and reason of an annotation that could not be evaluated; `None` for any other object.
pub(super) fn unresolved(hint: &Bound<'_, PyAny>) -> PyResult<Option<(String, String)>> {
    let py = hint.py();
    if !hint.get_type().is(&hook(py, |hooks| &hooks.unresolved)?) {
        return Ok(None);
    }
    Ok(Some((hint.getattr(intern!(py, "text"))?.extract()?, hint.getattr(intern!(py, "reason"))?.extract()?)))
}
