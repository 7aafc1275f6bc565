//! `compile_imports`: functions of imported modules get machine code without a decorator.
//!
//! In: the code object of a module that is about to run, and which of its functions are worth it. On CPython 3.12 and
//! later a function watcher gives each function that is made of such code an entry of its own, before anybody else sees
//! the function; on 3.11 an innermost decorator does ([`bind_imported`]), and compiled code where it makes functions.
//! The first calls come here: the text is proved, the function prepared as `jit` does it, without promises.
//!
//! Invariant: while a function is prepared, its thread runs the bytecode of all others that wait for it.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::ffi::vectorcallfunc;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::types::PyTuple;
use rustc_hash::FxHashMap;

use crate::cpython::function::fields;
use crate::cpython::function::swap_version_of_code;
use crate::cpython::object::type_of;
use crate::cpython::running;
use crate::driver::Force;
use crate::runtime::closures;
use crate::runtime::enter;
use crate::runtime::install;

use super::callable;
use super::entry;
use super::jit;
use super::record;
use super::record::State;
use super::session;
use super::text::Text;

/// How often a function without loops is called before it is compiled.
const CALLS_BEFORE: u32 = 16;

/// A code object of an imported module.
struct Known {
    /// Keeps the address from being used again.
    code: Py<PyAny>,
    /// The version that it gave to functions.
    version: u32,
    /// Whether functions of it may be compiled; else they are only counted.
    is_chosen: bool,
    /// Whether others may call a specialised body of such a function.
    has_body: bool,
    /// How many calls are left that run bytecode in any case.
    wait: u32,
    /// How often it was called as bytecode.
    bytecode_calls: u64,
    /// Whether a function of it was compiled.
    is_native: bool,
}

static KNOWN: Mutex<Option<FxHashMap<usize, Known>>> = Mutex::new(None);

/// `prove(function)`: the text that made it, or why there is none.
static PROVE: OnceLock<Py<PyAny>> = OnceLock::new();

thread_local! {
    static PREPARES: Cell<bool> = const { Cell::new(false) };
}

fn known() -> MutexGuard<'static, Option<FxHashMap<usize, Known>>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with_known<R>(code: usize, use_it: impl FnOnce(&mut Known) -> R) -> Option<R> {
    known().as_mut()?.get_mut(&code).map(use_it)
}

/// Has functions of registered code compiled from now on; `prove` gives a function's text or says why it has none.
#[pyfunction]
pub(super) fn compile_imports(prove: Py<PyAny>) -> PyResult<()> {
    session::session().map_err(PyRuntimeError::new_err)?;
    PROVE.get_or_init(|| prove);
    if entry::functions_have_entries() {
        if !install::is_watching() {
            return Err(PyRuntimeError::new_err("functions of this interpreter can't be watched"));
        }
        install::watch_creation(created);
    } else {
        closures::set_on_creation(bind_made);
    }
    Ok(())
}

/// Registers the functions below a module's code: `chosen` names them as `Text.functions` does.
#[pyfunction]
pub(super) fn register_code(
    code: &Bound<'_, PyAny>,
    chosen: Vec<(String, u32, bool, bool, bool)>,
) -> PyResult<()> {
    let forced = session::session().is_ok_and(|session| session.force != Force::Nothing);
    let rows: FxHashMap<(String, u32), [bool; 3]> = chosen
        .into_iter()
        .map(|(name, line, is_chosen, has_loop, has_body)| ((name, line), [is_chosen, has_loop, has_body]))
        .collect();
    let mut pending = vec![code.clone()];
    while let Some(module) = pending.pop() {
        for constant in module.getattr(intern!(code.py(), "co_consts"))?.cast_into::<PyTuple>()? {
            if !constant.get_type().is(code.get_type()) {
                continue;
            }
            let name: String = constant.getattr(intern!(code.py(), "co_qualname"))?.extract()?;
            let line: u32 = constant.getattr(intern!(code.py(), "co_firstlineno"))?.extract()?;
            if let Some(&[is_chosen, has_loop, has_body]) = rows.get(&(name, line))
                && (is_chosen || counts_bytecode())
            {
                let wait = if has_loop || forced { 0 } else { CALLS_BEFORE };
                register(&constant, is_chosen, (has_body, wait));
            }
            pending.push(constant);
        }
    }
    Ok(())
}

