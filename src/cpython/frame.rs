//! The frame that runs.
//!
//! `sys._getframe` and `PyEval_GetFrame` pass over a frame that has not reached its first traceable
//! instruction; the thread state does not.

use pyo3::PyResult;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::types::PyCFunction;
use pyo3::types::PyDict;
use pyo3::types::PyDictMethods;
use pyo3::types::PyTuple;

use super::layout::CurrentFrame;
use super::layout::Layout;
use super::object::field;

/// A frame of the interpreter, while it runs.
#[derive(Clone, Copy)]
pub struct RunningFrame(*const u8);

impl RunningFrame {
    /// The innermost frame of the calling thread.
    ///
    /// # Safety
    /// - The thread is attached, and the layout is the running interpreter's.
    /// - The caller is called by an instruction of that frame, so that there is one; the value is not used
    ///   after the return to it.
    #[inline]
    #[must_use]
    pub unsafe fn innermost(layout: &Layout) -> RunningFrame {
        // SAFETY: the offsets are those of the running version.
        unsafe {
            let thread = ffi::PyThreadState_Get();
            RunningFrame(match layout.thread.current_frame {
                CurrentFrame::Direct(offset) => field(thread, offset),
                CurrentFrame::Through(outer, inner) => field(field::<*const u8, _>(thread, outer), inner),
            })
        }
    }

    /// The function that runs, borrowed.
    #[inline]
    #[must_use]
    pub fn function(self, layout: &Layout) -> *mut ffi::PyObject {
        // SAFETY: the frame runs, and keeps its function alive.
        unsafe { field(self.0, layout.frame.function) }
    }

    /// The value of a variable, borrowed; null while it is unbound, a cell if it is captured.
    ///
    /// # Safety
    /// The code object has a variable of that number.
    #[inline]
    #[must_use]
    pub unsafe fn variable(self, layout: &Layout, number: usize) -> *mut ffi::PyObject {
        // SAFETY: the variables stand one after another.
        unsafe {
            let variables = self.0.offset(layout.frame.variables as isize).cast::<*mut ffi::PyObject>();
            *variables.add(number)
        }
    }
}

/// Whether a native function called by the probe `call` sees its caller's function and variable.
pub(super) fn is_as_told(layout: &'static Layout, space: &Bound<'_, PyDict>) -> PyResult<bool> {
    let py = space.py();
    let look = move |_: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> (usize, usize) {
        // SAFETY: `call` calls this, and its parameter is its first variable. What is read is only compared.
        unsafe {
            let frame = RunningFrame::innermost(layout);
            (frame.function(layout) as usize, frame.variable(layout, 0) as usize)
        }
    };
    let look = PyCFunction::new_closure(py, None, None, look)?;
    let call: Bound<'_, PyAny> =
        space.get_item("call")?.ok_or_else(|| PyRuntimeError::new_err("the probe defines a function"))?;
    let (function, variable): (usize, usize) = call.call1((&look,))?.extract()?;
    Ok(function == call.as_ptr() as usize && variable == look.as_ptr() as usize)
}
