//! What the runtime asks of a function's check plan when a call takes the slow path.
//!
//! The plan itself lives above this module; the boundary hands it over when a unit is loaded.

use pyo3::PyAny;
use pyo3::PyResult;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyTypeObject;
use pyo3::prelude::Bound;
use pyo3::prelude::Python;

use crate::cpython::object::type_of;

use super::caches;
use super::data::CACHE_WORDS;
use super::data::WORD;
use super::quiet;
use super::table::position;
use super::unit::LoadedUnit;

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

    /// Whether every instance of exactly this class keeps the annotation of the parameter at `index`, or of the
    /// result where there is none, for as long as the class stays as it is. It runs no Python.
    ///
    /// # Safety
    /// The class is alive.
    unsafe fn is_settled_by(&self, py: Python<'_>, index: Option<usize>, class: *mut PyTypeObject) -> bool;

    /// Checks the result; fails as [`Promise::check_argument`] does. NotImplemented as the result of an
    /// operator passes.
    fn check_result(&self, function: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()>;
}

/// Stands for the result where compiled code names a parameter.
pub const RESULT: i64 = -1;

/// Whether the class of a value tells that it keeps a promise: 1 or 0. The cache's words hold the version tags of
/// classes that do; compiled code compares the first of them by itself.
///
/// # Safety
/// The unit is loaded and has this function, parameter and cache; the value is alive, the thread attached.
pub unsafe extern "C" fn promise_keeps(
    unit: *const LoadedUnit,
    function: i64,
    parameter: i64,
    cache: i64,
    value: *mut PyObject,
) -> i32 {
    let index = (parameter != RESULT).then(|| position(parameter));
    // SAFETY: the caller's contract; the unit lives while its code runs.
    i32::from(unsafe { is_settled(&*unit, position(function), index, position(cache), value) })
}

/// As [`promise_keeps`], whose cache learns what is found out.
///
/// # Safety
/// As there.
pub(super) unsafe fn is_settled(
    unit: &LoadedUnit,
    function: usize,
    index: Option<usize>,
    cache: usize,
    value: *mut PyObject,
) -> bool {
    // SAFETY: the caller's contract; the value keeps its class alive.
    unsafe {
        let class = type_of(value);
        let version = u64::from(quiet::version_for(class));
        let first = unit.layout().cache(cache);
        let words = || (0..CACHE_WORDS).map(|number| first + number * WORD);
        if version != 0 && words().any(|place| unit.word(place) == version) {
            return true;
        }
        let (_, loaded) = unit.resolve(function);
        let Some(promise) = loaded.promise() else { return false };
        if !promise.is_settled_by(Python::assume_attached(), index, class) {
            return false;
        }
        if version != 0 {
            let free = words().find(|&place| unit.word(place) == caches::NO_VERSION);
            let other = position(version.cast_signed()) % CACHE_WORDS * WORD + first;
            unit.set_word(free.unwrap_or(other), version);
        }
        true
    }
}
