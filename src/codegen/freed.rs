//! Objects of sealed classes that die alone: a stub hands them back to their class, as `check::frozen` would.
//!
//! They hold numbers, None, what others hold too, and such objects. Where the stub finds anything else it stops, whatever
//! it has done: fields that it has emptied are empty, and the rest is the deallocator's.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use crate::cpython::collector;
use crate::ir::{SealedClass, Unit};
use crate::runtime::data::{CLASS_POOL, CLASS_TAG, DataLayout, WORD as WORD_BYTES};
use crate::runtime::sealed::{POOL_COUNT, POOL_FIRST, POOL_LINK, POOL_ROOM};
use crate::types::Held;

use super::abi::WORD;
use super::code::Code;

const FLAGS: i64 = collector::FLAGS.cast_signed() as i64;
const FINALISED: i64 = collector::FINALISED.cast_signed() as i64;

/// The stub tries so many classes.
const MAX_CLASSES: usize = 8;

/// Objects with more fields die in the deallocator.
const MAX_FIELDS: usize = 16;

/// How deep objects free each other here.
const MAX_NESTED: i64 = 32;

/// A class whose instances the stub frees.
pub(super) struct FreedClass {
    /// Where its words stand in the unit's data.
    words: usize,
    /// Where instances have their list of weak references; 0 where they have none.
    weak: i32,
    /// Where the fields stand, and how.
    fields: Vec<(i32, Held)>,
}

/// Those of a unit.
pub(super) fn freed_classes(unit: &Unit, data: DataLayout) -> Vec<FreedClass> {
    let is_plain = |class: &SealedClass| class.version != 0 && class.fields.len() <= MAX_FIELDS;
    let numbered = unit.classes.iter().enumerate().filter(|(_, class)| is_plain(class));
    let freed = numbered.map(|(number, class)| FreedClass {
        words: data.class(number),
        weak: class.weak,
        fields: class.fields.iter().map(|field| (field.offset, field.held)).collect(),
    });
    freed.take(MAX_CLASSES).collect()
}

