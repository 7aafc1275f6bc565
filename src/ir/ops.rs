//! The op table: every row is the whole declaration of one op.
//!
//! From a row come the enum variant, the mnemonic (`group.name`), the printer and parser, the
//! verifier's operand and result types, the effect columns, and the call to the lowering function
//! `codegen::lower::<group>::<name>`. An op without a lowering function does not compile.
//!
//! Row: `Variant = name(operands) -> (results), immediate kind, [effects];`
//! Operands are CIR types; `..Obj` stands for any number of them, `Any` for a value of any type.

use super::imm::ImmKind;

/// The machine-level type of a CIR value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// A Python object reference. Whether it is counted is decided by the refcount pass.
    Obj,
    /// A signed 64-bit integer.
    I64,
    /// An IEEE 754 double.
    F64,
    /// A truth value: 0 or 1.
    Bool,
}

impl Type {
    /// The spelling in IR text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Type::Obj => "obj",
            Type::I64 => "i64",
            Type::F64 => "f64",
            Type::Bool => "bool",
        }
    }
}

/// What an operand position accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Exactly one value of this type.
    One(Type),
    /// One value of any type.
    Any,
    /// Any number of values of this type, last in the list.
    Rest(Type),
    /// Any number of values of any type, last in the list.
    AnyRest,
}

/// Effects of an op, as bits. What a row does not say, the op does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects(u8);

impl Effects {
    /// No effect: may be moved, repeated or dropped.
    pub const NONE: Effects = Effects(0);
    /// May leave through its exit state; the op then has had no effect.
    pub const EXITS: Effects = Effects(1);
    /// May set a Python exception; the function then unwinds.
    pub const RAISES: Effects = Effects(2);
    /// May run foreign code (anything that can run Python), which ends every memory fact.
    pub const FOREIGN: Effects = Effects(4);
    /// Ends a block.
    pub const TERMINATOR: Effects = Effects(8);
    /// Its object results are borrowed from the unit's constants: never released.
    pub const BORROWS: Effects = Effects(16);
    /// Must stay though it has no result that is used.
    pub const STAYS: Effects = Effects(32);
    /// Reads memory that foreign code and ops with [`Effects::WRITES`] change: the same op may give
    /// something else behind one of those.
    pub const READS: Effects = Effects(64);
    /// Changes memory that others read.
    pub const WRITES: Effects = Effects(128);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn has(self, other: Effects) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of bits.
    #[must_use]
    pub const fn and(self, other: Effects) -> Effects {
        Effects(self.0 | other.0)
    }
}

/// The columns of one row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// `group.name`, as printed.
    pub mnemonic: &'static str,
    /// Operand types.
    pub operands: &'static [Operand],
    /// Result types; a variadic row (`obj.unpack`, `call.direct`) decides them by its immediate.
    pub results: &'static [Type],
    /// What immediate the op carries.
    pub imm: ImmKind,
    /// What it may do.
    pub effects: Effects,
    /// Results depend on the immediate instead of the row.
    pub results_vary: bool,
}

