//! Loads modules that were built ahead of time: the other end of `emit::object`'s `PyInit` functions.
//!
//! A built module executes its own source as bytecode, so that decorators, defaults, classes and
//! everything else are CPython's by construction; then each plain function that was compiled gets its
//! native entry. A function whose annotations are promises stays bytecode: its checks are made by the
//! decorator that the body calls. So does everything when the interpreter can't run compiled code.

use std::ffi::CString;
use std::ffi::c_int;
use std::ffi::c_void;
use std::path::Path;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::vectorcallfunc;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::types::PyTuple;

use crate::cpython;

use super::image::CAPSULE;
use super::image::Image;
use super::install;
use super::unit::LoadedUnit;
use super::unit::Source;

/// What the capsule points to; built modules call the first function.
#[repr(C)]
pub struct RuntimeTable {
    /// `(data, image, length of the image) -> module definition`, or null with an exception.
    pub load_module: unsafe extern "C" fn(*mut u64, *const u8, usize) -> *mut PyObject,
}

static TABLE: RuntimeTable = RuntimeTable { load_module };

/// How a function gets an entry where its own can't be replaced: a callable around it.
pub type Wrap = for<'py> fn(&Bound<'py, PyAny>, vectorcallfunc) -> PyResult<Bound<'py, PyAny>>;

static WRAP: OnceLock<Wrap> = OnceLock::new();

/// Units of built modules: they stay, because the code belongs to a shared object that is never unloaded.
static LOADED: Mutex<Vec<Loaded>> = Mutex::new(Vec::new());

struct Loaded {
    /// The address of the definition.
    definition: usize,
    unit: Forever,
    /// What stands for the unit's functions.
    callables: Vec<Py<PyAny>>,
}

struct Forever(Box<LoadedUnit>);

// SAFETY: the unit is used by attached threads only.
unsafe impl Send for Forever {}

/// Tells how to wrap functions on CPython 3.11; the first answer stays.
pub fn set_wrap(wrap: Wrap) {
    WRAP.get_or_init(|| wrap);
}

/// The capsule that built modules look for.
///
/// # Errors
/// When there is no memory.
pub fn capsule(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static NAME: OnceLock<CString> = OnceLock::new();
    let name = NAME.get_or_init(|| CString::new(CAPSULE).expect("the name has no null character"));
    // SAFETY: table and name are static.
    unsafe {
        let table = (&raw const TABLE).cast_mut().cast::<c_void>();
        Bound::from_owned_ptr_or_err(py, ffi::PyCapsule_New(table, name.as_ptr(), None))
    }
}

/// A module definition with what its execution needs; never freed, as CPython keeps definitions.
#[repr(C)]
struct BuiltDef {
    def: ffi::PyModuleDef,
    data: *mut u64,
    image: Image,
    name: CString,
    slots: [ffi::PyModuleDef_Slot; 3],
    /// The data holds one unit: a second import of the same shared object as another module runs as bytecode.
    used: AtomicBool,
    /// The code of the body, once it has run.
    code: OnceLock<Py<PyAny>>,
}

/// `Py_mod_multiple_interpreters`, which 3.12 added; its value 0 means that they are not supported.
const MULTIPLE_INTERPRETERS: c_int = 3;

/// Makes the definition of a built module; CPython creates the module from it and executes it.
///
/// # Safety
/// - The thread is attached.
/// - `data` is the module's own data, `image` its image of `length` bytes; both live for ever.
unsafe extern "C" fn load_module(data: *mut u64, image: *const u8, length: usize) -> *mut PyObject {
    // SAFETY: the caller's contract.
    let (py, bytes) = unsafe { (Python::assume_attached(), std::slice::from_raw_parts(image, length)) };
    match define(py, data, bytes) {
        // SAFETY: a leaked definition, initialised once.
        Ok(built) => unsafe { ffi::PyModuleDef_Init(&raw mut built.def) },
        Err(error) => {
            error.restore(py);
            std::ptr::null_mut()
        }
    }
}

