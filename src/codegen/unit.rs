//! What all functions of a unit share while they are written, and how one of them is compiled.

use std::cell::RefCell;
use std::collections::BTreeMap;

use cranelift_codegen::Context;
use cranelift_codegen::ir::{FuncRef, Signature};
use cranelift_codegen::{Final, MachBufferFinalized};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{DataId, FuncId as Symbol, Linkage, Module};
use rustc_hash::FxHashMap;

use crate::cpython::Layout;
use crate::ir::{FuncId, Function, Imm, Op, Unit};
use crate::runtime::caches::METHOD_CACHES;
use crate::runtime::data::DataLayout;
use crate::runtime::meta::{CacheKind, CallMeta, PieceMeta};

use super::abi::Abi;
use super::code::{Code, Surroundings};
use super::freed::FreedClass;
use super::plan::Plan;
use super::site::segment_key;
use super::stubs::Stub;
use super::traces::{Positions, Traces};
use super::{CodeResult, CompiledFunction, Text};

/// What all functions of a unit share.
pub(super) struct UnitContext<'a> {
    /// The unit.
    pub(super) unit: &'a Unit,
    /// The struct layouts of the CPython it will run in.
    pub(super) layout: &'static Layout,
    /// Where things stand in its data.
    pub(super) data: DataLayout,
    /// The classes whose instances a stub frees.
    pub(super) freed: Vec<FreedClass>,
    /// The symbol of its data.
    pub(super) data_symbol: DataId,
    /// The conventions of the target.
    pub(super) abi: Abi,
    /// Its exits and resume points.
    pub(super) plan: Plan,
    /// Its traces so far.
    pub(super) traces: RefCell<Traces>,
    /// Where ranges of the source text are.
    pub(super) positions: Positions<'a>,
    /// Its inline caches so far.
    pub(super) caches: RefCell<Vec<CacheKind>>,
    /// Whether every exit counts down to one time at which it is taken.
    pub(super) forces_exits: bool,
    /// The symbols of its functions.
    pub(super) symbols: Vec<CompiledFunction>,
}

impl UnitContext<'_> {
    /// Adds an inline cache; its number.
    pub(super) fn add_cache(&self, kind: CacheKind) -> usize {
        let mut caches = self.caches.borrow_mut();
        let number = caches.len();
        caches.push(kind);
        if kind == CacheKind::Method {
            caches.extend([CacheKind::More; METHOD_CACHES - 1]);
        }
        number
    }

    /// The body of a function, ready to be called in `context`.
    pub(super) fn body(
        &self,
        module: &mut dyn Module,
        context: &mut Context,
        function: FuncId,
    ) -> FxHashMap<FuncId, FuncRef> {
        let body = self.symbols[function.index()].body;
        body.map(|body| (function, module.declare_func_in_func(body, &mut context.func)))
            .into_iter()
            .collect()
    }

    /// The bodies of this unit that a version calls directly, ready to be called in `context`.
    pub(super) fn callees(
        &self,
        module: &mut dyn Module,
        context: &mut Context,
        func: &Function,
    ) -> FxHashMap<FuncId, FuncRef> {
        let mut callees = FxHashMap::default();
        for &block in &func.layout {
            for &inst in &func.block(block).insts {
                let data = func.inst(inst);
                let called = match (data.op, data.imm) {
                    (Op::CallDirect | Op::CallQuiet, Imm::Func(callee)) => vec![callee],
                    (Op::CallGuessed | Op::CallGuessedNumber, Imm::Guess(row)) => {
                        self.unit.guesses[row as usize].clone()
                    }
                    (Op::CallOneOf, Imm::Dispatch(class, method)) => {
                        self.unit.targets(class, method).iter().map(|&(_, callee)| callee).collect()
                    }
                    _ => continue,
                };
                for callee in called {
                    if let Some(body) = self.symbols[callee.index()].body {
                        callees
                            .entry(callee)
                            .or_insert_with(|| module.declare_func_in_func(body, &mut context.func));
                    }
                }
            }
        }
        callees
    }
}

/// Compiles one function after another, with buffers that are used again.
pub(super) struct Compiler<'a> {
    /// Where the functions go.
    pub(super) module: &'a mut dyn Module,
    /// What the functions share.
    pub(super) unit: &'a UnitContext<'a>,
    /// CLIF and assembly of what was compiled, when asked for.
    pub(super) texts: Option<Vec<Text>>,
    /// Bytes of machine code so far.
    pub(super) code_bytes: u64,
    stubs: BTreeMap<Stub, Symbol>,
    context: Context,
    buffers: FunctionBuilderContext,
}

