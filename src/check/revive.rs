//! Checkers that were pickled.
//!
//! A pickled function has its annotations with it, so its checkers travel as what they are said of and how
//! they read annotations. Where they arrive, the first check compiles the plan of the function that runs.

use pyo3::PyResult;
use pyo3::exceptions::PyRuntimeError;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyErr;
use pyo3::prelude::Python;
use pyo3::pyclass;
use pyo3::pyfunction;
use pyo3::pymethods;
use pyo3::sync::PyOnceLock;

use super::arguments;
use super::checker;
use super::function::FunctionPlan;
use super::guard::Spot;
use crate::cpython;
use crate::cpython::frame::RunningFrame;

/// All arguments together.
const ARGUMENTS: i64 = -1;

static PLAN_FOR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// `plan_for(function, deep, strict, warn)` compiles the plan of a function.
#[pyfunction]
pub(super) fn install_revival(py: Python<'_>, plan_for: Py<PyAny>) {
    PLAN_FOR.get_or_init(py, || plan_for);
}

/// What a checker is said of, as a number: a variable's, or a negative one.
pub(super) fn number_of(spot: Option<Spot>) -> PyResult<i64> {
    Ok(match spot {
        Some(Spot::Argument(index)) => i64::try_from(index)?,
        None => ARGUMENTS,
        Some(Spot::Result) => -2,
        Some(Spot::Yielded) => -3,
        Some(Spot::Sent) => -4,
        Some(Spot::Made) => -5,
    })
}

/// A checker that has not seen its function yet.
#[pyclass(frozen, module = "castiron._castiron")]
pub(super) struct Revived {
    number: i64,
    deep: bool,
    strict: bool,
    warn: bool,
    checker: PyOnceLock<Py<PyAny>>,
}

#[pymethods]
impl Revived {
    #[new]
    fn new(number: i64, deep: bool, strict: bool, warn: bool) -> Revived {
        Revived { number, deep, strict, warn, checker: PyOnceLock::new() }
    }

    /// The instruction that deletes runs in the frame of the woven function.
    fn __delitem__(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        let layout = cpython::running().layout;
        // SAFETY: the slot of `del revived[value]`, called by an instruction of the frame, which keeps its
        // function alive.
        let function = unsafe {
            let frame = RunningFrame::innermost(layout);
            Bound::from_borrowed_ptr(py, frame.function(layout))
        };
        let checker = self.checker.get_or_try_init(py, || self.checker_for(&function))?;
        // SAFETY: both are alive.
        let status = unsafe { ffi::PyObject_DelItem(checker.as_ptr(), value.as_ptr()) };
        if status < 0 { Err(PyErr::fetch(py)) } else { Ok(()) }
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyAny>, (i64, bool, bool, bool)) {
        reduced(py, self.number, self.deep, self.strict, self.warn)
    }
}

impl Revived {
    fn checker_for(&self, function: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = function.py();
        let plan_for = PLAN_FOR.get(py).ok_or_else(|| {
            PyRuntimeError::new_err("castiron._castiron is used without the package castiron")
        })?;
        let plan = plan_for.bind(py).call1((function, self.deep, self.strict, self.warn))?;
        let plan = plan.cast::<FunctionPlan>()?;
        match self.number {
            ARGUMENTS => arguments::new(plan),
            -2 => checker::new(plan, Spot::Result),
            -3 => checker::new(plan, Spot::Yielded),
            -4 => checker::new(plan, Spot::Sent),
            -5 => checker::new(plan, Spot::Made),
            number => {
                let index = usize::try_from(number)
                    .map_err(|_| PyValueError::new_err("no checker has this number"))?;
                checker::new(plan, Spot::Argument(index))
            }
        }
    }
}

/// What pickles a checker: the class that stands for it, and its arguments.
pub(super) fn reduced(
    py: Python<'_>,
    number: i64,
    deep: bool,
    strict: bool,
    warn: bool,
) -> (Bound<'_, PyAny>, (i64, bool, bool, bool)) {
    (py.get_type::<Revived>().into_any(), (number, deep, strict, warn))
}
