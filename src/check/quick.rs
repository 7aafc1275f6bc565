//! What makes a value pass a check at once: its exact type, what is known of its class, its identity.

use std::ptr;
use std::sync::Arc;

use pyo3::ffi;
use pyo3::prelude::Python;

use super::arity::Arity;
use super::plan::Check;
use super::verdicts::Verdicts;

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
        if !found.values.is_empty() || !found.verdicts.is_empty() || !found.arities.is_empty() {
            quick.more = Some(Box::new(found));
        }
        quick
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
                || class == self.class && ffi::PyWeakref_GetObject(self.alive).cast() == class
                || self
                    .more
                    .as_ref()
                    .is_some_and(|more| more.verdicts.iter().any(|verdicts| verdicts.has(class)))
        }
    }

    /// Whether the value passes at once.
    ///
    /// # Safety
    /// The value and the check are alive, and the thread is attached.
    #[inline]
    pub(super) unsafe fn knows(&self, value: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            self.knows_class(value)
                || self.more.as_ref().is_some_and(|more| {
                    more.values.contains(&(value as usize))
                        || more.arities.iter().any(|arity| arity.fits(value))
                })
        }
    }
}
