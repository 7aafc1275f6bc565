//! Compiled functions as frames of the interpreter, while they call something that may look.
//!
//! Nothing is linked while compiled code runs. In front of each call of a helper that may run Python the
//! code leaves a [`Site`]: its unit, which trace the instruction has, and its frame pointer. The helper
//! takes it, follows the saved frame pointers from body to body up to the entry, finds by each return
//! address which instruction called, and links one interpreter frame for each compiled function, inlined
//! ones included. It unlinks them before it returns.
//!
//! What calls a body is compiled code: an entry, which ends the walk, or a body. What calls a resume
//! function is this library, which leaves a [`Segment`] for it: which functions wait for its result, and
//! the body in whose place it runs.

mod pieces;
mod waiting;

use std::cell::UnsafeCell;

use pyo3::prelude::*;

use crate::cpython::linked::LinkedFrames;
use crate::cpython::linked::Shown;

use super::install;
use super::traceback;
use super::unit::LoadedUnit;

pub use pieces::add_loop;
pub use pieces::add_unit;
pub use pieces::remove_unit;
pub use waiting::show;

/// What compiled code says of itself in front of a call. Null while nobody calls.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Site {
    /// The unit.
    unit: *const LoadedUnit,
    /// The instruction's trace.
    trace: u64,
    /// The frame pointer of the body or resume function.
    frame: *const u64,
    /// [`BODY`] in a body; in a resume function what stands around it, or null.
    segment: *const Segment,
    /// For the resume function that is called next: what stands around it. It takes it at once.
    next: *const Segment,
}

/// What a body leaves in the place of its segment.
pub const BODY: i64 = -1;

impl Site {
    const NONE: Site = Site {
        unit: std::ptr::null(),
        trace: 0,
        frame: std::ptr::null(),
        segment: std::ptr::null(),
        next: std::ptr::null(),
    };
}

/// What stands around a resume function that runs.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// The unit.
    pub unit: *const LoadedUnit,
    /// The exit that was taken, and which of its frames runs; the outer ones wait for it. The outermost of
    /// an exit is not of it, but of what stands around.
    pub exit: Option<(usize, usize)>,
    /// What stands around the outermost frame of the exit; null for a call's own frame.
    pub outer: *const Segment,
    /// For a call's own frame: the frame pointer of the body in whose place it runs, null where an entry
    /// called.
    pub body: *const u64,
}

impl Site {
    /// A copy. Word by word: the words were stored one by one just now, and a wider load would wait for them.
    #[inline]
    unsafe fn copy(site: *const Site) -> Site {
        // SAFETY: the caller's attached thread is alone with the site.
        unsafe {
            Site {
                unit: (&raw const (*site).unit).read_volatile(),
                trace: (&raw const (*site).trace).read_volatile(),
                frame: (&raw const (*site).frame).read_volatile(),
                segment: (&raw const (*site).segment).read_volatile(),
                next: std::ptr::null(),
            }
        }
    }
}

struct SharedSite(UnsafeCell<Site>);

// SAFETY: only attached threads use it, each within one call from compiled code to its helper.
unsafe impl Sync for SharedSite {}

static SITE: SharedSite = SharedSite(UnsafeCell::new(Site::NONE));

/// The address at which compiled code leaves its site.
#[must_use]
pub fn site_address() -> *const Site {
    SITE.0.get()
}

/// Forgets the site: the helper runs nothing that looks.
///
/// # Safety
/// The thread is attached.
#[inline]
pub unsafe fn pass() {
    // SAFETY: an attached thread is alone with it.
    unsafe { (*SITE.0.get()).frame = std::ptr::null() };
}

/// Says which trace the site that was left is of: the code that left it stands for many.
///
/// # Safety
/// The thread is attached.
pub unsafe fn set_trace(trace: u32) {
    // SAFETY: an attached thread is alone with it.
    unsafe { (*SITE.0.get()).trace = u64::from(trace) };
}

/// The frame pointer of the body that has just called a helper, for a [`Segment`].
///
/// # Safety
/// The thread is attached.
pub unsafe fn take_body() -> *const u64 {
    // SAFETY: an attached thread is alone with it.
    unsafe { std::mem::replace(&mut (*SITE.0.get()).frame, std::ptr::null()) }
}

/// Leaves a segment for the resume function that is called next.
///
/// # Safety
/// The thread is attached; the segment is alive until that function returns.
pub unsafe fn announce(segment: &Segment) {
    // SAFETY: an attached thread is alone with it.
    unsafe { (*SITE.0.get()).next = segment };
}