fn register(code: &Bound<'_, PyAny>, is_chosen: bool, (has_body, wait): (bool, u32)) {
    let mut known = known();
    let known = known.get_or_insert_default();
    known.entry(code.as_ptr() as usize).or_insert_with(|| {
        // SAFETY: a live code object.
        let version = unsafe { swap_version_of_code(running().layout, code.as_ptr(), 0) };
        let code = code.clone().unbind();
        Known { code, version, is_chosen, has_body, wait, bytecode_calls: 0, is_native: false }
    });
}

/// Gives the code object its version back: functions of it stay bytecode.
fn forget(code: usize) {
    let version = with_known(code, |known| {
        known.is_chosen = false;
        known.version
    });
    if let Some(version) = version.filter(|_| !counts_bytecode()) {
        // SAFETY: the table keeps the code object alive, and the version is its own.
        unsafe { swap_version_of_code(running().layout, code as *mut ffi::PyObject, version) };
    }
}

/// Whether calls of functions that stay bytecode are counted.
fn counts_bytecode() -> bool {
    entry::functions_have_entries() && session::session().is_ok_and(|session| session.force != Force::Nothing)
}

fn code_of(function: *mut ffi::PyObject) -> usize {
    // SAFETY: the callers pass live functions, which always have a code object.
    unsafe { fields(running().layout, function).code as usize }
}

/// A function was made.
unsafe fn created(function: *mut ffi::PyObject) {
    if with_known(code_of(function), |_| ()).is_some() {
        // SAFETY: a live function; the entry is always valid.
        unsafe { entry::put(function, import_entry) };
    }
}

/// What takes the place of a function that compiled code made, on CPython 3.11.
fn bind_made<'py>(function: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let is_chosen = with_known(code_of(function.as_ptr()), |known| known.is_chosen).unwrap_or_default();
    if is_chosen && !jit::is_bound_by_class(&function)? {
        return callable::wrap(&function, import_entry);
    }
    Ok(function)
}

/// The innermost decorator of functions of imported modules on CPython 3.11.
#[pyfunction]
pub(super) fn bind_imported(function: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    bind_made(function)
}

/// Calls of the code objects that were registered: how many there are, how many were entered, how many of those as machine
/// code, calls that ran machine code and calls that ran bytecode.
#[pyfunction]
pub(super) fn import_counts(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let mut native_calls = 0;
    for (_, record) in record::all() {
        native_calls += record.calls.load(std::sync::atomic::Ordering::Relaxed);
        if matches!(record.state(), State::Native(..)) {
            // Many are compiled with one that was called.
            with_known(record.code(py).as_ptr() as usize, |known| known.is_native = true);
        }
    }
    let (mut entered, mut native, mut bytecode_calls, mut stayed) = (0_u64, 0_u64, 0_u64, Vec::new());
    let defined = known().as_ref().map_or(0, FxHashMap::len);
    for known in known().iter().flat_map(FxHashMap::values) {
        entered += u64::from(known.is_native || known.bytecode_calls > 0);
        native += u64::from(known.is_native);
        bytecode_calls += known.bytecode_calls;
        if !known.is_native && known.bytecode_calls > 0 {
            stayed.push(known.code.clone_ref(py));
        }
    }
    let counts = PyDict::new(py);
    counts.set_item("defined", defined)?;
    counts.set_item("entered", entered)?;
    counts.set_item("native", native)?;
    counts.set_item("native_calls", native_calls)?;
    counts.set_item("bytecode_calls", bytecode_calls)?;
    counts.set_item("stayed", stayed)?;
    Ok(counts)
}

/// The entry of a function of an imported module that was not compiled yet.
///
/// # Safety
/// As every vectorcall function; the callable is a function of registered code, or stands for one.
unsafe extern "C" fn import_entry(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the thread is attached and the callable is live while it is called.
    unsafe {
        let py = Python::assume_attached();
        let function = install::function_of(callable);
        let code = code_of(function);
        let is_due = with_known(code, |known| {
            let is_due = known.is_chosen && known.wait == 0 && !PREPARES.get() && !enter::is_switched_off();
            known.wait = known.wait.saturating_sub(1);
            known.bytecode_calls += u64::from(!is_due);
            is_due
        });
        if is_due == Some(true) {
            let bound = Bound::from_borrowed_ptr(py, callable);
            // What PyO3 does not know to be attached drops its references some time later.
            match catch_unwind(AssertUnwindSafe(|| Python::attach(|_| adopt(&bound, code)))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) if session::is_strict() => {
                    error.restore(py);
                    return std::ptr::null_mut();
                }
                Ok(Err(_)) | Err(_) => stay_bytecode(callable, code),
            }
            let now = entry::get(callable);
            if !std::ptr::fn_addr_eq(now, import_entry as vectorcallfunc) {
                return now(callable, args, nargsf, names);
            }
        } else if is_due.is_none() {
            entry::put_plain(callable);
        }
        enter::call_plain(function, args, nargsf, names)
    }
}

