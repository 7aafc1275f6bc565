//! The runtime library: what compiled code calls, and what loads it.
//!
//! `table` declares the helpers, `data` and `meta` the words and facts that come with compiled code;
//! `unit` puts them together, `install` binds compiled functions to callables. The other modules are
//! the helpers by subject.

#[macro_use]
pub mod table;
pub mod attribute;
pub mod bind;
pub mod caches;
pub mod calls;
pub mod cells;
pub mod closures;
pub mod constants;
pub mod container;
pub mod data;
pub mod displays;
pub mod enter;
pub mod exceptions;
pub mod float;
pub mod formats;
mod frame_objects;
pub mod frames;
pub mod groups;
pub mod held;
pub mod image;
pub mod imports;
pub mod install;
pub mod int;
pub mod list;
pub mod loader;
pub mod loops;
pub mod meta;
mod names;
pub mod object;
pub mod patterns;
pub mod promise;
pub mod quiet;
pub mod resume;
pub mod sealed;
pub mod string;
pub mod traceback;
pub mod unit;
pub mod wide;

use pyo3::PyResult;
use pyo3::Python;

/// Prepares what the helpers need; [`crate::cpython::connect`] has succeeded before.
///
/// # Errors
/// When there is no memory.
pub fn start(py: Python<'_>) -> PyResult<()> {
    names::find(py);
    quiet::find(py)?;
    enter::prepare_poll(py)
}
