//! Entries: vectorcall functions that unbox, call the body and box.
//!
//! The fast path wants the right number of positional arguments, each of its exact type; everything
//! else, and a function without a specialised version, is helper `CallSlow`'s.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, FuncRef, InstBuilder, StackSlot, Value, types};

use crate::cpython::thread::tool_words;
use crate::ir;
use crate::ir::{FuncId, Signature};
use crate::runtime::data::{ALL_BOUND, Fixed, WORD as WORD_BYTES};
use crate::runtime::enter::Entering;
use crate::runtime::meta::CacheKind;
use crate::runtime::table::Helper;
use crate::types::Type;

use super::abi::WORD;
use super::code::{Code, Subclasses, displacement, type_word};
use super::unit::UnitContext;

/// The top bit of `nargsf`: the caller lends the word in front of the arguments.
const ARGUMENTS_OFFSET: u64 = 1 << 63;

/// The arguments of a vectorcall, besides the callable.
struct Vectorcall {
    args: Value,
    nargsf: Value,
    names: Value,
}

/// An entry being written.
struct Entry<'a, 'b> {
    code: Code<'a>,
    unit: &'b UnitContext<'b>,
    function: FuncId,
    call: Vectorcall,
    /// All four arguments: on the stack, so that only the slow ways pay for keeping them.
    saved: StackSlot,
    slow: Block,
}

/// Writes the entry of a function; `body` is its specialised version.
pub(super) fn write_entry(
    mut code: Code<'_>,
    unit: &UnitContext<'_>,
    function: FuncId,
    body: Option<FuncRef>,
) {
    let first = code.block();
    code.builder.append_block_params_for_function_params(first);
    code.enter(first);
    let params = code.builder.block_params(first).to_vec();
    let [_callable, args, nargsf, names] = params[..] else {
        unreachable!("the signature has four parameters")
    };
    let slow = if body.is_some() { code.cold_block() } else { code.block() };
    let saved = code.slot(params.len());
    for (number, &param) in params.iter().enumerate() {
        let address = code.slot_address(saved, number);
        code.store(param, address, 0);
    }
    let call = Vectorcall { args, nargsf, names };
    let mut entry = Entry { code, unit, function, call, saved, slow };
    match body {
        Some(body) => entry.write_fast_path(body),
        None => entry.code.jump(slow, &[]),
    }
    entry.code.enter(slow);
    let object = entry.call_as_a_whole(Helper::CallSlow);
    entry.code.builder.ins().return_(&[object]);
    entry.code.finish();
}

impl Entry<'_, '_> {
    fn write_fast_path(&mut self, body: FuncRef) {
        self.check_count();
        let promised = &self.unit.unit.function(self.function).signature;
        let params: Vec<Value> =
            promised.params.iter().enumerate().map(|(number, ty)| self.unbox_argument(number, ty)).collect();
        let checked = &self.unit.unit.function(self.function).checked_classes;
        checked.iter().for_each(|&number| self.require_promise(number, params[number]));
        let (thread, depth) = self.enter();
        let args: Vec<Value> = [depth].into_iter().chain(params).collect();
        let (counter, limit) =
            (self.code.layout.thread.recursion_remaining, self.code.layout.thread.recursion_limit);
        let before = self
            .changes_depth()
            .then(|| [counter, limit].map(|offset| self.code.load(types::I32, thread, offset)));
        // Not every C function holds on to what it passes: `deque.index` compares with items that the comparison drops.
        let held = if self.changes_depth() { self.objects(&args[1..]) } else { Vec::new() };
        held.iter().for_each(|&object| self.code.inc_ref(object));
        let register = self.code.builder.ins().get_pinned_reg(WORD);
        self.code.builder.ins().set_pinned_reg(thread);
        let call = self.code.builder.ins().call(body, &args);
        self.code.builder.ins().set_pinned_reg(register);
        let results = self.code.builder.inst_results(call).to_vec();
        held.iter().for_each(|&object| self.code.dec_ref(object));
        if let Some([before, old_limit]) = before {
            // `sys.setrecursionlimit` moves the counter by as much as the limit.
            let new_limit = self.code.load(types::I32, thread, limit);
            let moved = self.code.builder.ins().isub(new_limit, old_limit);
            let after = self.code.builder.ins().iadd(before, moved);
            self.code.store(after, thread, counter);
        }
        match results[..] {
            [object] => {
                self.code.builder.ins().return_(&[object]);
            }
            [value, status] => self.return_boxed(Signature::machine(&promised.result), value, status),
            _ => unreachable!("a body returns one word or two"),
        }
    }

