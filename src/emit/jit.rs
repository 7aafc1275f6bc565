//! Units in executable memory.

use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::default_libcall_names;

use crate::codegen::{CompiledFunction, CompiledUnit, Request, Text, compile_unit};
use crate::runtime::data::DataLayout;
use crate::runtime::meta::UnitMeta;

use super::{EmitError, Position, Verify, isa};

/// Address space that a unit's code and data have for themselves, so that near addresses reach. Only
/// what is used of it takes memory.
const LEAST_SPACE: usize = 1 << 20;

/// The same for each instruction of the unit's CIR, far more than any instruction takes.
const SPACE_PER_INST: usize = 1 << 12;

/// The addresses of a function's pieces; null where there is none.
#[derive(Clone, Copy, Debug)]
pub struct JitFunction {
    /// The vectorcall function.
    pub entry: *const u8,
    /// The specialised version.
    pub body: *const u8,
    /// The generic version.
    pub resume: *const u8,
    /// The loop version.
    pub looped: *const u8,
}

/// A unit in executable memory. Dropping it keeps the memory: somebody may still be in the code.
pub struct JitUnit {
    module: JITModule,
    unit: CompiledUnit,
}

/// Compiles a unit into executable memory. Its data hold the code's addresses; the rest is zero.
///
/// # Errors
/// When Cranelift fails, or there is no memory.
pub fn compile(request: &Request<'_>, verify: Verify) -> Result<JitUnit, EmitError> {
    let machine = cranelift_native::builder().map_err(|reason| EmitError::Machine(reason.to_owned()))?;
    let isa = isa(machine, Position::Fixed, verify)?;
    let mut builder = JITBuilder::with_isa(isa, default_libcall_names());
    let space = LEAST_SPACE + request.size() * SPACE_PER_INST;
    let memory =
        ArenaMemoryProvider::new_with_size(space).map_err(|error| EmitError::Machine(error.to_string()))?;
    builder.memory_provider(Box::new(memory));
    let mut module = JITModule::new(builder);
    let unit = compile_unit(request, &mut module)?;
    module.finalize_definitions()?;
    Ok(JitUnit { module, unit })
}

impl JitUnit {
    /// What the runtime must know of it.
    #[must_use]
    pub fn meta(&self) -> &UnitMeta {
        &self.unit.meta
    }

    /// Where things stand in its data.
    #[must_use]
    pub fn layout(&self) -> DataLayout {
        self.unit.layout
    }

    /// Its data: [`DataLayout::size`] bytes, writable, of 16-byte alignment.
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        self.module.get_finalized_data(self.unit.data).0.cast_mut()
    }

    /// The addresses of a function.
    #[must_use]
    pub fn function(&self, number: usize) -> JitFunction {
        let CompiledFunction { entry, body, resume, looped } = self.unit.functions[number];
        let address = |symbol: Option<_>| {
            symbol.map_or(std::ptr::null(), |symbol| self.module.get_finalized_function(symbol))
        };
        JitFunction {
            entry: address(entry),
            body: address(body),
            resume: address(resume),
            looped: address(looped),
        }
    }

    /// Its functions as text, when they were asked for.
    #[must_use]
    pub fn texts(&self) -> &[Text] {
        &self.unit.texts
    }

    /// Bytes of machine code.
    #[must_use]
    pub fn code_bytes(&self) -> u64 {
        self.unit.code_bytes
    }

    /// Gives the memory back.
    ///
    /// # Safety
    /// - No thread runs the unit's code, and none will.
    /// - Nothing points into its data any more.
    pub unsafe fn free(self) {
        // SAFETY: nothing uses code or data any more, per the contract above.
        unsafe { self.module.free_memory() };
    }
}
