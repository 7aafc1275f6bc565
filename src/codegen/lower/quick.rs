//! Ops on objects that are tested and done in line where the operands are the most common ones. Each function
//! writes that and leaves off where the helper is to be called for all else; both meet in the block it gives.
//! Compact code has the helper do it all.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value};

use crate::ir::{Binary, Cmp};
use crate::runtime::data::Fixed;
use crate::runtime::table::Helper;

use super::Lower;
use crate::codegen::abi::{BOOL, WORD};

/// Goes on where the quick way and the helper's meet, with the result of either.
pub(super) fn meet(cx: &mut Lower<'_>, done: Option<Block>, value: Value) -> Value {
    let Some(done) = done else { return value };
    cx.code.jump(done, &[value]);
    cx.code.enter(done);
    cx.code.builder.block_params(done)[0]
}

/// `a + b`, `a - b` and `a * b` of small ints.
pub(super) fn binary(cx: &mut Lower<'_>, operator: Binary, a: Value, b: Value) -> Option<Block> {
    if cx.code.is_compact || !matches!(operator, Binary::Add | Binary::Sub | Binary::Mul) {
        return None;
    }
    let (other, done) = (cx.code.block(), cx.code.block());
    cx.code.builder.append_block_param(done, WORD);
    let (a, b) = (cx.code.unbox_small_int(a, other), cx.code.unbox_small_int(b, other));
    let result = match operator {
        Binary::Add => cx.code.builder.ins().iadd(a, b),
        Binary::Sub => cx.code.builder.ins().isub(a, b),
        _ => cx.code.builder.ins().imul(a, b),
    };
    let object = cx.code.call_one(Helper::IntBox, &[result]);
    cx.fail_if_null(object);
    cx.code.jump(done, &[object]);
    cx.code.enter(other);
    Some(done)
}

/// The comparison of small ints.
pub(super) fn compare(cx: &mut Lower<'_>, cmp: Cmp, a: Value, b: Value) -> Option<Block> {
    if cx.code.is_compact {
        return None;
    }
    let (other, done) = (cx.code.block(), cx.code.block());
    cx.code.builder.append_block_param(done, WORD);
    let (a, b) = (cx.code.unbox_small_int(a, other), cx.code.unbox_small_int(b, other));
    let condition = match cmp {
        Cmp::Lt => IntCC::SignedLessThan,
        Cmp::Le => IntCC::SignedLessThanOrEqual,
        Cmp::Eq => IntCC::Equal,
        Cmp::Ne => IntCC::NotEqual,
        Cmp::Gt => IntCC::SignedGreaterThan,
        Cmp::Ge => IntCC::SignedGreaterThanOrEqual,
    };
    let holds = cx.code.compare(condition, a, b);
    let (yes, no) = (cx.code.fixed(Fixed::True), cx.code.fixed(Fixed::False));
    let object = cx.code.builder.ins().select(holds, yes, no);
    cx.code.inc_ref(object);
    cx.code.jump(done, &[object]);
    cx.code.enter(other);
    Some(done)
}

/// The truth of `True`, `False` and `None`.
pub(super) fn truth(cx: &mut Lower<'_>, object: Value) -> Option<Block> {
    if cx.code.is_compact {
        return None;
    }
    let done = cx.code.block();
    cx.code.builder.append_block_param(done, BOOL);
    for (word, truth) in [(Fixed::True, 1), (Fixed::False, 0), (Fixed::None, 0)] {
        let (is_it, other) = (cx.code.block(), cx.code.block());
        let known = cx.code.fixed(word);
        let same = cx.code.compare(IntCC::Equal, object, known);
        cx.code.builder.ins().brif(same, is_it, &[], other, &[]);
        cx.code.enter(is_it);
        let truth = cx.code.builder.ins().iconst(BOOL, truth);
        cx.code.jump(done, &[truth]);
        cx.code.enter(other);
    }
    Some(done)
}

/// The item of a list or tuple at a small int that is not negative.
pub(super) fn item(cx: &mut Lower<'_>, container: Value, key: Value) -> Option<Block> {
    if cx.code.is_compact {
        return None;
    }
    let (other, done) = (cx.code.block(), cx.code.block());
    cx.code.builder.append_block_param(done, WORD);
    let index = cx.code.unbox_small_int(key, other);
    let places = cx.code.layout.container;
    let (tuple, found) = (cx.code.block(), cx.code.block());
    let items = cx.code.builder.append_block_param(found, WORD);
    cx.code.require_type(container, Fixed::ListType, tuple);
    let size = cx.code.load(WORD, container, places.list_size);
    let is_inside = cx.code.compare(IntCC::UnsignedLessThan, index, size);
    cx.code.branch_unless(is_inside, other);
    let listed = cx.code.load(WORD, container, places.list_items);
    cx.code.jump(found, &[listed]);
    cx.code.enter(tuple);
    cx.code.require_type(container, Fixed::TupleType, other);
    let size = cx.code.load(WORD, container, cx.code.layout.tuple_size);
    let is_inside = cx.code.compare(IntCC::UnsignedLessThan, index, size);
    cx.code.branch_unless(is_inside, other);
    let first = cx.code.builder.ins().iadd_imm_s(container, i64::from(cx.code.layout.tuple_items));
    cx.code.jump(found, &[first]);
    cx.code.enter(found);
    let offset = cx.code.builder.ins().ishl_imm_u(index, 3);
    let place = cx.code.builder.ins().iadd(items, offset);
    let item = cx.code.load(WORD, place, 0);
    cx.code.inc_ref(item);
    cx.code.jump(done, &[item]);
    cx.code.enter(other);
    Some(done)
}

/// The next item of a list's iterator that is not at its end.
pub(super) fn next(cx: &mut Lower<'_>, iterator: Value) -> Block {
    let (other, done) = (cx.code.block(), cx.code.block());
    cx.code.builder.append_block_param(done, WORD);
    cx.code.builder.append_block_param(done, BOOL);
    let places = cx.code.layout.container;
    cx.code.require_type(iterator, Fixed::ListIteratorType, other);
    let list = cx.code.load(WORD, iterator, places.list_iterator_list);
    cx.code.branch_unless(list, other);
    let index = cx.code.load(WORD, iterator, places.list_iterator_index);
    let size = cx.code.load(WORD, list, places.list_size);
    let is_inside = cx.code.compare(IntCC::UnsignedLessThan, index, size);
    cx.code.branch_unless(is_inside, other);
    let items = cx.code.load(WORD, list, places.list_items);
    let offset = cx.code.builder.ins().ishl_imm_u(index, 3);
    let place = cx.code.builder.ins().iadd(items, offset);
    let item = cx.code.load(WORD, place, 0);
    cx.code.inc_ref(item);
    let index = cx.code.builder.ins().iadd_imm_s(index, 1);
    cx.code.store(index, iterator, places.list_iterator_index);
    let more = cx.code.builder.ins().iconst(BOOL, 1);
    cx.code.jump(done, &[item, more]);
    cx.code.enter(other);
    done
}
