//! Which variable a name means: Python's scoping rules for one function.
//!
//! In: a function's statement and what encloses it. Out: a [`Scope`]: its variables in the order of
//! `co_varnames`, and for any name whether it is one of them, global, or another function's.
//!
//! CPython numbers a function's variables as its compiler first mentions them, in the order of the code
//! it writes; they die in that order at the end of a call, so [`Mentions`] walks in the same order.

use std::borrow::Cow;

use ruff_python_ast::Comprehension;
use ruff_python_ast::ExceptHandler;
use ruff_python_ast::Expr;
use ruff_python_ast::ExprContext;
use ruff_python_ast::Identifier;
use ruff_python_ast::InterpolatedStringElement;
use ruff_python_ast::Parameters;
use ruff_python_ast::Pattern;
use ruff_python_ast::Stmt;
use ruff_python_ast::StmtFunctionDef;
use ruff_python_ast::TypeParam;
use ruff_python_ast::TypeParams;
use ruff_python_ast::visitor;
use ruff_python_ast::visitor::Visitor;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

use super::closures::CLASS_CELL;
use super::closures::Inlined;
use super::closures::NameSet;
use super::closures::Reader;
use super::closures::Reading;
use super::closures::parts_of_comprehension;
use super::functions::FunctionInfo;
use super::nesting::with_stack;

/// What stands for the names that `from module import *` binds.
pub(super) const ALL_NAMES: &str = "*";

/// A variable of the function: its position in `co_varnames`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Variable(pub(super) usize);

/// What a name means inside the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A variable of the function.
    Local(Variable),
    /// A global or builtin.
    Global,
    /// A variable of the function that is kept in a cell.
    Cell(Variable),
    /// A cell of an enclosing function.
    Free(Variable),
}

/// The names of one function.
pub(super) struct Scope {
    private_class: Option<String>,
    names: Names,
    /// The variables' names, parameters first.
    pub(super) variables: Vec<String>,
    numbers: FxHashMap<String, Variable>,
    /// The variables that are kept in cells, parameters among them.
    pub(super) cells: FxHashMap<String, Variable>,
    /// The names of the cells of enclosing functions, in alphabetical order; their variables follow those of
    /// the other cells.
    pub(super) free: Vec<String>,
    first_free: usize,
    /// Names of comprehensions in the function's frame that are no variables of its own.
    hidden: NameSet,
    /// What comprehensions in the function's frame bind: the variable of each name, and whether it is a cell.
    pub(super) comprehensions: FxHashMap<TextRange, Vec<(String, Variable, bool)>>,
    /// Variables that a `del` statement may unbind.
    pub(super) deleted: FxHashSet<Variable>,
}

/// Whether `assert` statements are part of the program (they are not under `-O`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assertions {
    /// As written.
    Kept,
    /// Not executed at all; `__debug__` is false.
    Stripped,
}

impl Scope {
    /// The scope of a function, given what [`super::functions::path_to`] says is around it.
    pub(super) fn of(info: &FunctionInfo, path: &[&Stmt], assertions: Assertions, reading: Reading) -> Scope {
        let private_class = info.private_class.clone();
        let (Some(Stmt::FunctionDef(def)), outer) = (path.last(), &path[..path.len().saturating_sub(1)])
        else {
            panic!("the path of a function ends with its statement");
        };
        let names = Names::of(Some(&def.parameters), &def.body, private_class.as_deref());
        let enclosing = enclosing_names(outer, def);
        let mut reader = Reader::new(private_class.as_deref(), reading);
        reader.visit_body(&def.body);
        let Reader { loads, captured, inlined, .. } = reader;
        let variables = info.parameters.iter().map(|parameter| parameter.name.clone()).collect();
        let mut scope = Scope {
            private_class,
            names,
            variables,
            numbers: FxHashMap::default(),
            cells: FxHashMap::default(),
            free: Vec::new(),
            first_free: 0,
            hidden: NameSet::default(),
            comprehensions: FxHashMap::default(),
            deleted: FxHashSet::default(),
        };
        for (number, name) in scope.variables.iter().enumerate() {
            scope.numbers.insert(name.clone(), Variable(number));
        }
        scope.find_cells(&captured);
        Mentions { scope: &mut scope, assertions, inlined: &inlined }.visit_body(&def.body);
        scope.number_the_rest(&inlined);
        let wanted = loads.into_iter().chain(captured).filter(|name| enclosing.contains(name));
        scope.number_free(wanted.collect());
        scope.number_inlined(inlined);
        scope
    }