    /// Those of a body's parameters that are objects.
    fn objects(&self, params: &[Value]) -> Vec<Value> {
        let types = &self.unit.unit.function(self.function).signature.params;
        let is_object = |(_, ty): &(&Value, &Type)| Signature::machine(ty) == ir::Type::Obj;
        params.iter().zip(types).filter(is_object).map(|(&value, _)| value).collect()
    }

    /// The right number of arguments and no names.
    fn check_count(&mut self) {
        let function = self.unit.unit.function(self.function);
        let count = u64::try_from(function.signature.params.len()).expect("a count fits 64 bits");
        let (ignored, wanted) = if function.keyword_only == 0 && !function.checked_first {
            (ARGUMENTS_OFFSET | ALL_BOUND, count)
        } else {
            (ARGUMENTS_OFFSET, count | ALL_BOUND)
        };
        // The ignored bits are the topmost ones, so a shift drops them.
        let shift = i64::from(ignored.count_ones());
        let shifted = self.code.builder.ins().ishl_imm_u(self.call.nargsf, shift);
        let differs = self.code.builder.ins().bxor_imm_s(shifted, (wanted << shift).cast_signed());
        let wrong = self.code.builder.ins().bor(differs, self.call.names);
        let slow = self.slow;
        self.code.branch_if(wrong, slow);
    }

    fn unbox_argument(&mut self, number: usize, ty: &Type) -> Value {
        let object = self.code.load(WORD, self.call.args, displacement(number * WORD_BYTES));
        let slow = self.slow;
        match Signature::machine(ty) {
            ir::Type::I64 => {
                self.code.require_type(object, Fixed::IntType, slow);
                self.code.unbox_int(object, slow)
            }
            ir::Type::F64 => {
                self.code.require_type(object, Fixed::FloatType, slow);
                self.code.unbox_float(object, slow)
            }
            ir::Type::Bool => self.code.unbox_bool(object, slow),
            ir::Type::Obj => {
                self.require_exact(object, ty);
                object
            }
        }
    }

    /// Goes the slow way unless the object is of exactly this type.
    fn require_exact(&mut self, object: Value, ty: &Type) {
        let slow = self.slow;
        match ty {
            Type::Never | Type::Object => {}
            Type::None => {
                let none = self.code.fixed(Fixed::None);
                let differs = self.code.compare(IntCC::NotEqual, object, none);
                self.code.branch_if(differs, slow);
            }
            Type::Bool => {
                self.code.unbox_bool(object, slow);
            }
            Type::Int => self.code.require_type(object, Fixed::IntType, slow),
            Type::Float => self.code.require_type(object, Fixed::FloatType, slow),
            Type::List(_) | Type::Str | Type::Bytes | Type::ByteArray => {
                let class = ty.class().expect("these types have a class");
                self.code.require_type(object, type_word(class), slow);
            }
            Type::Sealed(name) => self.require_sealed(object, name),
            Type::Optional(name) => {
                let (none, other, done) =
                    (self.code.fixed(Fixed::None), self.code.block(), self.code.block());
                let same = self.code.compare(IntCC::Equal, object, none);
                self.code.builder.ins().brif(same, done, &[], other, &[]);
                self.code.enter(other);
                self.require_sealed(object, name);
                self.code.jump(done, &[]);
                self.code.enter(done);
            }
            Type::Tuple(items) => {
                self.code.require_type(object, Fixed::TupleType, slow);
                self.code.require_length(
                    object,
                    i64::try_from(items.len()).expect("a length fits 64 bits"),
                    slow,
                );
                for (number, item) in items.iter().enumerate() {
                    let offset = self.code.layout.tuple_items + displacement(number * WORD_BYTES);
                    let object = self.code.load(WORD, object, offset);
                    self.require_exact(object, item);
                }
            }
        }
    }

