//! House rules that the compiler does not check: layering, file sizes, module docs, homes of `unsafe` and of external crates.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Which of our modules each module may use, besides itself (docs/architecture.md, "Layers").
const MAY_USE: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("types", &[]),
    ("ir", &["types"]),
    ("front", &["ir", "types", "source"]),
    ("analysis", &["ir", "types"]),
    ("passes", &["ir", "types", "analysis"]),
    ("cpython", &[]),
    ("runtime", &["cpython", "types", "ir"]),
    ("codegen", &["ir", "types", "analysis", "runtime", "cpython"]),
    ("emit", &["codegen", "runtime"]),
    ("check", &["types", "source", "cpython", "runtime"]),
    (
        "driver",
        &[
            "source", "types", "ir", "front", "analysis", "passes", "cpython", "runtime", "codegen", "emit",
            "check",
        ],
    ),
    (
        "python",
        &["driver", "check", "source", "types", "cpython", "runtime", "ir", "front", "codegen", "emit"],
    ),
];

/// Where `unsafe` may stand.
const UNSAFE_HOMES: &[&str] = &["cpython", "runtime", "emit", "check", "python"];

/// Where paths into external crates may stand.
const CRATE_HOMES: &[(&str, &[&str])] = &[
    ("pyo3", &["cpython", "runtime", "check", "python"]),
    ("cranelift_", &["codegen", "emit"]),
    ("ruff_python_", &["source", "front"]),
    ("ruff_source_file", &["source", "front"]),
];

/// Macros exported at the crate root, by the module that owns them.
const ROOT_MACROS: &[(&str, &str)] = &[("for_each_op", "ir"), ("for_each_helper", "runtime")];

const MAX_LINES: usize = 800;

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir)
        .expect("the folder is readable")
        .map(|entry| entry.expect("the entry is readable").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The first component of the path below `src`, without the ending.
fn module_of(path: &Path, src: &Path) -> String {
    let relative = path.strip_prefix(src).expect("the file lies below src");
    let first = relative.components().next().expect("a file has a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The line without comments and the contents of string literals.
fn code_of(line: &str) -> String {
    let mut code = String::new();
    let mut in_string = false;
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' if in_string => {
                chars.next();
            }
            '"' => in_string = !in_string,
            '/' if !in_string && chars.peek() == Some(&'/') => break,
            _ if in_string => {}
            _ => code.push(char),
        }
    }
    code
}

/// The identifier at the start of the text.
fn identifier(text: &str) -> &str {
    let end = text.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(text.len());
    &text[..end]
}

/// Whether `word` stands in the code as a word, or as a word's beginning when it ends in `_`.
fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        let is_part = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
        !is_part(before) && (word.ends_with('_') || !is_part(after))
    })
}

fn check_line(module: &str, code: &str, complain: &mut impl FnMut(&str)) {
    let used = code.match_indices("crate::").map(|(at, found)| &code[at + found.len()..]);
    let allowed = MAY_USE.iter().find(|(name, _)| *name == module).map(|(_, uses)| *uses);
    for rest in used {
        let name = identifier(rest);
        let name = ROOT_MACROS
            .iter()
            .find(|(name_of_macro, _)| *name_of_macro == name)
            .map_or(name, |(_, owner)| owner);
        if name.is_empty() {
            complain("one `crate::` path per `use`");
        } else if name != module && allowed.is_some_and(|uses| !uses.contains(&name)) {
            complain(&format!("`{module}` must not use `{name}`"));
        }
    }
    if code.contains("super::super") {
        complain("no `super::super`");
    }
    if has_word(code, "unsafe") && !UNSAFE_HOMES.contains(&module) {
        complain("`unsafe` is not at home here");
    }
    for (name, homes) in CRATE_HOMES {
        if has_word(code, name) && !homes.contains(&module) {
            complain(&format!("`{name}` is not at home here"));
        }
    }
}

#[test]
fn source_follows_the_house_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let src = root.join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut report = String::new();
    for path in &files {
        let text = fs::read_to_string(path).expect("source is UTF-8");
        let name = path.strip_prefix(root).expect("the file lies below the root").display();
        let module = module_of(path, &src);
        if !text.starts_with("//!") {
            writeln!(report, "{name}:1: the file does not open with `//!`")
                .expect("writing to a string succeeds");
        }
        let lines = text.lines().count();
        if lines > MAX_LINES {
            writeln!(report, "{name}: {lines} lines, {MAX_LINES} are allowed")
                .expect("writing to a string succeeds");
        }
        if path.ends_with("mod.rs") {
            writeln!(report, "{name}: `foo.rs` and `foo/` instead of `mod.rs`")
                .expect("writing to a string succeeds");
        }
        if ["lib", "build"].contains(&module.as_str()) {
            continue;
        }
        if !MAY_USE.iter().any(|(known, _)| *known == module) {
            writeln!(report, "{name}: module `{module}` is not in the table of layers")
                .expect("writing to a string succeeds");
        }
        for (number, line) in text.lines().enumerate() {
            check_line(&module, &code_of(line), &mut |complaint| {
                writeln!(report, "{name}:{}: {complaint}", number + 1).expect("writing to a string succeeds");
            });
        }
    }
    assert!(report.is_empty(), "\n{report}");
}
