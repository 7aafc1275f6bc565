//! What makes a check pass at once, without looking at its plan.
//!
//! A guard never refuses: a value that it does not know is the plan's to judge. It runs no Python code and
//! owns nothing; the plan keeps alive what it points to.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::Python;

use super::plan::Check;
use super::quick::Quick;
use crate::cpython;
use crate::cpython::frame::RunningFrame;
use crate::cpython::layout::Layout;
use crate::cpython::object;

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
    /// Whether the variable is a cell, shared with inner functions.
    pub(super) is_cell: bool,
}

/// The quick part of the check of one spot.
pub(super) struct Guard {
    quick: Quick,
    place: Place,
}

impl Guard {
    /// The quick part of the check of what stands at the place.
    pub(super) fn new(py: Python<'_>, check: &Check, place: Place) -> Guard {
        Guard { quick: Quick::of(check, py), place }
    }

    /// What the check is said of.
    pub(super) fn spot(&self) -> Spot {
        self.place.spot
    }

    /// The value of the parameter in the frame that runs the function, borrowed; null while it is unbound.
    ///
    /// # Safety
    /// The guard is a parameter's, the frame runs its function, and its cells have been made.
    #[inline]
    pub(super) unsafe fn read(&self, frame: RunningFrame, layout: &Layout) -> *mut ffi::PyObject {
        let index = match self.place.spot {
            Spot::Argument(index) => index,
            Spot::Result | Spot::Yielded | Spot::Sent | Spot::Made => 0,
        };
        // SAFETY: the caller's promise.
        unsafe {
            let value = frame.variable(layout, index);
            if self.place.is_cell { object::field(value, layout.container.cell) } else { value }
        }
    }

    /// The two static types whose exact instances are likeliest to come, null where there are fewer.
    pub(super) fn likeliest(&self) -> [*mut ffi::PyTypeObject; 2] {
        if self.place.subject == Subject::Value { self.quick.likeliest() } else { [ptr::null_mut(); 2] }
    }

    /// Whether the value passes at once, whatever the function's defaults are.
    ///
    /// # Safety
    /// The value is alive, and the parameter's or result's.
    #[inline]
    pub(super) unsafe fn knows(&self, value: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's promise.
        self.place.subject == Subject::Value && unsafe { self.quick.knows(value) }
    }

    /// Remembers the class of a value that has passed its check, if that alone decided.
    ///
    /// # Safety
    /// The value is alive, and the thread is attached; the guard was made of this check.
    pub(super) unsafe fn learn(&self, check: &Check, value: *mut ffi::PyObject) {
        if self.place.subject == Subject::Value {
            // SAFETY: the caller's promise.
            unsafe { self.quick.learn(check, value) };
        }
    }

    /// Whether the value, which [`Guard::knows`] does not, passes for another reason that is found quickly.
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
                Subject::Value => self.is_default(value, frame.function(layout), layout),
                Subject::Items if ffi::PyTuple_CheckExact(value) != 0 => {
                    object::tuple_items(layout, value).iter().all(|&item| self.quick.knows(item))
                }
                Subject::Entries if ffi::PyDict_CheckExact(value) != 0 => ffi::PyDict_Size(value) == 0,
                Subject::Items | Subject::Entries => false,
            }
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
