//! Which functions of a module that is being imported are worth machine code.
//!
//! Nobody enforces their annotations, so they are bets.

use std::sync::Arc;

use crate::front;
use crate::front::FunctionInfo;
use crate::front::ParsedModule;

use super::Blueprint;
use super::Checked;
use super::Failure;
use super::Session;
use super::blueprint;

/// A function of an imported module.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its `__qualname__`.
    pub qualname: String,
    /// `code.co_firstlineno`.
    pub first_line: u32,
    /// Whether it gets machine code.
    pub is_chosen: bool,
    /// Whether one call of it may take long by itself.
    pub has_loop: bool,
    /// Whether others may call a specialised body of it.
    pub has_body: bool,
}

/// The functions of the module that run in one go, in the order of the text.
#[must_use]
pub fn functions(session: &Session, module: &Arc<ParsedModule>) -> Vec<Imported> {
    let infos = front::functions(module);
    let synchronous = infos.iter().filter(|info| !info.is_async && !info.is_generator);
    let described = |info: &FunctionInfo| {
        let made = unpromised(session, module, info);
        Imported {
            qualname: info.qualname.clone(),
            first_line: info.first_line,
            is_chosen: made.is_ok(),
            has_loop: made.as_ref().is_ok_and(|made| made.has_loop),
            has_body: made.is_ok_and(|made| made.has_body),
        }
    };
    synchronous.map(described).collect()
}

/// The structure of a function whose annotations are bets.
///
/// # Errors
/// As [`blueprint`].
pub fn unpromised(
    session: &Session,
    module: &Arc<ParsedModule>,
    info: &FunctionInfo,
) -> Result<Blueprint, Failure> {
    let signature = front::annotated_signature(module, info);
    blueprint(session, module, info, signature, Checked::nothing(info.parameters.len()))
}
