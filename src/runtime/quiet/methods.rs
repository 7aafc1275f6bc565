//! Which methods of lists, strings, bytes and dicts run no Python for these arguments.

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;

use crate::cpython::container::list_items;
use crate::cpython::object::is_int;
use crate::cpython::object::type_of;
use crate::cpython::running;

use super::has_string_keys;
use super::is_simple;

/// The addresses of method descriptors, which live for ever.
pub(super) struct Methods {
    list_append: usize,
    list_insert: usize,
    list_pop: usize,
    list_extend: usize,
    list_reverse: usize,
    str_join: usize,
    dict_views: [usize; 4],
    dict_get: usize,
    dict_setdefault: usize,
    /// They may look a codec up, which is Python.
    codecs: [usize; 2],
}

impl Methods {
    /// Finds them by `address`, which gives the object that an expression means.
    pub(super) fn find(address: &impl Fn(&CStr) -> PyResult<usize>) -> PyResult<Methods> {
        Ok(Methods {
            list_append: address(c"list.append")?,
            list_insert: address(c"list.insert")?,
            list_pop: address(c"list.pop")?,
            list_extend: address(c"list.extend")?,
            list_reverse: address(c"list.reverse")?,
            str_join: address(c"str.join")?,
            dict_views: [
                address(c"dict.keys")?,
                address(c"dict.values")?,
                address(c"dict.items")?,
                address(c"dict.copy")?,
            ],
            dict_get: address(c"dict.get")?,
            dict_setdefault: address(c"dict.setdefault")?,
            codecs: [address(c"str.encode")?, address(c"bytes.decode")?],
        })
    }

    /// Whether a call of this descriptor with the object and further arguments runs no Python.
    ///
    /// # Safety
    /// All objects are alive.
    pub(super) unsafe fn is_quiet(&self, method: usize, args: &[*mut PyObject]) -> bool {
        let [object, rest @ ..] = args else { return false };
        // SAFETY: the type of an object is tested before it is read.
        unsafe {
            let class = type_of(*object);
            if class == &raw mut ffi::PyUnicode_Type || class == &raw mut ffi::PyBytes_Type {
                let is_codec = !rest.is_empty() && self.codecs.contains(&method);
                return !is_codec && rest.iter().all(|&arg| is_simple(arg))
                    || self.is_quiet_join(method, rest);
            }
            if class == &raw mut ffi::PyList_Type {
                return self.is_quiet_of_list(method, rest);
            }
            class == &raw mut ffi::PyDict_Type && self.is_quiet_of_dict(method, *object, rest)
        }
    }

    unsafe fn is_quiet_join(&self, method: usize, rest: &[*mut PyObject]) -> bool {
        // SAFETY: the type is tested before the items are read.
        unsafe {
            match *rest {
                [items] if method == self.str_join && type_of(items) == &raw mut ffi::PyList_Type => {
                    list_items(running().layout, items).iter().all(|&item| is_simple(item))
                }
                _ => false,
            }
        }
    }

    unsafe fn is_quiet_of_list(&self, method: usize, rest: &[*mut PyObject]) -> bool {
        // SAFETY: the arguments are alive.
        unsafe {
            match *rest {
                [] => method == self.list_pop || method == self.list_reverse,
                [_] if method == self.list_append => true,
                [index] if method == self.list_pop => is_simple(index),
                [items] if method == self.list_extend => {
                    let class = type_of(items);
                    class == &raw mut ffi::PyList_Type || class == &raw mut ffi::PyTuple_Type
                }
                [index, _] => method == self.list_insert && is_int(index),
                _ => false,
            }
        }
    }

    unsafe fn is_quiet_of_dict(&self, method: usize, dict: *mut PyObject, rest: &[*mut PyObject]) -> bool {
        // SAFETY: the dict is exact.
        unsafe {
            match *rest {
                [] => self.dict_views.contains(&method) && has_string_keys(dict),
                [key] | [key, _] => {
                    (method == self.dict_get || method == self.dict_setdefault)
                        && type_of(key) == &raw mut ffi::PyUnicode_Type
                        && has_string_keys(dict)
                }
                _ => false,
            }
        }
    }
}
