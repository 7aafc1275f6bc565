//! From an annotation as an object to a check.
//!
//! The typing module is not imported: a form of typing that reaches this code shows its kind by the name of
//! its class. Annotations never fail here; whatever can't be checked becomes a gap in words and the
//! widest check that is surely right.

use pyo3::PyResult;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::types::PyComplex;
use pyo3::types::PyDict;
use pyo3::types::PyEllipsis;
use pyo3::types::PyFloat;
use pyo3::types::PyInt;
use pyo3::types::PyString;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;
use pyo3::types::PyType;

use super::class::ClassRef;
use super::hooks;
use super::pending::Pending;
use super::plan::Check;
use super::plan::Options;
use super::render;

/// How deep aliases and unions may nest before the rest counts as a gap.
const MAX_DEPTH: usize = 40;

/// One compilation of an annotation.
pub(super) struct Compiler<'a, 'py> {
    /// Where names in strings are looked up.
    pub(super) function: Option<&'a Bound<'py, PyAny>>,
    /// What is left unchecked, in words.
    pub(super) gaps: &'a mut Vec<String>,
    /// How deep this is.
    pub(super) depth: usize,
    /// How it is read.
    pub(super) options: Options,
}

impl<'py> Compiler<'_, 'py> {
    /// The check of the annotation.
    pub(super) fn check(&mut self, hint: &Bound<'py, PyAny>) -> PyResult<Check> {
        if self.depth >= MAX_DEPTH {
            return Ok(self.gap(hint, "nests too deeply"));
        }
        self.depth += 1;
        let check = self.dispatch(hint);
        self.depth -= 1;
        check
    }

    fn dispatch(&mut self, hint: &Bound<'py, PyAny>) -> PyResult<Check> {
        if hint.is_none() {
            return Ok(Check::Instance(ClassRef::new(&hint.get_type())?, None));
        }
        if let Ok(class) = hint.cast::<PyType>() {
            return self.class(class, None);
        }
        if let Ok(text) = hint.cast::<PyString>() {
            return self.text(&text.to_string());
        }
        if let Some((text, reason)) = hooks::unresolved(hint)? {
            return Ok(Check::Pending(Pending::new(text, reason, self.options)));
        }
        self.form(hint)
    }

    /// Records that nothing is checked, and why.
    fn gap(&mut self, hint: &Bound<'py, PyAny>, reason: &str) -> Check {
        let text = render::annotation(hint).unwrap_or_else(|_| "an annotation".to_owned());
        self.gaps.push(format!("{text}: {reason}"));
        Check::Anything
    }

    fn text(&mut self, text: &str) -> PyResult<Check> {
        let Some(function) = self.function else {
            self.gaps.push(format!("{text}: nowhere to look the name up"));
            return Ok(Check::Anything);
        };
        let hint = hooks::evaluate(function.py(), text, function)?;
        self.check(&hint)
    }

    fn class(&mut self, class: &Bound<'py, PyType>, text: Option<Box<str>>) -> PyResult<Check> {
        let py = class.py();
        if class.is(py.get_type::<PyAny>()) {
            return Ok(Check::Anything);
        }
        if self.options.strict && class.is(py.get_type::<PyInt>()) {
            return Ok(Check::StrictInt);
        }
        if !self.options.strict && class.is(py.get_type::<PyFloat>()) {
            return Ok(Check::Float);
        }
        if !self.options.strict && class.is(py.get_type::<PyComplex>()) {
            return Ok(Check::Complex);
        }
        let reference = ClassRef::new(class)?;
        if !reference.is_static()
            && let Some(check) = self.special_class(class)?
        {
            return Ok(check);
        }
        Ok(Check::Instance(reference, text))
    }

    /// The classes whose instances `isinstance` does not tell.
    fn special_class(&mut self, class: &Bound<'py, PyType>) -> PyResult<Option<Check>> {
        let py = class.py();
        if from_typing(class) {
            match class.name()?.to_string().as_str() {
                "Any" => return Ok(Some(Check::Anything)),
                "IO" | "TextIO" | "BinaryIO" => {
                    return Ok(Some(self.gap(class, "no class tells what is a file")));
                }
                "Generic" | "Protocol" => return Ok(Some(self.gap(class, "is no type"))),
                _ => {}
            }
        }
        let metaclass = class.get_type();
        if metaclass.is(py.get_type::<PyType>()) {
            return Ok(None);
        }
        if metaclass.name()? == "_TypedDictMeta" {
            let name = render::annotation(class)?;
            self.gaps.push(format!("{name}: its keys are not checked"));
            return Ok(Some(Check::Instance(ClassRef::new(&py.get_type::<PyDict>())?, Some(name.into()))));
        }
        let is = |name| class.getattr(name).and_then(|flag| flag.is_truthy()).unwrap_or(false);
        if is("_is_protocol") && !is("_is_runtime_protocol") {
            return Ok(Some(self.gap(class, "is not a runtime_checkable protocol")));
        }
        Ok(None)
    }

    /// Everything that is neither a class nor a string.
    fn form(&mut self, hint: &Bound<'py, PyAny>) -> PyResult<Check> {
        let py = hint.py();
        let kind = hint.get_type().name()?.to_string();
        match kind.as_str() {
            "UnionType" => self.union(&args_of(hint)?.unwrap_or_else(|| PyTuple::empty(py))),
            "NewType" => self.check(&hint.getattr(intern!(py, "__supertype__"))?),
            "TypeVar" => self.type_variable(hint),
            "ParamSpec" | "ParamSpecArgs" | "ParamSpecKwargs" | "TypeVarTuple" => Ok(Check::Anything),
            "ForwardRef" => self.text(&hint.getattr(intern!(py, "__forward_arg__"))?.extract::<String>()?),
            "InitVar" => self.check(&hint.getattr(intern!(py, "type"))?),
            "TypeAliasType" => match hint.getattr(intern!(py, "__value__")) {
                Ok(value) => self.check(&value),
                Err(error) => Ok(self.gap(hint, &format!("can't be evaluated: {error}"))),
            },
            "_AnnotatedAlias" => self.check(&hint.getattr(intern!(py, "__origin__"))?),
            _ => match hint.getattr(intern!(py, "__origin__")) {
                Ok(origin) => self.alias(hint, &origin),
                Err(_) => self.special_form(hint),
            },
        }
    }

    fn type_variable(&mut self, hint: &Bound<'py, PyAny>) -> PyResult<Check> {
        let py = hint.py();
        if let Ok(bound) = hint.getattr(intern!(py, "__bound__"))
            && !bound.is_none()
        {
            return self.check(&bound);
        }
        match hint.getattr(intern!(py, "__constraints__")) {
            Ok(constraints) if constraints.is_truthy()? => {
                self.gap(hint, "that all its uses agree on one constraint is not checked");
                self.union(constraints.cast::<PyTuple>()?)
            }
            _ => Ok(Check::Anything),
        }
    }

    fn union(&mut self, members: &Bound<'py, PyTuple>) -> PyResult<Check> {
        let mut checks = Vec::with_capacity(members.len());
        for member in members.iter() {
            match self.check(&member)? {
                Check::Anything => return Ok(Check::Anything),
                Check::Union(inner) => checks.extend(inner),
                Check::Nothing => {}
                check => checks.push(check),
            }
        }
        Ok(match checks.len() {
            0 => Check::Nothing,
            1 => checks.swap_remove(0),
            _ => Check::Union(checks),
        })
    }

    /// `origin[args]`, or a bare alias such as `typing.List`.
    fn alias(&mut self, hint: &Bound<'py, PyAny>, origin: &Bound<'py, PyAny>) -> PyResult<Check> {
        let args = args_of(hint)?;
        let Ok(class) = origin.cast::<PyType>() else { return self.special_alias(hint, origin, args) };
        if is_unpacked(hint) {
            return Ok(self.gap(hint, "an unpacked type is not checked"));
        }
        let py = hint.py();
        let Some(args) = args else { return self.class(class, None) };
        if class.is(py.get_type::<PyTuple>()) {
            return self.tuple(hint, class, &args);
        }
        if class.is(py.get_type::<PyType>()) {
            return self.type_of(hint, &args);
        }
        let text = render::annotation(hint)?.into_boxed_str();
        let name = class.name()?.to_string();
        if name == "Callable" && hint.get_type().name()?.to_string().contains("Callable") {
            return Ok(Check::Callable(text));
        }
        let whole = self.class(class, Some(text))?;
        self.elements(class, whole, &args)
    }

    /// The check of a generic class with that of its elements.
    fn elements(
        &mut self,
        class: &Bound<'py, PyType>,
        whole: Check,
        args: &Bound<'py, PyTuple>,
    ) -> PyResult<Check> {
        if !self.options.deep || !is_container(class)? {
            return Ok(whole);
        }
        let (first, second) = (args.get_item(0)?, args.get_item(1).ok());
        let first = self.check(&first)?;
        let second = second.map(|second| self.check(&second)).transpose()?;
        Ok(match (first, second) {
            (Check::Anything, None | Some(Check::Anything)) => whole,
            (item, None) => Check::Items(Box::new(whole), Box::new(item)),
            (key, Some(item)) => Check::Entries(Box::new(whole), Box::new(key), Box::new(item)),
        })
    }

    fn tuple(
        &mut self,
        hint: &Bound<'py, PyAny>,
        class: &Bound<'py, PyType>,
        args: &Bound<'py, PyTuple>,
    ) -> PyResult<Check> {
        let whole = |text: String| Ok(Check::Instance(ClassRef::new(class)?, Some(text.into())));
        if args.len() == 2 && args.get_item(1)?.is_instance_of::<PyEllipsis>() {
            let check = whole(render::annotation(hint)?)?;
            let item = PyTuple::new(hint.py(), [args.get_item(0)?])?;
            return self.elements(class, check, &item);
        }
        if args.iter().any(|arg| is_unpacked(&arg)) {
            self.gap(hint, "items of an unpacked type are not checked");
            return whole(render::annotation(hint)?);
        }
        let items = args.iter().map(|arg| self.check(&arg)).collect::<PyResult<Vec<Check>>>()?;
        Ok(Check::Tuple(items))
    }

    fn type_of(&mut self, hint: &Bound<'py, PyAny>, args: &Bound<'py, PyTuple>) -> PyResult<Check> {
        let mut classes = Vec::new();
        for arg in args.iter() {
            let check = self.check(&arg)?;
            if !classes_of(&check, &mut classes, hint)? {
                if !matches!(check, Check::Anything) {
                    self.gap(hint, "only that it is a class is checked");
                }
                return Ok(Check::Class(Vec::new()));
            }
        }
        Ok(Check::Class(classes))
    }

    /// `Form[args]` where the form is no class.
    fn special_alias(
        &mut self,
        hint: &Bound<'py, PyAny>,
        origin: &Bound<'py, PyAny>,
        args: Option<Bound<'py, PyTuple>>,
    ) -> PyResult<Check> {
        let py = hint.py();
        let args = args.unwrap_or_else(|| PyTuple::empty(py));
        if origin.get_type().name()? == "TypeAliasType" {
            return self.check(origin);
        }
        match form_name(origin).as_str() {
            "Union" | "Optional" => self.union(&args),
            "Literal" => Ok(Check::Literal(args.iter().map(Bound::unbind).collect())),
            "Final" | "ClassVar" | "Required" | "NotRequired" | "ReadOnly" | "Annotated"
                if !args.is_empty() =>
            {
                self.check(&args.get_item(0)?)
            }
            "TypeGuard" | "TypeIs" => self.class(&py.get_type::<pyo3::types::PyBool>(), None),
            "Concatenate" => Ok(Check::Anything),
            _ => Ok(self.gap(hint, "is not checked")),
        }
    }

    /// A form of typing without arguments.
    fn special_form(&mut self, hint: &Bound<'py, PyAny>) -> PyResult<Check> {
        match form_name(hint).as_str() {
            "Any" | "Final" | "ClassVar" | "TypeAlias" if from_typing(&hint.get_type()) => {
                Ok(Check::Anything)
            }
            "NoReturn" | "Never" => Ok(Check::Nothing),
            "LiteralString" => self.class(&hint.py().get_type::<PyString>(), None),
            "Self" => Ok(self.gap(hint, "is not checked")),
            _ => Ok(self.gap(hint, "is no type that can be checked")),
        }
    }
}

