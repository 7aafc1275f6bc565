//! Attributes, methods and global names by inline caches ([`crate::runtime::caches`] says what the words
//! hold): what was found here before is tested and read in line, all else is a helper's.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use crate::cpython::layout::{INLINE_HEADER, InstanceValues};
use crate::ir::InstData;
use crate::runtime::caches::{BARE, ENTRIES, METHOD_WORDS, PLACE_WORDS, SEALED_STORE, STORES};
use crate::runtime::data::{Fixed, WORD as WORD_BYTES};
use crate::runtime::meta::CacheKind;
use crate::runtime::table::Helper;

use super::Lower;
use super::object::named_constant;
use crate::codegen::abi::WORD;
use crate::codegen::code::displacement;

/// A cache's words, or those of one of its entries.
struct Words {
    address: Value,
    offset: usize,
}

impl Words {
    fn load(&self, cx: &mut Lower<'_>, number: usize) -> Value {
        cx.code.load(WORD, self.address, displacement(self.offset + number * WORD_BYTES))
    }
}

fn words(cx: &mut Lower<'_>, offset: usize) -> Words {
    Words { address: cx.code.data_address(), offset }
}

/// The entry of a class with this version tag, of so many that have so many words each.
fn entry(cx: &mut Lower<'_>, offset: usize, version: Value, (entries, words): (usize, usize)) -> Words {
    let base = cx.code.data_address();
    let last = i64::try_from(entries - 1).expect("a cache has few entries");
    let number = cx.code.builder.ins().band_imm_u(version, last);
    let bits = i64::from((words * WORD_BYTES).trailing_zeros());
    let behind = cx.code.builder.ins().ishl_imm_u(number, bits);
    Words { address: cx.code.builder.ins().iadd(base, behind), offset }
}

/// Goes on where a word holds the class' version tag, else to `other`.
fn require_version(cx: &mut Lower<'_>, words: &Words, number: usize, version: Value, other: Block) {
    let wanted = words.load(cx, number);
    let differs = cx.code.compare(IntCC::NotEqual, version, wanted);
    cx.code.branch_if(differs, other);
}

/// What an offset of a value is added to; goes to `other` where the instance has no values of its own.
fn values_of(cx: &mut Lower<'_>, object: Value, other: Block) -> Value {
    match cx.code.layout.attribute.values {
        InstanceValues::Array(at) => {
            let values = cx.code.load(WORD, object, at);
            cx.code.branch_unless(values, other);
            values
        }
        InstanceValues::OddArray(at) => {
            let word = cx.code.load(WORD, object, at);
            let is_odd = cx.code.builder.ins().band_imm_u(word, 1);
            cx.code.branch_unless(is_odd, other);
            word
        }
        InstanceValues::Inline(valid, _) => {
            let valid = cx.code.load(types::I8, object, valid);
            cx.code.branch_unless(valid, other);
            object
        }
    }
}

pub(super) fn attr(cx: &mut Lower<'_>, at: &InstData) {
    let (cache, offset) = cx.new_cache(CacheKind::Attribute);
    let object = cx.arg(at, 0);
    if cx.code.is_compact {
        let (unit, name) = (cx.loaded_unit(), named_constant(cx, at));
        let value = cx.code.call_one(Helper::ObjAttr, &[unit, cache, object, name]);
        cx.fail_if_null(value);
        return cx.result(at, value);
    }
    let (slow, done) = (cx.code.cold_block(), cx.code.block());
    let result = cx.code.builder.append_block_param(done, WORD);
    let version = cx.code.version_of(object);
    let known = entry(cx, offset, version, (ENTRIES, PLACE_WORDS));
    require_version(cx, &known, 0, version, slow);
    let place = place(cx, &known, object, slow);
    let value = cx.code.load(WORD, place, 0);
    cx.code.branch_unless(value, slow);
    cx.code.inc_ref(value);
    cx.code.jump(done, &[value]);
    cx.code.enter(slow);
    let (unit, name) = (cx.loaded_unit(), named_constant(cx, at));
    let object = cx.code.call_one(Helper::ObjAttr, &[unit, cache, object, name]);
    cx.fail_if_null(object);
    cx.code.jump(done, &[object]);
    cx.code.enter(done);
    cx.result(at, result);
}

