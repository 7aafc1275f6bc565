//! What makes a check pass at once, without looking at its plan.
//!
//! A guard never refuses: a value that it does not know is the plan's to judge. It runs no Python code and
//! owns nothing; the plan keeps alive what it points to.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::Python;

use super::plan::Check;
use crate::cpython;
use crate::cpython::frame::RunningFrame;
use crate::cpython::layout::Layout;
use crate::cpython::object;

/// How many exact static types are compared before anything else.
const EXACT: usize = 4;

/// What the annotation of a parameter is said of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The value.
    Value,
    /// The items of a tuple: `*args`.
    Items,
    /// The values of a dict: `**kwargs`.
    Entries,
}

/// What a check is said of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// The parameter at this position among the code object's variables.
    Argument(usize),
    /// What the function returns.
    Result,
    /// What a generator yields.
    Yielded,
    /// What a generator is sent.
    Sent,
    /// The generator that a call makes.
    Made,
}

/// Where the value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// What the check is said of.
    pub(super) spot: Spot,
    /// Its position among the positional ones, counted from the last, which is 1; 0 for all others.
    pub(super) from_last: usize,
    /// What the annotation is said of.
    pub(super) subject: Subject,
}

/// The quick part of the check of one parameter or of the result.
pub(super) struct Guard {
    /// Static types whose exact instances pass; null behind the last one.
    exact: [*mut ffi::PyTypeObject; EXACT],
    /// A heap class whose exact instances pass while `alive` refers to it, or null.
    class: *mut ffi::PyTypeObject,
    /// The weak reference to it, owned by the plan, or null.
    alive: *mut ffi::PyObject,
    place: Place,
}

impl Guard {
    /// The quick part of the check of what stands at the place.
    pub(super) fn new(py: Python<'_>, check: &Check, place: Place) -> Guard {
        let mut guard =
            Guard { exact: [ptr::null_mut(); EXACT], class: ptr::null_mut(), alive: ptr::null_mut(), place };
        let mut types = Vec::new();
        check.exact_types(&mut types, py);
        for (slot, found) in guard.exact.iter_mut().zip(types) {
            *slot = found;
        }
        if let Some(class) = check.exact_class() {
            (guard.class, guard.alive) = (class.address(), class.weak_ptr());
        }
        guard
    }

    /// What the check is said of.
    pub(super) fn spot(&self) -> Spot {
        self.place.spot
    }

    /// The number of the parameter's variable.
    pub(super) fn variable(&self) -> usize {
        match self.place.spot {
            Spot::Argument(index) => index,
            Spot::Result | Spot::Yielded | Spot::Sent | Spot::Made => 0,
        }
    }

    /// Whether the value passes because of its exact static type.
    ///
    /// # Safety
    /// The value is alive.
    #[inline]
    pub(super) unsafe fn has_exact_type(&self, value: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's promise.
        self.place.subject == Subject::Value && self.exact.contains(&unsafe { ffi::Py_TYPE(value) })
    }

    /// Whether the value passes for another reason that is found quickly.
    ///
    /// # Safety
    /// The value is alive, and the frame runs the function whose parameter or result it is.
    pub(super) unsafe fn passes(
        &self,
        value: *mut ffi::PyObject,
        frame: RunningFrame,
        layout: &Layout,
    ) -> bool {
        // SAFETY: the caller's promise; `*args` is a tuple and `**kwargs` a dict.
        unsafe {
            match self.place.subject {
                Subject::Value => self.knows(value) || self.is_default(value, frame.function(layout), layout),
                Subject::Items if ffi::PyTuple_CheckExact(value) != 0 => {
                    object::tuple_items(layout, value).iter().all(|&item| self.knows(item))
                }
                Subject::Entries if ffi::PyDict_CheckExact(value) != 0 => ffi::PyDict_Size(value) == 0,
                Subject::Items | Subject::Entries => false,
            }
        }
    }

    /// Whether the value is an exact instance of a class that passes.
    unsafe fn knows(&self, value: *mut ffi::PyObject) -> bool {
        // SAFETY: the value is alive, and the plan keeps the weak reference alive.
        unsafe {
            let class = ffi::Py_TYPE(value);
            self.exact.contains(&class)
                || class == self.class && ffi::PyWeakref_GetObject(self.alive).cast() == class
        }
    }

    /// Whether the value is the parameter's default at present.
    unsafe fn is_default(
        &self,
        value: *mut ffi::PyObject,
        function: *mut ffi::PyObject,
        layout: &Layout,
    ) -> bool {
        if self.place.from_last == 0 {
            return false;
        }
        // SAFETY: a function has its defaults there, a tuple or null.
        unsafe {
            if ffi::Py_TYPE(function) as usize != cpython::running().function_type {
                return false;
            }
            let defaults: *mut ffi::PyObject = object::field(function, layout.function.defaults);
            if defaults.is_null() || ffi::PyTuple_CheckExact(defaults) == 0 {
                return false;
            }
            let defaults = object::tuple_items(layout, defaults);
            defaults
                .len()
                .checked_sub(self.place.from_last)
                .is_some_and(|position| defaults[position] == value)
        }
    }
}
