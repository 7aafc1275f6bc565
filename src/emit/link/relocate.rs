//! Relocations: those that can be resolved now, and those that only the loader can resolve.

use object::elf;
use object::read::elf::ElfFile64;
use object::{
    Endianness, Object, ObjectSection, ObjectSymbol, Relocation, RelocationFlags, RelocationTarget,
};

use super::image::{Layout, Out, near};
use super::{LinkError, Source};

/// A relocation for the loader.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dynamic {
    /// Where.
    pub(super) place: u64,
    /// Its kind, one of `R_X86_64_*`.
    pub(super) kind: u32,
    /// The number of the undefined symbol, counted from 1, or 0.
    pub(super) symbol: u32,
    /// What is added.
    pub(super) addend: i64,
}

/// What a relocation refers to.
#[derive(Clone, Copy, Debug)]
enum Target {
    /// Something in the object, at this address.
    Here(u64),
    /// The undefined symbol of this number.
    Import(usize),
}

/// Resolves the relocations of all loaded sections.
pub(super) fn relocate(
    source: &Source<'_>,
    layout: &Layout,
    out: &mut Out,
) -> Result<Vec<Dynamic>, LinkError> {
    let mut left: Vec<Dynamic> = Vec::new();
    for import in 0..source.imports.len() {
        left.push(Dynamic {
            place: layout.table_word(import),
            kind: elf::R_X86_64_GLOB_DAT,
            symbol: symbol_number(import),
            addend: 0,
        });
    }
    for input in &source.inputs {
        let base = layout.section(input.index)?.offset;
        for (offset, relocation) in source.file.section_by_index(input.index)?.relocations() {
            let target = target(source, layout, &relocation)?;
            left.extend(resolve(layout, out, base + offset, target, &relocation)?);
        }
    }
    Ok(left)
}

/// Symbol 0 is none; the undefined ones follow.
fn symbol_number(import: usize) -> u32 {
    u32::try_from(import + 1).expect("symbols are few")
}

fn target(source: &Source<'_>, layout: &Layout, relocation: &Relocation) -> Result<Target, LinkError> {
    let RelocationTarget::Symbol(index) = relocation.target() else {
        return Err(LinkError::Unsupported(format!("a relocation to {:?}", relocation.target())));
    };
    let file: &ElfFile64<'_, Endianness> = &source.file;
    let symbol = file.symbol_by_index(index)?;
    if symbol.is_undefined() {
        return Ok(Target::Import(source.import(symbol.name()?)?));
    }
    Ok(Target::Here(layout.address(&symbol)?))
}

fn resolve(
    layout: &Layout,
    out: &mut Out,
    place: u64,
    target: Target,
    relocation: &Relocation,
) -> Result<Option<Dynamic>, LinkError> {
    let RelocationFlags::Elf { r_type } = relocation.flags() else {
        return Err(LinkError::Unsupported("a relocation that is not ELF's".to_owned()));
    };
    let addend = relocation.addend();
    match r_type {
        elf::R_X86_64_64 => {
            return Ok(Some(match target {
                Target::Here(address) => Dynamic {
                    place,
                    kind: elf::R_X86_64_RELATIVE,
                    symbol: 0,
                    addend: address.cast_signed() + addend,
                },
                Target::Import(import) => {
                    Dynamic { place, kind: elf::R_X86_64_64, symbol: symbol_number(import), addend }
                }
            }));
        }
        elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 => {
            let address = match target {
                Target::Here(address) => address,
                Target::Import(import) => layout.stub(import),
            };
            put_near(out, place, address, addend)?;
        }
        elf::R_X86_64_GOTPCREL | elf::R_X86_64_GOTPCRELX | elf::R_X86_64_REX_GOTPCRELX => {
            let address = match target {
                Target::Import(import) => layout.table_word(import),
                Target::Here(address) => {
                    load_to_address(out, place)?;
                    address
                }
            };
            put_near(out, place, address, addend)?;
        }
        other => return Err(LinkError::Unsupported(format!("a relocation of kind {other}"))),
    }
    Ok(None)
}

fn put_near(out: &mut Out, place: u64, address: u64, addend: i64) -> Result<(), LinkError> {
    let distance = near(address.wrapping_add_signed(addend), place)?;
    out.put(place, &distance.to_le_bytes());
    Ok(())
}

/// Turns `mov word(%rip), register` into `lea`: what the table would hold is near itself.
fn load_to_address(out: &mut Out, place: u64) -> Result<(), LinkError> {
    const MOV: u8 = 0x8b;
    const LEA: u8 = 0x8d;
    if out.byte(place - 2) != MOV {
        return Err(LinkError::Unsupported("a table reference that is not a load".to_owned()));
    }
    out.put(place - 2, &[LEA]);
    Ok(())
}