    /// Parameters that are cells keep their number; the others get theirs behind all plain variables.
    fn find_cells(&mut self, captured: &NameSet) {
        for name in captured {
            if self.names.is_local(name) {
                let variable = self.numbers.get(name).copied().unwrap_or(Variable(usize::MAX));
                self.cells.insert(name.clone(), variable);
            }
        }
    }

    /// Variables that nothing the compiler looks at mentions, then the cells that are no parameters.
    fn number_the_rest(&mut self, inlined: &[Inlined]) {
        let mut names: Vec<String> = self.names.bound.iter().cloned().collect();
        names.sort_unstable();
        for name in &names {
            self.mention(name);
        }
        let mut cells: Vec<&String> = self
            .cells
            .iter()
            .filter(|(_, variable)| variable.0 == usize::MAX)
            .map(|(name, _)| name)
            .collect();
        // The cells of comprehensions have places of their own in frames.
        let targets = inlined.iter().flat_map(|inlined| &inlined.targets);
        cells.extend(
            targets
                .filter(|(name, is_cell)| *is_cell && !self.cells.contains_key(name))
                .map(|(name, _)| name),
        );
        cells.sort_unstable();
        cells.dedup();
        let cells: Vec<String> = cells.into_iter().cloned().collect();
        for name in cells {
            if let Some(variable) = self.cells.get_mut(&name) {
                *variable = Variable(self.variables.len());
            }
            self.variables.push(name);
        }
    }

    fn number_free(&mut self, wanted: NameSet) {
        let names = &self.names;
        let mut free: Vec<String> = wanted.into_iter().chain(names.nonlocals.iter().cloned()).collect();
        free.retain(|name| !names.is_local(name) && !names.globals.contains(name));
        free.sort_unstable();
        free.dedup();
        self.first_free = self.variables.len();
        self.variables.extend(free.iter().cloned());
        self.free = free;
    }

    fn number_inlined(&mut self, inlined: Vec<Inlined>) {
        for Inlined { range, targets } in inlined {
            let mut variables = Vec::with_capacity(targets.len());
            for (name, is_cell) in targets {
                variables.push((name.clone(), Variable(self.variables.len()), is_cell));
                self.variables.push(name);
            }
            self.comprehensions.insert(range, variables);
        }
    }

    /// The name as the function's code has it: private names carry their class.
    pub(super) fn mangled<'n>(&self, name: &'n str) -> Cow<'n, str> {
        mangle(self.private_class.as_deref(), name)
    }

    /// The variables in the order of frames where that is in doubt: where there are cells or comprehensions.
    pub(super) fn doubtful_variables(&self) -> Vec<String> {
        if self.cells.is_empty() && self.free.is_empty() && self.comprehensions.is_empty() {
            return Vec::new();
        }
        self.variables[..self.first_free + self.free.len()].to_vec()
    }

    /// A name that a comprehension in the function's frame binds.
    fn mention_hidden(&mut self, name: &str) {
        if self.names.is_local(name) {
            self.mention(name);
        } else if self.hidden.insert(name.to_owned()) {
            self.variables.push(name.to_owned());
        }
    }

    /// The class by whose name private names are mangled.
    pub(super) fn private_class(&self) -> Option<&str> {
        self.private_class.as_deref()
    }

    /// What the name of the first parameter means.
    pub(super) fn first_parameter(&self) -> Meaning {
        self.variables.first().map_or(Meaning::Global, |name| self.meaning(name))
    }

    /// Whether the variable of this number is a cell of an enclosing function.
    pub(super) fn is_free(&self, number: usize) -> bool {
        (self.first_free..self.first_free + self.free.len()).contains(&number)
    }

    /// The plain variables that a walrus inside a comprehension may bind.
    pub(super) fn bound_by_walrus<'e>(
        &self,
        generators: impl Iterator<Item = &'e Comprehension>,
        elements: &[&'e Expr],
    ) -> Vec<Variable> {
        let mut names = Names { private_class: self.private_class.clone(), ..Names::default() };
        names.comprehensions = 1;
        for generator in generators {
            names.visit_expr(&generator.iter);
            generator.ifs.iter().for_each(|test| names.visit_expr(test));
        }
        elements.iter().for_each(|element| names.visit_expr(element));
        let plain = names.bound.iter().filter(|name| !self.cells.contains_key(*name));
        plain.filter_map(|name| self.numbers.get(name)).copied().collect()
    }

    /// What a mangled name means.
    pub(super) fn meaning(&self, name: &str) -> Meaning {
        if let Some(&variable) = self.cells.get(name) {
            return Meaning::Cell(variable);
        }
        if let Some(&variable) = self.numbers.get(name) {
            return Meaning::Local(variable);
        }
        match self.free.binary_search_by(|free| free.as_str().cmp(name)) {
            Ok(place) => Meaning::Free(Variable(self.first_free + place)),
            Err(_) => Meaning::Global,
        }
    }

    /// The variables that these parts of a loop may bind or unbind, in their order.
    pub(super) fn assigned_in(
        &self,
        test: Option<&Expr>,
        target: Option<&Expr>,
        body: &[Stmt],
    ) -> Vec<Variable> {
        let mut names = Names { private_class: self.private_class.clone(), ..Names::default() };
        test.into_iter().chain(target).for_each(|expr| names.visit_expr(expr));
        names.visit_body(body);
        let mut variables: Vec<Variable> = names
            .bound
            .iter()
            .filter(|name| !self.cells.contains_key(*name))
            .filter_map(|name| self.numbers.get(name))
            .copied()
            .collect();
        variables.sort_unstable();
        variables
    }

    fn mention(&mut self, name: &str) -> Option<Variable> {
        let name = self.mangled(name).into_owned();
        if !self.names.is_local(&name) || self.cells.contains_key(&name) {
            return None;
        }
        let next = Variable(self.variables.len());
        let variables = &mut self.variables;
        Some(*self.numbers.entry(name).or_insert_with_key(|name| {
            variables.push(name.clone());
            next
        }))
    }
}

