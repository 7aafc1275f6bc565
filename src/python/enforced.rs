//! The check plan of a function, as the runtime asks for it.

use pyo3::ffi::PyTypeObject;
use pyo3::prelude::*;

use crate::check::FunctionPlan;
use crate::runtime::promise::Promise;
use crate::runtime::promise::Verdict;

/// A plan that is shared with the Python side.
pub(super) struct Enforced(Py<FunctionPlan>);

impl Enforced {
    /// The plan behind the runtime's trait.
    pub(super) fn boxed(plan: Py<FunctionPlan>) -> Box<dyn Promise> {
        Box::new(Enforced(plan))
    }
}

impl Promise for Enforced {
    fn check_argument(
        &self,
        function: &Bound<'_, PyAny>,
        index: usize,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Verdict> {
        self.0.get().check_argument(function, index, value)
    }

    unsafe fn is_settled_by(&self, py: Python<'_>, index: Option<usize>, class: *mut PyTypeObject) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.0.get().is_settled_by(py, index, class) }
    }

    fn check_result(&self, function: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.get().check_result(function, value)
    }
}