/// Hands the whole table to a macro, which must accept `group { rows }` repetitions.
#[macro_export]
macro_rules! for_each_op {
    ($consumer:ident) => {
        $consumer! {
            control {
                /// Goes to `targets[0]`.
                Jump = jump() -> (), None, [TERMINATOR];
                /// Goes to `targets[0]` when the operand is true, else to `targets[1]`.
                Branch = branch(One(Bool)) -> (), None, [TERMINATOR];
                /// Returns its operand, whose type is the function's result type.
                Return = ret(Any) -> (), None, [TERMINATOR];
                /// Raises its first operand (an exception class or instance), `from` the second if there is one.
                Raise = raise(Rest(Obj)) -> (), None, [TERMINATOR, RAISES, FOREIGN];
                /// Raises UnboundLocalError for the variable that the immediate names.
                RaiseUnbound = raise_unbound() -> (), Const, [TERMINATOR, RAISES];
                /// Leaves through the exit state, always.
                Leave = leave() -> (), None, [TERMINATOR, EXITS];
                /// Never reached.
                Unreachable = unreachable() -> (), None, [TERMINATOR];
                /// Tests the interpreter's eval breaker; the cold path runs signal handlers, pending calls and the
                /// GIL hand-over. Its untaken path ends nothing.
                Poll = poll() -> (), None, [RAISES, STAYS];
        /// Whether the eval breaker is set, so that a poll would do something.
        Pending = pending() -> (Bool), None, [STAYS];
        /// A place in front of a loop turn where passes may put guards, whose exit state they borrow. It never
        /// leaves by itself; the last pass that wants any removes them all.
        Anchor = anchor() -> (), None, [EXITS, STAYS];
            }
            guard {
                /// Exits when the cell's assumption no longer holds.
                GuardCell = cell() -> (), Cell, [EXITS, STAYS];
                /// Exits unless the body's depth is greater than the immediate: stands before an inlined call, whose
                /// frame is the immediate's number of calls deep in this body (1 for a call of the function itself).
                /// With 0 it never exits: it marks a direct call for the inliner.
                GuardDepth = depth() -> (), Count, [EXITS, STAYS];
                /// Polls as `control.poll` does, and exits when what ran then ended a cell's assumption that held
                /// before: whoever called this body may still count on it.
                GuardPoll = poll() -> (), None, [EXITS, RAISES, STAYS];
                /// Exits unless the operand is true.
                GuardTrue = is_true(One(Bool)) -> (), None, [EXITS, STAYS];
                /// The value of an exact int that fits 64 bits; exits for anything else.
                GuardInt = int(One(Obj)) -> (I64), None, [EXITS];
                /// The value of an exact float; exits for anything else, and for a NaN, which keeps its identity.
                GuardFloat = float(One(Obj)) -> (F64), None, [EXITS];
                /// The value of an exact bool; exits for anything else.
                GuardBool = bool(One(Obj)) -> (Bool), None, [EXITS];
                /// Exits unless the operand is None.
                GuardNone = none(One(Obj)) -> (), None, [EXITS, STAYS];
                /// Exits unless the operand is exactly of the class that the immediate names.
                GuardClass = class(One(Obj)) -> (), Class, [EXITS, STAYS];
                /// New references to the items of an exact tuple of as many items as the immediate says; exits for anything else.
                GuardTuple = tuple(One(Obj)) -> (), Count, [EXITS], varying;
            }
            // Ops with an index: the immediate says that it is known not to be negative. Where `Rest` stands they may
            // be told how many items there are and where the first one stands (`passes::open`).
            list {
                /// The number of items of an exact list.
                ListLen = len(One(Obj)) -> (I64), None, [READS];
                /// The item of an exact list at the index, which counts from the end when it is negative; exits unless
                /// there is such an item and it is an exact int that fits 64 bits.
                ListItemInt = item_int(One(Obj), One(I64), Rest(I64)) -> (I64), Bool, [EXITS, READS];
                /// As `list.item_int`; exits unless it is an exact float and no NaN.
                ListItemFloat = item_float(One(Obj), One(I64), Rest(I64)) -> (F64), Bool, [EXITS, READS];
                /// As `list.item_float`, but a NaN passes: its identity is of no interest.
                ListItemFloatAny = item_float_any(One(Obj), One(I64), Rest(I64)) -> (F64), Bool, [EXITS, READS];
                /// As `list.item_int`; exits unless it is an exact bool.
                ListItemBool = item_bool(One(Obj), One(I64), Rest(I64)) -> (Bool), Bool, [EXITS, READS];
                /// A new reference to the item of an exact list at the index; exits unless there is one.
                ListItem = item(One(Obj), One(I64), Rest(I64)) -> (Obj), Bool, [EXITS, READS];
                /// As `list.item`, borrowed: it stands there for as long as it is wanted.
                ListItemBorrowed = item_borrowed(One(Obj), One(I64), Rest(I64)) -> (Obj), Bool, [EXITS, READS, BORROWS];
                /// Puts an int into an exact list at the index: into the object that stands there, where that is an int
                /// which nobody else knows. Exits unless there is an item, and its death is unobservable.
                ListSetInt = set_int(One(Obj), One(I64), One(I64), Rest(I64)) -> (), Bool, [EXITS, RAISES, WRITES, STAYS];
                /// As `list.set_int`, for a float; exits for a NaN, too.
                ListSetFloat = set_float(One(Obj), One(I64), One(F64), Rest(I64)) -> (), Bool, [EXITS, RAISES, WRITES, STAYS];
                /// As `list.set_int`, for a bool.
                ListSetBool = set_bool(One(Obj), One(I64), One(Bool), Rest(I64)) -> (), Bool, [EXITS, WRITES, STAYS];
                /// Puts an object into an exact list at the index and drops what stood there; exits unless there is an item.
                ListSet = set(One(Obj), One(I64), One(Obj), Rest(I64)) -> (), Bool, [EXITS, FOREIGN, STAYS];
                /// Puts an item of an exact list, the third and fourth operand, into an exact list at the index; exits unless
                /// there are both, and the death of what stood there is unobservable.
                ListCopyItem = copy_item(One(Obj), One(I64), One(Obj), One(I64), Rest(I64)) -> (), Bool, [EXITS, WRITES, STAYS];
                /// Has two items of an exact list change places; exits unless there are both.
                ListSwap = swap(One(Obj), One(I64), One(I64), Rest(I64)) -> (), Bool, [EXITS, WRITES, STAYS];
                /// The item of an exact list at an index, and true; 0 and false where there is none, at -1 too. Exits where there
                /// is one that is no exact int that fits 64 bits.
                ListNextInt = next_int(One(Obj), One(I64), Rest(I64)) -> (I64, Bool), None, [EXITS, READS];
                /// As `list.next_int`; exits where there is an item that is no exact float, or a NaN.
                ListNextFloat = next_float(One(Obj), One(I64), Rest(I64)) -> (F64, Bool), None, [EXITS, READS];
                /// A new reference to the item of an exact list at an index, and true; None and false where there is none, at -1
                /// too.
                ListNext = next(One(Obj), One(I64), Rest(I64)) -> (Obj, Bool), None, [READS];
                /// As `list.next`; exits where there is an item that is not exactly of the class that the immediate names.
                ListNextOf = next_of(One(Obj), One(I64), Rest(I64)) -> (Obj, Bool), Class, [EXITS, READS];
                /// Appends an object to an exact list.
                ListAppend = append(One(Obj), One(Obj)) -> (), None, [RAISES, WRITES, STAYS];
                /// Takes the last item out of an exact list; exits where there is none.
                ListPop = pop(One(Obj)) -> (Obj), None, [EXITS, WRITES, STAYS];
                /// A new list of the items of an exact list from an index on up to another one, by steps that are not zero;
                /// indices as slices take them.
                ListSlice = slice(One(Obj), One(I64), One(I64), One(I64)) -> (Obj), None, [RAISES];
                /// Puts the items of an exact list in place of those of an exact list from an index on up to another one.
                ListSetSlice = set_slice(One(Obj), One(I64), One(I64), One(Obj)) -> (), None, [RAISES, FOREIGN, STAYS];
                /// The address of an exact list's first item: only other ops on the list may have it.
                ListItems = items(One(Obj)) -> (I64), None, [READS];
                /// A new list of the numbers of a range, whose step is not zero; exits when they are too many to count.
                ListRange = range(One(I64), One(I64), One(I64)) -> (Obj), None, [EXITS, RAISES];
            }
            bytes {
                /// The number of bytes of an exact bytes object.
                BytesLen = len(One(Obj)) -> (I64), None, [];
                /// The byte of an exact bytes object at the index, which counts from the end when it is negative; exits unless
                /// there is one.
                BytesItem = item(One(Obj), One(I64)) -> (I64), Bool, [EXITS];
                /// As `bytes.len`, of a bytearray.
                ByteArrayLen = array_len(One(Obj)) -> (I64), None, [READS];
                /// As `bytes.item`, of a bytearray.
                ByteArrayItem = array_item(One(Obj), One(I64), Rest(I64)) -> (I64), Bool, [EXITS, READS];
                /// The address of a bytearray's first byte: only other ops on it may have it.
                ByteArrayItems = array_items(One(Obj)) -> (I64), None, [READS];
                /// Sets the byte of an exact bytearray at the index; exits unless there is one and the number is a byte.
                ByteArraySet = array_set(One(Obj), One(I64), One(I64), Rest(I64)) -> (), Bool, [EXITS, WRITES, STAYS];
            }
            str {
                /// The number of characters of an exact str.
                StrLen = len(One(Obj)) -> (I64), None, [];
                /// The code point of the character of an exact str at the index, which counts from the end when it is
                /// negative; exits unless there is one.
                StrItem = item(One(Obj), One(I64)) -> (I64), Bool, [EXITS];
                /// The code point of the character of an exact str at an index, and true; 0 and false where there is none.
                StrNext = next(One(Obj), One(I64)) -> (I64, Bool), None, [READS];
                /// Whether an exact str is the one character with this code point.
                StrIsChar = is_char(One(Obj), One(I64)) -> (Bool), None, [];
                /// Whether two exact strs are equal.
                StrEqual = equal(One(Obj), One(Obj)) -> (Bool), None, [];
                /// The str of one character with this code point.
                StrChar = char(One(I64)) -> (Obj), None, [RAISES];
            }
            int {
                /// The immediate.
                IntConst = constant() -> (I64), Int, [];
                /// `a + b`; exits when the sum is not an i64.
                IntAddChecked = add_checked(One(I64), One(I64)) -> (I64), None, [EXITS];
                /// `a - b`; exits when the difference is not an i64.
                IntSubChecked = sub_checked(One(I64), One(I64)) -> (I64), None, [EXITS];
                /// `a * b`; exits when the product is not an i64.
                IntMulChecked = mul_checked(One(I64), One(I64)) -> (I64), None, [EXITS];
                /// `-a`; exits for the least i64.
                IntNegChecked = neg_checked(One(I64)) -> (I64), None, [EXITS];
                /// `abs(a)`; exits for the least i64.
                IntAbsChecked = abs_checked(One(I64)) -> (I64), None, [EXITS];
                /// `a << b`; exits when b is negative or the result is not an i64.
                IntShlChecked = shl_checked(One(I64), One(I64)) -> (I64), None, [EXITS];
                /// `a >> b` with a floor; exits when b is negative.
                IntShrChecked = shr_checked(One(I64), One(I64)) -> (I64), None, [EXITS];
                /// `a // b` with a floor; exits when b is zero or the quotient is not an i64.
                IntFloorDivChecked = floor_div_checked(One(I64), One(I64)) -> (I64), None, [EXITS];
                /// `a % b` with the sign of b; exits when b is zero.
                IntModChecked = mod_checked(One(I64), One(I64)) -> (I64), None, [EXITS];
                /// `a ** b`; exits when b is negative or the result is not an i64.
                IntPowChecked = pow_checked(One(I64), One(I64)) -> (I64), None, [EXITS];
                /// `a / b`, correctly rounded; exits when b is zero.
                IntTrueDivChecked = true_div_checked(One(I64), One(I64)) -> (F64), None, [EXITS];
                /// `a + b` modulo 2**64: the range analysis proved that it is exact, or that only low bits are demanded.
                IntAdd = add(One(I64), One(I64)) -> (I64), None, [];
                /// `a - b` modulo 2**64.
                IntSub = sub(One(I64), One(I64)) -> (I64), None, [];
                /// `a * b` modulo 2**64.
                IntMul = mul(One(I64), One(I64)) -> (I64), None, [];
                /// `-a` modulo 2**64.
                IntNeg = neg(One(I64)) -> (I64), None, [];
                /// `abs(a)` modulo 2**64.
                IntAbs = abs(One(I64)) -> (I64), None, [];
                /// `a << b` modulo 2**64, for 0 <= b < 64.
                IntShl = shl(One(I64), One(I64)) -> (I64), None, [];
                /// `a >> b` with a floor, for 0 <= b < 64.
                IntShr = shr(One(I64), One(I64)) -> (I64), None, [];
                /// `a // b` with a floor, where b is neither zero nor -1.
                IntFloorDiv = floor_div(One(I64), One(I64)) -> (I64), None, [];
                /// `a % b` with the sign of b, where b is neither zero nor -1.
                IntMod = modulo(One(I64), One(I64)) -> (I64), None, [];
                /// `a // b`, where a >= 0 and b > 0.
                IntDivUnsigned = div_unsigned(One(I64), One(I64)) -> (I64), None, [];
                /// `a % b`, where a >= 0 and b > 0.
                IntModUnsigned = mod_unsigned(One(I64), One(I64)) -> (I64), None, [];
                /// `a / b` by one float division, where both are within 2**53 and b is not zero.
                IntTrueDiv = true_div(One(I64), One(I64)) -> (F64), None, [];
                /// `a & b`.
                IntAnd = and(One(I64), One(I64)) -> (I64), None, [];
                /// `a | b`.
                IntOr = or(One(I64), One(I64)) -> (I64), None, [];
                /// `a ^ b`.
                IntXor = xor(One(I64), One(I64)) -> (I64), None, [];
                /// `~a`.
                IntInvert = invert(One(I64)) -> (I64), None, [];
                /// The lesser; the first when equal.
                IntMin = min(One(I64), One(I64)) -> (I64), None, [];
                /// The greater; the first when equal.
                IntMax = max(One(I64), One(I64)) -> (I64), None, [];
                /// The comparison that the immediate names.
                IntCompare = compare(One(I64), One(I64)) -> (Bool), Cmp, [];
                /// The exact comparison of an int with a float, beyond 2**53 too.
                IntCompareFloat = compare_float(One(I64), One(F64)) -> (Bool), Cmp, [];
                /// `float(a)`, rounded to nearest, ties to even.
                IntToFloat = to_float(One(I64)) -> (F64), None, [];
                /// `len(range(start, stop, step))` for a step that is not zero; exits when it is not an i64.
                IntRangeLen = range_len(One(I64), One(I64), One(I64)) -> (I64), None, [EXITS];
                /// `a * b` as a wide int: two words, the low one first ([`super::start::WIDE_BITS`]); exits beyond.
                IntWideProduct = wide_product(One(I64), One(I64)) -> (I64, I64), None, [EXITS];
                /// `a + b` of wide ints; exits when the sum is none.
                IntWideAdd = wide_add(One(I64), One(I64), One(I64), One(I64)) -> (I64, I64), None, [EXITS];
                /// `a - b` of wide ints; exits when the difference is none.
                IntWideSub = wide_sub(One(I64), One(I64), One(I64), One(I64)) -> (I64, I64), None, [EXITS];
                /// `a * b` of wide ints; exits when the product is none.
                IntWideMul = wide_mul(One(I64), One(I64), One(I64), One(I64)) -> (I64, I64), None, [EXITS];
                /// `a // b` of wide ints with a floor; exits when b is zero or the quotient no wide int.
                IntWideFloorDiv = wide_floor_div(One(I64), One(I64), One(I64), One(I64)) -> (I64, I64), None, [EXITS];
                /// `a % b` of wide ints with the sign of b; exits when b is zero.
                IntWideMod = wide_modulo(One(I64), One(I64), One(I64), One(I64)) -> (I64, I64), None, [EXITS];
                /// `a % b` of a wide int by an i64, with the sign of b; exits when b is zero.
                IntWideModInt = wide_mod_int(One(I64), One(I64), One(I64)) -> (I64), None, [EXITS];
                /// `a >> b` of a wide int with a floor, for 0 <= b < 128.
                IntWideShr = wide_shr(One(I64), One(I64), One(I64)) -> (I64, I64), None, [];
                /// The comparison of wide ints that the immediate names.
                IntWideCompare = wide_compare(One(I64), One(I64), One(I64), One(I64)) -> (Bool), Cmp, [];
                /// A wide int as an i64; exits when it is none.
                IntWideNarrow = wide_narrow(One(I64), One(I64)) -> (I64), None, [EXITS];
                /// A new int object of a wide int.
                IntWideBox = box_wide(One(I64), One(I64)) -> (Obj), None, [RAISES];
                /// A new int object.
                IntBox = box_int(One(I64)) -> (Obj), None, [RAISES];
            }
            float {
                /// The immediate, bit for bit.
                FloatConst = constant() -> (F64), Float, [];
                /// `a + b`.
                FloatAdd = add(One(F64), One(F64)) -> (F64), None, [];
                /// `a - b`.
                FloatSub = sub(One(F64), One(F64)) -> (F64), None, [];
                /// `a * b`.
                FloatMul = mul(One(F64), One(F64)) -> (F64), None, [];
                /// `a / b`; exits when b is zero.
                FloatDivChecked = div_checked(One(F64), One(F64)) -> (F64), None, [EXITS];
                /// `a / b`, where b is known not to be zero.
                FloatDiv = div(One(F64), One(F64)) -> (F64), None, [];
                /// `a // b` as CPython computes it; exits when b is zero.
                FloatFloorDivChecked = floor_div_checked(One(F64), One(F64)) -> (F64), None, [EXITS];
                /// `a % b` as CPython computes it; exits when b is zero.
                FloatModChecked = mod_checked(One(F64), One(F64)) -> (F64), None, [EXITS];
                /// `a ** b`; exits where CPython would raise or give a complex number.
                FloatPowChecked = pow_checked(One(F64), One(F64)) -> (F64), None, [EXITS];
                /// `-a`.
                FloatNeg = neg(One(F64)) -> (F64), None, [];
                /// `abs(a)`.
                FloatAbs = abs(One(F64)) -> (F64), None, [];
                /// The comparison that the immediate names; every one but `!=` is false for a NaN.
                FloatCompare = compare(One(F64), One(F64)) -> (Bool), Cmp, [];
                /// The largest integral float that is not greater.
                FloatFloor = floor(One(F64)) -> (F64), None, [];
                /// The least integral float that is not less.
                FloatCeil = ceil(One(F64)) -> (F64), None, [];
                /// Without the fraction.
                FloatTrunc = trunc(One(F64)) -> (F64), None, [];
                /// The nearest integral float, ties to even.
                FloatNearest = nearest(One(F64)) -> (F64), None, [];
                /// The square root; a NaN for a negative operand.
                FloatSqrt = sqrt(One(F64)) -> (F64), None, [];
                /// An integral float as an int; exits for a NaN, an infinity and what is not an i64.
                FloatToIntChecked = to_int_checked(One(F64)) -> (I64), None, [EXITS];
                /// The C library's function that the immediate names, of one or two operands, without any check.
                FloatMath = math(Rest(F64)) -> (F64), Math, [];
                /// A new float object; exits for a NaN: from then on it has one identity.
                FloatBox = box_float(One(F64)) -> (Obj), None, [EXITS, RAISES];
            }
            bool {
                /// The immediate.
                BoolConst = constant() -> (Bool), Bool, [];
                /// Both.
                BoolAnd = and(One(Bool), One(Bool)) -> (Bool), None, [];
                /// One of them or both.
                BoolOr = or(One(Bool), One(Bool)) -> (Bool), None, [];
                /// One of them but not both.
                BoolXor = xor(One(Bool), One(Bool)) -> (Bool), None, [];
                /// The opposite.
                BoolNot = not(One(Bool)) -> (Bool), None, [];
                /// 0 or 1.
                BoolToInt = to_int(One(Bool)) -> (I64), None, [];
                /// `True` or `False`, borrowed.
                BoolBox = box_bool(One(Bool)) -> (Obj), None, [BORROWS];
                /// The first operand when the condition is true, else the second.
                SelectFloat = select_float(One(Bool), One(F64), One(F64)) -> (F64), None, [];
            }
            call {
                /// Calls the specialised body of another function of the unit, with unboxed operands as its
                /// signature says. A result that came back as an object takes the exit (point *after* the call),
                /// an error unwinds.
                CallDirect = direct(AnyRest) -> (), Func, [EXITS, RAISES, FOREIGN], varying;
                /// As `call.direct`, of a body that runs foreign code only in `guard.poll`, its own calls included:
                /// when it comes back with a value, every cell that held still does.
                CallQuiet = quiet(AnyRest) -> (), Func, [EXITS, RAISES, STAYS], varying;
                /// As `call.direct`, of the body whose number among the targets of the dispatched method is the first
                /// operand; all of them give objects.
                CallOneOf = one_of(One(I64), AnyRest) -> (), Dispatch, [RAISES, FOREIGN], varying;
                /// Calls what `object.method` gave, its first two operands, as `object.call_method` does: by its body
                /// where it is one of the functions that the immediate names, which stand for methods of that name.
                CallGuessed = guessed(One(Obj), AnyRest) -> (Obj), Guess, [RAISES, FOREIGN];
                /// The same where all of them give an unboxed result; exits when what was called gives another object.
                CallGuessedNumber = guessed_number(One(Obj), AnyRest) -> (), Guess, [EXITS, RAISES, FOREIGN], varying;
            }
            // Objects of sealed classes, known to be such.
            sealed {
                /// A new object of the sealed class, which is the first operand: its fields take the others, one for each in
                /// their order, which pass their checks, and a reference to each.
                SealedNew = new(One(Obj), AnyRest) -> (Obj), Sealed, [RAISES];
                /// A new reference to the class, behind a guard that says that its name stands for it.
                SealedType = class() -> (Obj), Sealed, [];
                /// The same, borrowed. What it gives once stands for one object that exits make.
                SealedTypeBorrowed = borrowed_class() -> (Obj), Sealed, [READS, BORROWS];
                /// Exits unless the operand is an object of the sealed class, in the sense of its type.
                SealedGuard = guard(One(Obj)) -> (), Sealed, [EXITS, STAYS];
                /// A new reference to what stands in the field; exits when that is unset.
                SealedField = field(One(Obj)) -> (Obj), Field, [EXITS, READS];
                /// As `sealed.field`, borrowed: it stands there for as long as it is wanted.
                SealedFieldBorrowed = field_borrowed(One(Obj)) -> (Obj), Field, [EXITS, READS, BORROWS];
                /// As `sealed.field`; exits unless it is an exact int that fits 64 bits.
                SealedFieldInt = field_int(One(Obj)) -> (I64), Field, [EXITS, READS];
                /// As `sealed.field`; exits unless it is an exact float and no NaN.
                SealedFieldFloat = field_float(One(Obj)) -> (F64), Field, [EXITS, READS];
                /// What stands in a field that holds floats unboxed, or a NaN: whoever reads it tests for that.
                SealedFieldFloatAny = field_float_any(One(Obj)) -> (F64), Field, [READS];
                /// As `sealed.field`; exits unless it is an exact bool.
                SealedFieldBool = field_bool(One(Obj)) -> (Bool), Field, [EXITS, READS];
                /// Exits unless the operand is None or what `sealed.guard` lets pass.
                SealedGuardOptional = guard_optional(One(Obj)) -> (), Sealed, [EXITS, STAYS];
                /// The number of the exact class of the operand, an object of the sealed class, among the targets of the
                /// dispatched method; exits when it is none of those.
                SealedWhich = which(One(Obj)) -> (I64), Dispatch, [EXITS];
                /// Puts a float into the field, whose check it passes: into the object that stands there, where that is a
                /// float which nobody else knows. Exits for a NaN, and where the death of what it replaces could be seen.
                SealedSetFloat = set_float(One(Obj), One(F64)) -> (), Field, [EXITS, RAISES, WRITES, STAYS];
                /// As `sealed.set_float`, for an int.
                SealedSetInt = set_int(One(Obj), One(I64)) -> (), Field, [EXITS, RAISES, WRITES, STAYS];
                /// Puts an object into the field, whose check it passes, and drops what stood there.
                SealedSet = set(One(Obj), One(Obj)) -> (), Field, [FOREIGN, STAYS];
                /// Raises TypeError with the immediate's text where the operand, what the method of an operator gave, is
                /// NotImplemented.
                SealedAccepted = accepted(One(Obj)) -> (), Const, [RAISES, STAYS];
            }
            object {
                /// The unit's constant, borrowed.
                ObjConst = constant() -> (Obj), Const, [BORROWS];
                /// The value of a global or builtin name; NameError when there is none.
                ObjGlobal = global() -> (Obj), Const, [RAISES, FOREIGN];
                /// The attribute that the immediate names.
                ObjAttr = attr(One(Obj)) -> (Obj), Const, [RAISES, FOREIGN];
                /// The attribute that the immediate names, to be called: a function and the operand, which is its first
                /// argument, or the attribute as it is and None.
                ObjMethod = method(One(Obj)) -> (Obj, Obj), Const, [RAISES, FOREIGN];
                /// Sets the attribute that the immediate names to the second operand.
                ObjSetAttr = set_attr(One(Obj), One(Obj)) -> (), Const, [RAISES, FOREIGN, STAYS];
                /// Sets the attribute that the immediate names to a float, in the box that it is in where nobody else has
                /// that; exits for a NaN, whose box would be another one each time.
                ObjSetAttrFloat = set_attr_float(One(Obj), One(F64)) -> (), Const, [EXITS, RAISES, FOREIGN, STAYS];
                /// Deletes the attribute that the immediate names.
                ObjDelAttr = del_attr(One(Obj)) -> (), Const, [RAISES, FOREIGN, STAYS];
                /// Binds the global name that the immediate names.
                ObjSetGlobal = set_global(One(Obj)) -> (), Const, [RAISES, FOREIGN, STAYS];
                /// `a[b]`
                ObjItem = item(One(Obj), One(Obj)) -> (Obj), None, [RAISES, FOREIGN];
                /// `a[b] = c`
                ObjSetItem = set_item(One(Obj), One(Obj), One(Obj)) -> (), None, [RAISES, FOREIGN, STAYS];
                /// `del a[b]`
                ObjDelItem = del_item(One(Obj), One(Obj)) -> (), None, [RAISES, FOREIGN, STAYS];
                /// `slice(a, b, c)`
                ObjSlice = slice(One(Obj), One(Obj), One(Obj)) -> (Obj), None, [RAISES];
                /// `b in a`
                ObjContains = contains(One(Obj), One(Obj)) -> (Bool), None, [RAISES, FOREIGN];
                /// The binary operator that the immediate names, in place for an augmented assignment.
                ObjBinary = binary(One(Obj), One(Obj)) -> (Obj), Binary, [RAISES, FOREIGN];
                /// The unary operator that the immediate names.
                ObjUnary = unary(One(Obj)) -> (Obj), Unary, [RAISES, FOREIGN];
                /// The rich comparison that the immediate names.
                ObjCompare = compare(One(Obj), One(Obj)) -> (Obj), Cmp, [RAISES, FOREIGN];
                /// Identity.
                ObjIs = is(One(Obj), One(Obj)) -> (Bool), None, [];
                /// The truth value.
                ObjTruth = truth(One(Obj)) -> (Bool), None, [RAISES, FOREIGN];
                /// Calls the first operand with the others as positional arguments, the last of them by the names
                /// in the immediate (a tuple of str, or None for no names).
                ObjCall = call(Rest(Obj)) -> (Obj), Const, [RAISES, FOREIGN];
                /// Calls what `object.method` gave, its first two operands, as `object.call` does.
                ObjCallMethod = call_method(Rest(Obj)) -> (Obj), Const, [RAISES, FOREIGN];
                /// A new tuple.
                ObjTuple = tuple(Rest(Obj)) -> (Obj), None, [RAISES];
                /// A new list.
                ObjList = list(Rest(Obj)) -> (Obj), None, [RAISES];
                /// A new dict of keys, each with its value behind it.
                ObjDict = dict(Rest(Obj)) -> (Obj), None, [RAISES, FOREIGN];
                /// A new cell that holds the operand.
                ObjNewCell = new_cell(One(Obj)) -> (Obj), None, [RAISES];
                /// A new cell that holds nothing.
                ObjEmptyCell = empty_cell() -> (Obj), None, [RAISES];
                /// What a cell of the function holds; UnboundLocalError with the immediate's name when that is nothing.
                ObjLoadCell = load_cell(One(Obj)) -> (Obj), Const, [RAISES, FOREIGN];
                /// What a cell of an enclosing function holds; NameError with the immediate's name when that is nothing.
                ObjLoadFree = load_free(One(Obj)) -> (Obj), Const, [RAISES, FOREIGN];
                /// Puts the second operand into a cell.
                ObjStoreCell = store_cell(One(Obj), One(Obj)) -> (), None, [FOREIGN, STAYS];
                /// Empties a cell.
                ObjClearCell = clear_cell(One(Obj)) -> (), None, [FOREIGN, STAYS];
                /// A new function of the nested code with the immediate's number. The operands are the tuple of
                /// defaults, the dict of those by name, the dict of annotations, the tuple of cells; None where there
                /// are none.
                ObjMakeFunction = make_function(One(Obj), One(Obj), One(Obj), One(Obj)) -> (Obj), Count, [RAISES];
                /// `__build_class__` of the builtins.
                ObjBuildClass = build_class() -> (Obj), None, [RAISES, FOREIGN];
                /// `super()`: calls the first operand, `super` if nobody replaced it, with the class in the second, a
                /// cell, and the third.
                ObjSuper = super_of(One(Obj), One(Obj), One(Obj)) -> (Obj), None, [RAISES, FOREIGN];
                /// Raises the first operand, from the second if there is one: inside a `try`, which catches it.
                ObjThrow = throw(Rest(Obj)) -> (), None, [RAISES, FOREIGN, STAYS];
                /// As `control.raise_unbound`, inside a `try`.
                ObjThrowUnbound = throw_unbound() -> (), Const, [RAISES, STAYS];
                /// Raises an exception again that this activation has taken, without a traceback entry of its own.
                ObjReraise = reraise(One(Obj)) -> (), None, [RAISES, STAYS];
                /// `raise`: the exception that is handled, again; RuntimeError where there is none.
                ObjReraiseHandled = reraise_handled() -> (), None, [RAISES, STAYS];
                /// Takes the exception that was raised and makes it the one that is handled; the other result is the one
                /// that was handled before, or None.
                ObjCatch = catch() -> (Obj, Obj), None, [FOREIGN, STAYS];
                /// The frame of the traceback entry that this activation has given an exception it has just caught, or
                /// None. The operands are the exception, and the frame of an earlier entry or None: an activation has one
                /// frame.
                ObjCaughtFrame = caught_frame(One(Obj), One(Obj)) -> (Obj), None, [STAYS];
                /// The function returns: what it shows goes into the frame that tracebacks have of it, if the operand is
                /// one and somebody else has it.
                ObjLeaveFrame = leave_frame(One(Obj)) -> (), None, [STAYS];
                /// Takes the exception that was raised; the other result is as `object.caught_frame` gives it, and the
                /// operand the frame of an earlier entry or None.
                ObjTakeError = take_error(One(Obj)) -> (Obj, Obj), None, [FOREIGN, STAYS];
                /// The operand is the exception that is handled again: what the `object.catch` before gave.
                ObjEndCatch = end_catch(One(Obj)) -> (), None, [FOREIGN, STAYS];
                /// Whether `except` with the second operand takes the first, an exception.
                ObjMatches = matches(One(Obj), One(Obj)) -> (Bool), None, [RAISES, FOREIGN];
                /// Enters a context manager: its `__exit__`, and what its `__enter__` gave.
                ObjEnterContext = enter_context(One(Obj)) -> (Obj, Obj), None, [RAISES, FOREIGN];
                /// What an `__exit__` says to an exception.
                ObjExitContext = exit_context(One(Obj), One(Obj)) -> (Obj), None, [RAISES, FOREIGN];
                /// What the classes in the second operand leave of the first, an exception or None, and the part that
                /// they take, as a group, which is then the exception that is handled; None for nothing.
                ObjGroupMatches = group_matches(One(Obj), One(Obj)) -> (Obj, Obj), None, [RAISES, FOREIGN];
                /// What an `except*` raises at its end, or None: the first operand is what it caught, the second the list
                /// of what its clauses raised and left.
                ObjMergeGroups = merge_groups(One(Obj), One(Obj)) -> (Obj), None, [RAISES, FOREIGN];
                /// Whether the operand's type has the flag of this number: whether patterns take it for a sequence or a
                /// mapping.
                ObjTypeFlag = type_flag(One(Obj)) -> (Bool), Count, [READS];
                /// `len(a)`, as an object.
                ObjLen = len(One(Obj)) -> (Obj), None, [RAISES, FOREIGN];
                /// The values of a mapping for a tuple of keys, a tuple; None where one is missing.
                ObjMatchKeys = match_keys(One(Obj), One(Obj)) -> (Obj), None, [RAISES, FOREIGN];
                /// The attributes of the first operand that a pattern of the class in the second asks for, a tuple: so
                /// many as the immediate says by position, those in the third, a tuple, by name. None where it does not
                /// match.
                ObjMatchClass = match_class(One(Obj), One(Obj), One(Obj)) -> (Obj), Count, [RAISES, FOREIGN];
                /// A type alias: its name, its type parameters or None, and the function that computes its value.
                ObjTypeAlias = type_alias(One(Obj), One(Obj), One(Obj)) -> (Obj), None, [RAISES];
                /// Calls the first operand with the items of the second, a tuple unless it is all that is passed, and
                /// with the named items of the third, a dict, where there is one.
                ObjCallEx = call_ex(Rest(Obj)) -> (Obj), None, [RAISES, FOREIGN];
                /// A new set.
                ObjSet = set(Rest(Obj)) -> (Obj), None, [RAISES, FOREIGN];
                /// Appends to a list that only this function knows.
                ObjListAppend = list_append(One(Obj), One(Obj)) -> (), None, [RAISES, STAYS];
                /// Extends a list that only this function knows by an iterable.
                ObjListExtend = list_extend(One(Obj), One(Obj)) -> (), None, [RAISES, FOREIGN, STAYS];
                /// The items of a list as a new tuple.
                ObjListToTuple = list_to_tuple(One(Obj)) -> (Obj), None, [RAISES];
                /// Adds to a set that only this function knows.
                ObjSetAdd = set_add(One(Obj), One(Obj)) -> (), None, [RAISES, FOREIGN, STAYS];
                /// Adds the items of an iterable to a set that only this function knows.
                ObjSetUpdate = set_update(One(Obj), One(Obj)) -> (), None, [RAISES, FOREIGN, STAYS];
                /// Puts the items of a mapping into a dict that only this function knows.
                ObjDictUpdate = dict_update(One(Obj), One(Obj)) -> (), None, [RAISES, FOREIGN, STAYS];
                /// Puts the items of the second operand, a mapping, into the first, the dict of named arguments for
                /// the third, a callable: no name may come twice.
                ObjDictMerge = dict_merge(One(Obj), One(Obj), One(Obj)) -> (), None, [RAISES, FOREIGN, STAYS];
                /// `format(a, b)` of what the immediate makes of the first operand (0 itself, 1 its str, 2 its repr, 3
                /// its ascii); where the second is None, without a specification.
                ObjFormat = format(One(Obj), One(Obj)) -> (Obj), Count, [RAISES, FOREIGN];
                /// The strings in a row.
                ObjJoin = join(Rest(Obj)) -> (Obj), None, [RAISES];
                /// Imports the module that the immediate names; the operands are the names wanted of it and the level.
                ObjImport = import(One(Obj), One(Obj)) -> (Obj), Const, [RAISES, FOREIGN];
                /// What `from module import name` gives, the module being the operand.
                ObjImportFrom = import_from(One(Obj)) -> (Obj), Const, [RAISES, FOREIGN];
                /// Unbinds the global name that the immediate names; NameError when there is none.
                ObjDelGlobal = del_global() -> (), Const, [RAISES, FOREIGN, STAYS];
                /// Unpacks an iterable into as many items as the low half of the immediate says, a list of the rest, and
                /// as many items as the high half says.
                ObjUnpackRest = unpack_rest(One(Obj)) -> (), Count, [RAISES, FOREIGN], varying;
                /// Unpacks an iterable into exactly as many items as the immediate says.
                ObjUnpack = unpack(One(Obj)) -> (), Count, [RAISES, FOREIGN], varying;
                /// `iter(a)`.
                ObjIter = iter(One(Obj)) -> (Obj), None, [RAISES, FOREIGN];
                /// The next item and true, or None and false at the end.
                ObjNext = next(One(Obj)) -> (Obj, Bool), None, [RAISES, FOREIGN];
                /// Checks a result against the function's promise: TypeCheckError when it is broken.
                ObjCheckResult = check_result(One(Obj)) -> (), None, [RAISES, FOREIGN, STAYS];
                /// The point at which CPython drops its reference to a local variable. Keeps the operand alive up
                /// to here; removed for values whose death can't be observed.
                Release = release(One(Obj)) -> (), None, [FOREIGN, STAYS];
            }
            refcount {
                /// A new reference.
                IncRef = inc_ref(One(Obj)) -> (), None, [STAYS];
                /// Drops a reference.
                DecRef = dec_ref(One(Obj)) -> (), None, [FOREIGN, STAYS];
                /// Whether there is one reference to the operand, so that the next drop is its death.
                IsLast = is_last(One(Obj)) -> (Bool), None, [READS];
                /// As `object.release`, where there is another reference.
                DropShared = drop_shared(One(Obj)) -> (), None, [STAYS];
            }
                }
    };
}