/// `name` as code inside this class sees it: `__x` in class `C` is `_C__x`.
pub(super) fn mangle<'n>(class: Option<&str>, name: &'n str) -> Cow<'n, str> {
    let Some(class) = class else { return Cow::Borrowed(name) };
    let class = class.trim_start_matches('_');
    if class.is_empty() || !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return Cow::Borrowed(name);
    }
    Cow::Owned(format!("_{class}{name}"))
}

/// The names that the body of a function or class declares global.
pub(super) fn declared_globals(body: &[Stmt]) -> FxHashSet<String> {
    Names::of(None, body, None).globals
}

/// Whether the body of a function has a `yield` of its own.
pub(super) fn has_yield(body: &[Stmt]) -> bool {
    Names::of(None, body, None).yields
}

/// Every name that any scope of these statements binds.
pub(super) fn names_bound_anywhere(suite: &[Stmt]) -> FxHashSet<String> {
    let mut names = Names { everywhere: true, ..Names::default() };
    names.visit_body(suite);
    names.bound
}

/// The names of enclosing functions' variables, as the function sees them: those of the nearest scope
/// that binds or declares a name count. Class bodies share their type parameters only.
fn enclosing_names(outer: &[&Stmt], def: &StmtFunctionDef) -> FxHashSet<String> {
    let mut shared = FxHashSet::default();
    let mut private_class: Option<&str> = None;
    for stmt in outer {
        match stmt {
            Stmt::FunctionDef(def) => {
                bind_type_params(def.type_params.as_deref(), &mut shared);
                let names = Names::of(Some(&def.parameters), &def.body, private_class);
                shared.retain(|name| !names.globals.contains(name));
                shared.extend(names.bound.iter().filter(|name| names.is_local(name)).cloned());
            }
            Stmt::ClassDef(def) => {
                bind_type_params(def.type_params.as_deref(), &mut shared);
                private_class = Some(&def.name);
                shared.insert(CLASS_CELL.to_owned());
            }
            _ => {}
        }
    }
    bind_type_params(def.type_params.as_deref(), &mut shared);
    shared
}

pub(super) fn bind_type_params(params: Option<&TypeParams>, names: &mut FxHashSet<String>) {
    for param in params.iter().flat_map(|params| &params.type_params) {
        names.insert(name_of(param).to_string());
    }
}

fn name_of(param: &TypeParam) -> &Identifier {
    match param {
        TypeParam::TypeVar(param) => &param.name,
        TypeParam::TypeVarTuple(param) => &param.name,
        TypeParam::ParamSpec(param) => &param.name,
    }
}

