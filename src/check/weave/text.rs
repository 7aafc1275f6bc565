//! The instructions of a code object: finding them, inserting among them, and encoding jumps again.
//!
//! In: the text of a code object. Out: its text with insertions. Positions are counted in code units of two bytes.
//!
//! Invariants:
//! - What is inserted *before* an instruction runs whichever way the instruction is reached; what is inserted
//!   *behind* one runs only behind that one.
//! - A text that no compiler makes gives `None`, never a panic.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::cpython::opcode::Direction;
use crate::cpython::opcode::Opcodes;

/// What RESUME's argument says in its low bits of the suspension that it ends.
const SUSPENSION: u8 = 3;
const AFTER_YIELD: u8 = 1;
const AFTER_YIELD_FROM: u8 = 2;

/// A jump.
struct Jump {
    /// Its first unit, a prefix where it has any.
    start: usize,
    /// The unit of its operation.
    unit: usize,
    /// The unit behind it and its caches.
    end: usize,
    operation: u8,
    direction: Direction,
    target: usize,
}

/// An instruction that returns.
pub(super) struct Return {
    /// Its first unit.
    pub(super) start: usize,
    /// The unit of its operation.
    pub(super) unit: usize,
    /// Its argument.
    pub(super) argument: usize,
}

/// An instruction that suspends a generator at a `yield` or `yield from`; RESUME is the unit behind it.
pub(super) struct Yield {
    /// The first unit of the instruction before it.
    pub(super) before: usize,
    /// Its own first unit.
    pub(super) start: usize,
    /// The unit of its operation.
    pub(super) unit: usize,
    /// Whether it is a `yield from`.
    pub(super) delegates: bool,
}

/// What a pass over the instructions finds.
pub(super) struct Text<'a> {
    bytes: &'a [u8],
    opcodes: &'a Opcodes,
    /// The first instruction after the interpreter's own prologue.
    pub(super) entry: usize,
    /// The variables that the prologue makes cells of.
    pub(super) cells: BTreeSet<usize>,
    jumps: Vec<Jump>,
    /// The returns, in their order.
    pub(super) returns: Vec<Return>,
    /// The yields, in their order.
    pub(super) yields: Vec<Yield>,
}

impl<'a> Text<'a> {
    /// Looks through the text.
    pub(super) fn new(bytes: &'a [u8], opcodes: &'a Opcodes) -> Option<Text<'a>> {
        let (jumps, returns, yields) = (Vec::new(), Vec::new(), Vec::new());
        let mut text = Text { bytes, opcodes, entry: 0, cells: BTreeSet::new(), jumps, returns, yields };
        text.read_prologue()?;
        text.scan()?;
        Some(text)
    }

    /// The operation and the argument byte of a unit.
    #[inline]
    pub(super) fn unit(&self, unit: usize) -> Option<(u8, u8)> {
        Some((*self.bytes.get(2 * unit)?, *self.bytes.get(2 * unit + 1)?))
    }

    /// Whether a jump leads to the unit.
    pub(super) fn is_target(&self, unit: usize) -> bool {
        self.jumps.iter().any(|jump| jump.target == unit)
    }

    fn read_prologue(&mut self) -> Option<()> {
        let (mut unit, mut argument) = (0, 0);
        loop {
            let (operation, byte) = self.unit(unit)?;
            argument = argument << 8 | usize::from(byte);
            unit += 1;
            if operation == self.opcodes.extended_arg {
                continue;
            }
            if operation == self.opcodes.make_cell {
                self.cells.insert(argument);
            } else if operation != self.opcodes.copy_free_vars {
                return Some(());
            }
            self.entry = unit;
            argument = 0;
        }
    }

    fn scan(&mut self) -> Option<()> {
        let opcodes = self.opcodes;
        let (mut before, mut start, mut unit, mut argument) = (0, 0, 0, 0_usize);
        while 2 * unit < self.bytes.len() {
            let (operation, byte) = self.unit(unit)?;
            argument = argument << 8 | usize::from(byte);
            if operation == opcodes.extended_arg {
                unit += 1;
                continue;
            }
            let end = unit + 1 + opcodes.caches(operation);
            if let Some(direction) = opcodes.direction(operation) {
                let target = match direction {
                    Direction::Forward => end.checked_add(argument)?,
                    Direction::Backward => end.checked_sub(argument)?,
                };
                self.jumps.push(Jump { start, unit, end, operation, direction, target });
            } else if opcodes.returns(operation) {
                self.returns.push(Return { start, unit, argument });
            } else if operation == opcodes.yield_value
                && let Some((behind, how)) = self.unit(end)
                && behind == opcodes.resume
                && matches!(how & SUSPENSION, AFTER_YIELD | AFTER_YIELD_FROM)
            {
                let delegates = how & SUSPENSION == AFTER_YIELD_FROM;
                self.yields.push(Yield { before, start, unit, delegates });
            }
            before = start;
            (start, unit, argument) = (end, end, 0);
        }
        Some(())
    }
}

/// Appends an instruction without caches.
pub(super) fn emit(text: &mut Vec<u8>, opcodes: &Opcodes, operation: u8, argument: usize) {
    let bytes = u32::try_from(argument).expect("arguments have 32 bits").to_be_bytes();
    let prefixes = bytes.iter().position(|&byte| byte != 0).unwrap_or(3).min(3);
    for &byte in &bytes[prefixes..3] {
        text.extend([opcodes.extended_arg, byte]);
    }
    text.extend([operation, bytes[3]]);
}

