//! The pipeline: every stage in order, on one screen.
//!
//! In: functions of one text, what their annotations promise, and facts about the global names that they
//! read. Out: a unit in executable memory, or why a function stays bytecode. Nothing here touches Python.
//!
//! Falling back to bytecode is decided here and nowhere else: for the user's code with diagnostics, for
//! our own bugs ([`Failure::Bug`]) with the panic or the verifier's findings as text.

pub mod ahead;
pub mod coverage;
pub mod dump;
mod gain;
mod guarded;
pub mod imported;
pub mod report;
pub mod text;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use ruff_text_size::TextRange;
use rustc_hash::FxHashMap;

use crate::analysis::ranges::Ranges;
use crate::codegen;
use crate::codegen::Texts;
use crate::cpython::Layout;
use crate::emit;
use crate::emit::jit::JitUnit;
use crate::front;
use crate::front::BuildOptions;
use crate::front::FunctionInfo;
use crate::front::ParameterKind;
use crate::front::ParsedModule;
use crate::ir::Const;
use crate::ir::FuncId;
use crate::ir::Function;
use crate::ir::GlobalFact;
use crate::ir::Imm;
use crate::ir::LoopStart;
use crate::ir::NestedCode;
use crate::ir::Op;
use crate::ir::SealedClass;
use crate::ir::Signature;
use crate::ir::Unit;
use crate::ir::UnitFunction;
use crate::ir::verify::Version;
use crate::passes;
use crate::passes::Counts;
use crate::runtime::meta::Position;
use crate::source::Diagnostic;
use crate::source::Reason;
use crate::source::SourceFile;
use crate::types::Type;

use coverage::Coverage;

/// What the driver is told about the interpreter and the session.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Its struct layouts.
    pub layout: &'static Layout,
    /// How its compiler treats the text.
    pub options: BuildOptions,
    /// Whether our own failures are to be found early: verifiers run after every pass.
    pub strict: bool,
    /// What tests force upon compiled code.
    pub force: Force,
}

/// What `CASTIRON_FORCE` forces upon compiled code, for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// Nothing.
    Nothing,
    /// Whatever can be compiled is, gain or not.
    Native,
    /// There are no specialised versions.
    Generic,
    /// Every exit is taken once, at a time that the seed decides.
    Exits(u64),
}

impl Force {
    /// The same, or [`Force::Native`] where nothing is forced.
    #[must_use]
    pub fn or_native(self) -> Force {
        if self == Force::Nothing { Force::Native } else { self }
    }

    /// What the variable's text says: `generic`, `exit` or `exit:SEED`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Force> {
        match text.split_once(':') {
            Some(("exit", seed)) => seed.parse().ok().map(Force::Exits),
            Some(_) => None,
            None => match text {
                "" => Some(Force::Nothing),
                "native" => Some(Force::Native),
                "generic" => Some(Force::Generic),
                "exit" => Some(Force::Exits(0)),
                _ => None,
            },
        }
    }

    fn exits(self) -> Option<u64> {
        match self {
            Force::Exits(seed) => Some(seed),
            Force::Nothing | Force::Native | Force::Generic => None,
        }
    }
}

/// A function that can be compiled, before anything is known of the names that it reads.
#[derive(Clone, Debug)]
pub struct Blueprint {
    /// The text that it stands in.
    pub module: Arc<ParsedModule>,
    /// Where it stands there.
    pub info: FunctionInfo,
    /// What its annotations promise.
    pub signature: Signature,
    /// What of it is checked.
    pub checked: Checked,
    /// The dotted global names that it reads.
    pub names: Vec<String>,
    /// The names of the methods that it calls.
    pub methods: Vec<String>,
    /// Its variables, where the order of frames is in doubt.
    pub variables: Vec<String>,
    /// The code objects inside its own.
    pub nested: Vec<NestedCode>,
    /// The names of the cells that it shares with functions around it.
    pub free: Vec<String>,
    /// Whether one call may take long by itself.
    pub has_loop: bool,
    /// Whether its machine code is faster than its bytecode, as far as the text tells.
    pub gains: bool,
    /// Whether others may call a specialised body of it.
    pub has_body: bool,
}

