//! Machine signatures of the three pieces of a function and of what they call.
//!
//! Entries, resume functions and helpers follow the platform's C convention. Bodies are called by
//! compiled code alone and return two words in registers, which Windows' convention can't.

use cranelift_codegen::ir::{AbiParam, Signature, Type, types};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig, TargetIsa};

use crate::ir;
use crate::runtime::table::{Helper, Word};

use super::stubs::{Registers, Stub};

/// The machine type of a pointer, an object reference or an int.
pub(super) const WORD: Type = types::I64;

/// The machine type of a truth value.
pub(super) const BOOL: Type = types::I8;

/// The machine type of a CIR value.
pub(super) fn machine_type(ty: ir::Type) -> Type {
    match ty {
        ir::Type::Obj | ir::Type::I64 => WORD,
        ir::Type::F64 => types::F64,
        ir::Type::Bool => BOOL,
    }
}

/// How a C function hands back a pair of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pairs {
    /// In one register each, floats in a float register.
    Registers,
    /// In two integer registers, whatever the words are.
    IntegerRegisters,
    /// In memory that the caller passes the address of, before the other arguments.
    Memory,
}

/// The conventions of one target.
#[derive(Clone, Copy)]
pub(super) struct Abi {
    c: CallConv,
    body: CallConv,
    /// What the frontend wants to know of the target.
    pub(super) frontend: TargetFrontendConfig,
    /// How helpers hand back pairs.
    pub(super) pairs: Pairs,
}

impl Abi {
    /// The conventions of the target that the module is for.
    pub(super) fn of(isa: &dyn TargetIsa) -> Abi {
        let c = isa.default_call_conv();
        let (body, pairs) = match (c, isa.name()) {
            (CallConv::WindowsFastcall, _) => (CallConv::SystemV, Pairs::Memory),
            (_, "aarch64") => (c, Pairs::IntegerRegisters),
            _ => (c, Pairs::Registers),
        };
        Abi { c, body, frontend: isa.frontend_config(), pairs }
    }

    /// `(callable, args, nargsf, kwnames) -> object`
    pub(super) fn entry(self) -> Signature {
        signature(self.c, [WORD; 4], [WORD])
    }

    /// `(thread, depth, entry number, slots, result) -> object`
    pub(super) fn resume(self) -> Signature {
        signature(self.c, [WORD; 5], [WORD])
    }

    /// `(depth, parameters…) -> (value, status)`, or one word where the value is an object; the thread
    /// state is in the pinned register.
    pub(super) fn body(self, promised: &ir::Signature) -> Signature {
        let params = promised.params.iter().map(|ty| machine_type(ir::Signature::machine(ty)));
        let params: Vec<Type> = [WORD].into_iter().chain(params).collect();
        match ir::Signature::machine(&promised.result) {
            ir::Type::Obj => signature(self.body, params, [WORD]),
            value => signature(self.body, params, [machine_type(value), WORD]),
        }
    }

    /// A row of the helper table.
    pub(super) fn helper(self, helper: Helper) -> Signature {
        let args = helper.args().iter().map(|&word| helper_type(word));
        let results: Vec<Type> = helper.results().iter().map(|&word| helper_type(word)).collect();
        if results.len() < 2 {
            return signature(self.c, args, results);
        }
        match self.pairs {
            Pairs::Registers => signature(self.c, args, results),
            Pairs::IntegerRegisters => signature(self.c, args, [WORD; 2]),
            Pairs::Memory => signature(self.c, [WORD].into_iter().chain(args), []),
        }
    }

    /// A stub in front of a helper: its arguments, who calls, and, where every register is kept and it has results,
    /// where to put them.
    pub(super) fn stub(self, stub: Stub) -> Signature {
        let helper = stub.helper;
        let args = helper.args().iter().map(|&word| helper_type(word));
        let args = args.chain(std::iter::repeat_n(WORD, stub.caller.words()));
        match stub.registers {
            Registers::Kept => {
                let place = (!helper.results().is_empty()).then_some(WORD);
                signature(CallConv::PreserveAll, args.chain(place), [])
            }
            Registers::Free => {
                signature(self.c, args, helper.results().iter().map(|&word| helper_type(word)))
            }
        }
    }

    /// A function of the C library on so many doubles.
    pub(super) fn math(self, arity: usize) -> Signature {
        signature(self.c, vec![types::F64; arity], [types::F64])
    }
}

/// The machine type of a helper's argument or result.
pub(super) fn helper_type(word: Word) -> Type {
    match word {
        Word::Unit | Word::Thread | Word::Obj | Word::Ptr | Word::I64 => WORD,
        Word::I32 => types::I32,
        Word::F64 => types::F64,
    }
}

/// A signature of plain parameters and results.
fn signature(
    convention: CallConv,
    params: impl IntoIterator<Item = Type>,
    results: impl IntoIterator<Item = Type>,
) -> Signature {
    Signature {
        params: params.into_iter().map(AbiParam::new).collect(),
        returns: results.into_iter().map(AbiParam::new).collect(),
        call_conv: convention,
    }
}
