//! Building ahead of time: the functions of a text as an extension module, without running any of it.
//!
//! Nobody enforces a built module's annotations, so they are bets. Facts about names come from the text
//! ([`super::text`]).

use std::sync::Arc;

use crate::codegen;
use crate::codegen::Texts;
use crate::emit;
use crate::emit::link::link;
use crate::emit::object::BuiltModule;
use crate::front;
use crate::source::SourceFile;
use crate::source::render;

use super::Failure;
use super::Session;
use super::dump;
use super::guarded;
use super::optimised;
use super::position;
use super::text;

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
/// What to tell the user: syntax errors, or a failure of ours.
pub fn build(session: &Session, module: &str, path: &str, source: &str) -> Result<SharedObject, String> {
    let file = SourceFile::new(path, source);
    let parsed = Arc::new(front::parse(&file).map_err(|errors| render(&errors, &file))?);
    let options = front::BuildOptions { promise: front::Promise::None, ..session.options };
    let session = Session { options, ..*session };
    let request = text::request(&session, &parsed);
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
        let built = BuiltModule { name: module, source };
        let object = emit::object::compile(&wanted, built, verify);
        let object = object.map_err(|error| Failure::Bug(error.to_string()))?;
        link(&object).map_err(|error| Failure::Bug(error.to_string()))
    });
    let bytes = bytes.map_err(|failure| dump::explained(&failure, &file))?;
    Ok(SharedObject { bytes, functions })
}
