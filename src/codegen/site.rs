//! Sites: what compiled code leaves in memory in front of a helper that may run Python, so that the
//! helper can show the compiled functions as frames ([`crate::runtime::frames`]).

use cranelift_codegen::ir::{
    InstBuilder, SourceLoc, StackSlot, StackSlotData, StackSlotKey, StackSlotKind, Value,
};

use crate::runtime::data::{Fixed, WORD as WORD_BYTES};
use crate::runtime::frames::BODY;
use crate::runtime::table::Helper;

use super::abi::WORD;
use super::code::{Code, displacement};

/// The key of the stack slot in which a resume function keeps its segment.
pub(super) fn segment_key() -> StackSlotKey {
    StackSlotKey::new(1)
}

/// The words of a site, in the order of [`crate::runtime::frames::Site`].
const UNIT: usize = 0;
const TRACE: usize = 1;
const FRAME: usize = 2;
const SEGMENT_WORD: usize = 3;
const NEXT: usize = 4;

/// Who runs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// The trace of the instruction being written; none in entries and stubs, which are no functions of
    /// their own.
    pub(super) trace: Option<u32>,
    /// In a resume function: where its segment is kept.
    segment: Option<StackSlot>,
}

impl Code<'_> {
    /// At the beginning of a resume function: takes the segment that its caller has left.
    pub(super) fn take_segment(&mut self) {
        let bytes = u32::try_from(WORD_BYTES).expect("a word is small");
        let data = StackSlotData::new_with_key(StackSlotKind::ExplicitSlot, bytes, 3, segment_key());
        let slot = self.builder.create_sized_stack_slot(data);
        let site = self.fixed(Fixed::Site);
        let segment = self.load(WORD, site, displacement(NEXT * WORD_BYTES));
        let none = self.word(0);
        self.store(none, site, displacement(NEXT * WORD_BYTES));
        let address = self.slot_address(slot, 0);
        self.store(segment, address, 0);
        self.place.segment = Some(slot);
    }

    /// Leaves the site of the instruction being written, if the helper looks at the stack.
    pub(super) fn leave_site(&mut self, helper: Helper) {
        let (Some(trace), true) = (self.place.trace, helper.looks()) else { return };
        let frame = self.builder.ins().get_frame_pointer(WORD);
        let trace = self.word(i64::from(trace));
        let segment = match self.load_segment() {
            Some(segment) => segment,
            None => self.word(BODY),
        };
        self.store_site(trace, frame, segment);
    }

    /// In a stub: leaves the site of its caller, which says these words of itself.
    pub(super) fn leave_site_of_caller(&mut self, words: &[Value]) {
        let &[trace, ref segment @ ..] = words else { return };
        let own = self.builder.ins().get_frame_pointer(WORD);
        // Every frame of compiled code begins with the saved frame pointer.
        let frame = self.load(WORD, own, 0);
        let segment = match segment.first() {
            Some(&segment) => segment,
            None => self.word(BODY),
        };
        self.store_site(trace, frame, segment);
    }

    /// What a stub is told of the instruction being written, if the helper looks at the stack.
    pub(super) fn words_of_site(&mut self, helper: Helper) -> Vec<Value> {
        let (Some(trace), true) = (self.place.trace, helper.looks()) else { return Vec::new() };
        let trace = self.word(i64::from(trace));
        std::iter::once(trace).chain(self.load_segment()).collect()
    }

    /// In a resume function: its segment.
    fn load_segment(&mut self) -> Option<Value> {
        let slot = self.place.segment?;
        let address = self.slot_address(slot, 0);
        Some(self.load(WORD, address, 0))
    }

    fn store_site(&mut self, trace: Value, frame: Value, segment: Value) {
        let site = self.fixed(Fixed::Site);
        let unit = self.fixed(Fixed::Unit);
        for (place, value) in [(UNIT, unit), (TRACE, trace), (FRAME, frame), (SEGMENT_WORD, segment)] {
            self.store(value, site, displacement(place * WORD_BYTES));
        }
    }

    /// Makes what is written next a call that a walk over the stack finds, or again nothing.
    pub(super) fn locate(&mut self, trace: Option<u32>) {
        self.builder.set_srcloc(trace.map_or(SourceLoc::default(), SourceLoc::new));
    }
}
