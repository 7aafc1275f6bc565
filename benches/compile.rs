//! Compile throughput: from source text to machine code, nothing imported and nothing run.
//!
//! In: the texts of `benches/programs` that have functions the compiler takes, and a generated module of many
//! functions. Out: criterion's times, as source lines per second (its `elem/s`), and bytes of code per source line.
//!
//! - `text_to_code/<program>`: parse, blueprints, passes, Cranelift, executable memory.
//! - `parse`, `blueprint`, `compile`: these stages alone, over all programs together and over the generated module.
//!
//! A line counts when it belongs to a function that is compiled (for `parse`: every line of the text), so what a
//! module has besides such functions makes the numbers worse, never better.

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use _castiron::cpython::Layout;
use _castiron::driver;
use _castiron::driver::Compiled;
use _castiron::driver::Force;
use _castiron::driver::Request;
use _castiron::driver::Session;
use _castiron::driver::ahead;
use _castiron::emit::jit::JitUnit;
use _castiron::front;
use _castiron::front::ParsedModule;
use _castiron::source::SourceFile;
use criterion::BatchSize;
use criterion::Bencher;
use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;

/// How many functions the generated module has.
const GENERATED_FUNCTIONS: usize = 120;

/// A text with functions that compile.
struct Program {
    name: String,
    file: SourceFile,
    /// Lines of the functions that compile.
    lines: u64,
    /// Bytes of machine code.
    code: u64,
}

/// A unit that nobody runs: its memory is given back when it is dropped.
struct Unrun(Option<JitUnit>);

impl Unrun {
    fn of(compiled: Compiled) -> Unrun {
        Unrun(Some(compiled.code))
    }
}

impl Drop for Unrun {
    fn drop(&mut self) {
        if let Some(unit) = self.0.take() {
            // SAFETY: the unit was never loaded, and no address in it was ever asked for.
            unsafe { unit.free() };
        }
    }
}

fn main() -> io::Result<()> {
    let session = session();
    let programs = programs(&session)?;
    let generated = Program::of(&session, "generated", generated_text()).expect("the templates compile");
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    text_to_code(&mut criterion, &session, programs.iter().chain([&generated]));
    stages(&mut criterion, &session, "programs", &programs);
    stages(&mut criterion, &session, "generated", std::slice::from_ref(&generated));
    criterion.final_summary();
    print_sizes(programs.iter().chain([&generated]))
}

/// The session of a CPython 3.11 with enforced annotations, as `@jit` has it.
fn session() -> Session {
    let options = front::BuildOptions {
        promise: front::Promise::Enforced,
        assertions: front::Assertions::Kept,
        dialect: front::Dialect::of_minor(11),
    };
    let layout = Layout::for_version(3, 11).expect("3.11 is among the layouts");
    Session { layout, options, strict: false, force: Force::Nothing }
}

/// The programs, their twins too, of which anything compiles.
fn programs(session: &Session) -> io::Result<Vec<Program>> {
    let mut paths = Vec::new();
    for folder in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/programs"))? {
        let folder = folder?;
        let name = folder.file_name().to_string_lossy().into_owned();
        paths.push((name.clone(), folder.path().join("plain.py")));
        paths.push((format!("{name}.twin"), folder.path().join("twin.py")));
    }
    paths.retain(|(_, path)| path.exists());
    paths.sort();
    let mut found = Vec::new();
    for (name, path) in paths {
        found.extend(Program::of(session, &name, fs::read_to_string(path)?));
    }
    Ok(found)
}

impl Program {
    /// The program, if any of its functions compiles.
    fn of(session: &Session, name: &str, text: String) -> Option<Program> {
        let file = SourceFile::new(name, text);
        let request = ahead::request(session, &parsed(&file));
        if request.functions.is_empty() {
            return None;
        }
        let lines = |member: &driver::Member| {
            let range = member.blueprint().info.range;
            u64::from(file.line(range.end()) - file.line(range.start()) + 1)
        };
        let lines = request.functions.iter().map(lines).sum();
        let compiled = compiled(session, &request);
        let code = compiled.code.code_bytes();
        drop(Unrun::of(compiled));
        Some(Program { name: name.to_owned(), file, lines, code })
    }
}

fn parsed(file: &SourceFile) -> Arc<ParsedModule> {
    Arc::new(front::parse(file).expect("the programs have no syntax errors"))
}

fn compiled(session: &Session, request: &Request) -> Compiled {
    match driver::compile(session, request) {
        Ok(compiled) => compiled,
        Err(failure) => panic!("what has a blueprint compiles here: {failure:?}"),
    }
}

