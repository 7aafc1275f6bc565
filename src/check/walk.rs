//! The elements of a container, where looking at them does no harm: those of the builtin containers and of
//! their subclasses that do not override the iteration.
//!
//! A size that changes during the walk does no harm: an element that comes later may be missed then.

use pyo3::PyResult;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyDictMethods;
use pyo3::prelude::PyListMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::types::PyDict;
use pyo3::types::PyFrozenSet;
use pyo3::types::PyList;
use pyo3::types::PySet;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;
use pyo3::types::PyType;

/// The first item that the test finds, and where it stands.
pub(super) fn find_item<'py>(
    value: &Bound<'py, PyAny>,
    mut test: impl FnMut(&Bound<'py, PyAny>) -> PyResult<bool>,
) -> PyResult<Option<(String, Bound<'py, PyAny>)>> {
    let py = value.py();
    if let Ok(list) = value.cast::<PyList>()
        && iterates_as(value, &py.get_type::<PyList>())
    {
        let mut position = 0;
        while let Ok(item) = list.get_item(position) {
            if test(&item)? {
                return Ok(Some((format!("[{position}]"), item)));
            }
            position += 1;
        }
    } else if let Ok(tuple) = value.cast::<PyTuple>()
        && iterates_as(value, &py.get_type::<PyTuple>())
    {
        for (position, item) in tuple.iter().enumerate() {
            if test(&item)? {
                return Ok(Some((format!("[{position}]"), item)));
            }
        }
    } else if is_set(value) {
        for item in value.try_iter()?.collect::<PyResult<Vec<_>>>()? {
            if test(&item)? {
                return Ok(Some((" item".to_owned(), item)));
            }
        }
    }
    Ok(None)
}

/// The first key and value that the test finds.
pub(super) fn find_entry<'py>(
    value: &Bound<'py, PyAny>,
    mut test: impl FnMut(&Bound<'py, PyAny>, &Bound<'py, PyAny>) -> PyResult<bool>,
) -> PyResult<Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    if let Ok(dict) = value.cast::<PyDict>()
        && iterates_as(value, &value.py().get_type::<PyDict>())
    {
        for (key, item) in dict.copy()?.iter() {
            if test(&key, &item)? {
                return Ok(Some((key, item)));
            }
        }
    }
    Ok(None)
}

fn is_set(value: &Bound<'_, PyAny>) -> bool {
    let py = value.py();
    value.cast::<PySet>().is_ok() && iterates_as(value, &py.get_type::<PySet>())
        || value.cast::<PyFrozenSet>().is_ok() && iterates_as(value, &py.get_type::<PyFrozenSet>())
}

/// Whether iterating over the value does what it does for the builtin class.
fn iterates_as(value: &Bound<'_, PyAny>, builtin: &Bound<'_, PyType>) -> bool {
    let class = value.get_type_ptr();
    // SAFETY: both types are alive.
    class == builtin.as_type_ptr()
        || unsafe {
            ffi::PyType_GetSlot(class, ffi::Py_tp_iter)
                == ffi::PyType_GetSlot(builtin.as_type_ptr(), ffi::Py_tp_iter)
        }
}
