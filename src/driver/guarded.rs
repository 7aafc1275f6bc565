//! Where a panic of ours stops: the function stays bytecode, and nothing is printed.

use std::any::Any;
use std::cell::Cell;
use std::cell::RefCell;
use std::panic;
use std::panic::AssertUnwindSafe;
use std::panic::PanicHookInfo;
use std::sync::Once;

use super::Failure;

/// Native stack that a stage finds: a thread may have been made with next to none.
const LEAST_STACK: usize = 1 << 20;

/// What it gets where it would find less.
const STACK: usize = 8 << 20;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a stage of the compiler; a panic becomes [`Failure::Bug`] with its message and place.
pub(super) fn run<T>(stage: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    install_hook();
    let outer = GUARDED.replace(true);
    // A stage owns what it builds, so nothing half-done is left behind.
    let result = panic::catch_unwind(AssertUnwindSafe(|| stacker::maybe_grow(LEAST_STACK, STACK, stage)));
    GUARDED.set(outer);
    result.unwrap_or_else(|payload| {
        let message = MESSAGE.take().unwrap_or_else(|| text_of(&*payload));
        Err(Failure::Bug(message))
    })
}

/// Keeps the messages of guarded threads to ourselves; all other panics are reported as before.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let default = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if GUARDED.get() {
                let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
                MESSAGE.set(Some(text_of(info.payload()) + &place.unwrap_or_default()));
            } else {
                default(info);
            }
        }));
    });
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
