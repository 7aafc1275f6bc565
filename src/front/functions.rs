//! Every `def` of a module: where it is, what it is called, what it takes.
//!
//! In: the syntax tree. Out: one [`FunctionInfo`] per `def`, in the order of the text, nested ones and
//! methods included; and the way back from an info to its node ([`path_to`]).

use ruff_python_ast::Expr;
use ruff_python_ast::Pattern;
use ruff_python_ast::Stmt;
use ruff_python_ast::StmtFunctionDef;
use ruff_python_ast::visitor;
use ruff_python_ast::visitor::Visitor;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;
use rustc_hash::FxHashSet;

use super::ParsedModule;
use super::names;
use super::nesting::with_stack;

/// A function of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionInfo {
    /// Its `__name__`.
    pub name: String,
    /// Its `__qualname__` (`C.m`, `f.<locals>.g`).
    pub qualname: String,
    /// The whole statement, decorators included; what identifies the function within its module.
    pub range: TextRange,
    /// The name in the statement.
    pub name_range: TextRange,
    /// `code.co_firstlineno`.
    pub first_line: u32,
    /// Its parameters, in the order of the code object's variables.
    pub parameters: Vec<ParameterInfo>,
    /// Whether it is an `async def`.
    pub is_async: bool,
    /// Whether it has a `yield` of its own.
    pub is_generator: bool,
    /// Whether it is made by a call of another function.
    pub is_nested: bool,
    /// Whether it stands directly in a class body.
    pub is_method: bool,
    /// The innermost class around it, by whose name private names are mangled.
    pub private_class: Option<String>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterInfo {
    /// Its name, mangled as `co_varnames` has it.
    pub name: String,
    /// How it is passed.
    pub kind: ParameterKind,
    /// Whether it has a default.
    pub has_default: bool,
}

impl FunctionInfo {
    /// How many of the parameters, the last ones, take no argument by its position: `*` and `**` are among them.
    #[must_use]
    pub fn keyword_only(&self) -> usize {
        let by_position = |parameter: &&ParameterInfo| {
            matches!(parameter.kind, ParameterKind::PositionalOnly | ParameterKind::Positional)
        };
        self.parameters.len() - self.parameters.iter().filter(by_position).count()
    }
}

/// How a parameter is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// By position only: before `/`.
    PositionalOnly,
    /// By position or name.
    Positional,
    /// By name only: after `*`.
    KeywordOnly,
    /// `*args`
    VarPositional,
    /// `**kwargs`
    VarKeyword,
}

/// All functions of a module, in the order of the text.
#[must_use]
pub fn functions(module: &ParsedModule) -> Vec<FunctionInfo> {
    let mut collector = Collector { module, scopes: Vec::new(), found: Vec::new() };
    collector.visit_body(module.suite());
    collector.found
}

/// The name of a function in the namespace of the class that its qualified name says it stands in; none for others.
#[must_use]
pub fn method_name(qualname: &str) -> Option<&str> {
    let (around, name) = qualname.rsplit_once('.')?;
    (!around.ends_with("<locals>")).then_some(name)
}

/// The class and function statements around the function with this range, outermost first, itself last;
/// empty when the module has no such function.
pub(super) fn path_to(module: &ParsedModule, range: TextRange) -> Vec<&Stmt> {
    let mut path = Vec::new();
    let mut suites = vec![module.suite().as_slice()];
    while let Some(stmt) = suites.iter().find_map(|suite| statement_around(suite, range)) {
        if matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
            path.push(stmt);
        }
        if stmt.range() == range && matches!(stmt, Stmt::FunctionDef(_)) {
            return path;
        }
        suites = suites_of(stmt);
    }
    Vec::new()
}

fn statement_around(suite: &[Stmt], range: TextRange) -> Option<&Stmt> {
    let position = suite.partition_point(|stmt| stmt.end() < range.end());
    suite.get(position).filter(|stmt| stmt.range().contains_range(range))
}

/// The suites directly inside a statement.
fn suites_of(stmt: &Stmt) -> Vec<&[Stmt]> {
    match stmt {
        Stmt::FunctionDef(def) => vec![&def.body],
        Stmt::ClassDef(def) => vec![&def.body],
        Stmt::For(node) => vec![&node.body, &node.orelse],
        Stmt::While(node) => vec![&node.body, &node.orelse],
        Stmt::If(node) => {
            let clauses = node.elif_else_clauses.iter().map(|clause| clause.body.as_slice());
            std::iter::once(node.body.as_slice()).chain(clauses).collect()
        }
        Stmt::With(node) => vec![&node.body],
        Stmt::Match(node) => node.cases.iter().map(|case| case.body.as_slice()).collect(),
        Stmt::Try(node) => {
            let handlers = node.handlers.iter().map(|handler| {
                let ruff_python_ast::ExceptHandler::ExceptHandler(handler) = handler;
                handler.body.as_slice()
            });
            let rest: [&[Stmt]; 2] = [&node.orelse, &node.finalbody];
            std::iter::once(node.body.as_slice()).chain(handlers).chain(rest).collect()
        }
        _ => Vec::new(),
    }
}

