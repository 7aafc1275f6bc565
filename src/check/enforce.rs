//! The run-time side of a function's plan: checks of values in a call.

use pyo3::PyResult;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyDictMethods;
use pyo3::prelude::Python;
use pyo3::types::PyDict;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;

use super::call::Call;
use super::function::FunctionPlan;
use super::function::Kind;
use super::function::Parameter;
use super::guard::Spot;
use super::hooks;
use super::operator::OPERAND;
use super::plan::Plan;
use crate::cpython::frame::RunningFrame;
use crate::cpython::layout::Layout;
use crate::cpython::object;
use crate::runtime::promise::Promise;
use crate::runtime::promise::Verdict;

impl FunctionPlan {
    /// Whether the arguments must agree on what type variables stand for.
    pub(super) fn agrees(&self) -> bool {
        self.wants.agreement && self.parameters.len() > 1
    }

    /// The call that the frame runs, as far as the check of what stands at the spot wants to know of it.
    ///
    /// # Safety
    /// The frame runs a function with this plan, and its cells have been made.
    pub(super) unsafe fn call<'a, 'py>(
        &self,
        function: &'a Bound<'py, PyAny>,
        spot: Spot,
        frame: RunningFrame,
        layout: &Layout,
    ) -> Call<'a, 'py> {
        let py = function.py();
        let at_entry = matches!(spot, Spot::Argument(_) | Spot::Made);
        let read = |index: usize, is_cell: bool| {
            // SAFETY: the caller's promise; the value is kept alive before anything runs.
            unsafe {
                let mut value = frame.variable(layout, index);
                if is_cell && !value.is_null() {
                    value = object::field(value, layout.container.cell);
                }
                Bound::from_borrowed_ptr_or_opt(py, value)
            }
        };
        let wanted = self.wants.first && (at_entry || self.wants.first_stays);
        let call = Call::of(Some(function), if wanted { read(0, self.wants.first_is_cell) } else { None });
        if self.wants.agreement && !at_entry {
            for parameter in self.parameters.iter().filter(|found| found.stays && found.plan.check.chooses())
            {
                if let Some(value) = read(parameter.index, parameter.is_cell) {
                    decide(&call, parameter, &value);
                }
            }
        }
        call
    }

