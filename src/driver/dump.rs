//! `castiron dump`: one function at one stage, without running anything of its module.
//!
//! Facts about global names come from the text ([`super::text`]). So the dump shows what the compiler makes of
//! the function in the usual case.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::codegen::Texts;
use crate::front;
use crate::ir::Unit;
use crate::source::SourceFile;
use crate::source::render;

use super::Checked;
use super::Failure;
use super::Member;
use super::Request;
use super::Session;
use super::blueprint;
use super::compile;
use super::optimised;
use super::text::facts_of_text;

/// What to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The syntax tree.
    Ast,
    /// CIR, at these points of the pipeline.
    Ir(Passes),
    /// What Cranelift is given.
    Clif,
    /// What it makes of it.
    Asm,
}

/// After which passes CIR is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passes {
    /// The last.
    Last,
    /// The one of this name.
    After(String),
    /// Each.
    All,
}

/// The text of a function at a stage.
///
/// # Errors
/// What to tell the user: no such function or pass, syntax errors, why it does not compile.
pub fn dump(session: &Session, path: &str, text: &str, name: &str, stage: &Stage) -> Result<String, String> {
    let file = SourceFile::new(path, text);
    let module = Arc::new(front::parse(&file).map_err(|errors| render(&errors, &file))?);
    let infos = front::functions(&module);
    let info = infos.iter().find(|info| info.qualname == name).ok_or_else(|| {
        let names: Vec<&str> = infos.iter().map(|info| info.qualname.as_str()).collect();
        format!("{path} has no function {name}; it has: {}", names.join(", "))
    })?;
    if *stage == Stage::Ast {
        return Ok(front::syntax_tree(&module, info));
    }
    let signature = front::annotated_signature(&module, info);
    // Whoever looks at the code wants to see it, gain or not.
    let session = &Session { force: session.force.or_native(), ..*session };
    let made = blueprint(session, &module, info, signature, Checked::all(info.parameters.len()))
        .map_err(|failure| explained(&failure, &file))?;
    let facts = facts_of_text(&module, &made);
    let texts = if matches!(stage, Stage::Ir(_)) { Texts::Drop } else { Texts::Keep };
    let request = Request {
        functions: vec![Member::Compile(Arc::new(made))],
        facts,
        classes: Vec::new(),
        texts,
        start: None,
    };
    match stage {
        Stage::Ir(passes) => dump_ir(session, &request, passes, &file),
        _ => dump_code(session, &request, stage, &file),
    }
}

fn dump_ir(
    session: &Session,
    request: &Request,
    passes: &Passes,
    file: &SourceFile,
) -> Result<String, String> {
    let mut shown: Vec<(String, String)> = Vec::new();
    let result =
        optimised(session, request, &mut |pass, unit| shown.push((pass.to_owned(), unit_text(unit))));
    result.map_err(|failure| explained(&failure, file))?;
    match passes {
        Passes::Last => Ok(shown.pop().map(|(_, text)| text).unwrap_or_default()),
        Passes::All => Ok(shown.iter().fold(String::new(), |mut all, (pass, text)| {
            write!(all, "; after {pass}\n{text}\n").expect("a String takes any text");
            all
        })),
        Passes::After(wanted) => {
            let names: Vec<&str> = shown.iter().map(|(pass, _)| pass.as_str()).collect();
            let found = shown.iter().find(|(pass, _)| pass == wanted);
            found
                .map(|(_, text)| text.clone())
                .ok_or_else(|| format!("there is no pass {wanted}; the passes are: {}", names.join(", ")))
        }
    }
}

fn unit_text(unit: &Unit) -> String {
    let mut text = String::new();
    for function in &unit.functions {
        for version in [&function.generic, &function.specialised].into_iter().flatten() {
            writeln!(text, "{}", version.display(unit)).expect("a String takes any text");
        }
    }
    text
}

fn dump_code(
    session: &Session,
    request: &Request,
    stage: &Stage,
    file: &SourceFile,
) -> Result<String, String> {
    let compiled = compile(session, request).map_err(|failure| explained(&failure, file))?;
    let mut text = String::new();
    for piece in compiled.code.texts() {
        let body = if *stage == Stage::Clif { &piece.clif } else { &piece.assembly };
        writeln!(text, "; {}\n{body}", piece.name).expect("a String takes any text");
    }
    Ok(text)
}

/// A failure as text for the user.
pub(super) fn explained(failure: &Failure, file: &SourceFile) -> String {
    match failure {
        Failure::Diagnosed(diagnostics) => render(diagnostics, file),
        Failure::Bug(message) => format!("internal error: {message}"),
    }
}
