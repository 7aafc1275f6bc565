//! Which variable a name means: Python's scoping rules for one function.
//!
//! In: a function's statement and what encloses it. Out: a [`Scope`]: its variables in the order of
//! `co_varnames`, and for any name whether it is one of them, global, or another function's.
//!
//! CPython numbers a function's variables as its compiler first mentions them, in the order of the code
//! it writes (a `finally` suite stands first where something first leaves through it); they die in that order at the end of a call, so [`Mentions`] walks in the same order.

use std::borrow::Cow;

use ruff_python_ast::Comprehension;
use ruff_python_ast::ExceptHandler;
use ruff_python_ast::Expr;
use ruff_python_ast::ExprContext;
use ruff_python_ast::InterpolatedStringElement;
use ruff_python_ast::MatchCase;
use ruff_python_ast::Stmt;
use ruff_python_ast::StmtFunctionDef;
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
use super::names::Names;
use super::names::bind_type_params;
use super::names::bound_by;
use super::names::mangle;
use super::nesting::with_stack;
use super::patterns::captures_of;
use super::patterns::expressions_of;

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
        Mentions::of(&mut scope, assertions, &inlined).visit_body(&def.body);
        scope.number_the_rest();
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
    fn number_the_rest(&mut self) {
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
        cells.sort_unstable();
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

    /// A name that a comprehension in the function's frame binds: it is saved as a plain variable is, also where
    /// the function or the comprehension has a cell of this name.
    fn mention_hidden(&mut self, name: &str) {
        let next = Variable(self.variables.len());
        if let Some(cell) = self.cells.get_mut(name) {
            if cell.0 == usize::MAX {
                *cell = next;
                self.variables.push(name.to_owned());
            }
        } else if self.names.is_local(name) {
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

/// Numbers the function's variables in the order in which CPython's compiler mentions them.
struct Mentions<'s, 'a> {
    scope: &'s mut Scope,
    inlined: &'s [Inlined],
    assertions: Assertions,
    /// What is around the statement, outermost first.
    around: Vec<Around<'a>>,
    /// The `finally` suites that were walked through already, by their first statements.
    done: FxHashSet<TextRange>,
}

/// A statement that `return`, `break` or `continue` may leave.
#[derive(Clone, Copy)]
enum Around<'a> {
    Loop,
    Finally(&'a [Stmt]),
}

impl<'s, 'a> Mentions<'s, 'a> {
    fn of(scope: &'s mut Scope, assertions: Assertions, inlined: &'s [Inlined]) -> Mentions<'s, 'a> {
        Mentions { scope, inlined, assertions, around: Vec::new(), done: FxHashSet::default() }
    }

    fn within(&mut self, around: Around<'a>, body: &'a [Stmt]) {
        self.around.push(around);
        self.visit_body(body);
        self.around.pop();
    }

    /// A statement that leaves what is around it: CPython writes the `finally` suites on the way there, and
    /// then, for the other ways through them, again.
    fn leave(&mut self, is_return: bool) {
        for place in (0..self.around.len()).rev() {
            match self.around[place] {
                Around::Loop if !is_return => return,
                Around::Loop => {}
                Around::Finally(body) => {
                    let left = self.around.split_off(place);
                    self.finally(body);
                    self.around.extend(left);
                }
            }
        }
    }

    /// What was walked through once mentions nothing new.
    fn finally(&mut self, body: &'a [Stmt]) {
        let Some(first) = body.first() else { return };
        if self.done.insert(first.range()) {
            self.visit_body(body);
        }
    }

    /// The first iterable is evaluated around it; what runs in the frame mentions names there.
    fn comprehension(&mut self, expr: &'a Expr) {
        let Some((generators, elements)) = parts_of_comprehension(expr) else { return };
        generators.iter().take(1).for_each(|generator| self.visit_expr(&generator.iter));
        let Some(inlined) = self.inlined.iter().find(|inlined| inlined.range == expr.range()) else { return };
        for (name, _) in &inlined.targets {
            self.scope.mention_hidden(name);
        }
        for (number, generator) in generators.iter().enumerate() {
            if number > 0 {
                self.visit_expr(&generator.iter);
            }
            generator.ifs.iter().for_each(|test| self.visit_expr(test));
        }
        elements.iter().for_each(|element| self.visit_expr(element));
    }

    fn case(&mut self, case: &'a MatchCase) {
        expressions_of(&case.pattern, &mut |expr| self.visit_expr(expr));
        for name in captures_of(&case.pattern) {
            self.scope.mention(name);
        }
        case.guard.iter().for_each(|guard| self.visit_expr(guard));
        self.visit_body(&case.body);
    }

    fn mention_imports(&mut self, names: &[ruff_python_ast::Alias]) {
        for alias in names {
            self.scope.mention(bound_by(alias));
        }
    }
}

impl<'a> Visitor<'a> for Mentions<'_, 'a> {
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
                if def.type_params.is_none() {
                    def.arguments.iter().for_each(|arguments| self.visit_arguments(arguments));
                }
                self.scope.mention(&def.name);
            }
            Stmt::TypeAlias(node) => self.visit_expr(&node.name),
            Stmt::Match(node) => {
                self.visit_expr(&node.subject);
                node.cases.iter().for_each(|case| self.case(case));
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
                let finally = (!node.finalbody.is_empty()).then_some(Around::Finally(&node.finalbody));
                self.around.extend(finally);
                self.visit_body(&node.body);
                self.visit_body(&node.orelse);
                node.handlers.iter().for_each(|handler| self.visit_except_handler(handler));
                if finally.is_some() {
                    self.around.pop();
                }
                self.finally(&node.finalbody);
            }
            Stmt::For(node) => {
                self.visit_expr(&node.iter);
                self.visit_expr(&node.target);
                self.within(Around::Loop, &node.body);
                self.visit_body(&node.orelse);
            }
            Stmt::While(node) => {
                self.visit_expr(&node.test);
                self.within(Around::Loop, &node.body);
                self.visit_body(&node.orelse);
            }
            Stmt::Return(node) => {
                node.value.iter().for_each(|value| self.visit_expr(value));
                self.leave(true);
            }
            Stmt::Break(_) | Stmt::Continue(_) => self.leave(false),
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

    fn visit_interpolated_string_element(&mut self, element: &'a InterpolatedStringElement) {
        with_stack(|| visitor::walk_interpolated_string_element(self, element));
    }
}
