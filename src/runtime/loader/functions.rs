//! The functions of built modules: which code object has machine code, and how a function gets it.
//!
//! On CPython 3.12 and later a function watcher gives each function that is made of such code its entry; on 3.11 an
//! innermost decorator does ([`bind`]), and compiled code where it makes functions. A function whose annotations are
//! promises waits for [`keep_promise`].
//!
//! Units of built modules stay for ever, because their code belongs to shared objects that are never unloaded.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;

use pyo3::ffi::PyObject;
use pyo3::ffi::vectorcallfunc;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::types::PyTuple;
use rustc_hash::FxHashMap;

use crate::cpython::function::fields;
use crate::cpython::function::swap_version_of_code;
use crate::cpython::running;
use crate::runtime::cells;
use crate::runtime::closures;
use crate::runtime::image::Image;
use crate::runtime::install;
use crate::runtime::meta::FunctionMeta;
use crate::runtime::promise::Promise;
use crate::runtime::unit::LoadedUnit;
use crate::runtime::unit::Source;

/// How a function gets an entry where its own can't be replaced: a callable around it.
pub type Wrap = for<'py> fn(&Bound<'py, PyAny>, vectorcallfunc) -> PyResult<Bound<'py, PyAny>>;

static WRAP: OnceLock<Wrap> = OnceLock::new();

/// A code object of a built module that has machine code.
#[derive(Clone, Copy)]
struct Known {
    unit: *const LoadedUnit,
    number: usize,
}

// SAFETY: the unit lives for ever and is used by attached threads only.
unsafe impl Send for Known {}

/// What is known of built modules.
#[derive(Default)]
struct Built {
    /// By the address of the code object, which its unit owns.
    codes: FxHashMap<usize, Known>,
    /// By the address of the data, which holds one unit: the module that has it. A second import of the same shared
    /// object as another module runs as bytecode.
    units: FxHashMap<usize, BuiltUnit>,
}

/// A module's unit.
#[derive(Clone, Copy)]
struct BuiltUnit {
    unit: *const LoadedUnit,
    image: &'static Image,
}

// SAFETY: as above; images are plain data.
unsafe impl Send for BuiltUnit {}

static BUILT: Mutex<Option<Built>> = Mutex::new(None);

fn built() -> MutexGuard<'static, Option<Built>> {
    BUILT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells how to wrap functions on CPython 3.11; the first answer stays.
pub fn set_wrap(wrap: Wrap) {
    WRAP.get_or_init(|| wrap);
}

/// Names and first lines of the functions that get their entries from a decorator.
#[must_use]
pub fn to_bind(image: &Image) -> Vec<(&str, u32)> {
    let functions = image.meta.functions.iter().zip(&image.lines);
    let unpromised = functions.filter(|(function, _)| !function.promised);
    unpromised.map(|(function, &line)| (function.name.as_str(), line)).collect()
}

/// Makes the functions of a module that is about to run known, unless its data are in use already.
///
/// # Errors
/// When there is no memory.
///
/// # Safety
/// [`crate::cpython::connect`] has succeeded; the data are those of the image's shared object.
pub(super) unsafe fn load(
    image: &'static Image,
    data: *mut u64,
    body: &Bound<'_, PyAny>,
    names: &Bound<'_, PyDict>,
) -> PyResult<()> {
    let py = names.py();
    if built().get_or_insert_default().units.contains_key(&(data as usize)) || !watch() {
        return Ok(());
    }
    let codes = codes_below(body)?;
    let mut sources = Vec::new();
    for (function, &line) in image.meta.functions.iter().zip(&image.lines) {
        let code = codes.get(&(function.name.clone(), line)).cloned().flatten();
        sources.push(match code {
            Some(code) if fits(&code, function)? => Source::Own { code: code.unbind(), promise: None },
            Some(_) | None => Source::Absent,
        });
    }
    let builtins = py.import(intern!(py, "builtins"))?.dict();
    // SAFETY: the caller's contract; the data is used for the first time, and the unit stays for ever.
    let unit: &'static LoadedUnit =
        unsafe { Box::leak(LoadedUnit::load(image.meta.clone(), data, names, &builtins, sources)?) };
    let mut built = built();
    let built = built.get_or_insert_default();
    built.units.insert(data as usize, BuiltUnit { unit, image });
    for (number, function) in unit.functions().iter().enumerate() {
        let code = function.code();
        if !code.is_null() {
            // SAFETY: the unit owns the code object.
            unsafe { swap_version_of_code(running().layout, code, 0) };
            built.codes.insert(code as usize, Known { unit, number });
        }
    }
    Ok(())
}

/// Has functions seen when they are made; false where the process has no watcher left.
fn watch() -> bool {
    if running().symbols.watchers.is_none() {
        closures::set_on_creation(bind);
        return WRAP.get().is_some();
    }
    if !install::is_watching() {
        return false;
    }
    install::watch_creation(created);
    true
}

/// Every code object below a module's by its name and first line; none in the place of several.
type Codes<'py> = FxHashMap<(String, u32), Option<Bound<'py, PyAny>>>;

fn codes_below<'py>(body: &Bound<'py, PyAny>) -> PyResult<Codes<'py>> {
    let py = body.py();
    let mut found = Codes::default();
    let mut waiting = vec![body.clone()];
    while let Some(code) = waiting.pop() {
        for constant in code.getattr(intern!(py, "co_consts"))?.cast_into::<PyTuple>()? {
            if constant.get_type().is(body.get_type()) {
                let name = constant.getattr(intern!(py, "co_qualname"))?.extract()?;
                let line = constant.getattr(intern!(py, "co_firstlineno"))?.extract()?;
                let place = found.entry((name, line)).or_insert_with(|| Some(constant.clone()));
                if place.as_ref().is_some_and(|other| !other.is(&constant)) {
                    *place = None;
                }
                waiting.push(constant);
            }
        }
    }
    Ok(found)
}

