//! Source text: the file, its lines, positions as CPython counts them, and what we have to say about it.
//!
//! In: a path and a text. Out: [`Position`]s for byte ranges, [`Diagnostic`]s and their rendering.
//! A range that lies outside the text is cut to it: nothing here fails.

pub mod diagnostic;
pub mod render;

use std::sync::Arc;

use ruff_source_file::LineIndex;
use ruff_text_size::TextRange;
use ruff_text_size::TextSize;

pub use diagnostic::Diagnostic;
pub use diagnostic::Reason;
pub use render::render;

/// The byte order mark, which CPython takes off before it counts columns.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A file of Python source; a clone shares its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    path: Arc<str>,
    text: Arc<str>,
    lines: LineIndex,
}

/// Where a piece of text lies, as `code.co_positions()` says it: lines from 1, columns in UTF-8 bytes from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The line of its first byte.
    pub line: u32,
    /// The column of its first byte.
    pub column: u32,
    /// The line of its end.
    pub end_line: u32,
    /// The column of its end.
    pub end_column: u32,
}

impl SourceFile {
    /// A file with this path (for messages only: nothing is read) and this text.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> SourceFile {
        let text = text.into();
        SourceFile { path: path.into().into(), lines: LineIndex::from_source_text(&text), text: text.into() }
    }

    /// The path as it was given.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a range.
    #[must_use]
    pub fn slice(&self, range: TextRange) -> &str {
        self.text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or("")
    }

    /// The line and column of both ends of a range.
    #[must_use]
    pub fn position(&self, range: TextRange) -> Position {
        let (line, column) = self.line_and_column(range.start());
        let (end_line, end_column) = self.line_and_column(range.end());
        Position { line, column, end_line, end_column }
    }

    /// The line, from 1, of an offset.
    #[must_use]
    pub fn line(&self, offset: TextSize) -> u32 {
        self.line_and_column(offset).0
    }

    /// The offset at which the line of an offset begins.
    pub(crate) fn line_start(&self, offset: TextSize) -> TextSize {
        self.lines.line_start(self.lines.line_index(self.clamp(offset)), &self.text)
    }

    /// The offset at which the line of an offset ends, its line break not included.
    pub(crate) fn line_end(&self, offset: TextSize) -> TextSize {
        let line = self.lines.line_index(self.clamp(offset));
        let start = self.lines.line_start(line, &self.text);
        let whole = self.slice(TextRange::new(start, self.lines.line_end(line, &self.text)));
        start + TextSize::of(whole.trim_end_matches(['\r', '\n']))
    }

    fn clamp(&self, offset: TextSize) -> TextSize {
        offset.min(TextSize::of(self.text()))
    }

    fn line_and_column(&self, offset: TextSize) -> (u32, u32) {
        let offset = self.clamp(offset);
        let line = self.lines.line_index(offset);
        let mut start = self.lines.line_start(line, &self.text);
        if start == TextSize::new(0) && self.text.starts_with(BYTE_ORDER_MARK) {
            start = TextSize::of(BYTE_ORDER_MARK).min(offset);
        }
        let number = u32::try_from(line.get()).expect("texts are shorter than 4 GiB, so have fewer lines");
        (number, u32::from(offset - start))
    }
}