fn args_of<'py>(hint: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyTuple>>> {
    match hint.getattr(intern!(hint.py(), "__args__")) {
        Ok(args) => Ok(Some(args.cast_into::<PyTuple>()?)),
        Err(_) => Ok(None),
    }
}

fn form_name(form: &Bound<'_, PyAny>) -> String {
    form.getattr(intern!(form.py(), "_name")).and_then(|name| name.extract()).unwrap_or_default()
}

fn from_typing(class: &Bound<'_, PyType>) -> bool {
    class.module().is_ok_and(|module| module == "typing" || module == "typing_extensions")
}

/// Whether the class' arguments are the types of its elements.
fn is_container(class: &Bound<'_, PyType>) -> PyResult<bool> {
    const CONTAINERS: [&str; 7] = [
        "builtins.list",
        "builtins.tuple",
        "builtins.dict",
        "builtins.set",
        "builtins.frozenset",
        "collections.abc.Sequence",
        "collections.abc.Mapping",
    ];
    let name = format!("{}.{}", class.module()?, class.qualname()?);
    Ok(CONTAINERS.contains(&name.as_str()))
}

/// Whether this is `*tuple[...]`, `*Ts` or `Unpack[...]`.
fn is_unpacked(hint: &Bound<'_, PyAny>) -> bool {
    let py = hint.py();
    let kind = hint.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    kind == "TypeVarTuple"
        || kind == "_UnpackGenericAlias"
        || hint
            .getattr(intern!(py, "__unpacked__"))
            .is_ok_and(|unpacked| unpacked.is_truthy().unwrap_or(false))
}

/// Collects the classes that the argument of `type[...]` stands for; false when it stands for others too.
fn classes_of(check: &Check, classes: &mut Vec<ClassRef>, hint: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = hint.py();
    match check {
        Check::Instance(class, None) => match class.get(py) {
            Some(class) => classes.push(ClassRef::new(class.cast::<PyType>()?)?),
            None => return Ok(false),
        },
        Check::Float => {
            classes.push(ClassRef::new(&py.get_type::<PyFloat>())?);
            classes.push(ClassRef::new(&py.get_type::<PyInt>())?);
        }
        Check::Complex => {
            classes.push(ClassRef::new(&py.get_type::<PyComplex>())?);
            return classes_of(&Check::Float, classes, hint);
        }
        Check::Union(members) => {
            for member in members {
                if !classes_of(member, classes, hint)? {
                    return Ok(false);
                }
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}
