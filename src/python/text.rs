//! A module's text as the compiler sees it, parsed once for all of its functions.

use std::sync::Arc;
use std::sync::OnceLock;

use pyo3::prelude::*;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

use crate::driver;
use crate::front;
use crate::front::FunctionInfo;
use crate::front::ParsedModule;
use crate::source::SourceFile;
use crate::source::render;

use super::session;

/// A parsed text and its functions by qualified name and first line.
#[pyclass(frozen, module = "castiron._castiron")]
pub(super) struct Text {
    parsed: Result<Parsed, String>,
}

struct Parsed {
    module: Arc<ParsedModule>,
    functions: FxHashMap<(String, u32), FunctionInfo>,
    compiled: OnceLock<FxHashSet<String>>,
}

#[pymethods]
impl Text {
    /// Parses a text that the running CPython has compiled; the path is for messages.
    #[new]
    fn new(py: Python<'_>, path: String, text: String) -> Text {
        Text { parsed: py.detach(|| parse(path, text)) }
    }

    /// The functions that run in one go: qualified name, first line, whether it is worth machine code, whether it
    /// has a loop, and whether others may call a body of it.
    fn functions(&self, py: Python<'_>) -> Vec<(String, u32, bool, bool, bool)> {
        let (Ok(parsed), Ok(session)) = (&self.parsed, session::session()) else { return Vec::new() };
        let found = py.detach(|| driver::imported::functions(session, &parsed.module));
        let rows = found.into_iter();
        rows.map(|found| (found.qualname, found.first_line, found.is_chosen, found.has_loop, found.has_body))
            .collect()
    }

    /// Whether functions that `jit` compiles work on a class of this name.
    fn compiles_with(&self, py: Python<'_>, name: &str) -> bool {
        let Ok(parsed) = &self.parsed else { return false };
        py.detach(|| parsed.compiled.get_or_init(|| front::names_compiled(&parsed.module)).contains(name))
    }
}

impl Text {
    /// The module and the function that this code object was made from, or why there is none.
    pub(super) fn find(
        &self,
        qualname: &str,
        first_line: u32,
    ) -> Result<(&Arc<ParsedModule>, &FunctionInfo), String> {
        let parsed = self.parsed.as_ref().map_err(Clone::clone)?;
        let found = parsed.functions.get(&(qualname.to_owned(), first_line));
        found
            .map(|info| (&parsed.module, info))
            .ok_or_else(|| "no `def` in the text made this function".to_owned())
    }
}

fn parse(path: String, text: String) -> Result<Parsed, String> {
    let file = SourceFile::new(path, text);
    let module = front::parse(&file).map_err(|errors| render(&errors, &file))?;
    let infos = front::functions(&module);
    let functions = infos.into_iter().map(|info| ((info.qualname.clone(), info.first_line), info)).collect();
    Ok(Parsed { module: Arc::new(module), functions, compiled: OnceLock::new() })
}
