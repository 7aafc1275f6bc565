//! The PyO3 boundary: the extension module `castiron._castiron`. Conversions only; the work is done by
//! `driver`, `check` and `runtime`.

mod built;
mod callable;
mod classes;
mod commands;
mod compile;
mod enforced;
mod entry;
mod explain;
pub mod helpers;
mod imports;
mod jit;
mod loops;
mod methods;
mod nested;
mod record;
mod session;
mod stats;
mod text;
mod unit;
mod unsteady;

use pyo3::prelude::*;

use crate::runtime::loader;

/// What `import castiron._castiron` runs.
#[pymodule]
fn _castiron(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    session::start(py)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("FINGERPRINT", env!("CASTIRON_FINGERPRINT"))?;
    module.add("InternalError", py.get_type::<session::InternalError>())?;
    module.add_class::<built::BuiltFunctions>()?;
    module.add_class::<explain::Explanation>()?;
    module.add_class::<text::Text>()?;
    module.add_class::<imports::CodeGetter>()?;
    for function in [
        wrap_pyfunction!(built::awaits_promise, module)?,
        wrap_pyfunction!(built::bind_built, module)?,
        wrap_pyfunction!(built::keep_promise, module)?,
        wrap_pyfunction!(built::release_promise, module)?,
        wrap_pyfunction!(built::without_bets, module)?,
        wrap_pyfunction!(commands::build_text, module)?,
        wrap_pyfunction!(commands::check_text, module)?,
        wrap_pyfunction!(commands::dump_text, module)?,
        wrap_pyfunction!(commands::examine, module)?,
        wrap_pyfunction!(commands::is_whole, module)?,
        wrap_pyfunction!(explain::explain, module)?,
        wrap_pyfunction!(explain::is_compiled, module)?,
        wrap_pyfunction!(helpers::call_helper, module)?,
        wrap_pyfunction!(imports::bind_imported, module)?,
        wrap_pyfunction!(imports::compile_imports, module)?,
        wrap_pyfunction!(imports::import_counts, module)?,
        wrap_pyfunction!(imports::register_code, module)?,
        wrap_pyfunction!(jit::compile_now, module)?,
        wrap_pyfunction!(jit::is_jitted, module)?,
        wrap_pyfunction!(jit::is_native_callable, module)?,
        wrap_pyfunction!(jit::python_function, module)?,
        wrap_pyfunction!(jit::functions_have_entries, module)?,
        wrap_pyfunction!(jit::put_method, module)?,
        wrap_pyfunction!(jit::prepare, module)?,
        wrap_pyfunction!(jit::remember, module)?,
        wrap_pyfunction!(jit::switch_off, module)?,
        wrap_pyfunction!(jit::switch_on, module)?,
        wrap_pyfunction!(session::install_hooks, module)?,
        wrap_pyfunction!(stats::stats, module)?,
    ] {
        module.add_function(function)?;
    }
    module.add("_runtime", loader::capsule(py)?)?;
    crate::check::register(module)
}