/// Where a function's boundary is checked, if its annotations are enforced.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Whether anything that is annotated is a promise; else all of it is bets.
    pub promised: bool,
    /// By parameter.
    pub params: Vec<bool>,
    /// Whether the result is.
    pub result: bool,
}

impl Checked {
    /// Everything that is annotated may be: where only the text is known.
    #[must_use]
    pub fn all(parameters: usize) -> Checked {
        Checked { promised: true, params: vec![true; parameters], result: true }
    }

    /// Nobody enforces the annotations.
    #[must_use]
    pub fn nothing(parameters: usize) -> Checked {
        Checked { promised: false, params: vec![false; parameters], result: false }
    }
}

/// A function of a unit to be.
#[derive(Clone, Debug)]
pub enum Member {
    /// It is compiled.
    Compile(Arc<Blueprint>),
    /// Another unit has compiled it; this one only calls it.
    Call(Arc<Blueprint>),
}

impl Member {
    /// What it is, or was, compiled from.
    #[must_use]
    pub fn blueprint(&self) -> &Arc<Blueprint> {
        match self {
            Member::Compile(blueprint) | Member::Call(blueprint) => blueprint,
        }
    }
}

/// Functions of one text that are compiled together.
#[derive(Clone, Debug)]
pub struct Request {
    /// The functions; a fact names them by their position. The first one is compiled.
    pub functions: Vec<Member>,
    /// What their global names stand for; a name that is missing stands for anything.
    pub facts: FxHashMap<String, GlobalFact>,
    /// The sealed classes that types name; a name that is missing stands for anything.
    pub classes: Vec<SealedClass>,
    /// Whether CLIF and assembly are kept as text.
    pub texts: Texts,
    /// Where only a loop of one of the functions is wanted: its specialised version begins there.
    pub start: Option<LoopStart>,
}

/// A unit in executable memory, not loaded yet.
pub struct Compiled {
    /// Code, data and metadata.
    pub code: JitUnit,
    /// Where the loop version begins that the request was about, with the kinds that it has.
    pub start: Option<LoopStart>,
    /// Which ops it is made of.
    pub coverage: Coverage,
    /// How long all of it took.
    pub took: Duration,
}

/// Why there is no code.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The user's code: it stays bytecode.
    Diagnosed(Vec<Diagnostic>),
    /// A bug of ours.
    Bug(String),
}

/// What one pass left behind, for whoever watches.
pub type Watcher<'a> = &'a mut dyn FnMut(&str, &Unit);

/// The structure of a function: whether it can be compiled at all, and which names it reads.
///
/// # Errors
/// Every reason why it stays bytecode, or our own failure.
pub fn blueprint(
    session: &Session,
    module: &Arc<ParsedModule>,
    info: &FunctionInfo,
    signature: Signature,
    checked: Checked,
) -> Result<Blueprint, Failure> {
    guarded::run(|| {
        let mut unit = Unit::default();
        let id = FuncId::new(0);
        let options = build_options(session, &checked);
        let built = front::build(module, info, id, options, &mut unit).map_err(Failure::Diagnosed)?;
        let mut blueprint = Blueprint {
            gains: true,
            has_body: false,
            methods: methods_called(&unit, &built.function),
            has_loop: gain::has_loop(&built.function),
            module: Arc::clone(module),
            info: info.clone(),
            signature,
            checked,
            names: built.names,
            variables: built.variables,
            nested: built.nested,
            free: built.free,
        };
        let facts = text::facts_of_text(module, &blueprint);
        unit.functions.push(unit_function(session, &blueprint, &[], Some(built.function)));
        blueprint.has_body = passes::specialise::has_body(&unit, id);
        blueprint.gains = gain::is_worthwhile(&mut unit, id, &facts);
        if session.force == Force::Nothing && !blueprint.gains {
            let range = blueprint.info.name_range;
            let found = Diagnostic { reason: Reason::NothingGained, range };
            return Err(Failure::Diagnosed(vec![found]));
        }
        Ok(blueprint)
    })
}