/// The address of the place that an entry names, among the object's values or in the object itself; goes to `slow`
/// where the object has no values of its own.
fn place(cx: &mut Lower<'_>, known: &Words, object: Value, slow: Block) -> Value {
    let (slot, found) = (cx.code.block(), cx.code.block());
    let result = cx.code.builder.append_block_param(found, WORD);
    let offset = known.load(cx, 1);
    let is_slot = cx.code.compare_constant(IntCC::SignedLessThan, offset, 0);
    cx.code.branch_if(is_slot, slot);
    let values = values_of(cx, object, slow);
    let place = cx.code.builder.ins().iadd(values, offset);
    cx.code.jump(found, &[place]);
    cx.code.enter(slot);
    let offset = cx.code.builder.ins().bnot(offset);
    let place = cx.code.builder.ins().iadd(object, offset);
    cx.code.jump(found, &[place]);
    cx.code.enter(found);
    result
}

pub(super) fn method(cx: &mut Lower<'_>, at: &InstData) {
    let (cache, offset) = cx.new_cache(CacheKind::Method);
    let object = cx.arg(at, 0);
    if cx.code.is_compact {
        let (unit, name) = (cx.loaded_unit(), named_constant(cx, at));
        let (function, with) = cx.code.call_two(Helper::ObjMethod, &[unit, cache, object, name]);
        cx.fail_if_null(function);
        cx.set_value(at.results[0], function);
        return cx.set_value(at.results[1], with);
    }
    let (slow, found, done) = (cx.code.cold_block(), cx.code.block(), cx.code.block());
    let results = [0, 1].map(|_| cx.code.builder.append_block_param(done, WORD));
    let version = cx.code.version_of(object);
    let known = entry(cx, offset, version, (ENTRIES, METHOD_WORDS));
    require_version(cx, &known, 0, version, slow);
    let wanted = known.load(cx, 3);
    let is_bare = cx.code.compare_constant(IntCC::Equal, wanted, BARE.cast_signed());
    cx.code.branch_if(is_bare, found);
    values_of(cx, object, slow);
    let keys = known.load(cx, 2);
    let count = cx.code.load(WORD, keys, cx.code.layout.container.keys_entries);
    let differs = cx.code.compare(IntCC::NotEqual, count, wanted);
    cx.code.branch_if(differs, slow);
    cx.code.jump(found, &[]);
    cx.code.enter(found);
    let function = known.load(cx, 1);
    cx.code.inc_ref(function);
    cx.code.inc_ref(object);
    cx.code.jump(done, &[function, object]);
    cx.code.enter(slow);
    let (unit, name) = (cx.loaded_unit(), named_constant(cx, at));
    let (function, with) = cx.code.call_two(Helper::ObjMethod, &[unit, cache, object, name]);
    cx.fail_if_null(function);
    cx.code.jump(done, &[function, with]);
    cx.code.enter(done);
    cx.set_value(at.results[0], results[0]);
    cx.set_value(at.results[1], results[1]);
}

/// What the cache of a store has found: the place, and what it holds.
struct Found {
    place: Value,
    old: Value,
    slow: Block,
    done: Block,
}

