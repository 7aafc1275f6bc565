//! The layout of the shared object, its headers and its dynamic section.
//!
//! File offsets and addresses are equal, so segments begin at page boundaries of the file.

use object::elf;
use object::{Object, ObjectSymbol, RelocationFlags, SectionIndex};
use rustc_hash::FxHashMap;

use super::relocate::Dynamic;
use super::{LinkError, Source};

const PAGE: u64 = 0x1000;
const EHDR_SIZE: u64 = 64;
const PHDR_SIZE: u64 = 56;
const SYM_SIZE: u64 = 24;
const RELA_SIZE: u64 = 24;
const WORD: u64 = 8;
/// Three loaded segments, the dynamic section, and the stack's permissions.
const PHDR_COUNT: u64 = 5;
/// Entries of the dynamic section, its end included.
const DYNAMIC_COUNT: u64 = 9;

/// A loaded segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Readable: headers, symbols, constants.
    Constants,
    /// Executable.
    Code,
    /// Writable.
    Data,
}

/// Where something stands in file and memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Its offset in the file, and its address.
    pub(super) offset: u64,
}

/// A range of the file.
#[derive(Clone, Copy, Debug)]
struct Range {
    start: u64,
    end: u64,
}

/// Where everything stands.
pub(super) struct Layout {
    sections: FxHashMap<SectionIndex, u64>,
    symbols: u64,
    names: u64,
    name_bytes: Vec<u8>,
    name_offsets: Vec<u32>,
    hash: u64,
    relocations: u64,
    relocation_room: u64,
    stubs: u64,
    table: u64,
    dynamic: u64,
    constants: Range,
    code: Range,
    data: Range,
}

/// The bytes of the shared object.
pub(super) struct Out(Vec<u8>);

