//! The elements of a container, where looking at them does no harm: those of the builtin containers and of
//! their subclasses that do not override the iteration. Nothing is allocated for the usual ones.
//!
//! Elements whose exact type passes are passed over where they stand; for any other element the check runs,
//! which may run foreign code. After it everything is read anew, so a container that changes meanwhile does
//! no harm: elements may be missed or seen twice then.

use std::ptr;

use pyo3::PyResult;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::prelude::Python;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use pyo3::types::PyList;
use pyo3::types::PySet;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;
use pyo3::types::PyType;

use super::call::Call;
use super::plan::Check;
use super::quick::Quick;
use crate::cpython;
use crate::cpython::container;
use crate::cpython::container::Entries;
use crate::cpython::container::SetEntry;
use crate::cpython::object;

/// The functions that iterate over builtin containers, as types hold them.
struct Iterations {
    list: usize,
    tuple: usize,
    set: usize,
    /// `dict` and `OrderedDict`.
    dicts: [usize; 2],
    /// Containers that are walked by their own iterators.
    others: Vec<usize>,
    /// Views of dicts: their types, for nobody can subclass them.
    views: [usize; 2],
    item_view: usize,
}

static ITERATIONS: PyOnceLock<Iterations> = PyOnceLock::new();

fn iteration_of(class: *mut ffi::PyTypeObject) -> usize {
    // SAFETY: the type is alive, and the slot exists in every type.
    unsafe { object::field(class, cpython::running().layout.type_iter) }
}

fn iterations(py: Python<'_>) -> PyResult<&'static Iterations> {
    ITERATIONS.get_or_try_init(py, || {
        let collections = py.import("collections")?;
        let of = |class: Bound<'_, PyType>| iteration_of(class.as_type_ptr());
        let named = |module: &Bound<'_, PyAny>, name: &str| -> PyResult<usize> {
            Ok(of(module.getattr(name)?.cast_into::<PyType>()?))
        };
        let builtins = py.import("builtins")?.into_any();
        let dict = PyDict::new(py);
        let view = |name: &str| dict.call_method0(name).map(|view| view.get_type_ptr() as usize);
        Ok(Iterations {
            list: of(py.get_type::<PyList>()),
            tuple: of(py.get_type::<PyTuple>()),
            set: of(py.get_type::<PySet>()),
            dicts: [of(py.get_type::<PyDict>()), named(&collections, "OrderedDict")?],
            others: vec![
                named(&collections, "deque")?,
                named(&builtins, "str")?,
                named(&builtins, "bytes")?,
                named(&builtins, "bytearray")?,
                named(&builtins, "range")?,
            ],
            views: [view("keys")?, view("values")?],
            item_view: view("items")?,
        })
    })
}

/// Whether all items that can be seen pass the check.
pub(super) fn items<'py>(
    value: &Bound<'py, PyAny>,
    item: &(Check, Quick),
    call: &Call<'_, 'py>,
) -> PyResult<bool> {
    let known = iterations(value.py())?;
    let class = value.get_type_ptr();
    let iteration = iteration_of(class);
    if iteration == known.list {
        list(value, item, call)
    } else if iteration == known.tuple {
        // SAFETY: a tuple or of a subclass that iterates as it does; it is alive and never changes.
        let parts = unsafe { object::tuple_items(cpython::running().layout, value.as_ptr()) };
        let mut known = Known::new(&item.1);
        for &part in parts {
            // SAFETY: the tuple holds its items.
            if !unsafe { known.passes(part) } && !known.check(part, &item.0, call)? {
                return Ok(false);
            }
        }
        Ok(true)
    } else if iteration == known.set {
        set(value, item, call)
    } else if known.dicts.contains(&iteration) {
        static ANYTHING: (Check, Quick) = (Check::Anything, Quick::anything());
        dict(value, item, &ANYTHING, call)
    } else if known.others.contains(&iteration) || known.views.contains(&(class as usize)) {
        each(value, |part| item.0.accepts(part, call))
    } else {
        Ok(true)
    }
}

/// Whether all keys and values that can be seen pass their checks.
pub(super) fn entries<'py>(
    value: &Bound<'py, PyAny>,
    key: &(Check, Quick),
    item: &(Check, Quick),
    call: &Call<'_, 'py>,
) -> PyResult<bool> {
    let known = iterations(value.py())?;
    let class = value.get_type_ptr();
    if known.dicts.contains(&iteration_of(class)) {
        return dict(value, key, item, call);
    }
    if class as usize != known.item_view {
        return Ok(true);
    }
    each(value, |pair| {
        let pair = pair.cast::<PyTuple>()?;
        Ok(key.0.accepts(&pair.get_item(0)?, call)? && item.0.accepts(&pair.get_item(1)?, call)?)
    })
}

