//! The check plan of a function: one plan per annotated parameter, one for the result.

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

use super::arguments;
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
use super::plan::Plan;
use super::weave;
use super::weave::Checks;
use crate::cpython::memory::or_memory_error;
use crate::types::Type;

const CO_VARARGS: usize = 4;
const CO_VARKEYWORDS: usize = 8;

/// How a parameter takes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One value, also by position.
    Positional,
    /// One value, by name only.
    KeywordOnly,
    /// `*args`: the annotation is each item's.
    Arguments,
    /// `**kwargs`: the annotation is each value's.
    Keywords,
    /// `*args` or `**kwargs` whose annotation is unpacked: it is that of the whole tuple or dict.
    Whole,
}

/// A parameter that is annotated.
pub(super) struct Parameter {
    /// Position among the code object's variables.
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) plan: Plan,
    pub(super) is_cell: bool,
    /// Whether the variable holds the argument until the end.
    pub(super) stays: bool,
}

/// The enforced annotations of one function, or of all functions with its code and equal annotations.
#[pyclass(frozen, module = "castiron._castiron")]
pub struct FunctionPlan {
    pub(super) parameters: Vec<Parameter>,
    /// Of what the function returns.
    pub(super) result: Option<Plan>,
    /// Of what a generator yields.
    pub(super) yields: Option<Plan>,
    /// Of what a generator is sent.
    pub(super) sends: Option<Plan>,
    /// Of the generator that a call makes, where the annotation names no parts of one.
    pub(super) made: Option<Plan>,
    /// How many parameters take positional arguments.
    pub(super) positional: usize,
    /// Whether this is a method of a binary operator or a comparison.
    pub(super) is_operator: bool,
    /// What a call makes.
    makes: Makes,
    /// Is given the exception of a broken promise instead of its being raised.
    pub(super) warn: Option<Py<PyAny>>,
    /// Whether annotations were read deep, and strictly.
    pub(super) readings: (bool, bool),
    /// What checks want to know of the call.
    pub(super) wants: Wants,
}

/// What the checks of a plan want to know of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wants {
    /// The first argument, for `Self` and for names that are not defined yet.
    pub(super) first: bool,
    /// Whether the first variable is a cell.
    pub(super) first_is_cell: bool,
    /// Whether the first variable holds the argument until the end.
    pub(super) first_stays: bool,
    /// That the arguments and the result agree on what type variables stand for.
    pub(super) agreement: bool,
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
        or_memory_error(|| plan_of(function, annotations, (deep, strict), warn))
    }

    /// A copy of the function's code with the checks; None where nothing is checked or the code's form is not known.
    fn woven<'py>(
        slf: &Bound<'py, FunctionPlan>,
        code: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        weave::insert(code, &checks_of(slf)?)
    }

    /// Whether both plans check the same; names that are still open are never the same.
    pub fn same(&self, other: &Bound<'_, FunctionPlan>) -> PyResult<bool> {
        let (py, other) = (other.py(), other.get());
        let kinds = (self.is_operator, self.warn.is_some()) == (other.is_operator, other.warn.is_some());
        if !kinds || self.parameters.len() != other.parameters.len() {
            return Ok(false);
        }
        for (a, b) in self.parts().into_iter().zip(other.parts()) {
            let same = match (a, b) {
                (Some(a), Some(b)) => a.same(b, py)?,
                (None, None) => true,
                _ => false,
            };
            if !same {
                return Ok(false);
            }
        }
        for (a, b) in self.parameters.iter().zip(&other.parameters) {
            if a.index != b.index || !a.plan.same(&b.plan, py)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether verdicts depend on more than one value: on the first argument, or on type variables.
    pub fn wants_call(&self) -> bool {
        self.plans().any(|plan| plan.check.wants_call())
    }

    /// What is not checked at present: pairs of a parameter's name (or `return`) and the reason.
    pub fn gaps(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        let result = self.parts().into_iter().flatten().map(|plan| ("return", plan));
        let all =
            self.parameters.iter().map(|parameter| (parameter.name.as_str(), &parameter.plan)).chain(result);
        let mut gaps = Vec::new();
        for (name, plan) in all {
            gaps.extend(plan.open_gaps(py)?.into_iter().map(|gap| (name.to_owned(), gap)));
        }
        Ok(gaps)
    }
}

/// What is woven into the code of the plan's function.
fn checks_of<'py>(slf: &Bound<'py, FunctionPlan>) -> PyResult<Checks<'py>> {
    let (py, plan) = (slf.py(), slf.get());
    // The checker of the spot, if some value breaks it.
    let at = |spot: Spot| match plan.check_at(spot) {
        None | Some(Check::Anything) => Ok(None),
        Some(_) => checker::new(slf, spot).map(|made| Some(made.into_bound(py))),
    };
    let checked = plan.checked();
    let mut checks = Checks {
        arguments: Vec::new(),
        together: None,
        result: at(Spot::Result)?,
        yields: at(Spot::Yielded)?,
        sends: at(Spot::Sent)?,
        made: at(Spot::Made)?,
        declines: plan.is_operator && checked.contains(&OPERAND),
    };
    match checked[..] {
        [] => {}
        [variable] => {
            let check = checker::new(slf, Spot::Argument(variable))?;
            checks.arguments.push((variable, check.into_bound(py)));
        }
        _ => checks.together = Some(arguments::new(slf)?.into_bound(py)),
    }
    Ok(checks)
}