impl Code<'_> {
    /// Hands a dead object of one of the classes back, if nothing can see it, and sets its count to one, as that of
    /// objects that are kept; then returns. It dies in the field of another one, so deep.
    pub(super) fn write_freeing(&mut self, object: Value, depth: Value) {
        let version = self.version_of(object);
        let other = self.block();
        for class in self.freed {
            let (own, next) = (self.block(), self.block());
            let wanted = self.data_word(class.words + CLASS_TAG * WORD_BYTES);
            let same = self.compare(IntCC::Equal, version, wanted);
            self.builder.ins().brif(same, own, &[], next, &[]);
            self.enter(own);
            self.hand_back((object, depth), class, other);
            self.builder.ins().return_(&[]);
            self.enter(next);
        }
        self.jump(other, &[]);
        self.enter(other);
        self.builder.ins().return_(&[]);
    }

    /// Goes to the other block where that is not possible.
    fn hand_back(&mut self, (object, depth): (Value, Value), class: &FreedClass, other: Block) {
        let pool = self.data_word(class.words + CLASS_POOL * WORD_BYTES);
        self.branch_unless(pool, other);
        self.require_room(pool, other);
        if class.weak != 0 {
            let weak = self.load(WORD, object, class.weak);
            self.branch_if(weak, other);
        }
        for &(offset, held) in &class.fields {
            match held {
                Held::Float => {
                    let number = self.load(types::F64, object, offset);
                    self.branch_if_nan(number, other);
                }
                Held::Int => {
                    let word = self.load(WORD, object, offset);
                    let is_number = self.builder.ins().band_imm_s(word, 1);
                    self.branch_unless(is_number, other);
                }
                Held::Object => {}
            }
        }
        for &(offset, _) in class.fields.iter().filter(|(_, held)| *held == Held::Object) {
            self.empty_field((object, depth), (offset, class.fields.len()), other);
        }
        // What has died with it may be in the same pool.
        let count = self.require_room(pool, other);
        let own = self.load(WORD, object, self.layout.ob_type);
        let references = self.load(WORD, own, self.layout.refcount);
        let is_last = self.compare_constant(IntCC::Equal, references, 1);
        self.branch_if(is_last, other);
        self.drop_shared(own);
        self.untrack(object);
        let first = self.load(WORD, pool, POOL_FIRST);
        self.store(first, object, POOL_LINK);
        self.store(object, pool, POOL_FIRST);
        let count = self.builder.ins().iadd_imm_s(count, 1);
        self.store(count, pool, POOL_COUNT);
        let one = self.word(1);
        self.store(one, object, self.layout.refcount);
    }

    /// How many objects are in a pool; goes to the other block where there is no room for one more.
    fn require_room(&mut self, pool: Value, other: Block) -> Value {
        let count = self.load(types::I32, pool, POOL_COUNT);
        let room = self.load(types::I32, pool, POOL_ROOM);
        let is_full = self.compare(IntCC::UnsignedGreaterThanOrEqual, count, room);
        self.branch_if(is_full, other);
        count
    }

    /// Drops the reference in a field, which may be the last one to an object that dies alone.
    fn empty_field(&mut self, (object, depth): (Value, Value), (offset, fields): (i32, usize), other: Block) {
        let (shared, dead, freed, alive) = (self.block(), self.block(), self.block(), self.block());
        let (held, done) = (self.block(), self.block());
        let value = self.load(WORD, object, offset);
        self.builder.ins().brif(value, held, &[], done, &[]);
        self.enter(held);
        // It may stand in each of the fields.
        let count = self.load(WORD, value, self.layout.refcount);
        let most = i64::try_from(fields).expect("objects have few fields");
        let is_shared = self.compare_constant(IntCC::SignedGreaterThan, count, most);
        self.builder.ins().brif(is_shared, shared, &[], dead, &[]);
        self.enter(shared);
        self.drop_shared(value);
        self.jump(freed, &[]);
        self.enter(dead);
        let several = self.compare_constant(IntCC::NotEqual, count, 1);
        self.branch_if(several, other);
        let is_deep = self.compare_constant(IntCC::SignedGreaterThanOrEqual, depth, MAX_NESTED);
        self.branch_if(is_deep, other);
        let none = self.word(0);
        self.store(none, value, self.layout.refcount);
        let depth = self.builder.ins().iadd_imm_s(depth, 1);
        self.free_nested(value, depth);
        let count = self.load(WORD, value, self.layout.refcount);
        self.builder.ins().brif(count, freed, &[], alive, &[]);
        self.enter(alive);
        let one = self.word(1);
        self.store(one, value, self.layout.refcount);
        self.jump(other, &[]);
        self.enter(freed);
        let null = self.word(0);
        self.store(null, object, offset);
        self.jump(done, &[]);
        self.enter(done);
    }

    /// As [`collector::untrack`], for an object that may not be tracked.
    fn untrack(&mut self, object: Value) {
        let (tracked, done) = (self.block(), self.block());
        let next = self.load(WORD, object, collector::NEXT);
        self.builder.ins().brif(next, tracked, &[], done, &[]);
        self.enter(tracked);
        let flagged = self.load(WORD, object, collector::PREVIOUS);
        let previous = self.builder.ins().band_imm_s(flagged, !FLAGS);
        self.store(next, previous, 0);
        let behind = self.load(WORD, next, collector::PREVIOUS - collector::NEXT);
        let flags = self.builder.ins().band_imm_s(behind, FLAGS);
        let behind = self.builder.ins().bor(flags, previous);
        self.store(behind, next, collector::PREVIOUS - collector::NEXT);
        let finalised = self.builder.ins().band_imm_s(flagged, FINALISED);
        self.store(finalised, object, collector::PREVIOUS);
        self.jump(done, &[]);
        self.enter(done);
    }
}
