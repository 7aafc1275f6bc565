//! Which instruction a return address belongs to.

use std::cell::UnsafeCell;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use rustc_hash::FxHashMap;

use crate::runtime::meta::PieceMeta;
use crate::runtime::unit::LoadedUnit;

/// A direct call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// The caller's unit.
    pub(super) unit: *const LoadedUnit,
    /// The call's trace.
    pub(super) trace: usize,
    /// In a resume function: how many bytes below the frame pointer its segment stands.
    pub(super) segment: Option<usize>,
}

/// The machine code of a body or resume function.
struct Piece {
    start: u64,
    unit: *const LoadedUnit,
    meta: PieceMeta,
}

// SAFETY: the address of the unit is used by attached threads only, while it is loaded.
unsafe impl Send for Piece {}
// SAFETY: as above.
unsafe impl Send for Call {}

#[derive(Default)]
struct Tables {
    /// By start.
    pieces: Vec<Piece>,
    /// What was asked for before.
    known: FxHashMap<u64, Option<Call>>,
}

static TABLES: Mutex<Option<Tables>> = Mutex::new(None);

fn tables() -> MutexGuard<'static, Option<Tables>> {
    TABLES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the code of a unit known.
pub fn add_unit(unit: &LoadedUnit) {
    let mut tables = tables();
    let tables = tables.get_or_insert_default();
    for (number, function) in unit.meta().functions.iter().enumerate() {
        let start = unit.word(unit.layout().body(number));
        if start == 0 || function.body.calls.is_empty() {
            continue;
        }
        tables.add(Piece { start, unit, meta: function.body.clone() });
    }
}

/// Makes the code of a loop version known.
pub fn add_loop(unit: &LoadedUnit, function: usize, start: *const u8) {
    let meta = unit.meta().functions[function].looped.clone();
    tables().get_or_insert_default().add(Piece { start: start as u64, unit, meta });
}

impl Tables {
    fn add(&mut self, piece: Piece) {
        let place = self.pieces.partition_point(|known| known.start < piece.start);
        self.pieces.insert(place, piece);
        self.known.clear();
        forget();
    }
}

/// Forgets the code of a unit that is being dropped.
pub fn remove_unit(unit: &LoadedUnit) {
    let mut tables = tables();
    let tables = tables.get_or_insert_default();
    tables.pieces.retain(|piece| !std::ptr::eq(piece.unit, unit));
    tables.known.clear();
    forget();
}

/// How many answers are kept outside the tables; a power of two.
const RECENT: usize = 64;

/// What was asked for last, by the low bits of the address; address 0 is no answer.
struct Recent(UnsafeCell<[(u64, Option<Call>); RECENT]>);

// SAFETY: only attached threads use it, and run nothing meanwhile.
unsafe impl Sync for Recent {}

static ANSWERS: Recent = Recent(UnsafeCell::new([(0, None); RECENT]));

/// Forgets every answer.
fn forget() {
    // SAFETY: the thread is attached, as for everything that is done with units.
    unsafe { *ANSWERS.0.get() = [(0, None); RECENT] };
}

/// The direct call that returns to this address; none for what is no body's code.
///
/// # Safety
/// The thread is attached.
pub(super) unsafe fn caller(address: u64) -> Option<Call> {
    let slot = usize::try_from(address).unwrap_or_default() % RECENT;
    // SAFETY: an attached thread is alone with it.
    let answer = unsafe { &mut (*ANSWERS.0.get())[slot] };
    if answer.0 != address {
        *answer = (address, look_up(address));
    }
    answer.1
}

fn look_up(address: u64) -> Option<Call> {
    let mut tables = tables();
    let tables = tables.get_or_insert_default();
    if let Some(&known) = tables.known.get(&address) {
        return known;
    }
    let found = find(&tables.pieces, address);
    tables.known.insert(address, found);
    found
}

fn find(pieces: &[Piece], address: u64) -> Option<Call> {
    // What returns to an address was called by the instruction in front of it.
    let inside = address - 1;
    let place = pieces.partition_point(|piece| piece.start <= inside).checked_sub(1)?;
    let piece = &pieces[place];
    let offset = u32::try_from(inside - piece.start).ok()?;
    let call = piece.meta.calls.iter().find(|call| (call.start..call.end).contains(&offset))?;
    let segment = piece.meta.segment.map(|below| below as usize);
    Some(Call { unit: piece.unit, trace: call.trace as usize, segment })
}