fn define(py: Python<'_>, data: *mut u64, image: &[u8]) -> PyResult<&'static mut BuiltDef> {
    let image = Image::from_bytes(image).map_err(|error| PyImportError::new_err(error.to_string()))?;
    let version = py.version_info();
    if image.python != (version.major, version.minor) {
        let (major, minor) = image.python;
        let message = format!(
            "{} was built for CPython {major}.{minor}, this is {}",
            image.module,
            Python::version_str()
        );
        return Err(PyImportError::new_err(message));
    }
    let name = CString::new(image.module.as_str())?;
    let end = ffi::PyModuleDef_Slot::default();
    let execute = ffi::PyModuleDef_Slot { slot: ffi::Py_mod_exec, value: execute as *mut c_void };
    let one_interpreter = ffi::PyModuleDef_Slot { slot: MULTIPLE_INTERPRETERS, value: std::ptr::null_mut() };
    let slots = if version.minor < 12 {
        [execute, end, ffi::PyModuleDef_Slot::default()]
    } else {
        [execute, one_interpreter, end]
    };
    let built = Box::leak(Box::new(BuiltDef {
        def: ffi::PyModuleDef {
            m_base: ffi::PyModuleDef_HEAD_INIT,
            m_name: std::ptr::null(),
            m_doc: std::ptr::null(),
            m_size: 0,
            m_methods: std::ptr::null_mut(),
            m_slots: std::ptr::null_mut(),
            m_traverse: None,
            m_clear: None,
            m_free: None,
        },
        data,
        image,
        name,
        slots,
        used: AtomicBool::new(false),
        code: OnceLock::new(),
    }));
    built.def.m_name = built.name.as_ptr();
    built.def.m_slots = built.slots.as_mut_ptr();
    Ok(built)
}

unsafe extern "C" fn execute(module: *mut PyObject) -> c_int {
    // SAFETY: CPython calls this attached, with a module made from a definition of `define`.
    let (py, built) =
        unsafe { (Python::assume_attached(), &*ffi::PyModule_GetDef(module).cast::<BuiltDef>()) };
    // SAFETY: a live module, whose definition has no state.
    let module = unsafe {
        cpython::module::forget_execution(module);
        Bound::from_borrowed_ptr(py, module)
    };
    match run(built, &module) {
        Ok(()) => 0,
        Err(error) => {
            error.restore(py);
            -1
        }
    }
}

fn run(built: &BuiltDef, module: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = module.py();
    let builtins = py.import("builtins")?;
    let names = module.getattr("__dict__")?.cast_into::<PyDict>()?;
    names.set_item("__builtins__", &builtins)?;
    let code = code_of(built, module, &builtins)?;
    let is_compiled = adopt(module, &built.image.source, &code)?;
    builtins.call_method1("exec", (&code, &names))?;
    if !is_compiled || cpython::connect(py).is_err() {
        return Ok(());
    }
    if built.used.swap(true, Ordering::Relaxed) {
        bind_again(built, &names)
    } else {
        bind(built, &code, &names)
    }
}

/// The code of the module's body: a module that is executed again has functions with the same code.
fn code_of<'py>(
    built: &BuiltDef,
    module: &Bound<'py, PyAny>,
    builtins: &Bound<'py, PyModule>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = module.py();
    if let Some(code) = built.code.get() {
        return Ok(code.bind(py).clone());
    }
    let options = PyDict::new(py);
    options.set_item("dont_inherit", true)?;
    let file = source_path(module, &built.image.module)?;
    let code = builtins.call_method("compile", (&built.image.source, file, "exec"), Some(&options))?;
    Ok(built.code.get_or_init(|| code.unbind()).bind(py).clone())
}

/// Gives the module a loader that has its text; whether it is to run as machine code.
fn adopt(module: &Bound<'_, PyAny>, source: &str, code: &Bound<'_, PyAny>) -> PyResult<bool> {
    let package = module.py().import("castiron._built")?;
    package.call_method1("adopt", (module, source, code))?.extract()
}

/// Where the source text would stand, beside the shared object: what tracebacks show.
fn source_path(module: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let file: String = match module.getattr("__file__") {
        Ok(file) => file.extract()?,
        Err(_) => return Ok(format!("{last}.py")),
    };
    Ok(Path::new(&file).with_file_name(format!("{last}.py")).to_string_lossy().into_owned())
}

