//! What all three pieces of a function are written with: data words, helper calls, counts, type tests.
//!
//! [`Code`] knows the unit's data and the target's layouts, but nothing of CIR. Code holds no address:
//! every helper, constant and type comes out of the unit's data.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{
    Block, BlockArg, FuncRef, GlobalValue, InstBuilder, MemFlagsData, SigRef, StackSlot, StackSlotData,
    StackSlotKind, Type, Value, types,
};
use cranelift_frontend::FunctionBuilder;
use cranelift_module::FuncId as Symbol;
use rustc_hash::FxHashMap;

use crate::cpython::Layout;
use crate::cpython::layout::{Immortality, IntHeader};
use crate::ir::{ClassId, SealedClass};
use crate::runtime::data::{CLASS_COVERED, COVERED_WORDS, DataLayout, Fixed, WORD as WORD_BYTES};
use crate::runtime::table::Helper;
use crate::types::Class;

use super::abi::{Abi, Pairs, WORD, helper_type};
use super::freed::FreedClass;
use super::site::Place;
use super::stubs::Stub;

/// How many words of a promise's cache are compared in line.
const PROMISE_WORDS: usize = 2;

/// A function being written, with what it needs of its unit.
pub(super) struct Code<'a> {
    /// The function.
    pub(super) builder: FunctionBuilder<'a>,
    /// The struct layouts of the CPython it will run in.
    pub(super) layout: &'static Layout,
    /// Where things stand in the unit's data.
    pub(super) data: DataLayout,
    /// The conventions of the target.
    pub(super) abi: Abi,
    /// Whether the address of the data is computed once. In a loop it is: all copies of it would be
    /// hoisted. Elsewhere computing it again costs less than a register across calls.
    pub(super) shares_address: bool,
    symbol: GlobalValue,
    signatures: FxHashMap<Helper, SigRef>,
    /// Gives a stub.
    pub(super) declare_stub: &'a dyn Fn(Stub) -> Symbol,
    /// The stubs that the function calls.
    pub(super) stubs: FxHashMap<Stub, FuncRef>,
    pair: Option<StackSlot>,
    /// Who runs, for helpers that look at the stack.
    pub(super) place: Place,
    /// The classes whose instances a stub frees; none in stubs.
    pub(super) freed: &'a [FreedClass],
    /// Whether short code matters more than fast code: what runs here is what bodies leave behind.
    pub(super) is_compact: bool,
}

/// Where a function finds what it needs of its unit.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// The struct layouts of the CPython it will run in.
    pub(super) layout: &'static Layout,
    /// Where things stand in the unit's data.
    pub(super) data: DataLayout,
    /// The conventions of the target.
    pub(super) abi: Abi,
    /// The address of the unit's data.
    pub(super) symbol: GlobalValue,
    /// Gives a stub.
    pub(super) declare_stub: &'a dyn Fn(Stub) -> Symbol,
    /// The classes whose instances a stub frees.
    pub(super) freed: &'a [FreedClass],
}

