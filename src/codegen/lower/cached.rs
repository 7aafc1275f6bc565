//! Attributes, methods and global names by inline caches ([`crate::runtime::caches`] says what the words
//! hold): what was found here before is tested and read in line, all else is a helper's.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use crate::cpython::layout::InstanceValues;
use crate::ir::InstData;
use crate::runtime::caches::{FIRST_SLOT_TAG, SLOT_OFFSET, SLOT_TAGS};
use crate::runtime::data::{Fixed, WORD as WORD_BYTES};
use crate::runtime::meta::CacheKind;
use crate::runtime::table::Helper;

use super::Lower;
use super::Version;
use super::object::named_constant;
use crate::codegen::abi::WORD;
use crate::codegen::code::displacement;

/// A cache's words.
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
    let (slot, slow, found, done) = (cx.code.block(), cx.code.cold_block(), cx.code.block(), cx.code.block());
    let value = cx.code.builder.append_block_param(found, WORD);
    let result = cx.code.builder.append_block_param(done, WORD);
    let words = words(cx, offset);
    let version = cx.code.version_of(object);
    require_version(cx, &words, 0, version, slot);
    let values = values_of(cx, object, slow);
    read_place(cx, &words, 1, values, (found, slow));
    cx.code.enter(slot);
    let known = cx.code.block();
    let tags = if cx.version == Version::Resume { 1 } else { SLOT_TAGS };
    for number in 0..tags {
        let wanted = words.load(cx, FIRST_SLOT_TAG + number);
        let same = cx.code.compare(IntCC::Equal, version, wanted);
        let next = if number + 1 == tags { slow } else { cx.code.block() };
        cx.code.builder.ins().brif(same, known, &[], next, &[]);
        if number + 1 < tags {
            cx.code.enter(next);
        }
    }
    cx.code.enter(known);
    read_place(cx, &words, SLOT_OFFSET, object, (found, slow));
    cx.code.enter(found);
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

/// Reads the value so far behind `base` as a word says; null goes the slow way.
fn read_place(cx: &mut Lower<'_>, words: &Words, number: usize, base: Value, to: (Block, Block)) {
    let (found, slow) = to;
    let offset = words.load(cx, number);
    let place = cx.code.builder.ins().iadd(base, offset);
    let value = cx.code.load(WORD, place, 0);
    cx.code.branch_unless(value, slow);
    cx.code.jump(found, &[value]);
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
    let (bare, slow, found, done) = (cx.code.block(), cx.code.cold_block(), cx.code.block(), cx.code.block());
    let function = cx.code.builder.append_block_param(found, WORD);
    let results = [0, 1].map(|_| cx.code.builder.append_block_param(done, WORD));
    let words = words(cx, offset);
    let version = cx.code.version_of(object);
    require_version(cx, &words, 0, version, bare);
    values_of(cx, object, slow);
    let (keys, wanted) = (words.load(cx, 2), words.load(cx, 3));
    let count = cx.code.load(WORD, keys, cx.code.layout.container.keys_entries);
    let differs = cx.code.compare(IntCC::NotEqual, count, wanted);
    cx.code.branch_if(differs, slow);
    let value = words.load(cx, 1);
    cx.code.jump(found, &[value]);
    cx.code.enter(bare);
    let second = cx.code.block();
    for (number, other) in [(4, second), (6, slow)] {
        require_version(cx, &words, number, version, other);
        let value = words.load(cx, number + 1);
        cx.code.jump(found, &[value]);
        if number == 4 {
            cx.code.enter(second);
        }
    }
    cx.code.enter(found);
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
    let (slot, checked, slow) = (cx.code.block(), cx.code.block(), cx.code.cold_block());
    let (found, done) = (cx.code.block(), cx.code.block());
    let place = cx.code.builder.append_block_param(found, WORD);
    let old = cx.code.builder.append_block_param(found, WORD);
    let words = words(cx, offset);
    let version = cx.code.version_of(object);
    require_version(cx, &words, 0, version, slot);
    let values = values_of(cx, object, slow);
    if matches!(cx.code.layout.attribute.values, InstanceValues::Inline(..)) {
        // A dict that shares the values counts its changes.
        let dict = cx.code.load(WORD, object, cx.code.layout.attribute.managed_dict);
        cx.code.branch_if(dict, slow);
    }
    old_value(cx, &words, 1, values, (found, slow));
    cx.code.enter(slot);
    require_version(cx, &words, 2, version, checked);
    old_value(cx, &words, 3, object, (found, slow));
    cx.code.enter(checked);
    require_version(cx, &words, 4, version, slow);
    let class = class(cx);
    let wanted = words.load(cx, 6);
    let differs = cx.code.compare(IntCC::NotEqual, class, wanted);
    cx.code.branch_if(differs, slow);
    old_value(cx, &words, 5, object, (found, slow));
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

/// Finds the place so far behind `base` as a word says, and what it holds; one that is unset goes the slow way.
fn old_value(cx: &mut Lower<'_>, words: &Words, number: usize, base: Value, to: (Block, Block)) {
    let (found, slow) = to;
    let offset = words.load(cx, number);
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
