//! A name in an annotation that is not defined yet.
//!
//! The first check looks it up again, where the function was defined; as long as that fails the annotation
//! is not enforced, and the lookup is repeated at the 2nd, 4th, 8th... check, so that a name that never
//! appears costs nothing in the long run. A name that was found stays what it was then.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use pyo3::PyResult;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::Python;

use super::hooks;
use super::plan::Check;
use super::plan::Options;
use super::plan::Plan;

/// An annotation, or a part of one, that could not be evaluated.
pub struct Pending {
    text: String,
    reason: String,
    options: Options,
    checks: AtomicU32,
    found: OnceLock<Box<Plan>>,
}

impl Pending {
    /// The annotation's text, and why it could not be evaluated.
    #[must_use]
    pub fn new(text: String, reason: String, options: Options) -> Pending {
        Pending { text, reason, options, checks: AtomicU32::new(0), found: OnceLock::new() }
    }

    /// The annotation's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is not checked at present.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        self.found.get().map_or_else(|| vec![self.reason.clone()], |plan| plan.gaps.clone())
    }

    /// The check, if the name can be found by now. `function` is where it is looked up.
    pub fn check(&self, py: Python<'_>, function: Option<&Bound<'_, PyAny>>) -> PyResult<Option<&Check>> {
        if let Some(plan) = self.found.get() {
            return Ok(Some(&plan.check));
        }
        let Some(function) = function else { return Ok(None) };
        let checks = self.checks.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if !checks.is_power_of_two() {
            return Ok(None);
        }
        let hint = hooks::evaluate(py, &self.text, function)?;
        if hooks::unresolved(&hint)?.is_some() {
            return Ok(None);
        }
        let plan = Plan::from_hint(&hint, Some(function), self.options)?;
        Ok(Some(&self.found.get_or_init(|| Box::new(plan)).check))
    }
}