impl<'a> Code<'a> {
    /// Begins a function.
    pub(super) fn new(builder: FunctionBuilder<'a>, surroundings: Surroundings<'a>) -> Code<'a> {
        let Surroundings { layout, data, abi, symbol, declare_stub, freed } = surroundings;
        Code {
            builder,
            layout,
            data,
            abi,
            shares_address: false,
            symbol,
            signatures: FxHashMap::default(),
            declare_stub,
            stubs: FxHashMap::default(),
            pair: None,
            place: Place::default(),
            freed,
            is_compact: false,
        }
    }

    /// Ends the function, all of whose blocks are written.
    pub(super) fn finish(mut self) {
        self.builder.seal_all_blocks();
        self.builder.finalize(self.abi.frontend);
    }

    /// The address of the unit's data.
    pub(super) fn data_address(&mut self) -> Value {
        let symbol = if self.shares_address {
            self.symbol
        } else {
            let symbol = self.builder.func.global_values[self.symbol].clone();
            self.builder.create_global_value(symbol)
        };
        self.builder.ins().symbol_value(WORD, symbol)
    }

    /// A word of the data that never changes once the unit is loaded.
    pub(super) fn data_word(&mut self, offset: usize) -> Value {
        let address = self.data_address();
        self.load_constant(address, displacement(offset))
    }

    /// One of the words that every unit has.
    pub(super) fn fixed(&mut self, word: Fixed) -> Value {
        self.data_word(self.data.fixed(word))
    }

    /// An integer constant of a word.
    pub(super) fn word(&mut self, value: i64) -> Value {
        self.builder.ins().iconst(WORD, value)
    }

    /// Loads from an object, or from anything else that others may change.
    pub(super) fn load(&mut self, ty: Type, address: Value, offset: i32) -> Value {
        self.builder.ins().load(ty, memory(), address, offset)
    }

    /// Loads from where nothing is said of the address's low bits.
    pub(super) fn load_unaligned(&mut self, ty: Type, address: Value, offset: i32) -> Value {
        self.builder.ins().load(ty, MemFlagsData::new().with_notrap(), address, offset)
    }

    /// Loads a word that is the same whenever it is read.
    pub(super) fn load_constant(&mut self, address: Value, offset: i32) -> Value {
        self.builder.ins().load(WORD, constant_memory(), address, offset)
    }

    /// Stores to anything that others may read.
    pub(super) fn store(&mut self, value: Value, address: Value, offset: i32) {
        self.builder.ins().store(memory(), value, address, offset);
    }

    /// A stack slot of so many words.
    pub(super) fn slot(&mut self, words: usize) -> StackSlot {
        let bytes = u32::try_from(words * WORD_BYTES).expect("counted budgets keep frames small");
        self.builder.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 3))
    }

    /// The address of a stack slot's word.
    pub(super) fn slot_address(&mut self, slot: StackSlot, word: usize) -> Value {
        self.builder.ins().stack_addr(WORD, slot, displacement(word * WORD_BYTES))
    }

    /// Calls a helper; its results in the order of its row.
    ///
    /// The loads of its address stay where the call is: most helpers are called on cold paths, and an
    /// address that is kept in a register all the time costs the hot path more than it saves here.
    pub(super) fn call(&mut self, helper: Helper, args: &[Value]) -> Vec<Value> {
        if (self.is_compact || self.is_cold()) && self.has_plain_results(helper) {
            return self.call_stub(helper, args);
        }
        self.leave_site(helper);
        let address = self.data_address();
        let table =
            self.builder.ins().load(WORD, memory(), address, displacement(self.data.fixed(Fixed::Helpers)));
        let callee =
            self.builder.ins().load(WORD, memory(), table, displacement(helper as usize * WORD_BYTES));
        let abi = self.abi;
        let signature = match self.signatures.get(&helper) {
            Some(&signature) => signature,
            None => {
                let signature = self.builder.import_signature(abi.helper(helper));
                self.signatures.insert(helper, signature);
                signature
            }
        };
        if helper.results().len() < 2 || abi.pairs != Pairs::Memory {
            let call = self.builder.ins().call_indirect(signature, callee, args);
            let results = self.builder.inst_results(call).to_vec();
            return results
                .into_iter()
                .zip(helper.results())
                .map(|(value, &word)| self.reinterpret(value, helper_type(word)))
                .collect();
        }
        let pair = self.pair_address();
        let args: Vec<Value> = [pair].into_iter().chain(args.iter().copied()).collect();
        self.builder.ins().call_indirect(signature, callee, &args);
        let words = helper.results().iter().enumerate();
        words
            .map(|(number, &word)| self.load(helper_type(word), pair, displacement(number * WORD_BYTES)))
            .collect()
    }

    /// Room for two results that come back in memory.
    pub(super) fn pair_address(&mut self) -> Value {
        let slot = match self.pair {
            Some(slot) => slot,
            None => self.slot(2),
        };
        self.pair = Some(slot);
        self.slot_address(slot, 0)
    }

    /// Calls a helper that has one result.
    pub(super) fn call_one(&mut self, helper: Helper, args: &[Value]) -> Value {
        self.call(helper, args)[0]
    }

    /// Calls a helper that has two results.
    pub(super) fn call_two(&mut self, helper: Helper, args: &[Value]) -> (Value, Value) {
        let results = self.call(helper, args);
        (results[0], results[1])
    }

    /// The same bits as a value of another type.
    pub(super) fn reinterpret(&mut self, value: Value, ty: Type) -> Value {
        if self.builder.func.dfg.value_type(value) == ty {
            return value;
        }
        self.builder.ins().bitcast(ty, MemFlagsData::new(), value)
    }

    /// Whether what is being written is off the expected path.
    pub(super) fn is_cold(&self) -> bool {
        self.builder.current_block().is_some_and(|current| self.builder.func.layout.is_cold(current))
    }

    /// A block on the expected path, as far as the current one is.
    pub(super) fn block(&mut self) -> Block {
        let block = self.builder.create_block();
        if self.is_cold() {
            self.builder.set_cold_block(block);
        }
        block
    }

    /// A block off the expected path.
    pub(super) fn cold_block(&mut self) -> Block {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        block
    }

    /// Goes on writing in a block whose predecessors are all known.
    pub(super) fn enter(&mut self, block: Block) {
        self.builder.switch_to_block(block);
        self.builder.seal_block(block);
    }

    /// Goes to `block`.
    pub(super) fn jump(&mut self, block: Block, args: &[Value]) {
        let args: Vec<BlockArg> = args.iter().map(|&arg| BlockArg::from(arg)).collect();
        self.builder.ins().jump(block, &args);
    }

    /// Leaves for `target` when the condition is true, else goes on.
    pub(super) fn branch_if(&mut self, condition: Value, target: Block) {
        let next = self.block();
        self.builder.ins().brif(condition, target, &[], next, &[]);
        self.enter(next);
    }

    /// Leaves for `target` when the condition is false, else goes on.
    pub(super) fn branch_unless(&mut self, condition: Value, target: Block) {
        let next = self.block();
        self.builder.ins().brif(condition, next, &[], target, &[]);
        self.enter(next);
    }

    /// Compares words or smaller integers.
    pub(super) fn compare(&mut self, condition: IntCC, a: Value, b: Value) -> Value {
        self.builder.ins().icmp(condition, a, b)
    }

    /// Compares an integer with a constant.
    pub(super) fn compare_constant(&mut self, condition: IntCC, a: Value, b: i64) -> Value {
        self.builder.ins().icmp_imm_s(condition, a, b)
    }

    /// A new reference to an object.
    pub(super) fn inc_ref(&mut self, object: Value) {
        let offset = self.layout.refcount;
        match self.layout.immortality {
            Immortality::None => {
                let count = self.load(WORD, object, offset);
                let count = self.builder.ins().iadd_imm_s(count, 1);
                self.store(count, object, offset);
            }
            Immortality::NegativeLowHalf => {
                let count = self.load(types::I32, object, offset);
                let count = self.builder.ins().iadd_imm_s(count, 1);
                let (counted, done) = (self.block(), self.block());
                self.builder.ins().brif(count, counted, &[], done, &[]);
                self.enter(counted);
                self.store(count, object, offset);
                self.jump(done, &[]);
                self.enter(done);
            }
        }
    }

    /// Drops a reference to an object.
    pub(super) fn dec_ref(&mut self, object: Value) {
        if self.is_compact {
            return self.drop_by_stub(object);
        }
        let (dead, done) = (self.cold_block(), self.block());
        self.count_down(object, dead, done);
        self.enter(dead);
        if !self.freed.is_empty() {
            self.free_aside(object);
            let count = self.load(WORD, object, self.layout.refcount);
            self.branch_if(count, done);
        }
        self.call_aside(Helper::Dealloc, &[object]);
        self.jump(done, &[]);
        self.enter(done);
    }

    /// Drops a reference to an object that has others.
    pub(super) fn drop_shared(&mut self, object: Value) {
        let done = self.block();
        let count = self.one_less(object, done);
        self.store(count, object, self.layout.refcount);
        self.jump(done, &[]);
        self.enter(done);
    }

    /// The count of an object less one; goes to `immortal` for one that is not counted.
    fn one_less(&mut self, object: Value, immortal: Block) -> Value {
        let count = self.load(WORD, object, self.layout.refcount);
        if self.layout.immortality == Immortality::NegativeLowHalf {
            let low = self.builder.ins().ireduce(types::I32, count);
            let is_immortal = self.compare_constant(IntCC::SignedLessThan, low, 0);
            self.branch_if(is_immortal, immortal);
        }
        self.builder.ins().iadd_imm_s(count, -1)
    }

    /// Takes one from the count of an object, and goes where it is dead, or where it is not.
    pub(super) fn count_down(&mut self, object: Value, dead: Block, done: Block) {
        let count = self.one_less(object, done);
        self.store(count, object, self.layout.refcount);
        self.builder.ins().brif(count, done, &[], dead, &[]);
    }

    /// Goes to `other` unless one reference to the object is all there is.
    pub(super) fn require_only_reference(&mut self, object: Value, other: Block) {
        let count = self.load(WORD, object, self.layout.refcount);
        let shared = self.compare_constant(IntCC::NotEqual, count, 1);
        self.branch_if(shared, other);
    }

    /// Goes to `other` unless the object's type is exactly the one in this word of the data.
    pub(super) fn require_type(&mut self, object: Value, ty: Fixed, other: Block) {
        let found = self.load(WORD, object, self.layout.ob_type);
        let wanted = self.fixed(ty);
        let differs = self.compare(IntCC::NotEqual, found, wanted);
        self.branch_if(differs, other);
    }

    /// Goes to `other` unless an exact tuple has so many items.
    pub(super) fn require_length(&mut self, tuple: Value, length: i64, other: Block) {
        let found = self.load(WORD, tuple, self.layout.tuple_size);
        let differs = self.compare_constant(IntCC::NotEqual, found, length);
        self.branch_if(differs, other);
    }

    /// The version tag of the object's class, as caches hold it.
    pub(super) fn version_of(&mut self, object: Value) -> Value {
        let class = self.load(WORD, object, self.layout.ob_type);
        let version = self.load(types::I32, class, self.layout.type_version);
        self.builder.ins().uextend(WORD, version)
    }

    /// Goes to `known` where one of the first words of a promise's cache is the version tag of the object's class.
    pub(super) fn find_promise(&mut self, cache: usize, object: Value, known: Block) {
        let version = self.version_of(object);
        let address = self.data_address();
        for number in 0..PROMISE_WORDS {
            let word = self.load(WORD, address, displacement(cache + number * WORD_BYTES));
            let differs = self.compare(IntCC::NotEqual, version, word);
            let next = self.block();
            self.builder.ins().brif(differs, next, &[], known, &[]);
            self.enter(next);
        }
    }

    /// Goes to `other` unless the object is of the unit's sealed class, or of a subclass where those count.
    pub(super) fn require_sealed(
        &mut self,
        object: Value,
        class: ClassId,
        subclasses: Subclasses,
        other: Block,
    ) {
        let version = self.version_of(object);
        let first = self.data.class(class.index());
        if subclasses == Subclasses::None {
            let wanted = self.data_word(first);
            let differs = self.compare(IntCC::NotEqual, version, wanted);
            return self.branch_if(differs, other);
        }
        let (done, ask) = (self.block(), self.cold_block());
        let address = self.data_address();
        let mask = i64::try_from(COVERED_WORDS - 1).expect("a class has few words");
        let number = self.builder.ins().band_imm_u(version, mask);
        let distance = self.builder.ins().ishl_imm_u(number, i64::from(WORD_BYTES.trailing_zeros()));
        let place = self.builder.ins().iadd(address, distance);
        let covered = self.load(WORD, place, displacement(first + CLASS_COVERED * WORD_BYTES));
        let same = self.compare(IntCC::Equal, version, covered);
        self.builder.ins().brif(same, done, &[], ask, &[]);
        self.enter(ask);
        let unit = self.fixed(Fixed::Unit);
        let number = self.word(i64::try_from(class.index()).expect("counted budgets keep units small"));
        let covers = self.call_aside(Helper::SealedCovers, &[unit, number, object])[0];
        self.builder.ins().brif(covers, done, &[], other, &[]);
        self.enter(done);
    }

    /// The value of an object that is exactly an `int`; goes to `other` when it is wider than 64 bits.
    pub(super) fn unbox_int(&mut self, object: Value, other: Block) -> Value {
        let (wide, done) = (self.cold_block(), self.block());
        let value = self.builder.append_block_param(done, WORD);
        let header = self.load(WORD, object, self.layout.int_header);
        let compact = self.compact_header(header);
        self.branch_unless(compact, wide);
        let product = self.compact_value(object, header);
        self.jump(done, &[product]);
        self.enter(wide);
        let results = self.call_aside(Helper::IntUnbox, &[object]);
        let (unboxed, fits) = (results[0], results[1]);
        let fits_block = self.block();
        self.builder.ins().brif(fits, fits_block, &[], other, &[]);
        self.enter(fits_block);
        self.jump(done, &[unboxed]);
        self.enter(done);
        value
    }

    /// The value of an object that is exactly an `int` of at most one digit; goes to `other` for anything else.
    pub(super) fn unbox_small_int(&mut self, object: Value, other: Block) -> Value {
        self.require_type(object, Fixed::IntType, other);
        let header = self.load(WORD, object, self.layout.int_header);
        let compact = self.compact_header(header);
        self.branch_unless(compact, other);
        self.compact_value(object, header)
    }

    /// The value of an int of at most one digit.
    fn compact_value(&mut self, object: Value, header: Value) -> Value {
        let digit = self.load(types::I32, object, self.layout.int_digits);
        let digit = self.builder.ins().uextend(WORD, digit);
        let factor = match self.layout.int_header_kind {
            IntHeader::SignedSize => header,
            IntHeader::Tag => {
                let sign = self.builder.ins().band_imm_u(header, 3);
                let one = self.word(1);
                self.builder.ins().isub(one, sign)
            }
        };
        self.builder.ins().imul(digit, factor)
    }

    /// Whether an int with this header has at most one digit.
    fn compact_header(&mut self, header: Value) -> Value {
        match self.layout.int_header_kind {
            IntHeader::SignedSize => {
                let shifted = self.builder.ins().iadd_imm_s(header, 1);
                self.compare_constant(IntCC::UnsignedLessThanOrEqual, shifted, 2)
            }
            IntHeader::Tag => self.compare_constant(IntCC::UnsignedLessThan, header, 16),
        }
    }

    /// The value of an object that is exactly a `float`; goes to `other` for a NaN.
    pub(super) fn unbox_float(&mut self, object: Value, other: Block) -> Value {
        let value = self.load(types::F64, object, self.layout.float_value);
        self.branch_if_nan(value, other);
        value
    }

    /// Leaves for `target` when the value is a NaN, else goes on.
    pub(super) fn branch_if_nan(&mut self, value: Value, target: Block) {
        let is_nan = self.builder.ins().fcmp(FloatCC::Unordered, value, value);
        self.branch_if(is_nan, target);
    }

    /// The value of an object that is `True` or `False`; goes to `other` when it is neither.
    pub(super) fn unbox_bool(&mut self, object: Value, other: Block) -> Value {
        let (yes, no) = (self.fixed(Fixed::True), self.fixed(Fixed::False));
        let is_true = self.compare(IntCC::Equal, object, yes);
        let is_false = self.compare(IntCC::Equal, object, no);
        let either = self.builder.ins().bor(is_true, is_false);
        self.branch_unless(either, other);
        is_true
    }
}

/// Whether the type of a sealed class covers instances of subclasses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subclasses {
    /// It has none.
    None,
    /// It does.
    Count,
}

impl Subclasses {
    /// What holds for the class.
    pub(super) fn of(class: &SealedClass) -> Subclasses {
        if class.has_subclasses { Subclasses::Count } else { Subclasses::None }
    }
}

/// The word with the type object of a class.
pub(super) fn type_word(class: Class) -> Fixed {
    match class {
        Class::List => Fixed::ListType,
        Class::Str => Fixed::StrType,
        Class::Bytes => Fixed::BytesType,
        Class::ByteArray => Fixed::ByteArrayType,
    }
}

/// Memory that others may change.
pub(super) fn memory() -> MemFlagsData {
    MemFlagsData::new().with_notrap().with_aligned()
}

/// Memory that is the same whenever it is read.
fn constant_memory() -> MemFlagsData {
    memory().with_readonly().with_can_move()
}

/// A byte offset as an instruction holds it.
pub(super) fn displacement(offset: usize) -> i32 {
    i32::try_from(offset).expect("counted budgets keep the data of a unit below 2 GiB")
}