/// What one scope binds and declares; scopes inside it are not entered, unless `everywhere` asks for it.
#[derive(Default)]
pub(super) struct Names {
    private_class: Option<String>,
    everywhere: bool,
    pub(super) bound: FxHashSet<String>,
    pub(super) globals: FxHashSet<String>,
    pub(super) nonlocals: FxHashSet<String>,
    yields: bool,
    /// How many comprehensions are around: their targets are their own, only a walrus reaches out.
    comprehensions: usize,
    in_walrus_target: bool,
}

impl Names {
    pub(super) fn of(parameters: Option<&Parameters>, body: &[Stmt], private_class: Option<&str>) -> Names {
        let mut names = Names { private_class: private_class.map(str::to_owned), ..Names::default() };
        for parameter in parameters.into_iter().flat_map(Parameters::iter) {
            names.bind(parameter.name());
        }
        names.visit_body(body);
        names
    }

    pub(super) fn is_local(&self, name: &str) -> bool {
        self.bound.contains(name) && !self.globals.contains(name) && !self.nonlocals.contains(name)
    }

    fn bind(&mut self, name: &str) {
        let name = mangle(self.private_class.as_deref(), name).into_owned();
        self.bound.insert(name);
    }

    fn declare(&mut self, stmt: &Stmt) {
        let (names, declared) = match stmt {
            Stmt::Global(node) => (&node.names, &mut self.globals),
            Stmt::Nonlocal(node) => (&node.names, &mut self.nonlocals),
            _ => return,
        };
        declared.extend(names.iter().map(|name| mangle(self.private_class.as_deref(), name).into_owned()));
    }

    /// The parts of a `def` or `lambda` that its enclosing scope evaluates.
    fn visit_defaults(&mut self, parameters: &Parameters) {
        for parameter in parameters.iter_non_variadic_params() {
            if let Some(default) = &parameter.default {
                self.visit_expr(default);
            }
        }
    }

    fn bind_imports(&mut self, names: &[ruff_python_ast::Alias]) {
        for alias in names {
            self.bind(bound_by(alias));
        }
    }
}

/// The name that an import binds.
fn bound_by(alias: &ruff_python_ast::Alias) -> &str {
    let whole = alias.asname.as_ref().unwrap_or(&alias.name);
    whole.split('.').next().unwrap_or(whole)
}

impl<'a> Visitor<'a> for Names {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        with_stack(|| match stmt {
            Stmt::FunctionDef(def) => {
                self.bind(&def.name);
                if self.everywhere {
                    return visitor::walk_stmt(self, stmt);
                }
                def.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.visit_defaults(&def.parameters);
            }
            Stmt::ClassDef(def) => {
                self.bind(&def.name);
                if self.everywhere {
                    return visitor::walk_stmt(self, stmt);
                }
                def.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                if let (Some(arguments), None) = (&def.arguments, &def.type_params) {
                    self.visit_arguments(arguments);
                }
            }
            Stmt::Import(node) => self.bind_imports(&node.names),
            Stmt::ImportFrom(node) => self.bind_imports(&node.names),
            Stmt::Global(_) | Stmt::Nonlocal(_) => self.declare(stmt),
            Stmt::TypeAlias(node) => self.visit_expr(&node.name),
            Stmt::AnnAssign(node) => {
                node.value.iter().for_each(|value| self.visit_expr(value));
                self.visit_expr(&node.target);
            }
            _ => visitor::walk_stmt(self, stmt),
        });
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        with_stack(|| match expr {
            Expr::Name(name) if name.ctx != ExprContext::Load => {
                if self.comprehensions == 0 || self.in_walrus_target || self.everywhere {
                    self.bind(&name.id);
                }
            }
            Expr::Named(node) => {
                self.visit_expr(&node.value);
                let outer = std::mem::replace(&mut self.in_walrus_target, true);
                self.visit_expr(&node.target);
                self.in_walrus_target = outer;
            }
            Expr::Lambda(node) if !self.everywhere => {
                node.parameters.iter().for_each(|parameters| self.visit_defaults(parameters));
            }
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                self.comprehensions += 1;
                visitor::walk_expr(self, expr);
                self.comprehensions -= 1;
            }
            _ => {
                self.yields |= matches!(expr, Expr::Yield(_) | Expr::YieldFrom(_));
                visitor::walk_expr(self, expr);
            }
        });
    }

    fn visit_parameter(&mut self, parameter: &'a ruff_python_ast::Parameter) {
        self.bind(&parameter.name);
        visitor::walk_parameter(self, parameter);
    }

    fn visit_type_param(&mut self, type_param: &'a TypeParam) {
        self.bind(name_of(type_param));
        visitor::walk_type_param(self, type_param);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(node) = handler;
        node.name.iter().for_each(|name| self.bind(name));
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(node) => &node.name,
            Pattern::MatchStar(node) => &node.name,
            Pattern::MatchMapping(node) => &node.rest,
            _ => &None,
        };
        name.iter().for_each(|name| self.bind(name));
        with_stack(|| visitor::walk_pattern(self, pattern));
    }

    fn visit_interpolated_string_element(&mut self, element: &'a InterpolatedStringElement) {
        with_stack(|| visitor::walk_interpolated_string_element(self, element));
    }
}

