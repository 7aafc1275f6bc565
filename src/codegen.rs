//! From CIR to machine code, through Cranelift: a unit in, code and data in a module and metadata out.
//!
//! Each function becomes up to three pieces: an entry (`codegen/entry.rs`), a body
//! (`codegen/body.rs`) and a resume function (`codegen/resume.rs`). docs/architecture.md says what they
//! promise each other. Code holds no address: the same lowering serves the JIT and object files
//! (`emit`), and equal input gives equal output.

mod abi;
mod body;
mod carried;
mod code;
mod entry;
mod freed;
mod leave;
mod looped;
mod lower;
mod plan;
mod resume;
mod site;
mod stubs;
mod traces;
mod unit;

use std::cell::RefCell;

use cranelift_codegen::ir::Signature;
use cranelift_module::{DataDescription, DataId, FuncId as Symbol, Linkage, Module, ModuleError};

use crate::cpython::Layout;
use crate::ir::{FuncId, Point, SealedClass, Unit};
use crate::runtime::data::{Counts, DATA_SYMBOL, DataLayout};
use crate::runtime::meta::{ClassMeta, ExitMeta, FunctionMeta, PieceMeta, UnitMeta};

pub use traces::Positions;

use abi::Abi;
use plan::Plan;
pub use plan::can_exit;
use traces::Traces;
use unit::{Compiler, UnitContext, declare};

/// What comes out, or Cranelift's error: a bug of ours or a lack of memory.
pub type CodeResult<T> = Result<T, Box<ModuleError>>;

/// Whether functions are kept as text too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// The CLIF and the assembly of every function.
    Keep,
    /// None.
    Drop,
}

/// What is to be compiled, and for what.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The unit, all passes done.
    pub unit: &'a Unit,
    /// The struct layouts of the CPython that it will run in.
    pub layout: &'static Layout,
    /// Where ranges of the source text are.
    pub positions: Positions<'a>,
    /// Whether functions are kept as text too.
    pub texts: Texts,
    /// A seed, where every exit is to be taken once at random: for tests.
    pub forced_exits: Option<u64>,
}

impl Request<'_> {
    /// How many instructions of CIR there are.
    #[must_use]
    pub fn size(&self) -> usize {
        let versions =
            self.unit.functions.iter().flat_map(|function| [&function.generic, &function.specialised]);
        versions.flatten().map(|version| version.insts.len()).sum()
    }
}

/// The symbols of a function's pieces; none of a function that another unit has compiled.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompiledFunction {
    /// The vectorcall function.
    pub entry: Option<Symbol>,
    /// The specialised version.
    pub body: Option<Symbol>,
    /// The generic version.
    pub resume: Option<Symbol>,
    /// The loop version.
    pub looped: Option<Symbol>,
}

/// A compiled function as text, for `castiron dump`.
#[derive(Clone, Debug)]
pub struct Text {
    /// The symbol.
    pub name: String,
    /// What Cranelift was given.
    pub clif: String,
    /// What it made of it.
    pub assembly: String,
}

/// A unit in a module.
#[derive(Debug)]
pub struct CompiledUnit {
    /// What the runtime must know of it.
    pub meta: UnitMeta,
    /// Where things stand in its data.
    pub layout: DataLayout,
    /// Its data.
    pub data: DataId,
    /// Its functions, in the unit's order.
    pub functions: Vec<CompiledFunction>,
    /// Its functions as text, when asked for.
    pub texts: Vec<Text>,
    /// Bytes of machine code.
    pub code_bytes: u64,
}

/// Compiles a unit into a module.
///
/// # Errors
/// Cranelift's, all of which are bugs of ours or a lack of memory.
pub fn compile_unit(request: &Request<'_>, module: &mut dyn Module) -> CodeResult<CompiledUnit> {
    let Request { unit, layout, positions, texts, forced_exits } = *request;
    let abi = Abi::of(module.isa());
    let plan = Plan::of(unit);
    let counters = plan.loops() + if forced_exits.is_some() { plan.metas.len() } else { 0 };
    let data = DataLayout::new(Counts {
        consts: unit.consts.len(),
        cells: unit.cells.len(),
        classes: unit.classes.len(),
        functions: unit.functions.len(),
        counters,
    });
    let context = UnitContext {
        unit,
        layout,
        data,
        freed: freed::freed_classes(unit, data),
        data_symbol: module.declare_data(DATA_SYMBOL, Linkage::Local, true, false)?,
        abi,
        plan,
        traces: RefCell::new(Traces::default()),
        positions,
        caches: RefCell::default(),
        forces_exits: forced_exits.is_some(),
        symbols: declare_functions(unit, module, abi)?,
    };
    let mut compiler = Compiler::new(module, &context, (texts == Texts::Keep).then(Vec::new));
    let mut meta = UnitMeta {
        functions: (0..unit.functions.len()).map(|number| function_meta(&context, number)).collect(),
        consts: unit.consts.clone(),
        cells: unit.cells.clone(),
        classes: unit.classes.iter().map(class_meta).collect(),
        forced_exits,
        ..UnitMeta::default()
    };
    for number in 0..unit.functions.len() {
        compile_function(&mut compiler, FuncId::new(number), &mut meta)?;
    }
    meta.other_frame = meta.other_frame.max(compiler.compile_stubs()?);
    let texts = compiler.texts.take().unwrap_or_default();
    let code_bytes = compiler.code_bytes;
    meta.caches = context.caches.take();
    let layout = context.data.with_caches(meta.caches.len());
    define_data(module, &context, layout)?;
    let exits = waiting_traces(&context);
    let UnitContext { data_symbol, traces, symbols, .. } = context;
    meta.exits = exits;
    Traces { metas: meta.traces, shows: meta.shows, .. } = traces.into_inner();
    Ok(CompiledUnit { meta, layout, data: data_symbol, functions: symbols, texts, code_bytes })
}