macro_rules! effects {
    ([$($effect:ident),*]) => { Effects::NONE$(.and(Effects::$effect))* };
}

macro_rules! varies {
    () => {
        false
    };
    (varying) => {
        true
    };
}

macro_rules! declare_ops {
    ($($group:ident { $(
        $(#[$doc:meta])*
        $variant:ident = $name:ident($($operand:ident $(($of:ident))?),*) -> ($($result:ident),*), $imm:ident,
            [$($effect:ident),*] $(, $varying:ident)?;
    )* })*) => {
        /// An operation. Everything about it is in its [`Row`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Op { $($( $(#[$doc])* $variant, )*)* }

        impl Op {
            /// Every op, in the order of the table.
            pub const ALL: &'static [Op] = &[$($(Op::$variant,)*)*];

            /// The columns of the op's row.
            #[must_use]
            pub fn row(self) -> Row {
                match self { $($(
                    Op::$variant => Row {
                        mnemonic: concat!(stringify!($group), ".", stringify!($name)),
                        operands: &[$(Operand::$operand $((Type::$of))?),*],
                        results: &[$(Type::$result),*],
                        imm: ImmKind::$imm,
                        effects: effects!([$($effect),*]),
                        results_vary: varies!($($varying)?),
                    },
                )*)* }
            }
        }
    };
}

for_each_op!(declare_ops);

impl Op {
    /// The effect columns.
    #[must_use]
    pub fn effects(self) -> Effects {
        self.row().effects
    }

    /// Whether the op ends a block.
    #[must_use]
    pub fn is_terminator(self) -> bool {
        self.effects().has(Effects::TERMINATOR)
    }

    /// Whether the op may leave through an exit state.
    #[must_use]
    pub fn exits(self) -> bool {
        self.effects().has(Effects::EXITS)
    }

    /// Whether the op calls the specialised body of another function.
    #[must_use]
    pub fn calls_body(self) -> bool {
        matches!(self, Op::CallDirect | Op::CallQuiet | Op::CallOneOf)
    }

    /// Whether the exit of the op is taken behind it, with its result.
    #[must_use]
    pub fn exits_with_result(self) -> bool {
        self.calls_body() || self == Op::CallGuessedNumber
    }

    /// Whether variables go into the frames of tracebacks from it.
    #[must_use]
    pub fn shows(self) -> bool {
        self == Op::ObjLeaveFrame || self.effects().has(Effects::RAISES)
    }

    /// Whether what it raises gets no traceback entry from it.
    #[must_use]
    pub fn raises_again(self) -> bool {
        matches!(self, Op::ObjReraise | Op::ObjReraiseHandled)
    }

    /// Whether the op may be dropped when nobody uses its results.
    #[must_use]
    pub fn is_removable(self) -> bool {
        // What only reads memory may go; it may not move.
        let kept = [Effects::EXITS, Effects::RAISES, Effects::FOREIGN, Effects::TERMINATOR, Effects::STAYS];
        !kept.iter().any(|&effect| self.effects().has(effect))
    }
}
