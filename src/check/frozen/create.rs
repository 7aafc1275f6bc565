//! The constructor of a sealed class: what its generated `__init__` does, without a frame.
//!
//! A call that is not plainly right goes through `type.__call__`, whose `__init__` raises CPython's own words.

use std::ptr;

use pyo3::PyResult;
use pyo3::PyTraverseError;
use pyo3::PyVisit;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::Python;
use pyo3::types::PyDict;
use pyo3::types::PyDictMethods;
use pyo3::types::PyString;
use pyo3::types::PyStringMethods;
use pyo3::types::PyTuple;
use pyo3::types::PyType;

use super::Given;
use super::Seal;
use super::described::ConstructorDescription;
use super::seal_of;
use super::slots;
use crate::cpython::class;
use crate::cpython::object::Counts;
use crate::cpython::running;
use crate::runtime::frames;
use crate::runtime::held;
use crate::types::MAX_UNBOXED;

/// More parameters than this go through `__init__`.
const MAX_PARAMETERS: usize = 24;

/// `PY_VECTORCALL_ARGUMENTS_OFFSET`
const ARGUMENTS_OFFSET: usize = 1 << (usize::BITS - 1);

/// Where a field's value comes from.
struct Source {
    /// The parameter's number, positional ones first.
    parameter: Option<usize>,
    default: Option<Py<PyAny>>,
    factory: Option<Py<PyAny>>,
}

/// What the constructor does, field by field.
pub(super) struct Recipe {
    /// How many arguments a call has that gives each field its value in order; more than a call can have where
    /// the constructor does anything else.
    direct: usize,
    /// Whether a field may get what a factory makes.
    makes: bool,
    sources: Box<[Source]>,
    /// The parameters' names.
    names: Box<[Py<PyString>]>,
    /// How many of them take positional arguments.
    positional: usize,
    post_init: Option<Py<PyString>>,
}

impl Recipe {
    /// Reads what is said of the fields.
    pub(super) fn new(py: Python<'_>, given: &[Given<'_>], post_init: bool) -> Recipe {
        let mut order: Vec<usize> =
            (0..given.len()).filter(|&number| given[number].1 && !given[number].2).collect();
        let positional = order.len();
        order.extend((0..given.len()).filter(|&number| given[number].1 && given[number].2));
        let sources = given.iter().enumerate().map(|(number, (_, _, _, default, factory))| Source {
            parameter: order.iter().position(|&other| other == number),
            default: default.as_ref().map(|(default,)| default.clone_ref(py)),
            factory: factory.as_ref().map(|factory| factory.clone_ref(py)),
        });
        let sources: Box<[Source]> = sources.collect();
        let in_order = sources.iter().enumerate().all(|(number, source)| source.parameter == Some(number));
        let simple = in_order && positional == sources.len() && positional <= MAX_PARAMETERS;
        Recipe {
            direct: if simple { positional } else { usize::MAX },
            makes: sources.iter().any(|source| source.factory.is_some()),
            sources,
            names: order.iter().map(|&number| super::interned(&given[number].0)).collect(),
            positional,
            post_init: post_init.then(|| intern!(py, "__post_init__").clone().unbind()),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for source in &self.sources {
            visit.call(&source.default)?;
            visit.call(&source.factory)?;
        }
        Ok(())
    }

    /// What compiled code may do instead of it; none where it does more than to give fields their values.
    pub(super) fn describe<'py>(&self, py: Python<'py>) -> Option<ConstructorDescription<'py>> {
        if self.post_init.is_some() {
            return None;
        }
        let default = |source: &Source| source.default.as_ref().map(|value| value.bind(py).clone());
        let sources = self.sources.iter().map(|source| (source.parameter, default(source)));
        Some(ConstructorDescription {
            parameters: self.names.iter().map(|name| name.bind(py).to_string_lossy().into_owned()).collect(),
            positional: self.positional,
            sources: sources.collect(),
        })
    }

    /// The number of the parameter that a keyword names.
    fn parameter(&self, name: *mut PyObject) -> Option<usize> {
        let same = |own: &Py<PyString>| own.as_ptr() == name;
        self.names.iter().position(same).or_else(|| {
            // SAFETY: keywords are live strings.
            let same = |own: &Py<PyString>| unsafe { ffi::PyUnicode_Compare(own.as_ptr(), name) == 0 };
            self.names.iter().position(same)
        })
    }

    /// Puts the arguments in the order of the parameters; false where the call is not plainly right.
    ///
    /// # Safety
    /// The arguments are those of a vectorcall.
    #[inline]
    unsafe fn bind(
        &self,
        bound: &mut [*mut PyObject; MAX_PARAMETERS],
        args: *const *mut PyObject,
        count: usize,
        names: *mut PyObject,
    ) -> bool {
        if count > self.positional || self.names.len() > MAX_PARAMETERS {
            return false;
        }
        // SAFETY: the caller's promise: the keywords' values follow the positional arguments.
        unsafe {
            for (number, slot) in bound.iter_mut().enumerate().take(count) {
                *slot = *args.add(number);
            }
            if !names.is_null() {
                for number in 0..ffi::PyTuple_Size(names) {
                    let Some(parameter) = self.parameter(ffi::PyTuple_GetItem(names, number)) else {
                        return false;
                    };
                    if !bound[parameter].is_null() {
                        return false;
                    }
                    bound[parameter] = *args.add(count + number.cast_unsigned());
                }
            }
        }
        self.sources.iter().all(|source| match source.parameter {
            Some(parameter) => {
                !bound[parameter].is_null() || source.default.is_some() || source.factory.is_some()
            }
            None => true,
        })
    }
}

