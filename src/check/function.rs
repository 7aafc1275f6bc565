//! The check plan of a function: one plan per annotated parameter, one for the result.

use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyDictMethods;
use pyo3::prelude::Python;
use pyo3::pyclass;
use pyo3::pymethods;
use pyo3::types::PyDict;
use pyo3::types::PyString;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;

use super::checker;
use super::generator;
use super::generator::Makes;
use super::guard::Guard;
use super::guard::Place;
use super::guard::Spot;
use super::guard::Subject;
use super::hooks;
use super::operator;
use super::operator::OPERAND;
use super::plan::Check;
use super::plan::Options;
use super::plan::Plan;
use crate::runtime::promise::Promise;
use crate::runtime::promise::Verdict;
use crate::types::Type;

const CO_VARARGS: usize = 4;
const CO_VARKEYWORDS: usize = 8;

/// How a parameter takes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One value, also by position.
    Positional,
    /// One value, by name only.
    KeywordOnly,
    /// `*args`: the annotation is each item's.
    Arguments,
    /// `**kwargs`: the annotation is each value's.
    Keywords,
}

struct Parameter {
    /// Position among the code object's variables.
    index: usize,
    name: String,
    kind: Kind,
    plan: Plan,
}

/// The enforced annotations of one function, or of all functions with its code and equal annotations.
#[pyclass(frozen, module = "castiron._castiron")]
pub struct FunctionPlan {
    parameters: Vec<Parameter>,
    /// Of what the function returns.
    result: Option<Plan>,
    /// Of what a generator yields.
    yields: Option<Plan>,
    /// Of what a generator is sent.
    sends: Option<Plan>,
    /// Of the generator that a call makes, where the annotation names no parts of one.
    made: Option<Plan>,
    /// How many parameters take positional arguments.
    positional: usize,
    /// Whether this is a method of a binary operator or a comparison.
    is_operator: bool,
    /// What a call makes.
    makes: Makes,
    /// Is given the exception of a broken promise instead of its being raised.
    warn: Option<Py<PyAny>>,
}

#[pymethods]
impl FunctionPlan {
    /// Compiles annotations: a dict from parameter names (and `return`) to objects, as `resolve` gives them.
    #[new]
    #[pyo3(signature = (function, annotations, *, deep = false, strict = false, warn = None))]
    pub fn of(
        function: &Bound<'_, PyAny>,
        annotations: &Bound<'_, PyDict>,
        deep: bool,
        strict: bool,
        warn: Option<Py<PyAny>>,
    ) -> PyResult<FunctionPlan> {
        let options = Options { deep, strict };
        let py = function.py();
        let code = function.getattr(intern!(py, "__code__"))?;
        let positional = code.getattr(intern!(py, "co_argcount"))?.extract::<usize>()?;
        let mut parameters = Vec::with_capacity(annotations.len());
        for (index, (name, kind)) in parameters_of(&code, positional)?.into_iter().enumerate() {
            if let Some(hint) = annotations.get_item(&name)? {
                let plan = Plan::from_hint(&hint, Some(function), options)?;
                parameters.push(Parameter { index, name: name.to_string(), kind, plan });
            }
        }
        let is_operator = operator::is_operator(function, positional)?;
        let (result, yields, sends, made) = (None, None, None, None);
        let makes = Makes::of_flags(code.getattr(intern!(py, "co_flags"))?.extract()?);
        let mut plan =
            FunctionPlan { parameters, result, yields, sends, made, positional, is_operator, makes, warn };
        if let Some(hint) = annotations.get_item(intern!(py, "return"))? {
            plan.add_result(function, &hint, options)?;
        }
        Ok(plan)
    }

    /// The numbers of the variables that some value breaks.
    pub(super) fn checked(&self) -> Vec<usize> {
        let open = |parameter: &&Parameter| !matches!(parameter.plan.check, Check::Anything);
        self.parameters.iter().filter(open).map(|parameter| parameter.index).collect()
    }

    /// Whether the second operand is checked, and its check declines instead of failing.
    fn declines(&self) -> bool {
        self.is_operator && self.checked().contains(&OPERAND)
    }

    /// A checker that is given the value of the variable.
    fn argument_checker(slf: &Bound<'_, FunctionPlan>, variable: usize) -> PyResult<Py<PyAny>> {
        checker::new(slf, Spot::Argument(variable))
    }

