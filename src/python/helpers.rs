//! A door for tests: helpers of the runtime library called with Python values, to be compared with what
//! the interpreter computes.

use pyo3::exceptions::PyRuntimeError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::cpython;
use crate::ir::MathFn;
use crate::runtime::float;
use crate::runtime::int;
use crate::runtime::table::Pair;

/// What a helper computes of these arguments; None where it leaves the case to the generic version.
///
/// # Errors
/// When there is no such helper, the arguments are not its, or the interpreter is not a known one.
#[pyfunction]
pub fn call_helper<'py>(name: &str, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
    let py = args.py();
    cpython::connect(py).map_err(PyRuntimeError::new_err)?;
    let known = |Pair(value, is_known): Pair<i64, i64>| (is_known != 0).then_some(value);
    let object = match name {
        "int_pow" | "int_range_len" => {
            let result = if name == "int_pow" {
                let (base, exponent) = args.extract()?;
                int::int_pow(base, exponent)
            } else {
                let (start, stop, step) = args.extract()?;
                int::int_range_len(start, stop, step)
            };
            known(result).into_pyobject(py)?
        }
        "int_true_div" => {
            let (a, b) = args.extract()?;
            int::int_true_div(a, b).into_pyobject(py)?.into_any()
        }
        "int_compare_float" => {
            let (a, b) = args.extract()?;
            int::int_compare_float(a, b).into_pyobject(py)?.into_any()
        }
        "int_unbox" => {
            let (value,): (Bound<'_, PyAny>,) = args.extract()?;
            // SAFETY: a live int, as the test passes it.
            known(unsafe { int::int_unbox(value.as_ptr()) }).into_pyobject(py)?
        }
        "float_pow" => {
            let (a, b) = args.extract()?;
            let Pair(power, is_known) = float::float_pow(a, b);
            (is_known != 0).then_some(power).into_pyobject(py)?
        }
        "float_floor_div" | "float_mod" => {
            let (a, b) = args.extract()?;
            let helper = if name == "float_mod" { float::float_mod } else { float::float_floor_div };
            helper(a, b).into_pyobject(py)?.into_any()
        }
        _ => call_math(name, args)?.into_pyobject(py)?.into_any(),
    };
    Ok(object)
}

fn call_math(name: &str, args: &Bound<'_, PyTuple>) -> PyResult<f64> {
    let row = MathFn::ALL.iter().position(|function| function.name() == name);
    let row = row.ok_or_else(|| PyValueError::new_err(format!("no helper named '{name}'")))?;
    let table = float::math_table().cast::<*const ()>();
    // SAFETY: the table has one function for each row, of as many doubles as the row says.
    unsafe {
        let address = *table.add(row);
        if MathFn::ALL[row].arity() == 2 {
            let (x, y) = args.extract()?;
            Ok(std::mem::transmute::<*const (), extern "C" fn(f64, f64) -> f64>(address)(x, y))
        } else {
            let (x,) = args.extract()?;
            Ok(std::mem::transmute::<*const (), extern "C" fn(f64) -> f64>(address)(x))
        }
    }
}
