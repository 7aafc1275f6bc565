//! The PyO3 boundary: the extension module `castiron._castiron`. Conversions only; the work is done by
//! `driver`, `check` and `runtime`.

pub mod helpers;

use pyo3::prelude::*;

/// What `import castiron._castiron` runs.
#[pymodule]
fn _castiron(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(helpers::call_helper, module)?)?;
    crate::check::register(module)
}
