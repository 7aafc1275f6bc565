//! Who promises a function's annotations, as far as the text tells.
//!
//! A name is taken for what it usually means. Where it means something else the promise is never made, and the code
//! that was compiled for it never used.

use ruff_python_ast::Decorator;
use ruff_python_ast::Expr;
use ruff_python_ast::Stmt;

use super::ParsedModule;
use super::functions::FunctionInfo;
use super::functions::path_to;

/// The decorators that make promises of the annotations below them.
const ENFORCING: &[&str] = &["jit", "typed"];

/// The decorators below which a whole module's enforcement leaves functions alone.
const EXEMPT: &[&str] = &["no_type_check", "unchecked"];

/// Which functions' annotations are promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// Those that `jit` or `typed` decorates.
    Decorated,
    /// All of the module.
    Everything,
}

/// Whether somebody enforces the annotations of the function when the module runs.
#[must_use]
pub fn is_promised(module: &ParsedModule, info: &FunctionInfo, enforcement: Enforcement) -> bool {
    let path = path_to(module, info.range);
    let Some((Stmt::FunctionDef(def), around)) = path.split_last() else { return false };
    let is_annotated = def.returns.is_some() || def.parameters.iter().any(|one| one.annotation().is_some());
    let class = match around.last() {
        Some(Stmt::ClassDef(class)) => class.decorator_list.as_slice(),
        _ => &[],
    };
    let has = |decorators: &[Decorator], names: &[&str]| {
        decorators.iter().any(|decorator| name_of(decorator).is_some_and(|name| names.contains(&name)))
    };
    if has(&def.decorator_list, EXEMPT) {
        return false;
    }
    // `jit` takes functions without annotations too.
    compiles(&def.decorator_list)
        || is_annotated
            && (enforcement == Enforcement::Everything
                || has(&def.decorator_list, ENFORCING)
                || has(class, ENFORCING))
}

/// Whether one of the decorators is `jit`.
pub(super) fn compiles(decorators: &[Decorator]) -> bool {
    decorators.iter().any(|decorator| name_of(decorator) == Some("jit"))
}

/// The last part of the decorator's name.
fn name_of(decorator: &Decorator) -> Option<&str> {
    let mut expr = &decorator.expression;
    if let Expr::Call(call) = expr {
        expr = &call.func;
    }
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(node) => Some(node.attr.as_str()),
        _ => None,
    }
}
