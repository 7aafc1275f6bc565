//! The frame that runs.

use pyo3::PyResult;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::Python;

use super::layout::CurrentFrame;
use super::object::field;

/// The function that the calling thread's innermost Python frame runs, also before its first traceable
/// instruction, where `sys._getframe` does not see it.
///
/// # Safety
/// The caller is called by an instruction of that frame, so that there is one and it is the interpreter's.
pub unsafe fn running_function(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let layout = super::running().layout;
    // SAFETY: the offsets are those of the running version; a frame keeps its function alive.
    unsafe {
        let thread = ffi::PyThreadState_Get();
        let frame: *const u8 = match layout.thread.current_frame {
            CurrentFrame::Direct(offset) => field(thread, offset),
            CurrentFrame::Through(outer, inner) => field(field::<*const u8, _>(thread, outer), inner),
        };
        let function: *mut ffi::PyObject = field(frame, layout.frame.function);
        Bound::from_borrowed_ptr_or_err(py, function)
    }
}