/// Gives the functions of the executed module their native entries.
fn bind(built: &BuiltDef, code: &Bound<'_, PyAny>, names: &Bound<'_, PyDict>) -> PyResult<()> {
    let py = names.py();
    let mut sources = Vec::new();
    let mut functions = Vec::new();
    for function in &built.image.meta.functions {
        let Some(code) = find_code(code, &function.name)? else {
            // Code and text don't agree: all of it stays bytecode.
            return Ok(());
        };
        let defined = names.get_item(&function.name)?.filter(|value| has_code(value, &code));
        functions.push(defined.filter(|_| !function.promised));
        sources.push(Source::Own { code: code.unbind(), promise: None });
    }
    let builtins = py.import("builtins")?.dict();
    // SAFETY: the interpreter is connected; the data is the module's own and used for the first time.
    let unit = unsafe { LoadedUnit::load(built.image.meta.clone(), built.data, names, &builtins, sources)? };
    let callables = install_all(&unit, names, functions)?;
    let definition = std::ptr::from_ref(built) as usize;
    let loaded = Loaded { definition, unit: Forever(unit), callables };
    LOADED.lock().unwrap_or_else(PoisonError::into_inner).push(loaded);
    Ok(())
}

/// The same where the module that the unit was loaded for has been executed again.
fn bind_again(built: &BuiltDef, names: &Bound<'_, PyDict>) -> PyResult<()> {
    let definition = std::ptr::from_ref(built) as usize;
    let unit: Option<*const LoadedUnit> = {
        let loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let found = loaded.iter().find(|loaded| loaded.definition == definition);
        found.map(|loaded| &raw const *loaded.unit.0)
    };
    let Some(unit) = unit else { return Ok(()) };
    // SAFETY: loaded units stay.
    let unit = unsafe { &*unit };
    if unit.globals() != names.as_ptr() {
        return Ok(());
    }
    let mut functions = Vec::new();
    for (function, loaded) in built.image.meta.functions.iter().zip(unit.functions()) {
        // SAFETY: the unit's code objects live as long as it does.
        let code = unsafe { Bound::from_borrowed_ptr(names.py(), loaded.code()) };
        let defined = names.get_item(&function.name)?.filter(|value| has_code(value, &code));
        functions.push(defined.filter(|_| !function.promised));
    }
    let callables = install_all(unit, names, functions)?;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = loaded.iter_mut().find(|loaded| loaded.definition == definition) {
        loaded.callables.extend(callables);
    }
    Ok(())
}

/// Makes these functions run their machine code; what stands for them now.
fn install_all(
    unit: &LoadedUnit,
    names: &Bound<'_, PyDict>,
    functions: Vec<Option<Bound<'_, PyAny>>>,
) -> PyResult<Vec<Py<PyAny>>> {
    let mut callables = Vec::new();
    for (number, function) in functions.into_iter().enumerate() {
        let Some(function) = function else { continue };
        let callable = install_one(unit, number, &function)?;
        if !callable.is(&function) {
            names.set_item(&unit.meta().functions[number].name, &callable)?;
        }
        callables.push(callable.unbind());
    }
    Ok(callables)
}

/// Makes the function run its machine code; the callable that does so now.
fn install_one<'py>(
    unit: &LoadedUnit,
    number: usize,
    function: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: unit and callable are both kept for ever, and the function's code is the unit's.
    unsafe {
        if cpython::running().symbols.watchers.is_some() {
            install::install(unit, number, function)?;
            return Ok(function.clone());
        }
        let Some(wrap) = WRAP.get() else { return Ok(function.clone()) };
        let callable = wrap(function, unit.entry(number))?;
        install::register(unit, number, callable.as_ptr());
        Ok(callable)
    }
}

/// The code object of this qualified name within a module's; none where there is not exactly one.
fn find_code<'py>(module: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let mut found = Vec::new();
    let mut waiting = vec![module.clone()];
    while let Some(code) = waiting.pop() {
        for constant in code.getattr("co_consts")?.cast_into::<PyTuple>()? {
            if constant.get_type().is(module.get_type()) {
                if constant.getattr("co_qualname")?.extract::<String>()? == name {
                    found.push(constant.clone());
                }
                waiting.push(constant);
            }
        }
    }
    Ok(if found.len() == 1 { found.pop() } else { None })
}

/// Whether the value is a plain function that runs this code.
fn has_code(value: &Bound<'_, PyAny>, code: &Bound<'_, PyAny>) -> bool {
    if value.get_type_ptr() as usize != cpython::running().function_type {
        return false;
    }
    // SAFETY: a live Python function.
    let fields = unsafe { cpython::function::fields(cpython::running().layout, value.as_ptr()) };
    fields.code == code.as_ptr()
}
