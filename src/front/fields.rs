//! What the fields of the module's frozen classes are said to be, by their names: what an attribute of that name
//! probably is, wherever it is read.
//!
//! Nothing is known of the object that has the attribute, so this is a bet, made anew at each read. Names that
//! two classes annotate differently are left out.

use ruff_python_ast::Decorator;
use ruff_python_ast::Expr;
use ruff_python_ast::Stmt;
use ruff_python_ast::StmtClassDef;
use ruff_python_ast::visitor;
use ruff_python_ast::visitor::Visitor;
use rustc_hash::FxHashMap;

use crate::types::Type;

use super::ParsedModule;
use super::annotation;
use super::nesting::with_stack;

/// The types of the fields by their names.
pub(super) fn field_types(module: &ParsedModule) -> FxHashMap<String, Type> {
    let mut fields = Fields { module, found: FxHashMap::default() };
    fields.visit_body(module.suite());
    fields.found.retain(|_, ty| !ty.mentions_object() && *ty != Type::None);
    fields.found
}

struct Fields<'a> {
    module: &'a ParsedModule,
    found: FxHashMap<String, Type>,
}

impl Fields<'_> {
    fn add(&mut self, class: &StmtClassDef) {
        for stmt in &class.body {
            let Stmt::AnnAssign(node) = stmt else { continue };
            let Expr::Name(name) = &*node.target else { continue };
            let ty = annotation::promised(self.module, Some(&*node.annotation));
            let found = self.found.entry(name.id.to_string()).or_insert(Type::Never);
            *found = found.join(&ty);
        }
    }
}

impl<'a> Visitor<'a> for Fields<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        with_stack(|| {
            if let Stmt::ClassDef(class) = stmt
                && class.decorator_list.iter().any(freezes)
            {
                self.add(class);
            }
            visitor::walk_stmt(self, stmt);
        });
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

/// Whether the decorator is `frozen`, `castiron.frozen` or a call of it.
fn freezes(decorator: &Decorator) -> bool {
    let mut expr = &decorator.expression;
    if let Expr::Call(call) = expr {
        expr = &call.func;
    }
    match expr {
        Expr::Name(name) => name.id == "frozen",
        Expr::Attribute(node) => &node.attr == "frozen",
        _ => false,
    }
}