/// Runs the test on what the builtin iterator gives; it is over when the container changes.
fn each<'py>(
    value: &Bound<'py, PyAny>,
    mut test: impl FnMut(&Bound<'py, PyAny>) -> PyResult<bool>,
) -> PyResult<bool> {
    for part in value.try_iter()? {
        let part = match part {
            Ok(part) => part,
            Err(error) if error.is_instance_of::<PyRuntimeError>(value.py()) => return Ok(true),
            Err(error) => return Err(error),
        };
        if !test(&part)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether all items of a builtin container pass at once; false for what is walked otherwise.
///
/// # Safety
/// The value and the check are alive, and the thread is attached.
pub(super) unsafe fn knows_items(value: *mut ffi::PyObject, item: &Quick) -> bool {
    let layout = cpython::running().layout;
    let mut known = Known::new(item);
    // SAFETY: the caller's promise; the exact type tells what the value is, and nothing runs that may change it.
    unsafe {
        let class = ffi::Py_TYPE(value);
        let parts: &[*mut ffi::PyObject] = if class == &raw mut ffi::PyList_Type {
            container::list_items(layout, value)
        } else if class == &raw mut ffi::PyTuple_Type {
            object::tuple_items(layout, value)
        } else if class == &raw mut ffi::PySet_Type || class == &raw mut ffi::PyFrozenSet_Type {
            let mut parts = container::set_table(layout, value).iter().filter_map(SetEntry::key);
            return parts.all(|part| known.passes(part));
        } else {
            return false;
        };
        known.passes_over::<1>(parts.as_ptr(), parts.len()) == parts.len()
    }
}

/// Whether all keys and values of a `dict` pass at once; false for what is walked otherwise.
///
/// # Safety
/// As for [`knows_items`].
pub(super) unsafe fn knows_entries(value: *mut ffi::PyObject, key: &Quick, item: &Quick) -> bool {
    // SAFETY: the caller's promise; the exact type tells what the value is, and nothing runs that may change it.
    unsafe {
        if ffi::PyDict_CheckExact(value) == 0 {
            return false;
        }
        let entries = container::dict_entries(cpython::running().layout, value);
        // Deleted entries have no value.
        let count = ffi::PyDict_Size(value).cast_unsigned();
        let (mut keys, mut items) = (Known::new(key), Known::new(item));
        match entries {
            Entries::Strings(entries) if entries.len() == count => {
                let first = entries.as_ptr();
                (key.has(&raw mut ffi::PyUnicode_Type)
                    || keys.passes_over::<2>(&raw const (*first).key, count) == count)
                    && items.passes_over::<2>(&raw const (*first).value, count) == count
            }
            Entries::Objects(entries) if entries.len() == count => {
                let first = entries.as_ptr();
                keys.passes_over::<3>(&raw const (*first).key, count) == count
                    && items.passes_over::<3>(&raw const (*first).value, count) == count
            }
            Entries::Strings(_) | Entries::Objects(_) | Entries::Shared => false,
        }
    }
}

/// Passes over elements whose exact type is known to pass.
struct Known<'a> {
    quick: &'a Quick,
    /// The type of the last element that passed; most containers hold one kind.
    last: *mut ffi::PyTypeObject,
}

impl<'a> Known<'a> {
    fn new(quick: &'a Quick) -> Known<'a> {
        Known { quick, last: ptr::null_mut() }
    }

    /// Whether the element passes at once.
    ///
    /// # Safety
    /// The element is alive, and nothing foreign has run since `self` was made or [`Known::check`] returned.
    #[inline(always)]
    unsafe fn passes(&mut self, part: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's promise.
        unsafe { ffi::Py_TYPE(part) == self.last || self.passes_anew(part) }
    }

    /// How many elements from the first on pass at once; they stand `STRIDE` words apart.
    ///
    /// # Safety
    /// There are `count` elements, and as for [`Known::passes`].
    unsafe fn passes_over<const STRIDE: usize>(
        &mut self,
        first: *const *mut ffi::PyObject,
        count: usize,
    ) -> usize {
        let mut passed = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while passed < count {
                let next = first.add(passed * STRIDE);
                let run = container::run_of::<STRIDE>(self.last, next, count - passed);
                passed += run;
                if run == 0 {
                    if !self.passes_anew(*next) {
                        break;
                    }
                    passed += 1;
                }
            }
        }
        passed
    }

    /// # Safety
    /// As for [`Known::passes`].
    #[inline(never)]
    unsafe fn passes_anew(&mut self, part: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            if self.quick.knows_class(part) {
                self.last = ffi::Py_TYPE(part);
                return true;
            }
            self.quick.knows(part)
        }
    }

    /// Runs the check on an element that is alive at the call.
    fn check<'py>(
        &mut self,
        part: *mut ffi::PyObject,
        check: &Check,
        call: &Call<'_, 'py>,
    ) -> PyResult<bool> {
        // SAFETY: checks run in attached threads, and the element is alive; it is kept so during the check.
        let part = unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), part) };
        // The class may have died when the check returns.
        self.last = ptr::null_mut();
        check.accepts(&part, call)
    }
}