/// The names of the methods that the function calls, each once.
fn methods_called(unit: &Unit, func: &Function) -> Vec<String> {
    let insts = func.layout.iter().flat_map(|&block| &func.block(block).insts);
    let names = insts.filter_map(|&inst| match (func.inst(inst).op, func.inst(inst).imm) {
        (Op::ObjMethod, Imm::Const(name)) => match &unit.consts[name.index()] {
            Const::Str(name) => Some(name.clone()),
            _ => None,
        },
        _ => None,
    });
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// How a function is built: without a check of its result where there is none.
fn build_options(session: &Session, checked: &Checked) -> front::BuildOptions {
    let promise = if checked.result { session.options.promise } else { front::Promise::None };
    front::BuildOptions { promise, ..session.options }
}

/// What a unit holds of a function before it is specialised.
fn unit_function(
    session: &Session,
    blueprint: &Blueprint,
    classes: &[SealedClass],
    generic: Option<Function>,
) -> UnitFunction {
    let signature = signature_of(blueprint, classes);
    let by_name = |parameter: &front::ParameterInfo| {
        let has_name = matches!(parameter.kind, ParameterKind::Positional | ParameterKind::KeywordOnly);
        has_name.then(|| parameter.name.clone())
    };
    let promised = session.options.promise == front::Promise::Enforced && blueprint.checked.promised;
    let params = signature.params.iter().zip(&blueprint.checked.params);
    let checked = |wanted: fn(&Type) -> bool| {
        let numbered = params.clone().enumerate();
        let wanted = move |&(_, (ty, &is_checked)): &(_, (&Type, _))| promised && is_checked && wanted(ty);
        numbered.filter(wanted).map(|(index, _)| index).collect::<Vec<_>>()
    };
    UnitFunction {
        name: blueprint.info.qualname.clone(),
        promised,
        checked_first: !checked(|ty| *ty != Type::Object && ty.mentions_object()).is_empty(),
        checked_classes: checked(|ty| *ty == Type::Object),
        signature,
        keyword_only: blueprint.info.keyword_only(),
        names: blueprint.info.parameters.iter().map(by_name).collect(),
        variables: blueprint.variables.clone(),
        nested: blueprint.nested.clone(),
        free: blueprint.free.clone(),
        gains: blueprint.gains,
        generic,
        specialised: None,
    }
}

/// The signature as far as its names are those of these sealed classes.
fn signature_of(blueprint: &Blueprint, classes: &[SealedClass]) -> Signature {
    let is_known = |name: &str| classes.iter().any(|class| class.name == name);
    Signature {
        params: blueprint.signature.params.iter().map(|ty| ty.knowing(&is_known)).collect(),
        result: blueprint.signature.result.knowing(&is_known),
    }
}

/// What is known of names, as far as types name sealed classes that are known.
fn known_facts(request: &Request) -> FxHashMap<String, GlobalFact> {
    let is_known = |name: &str| request.classes.iter().any(|class| class.name == name);
    let facts = request.facts.iter().map(|(name, fact)| match fact {
        GlobalFact::Likely(ty) => match ty.knowing(&is_known) {
            Type::Object => (name.clone(), GlobalFact::Unknown),
            ty => (name.clone(), GlobalFact::Likely(ty)),
        },
        fact => (name.clone(), fact.clone()),
    });
    facts.collect()
}

/// Compiles the functions into executable memory.
///
/// # Errors
/// Our own failure, or diagnostics about one of the functions: none where a loop was wanted that gains nothing.
pub fn compile(session: &Session, request: &Request) -> Result<Compiled, Failure> {
    guarded::run(|| {
        let start = Instant::now();
        let unit = optimised(session, request, &mut |_, _| {})?;
        if request.start.as_ref().is_some_and(|start| !has_loop(&unit, start.function)) {
            return Err(Failure::Diagnosed(Vec::new()));
        }
        let file = file_of(request);
        let positions = |range| position(file, range);
        let wanted = codegen::Request {
            unit: &unit,
            layout: session.layout,
            positions: &positions,
            texts: request.texts,
            forced_exits: session.force.exits(),
        };
        let verify = if session.strict { emit::Verify::Yes } else { emit::Verify::No };
        let code = emit::jit::compile(&wanted, verify).map_err(|error| Failure::Bug(error.to_string()))?;
        let coverage = Coverage::of(&unit);
        Ok(Compiled { code, coverage, took: start.elapsed(), start: unit.start })
    })
}

/// One pass over specialised versions.
enum Pass {
    /// It looks at one function after another.
    Each(fn(&mut Unit, FuncId, &FxHashMap<String, GlobalFact>)),
    /// It looks at all of them at once.
    All(fn(&mut Unit)),
}

/// The passes over specialised versions, in order. Reference counts come last, in either version.
const PASSES: &[(&str, Pass)] = &[
    (
        "specialise",
        Pass::Each(|unit, id, facts| {
            let specialised = passes::specialise::specialise(unit, id, facts);
            unit.functions[id.index()].specialised = specialised;
        }),
    ),
    ("inline-calls", Pass::All(passes::inline::inline_all)),
    ("simplify", Pass::Each(|unit, id, _| change(unit, id, passes::simplify::simplify))),
    ("mark-quiet-calls", Pass::All(passes::quiet::mark_quiet_calls)),
    ("drop-idle-anchors", Pass::Each(|unit, id, _| change(unit, id, passes::guards::drop_idle_anchors))),
    (
        "drop-checks-below-masks",
        Pass::Each(|unit, id, _| change(unit, id, passes::demand::drop_checks_below_masks)),
    ),
    ("eliminate-overflow-checks", Pass::Each(|unit, id, _| change(unit, id, eliminate_overflow_checks))),
    ("rotate-loops", Pass::Each(|unit, id, _| change(unit, id, passes::rotate::rotate_loops))),
    ("simplify-again", Pass::Each(|unit, id, _| change(unit, id, passes::simplify::simplify_after_ranges))),
    ("move-items", Pass::Each(|unit, id, _| change(unit, id, passes::moves::move_items))),
    ("let-nans-pass", Pass::Each(|unit, id, _| change(unit, id, passes::nans::let_nans_pass))),
    ("borrow", Pass::Each(|unit, id, _| change(unit, id, passes::borrow::borrow_what_is_read))),
    ("mark-deadly-calls", Pass::All(passes::quiet::mark_deadly_calls)),
    ("remove-guards", Pass::Each(|unit, id, _| change(unit, id, passes::guards::remove_guards))),
    ("open-containers", Pass::Each(|unit, id, _| change(unit, id, passes::open::open_containers))),
    ("borrow-again", Pass::Each(|unit, id, _| change(unit, id, passes::borrow::borrow_what_is_read))),
    ("read-fields-once", Pass::Each(|unit, id, _| passes::fields::read_fields_once(unit, id))),
    ("give-numbers", Pass::Each(|unit, id, _| passes::unboxed::give_numbers(unit, id))),
    ("test-late", Pass::Each(|unit, id, _| passes::late_tests::test_late(unit, id))),
];

/// The name of the last step, which counts references.
const COUNTS: &str = "insert-counts";

/// The unit after all passes, as the code generator takes it.
fn optimised(session: &Session, request: &Request, watch: Watcher<'_>) -> Result<Unit, Failure> {
    let mut unit = generic_unit(session, request)?;
    let facts = known_facts(request);
    unit.start.clone_from(&request.start);
    verified(session, &unit, "build", Counts::Absent)?;
    watch("build", &unit);
    let passes = if session.force == Force::Generic { &[] } else { PASSES };
    for (name, pass) in passes {
        match pass {
            Pass::Each(pass) => {
                (0..unit.functions.len()).for_each(|id| pass(&mut unit, FuncId::new(id), &facts));
            }
            Pass::All(pass) => pass(&mut unit),
        }
        verified(session, &unit, name, Counts::Absent)?;
        watch(name, &unit);
    }
    passes::sabotage::sabotage(&mut unit);
    if let Some(function) = unit.start.as_ref().map(|start| start.function) {
        keep_loop(&mut unit, function);
    }
    for function in &mut unit.functions {
        if let Some(generic) = &mut function.generic {
            passes::refcount::insert_counts(generic, Version::Generic);
        }
        if let Some(specialised) = &mut function.specialised {
            passes::refcount::insert_counts(specialised, Version::Specialised);
        }
    }
    verified(session, &unit, COUNTS, Counts::Present)?;
    watch(COUNTS, &unit);
    for function in &mut unit.functions {
        function
            .generic
            .iter_mut()
            .chain(&mut function.specialised)
            .for_each(passes::sabotage::keep_references);
    }
    within_budget(request, &unit)?;
    Ok(unit)
}

/// Whether the function's specialised version begins in the loop that the unit is about.
fn has_loop(unit: &Unit, function: FuncId) -> bool {
    unit.function(function).specialised.as_ref().is_some_and(|version| version.begins_in_loop)
}

/// Leaves of a unit that is about a loop what its version may reach: the bodies that others have compiled
/// already are not compiled again, and the generic versions of functions that no exit leads to neither.
fn keep_loop(unit: &mut Unit, function: FuncId) {
    let mut reached = vec![false; unit.functions.len()];
    if let Some(version) = &unit.functions[function.index()].specialised {
        let insts = version.layout.iter().flat_map(|&block| &version.block(block).insts);
        let exits = insts.filter_map(|&inst| version.inst(inst).exit);
        for frame in exits.flat_map(|exit| &version.exit(exit).frames) {
            reached[frame.func.index()] = true;
        }
    }
    for (number, data) in unit.functions.iter_mut().enumerate() {
        if number != function.index() {
            data.specialised = None;
        }
        if !reached[number] {
            data.generic = None;
        }
    }
}

/// How many drops of variables a function has at most on its error paths. Each instruction that may raise
/// drops all that is alive, so code grows with the product of both.
const MAX_DROPS: usize = 40_000;

/// Refuses functions whose code would grow out of proportion.
fn within_budget(request: &Request, unit: &Unit) -> Result<(), Failure> {
    for (member, function) in request.functions.iter().zip(&unit.functions) {
        let versions = [&function.generic, &function.specialised];
        let drops = |version: &Function| version.unwind.values().map(Vec::len).sum::<usize>();
        if versions.into_iter().flatten().map(drops).sum::<usize>() > MAX_DROPS {
            let reason = Reason::TooManyVariables(MAX_DROPS);
            let range = member.blueprint().info.name_range;
            return Err(Failure::Diagnosed(vec![Diagnostic { reason, range }]));
        }
    }
    Ok(())
}

/// The generic versions of all functions.
fn generic_unit(session: &Session, request: &Request) -> Result<Unit, Failure> {
    let mut unit = Unit { classes: request.classes.clone(), ..Unit::default() };
    for (number, member) in request.functions.iter().enumerate() {
        let blueprint = member.blueprint();
        let generic = match member {
            Member::Compile(_) => {
                let id = FuncId::new(number);
                let options = build_options(session, &blueprint.checked);
                let built = front::build(&blueprint.module, &blueprint.info, id, options, &mut unit)
                    .map_err(Failure::Diagnosed)?;
                Some(built.function)
            }
            Member::Call(_) => None,
        };
        unit.functions.push(unit_function(session, blueprint, &request.classes, generic));
    }
    Ok(unit)
}

/// Applies a change to a function's specialised version, if it has one.
fn change(unit: &mut Unit, id: FuncId, apply: impl FnOnce(&mut Function)) {
    if let Some(version) = &mut unit.functions[id.index()].specialised {
        apply(version);
    }
}

fn eliminate_overflow_checks(func: &mut Function) {
    let ranges = Ranges::of(func);
    passes::overflow::eliminate_overflow_checks(func, &ranges);
}

/// Under strictness: every version of every function passes every check there is.
fn verified(session: &Session, unit: &Unit, pass: &str, counts: Counts) -> Result<(), Failure> {
    if !session.strict {
        return Ok(());
    }
    for function in &unit.functions {
        for (version, func) in
            [(Version::Generic, &function.generic), (Version::Specialised, &function.specialised)]
        {
            if let Some(func) = func {
                passes::verify(unit, func, version, counts)
                    .map_err(|error| Failure::Bug(format!("after {pass}: {error}")))?;
            }
        }
    }
    Ok(())
}

/// The text that all functions of the request stand in.
fn file_of(request: &Request) -> &SourceFile {
    request.functions.first().expect("a request has a function").blueprint().module.file()
}

fn position(file: &SourceFile, range: TextRange) -> Position {
    let found = file.position(range);
    Position {
        line: found.line,
        column: found.column,
        end_line: found.end_line,
        end_column: found.end_column,
    }
}
