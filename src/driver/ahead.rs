//! Building ahead of time: the functions of a text as an extension module, without running any of it.
//!
//! Annotations are promises where somebody enforces them when the module runs, else bets. Facts about names come from
//! the text ([`super::text`]).
//!
//! A function that fails only together with the others (its code grows out of proportion, or a pass of ours breaks)
//! stays bytecode; the others are built without it.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::codegen;
use crate::codegen::Texts;
use crate::emit;
use crate::emit::link::link;
use crate::emit::object::BuiltModule;
use crate::emit::object::Cpu;
use crate::emit::object::MakeCode;
use crate::front;
use crate::front::Enforcement;
use crate::front::FunctionInfo;
use crate::front::ParsedModule;
use crate::ir::FuncId;
use crate::ir::GlobalFact;
use crate::source::SourceFile;
use crate::source::render;

use super::Blueprint;
use super::Checked;
use super::Failure;
use super::Member;
use super::Request;
use super::Session;
use super::blueprint;
use super::guarded;
use super::imported;
use super::optimised;
use super::position;
use super::report;
use super::report::Finding;
use super::text;

/// A module that is to be built.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its name, dots and all.
    pub name: &'a str,
    /// Where its text stands, for messages.
    pub path: &'a str,
    /// Its text.
    pub source: &'a str,
    /// Which annotations are promises.
    pub enforcement: Enforcement,
    /// Which processors run it.
    pub cpu: Cpu,
    /// What makes the code objects that take the text's place, if it is not to be in the file.
    pub code: Option<MakeCode<'a>>,
    /// What names all of this together with the compiler; the shared object shows it.
    pub key: &'a str,
}

/// A module as a shared object that Python can import.
#[derive(Clone, Debug)]
pub struct SharedObject {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// All functions of the text, in its order.
    pub functions: Vec<BuiltFunction>,
}

/// What has become of a function.
#[derive(Clone, Debug)]
pub struct BuiltFunction {
    /// Its qualified name.
    pub name: String,
    /// The line of its `def`.
    pub line: u32,
    /// Why it stays bytecode; nothing when it has machine code.
    pub reasons: Vec<Finding>,
}

/// A function of the text, and what it is compiled from or why it is not.
struct Candidate {
    info: FunctionInfo,
    made: Result<Arc<Blueprint>, Failure>,
}

/// Builds a module from its text.
///
/// # Errors
/// What to tell the user: syntax errors, or a failure of ours.
pub fn build(session: &Session, wanted: Wanted<'_>) -> Result<SharedObject, String> {
    let file = SourceFile::new(wanted.path, wanted.source);
    let module = Arc::new(front::parse(&file).map_err(|errors| render(&errors, &file))?);
    let mut candidates = candidates(session, &module, wanted.enforcement);
    let bytes = match shared_object(session, &file, wanted, &candidates) {
        Ok(bytes) => bytes,
        Err(failure) => {
            if session.strict && matches!(failure, Failure::Bug(_)) {
                return Err(super::dump::explained(&failure, &file));
            }
            drop_failing(session, &file, wanted, &mut candidates);
            let built = shared_object(session, &file, wanted, &candidates);
            built.map_err(|failure| super::dump::explained(&failure, &file))?
        }
    };
    let described = |candidate: Candidate| BuiltFunction {
        line: file.line(candidate.info.name_range.start()),
        reasons: match &candidate.made {
            Ok(_) => Vec::new(),
            Err(failure) => report::failure_findings(failure, &candidate.info, &file),
        },
        name: candidate.info.qualname,
    };
    Ok(SharedObject { bytes, functions: candidates.into_iter().map(described).collect() })
}

fn candidates(session: &Session, module: &Arc<ParsedModule>, enforcement: Enforcement) -> Vec<Candidate> {
    let made = |info: FunctionInfo| {
        let made = if front::is_promised(module, &info, enforcement) {
            let signature = front::annotated_signature(module, &info);
            blueprint(session, module, &info, signature, Checked::all(info.parameters.len()))
        } else {
            imported::unpromised(session, module, &info)
        };
        Candidate { made: made.map(Arc::new), info }
    };
    front::functions(module).into_iter().map(made).collect()
}

/// Finds the functions that can't be built, by building each of them alone; where all can, none of them is.
fn drop_failing(session: &Session, file: &SourceFile, wanted: Wanted<'_>, candidates: &mut Vec<Candidate>) {
    let mut has_failed = false;
    let mut tried = Vec::new();
    for mut candidate in std::mem::take(candidates) {
        if candidate.made.is_ok() {
            let alone = [candidate];
            let built = shared_object(session, file, wanted, &alone);
            [candidate] = alone;
            if let Err(failure) = built {
                has_failed = true;
                candidate.made = Err(failure);
            }
        }
        tried.push(candidate);
    }
    if !has_failed {
        for candidate in tried.iter_mut().filter(|candidate| candidate.made.is_ok()) {
            candidate.made = Err(Failure::Bug("the functions of the module fail together".to_owned()));
        }
    }
    *candidates = tried;
}