    fn require_sealed(&mut self, object: Value, name: &str) {
        let unit = self.unit.unit;
        let class = unit.sealed_class(name).expect("signatures name classes of the unit");
        let subclasses = Subclasses::of(&unit.classes[class.index()]);
        self.code.require_sealed(object, class, subclasses, self.slow);
    }

    /// Goes the slow way unless the argument's class is known to keep the promise, or `CallSlow` has checked it.
    fn require_promise(&mut self, number: usize, object: Value) {
        let (other, done) = (self.code.cold_block(), self.code.block());
        let word = |number: usize| i64::try_from(number).expect("counted budgets keep units small");
        let cache = self.unit.add_cache(CacheKind::Promise);
        self.code.find_promise(self.code.data.cache(cache), object, done);
        self.code.jump(other, &[]);
        self.code.enter(other);
        let bound = self.code.builder.ins().band_imm_u(self.call.nargsf, ALL_BOUND.cast_signed());
        let ask = self.code.cold_block();
        self.code.builder.ins().brif(bound, done, &[], ask, &[]);
        self.code.enter(ask);
        let unit = self.code.fixed(Fixed::Unit);
        let numbers = [self.function.index(), number, cache].map(|number| self.code.word(word(number)));
        let [function, number, cache] = numbers;
        let keeps = self.code.call_one(Helper::PromiseKeeps, &[unit, function, number, cache, object]);
        let slow = self.slow;
        self.code.builder.ins().brif(keeps, done, &[], slow, &[]);
        self.code.enter(done);
    }

    /// The thread state and the depth left; returns where no depth is left or the stack is too short.
    ///
    /// What helper `Enter` finds out in general is tested in line where nothing is out of the ordinary.
    fn enter(&mut self) -> (Value, Value) {
        let thread = self.code.call_one(Helper::ThreadState, &[]);
        let (otherwise, entered) = (self.code.cold_block(), self.code.block());
        let entered_depth = self.code.builder.append_block_param(entered, WORD);
        let state = self.code.fixed(Fixed::Entering);
        let aside = self.is_out_of_the_ordinary(thread, state);
        self.code.branch_if(aside, otherwise);
        let counter = self.code.load(types::I32, thread, self.code.layout.thread.recursion_remaining);
        let depth = self.code.builder.ins().sextend(WORD, counter);
        let none_left = self.code.compare_constant(IntCC::SignedLessThanOrEqual, depth, 0);
        self.code.branch_if(none_left, otherwise);
        let [lowest, body, other] = [Entering::LOWEST, Entering::BODY_FRAME, Entering::OTHER_FRAME]
            .map(|offset| self.code.load(WORD, state, displacement(offset)));
        let room = self.code.builder.ins().imul(depth, body);
        let room = self.code.builder.ins().iadd(room, other);
        let wanted = self.code.builder.ins().iadd(lowest, room);
        let here = self.code.builder.ins().get_stack_pointer(WORD);
        let short = self.code.compare(IntCC::UnsignedLessThan, here, wanted);
        self.code.branch_if(short, otherwise);
        self.code.jump(entered, &[depth]);
        self.code.enter(otherwise);
        let (_, depth) = self.code.call_two(Helper::Enter, &[]);
        let stopped = self.code.cold_block();
        let none_left = self.code.compare_constant(IntCC::SignedLessThanOrEqual, depth, 0);
        self.code.branch_if(none_left, stopped);
        self.code.jump(entered, &[depth]);
        self.code.enter(stopped);
        let (elsewhere, failed) = (self.code.cold_block(), self.code.cold_block());
        self.code.builder.ins().brif(depth, elsewhere, &[], failed, &[]);
        self.code.enter(elsewhere);
        let object = self.call_as_a_whole(Helper::EnterOnNewStack);
        self.code.builder.ins().return_(&[object]);
        self.code.enter(failed);
        let null = self.code.word(0);
        self.code.builder.ins().return_(&[null]);
        self.code.enter(entered);
        (thread, entered_depth)
    }

