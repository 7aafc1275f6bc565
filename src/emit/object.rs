//! Units in object files: the machine code, data and image of an extension module.
//!
//! The module's `PyInit` function is machine code too: it asks the installed package for the runtime's
//! pointer table and hands data and image over.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, Block, FuncRef, InstBuilder, MemFlagsData, Signature, Value, types};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{DataDescription, DataId, Linkage, Module, default_libcall_names};
use cranelift_object::{ObjectBuilder, ObjectModule};

use crate::codegen::{CodeResult, Request, compile_unit};
use crate::runtime::image::{Body, CAPSULE, IMAGE_SYMBOL, Image};
use crate::runtime::loader::functions::to_bind;
use crate::runtime::loader::init_symbol;

use super::{EmitError, Position, Verify, isa};

/// The function of CPython that finds a capsule by its dotted name.
const CAPSULE_IMPORT: &str = "PyCapsule_Import";

/// What an object file is made of, besides the unit.
#[derive(Clone, Copy, Debug)]
pub struct BuiltModule<'a> {
    /// The module's name, dots and all.
    pub name: &'a str,
    /// Its source text.
    pub source: &'a str,
    /// What makes the code objects that take the text's place, if it is not to be in the file.
    pub code: Option<MakeCode<'a>>,
    /// `code.co_firstlineno` of each function of the unit.
    pub lines: &'a [u32],
    /// Whether every annotation of the module is a promise.
    pub is_enforced: bool,
    /// Whether its assertions are tested.
    pub asserts: bool,
    /// Which processors run it.
    pub cpu: Cpu,
    /// What names everything that it is built from.
    pub key: &'a str,
}

/// Makes a module's code objects, as bytes, from the names and first lines of the functions that get their entries from
/// a decorator; an error says why there are none.
pub type CodeMaker<'a> = dyn Fn(&[(&str, u32)]) -> Result<Vec<u8>, String> + Sync + 'a;

/// What makes a module's code objects.
#[derive(Clone, Copy)]
pub struct MakeCode<'a>(pub &'a CodeMaker<'a>);

impl std::fmt::Debug for MakeCode<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MakeCode")
    }
}

/// Which processors run the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cpu {
    /// All of the kind.
    Baseline,
    /// Those that have what this one has.
    Native,
}

/// Compiles a unit into a relocatable object file for this kind of machine.
///
/// # Errors
/// When Cranelift fails.
pub fn compile(request: &Request<'_>, built: BuiltModule<'_>, verify: Verify) -> Result<Vec<u8>, EmitError> {
    let machine = cranelift_native::builder_with_options(built.cpu == Cpu::Native)
        .map_err(|reason| EmitError::Machine(reason.to_owned()))?;
    let isa = isa(machine, Position::Independent, verify)?;
    let features = match built.cpu {
        Cpu::Baseline => Vec::new(),
        Cpu::Native => features(&*isa),
    };
    let builder = ObjectBuilder::new(isa, built.name, default_libcall_names())?;
    let mut module = ObjectModule::new(builder);
    let unit = compile_unit(request, &mut module)?;
    let mut image = Image {
        python: request.layout.version,
        module: built.name.to_owned(),
        body: Body::Text(String::new()),
        meta: unit.meta,
        lines: built.lines.to_vec(),
        is_enforced: built.is_enforced,
        asserts: built.asserts,
        features,
        key: built.key.to_owned(),
        compiler: env!("CASTIRON_FINGERPRINT").to_owned(),
    };
    image.body = match built.code {
        None => Body::Text(built.source.to_owned()),
        Some(MakeCode(make)) => Body::Code(make(&to_bind(&image)).map_err(EmitError::Code)?),
    };
    define_init(&mut module, built.name, unit.data, &image.to_bytes())?;
    module.finish().emit().map_err(|error| EmitError::Machine(error.to_string()))
}

/// What the code may count on besides the baseline.
fn features(isa: &dyn TargetIsa) -> Vec<String> {
    let flags = isa.isa_flags();
    let on = flags.iter().filter(|flag| flag.name.starts_with("has_") && flag.as_bool() == Some(true));
    on.map(|flag| flag.name.to_owned()).collect()
}

fn define_constant(module: &mut ObjectModule, name: &str, bytes: &[u8]) -> CodeResult<DataId> {
    let symbol = module.declare_data(name, Linkage::Local, false, false)?;
    let mut data = DataDescription::new();
    data.define(bytes.into());
    data.set_align(8);
    module.define_data(symbol, &data)?;
    Ok(symbol)
}

fn define_init(module: &mut ObjectModule, name: &str, data: DataId, image: &[u8]) -> CodeResult<()> {
    let capsule = [CAPSULE.as_bytes(), b"\0"].concat();
    let constants = [
        data,
        define_constant(module, IMAGE_SYMBOL, image)?,
        define_constant(module, "castiron_capsule", &capsule)?,
    ];
    let mut import = module.make_signature();
    import.params = vec![AbiParam::new(types::I64), AbiParam::new(types::I32)];
    import.returns = vec![AbiParam::new(types::I64)];
    let import = module.declare_function(CAPSULE_IMPORT, Linkage::Import, &import)?;
    let mut signature = module.make_signature();
    signature.returns = vec![AbiParam::new(types::I64)];
    let symbol = module.declare_function(&init_symbol(name), Linkage::Export, &signature)?;
    let mut context = module.make_context();
    context.func.signature = signature;
    let import = module.declare_func_in_func(import, &mut context.func);
    let constants = constants.map(|constant| module.declare_data_in_func(constant, &mut context.func));
    let mut load = module.make_signature();
    load.params = vec![AbiParam::new(types::I64); 3];
    load.returns = vec![AbiParam::new(types::I64)];
    let mut buffers = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut buffers);
    let first = builder.create_block();
    builder.switch_to_block(first);
    let [data, image_place, capsule] =
        constants.map(|constant| builder.ins().symbol_value(types::I64, constant));
    let length = i64::try_from(image.len()).expect("an image is shorter than the address space");
    write_init(&mut builder, Init { import, load, data, image: image_place, length, capsule });
    builder.seal_all_blocks();
    builder.finalize(module.target_config());
    Ok(module.define_function(symbol, &mut context)?)
}

/// What the code of a `PyInit` function refers to.
struct Init {
    import: FuncRef,
    load: Signature,
    data: Value,
    image: Value,
    length: i64,
    capsule: Value,
}

/// `table = PyCapsule_Import(name, 0); return table ? table[0](data, image, length) : NULL`
fn write_init(builder: &mut FunctionBuilder<'_>, init: Init) {
    let blocking = builder.ins().iconst(types::I32, 0);
    let call = builder.ins().call(init.import, &[init.capsule, blocking]);
    let table = builder.inst_results(call)[0];
    let (found, missing): (Block, Block) = (builder.create_block(), builder.create_block());
    let is_missing = builder.ins().icmp_imm_s(IntCC::Equal, table, 0);
    builder.ins().brif(is_missing, missing, &[], found, &[]);
    builder.switch_to_block(missing);
    builder.ins().return_(&[table]);
    builder.switch_to_block(found);
    let load = builder.ins().load(types::I64, MemFlagsData::new().with_notrap().with_aligned(), table, 0);
    let length = builder.ins().iconst(types::I64, init.length);
    let signature = builder.import_signature(init.load);
    let call = builder.ins().call_indirect(signature, load, &[init.data, init.image, length]);
    let module = builder.inst_results(call)[0];
    builder.ins().return_(&[module]);
}