/// Leaves a function to the interpreter.
fn stay_bytecode(callable: *mut ffi::PyObject, code: usize) {
    forget(code);
    if !counts_bytecode() {
        // SAFETY: a live callable.
        unsafe { entry::put_plain(callable) };
    }
}

/// While it lives, the thread runs the bytecode of all functions that wait.
struct Preparing(bool);

impl Preparing {
    fn begin() -> Preparing {
        Preparing(PREPARES.replace(true))
    }
}

impl Drop for Preparing {
    fn drop(&mut self) {
        PREPARES.set(self.0);
    }
}

/// Whether the callable is a function of an imported module that was not compiled yet, may be, and then has a body that
/// others may call.
pub(super) fn may_have_body(callable: &Bound<'_, PyAny>) -> bool {
    // SAFETY: only functions and native callables have an entry, and only those have this one.
    unsafe {
        let class = type_of(callable.as_ptr()) as usize;
        if class != running().function_type && !callable::is_native(callable.as_ptr()) {
            return false;
        }
        let now = entry::get(callable.as_ptr());
        std::ptr::fn_addr_eq(now, import_entry as vectorcallfunc)
            && with_known(code_of(install::function_of(callable.as_ptr())), |known| {
                known.is_chosen && known.has_body
            }) == Some(true)
    }
}

/// Has such a function wait for its code, as if it had been called often enough.
pub(super) fn prepare(callable: &Bound<'_, PyAny>) -> PyResult<()> {
    // SAFETY: a function of registered code, or what stands for one.
    let code = unsafe { code_of(install::function_of(callable.as_ptr())) };
    let _preparing = Preparing::begin();
    if !prepared(callable)? {
        stay_bytecode(callable.as_ptr(), code);
    }
    Ok(())
}

/// Prepares and compiles a function; it stays bytecode where that fails.
fn adopt(callable: &Bound<'_, PyAny>, code: usize) -> PyResult<()> {
    let _preparing = Preparing::begin();
    if prepared(callable)? {
        jit::compile_now(callable)?;
        let is_native = jit::is_native(callable);
        with_known(code, |known| known.is_native |= is_native);
        if is_native || jit::is_jitted(callable) {
            return Ok(());
        }
    }
    stay_bytecode(callable.as_ptr(), code);
    Ok(())
}

/// Proves the text of a function and has it wait for its code; false where it has none.
fn prepared(callable: &Bound<'_, PyAny>) -> PyResult<bool> {
    let function = entry::function_of(callable);
    let py = function.py();
    let prove = PROVE.get().expect("code is registered by what sets it");
    let text = prove.bind(py).call1((&function,))?;
    match text.cast_into::<Text>() {
        Ok(text) => Ok(jit::prepared(callable, &text, None)?.is_some()),
        Err(reason) => {
            jit::remember(callable, reason.into_inner().extract()?)?;
            Ok(false)
        }
    }
}

/// A loader's `get_code` for one call, without a frame of its own.
#[pyclass(frozen, module = "castiron._castiron")]
pub(super) struct CodeGetter {
    loader: Py<PyAny>,
    /// `register(loader, code)`: gives the code to run.
    register: Py<PyAny>,
}

#[pymethods]
impl CodeGetter {
    #[new]
    fn new(loader: Py<PyAny>, register: Py<PyAny>) -> CodeGetter {
        CodeGetter { loader, register }
    }

    fn __call__<'py>(&self, py: Python<'py>, name: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let loader = self.loader.bind(py);
        let own = loader.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        if own.contains("get_code")? {
            own.del_item("get_code")?;
        }
        let code = loader.call_method1(intern!(py, "get_code"), (name,))?;
        self.register.bind(py).call1((loader, code))
    }
}
