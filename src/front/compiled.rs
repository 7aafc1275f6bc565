//! Which classes the module's compiled functions work on, as far as the text tells: those that a function under `jit`
//! names, and those that have such a function.

use ruff_python_ast::Expr;
use ruff_python_ast::Stmt;
use ruff_python_ast::visitor;
use ruff_python_ast::visitor::Visitor;
use rustc_hash::FxHashSet;

use super::ParsedModule;
use super::decorators;
use super::nesting::with_stack;

/// The names in functions that `jit` compiles, those in the strings of annotations included, and the names of classes
/// with such functions.
#[must_use]
pub fn names_compiled(module: &ParsedModule) -> FxHashSet<String> {
    let mut names = Names { inside: false, found: FxHashSet::default() };
    names.visit_body(module.suite());
    names.found
}

struct Names {
    /// Whether this is inside a compiled function.
    inside: bool,
    found: FxHashSet<String>,
}

impl<'a> Visitor<'a> for Names {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let before = self.inside;
        match stmt {
            Stmt::FunctionDef(def) => self.inside |= decorators::compiles(&def.decorator_list),
            Stmt::ClassDef(class) => {
                self.inside |= decorators::compiles(&class.decorator_list);
                let is_method = |stmt: &Stmt| match stmt {
                    Stmt::FunctionDef(def) => decorators::compiles(&def.decorator_list),
                    _ => false,
                };
                if self.inside || class.body.iter().any(is_method) {
                    self.found.insert(class.name.to_string());
                }
            }
            _ => {}
        }
        with_stack(|| visitor::walk_stmt(self, stmt));
        self.inside = before;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if self.inside => {
                self.found.insert(name.id.to_string());
            }
            _ => {}
        }
        with_stack(|| visitor::walk_expr(self, expr));
    }

    fn visit_annotation(&mut self, expr: &'a Expr) {
        if let Expr::StringLiteral(text) = expr
            && self.inside
        {
            let words =
                text.value.to_str().split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
            self.found.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
        }
        self.visit_expr(expr);
    }
}