/// Finds the place of an attribute that gets an object of the type that `class` gives; the code goes on where it
/// is found.
fn find_store(
    cx: &mut Lower<'_>,
    offset: usize,
    object: Value,
    class: impl FnOnce(&mut Lower<'_>) -> Value,
) -> Found {
    let (checked, slow) = (cx.code.block(), cx.code.cold_block());
    let (slot, found, done) = (cx.code.block(), cx.code.block(), cx.code.block());
    let place = cx.code.builder.append_block_param(found, WORD);
    let old = cx.code.builder.append_block_param(found, WORD);
    let version = cx.code.version_of(object);
    let known = entry(cx, offset, version, (STORES, PLACE_WORDS));
    require_version(cx, &known, 0, version, checked);
    let offset_of = known.load(cx, 1);
    let is_slot = cx.code.compare_constant(IntCC::SignedLessThan, offset_of, 0);
    cx.code.branch_if(is_slot, slot);
    let values = values_of(cx, object, slow);
    if matches!(cx.code.layout.attribute.values, InstanceValues::Inline(..)) {
        // A dict that shares the values counts its changes.
        let dict = cx.code.load(WORD, object, cx.code.layout.attribute.managed_dict);
        cx.code.branch_if(dict, slow);
    }
    let unset = cx.code.block();
    old_value(cx, values, offset_of, (found, unset));
    cx.code.enter(unset);
    let value_place = cx.code.builder.ins().iadd(values, offset_of);
    add_to_order(cx, values, offset_of);
    let nothing = cx.code.word(0);
    cx.code.jump(found, &[value_place, nothing]);
    cx.code.enter(slot);
    let offset_of = cx.code.builder.ins().bnot(offset_of);
    old_value(cx, object, offset_of, (found, slow));
    cx.code.enter(checked);
    let words = words(cx, offset);
    require_version(cx, &words, SEALED_STORE, version, slow);
    let class = class(cx);
    let wanted = words.load(cx, SEALED_STORE + 2);
    let differs = cx.code.compare(IntCC::NotEqual, class, wanted);
    cx.code.branch_if(differs, slow);
    let offset_of = words.load(cx, SEALED_STORE + 1);
    old_value(cx, object, offset_of, (found, slow));
    cx.code.enter(found);
    Found { place, old, slow, done }
}

pub(super) fn set_attr(cx: &mut Lower<'_>, at: &InstData) {
    let (cache, offset) = cx.new_cache(CacheKind::Store);
    let (object, value) = cx.args_two(at);
    if cx.code.is_compact {
        let (unit, name) = (cx.loaded_unit(), named_constant(cx, at));
        let status = cx.code.call_one(Helper::ObjSetAttr, &[unit, cache, object, name, value]);
        return cx.fail_if_negative(status);
    }
    let found = find_store(cx, offset, object, |cx| cx.code.load(WORD, value, cx.code.layout.ob_type));
    cx.code.inc_ref(value);
    replace(cx, &found, value);
    cx.code.enter(found.slow);
    let (unit, name) = (cx.loaded_unit(), named_constant(cx, at));
    let status = cx.code.call_one(Helper::ObjSetAttr, &[unit, cache, object, name, value]);
    cx.fail_if_negative(status);
    cx.code.jump(found.done, &[]);
    cx.code.enter(found.done);
}

/// Puts a reference in place of the old one, and goes on.
fn replace(cx: &mut Lower<'_>, found: &Found, new: Value) {
    cx.code.store(new, found.place, 0);
    cx.code.branch_unless(found.old, found.done);
    cx.code.dec_ref(found.old);
    cx.code.jump(found.done, &[]);
}

pub(super) fn set_attr_float(cx: &mut Lower<'_>, at: &InstData) {
    let (cache, offset) = cx.new_cache(CacheKind::Store);
    let (object, value) = cx.args_two(at);
    let exit = cx.exit_block();
    cx.code.branch_if_nan(value, exit);
    let found = find_store(cx, offset, object, |cx| cx.code.fixed(Fixed::FloatType));
    let fresh = cx.code.block();
    cx.code.branch_unless(found.old, fresh);
    cx.code.require_type(found.old, Fixed::FloatType, fresh);
    cx.code.require_only_reference(found.old, fresh);
    cx.code.store(value, found.old, cx.code.layout.float_value);
    cx.code.jump(found.done, &[]);
    cx.code.enter(fresh);
    let new = cx.code.call_aside(Helper::FloatBox, &[value])[0];
    cx.fail_if_null(new);
    replace(cx, &found, new);
    cx.code.enter(found.slow);
    let new = cx.code.call_one(Helper::FloatBox, &[value]);
    cx.fail_if_null(new);
    let (unit, name) = (cx.loaded_unit(), named_constant(cx, at));
    let status = cx.code.call_one(Helper::ObjSetAttr, &[unit, cache, object, name, new]);
    cx.code.dec_ref(new);
    cx.fail_if_negative(status);
    cx.code.jump(found.done, &[]);
    cx.code.enter(found.done);
}

/// Notes that the value so far behind what [`values_of`] gives was set for the first time, as
/// [`crate::runtime::attribute::obj_set_attr`] does.
fn add_to_order(cx: &mut Lower<'_>, values: Value, offset: Value) {
    let first = cx.code.layout.attribute.values.first();
    let behind = cx.code.builder.ins().iadd_imm_s(offset, -first);
    let number = cx.code.builder.ins().ushr_imm_u(behind, 3);
    match cx.code.layout.attribute.values {
        InstanceValues::Array(_) | InstanceValues::OddArray(_) => {
            // In front of the values, backwards: how much room there is, how many are set, their numbers.
            let at = i32::try_from(first).expect("values begin close by") - 2;
            let count = cx.code.load(types::I8, values, at);
            let count = cx.code.builder.ins().iadd_imm_s(count, 1);
            cx.code.store(count, values, at);
            let below = cx.code.builder.ins().uextend(WORD, count);
            let place = cx.code.builder.ins().isub(values, below);
            let number = cx.code.builder.ins().ireduce(types::I8, number);
            cx.code.store(number, place, at);
        }
        InstanceValues::Inline(..) => {
            // In front of the values: how much room there is, how many are set; their numbers behind the values.
            let at = i32::try_from(first).expect("values begin close by");
            let room = cx.code.load(types::I8, values, at - INLINE_HEADER);
            let count = cx.code.load(types::I8, values, at - INLINE_HEADER + 1);
            let room = cx.code.builder.ins().uextend(WORD, room);
            let bytes = cx.code.builder.ins().ishl_imm_u(room, 3);
            let end = cx.code.builder.ins().iadd(values, bytes);
            let behind = cx.code.builder.ins().uextend(WORD, count);
            let place = cx.code.builder.ins().iadd(end, behind);
            let number = cx.code.builder.ins().ireduce(types::I8, number);
            cx.code.store(number, place, at);
            let count = cx.code.builder.ins().iadd_imm_s(count, 1);
            cx.code.store(count, values, at - INLINE_HEADER + 1);
        }
    }
}

/// The place so far behind `base`, and what it holds; one that is unset goes the slow way.
fn old_value(cx: &mut Lower<'_>, base: Value, offset: Value, to: (Block, Block)) {
    let (found, slow) = to;
    let place = cx.code.builder.ins().iadd(base, offset);
    let old = cx.code.load(WORD, place, 0);
    cx.code.branch_unless(old, slow);
    cx.code.jump(found, &[place, old]);
}

pub(super) fn global(cx: &mut Lower<'_>, at: &InstData) {
    let (cache, offset) = cx.new_cache(CacheKind::Global);
    let (slow, done) = (cx.code.cold_block(), cx.code.block());
    let result = cx.code.builder.append_block_param(done, WORD);
    let words = words(cx, offset);
    let value = if cx.code.layout.dict_version.is_some() {
        for pair in [0, 2] {
            let place = words.load(cx, pair);
            let found = cx.code.load(WORD, place, 0);
            let wanted = words.load(cx, pair + 1);
            let differs = cx.code.compare(IntCC::NotEqual, found, wanted);
            cx.code.branch_if(differs, slow);
        }
        words.load(cx, 4)
    } else {
        let value = words.load(cx, 0);
        cx.code.branch_unless(value, slow);
        value
    };
    cx.code.inc_ref(value);
    cx.code.jump(done, &[value]);
    cx.code.enter(slow);
    let (unit, name) = (cx.loaded_unit(), named_constant(cx, at));
    let object = cx.code.call_one(Helper::ObjGlobal, &[unit, cache, name]);
    cx.fail_if_null(object);
    cx.code.jump(done, &[object]);
    cx.code.enter(done);
    cx.result(at, result);
}
