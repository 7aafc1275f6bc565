//! Which names a function shares with the scopes inside it.
//!
//! In: a function's body. Out: what [`Reader`] collects: the names that are read in the function itself, the
//! names that scopes inside it want of their surroundings, and the comprehensions that run in its frame.
//! What a name wanted of the surroundings means there, [`super::scope`] says.

use ruff_python_ast::Comprehension;
use ruff_python_ast::Expr;
use ruff_python_ast::ExprContext;
use ruff_python_ast::InterpolatedStringElement;
use ruff_python_ast::Parameters;
use ruff_python_ast::Pattern;
use ruff_python_ast::Stmt;
use ruff_python_ast::StmtClassDef;
use ruff_python_ast::StmtFunctionDef;
use ruff_python_ast::StmtTypeAlias;
use ruff_python_ast::TypeParams;
use ruff_python_ast::visitor;
use ruff_python_ast::visitor::Visitor;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;
use rustc_hash::FxHashSet;

use super::names::Names;
use super::names::bind_type_params;
use super::names::mangle;
use super::nesting::with_stack;

/// Names, mangled.
pub(super) type NameSet = FxHashSet<String>;

/// The variable by which `super()` finds the class.
pub(super) const CLASS_CELL: &str = "__class__";

/// How names are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// Whether annotations are only text (`from __future__ import annotations`).
    pub(super) annotations_are_text: bool,
    /// Whether comprehensions run in the frame of the function around them.
    pub(super) inlines: bool,
}

/// A comprehension that runs in the frame of the function around it.
pub(super) struct Inlined {
    /// Where it stands.
    pub(super) range: TextRange,
    /// The names that it binds, in alphabetical order, and whether a scope inside it shares them.
    pub(super) targets: Vec<(String, bool)>,
}

/// What one scope reads and what the scopes inside it want.
pub(super) struct Reader<'c> {
    class: Option<&'c str>,
    reading: Reading,
    /// Names that are read in the scope itself.
    pub(super) loads: NameSet,
    /// Names that scopes inside want.
    pub(super) captured: NameSet,
    /// Comprehensions in the scope's frame.
    pub(super) inlined: Vec<Inlined>,
}

