//! Methods that the interpreter calls for a binary operator or a comparison.
//!
//! They answer NotImplemented for an operand that they don't know; so does their check, for the second
//! operand, and NotImplemented is never a wrong result.

use pyo3::PyResult;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;

/// The number of the second operand's variable.
pub(super) const OPERAND: usize = 1;

const COMPARISONS: [&str; 6] = ["__lt__", "__le__", "__eq__", "__ne__", "__gt__", "__ge__"];

/// The operators, without the underscores and the `r` or `i` of their reflected and in-place forms.
const OPERATORS: [&str; 14] = [
    "add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and",
    "xor", "or",
];

/// Whether the function is such a method: by its name, as the interpreter finds it, and defined in a class.
pub(super) fn is_operator(function: &Bound<'_, PyAny>, positional: usize) -> PyResult<bool> {
    let py = function.py();
    if positional <= OPERAND {
        return Ok(false);
    }
    let code = function.getattr(intern!(py, "__code__"))?;
    let name: String = code.getattr(intern!(py, "co_name"))?.extract()?;
    if !is_operator_name(&name) {
        return Ok(false);
    }
    let qualname: String = function.getattr(intern!(py, "__qualname__"))?.extract()?;
    let scope = qualname.strip_suffix(name.as_str()).unwrap_or_default();
    Ok(!scope.is_empty() && !scope.ends_with("<locals>."))
}

fn is_operator_name(name: &str) -> bool {
    let Some(bare) = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__")) else { return false };
    COMPARISONS.contains(&name)
        || OPERATORS.contains(&bare)
        || bare.strip_prefix(['r', 'i']).is_some_and(|base| OPERATORS.contains(&base) && bare != "idivmod")
}

#[cfg(test)]
mod tests {
    use super::is_operator_name;

    #[test]
    fn names_of_operators() {
        for name in [
            "__add__",
            "__radd__",
            "__iadd__",
            "__eq__",
            "__rdivmod__",
            "__rshift__",
            "__rrshift__",
            "__or__",
        ] {
            assert!(is_operator_name(name), "{name}");
        }
        for name in ["add", "__req__", "__idivmod__", "__contains__", "__call__", "__add", "____"] {
            assert!(!is_operator_name(name), "{name}");
        }
    }
}