impl Out {
    /// Overwrites the bytes at an offset.
    pub(super) fn put(&mut self, offset: u64, bytes: &[u8]) {
        let offset = index(offset);
        self.0[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    /// Overwrites words one after another.
    fn put_words(&mut self, mut offset: u64, words: &[u64]) {
        for word in words {
            self.put(offset, &word.to_le_bytes());
            offset += WORD;
        }
    }

    /// The byte at an offset.
    pub(super) fn byte(&self, offset: u64) -> u8 {
        self.0[index(offset)]
    }

    /// All of them.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("the layout is below 2 GiB")
}

fn count(items: usize) -> u64 {
    u64::try_from(items).expect("a count fits 64 bits")
}

/// Gives out room.
struct Cursor(u64);

impl Cursor {
    fn take(&mut self, size: u64, align: u64) -> u64 {
        let start = self.0.next_multiple_of(align);
        self.0 = start + size;
        start
    }
}

impl Layout {
    /// Places everything.
    pub(super) fn of(source: &Source<'_>) -> Result<Layout, LinkError> {
        let mut name_bytes = vec![0];
        let names = source.imports.iter().chain(source.exports.iter().map(|export| &export.name));
        let name_offsets: Vec<u32> = names.map(|name| add_name(&mut name_bytes, name)).collect();
        let symbol_count = count(name_offsets.len()) + 1;
        let relocation_room = count(source.imports.len()) + absolute_count(source);
        let mut sections = FxHashMap::default();
        let mut cursor = Cursor(EHDR_SIZE + PHDR_COUNT * PHDR_SIZE);
        let symbols = cursor.take(symbol_count * SYM_SIZE, WORD);
        let names = cursor.take(count(name_bytes.len()), 1);
        let hash = cursor.take(4 * (3 + symbol_count), 4);
        let relocations = cursor.take(relocation_room * RELA_SIZE, WORD);
        place(source, Segment::Constants, &mut cursor, &mut sections);
        let constants = Range { start: 0, end: cursor.0 };
        let start = cursor.take(0, PAGE);
        place(source, Segment::Code, &mut cursor, &mut sections);
        let stubs = cursor.take(count(source.imports.len()) * WORD, 16);
        let code = Range { start, end: cursor.0 };
        let start = cursor.take(0, PAGE);
        place(source, Segment::Data, &mut cursor, &mut sections);
        let table = cursor.take(count(source.imports.len()) * WORD, WORD);
        let dynamic = cursor.take(DYNAMIC_COUNT * 2 * WORD, WORD);
        let data = Range { start, end: cursor.0 };
        if i32::try_from(data.end).is_err() {
            return Err(LinkError::TooLarge);
        }
        Ok(Layout {
            sections,
            symbols,
            names,
            name_bytes,
            name_offsets,
            hash,
            relocations,
            relocation_room,
            stubs,
            table,
            dynamic,
            constants,
            code,
            data,
        })
    }

    /// Where an input section stands.
    pub(super) fn section(&self, index: SectionIndex) -> Result<Place, LinkError> {
        let offset = self.sections.get(&index).copied();
        let offset =
            offset.ok_or_else(|| LinkError::Unsupported("a reference to what is not loaded".to_owned()))?;
        Ok(Place { offset })
    }

    /// The code that jumps to an undefined function.
    pub(super) fn stub(&self, import: usize) -> u64 {
        self.stubs + count(import) * WORD
    }

    /// The word that holds an undefined symbol's address.
    pub(super) fn table_word(&self, import: usize) -> u64 {
        self.table + count(import) * WORD
    }

    /// A file of zeros with headers, symbols and the code of the stubs.
    pub(super) fn headers(&self, source: &Source<'_>) -> Result<Out, LinkError> {
        let mut out = Out(vec![0; index(self.data.end)]);
        self.write_file_header(&mut out);
        self.write_segments(&mut out);
        self.write_symbols(source, &mut out)?;
        for import in 0..source.imports.len() {
            // jmp *table_word(%rip), padded to eight bytes.
            let displacement = near(self.table_word(import), self.stub(import) + 6)?;
            out.put(self.stub(import), &[0xff, 0x25]);
            out.put(self.stub(import) + 2, &displacement.to_le_bytes());
            out.put(self.stub(import) + 6, &[0x66, 0x90]);
        }
        Ok(out)
    }

    fn write_file_header(&self, out: &mut Out) {
        out.put(0, &elf::ELFMAG);
        out.put(4, &[elf::ELFCLASS64, elf::ELFDATA2LSB, elf::EV_CURRENT, elf::ELFOSABI_NONE]);
        out.put(16, &elf::ET_DYN.to_le_bytes());
        out.put(18, &elf::EM_X86_64.to_le_bytes());
        out.put(20, &1_u32.to_le_bytes());
        out.put_words(32, &[EHDR_SIZE]);
        let sizes = [EHDR_SIZE, PHDR_SIZE, PHDR_COUNT, EHDR_SIZE, 0, 0];
        for (number, size) in sizes.into_iter().enumerate() {
            let size = u16::try_from(size).expect("header sizes are small");
            out.put(52 + 2 * count(number), &size.to_le_bytes());
        }
    }

    fn write_segments(&self, out: &mut Out) {
        let dynamic = Range { start: self.dynamic, end: self.dynamic + DYNAMIC_COUNT * 2 * WORD };
        let nothing = Range { start: 0, end: 0 };
        let headers = [
            (elf::PT_LOAD, elf::PF_R, self.constants, PAGE),
            (elf::PT_LOAD, elf::PF_R | elf::PF_X, self.code, PAGE),
            (elf::PT_LOAD, elf::PF_R | elf::PF_W, self.data, PAGE),
            (elf::PT_DYNAMIC, elf::PF_R | elf::PF_W, dynamic, WORD),
            (elf::PT_GNU_STACK, elf::PF_R | elf::PF_W, nothing, 16),
        ];
        for (number, (kind, flags, Range { start, end }, align)) in headers.into_iter().enumerate() {
            let at = EHDR_SIZE + count(number) * PHDR_SIZE;
            out.put(at, &kind.to_le_bytes());
            out.put(at + 4, &flags.to_le_bytes());
            out.put_words(at + 8, &[start, start, start, end - start, end - start, align]);
        }
    }

    /// Symbols, their names, and a hash table of one bucket: there are few.
    fn write_symbols(&self, source: &Source<'_>, out: &mut Out) -> Result<(), LinkError> {
        out.put(self.names, &self.name_bytes);
        for number in 0..self.name_offsets.len() {
            let at = self.symbols + (count(number) + 1) * SYM_SIZE;
            let (section, value) = match number.checked_sub(source.imports.len()) {
                None => (elf::SHN_UNDEF, 0),
                Some(export) => {
                    let symbol = source.file.symbol_by_index(source.exports[export].symbol)?;
                    (1, self.address(&symbol)?)
                }
            };
            let kind = if section == elf::SHN_UNDEF { elf::STT_NOTYPE } else { elf::STT_FUNC };
            out.put(at, &self.name_offsets[number].to_le_bytes());
            out.put(at + 4, &[(elf::STB_GLOBAL << 4) | kind, elf::STV_DEFAULT]);
            out.put(at + 6, &section.to_le_bytes());
            out.put_words(at + 8, &[value, 0]);
        }
        let symbols = u32::try_from(self.name_offsets.len() + 1).expect("symbols are few");
        let chain = (0..symbols).map(|number| number.saturating_sub(1));
        for (number, word) in [1, symbols, symbols - 1].into_iter().chain(chain).enumerate() {
            out.put(self.hash + 4 * count(number), &word.to_le_bytes());
        }
        Ok(())
    }

    /// The address of a symbol that the object defines.
    pub(super) fn address<'d>(&self, symbol: &impl ObjectSymbol<'d>) -> Result<u64, LinkError> {
        let index = symbol.section_index();
        let index =
            index.ok_or_else(|| LinkError::Unsupported("a symbol outside of any section".to_owned()))?;
        Ok(self.section(index)?.offset + symbol.address())
    }

    /// The relocations that are left to the loader, and the dynamic section that leads to all this.
    pub(super) fn write_dynamic(&self, relocations: &[Dynamic], out: &mut Out) {
        assert!(count(relocations.len()) <= self.relocation_room, "the layout has counted the relocations");
        for (number, relocation) in relocations.iter().enumerate() {
            let at = self.relocations + count(number) * RELA_SIZE;
            let info = (u64::from(relocation.symbol) << 32) | u64::from(relocation.kind);
            out.put_words(at, &[relocation.place, info, relocation.addend.cast_unsigned()]);
        }
        let entries: [(i64, u64); 9] = [
            (elf::DT_HASH, self.hash),
            (elf::DT_STRTAB, self.names),
            (elf::DT_SYMTAB, self.symbols),
            (elf::DT_STRSZ, count(self.name_bytes.len())),
            (elf::DT_SYMENT, SYM_SIZE),
            (elf::DT_RELA, self.relocations),
            (elf::DT_RELASZ, count(relocations.len()) * RELA_SIZE),
            (elf::DT_RELAENT, RELA_SIZE),
            (elf::DT_NULL, 0),
        ];
        for (number, (tag, value)) in entries.into_iter().enumerate() {
            out.put_words(self.dynamic + count(number) * 2 * WORD, &[tag.cast_unsigned(), value]);
        }
    }
}

/// The distance to `target` from the end of a near operand.
pub(super) fn near(target: u64, from: u64) -> Result<i32, LinkError> {
    let distance = target.cast_signed() - from.cast_signed();
    i32::try_from(distance).map_err(|_| LinkError::TooLarge)
}

fn add_name(names: &mut Vec<u8>, name: &str) -> u32 {
    let offset = u32::try_from(names.len()).expect("names are short");
    names.extend_from_slice(name.as_bytes());
    names.push(0);
    offset
}

fn place(
    source: &Source<'_>,
    segment: Segment,
    cursor: &mut Cursor,
    sections: &mut FxHashMap<SectionIndex, u64>,
) {
    for input in source.inputs.iter().filter(|input| input.segment == segment) {
        sections.insert(input.index, cursor.take(input.size, input.align));
    }
}

/// How many relocations need the loader, besides those of the table: those of whole addresses.
fn absolute_count(source: &Source<'_>) -> u64 {
    use object::ObjectSection as _;
    let inputs = source.inputs.iter();
    inputs
        .filter_map(|input| source.file.section_by_index(input.index).ok())
        .map(|section| {
            let relocations = section.relocations().map(|(_, relocation)| relocation.flags());
            let is_absolute = |flags: &RelocationFlags| {
                matches!(flags, RelocationFlags::Elf { r_type } if *r_type == elf::R_X86_64_64)
            };
            count(relocations.filter(is_absolute).count())
        })
        .sum()
}