/// The way of one text through everything.
fn text_to_code<'a>(
    criterion: &mut Criterion,
    session: &Session,
    programs: impl Iterator<Item = &'a Program>,
) {
    let mut group = criterion.benchmark_group("text_to_code");
    for program in programs {
        group.throughput(Throughput::Elements(program.lines));
        group.bench_function(BenchmarkId::from_parameter(&program.name), |bencher| {
            measure(bencher, || {
                Unrun::of(compiled(session, &ahead::request(session, &parsed(&program.file))))
            });
        });
    }
    group.finish();
}

/// Each stage alone, over all of the texts.
fn stages(criterion: &mut Criterion, session: &Session, name: &str, programs: &[Program]) {
    let modules: Vec<Arc<ParsedModule>> = programs.iter().map(|program| parsed(&program.file)).collect();
    let requests: Vec<Request> = modules.iter().map(|module| ahead::request(session, module)).collect();
    let all_lines: usize = programs.iter().map(|program| program.file.text().lines().count()).sum();
    let lines: u64 = programs.iter().map(|program| program.lines).sum();
    let all_lines = u64::try_from(all_lines).expect("a usize is no wider than 64 bits");

    let mut stage = |stage: &str, lines: u64, work: &mut dyn FnMut(&mut Bencher<'_>)| {
        let mut group = criterion.benchmark_group(stage);
        group.throughput(Throughput::Elements(lines)).bench_function(name, |bencher| work(bencher));
        group.finish();
    };
    stage("parse", all_lines, &mut |bencher| {
        measure(bencher, || programs.iter().map(|program| parsed(&program.file)).collect::<Vec<_>>());
    });
    stage("blueprint", lines, &mut |bencher| {
        measure(bencher, || modules.iter().map(|module| ahead::request(session, module)).collect::<Vec<_>>());
    });
    stage("compile", lines, &mut |bencher| {
        let unit = |request| Unrun::of(compiled(session, request));
        measure(bencher, || requests.iter().map(unit).collect::<Vec<_>>());
    });
}

/// Times the work, but not the drop of what it made. Batches are small because each unit reserves address space.
fn measure<T>(bencher: &mut Bencher<'_>, mut work: impl FnMut() -> T) {
    bencher.iter_batched(|| (), |()| work(), BatchSize::LargeInput);
}

/// Bytes of machine code for each line of the functions that it was made of.
fn print_sizes<'a>(programs: impl Iterator<Item = &'a Program>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\n{:<24} {:>6} {:>12} {:>14}", "program", "lines", "code bytes", "bytes per line")?;
    for Program { name, lines, code, .. } in programs {
        writeln!(out, "{name:<24} {lines:>6} {code:>12} {:>14}", code / lines)?;
    }
    Ok(())
}

/// A module of many functions of four kinds: loops over ints and floats, tuples, calls of the function before.
fn generated_text() -> String {
    let mut text = String::from("import math\n\n\ndef step0(n: int) -> int:\n    return n + 1\n");
    for number in 1..GENERATED_FUNCTIONS {
        text.push_str(&match number % 4 {
            0 => int_loop(number),
            1 => float_loop(number),
            2 => tuples(number),
            _ => branches(number),
        });
    }
    text
}

fn int_loop(number: usize) -> String {
    format!(
        "

def step{number}(n: int) -> int:
    total = {number}
    for i in range(n):
        if i % {modulus} == 0:
            total += i * i // 3
        elif total > 1000000:
            total -= i << 2
        else:
            total ^= i & 255
    return total
",
        modulus = number % 7 + 2
    )
}

fn float_loop(number: usize) -> String {
    format!(
        "

def step{number}(n: int) -> int:
    x, y = 0.5, {number}.25
    count = 0
    while count < n and x * x + y * y < 1e12:
        x, y = x * 0.75 - y * 0.25 + 1.0, x * 0.25 + math.sqrt(y * y + 1.0)
        count += 1
    return count if x < y else -count
"
    )
}

fn tuples(number: usize) -> String {
    format!(
        "

def step{number}(n: int) -> int:
    low, high = min(n, {number}), max(n, {number})
    while high:
        low, high = high, low % high
    return abs(low)
"
    )
}

fn branches(number: usize) -> String {
    format!(
        "

def step{number}(n: int) -> int:
    if n < 0:
        return step{before}(-n)
    result = 0
    for i in range(n, 0, -1):
        result += step{before}(i) if i & 1 else step{further}(i)
        if result > 10 ** 9:
            raise ValueError(\"too large\")
    return result
",
        before = number - 1,
        further = number - 2
    )
}
