//! `castiron check`: which functions of a text compile, and why the others do not.

use std::sync::Arc;

use crate::front;
use crate::front::FunctionInfo;
use crate::source::Diagnostic;
use crate::source::SourceFile;
use crate::source::render;

use super::Checked;
use super::Failure;
use super::Session;
use super::blueprint;

/// What there is to say about one text.
#[derive(Clone, Debug, Default)]
pub struct TextReport {
    /// What is wrong with the text itself; then there are no functions.
    pub errors: Vec<Finding>,
    /// Its functions in their order.
    pub functions: Vec<FunctionReport>,
}

/// What there is to say about one function.
#[derive(Clone, Debug)]
pub struct FunctionReport {
    /// Its qualified name.
    pub name: String,
    /// The line of its `def`.
    pub line: u32,
    /// Its parameters and result with the types that its annotations promise.
    pub signature: String,
    /// Why it stays bytecode; nothing when it compiles.
    pub reasons: Vec<Finding>,
}

/// A diagnostic as text.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its stable code.
    pub code: &'static str,
    /// What it says.
    pub message: String,
    /// The line it is about.
    pub line: u32,
    /// The column there, in UTF-8 bytes from 0.
    pub column: u32,
    /// All of it with the text, as the command line prints it.
    pub rendered: String,
}

/// Looks at every function of a text.
#[must_use]
pub fn examine(session: &Session, path: &str, text: &str) -> TextReport {
    let file = SourceFile::new(path, text);
    let module = match front::parse(&file) {
        Ok(module) => Arc::new(module),
        Err(errors) => return TextReport { errors: findings(&errors, &file), functions: Vec::new() },
    };
    let functions = front::functions(&module)
        .iter()
        .map(|info| {
            let signature = front::annotated_signature(&module, info);
            let text = signature_text(info, &signature);
            let reasons =
                match blueprint(session, &module, info, signature, Checked::all(info.parameters.len())) {
                    Ok(_) => Vec::new(),
                    Err(failure) => failure_findings(&failure, info, &file),
                };
            FunctionReport {
                name: info.qualname.clone(),
                line: file.line(info.name_range.start()),
                signature: text,
                reasons,
            }
        })
        .collect();
    TextReport { errors: Vec::new(), functions }
}

/// Parameters and result, with the types that are promised: `(n: int, x: object) -> float`.
#[must_use]
pub fn signature_text(info: &FunctionInfo, signature: &crate::ir::Signature) -> String {
    let parameters: Vec<String> = info
        .parameters
        .iter()
        .zip(&signature.params)
        .map(|(parameter, ty)| format!("{}: {}", parameter.name, ty.knowing(&|_| false)))
        .collect();
    format!("({}) -> {}", parameters.join(", "), signature.result.knowing(&|_| false))
}

/// Diagnostics as findings.
#[must_use]
pub fn findings(diagnostics: &[Diagnostic], file: &SourceFile) -> Vec<Finding> {
    diagnostics
        .iter()
        .map(|diagnostic| {
            let position = file.position(diagnostic.range);
            Finding {
                code: diagnostic.reason.code(),
                message: diagnostic.reason.to_string(),
                line: position.line,
                column: position.column,
                rendered: render(std::slice::from_ref(diagnostic), file).trim_end().to_owned(),
            }
        })
        .collect()
}

/// A failure as findings; our own bug is one without a place of its own.
#[must_use]
pub fn failure_findings(failure: &Failure, info: &FunctionInfo, file: &SourceFile) -> Vec<Finding> {
    match failure {
        Failure::Diagnosed(diagnostics) => findings(diagnostics, file),
        Failure::Bug(message) => {
            let position = file.position(info.name_range);
            vec![Finding {
                code: "internal-error",
                message: message.clone(),
                line: position.line,
                column: position.column,
                rendered: format!("error[internal-error]: {message}"),
            }]
        }
    }
}