/// What a function's enforced annotations leave unchecked, in words. `Enforcement::Woven` looks for the checks
/// in its bytecode; a function that has none leaves nothing unchecked, for it promises nothing.
pub fn unchecked(function: &Bound<'_, PyAny>, enforcement: Enforcement) -> PyResult<Vec<String>> {
    let py = function.py();
    let consts = function.getattr(intern!(py, "__code__"))?.getattr(intern!(py, "co_consts"))?;
    let woven = consts.cast::<PyTuple>()?.iter().find_map(|constant| checker::plan_behind(&constant));
    let gaps = match (woven, enforcement) {
        (Some(plan), _) => plan.get().gaps(py)?,
        (None, Enforcement::Native) => {
            let annotations = function.getattr(intern!(py, "__annotations__"))?;
            FunctionPlan::of(function, annotations.cast::<PyDict>()?, false, false, None)?.gaps(py)?
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
    /// The numbers of the variables that some value breaks.
    pub(super) fn checked(&self) -> Vec<usize> {
        let open = |parameter: &&Parameter| !matches!(parameter.plan.check, Check::Anything);
        self.parameters.iter().filter(open).map(|parameter| parameter.index).collect()
    }

    /// The quick part of the check of what stands at the spot.
    pub(super) fn guard(&self, py: Python<'_>, spot: Spot) -> Guard {
        let mut place = Place { spot, from_last: 0, subject: Subject::Value, is_cell: false };
        if let Spot::Argument(index) = spot
            && let Some(parameter) = self.parameter(index)
        {
            place.is_cell = parameter.is_cell;
            match parameter.kind {
                Kind::Positional => place.from_last = self.positional - index,
                Kind::KeywordOnly | Kind::Whole => {}
                Kind::Arguments => place.subject = Subject::Items,
                Kind::Keywords => place.subject = Subject::Entries,
            }
        }
        Guard::new(py, self.check_at(spot).unwrap_or(&Check::Anything), place)
    }

    fn parts(&self) -> [Option<&Plan>; 4] {
        [&self.result, &self.yields, &self.sends, &self.made].map(Option::as_ref)
    }

    fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.parameters.iter().map(|parameter| &parameter.plan).chain(self.parts().into_iter().flatten())
    }

    fn find_wants(&mut self, code: &Bound<'_, PyAny>, cells: &Bound<'_, PyTuple>) -> PyResult<()> {
        let py = code.py();
        let agreement = self.plans().any(|plan| plan.check.chooses());
        let asks = |check: &Check| check.wants_call() || check.is_open();
        let first = self.positional > 0 && self.plans().any(|plan| asks(&plan.check));
        if !agreement && !first {
            return Ok(());
        }
        let names = code.getattr(intern!(py, "co_varnames"))?.cast_into::<PyTuple>()?;
        let rebound = hooks::rebound(code)?;
        for parameter in &mut self.parameters {
            parameter.stays = !rebound.contains(parameter.index)?;
        }
        let first_is_cell = first && cells.contains(names.get_item(0)?)?;
        let first_stays = first && !rebound.contains(0)?;
        self.wants = Wants { first, first_is_cell, first_stays, agreement };
        Ok(())
    }

    /// The check of what stands at the spot.
    pub(super) fn check_at(&self, spot: Spot) -> Option<&Check> {
        let plan = match spot {
            Spot::Argument(index) => return self.parameter(index).map(|parameter| &parameter.plan.check),
            Spot::Result => &self.result,
            Spot::Yielded => &self.yields,
            Spot::Sent => &self.sends,
            Spot::Made => &self.made,
        };
        plan.as_ref().map(|plan| &plan.check)
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

    /// Looks names up that were not found yet in the annotation of the parameter at this index, or of the result.
    pub fn look(&self, function: &Bound<'_, PyAny>, index: Option<usize>) -> PyResult<()> {
        let check = self.check_at(index.map_or(Spot::Result, Spot::Argument));
        check.map_or(Ok(()), |check| check.look(function))
    }

    /// Whether the parameter at this index, or the result, is checked at all.
    #[must_use]
    pub fn is_checked(&self, index: Option<usize>) -> bool {
        self.check_at(index.map_or(Spot::Result, Spot::Argument)).is_some()
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

    pub(super) fn parameter(&self, index: usize) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.index == index)
    }

    /// The object that `def` or a later assignment made the parameter's default.
    pub(super) fn default<'py>(
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
}

/// As [`FunctionPlan::of`]; `readings` are `deep` and `strict`.
fn plan_of(
    function: &Bound<'_, PyAny>,
    annotations: &Bound<'_, PyDict>,
    readings: (bool, bool),
    warn: Option<Py<PyAny>>,
) -> PyResult<FunctionPlan> {
    let py = function.py();
    let code = function.getattr(intern!(py, "__code__"))?;
    let makes = Makes::of_flags(code.getattr(intern!(py, "co_flags"))?.extract()?);
    let annotations = generator::with_parts(annotations, makes)?;
    let described = hooks::describe(function, &annotations, readings.0, readings.1)?;
    let positional = code.getattr(intern!(py, "co_argcount"))?.extract::<usize>()?;
    let cells = code.getattr(intern!(py, "co_cellvars"))?.cast_into::<PyTuple>()?;
    let mut parameters = Vec::with_capacity(annotations.len());
    for (index, (name, kind)) in parameters_of(&code, positional)?.into_iter().enumerate() {
        if let Some(pair) = described.get_item(&name)? {
            let plan = Plan::new(&pair)?;
            let is_cell = !cells.is_empty() && cells.contains(&name)?;
            let kind = if plan.is_of_whole(py)? { Kind::Whole } else { kind };
            parameters.push(Parameter { index, name: name.to_string(), kind, plan, is_cell, stays: true });
        }
    }
    let part = |name: &str| described.get_item(name)?.map(|pair| Plan::new(&pair)).transpose();
    let mut plan = FunctionPlan {
        parameters,
        result: part("return")?,
        yields: part(hooks::YIELDED)?,
        sends: part(hooks::SENT)?,
        made: part(hooks::MADE)?,
        positional,
        is_operator: operator::is_operator(function, positional)?,
        makes,
        warn,
        readings,
        wants: Wants::default(),
    };
    plan.find_wants(&code, &cells)?;
    Ok(plan)
}
