//! Which machine code this processor runs.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

/// Fails where the processor lacks one of these features, named as Cranelift names them.
pub(super) fn verify(module: &str, features: &[String]) -> PyResult<()> {
    match features.iter().find(|feature| !has(feature)) {
        None => Ok(()),
        Some(missing) => {
            let missing = missing.trim_start_matches("has_");
            Err(PyImportError::new_err(format!(
                "{module} was built for a processor with {missing}, which this one lacks: build it again here, or \
                 without --cpu native"
            )))
        }
    }
}

macro_rules! features {
    ($name:expr, $($ours:literal = $theirs:tt,)*) => {
        match $name {
            $($ours => std::arch::is_x86_feature_detected!($theirs),)*
            _ => false,
        }
    };
}

#[cfg(target_arch = "x86_64")]
fn has(feature: &str) -> bool {
    features!(
        feature,
        "has_cmpxchg16b" = "cmpxchg16b",
        "has_sse3" = "sse3",
        "has_ssse3" = "ssse3",
        "has_sse41" = "sse4.1",
        "has_sse42" = "sse4.2",
        "has_popcnt" = "popcnt",
        "has_avx" = "avx",
        "has_avx2" = "avx2",
        "has_fma" = "fma",
        "has_bmi1" = "bmi1",
        "has_bmi2" = "bmi2",
        "has_lzcnt" = "lzcnt",
        "has_avx512bitalg" = "avx512bitalg",
        "has_avx512dq" = "avx512dq",
        "has_avx512f" = "avx512f",
        "has_avx512vbmi" = "avx512vbmi",
        "has_avx512vl" = "avx512vl",
        "has_avx512vnni" = "avx512vnni",
        "has_avx_vnni" = "avxvnni",
    )
}

#[cfg(not(target_arch = "x86_64"))]
fn has(_: &str) -> bool {
    false
}