impl<'a> Compiler<'a> {
    /// A compiler that has done nothing yet.
    pub(super) fn new(
        module: &'a mut dyn Module,
        unit: &'a UnitContext<'a>,
        texts: Option<Vec<Text>>,
    ) -> Compiler<'a> {
        let context = module.make_context();
        let buffers = FunctionBuilderContext::new();
        Compiler { module, unit, texts, code_bytes: 0, stubs: BTreeMap::new(), context, buffers }
    }

    /// Compiles one function that `write` writes, and says how many bytes of stack it takes.
    /// `callees` declares the bodies that it calls.
    pub(super) fn compile(
        &mut self,
        symbol: Symbol,
        signature: Signature,
        callees: impl FnOnce(&mut dyn Module, &mut Context) -> FxHashMap<FuncId, FuncRef>,
        write: impl FnOnce(Code<'_>, FxHashMap<FuncId, FuncRef>),
    ) -> CodeResult<(u32, PieceMeta)> {
        let unit = self.unit;
        let context = &mut self.context;
        self.module.clear_context(context);
        context.func.signature = signature;
        context.set_disasm(self.texts.is_some());
        let callees = callees(self.module, context);
        let data = self.module.declare_data_in_func(unit.data_symbol, &mut context.func);
        let builder = FunctionBuilder::new(&mut context.func, &mut self.buffers);
        let (module, stubs) = (RefCell::new(&mut *self.module), RefCell::new(&mut self.stubs));
        let declare_stub = |stub: Stub| {
            *stubs.borrow_mut().entry(stub).or_insert_with(|| {
                let declared = declare(*module.borrow_mut(), &stub.name(), &unit.abi.stub(stub));
                declared.expect("a stub is declared once, by a name of its own")
            })
        };
        let surroundings = Surroundings {
            layout: unit.layout,
            data: unit.data,
            abi: unit.abi,
            symbol: data,
            declare_stub: &declare_stub,
            freed: &unit.freed,
        };
        write(Code::new(builder, surroundings), callees);
        let clif = self.texts.is_some().then(|| context.func.display().to_string());
        self.module.define_function(symbol, context)?;
        let compiled = context.compiled_code().expect("the function was just compiled");
        self.code_bytes += u64::from(compiled.buffer.total_size());
        if let (Some(texts), Some(clif)) = (&mut self.texts, clif) {
            let name = self.module.declarations().get_function_decl(symbol).linkage_name(symbol).into_owned();
            texts.push(Text { name, clif, assembly: compiled.vcode.clone().unwrap_or_default() });
        }
        let frame = compiled.buffer.frame_layout().map_or(0, |layout| layout.frame_to_fp_offset);
        Ok((frame + FRAME_LINK, piece_meta(&compiled.buffer)))
    }
}

impl Compiler<'_> {
    /// Compiles the stubs that the functions so far call.
    pub(super) fn compile_stubs(&mut self) -> CodeResult<u32> {
        let mut largest = 0;
        for (stub, symbol) in std::mem::take(&mut self.stubs) {
            let signature = self.unit.abi.stub(stub);
            let (frame, _) =
                self.compile(symbol, signature, |_, _| FxHashMap::default(), |code, _| stub.write(code))?;
            largest = largest.max(frame);
        }
        Ok(largest)
    }
}

/// What a walk over the stack wants to know of a function.
fn piece_meta(buffer: &MachBufferFinalized<Final>) -> PieceMeta {
    let calls = buffer.get_srclocs_sorted().iter().filter(|place| !place.loc.is_default());
    let calls = calls.map(|place| CallMeta { start: place.start, end: place.end, trace: place.loc.bits() });
    let segment = buffer.frame_layout().and_then(|layout| {
        let slot = layout.stackslots.iter().find(|(_, slot)| slot.key == Some(segment_key()))?.1;
        Some(layout.frame_to_fp_offset - slot.offset)
    });
    PieceMeta { calls: calls.collect(), segment }
}

/// Bytes of the return address and the caller's frame pointer.
const FRAME_LINK: u32 = 16;

/// Declares a function that nothing outside the unit names.
pub(super) fn declare(module: &mut dyn Module, name: &str, signature: &Signature) -> CodeResult<Symbol> {
    Ok(module.declare_function(name, Linkage::Local, signature)?)
}