    /// A checker that reads the values of all checked variables from the frame that runs it.
    fn arguments_checker(slf: &Bound<'_, FunctionPlan>) -> PyResult<Py<PyAny>> {
        checker::new_for_arguments(slf)
    }

    /// The checker of the result, if some value breaks it.
    fn result_checker(slf: &Bound<'_, FunctionPlan>) -> PyResult<Option<Py<PyAny>>> {
        checker_at(slf, Spot::Result)
    }

    /// The checker of what a generator yields, if some value breaks it.
    fn yields_checker(slf: &Bound<'_, FunctionPlan>) -> PyResult<Option<Py<PyAny>>> {
        checker_at(slf, Spot::Yielded)
    }

    /// The checker of what a generator is sent, if some value breaks it.
    fn sends_checker(slf: &Bound<'_, FunctionPlan>) -> PyResult<Option<Py<PyAny>>> {
        checker_at(slf, Spot::Sent)
    }

    /// The checker of the generator that a call makes, where its annotation may refuse every generator.
    fn made_checker(slf: &Bound<'_, FunctionPlan>) -> PyResult<Option<Py<PyAny>>> {
        checker_at(slf, Spot::Made)
    }

    /// Whether both plans check the same; names that are still open are never the same.
    pub fn same(&self, other: &Bound<'_, FunctionPlan>) -> bool {
        let (py, other) = (other.py(), other.get());
        let same = |spot| match (self.check_at(spot), other.check_at(spot)) {
            (Some(a), Some(b)) => a.same(b, py),
            (None, None) => true,
            _ => false,
        };
        [Spot::Result, Spot::Yielded, Spot::Sent, Spot::Made].into_iter().all(same)
            && self.is_operator == other.is_operator
            && self.warn.is_some() == other.warn.is_some()
            && self.parameters.len() == other.parameters.len()
            && self
                .parameters
                .iter()
                .zip(&other.parameters)
                .all(|(a, b)| a.index == b.index && a.plan.check.same(&b.plan.check, py))
    }

    /// What is not checked at present: pairs of a parameter's name (or `return`) and the reason.
    pub fn gaps(&self) -> Vec<(String, String)> {
        let results = [&self.result, &self.yields, &self.sends, &self.made];
        let result = results.into_iter().flatten().map(|plan| ("return", plan));
        let all =
            self.parameters.iter().map(|parameter| (parameter.name.as_str(), &parameter.plan)).chain(result);
        all.flat_map(|(name, plan)| plan.open_gaps().into_iter().map(move |gap| (name.to_owned(), gap)))
            .collect()
    }
}

/// A checker of what stands at the spot, if some value breaks it.
fn checker_at(plan: &Bound<'_, FunctionPlan>, spot: Spot) -> PyResult<Option<Py<PyAny>>> {
    match plan.get().check_at(spot) {
        None | Some(Check::Anything) => Ok(None),
        Some(_) => checker::new(plan, spot).map(Some),
    }
}

/// What a function's enforced annotations leave unchecked, in words. `Enforcement::Woven` looks for the checks
/// in its bytecode; a function that has none leaves nothing unchecked, for it promises nothing.
pub fn unchecked(function: &Bound<'_, PyAny>, enforcement: Enforcement) -> PyResult<Vec<String>> {
    let py = function.py();
    let consts = function.getattr(intern!(py, "__code__"))?.getattr(intern!(py, "co_consts"))?;
    let woven = consts.cast::<PyTuple>()?.iter().find_map(|constant| checker::plan_behind(&constant));
    let gaps = match (woven, enforcement) {
        (Some(plan), _) => plan.get().gaps(),
        (None, Enforcement::Native) => {
            let annotations = function.getattr(intern!(py, "__annotations__"))?;
            FunctionPlan::of(function, annotations.cast::<PyDict>()?, false, false, None)?.gaps()
        }
        (None, Enforcement::Woven) => Vec::new(),
    };
    let place = |name: &str| if name == "return" { "the result".to_owned() } else { format!("{name:?}") };
    Ok(gaps
        .into_iter()
        .map(|(name, gap)| format!("{} is not checked in full: {gap}", place(&name)))
        .collect())
}

/// Who enforces a function's annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// Checks in its bytecode, if any.
    Woven,
    /// The entry of its machine code.
    Native,
}

