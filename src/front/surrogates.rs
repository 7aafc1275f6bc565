//! Strings with lone surrogates, which no Rust string can hold.
//!
//! In: the text of a literal and the value that the parser made of it, with U+FFFD for each lone surrogate. Out: the
//! value in UTF-8 with the surrogates written as if they were characters, as `"surrogatepass"` has it.

use crate::ir::Const;

const STAND_IN: char = '\u{fffd}';

/// The value of a string, in UTF-8 but for lone surrogates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(Vec<u8>);

impl Text {
    /// Adds the value of a literal, or of a piece of one; false when the surrogates in it can't be told.
    #[must_use]
    pub(super) fn push(&mut self, value: &str, source: &str, is_raw: bool) -> bool {
        if !value.contains(STAND_IN) || is_raw || !source.contains('\\') {
            self.0.extend_from_slice(value.as_bytes());
            return true;
        }
        let stand_ins = stand_ins_of(source);
        if stand_ins.len() != value.matches(STAND_IN).count() {
            return false;
        }
        let mut known = stand_ins.into_iter();
        for (number, piece) in value.split(STAND_IN).enumerate() {
            if number > 0 {
                let unit = known.next().flatten().unwrap_or(STAND_IN as u32);
                self.0.extend(three_bytes(unit));
            }
            self.0.extend_from_slice(piece.as_bytes());
        }
        true
    }

    /// Adds text that stands for itself.
    pub(super) fn push_plain(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The constant with this value.
    pub(super) fn into_const(self) -> Const {
        match String::from_utf8(self.0) {
            Ok(text) => Const::Str(text),
            Err(error) => Const::Surrogates(error.into_bytes()),
        }
    }
}

/// A code point between U+0800 and U+FFFF as UTF-8 writes characters there.
fn three_bytes(unit: u32) -> [u8; 3] {
    let low_bits = |shift: u32| u8::try_from(unit >> shift & 0x3f).expect("six bits");
    [0xe0 | low_bits(12), 0x80 | low_bits(6), 0x80 | low_bits(0)]
}

/// What each U+FFFD in a literal's value stands for: a lone surrogate, or itself. One that is written by its name is
/// left out.
fn stand_ins_of(source: &str) -> Vec<Option<u32>> {
    let mut found = Vec::new();
    let mut rest = source.chars();
    while let Some(char) = rest.next() {
        if char == STAND_IN {
            found.push(None);
        }
        if char != '\\' {
            continue;
        }
        let digits = match rest.next() {
            Some('u') => 4,
            Some('U') => 8,
            _ => continue,
        };
        let text: String = rest.by_ref().take(digits).collect();
        match u32::from_str_radix(&text, 16) {
            Ok(unit @ 0xd800..=0xdfff) => found.push(Some(unit)),
            Ok(0xfffd) => found.push(None),
            _ => {}
        }
    }
    found
}
