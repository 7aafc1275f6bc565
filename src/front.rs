//! The front end: source text to syntax tree, functions, signatures and generic CIR.
//!
//! In: a [`SourceFile`]. Out: [`FunctionInfo`]s, what their annotations promise, and the generic version
//! of one function at a time. Whatever can't be compiled is a list of [`Diagnostic`]s.
//!
//! Invariants: hostile text never fails in any other way. Nesting is bounded by memory alone: every
//! recursion over the tree, its drop included, runs on a stack that grows ([`nesting`]).

pub mod annotation;
pub mod build;
mod closures;
mod compiled;
mod constants;
mod decorators;
pub mod dialect;
mod fields;
mod finish;
pub mod functions;
mod guess;
mod names;
mod nesting;
mod patterns;
mod scope;
mod surrogates;
pub mod survey;
mod unparse;

use std::sync::OnceLock;

use ruff_python_ast::ModModule;
use ruff_python_ast::Stmt;
use ruff_python_ast::Suite;
use ruff_python_parser::Mode;
use ruff_python_parser::ParseOptions;
use ruff_python_parser::Parsed;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

use crate::ir::Const;
use crate::source::Diagnostic;
use crate::source::Reason;
use crate::source::SourceFile;
use crate::types::Type;

pub use annotation::annotated_signature;
pub use build::Assertions;
pub use build::BuildOptions;
pub use build::Built;
pub use build::Promise;
pub use build::build;
pub use compiled::names_compiled;
pub use decorators::Enforcement;
pub use decorators::is_promised;
pub use dialect::Dialect;
pub use functions::FunctionInfo;
pub use functions::ParameterInfo;
pub use functions::ParameterKind;
pub use functions::functions;
pub use functions::method_name;
pub use survey::binds_name;
pub use survey::imports_module;
pub use survey::probable_type;
pub use survey::syntax_tree;

/// Below this many tokens a tree is shallow enough to be dropped on any stack.
const SMALL_MODULE_TOKENS: usize = 500;

/// The syntax tree of a file without syntax errors.
#[derive(Debug)]
pub struct ParsedModule {
    /// Present until the drop takes it.
    parsed: Option<Parsed<ModModule>>,
    file: SourceFile,
    bound_names: OnceLock<FxHashSet<String>>,
    field_types: OnceLock<FxHashMap<String, Type>>,
    constants: OnceLock<FxHashMap<String, Const>>,
}

/// Parses a file. What only some versions of Python accept is accepted: the running interpreter has
/// compiled the text already.
///
/// # Errors
/// One diagnostic for each syntax error that the parser found.
pub fn parse(file: &SourceFile) -> Result<ParsedModule, Vec<Diagnostic>> {
    let parsed = ruff_python_parser::parse_unchecked(file.text(), ParseOptions::from(Mode::Module));
    let parsed = parsed.try_into_module().expect("the mode asks for a module");
    let module = ParsedModule {
        parsed: Some(parsed),
        file: file.clone(),
        bound_names: OnceLock::new(),
        field_types: OnceLock::new(),
        constants: OnceLock::new(),
    };
    let errors = module.parsed().errors();
    if errors.is_empty() {
        return Ok(module);
    }
    Err(errors
        .iter()
        .map(|error| Diagnostic::at(error, Reason::SyntaxError(error.error.to_string())))
        .collect())
}

impl ParsedModule {
    /// The file that was parsed.
    #[must_use]
    pub fn file(&self) -> &SourceFile {
        &self.file
    }

    fn parsed(&self) -> &Parsed<ModModule> {
        self.parsed.as_ref().expect("only the drop takes the tree")
    }

    /// Whether the module imports `annotations` from `__future__`.
    fn annotations_are_text(&self) -> bool {
        self.suite().iter().any(|stmt| match stmt {
            Stmt::ImportFrom(node) => {
                node.module.as_ref().is_some_and(|module| module == "__future__")
                    && node.names.iter().any(|alias| &alias.name == "annotations")
            }
            _ => false,
        })
    }

    fn suite(&self) -> &Suite {
        self.parsed().suite()
    }

    /// What attributes of these names probably are: fields of the module's frozen classes.
    #[must_use]
    pub fn field_types(&self) -> &FxHashMap<String, Type> {
        self.field_types.get_or_init(|| fields::field_types(self))
    }

    /// Names that the text binds once, to a number, and what it is.
    #[must_use]
    pub fn constants(&self) -> &FxHashMap<String, Const> {
        self.constants.get_or_init(|| constants::constants(self))
    }

    /// Every name that the module binds in any scope; `*` when it imports all names of another module.
    fn bound_names(&self) -> &FxHashSet<String> {
        self.bound_names.get_or_init(|| names::names_bound_anywhere(self.suite()))
    }
}

impl Drop for ParsedModule {
    fn drop(&mut self) {
        let Some(parsed) = self.parsed.take() else { return };
        if parsed.tokens().len() < SMALL_MODULE_TOKENS {
            return;
        }
        let depth = nesting::depth_of(parsed.suite());
        nesting::drop_deep(parsed, depth);
    }
}