/// Names and kinds of the parameters in the order of the code object's variables.
fn parameters_of<'py>(
    code: &Bound<'py, PyAny>,
    positional: usize,
) -> PyResult<Vec<(Bound<'py, PyString>, Kind)>> {
    let py = code.py();
    let flags = code.getattr(intern!(py, "co_flags"))?.extract::<usize>()?;
    let keyword_only = code.getattr(intern!(py, "co_kwonlyargcount"))?.extract::<usize>()?;
    let mut kinds = vec![Kind::Positional; positional];
    kinds.resize(positional + keyword_only, Kind::KeywordOnly);
    kinds.extend((flags & CO_VARARGS != 0).then_some(Kind::Arguments));
    kinds.extend((flags & CO_VARKEYWORDS != 0).then_some(Kind::Keywords));
    let names = code.getattr(intern!(py, "co_varnames"))?.cast_into::<PyTuple>()?;
    names.iter().zip(kinds).map(|(name, kind)| Ok((name.cast_into::<PyString>()?, kind))).collect()
}

impl FunctionPlan {
    /// The quick part of the check of the parameter at this index, or of the result.
    pub(super) fn guard(&self, py: Python<'_>, spot: Spot) -> Guard {
        let mut place = Place { spot, from_last: 0, subject: Subject::Value };
        if let Spot::Argument(index) = spot
            && let Some(parameter) = self.parameter(index)
        {
            match parameter.kind {
                Kind::Positional => place.from_last = self.positional - index,
                Kind::KeywordOnly => {}
                Kind::Arguments => place.subject = Subject::Items,
                Kind::Keywords => place.subject = Subject::Entries,
            }
        }
        Guard::new(py, self.check_at(spot).unwrap_or(&Check::Anything), place)
    }

    /// The check of what stands at the spot.
    fn check_at(&self, spot: Spot) -> Option<&Check> {
        let plan = match spot {
            Spot::Argument(index) => return self.parameter(index).map(|parameter| &parameter.plan.check),
            Spot::Result => &self.result,
            Spot::Yielded => &self.yields,
            Spot::Sent => &self.sends,
            Spot::Made => &self.made,
        };
        plan.as_ref().map(|plan| &plan.check)
    }

    /// Compiles the result's annotation, which a generator's parts share.
    fn add_result(
        &mut self,
        function: &Bound<'_, PyAny>,
        hint: &Bound<'_, PyAny>,
        options: Options,
    ) -> PyResult<()> {
        let compile = |hint: &Bound<'_, PyAny>| Plan::from_hint(hint, Some(function), options);
        if self.makes == Makes::Result {
            self.result = Some(compile(hint)?);
            return Ok(());
        }
        let Some(parts) = generator::parts(hint, self.makes)? else {
            self.made = Some(compile(hint)?);
            return Ok(());
        };
        self.yields = parts.yields.as_ref().map(compile).transpose()?;
        self.sends = parts.sends.as_ref().map(compile).transpose()?;
        self.result = parts.result.as_ref().map(compile).transpose()?;
        Ok(())
    }