fn list<'py>(value: &Bound<'py, PyAny>, item: &(Check, Quick), call: &Call<'_, 'py>) -> PyResult<bool> {
    let layout = cpython::running().layout;
    let mut known = Known::new(&item.1);
    let mut position = 0;
    loop {
        // SAFETY: a list is alive; the slice is not used after foreign code has run.
        let parts = unsafe { container::list_items(layout, value.as_ptr()) };
        let rest = parts.get(position..).unwrap_or_default();
        // SAFETY: the list holds its items.
        position += unsafe { known.passes_over::<1>(rest.as_ptr(), rest.len()) };
        let Some(&part) = parts.get(position) else { return Ok(true) };
        if !known.check(part, &item.0, call)? {
            return Ok(false);
        }
        position += 1;
    }
}

fn set<'py>(value: &Bound<'py, PyAny>, item: &(Check, Quick), call: &Call<'_, 'py>) -> PyResult<bool> {
    let layout = cpython::running().layout;
    let mut known = Known::new(&item.1);
    let mut position = 0;
    loop {
        // SAFETY: a set is alive; the slice is not used after foreign code has run.
        let table = unsafe { container::set_table(layout, value.as_ptr()) };
        let Some(entry) = table.get(position) else { return Ok(true) };
        position += 1;
        let Some(part) = entry.key() else { continue };
        // SAFETY: the set holds its keys.
        if !unsafe { known.passes(part) } && !known.check(part, &item.0, call)? {
            return Ok(false);
        }
    }
}

fn dict<'py>(
    value: &Bound<'py, PyAny>,
    key: &(Check, Quick),
    item: &(Check, Quick),
    call: &Call<'_, 'py>,
) -> PyResult<bool> {
    let layout = cpython::running().layout;
    let (mut keys, mut items) = (Known::new(&key.1), Known::new(&item.1));
    let mut position: ffi::Py_ssize_t = 0;
    loop {
        // SAFETY: a dict is alive; nothing foreign runs while its entries are passed over.
        unsafe {
            let start = position.cast_unsigned();
            let passed = match container::dict_entries(layout, value.as_ptr()) {
                Entries::Strings(entries) if key.1.has(&raw mut ffi::PyUnicode_Type) => entries
                    .iter()
                    .skip(start)
                    .take_while(|entry| entry.value.is_null() || items.passes(entry.value))
                    .count(),
                Entries::Strings(entries) => entries
                    .iter()
                    .skip(start)
                    .take_while(|entry| {
                        entry.value.is_null() || keys.passes(entry.key) && items.passes(entry.value)
                    })
                    .count(),
                Entries::Objects(entries) => entries
                    .iter()
                    .skip(start)
                    .take_while(|entry| {
                        entry.value.is_null() || keys.passes(entry.key) && items.passes(entry.value)
                    })
                    .count(),
                Entries::Shared => 0,
            };
            position += passed.cast_signed();
        }
        let (mut name, mut part) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: a dict is alive; both results are borrowed from it, and kept alive before anything runs.
        let found =
            unsafe { ffi::PyDict_Next(value.as_ptr(), &raw mut position, &raw mut name, &raw mut part) };
        if found == 0 {
            return Ok(true);
        }
        // SAFETY: as above.
        let (name, part) = unsafe {
            (Bound::from_borrowed_ptr(value.py(), name), Bound::from_borrowed_ptr(value.py(), part))
        };
        let passes = keys.check(name.as_ptr(), &key.0, call)? && items.check(part.as_ptr(), &item.0, call)?;
        if !passes {
            return Ok(false);
        }
    }
}
