//! Calls of compiled functions by compiled functions through their entries: nobody looks while nothing but
//! compiled code runs, so their sites wait, and frames are linked for them when somebody does.
//!
//! Each waiting call is a node on its native stack. The nodes of all threads are in one list, innermost first:
//! only attached threads touch it. A node whose frames are linked has left the list, and unlinks them when its
//! call returns.

use std::cell::UnsafeCell;

use pyo3::ffi;
use pyo3::ffi::PyThreadState;

use crate::cpython::linked::LinkedFrames;

use super::Site;

/// A call that waits.
struct Waiting {
    site: Site,
    state: *mut PyThreadState,
    linked: Option<LinkedFrames>,
    inner: *mut Waiting,
    outer: *mut Waiting,
}

struct List(UnsafeCell<*mut Waiting>);

// SAFETY: only attached threads use it.
unsafe impl Sync for List {}

/// The node that was added last.
static INNERMOST: List = List(UnsafeCell::new(std::ptr::null_mut()));

/// Makes a call of compiled code, by whoever left the site, without linking frames.
///
/// # Safety
/// - The thread is attached and stays the same.
/// - What is called runs nothing that looks before [`show`] was called.
#[inline]
pub(super) unsafe fn call<R>(site: Site, call: impl FnOnce() -> R) -> R {
    // SAFETY: an attached thread is alone with the list. The node stays in its place until it is removed.
    unsafe {
        let mut node = Waiting {
            site,
            state: ffi::PyThreadState_Get(),
            linked: None,
            inner: std::ptr::null_mut(),
            outer: *INNERMOST.0.get(),
        };
        let node = &raw mut node;
        if let Some(outer) = (*node).outer.as_mut() {
            outer.inner = node;
        }
        *INNERMOST.0.get() = node;
        let result = call();
        match (*node).linked.take() {
            Some(linked) => drop(linked),
            None => remove(node),
        }
        result
    }
}

/// Takes a node out of the list.
unsafe fn remove(node: *mut Waiting) {
    // SAFETY: the node and its neighbours are in the list, and so alive.
    unsafe {
        match (*node).inner.as_mut() {
            Some(inner) => inner.outer = (*node).outer,
            None => *INNERMOST.0.get() = (*node).outer,
        }
        if let Some(outer) = (*node).outer.as_mut() {
            outer.inner = (*node).inner;
        }
    }
}

/// Links the frames of this thread's calls that wait: something that may look is about to run.
///
/// # Safety
/// The thread is attached.
#[inline]
pub unsafe fn show() {
    // SAFETY: as for `call`.
    unsafe {
        if !(*INNERMOST.0.get()).is_null() {
            show_all();
        }
    }
}

#[cold]
unsafe fn show_all() {
    // SAFETY: nodes in the list are alive; each leaves it before anything else runs.
    unsafe {
        let state = ffi::PyThreadState_Get();
        let mut mine = Vec::new();
        let mut node = *INNERMOST.0.get();
        while let Some(found) = node.as_ref() {
            if found.state == state {
                mine.push(node);
            }
            node = found.outer;
        }
        for &node in &mine {
            remove(node);
        }
        for &node in mine.iter().rev() {
            let linked = super::link_site((*node).site);
            (*node).linked = Some(linked);
        }
    }
}