/// The exits, whose outer frames are shown at the calls that they wait for.
fn waiting_traces(context: &UnitContext<'_>) -> Vec<ExitMeta> {
    let mut exits = context.plan.metas.clone();
    let mut traces = context.traces.borrow_mut();
    for frame in exits.iter_mut().flat_map(|exit| exit.frames.iter_mut().skip(1)) {
        let function = FuncId::new(frame.function as usize);
        let entry = &context.plan.entries(function)[frame.entry as usize];
        if let (Some(generic), Point::After(inst)) = (&context.unit.function(function).generic, entry.point) {
            frame.trace = traces.number(generic, inst, context.positions);
        }
    }
    exits
}

fn declare_functions(unit: &Unit, module: &mut dyn Module, abi: Abi) -> CodeResult<Vec<CompiledFunction>> {
    let mut symbols = Vec::with_capacity(unit.functions.len());
    for (number, function) in unit.functions.iter().enumerate() {
        let mut compiled = CompiledFunction::default();
        let mut symbol = |piece: &str, signature: Signature| {
            declare(module, &format!("{}.{piece}.{number}", function.name), &signature)
        };
        if function.generic.is_some() {
            compiled.resume = Some(symbol("resume", abi.resume())?);
            // Functions of a unit that is about a loop are called by their entries elsewhere.
            if unit.start.is_none() {
                compiled.entry = Some(symbol("entry", abi.entry())?);
            }
        }
        match &function.specialised {
            Some(version) if version.begins_in_loop => {
                compiled.looped = Some(symbol("loop", abi.resume())?);
            }
            Some(_) => compiled.body = Some(symbol("body", abi.body(&function.signature))?),
            None => {}
        }
        symbols.push(compiled);
    }
    Ok(symbols)
}

fn compile_function(compiler: &mut Compiler<'_>, function: FuncId, meta: &mut UnitMeta) -> CodeResult<()> {
    let unit = compiler.unit;
    let abi = unit.abi;
    let data = unit.unit.function(function);
    let symbols = unit.symbols[function.index()];
    if let (Some(symbol), Some(version)) = (symbols.body, &data.specialised) {
        let (frame, piece) = compiler.compile(
            symbol,
            abi.body(&data.signature),
            |module, context| unit.callees(module, context, version),
            |code, callees| {
                body::write_body(code, unit, version, callees);
            },
        )?;
        meta.body_frame = meta.body_frame.max(frame);
        meta.functions[function.index()].body = piece;
    }
    if let (Some(symbol), Some(version)) = (symbols.looped, &data.specialised) {
        let (frame, piece) = compiler.compile(
            symbol,
            abi.resume(),
            |module, context| unit.callees(module, context, version),
            |code, callees| {
                looped::write_loop(code, unit, version, callees);
            },
        )?;
        meta.functions[function.index()].looped = piece;
        meta.other_frame = meta.other_frame.max(frame);
    }
    if let (Some(symbol), Some(version)) = (symbols.resume, &data.generic) {
        let (frame, _) = compiler.compile(
            symbol,
            abi.resume(),
            |module, context| unit.callees(module, context, version),
            |code, callees| {
                resume::write_resume(code, unit, version, callees);
            },
        )?;
        meta.other_frame = meta.other_frame.max(frame);
    }
    if let Some(symbol) = symbols.entry {
        let (frame, _) = compiler.compile(
            symbol,
            abi.entry(),
            |module, context| unit.body(module, context, function),
            |code, callees| {
                entry::write_entry(code, unit, function, callees.get(&function).copied());
            },
        )?;
        meta.other_frame = meta.other_frame.max(frame);
    }
    Ok(())
}

fn function_meta(unit: &UnitContext<'_>, number: usize) -> FunctionMeta {
    let function = &unit.unit.functions[number];
    FunctionMeta {
        name: function.name.clone(),
        params: function.signature.params.clone(),
        result: function.signature.result.clone(),
        promised: function.promised,
        keyword_only: function.keyword_only,
        variables: function.variables.clone(),
        nested: function.nested.clone(),
        free: function.free.clone(),
        loops: unit.plan.loop_metas(unit.unit, FuncId::new(number)),
        body: PieceMeta::default(),
        looped: PieceMeta::default(),
    }
}

fn class_meta(class: &SealedClass) -> ClassMeta {
    ClassMeta {
        name: class.name.clone(),
        identity: class.identity,
        version: class.version,
        has_subclasses: class.has_subclasses,
        kept_methods: if class.has_subclasses {
            class.methods.iter().map(|(name, _)| name.clone()).collect()
        } else {
            Vec::new()
        },
    }
}

/// Zeros, but for the addresses of the functions.
fn define_data(module: &mut dyn Module, unit: &UnitContext<'_>, layout: DataLayout) -> CodeResult<()> {
    let mut data = DataDescription::new();
    data.define(vec![0; layout.size()].into_boxed_slice());
    data.set_align(16);
    for (number, symbols) in unit.symbols.iter().enumerate() {
        let places = [
            (symbols.entry, unit.data.entry(number)),
            (symbols.body, unit.data.body(number)),
            (symbols.resume, unit.data.resume(number)),
        ];
        for (symbol, offset) in places {
            if let Some(symbol) = symbol {
                let address = module.declare_func_in_data(symbol, &mut data);
                data.write_function_addr(
                    u32::try_from(offset).expect("counted budgets keep units small"),
                    address,
                );
            }
        }
    }
    Ok(module.define_data(unit.data_symbol, &data)?)
}
