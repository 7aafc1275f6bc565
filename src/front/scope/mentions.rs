//! The order in which CPython's compiler mentions a function's variables, which numbers them.
//!
//! It is the order of the code that it writes: a `finally` suite stands first where something first leaves through it.
//! In: the statements of a function. Out: the numbers of its variables, in the scope, and the names that something
//! unbinds.

use ruff_python_ast::ExceptHandler;
use ruff_python_ast::Expr;
use ruff_python_ast::ExprContext;
use ruff_python_ast::InterpolatedStringElement;
use ruff_python_ast::MatchCase;
use ruff_python_ast::Stmt;
use ruff_python_ast::visitor;
use ruff_python_ast::visitor::Visitor;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;
use rustc_hash::FxHashSet;

use crate::front::closures::Inlined;
use crate::front::closures::parts_of_comprehension;
use crate::front::names::bound_by;
use crate::front::nesting::with_stack;
use crate::front::patterns::captures_of;
use crate::front::patterns::expressions_of;

use super::Assertions;
use super::Scope;

/// Numbers the function's variables in the order in which CPython's compiler mentions them.
pub(super) struct Mentions<'s, 'a> {
    scope: &'s mut Scope,
    inlined: &'s [Inlined],
    assertions: Assertions,
    /// What is around the statement, outermost first.
    around: Vec<Around<'a>>,
    /// The `finally` suites that were walked through already, by their first statements.
    done: FxHashSet<TextRange>,
    /// The mangled names that something unbinds.
    pub(super) deleted: Vec<String>,
}

/// A statement that `return`, `break` or `continue` may leave.
#[derive(Clone, Copy)]
enum Around<'a> {
    Loop,
    Finally(&'a [Stmt]),
}

impl<'s, 'a> Mentions<'s, 'a> {
    pub(super) fn of(
        scope: &'s mut Scope,
        assertions: Assertions,
        inlined: &'s [Inlined],
    ) -> Mentions<'s, 'a> {
        Mentions {
            scope,
            inlined,
            assertions,
            around: Vec::new(),
            done: FxHashSet::default(),
            deleted: Vec::new(),
        }
    }

    fn unbinds(&mut self, name: &str) {
        self.deleted.push(self.scope.mangled(name).into_owned());
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
                self.scope.mention(&name.id);
                if name.ctx == ExprContext::Del {
                    self.unbinds(&name.id);
                }
            }
            _ => visitor::walk_expr(self, expr),
        });
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(node) = handler;
        node.type_.iter().for_each(|class| self.visit_expr(class));
        // The name is unbound where the handler ends.
        if let Some(name) = &node.name {
            self.scope.mention(name);
            self.unbinds(name);
        }
        self.visit_body(&node.body);
    }

    fn visit_interpolated_string_element(&mut self, element: &'a InterpolatedStringElement) {
        with_stack(|| visitor::walk_interpolated_string_element(self, element));
    }
}
