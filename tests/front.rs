//! The front end on texts that no file should hold, and positions as CPython counts them.

use std::thread;

use _castiron::front;
use _castiron::ir::FuncId;
use _castiron::ir::Unit;
use _castiron::source;
use _castiron::source::Diagnostic;
use _castiron::source::SourceFile;
use ruff_text_size::TextRange;
use ruff_text_size::TextSize;

const DEPTH: usize = 100_000;

/// Less than a thread of Python's has at the end of its recursion limit.
const SMALL_STACK: usize = 256 * 1024;

/// Everything that the front end says of a text, on a thread with little stack.
fn diagnose(text: String) -> (Vec<Diagnostic>, String) {
    let work = move || {
        let file = SourceFile::new("hostile.py", text);
        let options = front::BuildOptions {
            promise: front::Promise::Enforced,
            assertions: front::Assertions::Kept,
            dialect: front::Dialect::of_minor(11),
        };
        let found = match front::parse(&file) {
            Err(found) => found,
            Ok(module) => {
                let infos = front::functions(&module);
                let builds = infos.iter().map(|info| {
                    assert_eq!(front::annotated_signature(&module, info).params.len(), info.parameters.len());
                    front::build(&module, info, FuncId::new(0), options, &mut Unit::default())
                });
                builds.filter_map(Result::err).flatten().collect()
            }
        };
        let rendered = source::render(&found, &file);
        (found, rendered)
    };
    let thread = thread::Builder::new().stack_size(SMALL_STACK).spawn(work).expect("a thread starts");
    thread.join().expect("the front end returns")
}

fn codes(text: String) -> Vec<&'static str> {
    diagnose(text).0.iter().map(|found| found.reason.code()).collect()
}

#[test]
fn deep_nesting_ends_in_a_diagnostic() {
    let expressions = [
        ("x+", "x", "", "too-deep"),
        ("-", "x", "", "too-deep"),
        ("not ", "x", "", "too-deep"),
        ("x(", "", ")", "too-deep"),
        ("(1,", "x", ")", "too-deep"),
        ("(y:=", "x", ")", "too-deep"),
        ("x if x else ", "x", "", "too-deep"),
        ("", "x", ".a", "too-deep"),
        ("x[", "x", "]", "too-deep"),
        ("[", "x", "]", "too-deep"),
        ("x and ", "x", "", "too-large"),
        ("x < ", "x", "", "too-large"),
        ("(", "", "", "syntax-error"),
    ];
    for (open, middle, close, code) in expressions {
        let text = format!("def f(x):\n return {}{middle}{}\n", open.repeat(DEPTH), close.repeat(DEPTH));
        assert_eq!(codes(text).first(), Some(&code), "{open}…{close}");
    }
    let parentheses = format!("def f(x):\n return {}x{}\n", "(".repeat(DEPTH), ")".repeat(DEPTH));
    assert!(codes(parentheses).is_empty());
    let format = format!("def f(x):\n return f'{}{}'\n", "{x:".repeat(2_000), "}".repeat(2_000));
    assert_eq!(codes(format).first(), Some(&"too-deep"));
    let annotation = format!("def f(x: {}int{}): pass\n", "tuple[".repeat(DEPTH), "]".repeat(DEPTH));
    assert!(codes(annotation).is_empty());
}

#[test]
fn deep_statements_end_in_a_diagnostic() {
    let nested = |head: &str, depth: usize| -> String {
        let lines = (0..depth).map(|level| format!("{}{head}\n", " ".repeat(level)));
        lines.chain([format!("{}pass\n", " ".repeat(depth))]).collect()
    };
    assert!(codes(nested("def f(x):", 1000)).is_empty());
    let lambdas = format!("def f(x):\n return {}x\n", "lambda: ".repeat(DEPTH));
    assert!(codes(lambdas).is_empty());
    assert!(codes(nested("class C:", 3000)).is_empty());
    let body: String = nested("if x:", 3000).lines().map(|line| format!(" {line}\n")).collect();
    assert_eq!(codes(format!("def f(x):\n{body}")), ["too-deep"]);
    let pattern = format!("def f(x):\n match x:\n  case {}y{}: pass\n", "[".repeat(DEPTH), "]".repeat(DEPTH));
    assert_eq!(codes(pattern), ["too-deep"]);
}

#[test]
fn long_functions_compile_or_say_that_they_are_too_large() {
    let lines = |line: &str, count: usize| format!("def f(x):\n{}", format!(" {line}\n").repeat(count));
    assert!(codes(lines("x = x * 3 + 1", 10_000)).is_empty());
    assert_eq!(codes(lines("x = x * 3 + 1", 100_000)), ["too-large"]);
    let variables: String = (0..20_000).map(|number| format!(" if x: v{number} = x\n")).collect();
    assert_eq!(codes(format!("def f(x):\n{variables}")), ["too-large"]);
}

#[test]
fn a_diagnostic_shows_its_line() {
    let (_, text) = diagnose("def f(n):\n    '日本'; yield n\n".to_owned());
    let wanted = "\
error[yield]: a generator can't be compiled yet
 --> hostile.py:2:11
  |
2 |     '日本'; yield n
  |             ^^^^^^^
  |
  = help: compute each item in a function of its own and yield its result
";
    assert_eq!(text, wanted);
}

#[test]
fn positions_are_those_of_co_positions() {
    let position = |text: &str, start: usize, end: usize| {
        let offset = |number| TextSize::new(u32::try_from(number).unwrap());
        let found = SourceFile::new("", text).position(TextRange::new(offset(start), offset(end)));
        (found.line, found.column, found.end_line, found.end_column)
    };
    assert_eq!(position("a\nbc\n", 2, 4), (2, 0, 2, 2));
    assert_eq!(position("é\té", 3, 5), (1, 3, 1, 5));
    assert_eq!(position("a\r\nb\rc", 3, 6), (2, 0, 3, 1));
    assert_eq!(position("\u{feff}ab", 3, 5), (1, 0, 1, 2));
    assert_eq!(position("ab", 7, 9), (1, 2, 1, 2));
}