/// Numbers the function's variables in the order in which CPython's compiler mentions them.
struct Mentions<'s> {
    scope: &'s mut Scope,
    inlined: &'s [Inlined],
    assertions: Assertions,
}

impl Mentions<'_> {
    /// The first iterable is evaluated around it; what runs in the frame mentions names there.
    fn comprehension(&mut self, expr: &Expr) {
        let Some((generators, elements)) = parts_of_comprehension(expr) else { return };
        generators.iter().take(1).for_each(|generator| self.visit_expr(&generator.iter));
        let Some(inlined) = self.inlined.iter().find(|inlined| inlined.range == expr.range()) else { return };
        for (name, is_cell) in &inlined.targets {
            if !is_cell {
                self.scope.mention_hidden(name);
            }
        }
        for (number, generator) in generators.iter().enumerate() {
            if number > 0 {
                self.visit_expr(&generator.iter);
            }
            generator.ifs.iter().for_each(|test| self.visit_expr(test));
        }
        elements.iter().for_each(|element| self.visit_expr(element));
    }

    fn mention_imports(&mut self, names: &[ruff_python_ast::Alias]) {
        for alias in names {
            self.scope.mention(bound_by(alias));
        }
    }
}

impl<'a> Visitor<'a> for Mentions<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        with_stack(|| match stmt {
            Stmt::FunctionDef(def) => {
                def.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                for parameter in def.parameters.iter_non_variadic_params() {
                    parameter.default.iter().for_each(|default| self.visit_expr(default));
                }
                self.scope.mention(&def.name);
            }
            Stmt::ClassDef(def) => {
                def.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                def.arguments.iter().for_each(|arguments| self.visit_arguments(arguments));
                self.scope.mention(&def.name);
            }
            Stmt::Assert(_) if self.assertions == Assertions::Stripped => {}
            Stmt::AugAssign(node) => {
                self.visit_expr(&node.target);
                self.visit_expr(&node.value);
            }
            Stmt::AnnAssign(node) => {
                let Some(value) = &node.value else { return };
                self.visit_expr(value);
                self.visit_expr(&node.target);
            }
            Stmt::Try(node) => {
                self.visit_body(&node.body);
                self.visit_body(&node.orelse);
                node.handlers.iter().for_each(|handler| self.visit_except_handler(handler));
                self.visit_body(&node.finalbody);
            }
            Stmt::Import(node) => self.mention_imports(&node.names),
            Stmt::ImportFrom(node) => self.mention_imports(&node.names),
            _ => visitor::walk_stmt(self, stmt),
        });
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        with_stack(|| match expr {
            Expr::Lambda(node) => {
                let parameters = node.parameters.iter();
                for parameter in parameters.flat_map(|parameters| parameters.iter_non_variadic_params()) {
                    parameter.default.iter().for_each(|default| self.visit_expr(default));
                }
            }
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                self.comprehension(expr);
            }
            Expr::Name(name) => {
                let variable = self.scope.mention(&name.id);
                if let (Some(variable), ExprContext::Del) = (variable, name.ctx) {
                    self.scope.deleted.insert(variable);
                }
            }
            _ => visitor::walk_expr(self, expr),
        });
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(node) = handler;
        node.type_.iter().for_each(|class| self.visit_expr(class));
        // The name is unbound where the handler ends.
        let variable = node.name.as_ref().and_then(|name| self.scope.mention(name));
        self.scope.deleted.extend(variable);
        self.visit_body(&node.body);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        with_stack(|| visitor::walk_pattern(self, pattern));
    }

    fn visit_interpolated_string_element(&mut self, element: &'a InterpolatedStringElement) {
        with_stack(|| visitor::walk_interpolated_string_element(self, element));
    }
}
