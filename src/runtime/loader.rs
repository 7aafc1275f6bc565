//! Loads modules that were built ahead of time: the other end of `emit::object`'s `PyInit` functions.
//!
//! A built module executes its own source as bytecode, so that decorators, defaults, classes and everything else are
//! CPython's by construction; each function that a `def` of it makes gets its native entry before anybody sees the
//! function ([`functions`]). A function whose annotations are promises gets it when the decorator that enforces them
//! asks for it. When the interpreter can't run compiled code, all of it stays bytecode.

use std::ffi::CString;
use std::ffi::c_int;
use std::ffi::c_void;
use std::path::Path;
use std::sync::OnceLock;

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::cpython;

use super::image::Body;
use super::image::CAPSULE;
use super::image::Image;

pub mod file;
pub mod functions;
mod machine;

/// What the capsule points to; built modules call the first function.
#[repr(C)]
pub struct RuntimeTable {
    /// `(data, image, length of the image) -> module definition`, or null with an exception.
    pub load_module: unsafe extern "C" fn(*mut u64, *const u8, usize) -> *mut PyObject,
}

static TABLE: RuntimeTable = RuntimeTable { load_module };

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
    /// The code of the body, once it has run: a module that is executed again has functions with the same code.
    body: OnceLock<Py<PyAny>>,
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
    file::verify(data)?;
    let image = Image::from_bytes(image).map_err(|error| PyImportError::new_err(error.to_string()))?;
    machine::verify(&image.module, &image.features)?;
    let version = py.version_info();
    if image.python != (version.major, version.minor) {
        let (major, minor) = image.python;
        let message = format!(
            "{} was built for CPython {major}.{minor}, this is {}.{}: build it again with this one, or with --python {}.{}",
            image.module, version.major, version.minor, version.major, version.minor
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
        body: OnceLock::new(),
    }));
    built.def.m_name = built.name.as_ptr();
    built.def.m_slots = built.slots.as_mut_ptr();
    Ok(built)
}

/// A built module that is no module of its own: its functions are those of another one.
pub struct Functions {
    built: &'static BuiltDef,
}

// SAFETY: definitions are not changed once they are made, and used by attached threads only.
unsafe impl Send for Functions {}
// SAFETY: as above.
unsafe impl Sync for Functions {}

impl Functions {
    /// Maps the shared object of a module of this name.
    ///
    /// # Errors
    /// When the file is damaged, can't be mapped, or is for another interpreter or machine.
    pub fn map(path: &str, module: &str) -> PyResult<Functions> {
        let definition = file::map(path, &init_symbol(module))?;
        // SAFETY: the file is whole, so its function gave what `define` made.
        Ok(Functions { built: unsafe { &*definition.cast::<BuiltDef>() } })
    }

    /// The image of the module.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.built.image
    }

    /// Has functions that are made of code below the body's, with these global names, run their machine code.
    ///
    /// # Errors
    /// When there is no memory.
    ///
    /// # Safety
    /// [`cpython::connect`] has succeeded; the body is that of the module's text.
    pub unsafe fn load(&self, body: &Bound<'_, PyAny>, names: &Bound<'_, PyDict>) -> PyResult<()> {
        if self.built.image.asserts != asserts(names.py())? {
            return Ok(());
        }
        // SAFETY: the caller's contract; the data is the shared object's own.
        unsafe { functions::load(&self.built.image, self.built.data, body, names) }
    }
}

/// The name of the function that Python calls to load a module.
#[must_use]
pub fn init_symbol(module: &str) -> String {
    let last = module.rsplit('.').next().unwrap_or(module);
    format!("PyInit_{last}")
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

fn run(built: &'static BuiltDef, module: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = module.py();
    let names = module.getattr("__dict__")?.cast_into::<PyDict>()?;
    let package = py.import("castiron._built")?;
    let path = source_path(module, &built.image.module)?;
    let text = body_of(py, &built.image);
    let parts = (module, &text, &path, built.image.is_enforced);
    let is_compiled: bool = package.call_method1("adopt", parts)?.extract()?;
    let is_compiled = is_compiled && built.image.asserts == asserts(py)?;
    let body = if let Some(body) = built.body.get() {
        body.bind(py).clone()
    } else {
        let bound = if is_compiled { functions::to_bind(&built.image) } else { Vec::new() };
        let parts = (&text, path, bound, built.image.is_enforced);
        let made = package.call_method1("body", parts)?;
        built.body.get_or_init(|| made.unbind()).bind(py).clone()
    };
    if is_compiled && cpython::connect(py).is_ok() {
        // SAFETY: the interpreter is connected, and the data is the module's own.
        unsafe { functions::load(&built.image, built.data, &body, &names)? };
    }
    py.import("builtins")?.call_method1("exec", (body, names)).map(drop)
}

/// What the body is made from: a str, or bytes in its place.
fn body_of<'py>(py: Python<'py>, image: &Image) -> Bound<'py, PyAny> {
    match &image.body {
        Body::Text(text) => PyString::new(py, text).into_any(),
        Body::Code(code) => PyBytes::new(py, code).into_any(),
    }
}

/// Whether assertions are tested in this interpreter.
fn asserts(py: Python<'_>) -> PyResult<bool> {
    Ok(py.import("sys")?.getattr("flags")?.getattr("optimize")?.extract::<i32>()? == 0)
}

/// Where the source text would stand, beside the shared object: what tracebacks show. That of a package is an
/// `__init__`, as its shared object is.
fn source_path(module: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let file: String = match module.getattr("__file__") {
        Ok(file) => file.extract()?,
        Err(_) => return Ok(format!("{last}.py")),
    };
    let path = Path::new(&file);
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = if file_name.starts_with("__init__.") { "__init__" } else { last };
    Ok(path.with_file_name(format!("{stem}.py")).to_string_lossy().into_owned())
}