/// `tp_vectorcall`
///
/// # Safety
/// CPython calls it, attached, with the class and the arguments of a vectorcall.
pub(super) unsafe extern "C" fn construct(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the callable is a sealed class, for subclasses don't inherit the field.
    unsafe {
        let class: *mut ffi::PyTypeObject = callable.cast();
        let (seal, sealed) = seal_of(class);
        let count = nargsf & !ARGUMENTS_OFFSET;
        if let Some(recipe) = &seal.recipe
            && sealed.cast() == class
            && (*sealed).flags & class::FLAG_ABSTRACT == 0
        {
            if count == recipe.direct && names.is_null() {
                return make(seal, recipe, class, args);
            }
            let mut bound = [ptr::null_mut(); MAX_PARAMETERS];
            if recipe.bind(&mut bound, args, count, names) {
                return gather(seal, recipe, class, &bound);
            }
        }
        frames::show();
        call_slowly(callable, args, count, names)
    }
}

/// An instance with these arguments, which stand in the order of the parameters; null where one is left out.
///
/// # Safety
/// The class is the seal's; each argument that is null has a default or a factory.
unsafe fn gather(
    seal: &Seal,
    recipe: &Recipe,
    class: *mut ffi::PyTypeObject,
    bound: &[*mut PyObject; MAX_PARAMETERS],
) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        if recipe.makes || recipe.sources.len() > MAX_PARAMETERS {
            let made = make_in_order(seal, recipe, class, bound);
            return made.unwrap_or_else(|error| {
                error.restore(Python::assume_attached());
                ptr::null_mut()
            });
        }
        let mut values = [ptr::null_mut(); MAX_PARAMETERS];
        for (value, source) in values.iter_mut().zip(&recipe.sources) {
            let given = source.parameter.map_or(ptr::null_mut(), |parameter| bound[parameter]);
            let default = source.default.as_ref().map_or(ptr::null_mut(), Py::as_ptr);
            *value = if given.is_null() { default } else { given };
        }
        make(seal, recipe, class, values.as_ptr())
    }
}

/// An instance whose fields have these values; null stands for none. Null with an exception where a check or
/// `__post_init__` raises.
///
/// # Safety
/// The class is the seal's, and there is a borrowed value or null for each field.
#[inline]
unsafe fn make(
    seal: &Seal,
    recipe: &Recipe,
    class: *mut ffi::PyTypeObject,
    values: *const *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's promise; the instance is untracked until its fields are set, and dropped when
    // `__post_init__` fails.
    unsafe {
        for (number, hot) in seal.hot.iter().enumerate() {
            let value = *values.add(number);
            if !value.is_null()
                && !hot.knows(value)
                && slots::check(seal, &seal.fields[number], class, value) < 0
            {
                return ptr::null_mut();
            }
        }
        let counts = Counts::of_running();
        let object = seal.kept.allocate(counts, class);
        if object.is_null() {
            return object;
        }
        for (number, hot) in seal.hot.iter().enumerate() {
            let value = *values.add(number);
            if !value.is_null() {
                counts.keep(value);
                hot.slot.write(object, value);
            } else {
                hot.slot.clear(object);
            }
        }
        seal.kept.track(object);
        match &recipe.post_init {
            None => object,
            Some(name) => finish(object, name),
        }
    }
}

/// An instance whose fields have these values, which pass their checks and whose references it takes; null with an
/// exception for lack of memory, which takes none. The words of the fields in `unboxed`, by their numbers, hold numbers:
/// a double, or an int of 64 bits, as the field does. Runs nothing: CPython 3.11 collects garbage where it allocates,
/// and is kept from it.
///
/// # Safety
/// The class is sealed and alive, there is a number or an owned value for each field, and the thread is attached.
pub(super) unsafe fn make_unchecked(class: *mut PyObject, values: *const u64, unboxed: u64) -> *mut PyObject {
    // SAFETY: the caller's promise; the instance is untracked until its fields are set.
    unsafe {
        let class: *mut ffi::PyTypeObject = class.cast();
        let (seal, _) = seal_of(class);
        let Some(boxes) = box_large(seal, values, unboxed) else { return ptr::null_mut() };
        let counts = Counts::of_running();
        let mut object = seal.kept.take(counts, class);
        if object.is_null() {
            let would_collect = running().layout.monitors.is_none() && ffi::PyGC_Disable() != 0;
            object = seal.kept.allocate(counts, class);
            if would_collect {
                ffi::PyGC_Enable();
            }
            if object.is_null() {
                boxes.into_iter().for_each(|(_, value)| ffi::Py_DECREF(value));
                return object;
            }
        }
        for (number, hot) in seal.hot.iter().enumerate() {
            let word = *values.add(number);
            if !is_in(unboxed, number) {
                hot.slot.write(object, word as *mut PyObject);
            } else if !hot.slot.write_number(object, word)
                && let Some(&(_, value)) = boxes.iter().find(|&&(own, _)| own == number)
            {
                hot.slot.write(object, value);
            }
        }
        seal.kept.track(object);
        object
    }
}

