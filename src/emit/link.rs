//! From one relocatable x86-64 ELF object to a shared object that Python can import, in process.
//!
//! The input is what `object` writes: sections of code, constants and data, and the relocations that
//! Cranelift emits. The output has three loaded segments (headers and constants; code; data), a dynamic
//! section, no section headers, and a checksum at the end. Undefined symbols are bound when it is loaded: CPython's and the C
//! library's are there already, so it names no libraries. Elsewhere than on x86-64 ELF a platform
//! linker does this: `cc -shared object -o module`.

mod image;
mod relocate;

use object::elf;
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SectionFlags, SectionIndex, SymbolIndex};

use crate::runtime::loader::file;

use image::{Place, Segment};

/// Why an object can't be linked here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// It is no x86-64 ELF object that `object` can read.
    Unreadable(String),
    /// It has a relocation or symbol that Cranelift does not make.
    Unsupported(String),
    /// It is larger than near addresses reach.
    TooLarge,
}

impl std::fmt::Display for LinkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LinkError::Unreadable(reason) => write!(f, "the object file can't be read: {reason}"),
            LinkError::Unsupported(what) => {
                write!(f, "the object file has {what}, which only a platform linker can take")
            }
            LinkError::TooLarge => f.write_str("the object file is larger than 2 GiB"),
        }
    }
}

impl std::error::Error for LinkError {}

impl From<object::Error> for LinkError {
    fn from(error: object::Error) -> LinkError {
        LinkError::Unreadable(error.to_string())
    }
}

/// An input section that is loaded.
struct Input<'d> {
    index: SectionIndex,
    segment: Segment,
    align: u64,
    size: u64,
    /// Empty for a section of zeros.
    bytes: &'d [u8],
}

/// A symbol that the shared object shows.
struct Export {
    name: String,
    symbol: SymbolIndex,
}

/// What the object file says, as far as it matters here.
struct Source<'d> {
    file: ElfFile64<'d, Endianness>,
    inputs: Vec<Input<'d>>,
    /// Undefined symbols, by the order of their first mention.
    imports: Vec<String>,
    exports: Vec<Export>,
}

/// Makes a shared object of a relocatable object.
///
/// # Errors
/// When the object is none of ours.
pub fn link(bytes: &[u8]) -> Result<Vec<u8>, LinkError> {
    let source = Source::read(bytes)?;
    let layout = image::Layout::of(&source)?;
    let mut out = layout.headers(&source)?;
    for input in &source.inputs {
        let Place { offset, .. } = layout.section(input.index)?;
        out.put(offset, input.bytes);
    }
    let relocations = relocate::relocate(&source, &layout, &mut out)?;
    layout.write_dynamic(&relocations, &mut out);
    let mut file = out.into_bytes();
    let footer = file::footer(&file);
    file.extend(footer);
    Ok(file)
}

impl<'d> Source<'d> {
    fn read(bytes: &'d [u8]) -> Result<Source<'d>, LinkError> {
        let file: ElfFile64<'d, Endianness> = ElfFile64::parse(bytes)?;
        if file.architecture() != object::Architecture::X86_64
            || file.kind() != object::ObjectKind::Relocatable
        {
            return Err(LinkError::Unreadable("it is no relocatable x86-64 object".to_owned()));
        }
        let mut inputs = Vec::new();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
            if let Some(segment) = Segment::of(sh_flags) {
                let bytes = section.data()?;
                inputs.push(Input {
                    index: section.index(),
                    segment,
                    align: section.align().max(1),
                    size: section.size(),
                    bytes,
                });
            }
        }
        let (mut imports, mut exports) = (Vec::new(), Vec::new());
        for symbol in file.symbols() {
            let name = symbol.name()?;
            if symbol.is_undefined() && !name.is_empty() {
                imports.push(name.to_owned());
            } else if symbol.is_global() && symbol.is_definition() {
                exports.push(Export { name: name.to_owned(), symbol: symbol.index() });
            }
        }
        Ok(Source { file, inputs, imports, exports })
    }

    /// The number of an undefined symbol.
    fn import(&self, name: &str) -> Result<usize, LinkError> {
        let number = self.imports.iter().position(|import| import == name);
        number.ok_or_else(|| LinkError::Unsupported(format!("the symbol `{name}` of an unusual kind")))
    }
}

impl Segment {
    /// Where a section of these flags goes; none for one that is not loaded.
    fn of(flags: u64) -> Option<Segment> {
        let has = |flag: u32| flags & u64::from(flag) != 0;
        if !has(elf::SHF_ALLOC) {
            return None;
        }
        Some(match (has(elf::SHF_EXECINSTR), has(elf::SHF_WRITE)) {
            (true, _) => Segment::Code,
            (false, true) => Segment::Data,
            (false, false) => Segment::Constants,
        })
    }
}