impl<'c> Reader<'c> {
    pub(super) fn new(class: Option<&'c str>, reading: Reading) -> Reader<'c> {
        Reader {
            class,
            reading,
            loads: NameSet::default(),
            captured: NameSet::default(),
            inlined: Vec::new(),
        }
    }

    fn annotations(&mut self, def: &StmtFunctionDef) {
        if !self.reading.annotations_are_text {
            for parameter in &*def.parameters {
                parameter.annotation().into_iter().for_each(|annotation| self.visit_expr(annotation));
            }
            def.returns.iter().for_each(|annotation| self.visit_expr(annotation));
        }
    }

    fn defaults(&mut self, parameters: &Parameters) {
        for parameter in parameters.iter_non_variadic_params() {
            parameter.default.iter().for_each(|default| self.visit_expr(default));
        }
    }

    fn function(&mut self, def: &StmtFunctionDef) {
        def.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
        self.defaults(&def.parameters);
        if def.type_params.is_none() {
            self.annotations(def);
            self.captured.extend(needs_of_function(def, self.class, self.reading));
        } else {
            self.captured.extend(needs_of_generic_function(def, self.class, self.reading));
        }
    }

    fn class(&mut self, def: &StmtClassDef) {
        def.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
        if def.type_params.is_some() {
            self.captured.extend(needs_of_generic_class(def, self.class, self.reading));
            return;
        }
        if let Some(arguments) = &def.arguments {
            self.visit_arguments(arguments);
        }
        self.captured.extend(needs_of_class(def, self.reading));
    }

    /// A comprehension or generator expression: the first iterable is evaluated around it.
    fn comprehension(&mut self, expr: &Expr) {
        let Some((generators, elements)) = parts_of_comprehension(expr) else { return };
        if let Some(first) = generators.first() {
            self.visit_expr(&first.iter);
        }
        if !self.reading.inlines || matches!(expr, Expr::Generator(_)) {
            self.captured.extend(needs_of_comprehension(expr, self.class, self.reading));
            return;
        }
        let mut inside = Reader::new(self.class, self.reading);
        inside.parts(generators, &elements);
        let targets = targets_of(generators, self.class);
        let mut sorted: Vec<(String, bool)> =
            targets.iter().map(|name| (name.clone(), inside.captured.contains(name))).collect();
        sorted.sort_unstable();
        self.inlined.append(&mut inside.inlined);
        self.inlined.push(Inlined { range: expr.range(), targets: sorted });
        self.loads.extend(inside.loads.into_iter().filter(|name| !targets.contains(name)));
        self.captured.extend(inside.captured.into_iter().filter(|name| !targets.contains(name)));
    }

    /// What a comprehension evaluates itself.
    fn parts(&mut self, generators: &[Comprehension], elements: &[&Expr]) {
        for (number, generator) in generators.iter().enumerate() {
            if number > 0 {
                self.visit_expr(&generator.iter);
            }
            self.visit_expr(&generator.target);
            generator.ifs.iter().for_each(|test| self.visit_expr(test));
        }
        elements.iter().for_each(|element| self.visit_expr(element));
    }
}

impl<'a> Visitor<'a> for Reader<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        with_stack(|| match stmt {
            Stmt::FunctionDef(def) => self.function(def),
            Stmt::ClassDef(def) => self.class(def),
            Stmt::TypeAlias(node) => self.captured.extend(needs_of_alias(node, self.class, self.reading)),
            Stmt::AnnAssign(node) => {
                if !self.reading.annotations_are_text {
                    self.visit_expr(&node.annotation);
                }
                node.value.iter().for_each(|value| self.visit_expr(value));
                self.visit_expr(&node.target);
            }
            _ => visitor::walk_stmt(self, stmt),
        });
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        with_stack(|| match expr {
            Expr::Name(node) if node.ctx == ExprContext::Load => {
                self.loads.insert(mangle(self.class, &node.id).into_owned());
                if node.id == "super" {
                    self.loads.insert(CLASS_CELL.to_owned());
                }
            }
            Expr::Lambda(node) => {
                if let Some(parameters) = &node.parameters {
                    self.defaults(parameters);
                }
                let wanted =
                    needs_of_lambda(node.parameters.as_deref(), &node.body, self.class, self.reading);
                self.captured.extend(wanted);
            }
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                self.comprehension(expr);
            }
            _ => visitor::walk_expr(self, expr),
        });
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        with_stack(|| visitor::walk_pattern(self, pattern));
    }

    fn visit_interpolated_string_element(&mut self, element: &'a InterpolatedStringElement) {
        with_stack(|| visitor::walk_interpolated_string_element(self, element));
    }
}

/// The generators of a comprehension, and what it makes its items of.
pub(super) fn parts_of_comprehension(expr: &Expr) -> Option<(&[Comprehension], Vec<&Expr>)> {
    Some(match expr {
        Expr::ListComp(node) => (&node.generators, vec![&*node.elt]),
        Expr::SetComp(node) => (&node.generators, vec![&*node.elt]),
        Expr::Generator(node) => (&node.generators, vec![&*node.elt]),
        Expr::DictComp(node) => {
            let key = node.key.as_deref();
            (&node.generators, key.into_iter().chain([&*node.value]).collect())
        }
        _ => return None,
    })
}

fn targets_of(generators: &[Comprehension], class: Option<&str>) -> NameSet {
    let mut names = Names::of(None, &[], class);
    generators.iter().for_each(|generator| names.visit_expr(&generator.target));
    names.bound
}

fn wanted(reader: Reader<'_>, names: &Names) -> NameSet {
    let mut wanted = reader.loads;
    wanted.extend(reader.captured);
    wanted.extend(names.nonlocals.iter().cloned());
    wanted.retain(|name| !names.is_local(name) && !names.globals.contains(name));
    wanted
}

