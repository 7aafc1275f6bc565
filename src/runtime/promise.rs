//! What the runtime asks of a function's check plan when a call takes the slow path.
//!
//! The plan itself lives above this module; the boundary hands it over when a unit is loaded.

use pyo3::PyAny;
use pyo3::PyResult;
use pyo3::prelude::Bound;

/// What a check says of an argument that raised nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It keeps its annotation.
    Kept,
    /// It is the second operand of an operator and breaks its annotation: the call's result is NotImplemented.
    Declined,
}

/// The enforced annotations of one function.
pub trait Promise: Send + Sync {
    /// Checks the value of the parameter at `index` in the order of the code object's variables, and
    /// fails with `TypeCheckError` or with what a class' own `__instancecheck__` raised. A value that is
    /// the function's current default for that parameter passes. The values of `*args` and `**kwargs`
    /// are the whole tuple and dict.
    fn check_argument(
        &self,
        function: &Bound<'_, PyAny>,
        index: usize,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Verdict>;

    /// Checks the result; fails as [`Promise::check_argument`] does. NotImplemented as the result of an
    /// operator passes.
    fn check_result(&self, function: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()>;
}
