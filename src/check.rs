//! Enforcement: an annotation becomes a check plan once, and everything that enforces runs that plan.
//!
//! In: descriptions of annotations (`castiron._forms` makes them of what `castiron._hints` resolves), functions. Out: [`FunctionPlan`], which
//! answers the runtime's [`crate::runtime::promise::Promise`] for compiled code and makes the checker
//! objects that [`weave`] puts into bytecode.
//!
//! Invariants:
//! - A plan owns no class that could own the plan's function: code objects are invisible to the garbage
//!   collector, so such a cycle would live for ever. Heap classes are held weakly.
//! - Nothing is compared by a class' mere address: an address counts only while its class lives.
//! - Messages are made in one place, `castiron._errors`, whatever enforces; the Python side
//!   (`castiron._checks`) gives the same verdict on every description.

mod arguments;
pub mod arity;
pub mod call;
mod carrier;
mod checker;
pub mod class;
mod compile;
mod enforce;
mod frozen;
pub mod function;
mod generator;
mod guard;
mod hooks;
mod operator;
mod pending;
pub mod plan;
pub mod quick;
mod revive;
pub mod verdicts;
mod walk;
mod weave;

use pyo3::PyResult;
use pyo3::exceptions::PyImportError;
use pyo3::prelude::Bound;
use pyo3::prelude::PyModule;
use pyo3::prelude::PyModuleMethods;

pub use frozen::described::ConstructorDescription;
pub use frozen::described::Description;
pub use frozen::described::FieldDescription;
pub use frozen::described::attribute;
pub use frozen::described::describe;
pub use frozen::described::is_part;
pub use frozen::described::subclasses;
pub use frozen::layout::put_part;
pub use function::Enforcement;
pub use function::FunctionPlan;
pub use function::unchecked;
pub use plan::Plan;

use crate::cpython;

/// Adds what `castiron._typed` and `castiron._weave` use to the extension module.
///
/// # Errors
/// When the frames of this interpreter are not known: a failed check could not tell whose it is.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    cpython::connect(module.py()).map_err(PyImportError::new_err)?;
    module.add_class::<FunctionPlan>()?;
    module.add_function(pyo3::wrap_pyfunction!(hooks::install_enforcement, module)?)?;
    module.add_function(pyo3::wrap_pyfunction!(carrier::set_code, module)?)?;
    module.add_function(pyo3::wrap_pyfunction!(weave::insert_checks, module)?)?;
    module.add_function(pyo3::wrap_pyfunction!(frozen::cannot_seal, module)?)?;
    module.add_function(pyo3::wrap_pyfunction!(frozen::seal, module)?)?;
    module.add_class::<revive::Revived>()?;
    module.add_function(pyo3::wrap_pyfunction!(revive::install_revival, module)?)?;
    frozen::register();
    checker::register(module)
}
