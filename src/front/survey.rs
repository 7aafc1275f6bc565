//! What the text alone says of a module's names and functions, for `castiron dump`.

use ruff_python_ast::Stmt;

use super::ParsedModule;
use super::functions::FunctionInfo;
use super::functions::path_to;
use super::nesting;

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

/// The function's syntax tree as text.
#[must_use]
pub fn syntax_tree(module: &ParsedModule, info: &FunctionInfo) -> String {
    let path = path_to(module, info.range);
    let Some(function) = path.last() else { return String::new() };
    let depth = nesting::depth_of(std::slice::from_ref(*function));
    stacker::maybe_grow(depth * PRINT_FRAME, 2 * depth * PRINT_FRAME, || format!("{function:#?}\n"))
}
