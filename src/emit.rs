//! Where compiled units go: executable memory, or an object file and a shared object made of it.
//!
//! Both share everything up to and including the lowering; here are the settings of Cranelift and the
//! homes of what it makes.

pub mod jit;
pub mod link;
pub mod object;

use cranelift_codegen::CodegenError;
use cranelift_codegen::isa::{Builder, OwnedTargetIsa};
use cranelift_codegen::settings;
use cranelift_codegen::settings::{Configurable, Flags};
use cranelift_module::ModuleError;

/// Why a unit has no machine code.
#[derive(Debug)]
pub enum EmitError {
    /// Cranelift does not know the machine, or refuses our settings.
    Machine(String),
    /// Cranelift failed: a bug of ours, or no memory.
    Module(Box<ModuleError>),
    /// There are no code objects.
    Code(String),
}

impl From<Box<ModuleError>> for EmitError {
    fn from(error: Box<ModuleError>) -> EmitError {
        EmitError::Module(error)
    }
}

impl From<ModuleError> for EmitError {
    fn from(error: ModuleError) -> EmitError {
        EmitError::Module(Box::new(error))
    }
}

impl std::fmt::Display for EmitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EmitError::Machine(reason) => write!(f, "no machine code for this machine: {reason}"),
            EmitError::Module(error) => write!(f, "the code generator failed: {error}"),
            EmitError::Code(reason) => write!(f, "the module's code objects can't be made: {reason}"),
        }
    }
}

impl std::error::Error for EmitError {}

/// Whether Cranelift's verifier reads what we give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Every function: in tests, and where our own failures are to be seen.
    Yes,
    /// None.
    No,
}

/// Whether code may be put at any address by somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// By a loader.
    Independent,
    /// We put it where it stays.
    Fixed,
}

/// The settings that both homes share.
fn isa(builder: Builder, position: Position, verify: Verify) -> Result<OwnedTargetIsa, EmitError> {
    let mut flags = settings::builder();
    let pairs = [
        ("opt_level", "speed"),
        ("enable_verifier", if verify == Verify::Yes { "true" } else { "false" }),
        ("is_pic", if position == Position::Independent { "true" } else { "false" }),
        ("use_colocated_libcalls", "false"),
        ("preserve_frame_pointers", "true"),
        ("enable_probestack", "false"),
        // Bodies find the thread state there.
        ("enable_pinned_reg", "true"),
        ("unwind_info", "true"),
    ];
    for (name, value) in pairs {
        flags.set(name, value).map_err(|error| EmitError::Machine(format!("{name}: {error}")))?;
    }
    builder.finish(Flags::new(flags)).map_err(|error: CodegenError| EmitError::Machine(error.to_string()))
}
