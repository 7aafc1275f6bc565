//! What a check knows of the call that it belongs to.

use std::cell::Cell;
use std::cell::RefCell;

use pyo3::PyResult;
use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::Python;
use pyo3::types::PyDict;
use pyo3::types::PyDictMethods;
use pyo3::types::PyType;

/// How deep values may nest in containers before a check gives up, as the interpreter does.
const MAX_DEPTH: u32 = 1000;

/// The call whose arguments or result are checked.
pub struct Call<'a, 'py> {
    /// The function: where names that are still open are looked up.
    pub function: Option<&'a Bound<'py, PyAny>>,
    /// The first argument, whose class `Self` is.
    pub first: Option<Bound<'py, PyAny>>,
    /// For each type variable with constraints, by number, a bit for each that is still possible.
    choices: RefCell<Vec<u64>>,
    /// Pairs of an alias and a value that are being compared, innermost last.
    running: RefCell<Vec<(usize, usize)>>,
    depth: Cell<u32>,
}

impl<'a, 'py> Call<'a, 'py> {
    /// A call of the function.
    #[must_use]
    pub fn of(function: Option<&'a Bound<'py, PyAny>>, first: Option<Bound<'py, PyAny>>) -> Call<'a, 'py> {
        Call {
            function,
            first,
            choices: RefCell::new(Vec::new()),
            running: RefCell::new(Vec::new()),
            depth: Cell::new(0),
        }
    }

    /// What `Self` stands for.
    pub(super) fn self_class(&self) -> Option<Bound<'py, PyType>> {
        let first = self.first.as_ref()?;
        match first.cast::<PyType>() {
            Ok(class) => Some(class.clone()),
            Err(_) => Some(first.get_type()),
        }
    }

    /// The constraints of a type variable that are still possible.
    pub(super) fn possible(&self, variable: usize) -> u64 {
        self.choices.borrow().get(variable).copied().unwrap_or(u64::MAX)
    }

    /// Leaves only these constraints of a type variable.
    pub(super) fn choose(&self, variable: usize, possible: u64) {
        let mut choices = self.choices.borrow_mut();
        if choices.len() <= variable {
            choices.resize(variable + 1, u64::MAX);
        }
        choices[variable] = possible;
    }

    /// What is known of type variables, as the Python side has it.
    pub(super) fn choices(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = PyDict::new(py);
        for (variable, &possible) in self.choices.borrow().iter().enumerate() {
            if possible != u64::MAX {
                found.set_item(variable, possible)?;
            }
        }
        Ok(found)
    }

    /// Takes over what the Python side found out.
    pub(super) fn learn(&self, choices: &Bound<'py, PyDict>) -> PyResult<()> {
        for (variable, possible) in choices.iter() {
            self.choose(variable.extract()?, possible.extract()?);
        }
        Ok(())
    }

    /// Runs a check of a part of a value.
    ///
    /// # Errors
    /// `RecursionError` when values nest too deeply, else what the check raises.
    pub(super) fn nested(&self, check: impl FnOnce() -> PyResult<bool>) -> PyResult<bool> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            return Err(PyRecursionError::new_err(
                "maximum recursion depth exceeded while checking an annotation",
            ));
        }
        self.depth.set(depth + 1);
        let found = check();
        self.depth.set(depth);
        found
    }

    /// Runs the check of an alias on a value, unless it is running already: a value that contains itself is
    /// what it is found to be.
    pub(super) fn once(
        &self,
        alias: usize,
        value: usize,
        check: impl FnOnce() -> PyResult<bool>,
    ) -> PyResult<bool> {
        if self.running.borrow().contains(&(alias, value)) {
            return Ok(true);
        }
        self.running.borrow_mut().push((alias, value));
        let found = self.nested(check);
        self.running.borrow_mut().pop();
        found
    }
}