/// Code to insert before and behind units of the original, and where the units go.
#[derive(Default)]
pub(super) struct Insertions {
    before: BTreeMap<usize, Vec<u8>>,
    behind: BTreeMap<usize, Vec<u8>>,
    /// Units around which something is inserted, with how many units are inserted up to there.
    growth: Vec<(usize, usize)>,
}

impl Insertions {
    /// Inserts after what is already inserted before this unit.
    pub(super) fn add(&mut self, unit: usize, text: &[u8]) {
        self.before.entry(unit).or_default().extend_from_slice(text);
    }

    /// Inserts behind an instruction of one unit.
    pub(super) fn add_behind(&mut self, unit: usize, text: &[u8]) {
        self.behind.insert(unit, text.to_vec());
    }

    /// Whether nothing is inserted.
    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.behind.is_empty()
    }

    /// How many units are inserted around which units, in the units' order.
    pub(super) fn growth(&self) -> Vec<(usize, usize)> {
        let texts = self.before.iter().chain(&self.behind);
        let mut growth: Vec<_> = texts.map(|(&unit, text)| (unit, text.len() / 2)).collect();
        growth.sort_unstable();
        growth
    }

    /// Makes [`Insertions::label`] answer for the insertions so far.
    fn settle(&mut self) {
        let mut total = 0;
        self.growth = self.growth();
        for (_, units) in &mut self.growth {
            total += *units;
            *units = total;
        }
    }

    /// Where a jump to the unit goes: to what is inserted before it.
    pub(super) fn label(&self, unit: usize) -> usize {
        let passed = self.growth.partition_point(|&(position, _)| position < unit);
        unit + passed.checked_sub(1).map_or(0, |last| self.growth[last].1)
    }

    /// Where the unit itself goes.
    pub(super) fn place(&self, unit: usize) -> usize {
        self.label(unit) + self.before.get(&unit).map_or(0, |text| text.len() / 2)
    }
}

/// What stands instead of original units: from the key up to the number.
pub(super) type Patches = BTreeMap<usize, (usize, Vec<u8>)>;

impl Text<'_> {
    /// The insertions, the patched instructions and what lies between them.
    pub(super) fn woven(&self, insertions: &mut Insertions, mut patches: Patches) -> Option<Vec<u8>> {
        let texts = self.settle_jumps(insertions)?;
        for (jump, text) in self.jumps.iter().zip(texts) {
            let extra = (text.len() / 2).checked_sub(jump.unit + 1 - jump.start)?;
            if extra > 0 {
                // The prefixes stand among the insertions; only their values were open.
                let inserted = insertions.before.get_mut(&jump.start)?;
                let from = inserted.len().checked_sub(2 * extra)?;
                inserted[from..].copy_from_slice(&text[..2 * extra]);
            }
            patches.insert(jump.start, (jump.unit + 1, text[2 * extra..].to_vec()));
        }
        let mut units: Vec<usize> = insertions.before.keys().chain(patches.keys()).copied().collect();
        units.extend(insertions.behind.keys().map(|unit| unit + 1));
        units.sort_unstable();
        units.dedup();
        let mut woven = Vec::with_capacity(self.bytes.len() + 64);
        let mut done = 0;
        for unit in units {
            woven.extend_from_slice(self.bytes.get(2 * done..2 * unit)?);
            if let Some(text) = unit.checked_sub(1).and_then(|behind| insertions.behind.get(&behind)) {
                woven.extend_from_slice(text);
            }
            woven.extend_from_slice(insertions.before.get(&unit).map_or(&[][..], Vec::as_slice));
            done = unit;
            if let Some((end, text)) = patches.get(&unit) {
                woven.extend_from_slice(text);
                done = *end;
            }
        }
        woven.extend_from_slice(self.bytes.get(2 * done..)?);
        Some(woven)
    }

    /// Encodes all jumps; those that no longer fit get prefixes inserted before them until everything fits.
    fn settle_jumps(&self, insertions: &mut Insertions) -> Option<Vec<Vec<u8>>> {
        let mut widened = vec![0; self.jumps.len()];
        loop {
            insertions.settle();
            let mut texts = Vec::with_capacity(self.jumps.len());
            let mut grown = Vec::new();
            for (jump, widened) in self.jumps.iter().zip(&mut widened) {
                let mut text = self.jump(jump, insertions)?;
                let width = jump.unit + 1 - jump.start + *widened;
                let needed = text.len() / 2;
                if needed > width {
                    grown.push((jump.start, needed - width));
                    *widened += needed - width;
                } else {
                    let prefixes = [self.opcodes.extended_arg, 0].repeat(width - needed);
                    text.splice(0..0, prefixes);
                }
                texts.push(text);
            }
            if grown.is_empty() {
                return Some(texts);
            }
            for (start, missing) in grown {
                insertions.add(start, &[self.opcodes.extended_arg, 0].repeat(missing));
            }
        }
    }

    /// The jump's operation with the prefixes that it needs.
    fn jump(&self, jump: &Jump, insertions: &Insertions) -> Option<Vec<u8>> {
        let (target, end) = (insertions.label(jump.target), insertions.label(jump.end));
        let distance = match jump.direction {
            Direction::Forward => target.checked_sub(end)?,
            Direction::Backward => end.checked_sub(target)?,
        };
        let mut text = Vec::with_capacity(4);
        emit(&mut text, self.opcodes, jump.operation, distance);
        Some(text)
    }
}