/// The names that a function wants of the scopes around it, if they have them.
pub(super) fn needs_of_function(def: &StmtFunctionDef, class: Option<&str>, reading: Reading) -> NameSet {
    let names = Names::of(Some(&def.parameters), &def.body, class);
    let mut reader = Reader::new(class, reading);
    reader.visit_body(&def.body);
    wanted(reader, &names)
}

/// The same of the scope of type parameters around a definition, whose reader has come to all else in it.
fn needs_of_type_scope(params: Option<&TypeParams>, mut inside: Reader<'_>) -> NameSet {
    params.into_iter().for_each(|params| inside.visit_type_params(params));
    let mut wanted = inside.loads;
    wanted.extend(inside.captured);
    let mut bound = NameSet::default();
    bind_type_params(params, &mut bound);
    wanted.retain(|name| !bound.contains(name));
    wanted
}

/// The same of a function with type parameters.
pub(super) fn needs_of_generic_function(
    def: &StmtFunctionDef,
    class: Option<&str>,
    reading: Reading,
) -> NameSet {
    let mut inside = Reader::new(class, reading);
    inside.annotations(def);
    inside.captured.extend(needs_of_function(def, class, reading));
    needs_of_type_scope(def.type_params.as_deref(), inside)
}

/// The same of a class with type parameters, whose bases are evaluated among them.
pub(super) fn needs_of_generic_class(def: &StmtClassDef, class: Option<&str>, reading: Reading) -> NameSet {
    let mut inside = Reader::new(class, reading);
    def.arguments.iter().for_each(|arguments| inside.visit_arguments(arguments));
    inside.captured.extend(needs_of_class(def, reading));
    needs_of_type_scope(def.type_params.as_deref(), inside)
}

/// The same of a type alias, whose value is computed by a function.
pub(super) fn needs_of_alias(node: &StmtTypeAlias, class: Option<&str>, reading: Reading) -> NameSet {
    let mut inside = Reader::new(class, reading);
    inside.visit_expr(&node.value);
    needs_of_type_scope(node.type_params.as_deref(), inside)
}

/// The same of a lambda.
pub(super) fn needs_of_lambda(
    parameters: Option<&Parameters>,
    body: &Expr,
    class: Option<&str>,
    reading: Reading,
) -> NameSet {
    let mut names = Names::of(parameters, &[], class);
    names.visit_expr(body);
    let mut reader = Reader::new(class, reading);
    reader.visit_expr(body);
    wanted(reader, &names)
}

/// The same of a class body: what it binds itself, the functions in it do not see.
pub(super) fn needs_of_class(def: &StmtClassDef, reading: Reading) -> NameSet {
    let class = Some(def.name.as_str());
    let names = Names::of(None, &def.body, class);
    let mut reader = Reader::new(class, reading);
    reader.visit_body(&def.body);
    let mut wanted = reader.loads;
    wanted.retain(|name| !names.is_local(name));
    wanted.extend(reader.captured.into_iter().filter(|name| name != CLASS_CELL));
    wanted.extend(names.nonlocals.iter().cloned());
    wanted.retain(|name| !names.globals.contains(name));
    wanted
}

/// The same of a comprehension that is a function of its own.
pub(super) fn needs_of_comprehension(expr: &Expr, class: Option<&str>, reading: Reading) -> NameSet {
    let Some((generators, elements)) = parts_of_comprehension(expr) else { return NameSet::default() };
    let mut reader = Reader::new(class, reading);
    reader.parts(generators, &elements);
    let mut wanted = reader.loads;
    wanted.extend(reader.captured);
    // A walrus binds around it.
    let mut names = Names::of(None, &[], class);
    names.visit_expr(expr);
    wanted.extend(names.bound);
    let targets = targets_of(generators, class);
    wanted.retain(|name| !targets.contains(name));
    wanted
}
