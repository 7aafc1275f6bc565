//! CPython as data and as names: the only place that knows one version from another.
//!
//! [`layout`] says where things stand in CPython's structs, [`symbols`] finds the functions outside the
//! stable ABI, [`check`] proves at import that both are right for the running interpreter. Nothing else
//! in this crate may be used before [`connect`] has succeeded.

pub mod attribute;
pub mod bound_super;
pub mod check;
pub mod class;
pub mod collector;
pub mod container;
pub mod descriptor;
pub mod frame;
pub mod function;
pub mod layout;
pub mod linked;
pub mod memory;
pub mod method;
pub mod module;
pub mod object;
pub mod objects;
pub mod opcode;
pub mod symbols;
pub mod thread;

use std::sync::OnceLock;

use pyo3::Python;
use pyo3::ffi;

pub use layout::Layout;
pub use symbols::Symbols;

/// The running interpreter, as far as it differs from version to version.
pub struct CPython {
    /// Where things stand.
    pub layout: &'static Layout,
    /// Functions outside the stable ABI.
    pub symbols: Symbols,
    /// The vectorcall function of every plain Python function.
    pub plain_vectorcall: ffi::vectorcallfunc,
    /// The address of the type of Python functions.
    pub function_type: usize,
    /// The address of the type of bound methods.
    pub method_type: usize,
    /// The address of the type of classes.
    pub class_type: usize,
    /// What its own kinds of classes are told by.
    pub kinds: attribute::Kinds,
}

static RUNNING: OnceLock<CPython> = OnceLock::new();

/// Finds out about the running interpreter and checks every assumption about it; the error says why
/// nothing can be compiled here.
///
/// # Errors
/// When the interpreter is unknown, a debug, free-threaded or sub-interpreter, or not laid out as told.
pub fn connect(py: Python<'_>) -> Result<&'static CPython, String> {
    if let Some(running) = RUNNING.get() {
        check::main_interpreter()?;
        return Ok(running);
    }
    let version = py.version_info();
    let layout = Layout::for_version(version.major, version.minor)
        .ok_or_else(|| format!("CPython {}.{} is not known", version.major, version.minor))?;
    check::build(py)?;
    check::main_interpreter()?;
    let symbols = Symbols::find(layout)?;
    let (plain_vectorcall, function_type, method_type) = check::layout(py, layout, &symbols)?;
    // SAFETY: the thread is attached.
    let kinds = unsafe { attribute::Kinds::find(layout, function_type) };
    let told = attribute::is_as_told(py, layout, &symbols, function_type);
    if !told.map_err(|error| format!("while probing the layout of attributes: {error}"))? {
        return Err("the layout of this interpreter's attributes is not as expected".to_owned());
    }
    Ok(RUNNING.get_or_init(|| CPython {
        layout,
        symbols,
        plain_vectorcall,
        function_type,
        method_type,
        class_type: (&raw mut ffi::PyType_Type) as usize,
        kinds,
    }))
}

/// The running interpreter.
///
/// # Panics
/// When [`connect`] has not succeeded, which the extension module does at import.
#[inline]
pub fn running() -> &'static CPython {
    RUNNING.get().expect("compiled code is loaded only after `connect`")
}