/// Whether the field of this number is one of these.
fn is_in(unboxed: u64, number: usize) -> bool {
    number < MAX_UNBOXED && unboxed >> number & 1 != 0
}

/// Boxes of the numbers that are not held unboxed, with those of their fields; none with an exception for lack of memory.
///
/// # Safety
/// As for [`make_unchecked`].
unsafe fn box_large(seal: &Seal, values: *const u64, unboxed: u64) -> Option<Vec<(usize, *mut PyObject)>> {
    let mut boxes = Vec::new();
    for (number, hot) in seal.hot.iter().enumerate().filter(|&(number, _)| is_in(unboxed, number)) {
        // SAFETY: the caller's promise.
        unsafe {
            let word = *values.add(number);
            if held::number_word(hot.slot.held, word).is_none() {
                let value = held::boxed(hot.slot.held, word);
                if value.is_null() {
                    boxes.into_iter().for_each(|(_, value)| ffi::Py_DECREF(value));
                    return None;
                }
                boxes.push((number, value));
            }
        }
    }
    Some(boxes)
}

/// Calls `__post_init__`.
///
/// # Safety
/// The object is an owned instance.
unsafe fn finish(object: *mut PyObject, name: &Py<PyString>) -> *mut PyObject {
    // SAFETY: the caller's promise.
    let object = unsafe {
        frames::show();
        Bound::from_owned_ptr(Python::assume_attached(), object)
    };
    match object.call_method0(name.bind(object.py())) {
        Ok(_) => object.into_ptr(),
        Err(error) => {
            error.restore(object.py());
            ptr::null_mut()
        }
    }
}

/// The same where factories run: each field gets its value, checked, before the next one's is made.
///
/// # Safety
/// As for [`gather`].
unsafe fn make_in_order(
    seal: &Seal,
    recipe: &Recipe,
    class: *mut ffi::PyTypeObject,
    bound: &[*mut PyObject; MAX_PARAMETERS],
) -> PyResult<*mut PyObject> {
    // SAFETY: the class is live; what is allocated is an instance with all fields unset. It is dropped when a
    // step fails.
    unsafe {
        let py = Python::assume_attached();
        let object = Bound::from_owned_ptr_or_err(py, seal.kept.allocate(Counts::of_running(), class))?;
        for hot in &seal.hot {
            hot.slot.clear(object.as_ptr());
        }
        seal.kept.track(object.as_ptr());
        for (field, source) in seal.fields.iter().zip(&recipe.sources) {
            let given = source.parameter.map_or(ptr::null_mut(), |parameter| bound[parameter]);
            if !given.is_null() {
                slots::store(seal, field, object.as_ptr(), Bound::ref_from_ptr(py, &given))?;
            } else if let Some(factory) = &source.factory {
                frames::show();
                let value = factory.bind(py).call0()?;
                slots::store(seal, field, object.as_ptr(), &value)?;
            } else if let Some(default) = &source.default {
                slots::store(seal, field, object.as_ptr(), default.bind(py))?;
            }
        }
        if let Some(name) = &recipe.post_init {
            frames::show();
            object.call_method0(name.bind(py))?;
        }
        Ok(object.into_ptr())
    }
}

/// `type.__call__`, for whatever is wrong or rare.
#[cold]
unsafe fn call_slowly(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    count: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    let called = || -> PyResult<*mut PyObject> {
        // SAFETY: the arguments of a vectorcall.
        unsafe {
            let py = Python::assume_attached();
            let positional = PyTuple::new(
                py,
                (0..count).map(|number| Bound::from_borrowed_ptr(py, *args.add(number))).collect::<Vec<_>>(),
            )?;
            let keywords = PyDict::new(py);
            if !names.is_null() {
                for number in 0..ffi::PyTuple_Size(names) {
                    let name = Bound::from_borrowed_ptr(py, ffi::PyTuple_GetItem(names, number));
                    let value = Bound::from_borrowed_ptr(py, *args.add(count + number.cast_unsigned()));
                    keywords.set_item(name, value)?;
                }
            }
            let class = Bound::from_borrowed_ptr(py, callable);
            let call = py.get_type::<PyType>();
            let call: ffi::ternaryfunc =
                std::mem::transmute(ffi::PyType_GetSlot(call.as_ptr().cast(), ffi::Py_tp_call));
            let made = call(class.as_ptr(), positional.as_ptr(), keywords.as_ptr());
            Ok(Bound::from_owned_ptr_or_err(py, made)?.into_ptr())
        }
    };
    called().unwrap_or_else(|error| {
        // SAFETY: CPython called, so the thread is attached.
        error.restore(unsafe { Python::assume_attached() });
        ptr::null_mut()
    })
}
