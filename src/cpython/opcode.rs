//! The instructions of each minor version's bytecode, as far as weaving checks into it has to know them.
//!
//! The numbers are those of the version's own `opcode` module. They belong to the magic number of its bytecode, which
//! `check` compares with the running interpreter's.

use super::layout::Layout;

/// `INTRINSIC_UNARY_POSITIVE`, from 3.12 on.
pub const INTRINSIC_UNARY_POSITIVE: u8 = 5;

/// `INTRINSIC_TYPEALIAS`, from 3.12 on.
pub const INTRINSIC_TYPEALIAS: u8 = 11;

/// Which way a relative jump goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the end.
    Forward,
    /// Towards the beginning.
    Backward,
}

/// The instructions of one minor version.
#[derive(Debug)]
pub struct Opcodes {
    /// What stands in front of its compiled files: the low half of the magic number.
    pub magic: u16,
    /// `CHECK_EXC_MATCH`
    pub check_exc_match: u8,
    /// `COPY`
    pub copy: u8,
    /// `COPY_FREE_VARS`
    pub copy_free_vars: u8,
    /// `DELETE_SUBSCR`
    pub delete_subscr: u8,
    /// `EXTENDED_ARG`
    pub extended_arg: u8,
    /// `JUMP_FORWARD`
    pub jump_forward: u8,
    /// `LOAD_CONST`
    pub load_const: u8,
    /// `LOAD_DEREF`
    pub load_deref: u8,
    /// `LOAD_FAST`
    pub load_fast: u8,
    /// `MAKE_CELL`
    pub make_cell: u8,
    /// `NOP`
    pub nop: u8,
    /// `POP_JUMP_IF_FALSE`, forward.
    pub pop_jump_if_false: u8,
    /// `POP_TOP`
    pub pop_top: u8,
    /// `RERAISE`
    pub reraise: u8,
    /// `RESUME`
    pub resume: u8,
    /// `RETURN_CONST`, from 3.12 on.
    pub return_const: Option<u8>,
    /// `RETURN_GENERATOR`
    pub return_generator: u8,
    /// `RETURN_VALUE`
    pub return_value: u8,
    /// `SEND`
    pub send: u8,
    /// `YIELD_VALUE`
    pub yield_value: u8,
    /// Whether `throw` into a generator that delegates reads the end of the delegation from the `SEND` directly
    /// before its `YIELD_VALUE` (3.11).
    pub throw_reads_send: bool,
    /// For each instruction the number of cache units behind it, and a bit for each direction it may jump.
    shapes: [u8; 256],
}

const FORWARD: u8 = 0x40;
const BACKWARD: u8 = 0x80;

const fn shapes(caches: &[(u8, u8)], forward: &[u8], backward: &[u8]) -> [u8; 256] {
    let mut shapes = [0; 256];
    let mut index = 0;
    while index < caches.len() {
        shapes[caches[index].0 as usize] = caches[index].1;
        index += 1;
    }
    index = 0;
    while index < forward.len() {
        shapes[forward[index] as usize] |= FORWARD;
        index += 1;
    }
    index = 0;
    while index < backward.len() {
        shapes[backward[index] as usize] |= BACKWARD;
        index += 1;
    }
    shapes
}

static PYTHON_3_11: Opcodes = Opcodes {
    magic: 3495,
    check_exc_match: 36,
    copy: 120,
    copy_free_vars: 149,
    delete_subscr: 61,
    extended_arg: 144,
    jump_forward: 110,
    load_const: 100,
    load_deref: 137,
    load_fast: 124,
    make_cell: 135,
    nop: 9,
    pop_jump_if_false: 114,
    pop_top: 1,
    reraise: 119,
    resume: 151,
    return_const: None,
    return_generator: 75,
    return_value: 83,
    send: 123,
    yield_value: 86,
    throw_reads_send: true,
    shapes: shapes(
        &[
            (25, 4),
            (60, 1),
            (92, 1),
            (95, 4),
            (106, 4),
            (107, 2),
            (116, 5),
            (122, 1),
            (160, 10),
            (166, 1),
            (171, 4),
        ],
        &[93, 110, 111, 112, 114, 115, 123, 128, 129],
        &[134, 140, 173, 174, 175, 176],
    ),
};

static PYTHON_3_12: Opcodes = Opcodes {
    magic: 3531,
    check_exc_match: 36,
    copy: 120,
    copy_free_vars: 149,
    delete_subscr: 61,
    extended_arg: 144,
    jump_forward: 110,
    load_const: 100,
    load_deref: 137,
    load_fast: 124,
    make_cell: 135,
    nop: 9,
    pop_jump_if_false: 114,
    pop_top: 1,
    reraise: 119,
    resume: 151,
    return_const: Some(121),
    return_generator: 75,
    return_value: 83,
    send: 123,
    yield_value: 150,
    throw_reads_send: false,
    shapes: shapes(
        &[
            (25, 1),
            (60, 1),
            (92, 1),
            (93, 1),
            (95, 4),
            (106, 9),
            (107, 1),
            (116, 4),
            (122, 1),
            (123, 1),
            (141, 1),
            (171, 3),
        ],
        &[93, 110, 114, 115, 123, 128, 129],
        &[134, 140],
    ),
};

static PYTHON_3_13: Opcodes = Opcodes {
    magic: 3571,
    check_exc_match: 7,
    copy: 61,
    copy_free_vars: 62,
    delete_subscr: 9,
    extended_arg: 71,
    jump_forward: 79,
    load_const: 83,
    load_deref: 84,
    load_fast: 85,
    make_cell: 94,
    nop: 30,
    pop_jump_if_false: 97,
    pop_top: 32,
    reraise: 102,
    resume: 149,
    return_const: Some(103),
    return_generator: 35,
    return_value: 36,
    send: 104,
    yield_value: 118,
    throw_reads_send: false,
    shapes: shapes(
        &[
            (5, 1),
            (39, 1),
            (40, 3),
            (45, 1),
            (53, 3),
            (58, 1),
            (59, 1),
            (72, 1),
            (77, 1),
            (82, 9),
            (91, 4),
            (93, 1),
            (97, 1),
            (98, 1),
            (99, 1),
            (100, 1),
            (104, 1),
            (108, 4),
            (117, 1),
        ],
        &[72, 79, 97, 98, 99, 100, 104],
        &[77, 78],
    ),
};

impl Opcodes {
    /// The instructions of the version of the layout.
    #[must_use]
    pub fn of(layout: &Layout) -> &'static Opcodes {
        match layout.version {
            (3, 11) => &PYTHON_3_11,
            (3, 12) => &PYTHON_3_12,
            _ => &PYTHON_3_13,
        }
    }

    /// How many cache units follow the instruction.
    #[inline]
    #[must_use]
    pub fn caches(&self, operation: u8) -> usize {
        usize::from(self.shapes[usize::from(operation)] & !(FORWARD | BACKWARD))
    }

    /// Which way the instruction jumps, if it does.
    #[inline]
    #[must_use]
    pub fn direction(&self, operation: u8) -> Option<Direction> {
        match self.shapes[usize::from(operation)] & (FORWARD | BACKWARD) {
            0 => None,
            FORWARD => Some(Direction::Forward),
            _ => Some(Direction::Backward),
        }
    }

    /// Whether the instruction ends the call with a result.
    #[inline]
    #[must_use]
    pub fn returns(&self, operation: u8) -> bool {
        operation == self.return_value || Some(operation) == self.return_const
    }
}