    /// Not 0 where another thread has entered last, a tracer, profiler or monitoring tool is on, or castiron is off.
    fn is_out_of_the_ordinary(&mut self, thread: Value, state: Value) -> Value {
        let layout = self.code.layout;
        let latest = self.code.load(WORD, state, displacement(Entering::STATE));
        let mut found = self.code.builder.ins().bxor(latest, thread);
        let [latest, id] = [(state, displacement(Entering::ID)), (thread, layout.thread.id)]
            .map(|(address, offset)| self.code.load(WORD, address, offset));
        let other = self.code.builder.ins().bxor(latest, id);
        found = self.code.builder.ins().bor(found, other);
        let mut words = vec![
            (state, displacement(Entering::OFF), u64::MAX),
            (thread, layout.thread.profile, u64::MAX),
            (thread, layout.thread.trace, u64::MAX),
        ];
        if let Some(monitors) = layout.monitors {
            let interpreter = self.code.load(WORD, thread, layout.thread.interpreter);
            words.extend(tool_words(monitors).map(|(offset, bits)| (interpreter, offset, bits)));
        }
        for (address, offset, bits) in words {
            let mut word = self.code.load_unaligned(WORD, address, offset);
            if bits != u64::MAX {
                word = self.code.builder.ins().band_imm_u(word, bits.cast_signed());
            }
            found = self.code.builder.ins().bor(found, word);
        }
        found
    }

    /// Whether the body may come back with another counter in the thread state: its own depth, which
    /// can be less than the interpreter's where the native stack is short, or that of its callees.
    fn changes_depth(&self) -> bool {
        let body = self.unit.unit.function(self.function).specialised.as_ref();
        body.is_some_and(|body| {
            let mut insts = body.layout.iter().flat_map(|&block| &body.block(block).insts);
            insts.any(|&inst| {
                let op = body.inst(inst).op;
                op.effects().has(ir::Effects::FOREIGN) || op.calls_body()
            })
        })
    }

    fn return_boxed(&mut self, ty: ir::Type, value: Value, status: Value) {
        let (other, holds) = (self.code.cold_block(), self.code.block());
        self.code.builder.ins().brif(status, other, &[], holds, &[]);
        self.code.enter(holds);
        let object = match ty {
            ir::Type::I64 => self.code.call_one(Helper::IntBox, &[value]),
            ir::Type::F64 => self.code.call_one(Helper::FloatBox, &[value]),
            ir::Type::Bool => {
                let (yes, no) = (self.code.fixed(Fixed::True), self.code.fixed(Fixed::False));
                let object = self.code.builder.ins().select(value, yes, no);
                self.code.inc_ref(object);
                object
            }
            ir::Type::Obj => unreachable!("a body returns an object in one word"),
        };
        self.code.builder.ins().return_(&[object]);
        self.code.enter(other);
        let failed = self.code.compare_constant(IntCC::Equal, status, 1);
        let null = self.code.word(0);
        let object = self.code.builder.ins().select(failed, null, status);
        self.code.builder.ins().return_(&[object]);
    }

    /// Hands the vectorcall over to a helper.
    fn call_as_a_whole(&mut self, helper: Helper) -> Value {
        let unit = self.code.fixed(Fixed::Unit);
        let number =
            self.code.word(i64::try_from(self.function.index()).expect("counted budgets keep units small"));
        let mut args = vec![unit, number];
        for number in 0..4 {
            let address = self.code.slot_address(self.saved, number);
            args.push(self.code.load(WORD, address, 0));
        }
        self.code.call_one(helper, &args)
    }
}