enum ScopeKind {
    Function,
    Class(String),
}

struct Scope<'a> {
    kind: ScopeKind,
    qualname: String,
    body: &'a [Stmt],
    /// The names it declares global; looked up when a `def` stands in it.
    globals: Option<FxHashSet<String>>,
}

struct Collector<'a> {
    module: &'a ParsedModule,
    scopes: Vec<Scope<'a>>,
    found: Vec<FunctionInfo>,
}

impl<'a> Collector<'a> {
    /// The `__qualname__` of a function or class of this name, defined in the current scope.
    fn qualname(&mut self, name: &str) -> String {
        let Some(scope) = self.scopes.last_mut() else { return name.to_owned() };
        let globals = scope.globals.get_or_insert_with(|| names::declared_globals(scope.body));
        if globals.contains(name) {
            return name.to_owned();
        }
        match scope.kind {
            ScopeKind::Function => format!("{}.<locals>.{name}", scope.qualname),
            ScopeKind::Class(_) => format!("{}.{name}", scope.qualname),
        }
    }

    fn function(&mut self, def: &'a StmtFunctionDef) {
        let qualname = self.qualname(&def.name);
        let private_class = self.scopes.iter().rev().find_map(|scope| match &scope.kind {
            ScopeKind::Class(name) => Some(name.clone()),
            ScopeKind::Function => None,
        });
        let first = def.decorator_list.first().map_or(def.start(), |decorator| decorator.expression.start());
        self.found.push(FunctionInfo {
            name: def.name.to_string(),
            qualname: qualname.clone(),
            range: def.range(),
            name_range: def.name.range(),
            first_line: self.module.file().line(first),
            parameters: parameters(def, private_class.as_deref()),
            is_async: def.is_async,
            is_generator: names::has_yield(&def.body),
            is_nested: self.scopes.iter().any(|scope| matches!(scope.kind, ScopeKind::Function)),
            is_method: self.scopes.last().is_some_and(|scope| matches!(scope.kind, ScopeKind::Class(_))),
            private_class,
        });
        self.inside(ScopeKind::Function, qualname, &def.body);
    }

    fn inside(&mut self, kind: ScopeKind, qualname: String, body: &'a [Stmt]) {
        self.scopes.push(Scope { kind, qualname, body, globals: None });
        self.visit_body(body);
        self.scopes.pop();
    }
}

impl<'a> Visitor<'a> for Collector<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        with_stack(|| match stmt {
            Stmt::FunctionDef(def) => self.function(def),
            Stmt::ClassDef(def) => {
                let qualname = self.qualname(&def.name);
                self.inside(ScopeKind::Class(def.name.to_string()), qualname, &def.body);
            }
            _ => visitor::walk_stmt(self, stmt),
        });
    }

    fn visit_expr(&mut self, _: &'a Expr) {}

    fn visit_pattern(&mut self, _: &'a Pattern) {}
}

fn parameters(def: &StmtFunctionDef, private_class: Option<&str>) -> Vec<ParameterInfo> {
    let parameters = &def.parameters;
    let plain = [
        (&parameters.posonlyargs, ParameterKind::PositionalOnly),
        (&parameters.args, ParameterKind::Positional),
        (&parameters.kwonlyargs, ParameterKind::KeywordOnly),
    ];
    let mut found = Vec::new();
    for (list, kind) in plain {
        found.extend(list.iter().map(|parameter| ParameterInfo {
            name: names::mangle(private_class, parameter.name()).into_owned(),
            kind,
            has_default: parameter.default.is_some(),
        }));
    }
    let variadic =
        [(&parameters.vararg, ParameterKind::VarPositional), (&parameters.kwarg, ParameterKind::VarKeyword)];
    for (parameter, kind) in variadic {
        found.extend(parameter.iter().map(|parameter| ParameterInfo {
            name: names::mangle(private_class, parameter.name()).into_owned(),
            kind,
            has_default: false,
        }));
    }
    found
}
