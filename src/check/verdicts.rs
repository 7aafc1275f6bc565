//! Classes whose instances are known to pass a check: of protocols, abstract classes, bases, names found late.
//!
//! A verdict is kept with the version of the class, which ends when the class or a base of it changes; no two
//! classes ever have the same version. Only good verdicts are kept, and only those that the class alone decides.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use pyo3::ffi;

use crate::cpython;
use crate::cpython::object;

/// How many classes are remembered.
const CLASSES: usize = 4;

/// Classes that passed, with their versions.
#[derive(Default)]
pub struct Verdicts {
    /// A class' address in the upper, its version in the lower bits of what both make; 0 for none.
    passed: [AtomicU64; CLASSES],
    next: AtomicUsize,
}

/// What stands for a class as it is now; 0 when it has no version at present.
///
/// # Safety
/// The class is alive.
#[inline]
unsafe fn key(class: *mut ffi::PyTypeObject) -> u64 {
    // SAFETY: the version stands there in every type.
    let version: u32 = unsafe { object::field(class, cpython::running().layout.type_version) };
    // Versions are unique among all classes; the address tells apart what reused versions would not.
    if version == 0 { 0 } else { u64::from(version) | (class as u64) << 28 & !0xffff_ffff }
}

impl Verdicts {
    /// No class.
    pub(super) const fn none() -> Verdicts {
        Verdicts { passed: [const { AtomicU64::new(0) }; CLASSES], next: AtomicUsize::new(0) }
    }

    /// Whether instances of exactly this class are known to pass.
    ///
    /// # Safety
    /// The class is alive, and the thread is attached.
    #[inline]
    pub(super) unsafe fn has(&self, class: *mut ffi::PyTypeObject) -> bool {
        // SAFETY: the caller's promise.
        let key = unsafe { key(class) };
        key != 0 && self.passed.iter().any(|passed| passed.load(Ordering::Relaxed) == key)
    }

    /// Remembers that instances of this class pass.
    ///
    /// # Safety
    /// As for [`Verdicts::has`].
    pub(super) unsafe fn add(&self, class: *mut ffi::PyTypeObject) {
        // SAFETY: the caller's promise.
        let key = unsafe { key(class) };
        if key != 0 {
            let place = self.next.fetch_add(1, Ordering::Relaxed) % CLASSES;
            self.passed[place].store(key, Ordering::Relaxed);
        }
    }
}
