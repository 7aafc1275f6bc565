//! The tables of code objects: the exception table, and the line table, which gives each code unit its position.
//!
//! Both are in CPython's own formats (`Objects/exception_handling_notes.txt` and `Objects/locations.md` in its
//! sources). What is read and written again is the same to the byte; a table that no compiler makes gives `None`.

/// An entry of the exception table, in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Handled {
    /// The first unit.
    pub(super) start: usize,
    /// The unit behind the last.
    pub(super) end: usize,
    /// Where an exception goes.
    pub(super) handler: usize,
    /// The depth of the stack there, times two, and whether the position is pushed.
    pub(super) depth: usize,
}

/// A number of the exception table, most significant bits first.
fn read_number(bytes: &mut impl Iterator<Item = u8>) -> Option<usize> {
    let mut byte = bytes.next()?;
    let mut value = usize::from(byte & 63);
    while byte & 64 != 0 {
        byte = bytes.next()?;
        value = value << 6 | usize::from(byte & 63);
    }
    Some(value)
}

/// What is left of a number that is known to be small.
fn low_byte(value: usize) -> u8 {
    value.to_le_bytes()[0]
}

/// `first` marks the first byte of an entry.
fn write_number(table: &mut Vec<u8>, value: usize, first: u8) {
    let groups = (0..5).rev().find(|group| value >> (6 * group) != 0).unwrap_or(0);
    let begin = table.len();
    for group in (0..=groups).rev() {
        let more = if group > 0 { 64 } else { 0 };
        table.push(low_byte(value >> (6 * group) & 63) | more);
    }
    table[begin] |= first;
}

/// Decodes an exception table.
pub(super) fn read_exceptions(table: &[u8]) -> Option<Vec<Handled>> {
    let mut bytes = table.iter().copied().peekable();
    let mut entries = Vec::new();
    while bytes.peek().is_some() {
        let start = read_number(&mut bytes)?;
        let end = start + read_number(&mut bytes)?;
        let handler = read_number(&mut bytes)?;
        let depth = read_number(&mut bytes)?;
        entries.push(Handled { start, end, handler, depth });
    }
    Some(entries)
}

/// Encodes what [`read_exceptions`] decodes.
pub(super) fn write_exceptions(entries: &[Handled]) -> Vec<u8> {
    let mut table = Vec::with_capacity(8 * entries.len());
    for entry in entries {
        write_number(&mut table, entry.start, 128);
        write_number(&mut table, entry.end - entry.start, 0);
        write_number(&mut table, entry.handler, 0);
        write_number(&mut table, entry.depth, 0);
    }
    table
}

// The kinds of entries in a line table, in bits 3 to 6 of the first byte.
const ONE_LINE_0: u8 = 10;
const ONE_LINE_2: u8 = 12;
const NO_COLUMNS: u8 = 13;
const LONG: u8 = 14;

fn kind_of(entry: &[u8]) -> u8 {
    entry[0] >> 3 & 15
}

fn units_of(entry: &[u8]) -> usize {
    usize::from(entry[0] & 7) + 1
}

/// The entries of a line table; only their first bytes have the top bit.
fn entries(table: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = table;
    std::iter::from_fn(move || {
        let (_, behind) = rest.split_first()?;
        let length = behind.iter().position(|byte| byte & 128 != 0).unwrap_or(behind.len()) + 1;
        let (entry, others) = rest.split_at(length);
        rest = others;
        Some(entry)
    })
}

/// The kind and payload of an entry at the same place that follows this entry.
fn same_place(entry: &[u8]) -> (u8, Vec<u8>) {
    let kind = kind_of(entry);
    match kind {
        ONE_LINE_0..=ONE_LINE_2 => (ONE_LINE_0, entry[1..].to_vec()),
        NO_COLUMNS | LONG => {
            let line = 1 + entry[1..].iter().take_while(|&&byte| byte & 64 != 0).count();
            let mut payload = vec![0];
            payload.extend(entry.get(line + 1..).unwrap_or_default());
            (kind, payload)
        }
        _ => (kind, entry[1..].to_vec()),
    }
}

/// Appends entries of this kind for so many units, all of them with this payload.
fn append(table: &mut Vec<u8>, kind: u8, payload: &[u8], units: usize) {
    let mut left = units;
    while left > 0 {
        let length = left.min(8);
        table.push(128 | kind << 3 | low_byte(length - 1));
        table.extend_from_slice(payload);
        left -= length;
    }
}

/// Lengthens entries: `growth` holds pairs of a unit and how many units its entry grows by, in the units' order.
pub(super) fn grow_positions(table: &[u8], growth: &[(usize, usize)]) -> Option<Vec<u8>> {
    let mut grown = Vec::with_capacity(table.len() + 8 * growth.len());
    let mut growth = growth.iter().peekable();
    let mut end = 0;
    for entry in entries(table) {
        end += units_of(entry);
        grown.extend_from_slice(entry);
        // Several positions may lie in one entry: all of them grow behind it.
        while let Some(&&(unit, units)) = growth.peek()
            && unit < end
        {
            let (kind, payload) = same_place(entry);
            append(&mut grown, kind, &payload, units);
            growth.next();
        }
    }
    growth.next().is_none().then_some(grown)
}

/// How many lines the last position of a line table is below the first line.
pub(super) fn last_line(table: &[u8]) -> i64 {
    entries(table)
        .map(|entry| match kind_of(entry) {
            kind @ ONE_LINE_0..=ONE_LINE_2 => i64::from(kind - ONE_LINE_0),
            NO_COLUMNS | LONG => signed(&entry[1..]),
            _ => 0,
        })
        .sum()
}

/// The signed number at the beginning of a payload, least significant bits first.
fn signed(payload: &[u8]) -> i64 {
    let mut value = 0_i64;
    for (group, byte) in payload.iter().take(10).enumerate() {
        value |= i64::from(byte & 63) << (6 * group);
        if byte & 64 == 0 {
            break;
        }
    }
    if value & 1 == 1 { -(value >> 1) } else { value >> 1 }
}

/// Appends the position of units on the line that is `delta` below the last one.
pub(super) fn append_line(table: &mut Vec<u8>, delta: i64, units: usize) {
    let mut number = delta.unsigned_abs() << 1 | u64::from(delta < 0);
    let mut payload = Vec::with_capacity(4);
    while number > 63 {
        payload.push(number.to_le_bytes()[0] & 63 | 64);
        number >>= 6;
    }
    payload.push(number.to_le_bytes()[0]);
    append(table, NO_COLUMNS, &payload, units.min(8));
    append(table, NO_COLUMNS, &[0], units.saturating_sub(8));
}
