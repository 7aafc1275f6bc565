//! A name in an annotation that is not defined yet.
//!
//! The first check looks it up again, where the function was defined; as long as that fails the annotation
//! is not enforced, and the lookup is repeated at the 2nd, 4th, 8th... check, so that a name that never
//! appears costs nothing in the long run. A name that was found stays what it was then.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use pyo3::PyResult;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::Python;
use pyo3::types::PyTuple;

use super::call::Call;
use super::compile;
use super::plan::Check;

/// An annotation, or a part of one, that could not be evaluated.
pub struct Pending {
    /// The Python side's `Pending`.
    name: Py<PyAny>,
    checks: AtomicU32,
    found: OnceLock<Box<Check>>,
}

impl Pending {
    /// Takes the Python side's `Pending`.
    #[must_use]
    pub fn new(name: Py<PyAny>) -> Pending {
        Pending { name, checks: AtomicU32::new(0), found: OnceLock::new() }
    }

    /// The check, if the name has been found.
    #[must_use]
    pub fn found(&self) -> Option<&Check> {
        self.found.get().map(Box::as_ref)
    }

    /// The check, if the name can be found by now.
    pub fn check(&self, py: Python<'_>, call: &Call<'_, '_>) -> PyResult<Option<&Check>> {
        if let Some(check) = self.found.get() {
            return Ok(Some(check));
        }
        let Some(function) = call.function else { return Ok(None) };
        let checks = self.checks.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if !checks.is_power_of_two() {
            return Ok(None);
        }
        let name: &Bound<'_, PyAny> = self.name.bind(py);
        let described = name.call_method1(intern!(py, "look"), (function, call.first.as_ref()))?;
        if described.is_none() {
            return Ok(None);
        }
        let check = compile::check(described.cast::<PyTuple>()?)?;
        Ok(Some(self.found.get_or_init(|| Box::new(check))))
    }
}