/// Whether the machine code is that of the code object.
fn fits(code: &Bound<'_, PyAny>, function: &FunctionMeta) -> PyResult<bool> {
    let arguments: usize = code.getattr(intern!(code.py(), "co_argcount"))?.extract()?;
    Ok(arguments + function.keyword_only >= function.params.len()
        && closures::mismatch(code, &function.nested, &function.free)?.is_none())
}

/// The machine code of a function of a built module.
fn find(function: *mut PyObject) -> Option<Known> {
    // SAFETY: the callers pass live functions, which always have a code object.
    let found = unsafe { fields(running().layout, function) };
    let known = *built().as_ref()?.codes.get(&(found.code as usize))?;
    // SAFETY: units live for ever. A copy of the function may have other namespaces.
    let unit = unsafe { &*known.unit };
    (unit.globals() == found.globals && unit.builtins() == found.builtins).then_some(known)
}

fn meta(known: Known) -> &'static FunctionMeta {
    // SAFETY: units live for ever.
    unsafe { &(&(*known.unit).meta().functions)[known.number] }
}

/// Has no cell bet on an earlier function that the same `def` made.
fn stop_betting_on_earlier(known: Known) {
    // SAFETY: units live for ever.
    let loaded = unsafe { &(*known.unit).functions()[known.number] };
    if !loaded.callable.get().is_null() && !meta(known).name.contains('.') {
        cells::clear_function(known.unit, known.number);
    }
}

/// A function was made.
unsafe fn created(function: *mut PyObject) {
    let Some(known) = find(function).filter(|&known| !meta(known).promised) else { return };
    let Some(watchers) = running().symbols.watchers else { return };
    stop_betting_on_earlier(known);
    // SAFETY: the unit lives for ever, the function is live and has the code of the unit's function; the watcher tells
    // of its death.
    unsafe {
        install::register(known.unit, known.number, function);
        (watchers.set_vectorcall)(function, (*known.unit).entry(known.number));
    }
}

/// What takes the place of a new function on CPython 3.11: the innermost decorator of functions of built modules.
///
/// # Errors
/// When there is no memory.
pub fn bind(function: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    if function.get_type_ptr() as usize != running().function_type {
        return Ok(function);
    }
    match find(function.as_ptr()).filter(|&known| !meta(known).promised) {
        Some(known) if !is_bound_by_class(known) => stand_for(&function, known),
        Some(_) | None => Ok(function),
    }
}

/// Whether a class makes a method of this name a static or class method by itself, if it is a plain function.
fn is_bound_by_class(known: Known) -> bool {
    let name = meta(known).name.rsplit('.').next().unwrap_or_default();
    ["__new__", "__init_subclass__", "__class_getitem__"].contains(&name)
}

/// The callable that runs the machine code in the function's place: the function itself where it has an entry.
fn stand_for<'py>(function: &Bound<'py, PyAny>, known: Known) -> PyResult<Bound<'py, PyAny>> {
    stop_betting_on_earlier(known);
    // SAFETY: the unit lives for ever, and the function has the code of the unit's function.
    unsafe {
        if running().symbols.watchers.is_some() {
            install::install(known.unit, known.number, function)?;
            return Ok(function.clone());
        }
        let Some(wrap) = WRAP.get() else { return Ok(function.clone()) };
        let callable = wrap(function, (*known.unit).entry(known.number))?;
        install::register(known.unit, known.number, callable.as_ptr());
        Ok(callable)
    }
}

/// A function whose machine code counts on a promise that nobody has made yet.
#[derive(Clone, Copy)]
pub struct Waiting(Known);

/// The machine code of a function that waits for its promise; none for all other functions.
#[must_use]
pub fn waiting(function: &Bound<'_, PyAny>) -> Option<Waiting> {
    if function.get_type_ptr() as usize != running().function_type {
        return None;
    }
    let known = find(function.as_ptr()).filter(|&known| meta(known).promised)?;
    let is_free = running().symbols.watchers.is_some() || !is_bound_by_class(known);
    is_free.then_some(Waiting(known))
}

impl Waiting {
    /// What the machine code takes the annotations to promise.
    #[must_use]
    pub fn meta(self) -> &'static FunctionMeta {
        meta(self.0)
    }

    /// What names the function in all that is built.
    #[must_use]
    pub fn key(self) -> (usize, usize) {
        (self.0.unit as usize, self.0.number)
    }

    /// Makes the promise, where nobody has made it.
    pub fn promise(self, promise: Box<dyn Promise>) {
        // SAFETY: units live for ever.
        unsafe { (*self.0.unit).functions()[self.0.number].enforce(promise) };
    }

    /// Has the function run its machine code, which checks the promise; what takes its place.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn install<'py>(self, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        stand_for(function, self.0)
    }
}

/// What the unit of a built module was loaded from; none for other units.
#[must_use]
pub fn image_of(unit: *const LoadedUnit) -> Option<&'static Image> {
    built().as_ref()?.units.values().find(|known| std::ptr::eq(known.unit, unit)).map(|known| known.image)
}

/// Whether the callable runs machine code of a built module that checks a promise.
#[must_use]
pub fn is_enforced(callable: *mut PyObject) -> bool {
    let Some((unit, number)) = install::installed(callable) else { return false };
    // SAFETY: an installed unit is loaded.
    image_of(unit).is_some() && unsafe { (&(&*unit).meta().functions)[number].promised }
}
