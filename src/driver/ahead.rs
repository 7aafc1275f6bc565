//! Building ahead of time: the functions of a text as an extension module, without running any of it.
//!
//! Nobody enforces a built module's annotations, so they are bets. Facts about names come from the text:
//! its functions, known builtins that it does not bind, and `import math`; each is guarded.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::codegen;
use crate::codegen::Texts;
use crate::emit;
use crate::emit::link::link;
use crate::emit::object::BuiltModule;
use crate::front;
use crate::ir::FuncId;
use crate::ir::GlobalFact;
use crate::source::SourceFile;
use crate::source::render;

use super::Failure;
use super::Member;
use super::Request;
use super::Session;
use super::blueprint;
use super::dump;
use super::guarded;
use super::optimised;
use super::position;

/// A module as a shared object that Python can import.
#[derive(Clone, Debug)]
pub struct SharedObject {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The functions that have machine code.
    pub functions: Vec<String>,
}

/// Builds the module of this name (dots and all) from its text.
///
/// # Errors
/// What to tell the user: syntax errors, no function that can be compiled, or a failure of ours.
pub fn build(session: &Session, module: &str, path: &str, text: &str) -> Result<SharedObject, String> {
    let file = SourceFile::new(path, text);
    let parsed = Arc::new(front::parse(&file).map_err(|errors| render(&errors, &file))?);
    let options = front::BuildOptions { promise: front::Promise::None, ..session.options };
    let session = Session { options, ..*session };
    let request = request(&session, &parsed);
    if request.functions.is_empty() {
        return Err(format!("{path} has no function that can be compiled"));
    }
    let functions = request.functions.iter().map(|member| member.blueprint().info.qualname.clone()).collect();
    let bytes = guarded::run(|| {
        let unit = optimised(&session, &request, &mut |_, _| {})?;
        let positions = |range| position(&file, range);
        let wanted = codegen::Request {
            unit: &unit,
            layout: session.layout,
            positions: &positions,
            texts: Texts::Drop,
            forced_exits: None,
        };
        let verify = if session.strict { emit::Verify::Yes } else { emit::Verify::No };
        let built = BuiltModule { name: module, source: text };
        let object = emit::object::compile(&wanted, built, verify);
        let object = object.map_err(|error| Failure::Bug(error.to_string()))?;
        link(&object).map_err(|error| Failure::Bug(error.to_string()))
    });
    let bytes = bytes.map_err(|failure| dump::explained(&failure, &file))?;
    Ok(SharedObject { bytes, functions })
}

/// The module's own functions that can be compiled, and what its text says about names.
fn request(session: &Session, module: &Arc<front::ParsedModule>) -> Request {
    let infos = front::functions(module);
    let is_only = |name: &str| infos.iter().filter(|info| info.qualname == name).count() == 1;
    let mut functions = Vec::new();
    for info in &infos {
        if info.qualname.contains('.') || !is_only(&info.qualname) {
            continue;
        }
        let signature = front::annotated_signature(module, info);
        if let Ok(made) = blueprint(session, module, info, signature) {
            functions.push(Arc::new(made));
        }
    }
    let mut facts: FxHashMap<String, GlobalFact> = FxHashMap::default();
    for function in &functions {
        facts.extend(dump::facts_of_text(module, function));
    }
    for (number, function) in functions.iter().enumerate() {
        facts.insert(function.info.qualname.clone(), GlobalFact::Function(FuncId::new(number)));
    }
    let functions = functions.into_iter().map(Member::Compile).collect();
    Request { functions, facts, texts: Texts::Drop, start: None }
}
