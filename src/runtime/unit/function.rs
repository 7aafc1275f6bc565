//! A function of a loaded unit.

use std::cell::Cell;
use std::cell::OnceCell;
use std::ffi::c_int;

use pyo3::ffi::PyObject;
use pyo3::prelude::*;

use crate::cpython::object::type_of;
use crate::runtime::closures;
use crate::runtime::meta::FunctionMeta;
use crate::runtime::meta::Position;
use crate::runtime::promise::Promise;
use crate::runtime::promise::Verdict;

use super::LoadedUnit;

/// The flag of code that has a parameter `*args`.
const CO_VARARGS: u32 = 4;

/// The flag of code that has a parameter `**kwargs`.
const CO_VARKEYWORDS: u32 = 8;

/// Where a function of the unit comes from.
pub enum Source {
    /// It was compiled in this unit, from this code object.
    Own {
        /// The code object.
        code: Py<PyAny>,
        /// The checks of its boundary, if its annotations are promises.
        promise: Option<Box<dyn Promise>>,
    },
    /// Another unit has compiled it; this one only calls it.
    Other {
        /// The other unit, which lives at least as long.
        unit: *const LoadedUnit,
        /// Its number there.
        number: usize,
    },
    /// The interpreter has no code object for it, or one that the code does not fit: it is never run.
    Absent,
}

/// How a function's arguments are bound.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arity {
    /// Parameters that can be passed by position.
    pub positional: usize,
    /// How many of those can't be passed by name.
    pub positional_only: usize,
    /// Parameters that can be passed by name only.
    pub keyword_only: usize,
    /// Whether a tuple takes the surplus of arguments by position.
    pub extra_positional: bool,
    /// Whether a dict takes the surplus of arguments by name.
    pub extra_named: bool,
}

impl Arity {
    /// The parameters that take one argument each.
    #[must_use]
    pub fn single(self) -> usize {
        self.positional + self.keyword_only
    }

    /// All parameters.
    #[must_use]
    pub fn total(self) -> usize {
        self.single() + usize::from(self.extra_positional) + usize::from(self.extra_named)
    }
}

/// A function as far as the helpers need it.
pub struct LoadedFunction {
    /// Where it comes from.
    pub source: Source,
    /// How its arguments are bound.
    pub arity: Arity,
    /// How many variables its code object has, cells included.
    pub variables: usize,
    /// Whether they are numbered as the compiler thinks; if not, tracebacks show none of them.
    pub is_as_told: bool,
    /// Which of them frames hold in cells, those of functions around it apart.
    pub cells: Vec<usize>,
    /// How many of them, the last ones, are cells of functions around it.
    pub free: usize,
    /// The code objects inside its own; none for one that is never run.
    pub nested: Vec<Option<Py<PyAny>>>,
    /// The names of its parameters that take one argument each, interned.
    pub names: Vec<Py<PyAny>>,
    /// The callable that stands for it and that cells may bet on, borrowed; null while there is none.
    pub callable: Cell<*mut PyObject>,
    /// The callable that last stood for it, borrowed; null once it is dead.
    pub object: Cell<*mut PyObject>,
    /// What stands for it in frames when the callable is dead.
    pub(super) stand_in: OnceCell<Py<PyAny>>,
    /// The positions of its instructions, once a traceback wanted them.
    pub positions: OnceCell<Vec<Option<Position>>>,
    /// Calls that the entry's fast path did not take.
    pub slow_calls: Cell<u64>,
    /// Calls that ran the generic version from its beginning.
    pub generic_calls: Cell<u64>,
    /// The checks of its boundary, where they became known after it was loaded.
    late_promise: OnceCell<Box<dyn Promise>>,
}