/// The frames of compiled code, linked as long as this lives.
pub struct Frames {
    _linked: Option<LinkedFrames>,
}

/// Links the frames of the compiled code that has just called a helper, if it left its site.
///
/// # Safety
/// - The thread is attached and stays the same.
/// - The site, if there is one, was left by the code that waits for this call.
#[inline]
#[must_use]
pub unsafe fn link() -> Frames {
    // SAFETY: the caller's contract.
    unsafe { link_unless(|| false) }
}

/// As [`link`], unless the helper finds that it runs nothing that looks.
///
/// # Safety
/// As [`link`].
#[inline]
#[must_use]
pub unsafe fn link_unless(is_blind: impl FnOnce() -> bool) -> Frames {
    // SAFETY: the caller's contract.
    unsafe {
        let place = SITE.0.get();
        let frame = std::mem::replace(&mut (*place).frame, std::ptr::null());
        if is_blind() {
            return Frames { _linked: None };
        }
        let site = Site { frame, ..Site::copy(place) };
        waiting::show();
        let linked = (!frame.is_null()).then(|| link_site(site));
        Frames { _linked: linked }
    }
}

/// Makes a call of compiled code: the site that was left waits, and its frames are linked when something looks.
///
/// # Safety
/// - The thread is attached and stays the same; the site was left by the code that waits for this call.
/// - What is called runs nothing that looks before [`show`] was called or other frames were linked.
#[inline]
pub unsafe fn wait<R>(call: impl FnOnce() -> R) -> R {
    // SAFETY: the caller's contract.
    unsafe {
        let site = SITE.0.get();
        let frame = std::mem::replace(&mut (*site).frame, std::ptr::null());
        if frame.is_null() {
            return call();
        }
        waiting::call(Site { frame, ..Site::copy(site) }, call)
    }
}

unsafe fn link_site(site: Site) -> LinkedFrames {
    // SAFETY: the thread is attached, as for every helper; the units of code that runs are alive, and so
    // is what their functions show.
    unsafe {
        let py = Python::assume_attached();
        LinkedFrames::link(|shown| walk(py, &site, shown))
    }
}

/// Collects what the frames show, innermost first.
unsafe fn walk(py: Python<'_>, site: &Site, shown: &mut Vec<Shown>) {
    // SAFETY: the units are those of code that runs; frame pointers lead from a body to its caller, and
    // every frame of compiled code begins with the saved frame pointer and the return address.
    unsafe {
        show_trace(py, &*site.unit, position(site.trace), shown);
        let mut frame = site.frame;
        let mut segment = (site.segment as i64 != BODY).then_some(site.segment);
        loop {
            if let Some(around) = segment {
                let Some(mut around) = around.as_ref() else { return };
                show_waiting(py, around, shown);
                while let Some(outer) = around.outer.as_ref() {
                    around = outer;
                    show_waiting(py, around, shown);
                }
                frame = around.body;
            }
            if frame.is_null() {
                return;
            }
            let Some(call) = pieces::caller(*frame.add(1)) else { return };
            show_trace(py, &*call.unit, call.trace, shown);
            frame = *frame as *const u64;
            segment = call.segment.map(|below| *frame.byte_sub(below) as *const Segment);
        }
    }
}

/// The functions that wait for the resume function's result.
unsafe fn show_waiting(py: Python<'_>, around: &Segment, shown: &mut Vec<Shown>) {
    let Some((exit, running)) = around.exit else { return };
    // SAFETY: the unit of code that runs is alive.
    let unit = unsafe { &*around.unit };
    for frame in &unit.meta().exits[exit].frames[running + 1..] {
        // SAFETY: as above.
        unsafe { show_trace(py, unit, frame.trace as usize, shown) };
    }
}

/// The functions of a trace.
unsafe fn show_trace(py: Python<'_>, unit: &LoadedUnit, trace: usize, shown: &mut Vec<Shown>) {
    let entries = &unit.meta().traces[trace].entries;
    for (number, &(function, _)) in entries.iter().enumerate() {
        let instruction = traceback::instruction_of(py, unit, trace, number);
        let (owner, loaded) = unit.resolve(function as usize);
        let Some(callable) = owner.function_object(py, loaded) else { return };
        shown.push(Shown {
            // SAFETY: a live callable.
            function: unsafe { install::function_of(callable) },
            code: loaded.code(),
            globals: owner.globals(),
            builtins: owner.builtins(),
            variables: loaded.variables,
            instruction,
        });
    }
}

fn position(word: u64) -> usize {
    usize::try_from(word).expect("compiled code has trace numbers")
}