    /// Checks what stands at the spot, or only warns of it.
    pub(super) fn check_or_warn(
        &self,
        call: &Call<'_, '_>,
        function: &Bound<'_, PyAny>,
        spot: Spot,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Verdict> {
        let checked = self.check(call, function, spot, value);
        let Some(warn) = &self.warn else { return checked };
        if let Err(error) = checked {
            warn.bind(function.py()).call1((error.into_value(function.py()),))?;
        }
        Ok(Verdict::Kept)
    }

    /// Checks what stands at the spot.
    fn check(
        &self,
        call: &Call<'_, '_>,
        function: &Bound<'_, PyAny>,
        spot: Spot,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Verdict> {
        let (plan, parameter) = match spot {
            Spot::Argument(index) => return self.check_parameter(call, function, index, value),
            // SAFETY: only compared.
            Spot::Result if self.is_operator && value.as_ptr() == unsafe { ffi::Py_NotImplemented() } => {
                return Ok(Verdict::Kept);
            }
            Spot::Result => (&self.result, None),
            Spot::Made => (&self.made, None),
            Spot::Yielded => (&self.yields, Some(hooks::YIELDED)),
            // `next` sends None to any generator.
            Spot::Sent if value.is_none() => return Ok(Verdict::Kept),
            Spot::Sent => (&self.sends, Some(hooks::SENT)),
        };
        match plan {
            Some(plan) => check_value(plan, call, function, parameter, value, ""),
            None => Ok(Verdict::Kept),
        }
    }

    fn check_parameter(
        &self,
        call: &Call<'_, '_>,
        function: &Bound<'_, PyAny>,
        index: usize,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Verdict> {
        let Some(parameter) = self.parameter(index) else { return Ok(Verdict::Kept) };
        let broken = |item: &Bound<'_, PyAny>, path: &str| {
            broken(&parameter.plan, call, function, Some(&parameter.name), item, path)
        };
        let accepts = |item: &Bound<'_, PyAny>| parameter.plan.check.accepts(item, call);
        match parameter.kind {
            Kind::Positional | Kind::KeywordOnly => {
                if accepts(value)? {
                    return Ok(Verdict::Kept);
                }
                match self.default(function, parameter)? {
                    Some(default) if default.is(value) => Ok(Verdict::Kept),
                    _ if self.is_operator && parameter.index == OPERAND => Ok(Verdict::Declined),
                    _ => Err(broken(value, "")),
                }
            }
            Kind::Whole if accepts(value)? => Ok(Verdict::Kept),
            Kind::Whole => Err(broken(value, "")),
            Kind::Arguments => {
                for (position, item) in value.cast::<PyTuple>()?.iter().enumerate() {
                    if !accepts(&item)? {
                        return Err(broken(&item, &format!("[{position}]")));
                    }
                }
                Ok(Verdict::Kept)
            }
            Kind::Keywords => {
                for (key, item) in value.cast::<PyDict>()?.copy()?.iter() {
                    if !accepts(&item)? {
                        return Err(broken(&item, &format!("[{}]", key.repr()?)));
                    }
                }
                Ok(Verdict::Kept)
            }
        }
    }
}

fn check_value(
    plan: &Plan,
    call: &Call<'_, '_>,
    function: &Bound<'_, PyAny>,
    parameter: Option<&str>,
    value: &Bound<'_, PyAny>,
    path: &str,
) -> PyResult<Verdict> {
    if plan.check.accepts(value, call)? {
        return Ok(Verdict::Kept);
    }
    Err(broken(plan, call, function, parameter, value, path))
}

#[cold]
fn broken(
    plan: &Plan,
    call: &Call<'_, '_>,
    function: &Bound<'_, PyAny>,
    parameter: Option<&str>,
    value: &Bound<'_, PyAny>,
    path: &str,
) -> pyo3::PyErr {
    hooks::violation(function, parameter, path, plan.described.bind(value.py()), value, call)
}

/// Finds out again what an argument decided about type variables; it was checked when the call began.
fn decide(call: &Call<'_, '_>, parameter: &Parameter, value: &Bound<'_, PyAny>) {
    let check = &parameter.plan.check;
    let decided = match (parameter.kind, value.cast::<PyTuple>()) {
        (Kind::Arguments, Ok(items)) => {
            items.iter().try_for_each(|item| check.accepts(&item, call).map(|_| ()))
        }
        (Kind::Keywords, _) => Ok(()),
        _ => check.accepts(value, call).map(|_| ()),
    };
    if let Err(error) = decided {
        // The result is compared with less then.
        error.write_unraisable(value.py(), Some(value));
    }
}

impl Promise for FunctionPlan {
    fn check_argument(
        &self,
        function: &Bound<'_, PyAny>,
        index: usize,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Verdict> {
        self.check(&Call::of(Some(function), None), function, Spot::Argument(index), value)
    }

    unsafe fn is_settled_by(
        &self,
        py: Python<'_>,
        index: Option<usize>,
        class: *mut ffi::PyTypeObject,
    ) -> bool {
        let check = match index {
            Some(index) => match self.parameter(index) {
                Some(parameter) if matches!(parameter.kind, Kind::Positional | Kind::KeywordOnly) => {
                    Some(&parameter.plan.check)
                }
                Some(_) => return false,
                None => None,
            },
            None => self.check_at(Spot::Result),
        };
        // SAFETY: the caller's promise.
        check.is_none_or(|check| unsafe { check.is_settled_by(py, class) })
    }

    fn check_result(&self, function: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.check(&Call::of(Some(function), None), function, Spot::Result, value).map(|_| ())
    }
}