impl LoadedFunction {
    pub(super) fn new(py: Python<'_>, source: Source, meta: &FunctionMeta) -> PyResult<LoadedFunction> {
        let mut arity = Arity::default();
        let mut names = Vec::new();
        let mut locals = 0;
        let mut nested = Vec::new();
        let mut is_as_told = true;
        let mut held = Vec::new();
        if let Source::Own { code, .. } = &source {
            let code = code.bind(py);
            let flags: u32 = code.getattr("co_flags")?.extract()?;
            arity = Arity {
                extra_positional: flags & CO_VARARGS != 0,
                extra_named: flags & CO_VARKEYWORDS != 0,
                positional: code.getattr("co_argcount")?.extract()?,
                positional_only: code.getattr("co_posonlyargcount")?.extract()?,
                keyword_only: code.getattr("co_kwonlyargcount")?.extract()?,
            };
            let variables = code.getattr("co_varnames")?;
            let all = closures::variables(code)?;
            let cells: Vec<String> = code.getattr("co_cellvars")?.extract()?;
            held.extend((0..all.len()).filter(|&number| cells.contains(&all[number])));
            locals = all.len();
            is_as_told = meta.variables.is_empty() || all == meta.variables;
            nested = closures::nested_codes(code, &meta.nested)?;
            for position in 0..arity.single() {
                names.push(variables.get_item(position)?.unbind());
            }
        }
        Ok(LoadedFunction {
            source,
            arity,
            variables: locals,
            is_as_told,
            cells: held,
            free: meta.free.len(),
            nested,
            names,
            callable: Cell::new(std::ptr::null_mut()),
            object: Cell::new(std::ptr::null_mut()),
            stand_in: OnceCell::new(),
            positions: OnceCell::new(),
            slow_calls: Cell::new(0),
            generic_calls: Cell::new(0),
            late_promise: OnceCell::new(),
        })
    }

    /// The code object, borrowed; null for a function of another unit, or an absent one.
    #[must_use]
    pub fn code(&self) -> *mut PyObject {
        match &self.source {
            Source::Own { code, .. } => code.as_ptr(),
            Source::Other { .. } | Source::Absent => std::ptr::null_mut(),
        }
    }

    /// The checks of its boundary.
    #[must_use]
    pub fn promise(&self) -> Option<&dyn Promise> {
        match &self.source {
            Source::Own { promise, .. } => {
                promise.as_deref().or_else(|| self.late_promise.get().map(Box::as_ref))
            }
            Source::Other { .. } | Source::Absent => None,
        }
    }

    /// Gives a function that was loaded without them the checks of its boundary; false where it has some.
    pub(in crate::runtime) fn enforce(&self, promise: Box<dyn Promise>) -> bool {
        self.promise().is_none() && self.late_promise.set(promise).is_ok()
    }

    /// Whether the class of an argument tells that it keeps the promise.
    ///
    /// # Safety
    /// The value is alive, the thread is attached.
    pub unsafe fn is_settled(&self, index: usize, value: *mut PyObject) -> bool {
        // SAFETY: the caller's contract; the value keeps its class alive.
        self.promise().is_none_or(|promise| unsafe {
            promise.is_settled_by(Python::assume_attached(), Some(index), type_of(value))
        })
    }

    /// Checks an argument against the promise, if there is one. 0, 1 when the call's result is NotImplemented,
    /// or -1 with the exception set.
    ///
    /// # Safety
    /// Both objects are alive, the thread is attached; `function` is the Python function that was called.
    pub unsafe fn check_argument(
        &self,
        function: *mut PyObject,
        index: usize,
        value: *mut PyObject,
    ) -> c_int {
        let Some(promise) = self.promise() else { return 0 };
        // SAFETY: the caller's contract.
        unsafe {
            let py = Python::assume_attached();
            let (function, value) =
                (Bound::from_borrowed_ptr(py, function), Bound::from_borrowed_ptr(py, value));
            status(
                py,
                promise
                    .check_argument(&function, index, &value)
                    .map(|verdict| c_int::from(verdict == Verdict::Declined)),
            )
        }
    }

    /// Checks a result against the promise, if there is one. 0, or -1 with the exception set.
    ///
    /// # Safety
    /// The value is alive, the thread is attached; `function` is the Python function whose code ran, or
    /// null when nobody knows it any more.
    pub unsafe fn check_result(&self, function: *mut PyObject, value: *mut PyObject) -> c_int {
        let Some(promise) = self.promise() else { return 0 };
        // SAFETY: the caller's contract.
        unsafe {
            let py = Python::assume_attached();
            let function =
                Bound::from_borrowed_ptr_or_opt(py, function).unwrap_or_else(|| py.None().into_bound(py));
            status(py, promise.check_result(&function, &Bound::from_borrowed_ptr(py, value)).map(|()| 0))
        }
    }
}

/// A check's outcome as helpers say it.
fn status(py: Python<'_>, outcome: PyResult<c_int>) -> c_int {
    match outcome {
        Ok(status) => status,
        Err(error) => {
            error.restore(py);
            -1
        }
    }
}
