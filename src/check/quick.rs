//! What makes a value pass a check at once: its exact type, what is known of its class, its identity, and the same
//! of the elements of builtin containers. Nothing foreign runs and nothing is counted or allocated; what does not
//! pass so is the check's to judge.

use std::ptr;
use std::sync::Arc;

use pyo3::ffi;
use pyo3::prelude::Python;

use super::arity::Arity;
use super::plan::Check;
use super::verdicts::Verdicts;
use super::walk;
use crate::cpython;
use crate::cpython::object;

/// How many exact static types are compared before anything else.
const EXACT: usize = 6;

/// What makes a value pass at once; the check keeps alive what this points to.
pub struct Quick {
    /// Static types; null behind the last one.
    exact: [*mut ffi::PyTypeObject; EXACT],
    /// A heap class whose exact instances pass while `alive` refers to it, or null.
    class: *mut ffi::PyTypeObject,
    /// The weak reference to it, or null.
    alive: *mut ffi::PyObject,
    /// Whether any value passes.
    anything: bool,
    /// Classes that passed and always will.
    learned: Verdicts,
    /// What takes longer.
    more: Option<Box<More>>,
}

/// What a check collects of itself and its parts.
#[derive(Default)]
pub(super) struct More {
    /// Static types whose exact instances pass.
    pub(super) types: Vec<*mut ffi::PyTypeObject>,
    /// Objects that pass, each of which some literal keeps alive.
    pub(super) values: Vec<usize>,
    /// Classes that passed.
    pub(super) verdicts: Vec<Arc<Verdicts>>,
    /// What functions can be called with.
    pub(super) arities: Vec<Arity>,
    /// Tuples of these items.
    pub(super) tuples: Vec<Box<[Quick]>>,
    /// Containers with what they hold.
    pub(super) items: Vec<(Quick, Quick)>,
    /// Mappings with their keys and values.
    pub(super) entries: Vec<(Quick, Quick, Quick)>,
}

impl More {
    fn is_empty(&self) -> bool {
        self.values.is_empty()
            && self.verdicts.is_empty()
            && self.arities.is_empty()
            && self.tuples.is_empty()
            && self.items.is_empty()
            && self.entries.is_empty()
    }

    /// Whether the value passes because of what it is or what it holds.
    ///
    /// # Safety
    /// As for [`Quick::knows`].
    unsafe fn knows(&self, value: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            self.values.contains(&(value as usize))
                || self.arities.iter().any(|arity| arity.fits(value))
                || self.tuples.iter().any(|parts| knows_tuple(parts, value))
                || self
                    .items
                    .iter()
                    .any(|(whole, item)| whole.knows_class(value) && walk::knows_items(value, item))
                || self.entries.iter().any(|(whole, key, item)| {
                    whole.knows_class(value) && walk::knows_entries(value, key, item)
                })
        }
    }
}

/// # Safety
/// As for [`Quick::knows`].
unsafe fn knows_tuple(parts: &[Quick], value: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's promise; a tuple holds its items and never changes.
    unsafe {
        if ffi::PyTuple_CheckExact(value) == 0 {
            return false;
        }
        let items = object::tuple_items(cpython::running().layout, value);
        items.len() == parts.len() && parts.iter().zip(items).all(|(part, &item)| part.knows(item))
    }
}

// SAFETY: the addresses are compared; the weak reference is read by attached threads only.
unsafe impl Send for Quick {}
// SAFETY: nothing changes after the construction.
unsafe impl Sync for Quick {}

impl Quick {
    /// Everything passes.
    pub(super) const fn anything() -> Quick {
        Quick {
            exact: [ptr::null_mut(); EXACT],
            class: ptr::null_mut(),
            alive: ptr::null_mut(),
            anything: true,
            learned: Verdicts::none(),
            more: None,
        }
    }

    /// What passes the check at once.
    pub(super) fn of(check: &Check, py: Python<'_>) -> Quick {
        let mut quick = Quick { anything: matches!(check, Check::Anything), ..Quick::anything() };
        let mut found = More::default();
        check.collect(&mut found, py);
        let mut types: Vec<*mut ffi::PyTypeObject> = Vec::with_capacity(found.types.len());
        for class in found.types.drain(..) {
            if !types.contains(&class) {
                types.push(class);
            }
        }
        for (slot, class) in quick.exact.iter_mut().zip(types) {
            *slot = class;
        }
        if let Some(class) = check.exact_class() {
            (quick.class, quick.alive) = (class.address(), class.weak_ptr());
        }
        if !found.is_empty() {
            quick.more = Some(Box::new(found));
        }
        quick
    }

    /// The two static types that are likeliest to come, null where there are fewer.
    pub(super) fn likeliest(&self) -> [*mut ffi::PyTypeObject; 2] {
        [self.exact[0], self.exact[1]]
    }

    /// Whether instances of exactly this static type pass.
    #[inline]
    pub(super) fn has(&self, class: *mut ffi::PyTypeObject) -> bool {
        self.exact.contains(&class)
    }

    /// Whether the value passes because of its class alone, as long as nothing foreign runs.
    ///
    /// # Safety
    /// The value and the check are alive, and the thread is attached.
    #[inline]
    pub(super) unsafe fn knows_class(&self, value: *mut ffi::PyObject) -> bool {
        // SAFETY: the value is alive, and the check keeps the weak reference alive.
        unsafe {
            let class = ffi::Py_TYPE(value);
            self.anything
                || self.has(class)
                || self.learned.has(class)
                || class == self.class && ffi::PyWeakref_GetObject(self.alive).cast() == class
                || self
                    .more
                    .as_ref()
                    .is_some_and(|more| more.verdicts.iter().any(|verdicts| verdicts.has(class)))
        }
    }

    /// Remembers the class of a value that has passed, if that alone decided.
    ///
    /// # Safety
    /// The value is alive, and the check is the one that this is the quick part of; the thread is attached.
    pub(super) unsafe fn learn(&self, check: &Check, value: *mut ffi::PyObject) {
        // SAFETY: the caller's promise; the value keeps its class alive.
        unsafe {
            let class = ffi::Py_TYPE(value);
            if check.is_settled_by(Python::assume_attached(), class) {
                self.learned.add(class);
            }
        }
    }

    /// Whether the value passes at once.
    ///
    /// # Safety
    /// The value and the check are alive, and the thread is attached.
    #[inline]
    pub(super) unsafe fn knows(&self, value: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.knows_class(value) || self.more.as_ref().is_some_and(|more| more.knows(value)) }
    }
}