/// The functions that can be compiled, as one shared object.
fn shared_object(
    session: &Session,
    file: &SourceFile,
    wanted: Wanted<'_>,
    candidates: &[Candidate],
) -> Result<Vec<u8>, Failure> {
    let functions: Vec<&Arc<Blueprint>> =
        candidates.iter().filter_map(|candidate| candidate.made.as_ref().ok()).collect();
    let request = request_for(&functions);
    let lines: Vec<u32> = functions.iter().map(|function| function.info.first_line).collect();
    guarded::run(|| {
        let unit = optimised(session, &request, &mut |_, _| {})?;
        let positions = |range| position(file, range);
        let compiled = codegen::Request {
            unit: &unit,
            layout: session.layout,
            positions: &positions,
            texts: Texts::Drop,
            forced_exits: session.force.exits(),
        };
        let verify = if session.strict { emit::Verify::Yes } else { emit::Verify::No };
        let built = BuiltModule {
            name: wanted.name,
            source: wanted.source,
            code: wanted.code,
            lines: &lines,
            is_enforced: wanted.enforcement == Enforcement::Everything,
            cpu: wanted.cpu,
            key: wanted.key,
            asserts: session.options.assertions == front::Assertions::Kept,
        };
        let object = emit::object::compile(&compiled, built, verify);
        let object = object.map_err(|error| Failure::Bug(error.to_string()))?;
        link(&object).map_err(|error| Failure::Bug(error.to_string()))
    })
}

/// All functions of a module that can be compiled, as one unit to be; there may be none.
#[must_use]
pub fn request(session: &Session, module: &Arc<ParsedModule>) -> Request {
    let candidates = candidates(session, module, Enforcement::Decorated);
    let functions: Vec<&Arc<Blueprint>> =
        candidates.iter().filter_map(|candidate| candidate.made.as_ref().ok()).collect();
    request_for(&functions)
}

/// The request that a module was built from, for its loops: the functions of these names, first lines and promises, in
/// this order. Where there are many, only the one of the given number is compiled, and the others called.
#[must_use]
pub fn request_again(
    session: &Session,
    source: &str,
    wanted: &[(&str, u32, bool)],
    number: usize,
) -> Option<Request> {
    let session = Session { force: session.force.or_native(), ..*session };
    let module = Arc::new(front::parse(&SourceFile::new("", source)).ok()?);
    let infos = front::functions(&module);
    let places: FxHashMap<(&str, u32), &FunctionInfo> =
        infos.iter().map(|info| ((info.qualname.as_str(), info.first_line), info)).collect();
    let mut functions = Vec::new();
    for &(name, line, promised) in wanted {
        let info = *places.get(&(name, line))?;
        let made = if promised {
            let signature = front::annotated_signature(&module, info);
            blueprint(&session, &module, info, signature, Checked::all(info.parameters.len()))
        } else {
            imported::unpromised(&session, &module, info)
        };
        functions.push(Arc::new(made.ok()?));
    }
    let mut request = request_for(&functions.iter().collect::<Vec<_>>());
    if request.functions.len() > MOST_TOGETHER {
        for (position, member) in request.functions.iter_mut().enumerate() {
            if position != number {
                *member = Member::Call(Arc::clone(member.blueprint()));
            }
        }
    }
    Some(request)
}

/// More functions than this are not compiled together for a loop of one of them.
const MOST_TOGETHER: usize = 64;

/// The functions as one unit, with what the text says of the names that they read.
fn request_for(functions: &[&Arc<Blueprint>]) -> Request {
    let mut facts: FxHashMap<String, GlobalFact> = FxHashMap::default();
    let mut defined: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (number, function) in functions.iter().enumerate() {
        facts.extend(text::facts_of_text(&function.module, function));
        defined.entry(&function.info.qualname).or_default().push(number);
    }
    for (name, numbers) in defined {
        match numbers.as_slice() {
            // Only names of the module itself are global ones.
            &[number] if !name.contains('.') => {
                facts.insert(name.to_owned(), GlobalFact::Function(FuncId::new(number)));
            }
            _ => {
                facts.remove(name);
            }
        }
    }
    text::add_methods(&mut facts, functions.iter().map(|function| function.info.qualname.as_str()));
    let functions = functions.iter().map(|&function| Member::Compile(Arc::clone(function))).collect();
    Request { functions, facts, classes: Vec::new(), texts: Texts::Drop, start: None }
}
