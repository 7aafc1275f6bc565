//! What the text alone says of a module's names and functions, for `castiron dump`.

use ruff_python_ast::Expr;
use ruff_python_ast::Number;
use ruff_python_ast::Stmt;

use super::ParsedModule;
use super::functions::FunctionInfo;
use super::functions::path_to;
use super::nesting;
use crate::types::Type;

/// Stack that one level of a tree's debug form takes, generously.
const PRINT_FRAME: usize = 16 * 1024;

/// Whether some scope of the module binds the name, or might by importing all names of another module.
#[must_use]
pub fn binds_name(module: &ParsedModule, name: &str) -> bool {
    let names = module.bound_names();
    names.contains(name) || names.contains("*")
}

/// Whether the module's own statements import `target` under this name.
#[must_use]
pub fn imports_module(module: &ParsedModule, name: &str, target: &str) -> bool {
    module.suite().iter().any(|stmt| match stmt {
        Stmt::Import(import) => import.names.iter().any(|alias| {
            let bound = alias.asname.as_ref().unwrap_or(&alias.name);
            alias.name.as_str() == target && bound.as_str() == name
        }),
        _ => false,
    })
}

/// The type of what the module's own statements bind the name to, where that is one list display or str.
#[must_use]
pub fn probable_type(module: &ParsedModule, name: &str) -> Option<Type> {
    let is_name = |target: &Expr| matches!(target, Expr::Name(found) if found.id.as_str() == name);
    let mut bound = module.suite().iter().filter_map(|stmt| match stmt {
        Stmt::Assign(node) if node.targets.iter().any(is_name) => Some(&*node.value),
        Stmt::AnnAssign(node) if is_name(&node.target) => node.value.as_deref(),
        _ => None,
    });
    let only = bound.next().filter(|_| bound.next().is_none())?;
    match only {
        Expr::StringLiteral(_) => Some(Type::Str),
        Expr::List(list) => {
            let first = match list.elts.first() {
                None => Type::Never,
                Some(Expr::StringLiteral(_)) => Type::Str,
                Some(Expr::BooleanLiteral(_)) => Type::Bool,
                Some(Expr::NumberLiteral(number)) => match number.value {
                    Number::Int(_) => Type::Int,
                    Number::Float(_) => Type::Float,
                    Number::Complex { .. } => Type::Object,
                },
                Some(Expr::List(_)) => Type::List(Box::new(Type::Object)),
                Some(_) => Type::Object,
            };
            Some(Type::List(Box::new(first)))
        }
        _ => None,
    }
}

/// The function's syntax tree as text.
#[must_use]
pub fn syntax_tree(module: &ParsedModule, info: &FunctionInfo) -> String {
    let path = path_to(module, info.range);
    let Some(function) = path.last() else { return String::new() };
    let depth = nesting::depth_of(std::slice::from_ref(*function));
    stacker::maybe_grow(depth * PRINT_FRAME, 2 * depth * PRINT_FRAME, || format!("{function:#?}\n"))
}
