//! The file of a built module: whether it is whole, and code of it without a module of its own.
//!
//! Behind the shared object stand 16 bytes: [`MARK`] and a checksum of all before. They tell damage, not intent: who can
//! write the file can write these too.

use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_void;

use pyo3::exceptions::PyImportError;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;

/// Stands in front of the checksum.
const MARK: &[u8; 8] = b"castiron";

/// A number that has an inverse modulo 2**64, so that no step of the checksum forgets anything.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// The bytes that go behind a shared object.
#[must_use]
pub fn footer(bytes: &[u8]) -> [u8; 16] {
    let mut footer = [0; 16];
    footer[..8].copy_from_slice(MARK);
    footer[8..].copy_from_slice(&checksum(bytes).to_le_bytes());
    footer
}

/// A change of any one word changes it.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let mut words = bytes.chunks_exact(8);
    let sum = words.by_ref().fold(bytes.len() as u64, |sum, word| {
        step(sum, u64::from_le_bytes(word.try_into().expect("chunks have 8 bytes")))
    });
    words.remainder().iter().fold(sum, |sum, &byte| step(sum, u64::from(byte)))
}

/// Whether the file ends as it was written, and is what it was then.
#[must_use]
pub fn is_whole(file: &[u8]) -> bool {
    file.split_last_chunk::<16>().is_some_and(|(bytes, last)| footer(bytes) == *last)
}

/// Fails where the shared object that holds this address is damaged. A file that is gone can't be looked at.
pub(super) fn verify(data: *const u64) -> PyResult<()> {
    let mut found = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: the place is ours; the name lives as long as the object is loaded, which is for ever.
    let path = unsafe {
        if libc::dladdr(data.cast::<c_void>(), &raw mut found) == 0 || found.dli_fname.is_null() {
            return Ok(());
        }
        CStr::from_ptr(found.dli_fname)
    };
    let path = path.to_string_lossy();
    match std::fs::read(&*path) {
        Ok(file) if !is_whole(&file) => Err(damaged(&path)),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn damaged(path: &str) -> PyErr {
    PyImportError::new_err(format!("{path} is damaged: build it again with `castiron build`"))
}

/// Maps a shared object that has been built, and calls its function of this name for the definition of a module.
///
/// # Errors
/// When the file is damaged, can't be mapped, or is for another interpreter or machine.
pub(super) fn map(path: &str, function: &str) -> PyResult<*mut PyObject> {
    let file = std::fs::read(path)?;
    if !is_whole(&file) {
        return Err(damaged(path));
    }
    drop(file);
    let (path, function) = (CString::new(path)?, CString::new(function)?);
    // SAFETY: loading runs no code of the object, which has no initialisers; it stays loaded.
    unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        let init = if handle.is_null() { handle } else { libc::dlsym(handle, function.as_ptr()) };
        if init.is_null() {
            let reason = CStr::from_ptr(libc::dlerror()).to_string_lossy().into_owned();
            return Err(PyImportError::new_err(reason));
        }
        let init: unsafe extern "C" fn() -> *mut PyObject = std::mem::transmute(init);
        let definition = init();
        if definition.is_null() {
            return Err(PyErr::fetch(Python::assume_attached()));
        }
        Ok(definition)
    }
}