    /// Checks what stands at the spot, or only warns of it.
    pub(super) fn check_or_warn(
        &self,
        function: &Bound<'_, PyAny>,
        spot: Spot,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Verdict> {
        let checked = self.check(function, spot, value);
        let Some(warn) = &self.warn else { return checked };
        if let Err(error) = checked {
            warn.bind(function.py()).call1((error.into_value(function.py()),))?;
        }
        Ok(Verdict::Kept)
    }

    /// Checks what stands at the spot.
    fn check(&self, function: &Bound<'_, PyAny>, spot: Spot, value: &Bound<'_, PyAny>) -> PyResult<Verdict> {
        let (check, parameter) = match spot {
            Spot::Argument(index) => return self.check_argument(function, index, value),
            Spot::Result => return self.check_result(function, value).map(|()| Verdict::Kept),
            Spot::Made => (&self.made, None),
            Spot::Yielded => (&self.yields, Some(hooks::YIELDED)),
            // `next` sends None to any generator.
            Spot::Sent if value.is_none() => return Ok(Verdict::Kept),
            Spot::Sent => (&self.sends, Some(hooks::SENT)),
        };
        match check {
            Some(plan) if !plan.check.accepts(value, Some(function))? => {
                Err(broken(&plan.check, function, parameter, value, String::new())?)
            }
            _ => Ok(Verdict::Kept),
        }
    }

    /// The exact type that compiled code may hold unboxed for the parameter at this index, or the result.
    #[must_use]
    pub fn promised_type(&self, index: Option<usize>, py: Python<'_>) -> Type {
        let check = match index {
            None if self.makes != Makes::Result => None,
            None => self.result.as_ref().map(|plan| &plan.check),
            Some(index) => self
                .parameter(index)
                .filter(|parameter| matches!(parameter.kind, Kind::Positional | Kind::KeywordOnly))
                .map(|parameter| &parameter.plan.check),
        };
        check.map_or(Type::Object, |check| check.exact_type(py))
    }

    /// Whether the value passes now and for ever, found out without running foreign code.
    pub(super) fn certain(&self, spot: Spot, value: &Bound<'_, PyAny>) -> bool {
        match spot {
            Spot::Result => {
                // SAFETY: only compared.
                let declined = self.is_operator && value.as_ptr() == unsafe { ffi::Py_NotImplemented() };
                declined || self.result.as_ref().is_none_or(|plan| plan.check.certain(value))
            }
            Spot::Argument(_) | Spot::Yielded | Spot::Sent | Spot::Made => false,
        }
    }

    fn parameter(&self, index: usize) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.index == index)
    }

    /// The object that `def` or a later assignment made the parameter's default.
    fn default<'py>(
        &self,
        function: &Bound<'py, PyAny>,
        parameter: &Parameter,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = function.py();
        if parameter.kind == Kind::KeywordOnly {
            let defaults = function.getattr(intern!(py, "__kwdefaults__"))?;
            let Ok(defaults) = defaults.cast::<PyDict>() else { return Ok(None) };
            return defaults.get_item(&parameter.name);
        }
        let defaults = function.getattr(intern!(py, "__defaults__"))?;
        let Ok(defaults) = defaults.cast::<PyTuple>() else { return Ok(None) };
        let first = self.positional.saturating_sub(defaults.len());
        match parameter.index.checked_sub(first) {
            Some(position) => Ok(defaults.get_item(position).ok()),
            None => Ok(None),
        }
    }

    fn check_value(
        &self,
        function: &Bound<'_, PyAny>,
        parameter: &Parameter,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Verdict> {
        let check = &parameter.plan.check;
        if check.accepts(value, Some(function))? {
            return Ok(Verdict::Kept);
        }
        match self.default(function, parameter)? {
            Some(default) if default.is(value) => Ok(Verdict::Kept),
            _ if self.is_operator && parameter.index == OPERAND => Ok(Verdict::Declined),
            _ => Err(broken(check, function, Some(&parameter.name), value, String::new())?),
        }
    }
}

impl Promise for FunctionPlan {
    fn check_argument(
        &self,
        function: &Bound<'_, PyAny>,
        index: usize,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Verdict> {
        let Some(parameter) = self.parameter(index) else { return Ok(Verdict::Kept) };
        let check = &parameter.plan.check;
        match parameter.kind {
            Kind::Positional | Kind::KeywordOnly => self.check_value(function, parameter, value),
            Kind::Arguments => {
                for (position, item) in value.cast::<PyTuple>()?.iter().enumerate() {
                    if !check.accepts(&item, Some(function))? {
                        let path = format!("[{position}]");
                        return Err(broken(check, function, Some(&parameter.name), &item, path)?);
                    }
                }
                Ok(Verdict::Kept)
            }
            Kind::Keywords => {
                for (key, item) in value.cast::<PyDict>()?.copy()?.iter() {
                    if !check.accepts(&item, Some(function))? {
                        let path = format!("[{}]", key.repr()?);
                        return Err(broken(check, function, Some(&parameter.name), &item, path)?);
                    }
                }
                Ok(Verdict::Kept)
            }
        }
    }

    fn check_result(&self, function: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(plan) = &self.result else { return Ok(()) };
        // SAFETY: only compared.
        if self.is_operator && value.as_ptr() == unsafe { ffi::Py_NotImplemented() } {
            return Ok(());
        }
        if plan.check.accepts(value, Some(function))? {
            return Ok(());
        }
        Err(broken(&plan.check, function, None, value, String::new())?)
    }
}

/// The exception for a value that the check refused.
fn broken(
    check: &Check,
    function: &Bound<'_, PyAny>,
    parameter: Option<&str>,
    value: &Bound<'_, PyAny>,
    path: String,
) -> PyResult<PyErr> {
    let violation = check.violation(value, Some(function), path)?;
    Ok(hooks::violation(function, parameter, &violation))
}
