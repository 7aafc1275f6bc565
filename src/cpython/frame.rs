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
use super::running;

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

    /// What stands at a byte offset, as [`variable_offset`] gives it: [`RunningFrame::variable`] without its arithmetic.
    ///
    /// # Safety
    /// The code object has the variable.
    #[inline]
    #[must_use]
    pub unsafe fn variable_at(self, offset: i32) -> *mut ffi::PyObject {
        // SAFETY: the caller's promise.
        unsafe { field(self.0, offset) }
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

/// Where the variable of this number stands in a frame.
#[must_use]
pub fn variable_offset(layout: &Layout, number: usize) -> i32 {
    let words = i32::try_from(number).expect("code objects have fewer variables than 2**28");
    layout.frame.variables + 8 * words
}

/// How a thread state leads to its running frame, known when this is compiled: asking the layout costs as much
/// as a check.
pub trait Way {
    /// The innermost frame of the calling thread.
    ///
    /// # Safety
    /// As [`RunningFrame::innermost`]; the way is the running interpreter's, as [`by_way`] chooses it.
    unsafe fn innermost() -> RunningFrame;
}

/// By the pointer at this offset.
struct Direct<const AT: i32>;

/// By the pointer at the first offset, then the one at the second.
struct Through<const OUTER: i32, const INNER: i32>;

/// As the layout says.
struct Asked;

impl<const AT: i32> Way for Direct<AT> {
    #[inline]
    unsafe fn innermost() -> RunningFrame {
        // SAFETY: the caller's promise.
        unsafe { RunningFrame(field(ffi::PyThreadState_Get(), AT)) }
    }
}

impl<const OUTER: i32, const INNER: i32> Way for Through<OUTER, INNER> {
    #[inline]
    unsafe fn innermost() -> RunningFrame {
        // SAFETY: the caller's promise.
        unsafe { RunningFrame(field(field::<*const u8, _>(ffi::PyThreadState_Get(), OUTER), INNER)) }
    }
}

impl Way for Asked {
    #[inline]
    unsafe fn innermost() -> RunningFrame {
        // SAFETY: the caller's promise.
        unsafe { RunningFrame::innermost(running().layout) }
    }
}

/// What is compiled once for each way.
pub trait ByWay {
    /// What comes of it.
    type Made;

    /// Makes it for this way.
    fn made<W: Way>(self) -> Self::Made;
}

/// What is made for the way of the layout.
pub fn by_way<U: ByWay>(layout: &Layout, user: U) -> U::Made {
    match layout.thread.current_frame {
        CurrentFrame::Direct(72) => user.made::<Direct<72>>(),
        CurrentFrame::Through(56, 8) => user.made::<Through<56, 8>>(),
        CurrentFrame::Through(56, 0) => user.made::<Through<56, 0>>(),
        CurrentFrame::Direct(_) | CurrentFrame::Through(..) => user.made::<Asked>(),
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
