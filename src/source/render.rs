//! Diagnostics as text, the way rustc and ruff print them.
//!
//! ```text
//! error[yield]: a generator can't be compiled yet
//!  --> demo.py:2:5
//!   |
//! 2 |     yield n
//!   |     ^^^^^^^
//!   |
//!   = help: compute each item in a function of its own and yield its result
//! ```

use std::ops::Range;

use annotate_snippets::AnnotationKind;
use annotate_snippets::Level;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;
use ruff_text_size::TextRange;

use super::Diagnostic;
use super::SourceFile;

/// All diagnostics, in their order, each with the first line of its text; ends with a line break unless
/// there is none at all.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], file: &SourceFile) -> String {
    let renderer = Renderer::plain();
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&render_one(&renderer, diagnostic, file));
        text.push_str("\n\n");
    }
    text.pop();
    text
}

fn render_one(renderer: &Renderer, diagnostic: &Diagnostic, file: &SourceFile) -> String {
    let (line, span) = first_line(diagnostic.range, file);
    let number = file.line(diagnostic.range.start()) as usize;
    let message = diagnostic.reason.to_string();
    let snippet = Snippet::source(line)
        .line_start(number)
        .path(file.path())
        .annotation(AnnotationKind::Primary.span(span));
    let mut group = Level::ERROR.primary_title(message).id(diagnostic.reason.code()).element(snippet);
    if let Some(help) = diagnostic.reason.help() {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// The line on which the range begins, and which part of it to mark. A range of many lines is marked up
/// to the end of its first: a diagnostic names a statement, it does not quote it.
fn first_line(range: TextRange, file: &SourceFile) -> (&str, Range<usize>) {
    let start = file.line_start(range.start());
    let end = file.line_end(range.start());
    let line = file.slice(TextRange::new(start, end.max(start)));
    let from = (range.start().min(end) - start).to_usize();
    let to = (range.end().min(end).max(start) - start).to_usize();
    (line, char_boundary(line, from)..char_boundary(line, to.max(from)))
}

fn char_boundary(line: &str, offset: usize) -> usize {
    (0..=offset.min(line.len())).rev().find(|&offset| line.is_char_boundary(offset)).unwrap_or(0)
}
