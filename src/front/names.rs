//! The names that one scope binds and declares, and how private names are written.
//!
//! In: statements. Out: [`Names`]. What a name means in a function, [`super::scope`] says.

use std::borrow::Cow;

use ruff_python_ast::ExceptHandler;
use ruff_python_ast::Expr;
use ruff_python_ast::ExprContext;
use ruff_python_ast::Identifier;
use ruff_python_ast::InterpolatedStringElement;
use ruff_python_ast::Parameters;
use ruff_python_ast::Pattern;
use ruff_python_ast::Stmt;
use ruff_python_ast::TypeParam;
use ruff_python_ast::TypeParams;
use ruff_python_ast::visitor;
use ruff_python_ast::visitor::Visitor;
use rustc_hash::FxHashSet;

use super::nesting::with_stack;

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

/// Every name that any scope of these statements declares global.
pub(super) fn globals_declared_anywhere(suite: &[Stmt]) -> FxHashSet<String> {
    let mut names = Names { everywhere: true, ..Names::default() };
    names.visit_body(suite);
    names.globals
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
    pub(super) private_class: Option<String>,
    pub(super) everywhere: bool,
    pub(super) bound: FxHashSet<String>,
    pub(super) globals: FxHashSet<String>,
    pub(super) nonlocals: FxHashSet<String>,
    pub(super) yields: bool,
    /// How many comprehensions are around: their targets are their own, only a walrus reaches out.
    pub(super) comprehensions: usize,
    pub(super) in_walrus_target: bool,
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
pub(super) fn bound_by(alias: &ruff_python_ast::Alias) -> &str {
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
                // `(x): int` declares nothing.
                if node.simple || node.value.is_some() || !node.target.is_name_expr() {
                    self.visit_expr(&node.target);
                }
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
