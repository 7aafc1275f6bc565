//! Which variable a name means: Python's scoping rules for one function.
//!
//! In: a function's statement and what encloses it. Out: a [`Scope`]: its variables in the order of
//! `co_varnames`, and for any name whether it is one of them, global, or another function's.
//!
//! CPython numbers a function's variables as its compiler first mentions them; they die in that order at the end of a
//! call, so [`Mentions`] walks in the same order.

mod mentions;

use std::borrow::Cow;

use ruff_python_ast::Comprehension;
use ruff_python_ast::Expr;
use ruff_python_ast::Stmt;
use ruff_python_ast::StmtFunctionDef;
use ruff_python_ast::visitor::Visitor;
use ruff_text_size::TextRange;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

use super::closures::CLASS_CELL;
use super::closures::Inlined;
use super::closures::NameSet;
use super::closures::Reader;
use super::closures::Reading;
use super::functions::FunctionInfo;
use super::names::Names;
use super::names::bind_type_params;
use super::names::mangle;

use mentions::Mentions;

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
    /// Plain variables whose names such a comprehension binds as cells: CPython has cells of them everywhere, and
    /// saves them around the comprehension as plain ones, which is where they get their numbers.
    late: NameSet,
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
            late: NameSet::default(),
            comprehensions: FxHashMap::default(),
            deleted: FxHashSet::default(),
        };
        for (number, name) in scope.variables.iter().enumerate() {
            scope.numbers.insert(name.clone(), Variable(number));
        }
        scope.find_cells(&captured);
        scope.find_late(&inlined);
        let mut mentions = Mentions::of(&mut scope, assertions, &inlined);
        mentions.visit_body(&def.body);
        let deleted = std::mem::take(&mut mentions.deleted);
        scope.number_the_rest();
        scope.deleted = deleted.iter().filter_map(|name| scope.numbers.get(name)).copied().collect();
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

    fn find_late(&mut self, inlined: &[Inlined]) {
        let shared = inlined.iter().flat_map(|inlined| &inlined.targets).filter(|(_, is_cell)| *is_cell);
        let plain = |name: &&String| self.names.is_local(name) && !self.cells.contains_key(*name);
        self.late = shared.map(|(name, _)| name).filter(plain).cloned().collect();
    }

    /// Variables that nothing the compiler looks at mentions, then the cells that are no parameters.
    fn number_the_rest(&mut self) {
        let mut names: Vec<String> = self.names.bound.iter().cloned().collect();
        names.sort_unstable();
        for name in &names {
            self.mention(name);
        }
        let unnumbered = self.cells.iter().filter(|(_, variable)| variable.0 == usize::MAX);
        let late = self.late.iter().filter(|name| !self.numbers.contains_key(*name));
        let mut cells: Vec<String> = unnumbered.map(|(name, _)| name).chain(late).cloned().collect();
        cells.sort_unstable();
        for name in cells {
            match self.cells.get_mut(&name) {
                Some(variable) => {
                    *variable = Variable(self.variables.len());
                    self.variables.push(name);
                }
                None => {
                    self.number(name);
                }
            }
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
            self.number(name.to_owned());
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

    fn mention(&mut self, name: &str) {
        let name = self.mangled(name).into_owned();
        if self.names.is_local(&name) && !self.cells.contains_key(&name) && !self.late.contains(&name) {
            self.number(name);
        }
    }

    /// The plain variable of this mangled name gets the next number, unless it has one.
    fn number(&mut self, name: String) {
        let next = Variable(self.variables.len());
        let variables = &mut self.variables;
        self.numbers.entry(name).or_insert_with_key(|name| {
            variables.push(name.clone());
            next
        });
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
