//! Cases as data: a file in, a file out. `CASTIRON_BLESS=1` rewrites what comes out.
//!
//! - `ir/*.py`: the generic versions of the file's functions, in the `.ir` beside it; their reference counts balance.
//! - `front/*.py`: what `# error[code]: message` comments say of their lines is what the front end finds, and nothing else.
//! - `functions/*.py`: the file's functions, one a line, in the `.out` beside it.
//! - `passes/<pass>/*.ir`: the pass goes over every version in the unit; the result is the `.out` beside it.
//! - `specialise/*.py`: the specialised versions of the file's functions, inlined and simplified, in the `.ir` beside it.
//! - `optimised/*.py`: the specialised versions after all passes, in the `.ir` beside it.
//! - `run/*.py`: what every pass makes of the programs that Python runs passes every check.
//! - `verify/*.ir`: the faults that the verifier finds, in the `.out` beside it.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use _castiron::analysis::ranges::Ranges;
use _castiron::front;
use _castiron::front::build::Assertions;
use _castiron::ir::Builtin;
use _castiron::ir::Const;
use _castiron::ir::FuncId;
use _castiron::ir::GlobalFact;
use _castiron::ir::MathFn;
use _castiron::ir::Unit;
use _castiron::ir::UnitFunction;
use _castiron::ir::parse;
use _castiron::ir::verify::Version;
use _castiron::passes;
use _castiron::passes::Counts;
use _castiron::passes::specialise::Facts;
use _castiron::passes::specialise::specialise;
use _castiron::source;
use _castiron::source::Diagnostic;
use _castiron::source::SourceFile;
use _castiron::types::Type;

/// Compares `actual` with the file, or writes the file when blessing.
fn expect(path: &Path, actual: &str) -> datatest_stable::Result<()> {
    if env::var_os("CASTIRON_BLESS").is_some() {
        fs::write(path, actual)?;
        return Ok(());
    }
    let expected = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if expected == actual {
        return Ok(());
    }
    let first = expected.lines().zip(actual.lines()).position(|(wanted, got)| wanted != got);
    let line = first.unwrap_or_else(|| expected.lines().count().min(actual.lines().count())) + 1;
    Err(format!("{}:{line}: the outcome differs\n--- got ---\n{actual}", path.display()).into())
}

/// Parses the text, and makes sure that its printed form is read back as the same.
fn read(text: &str) -> datatest_stable::Result<Unit> {
    let unit = parse::parse(text)?;
    let printed = unit.to_string();
    let again = parse::parse(&printed).map_err(|error| format!("{error} in\n{printed}"))?.to_string();
    if printed == again {
        Ok(unit)
    } else {
        Err(format!("read back as\n{again}\ninstead of\n{printed}").into())
    }
}

/// Checks every version in the unit.
fn verify(unit: &Unit, counts: Counts) -> datatest_stable::Result<()> {
    for function in &unit.functions {
        for (version, func) in
            [(Version::Generic, &function.generic), (Version::Specialised, &function.specialised)]
        {
            if let Some(func) = func {
                passes::verify(unit, func, version, counts)?;
            }
        }
    }
    Ok(())
}

/// What the cases take for known: the builtins, `math`, the functions of the unit and the global `LIMIT`.
fn facts(unit: &Unit) -> Facts {
    let mut facts = Facts::default();
    for &builtin in Builtin::ALL {
        facts.insert(builtin.name().to_owned(), GlobalFact::Builtin(builtin));
    }
    facts.insert("math".to_owned(), GlobalFact::MathModule);
    facts.insert("math.pi".to_owned(), GlobalFact::Value(Const::Float(std::f64::consts::PI.to_bits())));
    for name in ["floor", "gcd", "isnan", "sqrt"]
        .into_iter()
        .chain(MathFn::ALL.iter().map(|function| function.name()))
    {
        facts.insert(format!("math.{name}"), GlobalFact::Math(name.to_owned()));
    }
    for (number, function) in unit.functions.iter().enumerate() {
        facts.insert(function.name.clone(), GlobalFact::Function(FuncId::new(number)));
    }
    facts.insert("LIMIT".to_owned(), GlobalFact::Value(Const::Int(100)));
    facts.insert(".field_x".to_owned(), GlobalFact::Likely(Type::Float));
    facts.insert(".field_n".to_owned(), GlobalFact::Likely(Type::Int));
    facts
}

/// Runs the pass that the folder is named after over every version that it is meant for.
fn run_pass(pass: &str, unit: &mut Unit) -> datatest_stable::Result<Counts> {
    if pass == "specialise" {
        let facts = facts(unit);
        for id in (0..unit.functions.len()).map(FuncId::new) {
            unit.functions[id.index()].specialised = specialise(unit, id, &facts);
        }
        return Ok(Counts::Absent);
    }
    if pass == "quiet" {
        passes::quiet::mark_quiet_calls(unit);
        return Ok(Counts::Absent);
    }
    if pass == "fields" {
        for id in (0..unit.functions.len()).map(FuncId::new) {
            passes::fields::read_fields_once(unit, id);
        }
        return Ok(Counts::Absent);
    }
    if pass == "unboxed" {
        for id in (0..unit.functions.len()).map(FuncId::new) {
            passes::unboxed::give_numbers(unit, id);
        }
        return Ok(Counts::Absent);
    }
    if pass == "late" {
        for id in (0..unit.functions.len()).map(FuncId::new) {
            passes::late_tests::test_late(unit, id);
        }
        return Ok(Counts::Absent);
    }
    if pass == "dissolve" {
        for number in 0..unit.functions.len() {
            let Some(mut func) = unit.functions[number].specialised.take() else { continue };
            passes::dissolve::dissolve_instances(unit, &mut func);
            unit.functions[number].specialised = Some(func);
        }
        return Ok(Counts::Absent);
    }
    for function in &mut unit.functions {
        for (version, func) in
            [(Version::Generic, &mut function.generic), (Version::Specialised, &mut function.specialised)]
        {
            let Some(func) = func else { continue };
            match (pass, version) {
                ("refcount", version) => passes::refcount::insert_counts(func, version),
                (_, Version::Generic) => {}
                ("demand", _) => passes::demand::drop_checks_below_masks(func),
                ("overflow", _) => passes::overflow::eliminate_overflow_checks(func, &Ranges::of(func)),
                ("simplify", _) => passes::simplify::simplify(func),
                ("rotate", _) => passes::rotate::rotate_loops(func),
                ("anchors", _) => passes::guards::drop_idle_anchors(func),
                ("guards", _) => passes::guards::remove_guards(func),
                ("moves", _) => passes::moves::move_items(func),
                ("nans", _) => passes::nans::let_nans_pass(func),
                ("open", _) => passes::open::open_containers(func),
                _ => return Err(format!("no pass is called {pass}").into()),
            }
        }
    }
    Ok(if pass == "refcount" { Counts::Present } else { Counts::Absent })
}

fn pass(path: &Path, text: String) -> datatest_stable::Result<()> {
    let mut unit = read(&text)?;
    verify(&unit, Counts::Absent)?;
    let folder = path.parent().and_then(Path::file_name).ok_or("a pass case lies in its pass' folder")?;
    let counts = run_pass(&folder.to_string_lossy(), &mut unit)?;
    let printed = unit.to_string();
    read(&printed)?;
    verify(&unit, counts)?;
    expect(&path.with_extension("out"), &printed)
}

fn faults(path: &Path, text: String) -> datatest_stable::Result<()> {
    let unit = parse::parse(&text)?;
    let mut found = String::new();
    for function in &unit.functions {
        for (version, func) in
            [(Version::Generic, &function.generic), (Version::Specialised, &function.specialised)]
        {
            let Some(func) = func else { continue };
            if let Err(error) = passes::verify(&unit, func, version, Counts::Absent) {
                error.faults.iter().for_each(|fault| found.extend([fault, "\n"]));
            }
        }
    }
    expect(&path.with_extension("out"), &found)
}

/// The options of the snapshots: a promise, assertions, CPython 3.13.
const SNAPSHOT: front::BuildOptions = front::BuildOptions {
    promise: front::Promise::Enforced,
    assertions: Assertions::Kept,
    dialect: front::Dialect::of_minor(13),
};

/// Builds every function of the file: a unit with those that compile, and what is wrong with the others.
fn build(file: &SourceFile) -> (Unit, Vec<Diagnostic>) {
    let mut unit = Unit::default();
    let module = match front::parse(file) {
        Ok(module) => module,
        Err(diagnostics) => return (unit, diagnostics),
    };
    let mut diagnostics = Vec::new();
    for info in front::functions(&module) {
        let id = FuncId::new(unit.functions.len());
        match front::build(&module, &info, id, SNAPSHOT, &mut unit) {
            Ok(built) => unit.functions.push(UnitFunction {
                name: info.qualname.clone(),
                signature: front::annotated_signature(&module, &info),
                keyword_only: info.keyword_only(),
                names: Vec::new(),
                variables: built.variables,
                nested: built.nested,
                free: built.free,
                promised: true,
                checked_first: false,
                checked_classes: Vec::new(),
                gains: true,
                generic: Some(built.function),
                specialised: None,
            }),
            Err(found) => diagnostics.extend(found),
        }
    }
    (unit, diagnostics)
}

fn ir(path: &Path, text: String) -> datatest_stable::Result<()> {
    let file = SourceFile::new(path.display().to_string(), text);
    let (unit, diagnostics) = build(&file);
    if !diagnostics.is_empty() {
        return Err(source::render(&diagnostics, &file).into());
    }
    verify(&unit, Counts::Absent)?;
    let printed = unit.to_string();
    read(&printed)?;
    expect(&path.with_extension("ir"), &printed)?;
    let mut counted = unit;
    for function in &mut counted.functions {
        if let Some(generic) = &mut function.generic {
            passes::refcount::insert_counts(generic, Version::Generic);
        }
    }
    verify(&counted, Counts::Present)
}

/// The specialised versions of everything in the file that can be compiled.
fn specialise_all(path: &Path, text: String) -> datatest_stable::Result<Unit> {
    let file = SourceFile::new(path.display().to_string(), text);
    let (mut unit, _) = build(&file);
    run_pass("specialise", &mut unit)?;
    verify(&unit, Counts::Absent)?;
    for id in (0..unit.functions.len()).map(FuncId::new) {
        passes::inline::inline_calls(&mut unit, id);
    }
    verify(&unit, Counts::Absent)?;
    for id in (0..unit.functions.len()).map(FuncId::new) {
        if let Some(func) = &mut unit.functions[id.index()].specialised {
            passes::simplify::simplify(func);
        }
    }
    verify(&unit, Counts::Absent)?;
    Ok(unit)
}

/// The specialised versions as text.
fn specialised_text(unit: &Unit) -> String {
    let mut printed = String::new();
    for function in &unit.functions {
        let version = function.specialised.as_ref().map(|func| func.display(unit).to_string());
        printed += &version.unwrap_or_else(|| format!("{:?} has no specialised version\n", function.name));
        printed.push('\n');
    }
    printed.truncate(printed.trim_end_matches('\n').len());
    printed
}

fn specialised(path: &Path, text: String) -> datatest_stable::Result<()> {
    let unit = specialise_all(path, text)?;
    expect(&path.with_extension("ir"), &specialised_text(&unit))
}

/// Both versions after every pass, as `driver` runs them, checked after each.
fn optimise_all(path: &Path, text: String) -> datatest_stable::Result<Unit> {
    let mut unit = specialise_all(path, text)?;
    for pass in [
        "quiet", "anchors", "demand", "overflow", "rotate", "simplify", "moves", "nans", "guards", "open",
        "refcount",
    ] {
        let counts = run_pass(pass, &mut unit)?;
        verify(&unit, counts).map_err(|error| format!("after {pass}: {error}"))?;
    }
    Ok(unit)
}

fn optimised(path: &Path, text: String) -> datatest_stable::Result<()> {
    let unit = optimise_all(path, text)?;
    expect(&path.with_extension("ir"), &specialised_text(&unit))
}

fn verified(path: &Path, text: String) -> datatest_stable::Result<()> {
    let unit = optimise_all(path, text)?;
    read(&unit.to_string()).map(|_| ())
}

fn functions(path: &Path, text: String) -> datatest_stable::Result<()> {
    let file = SourceFile::new(path.display().to_string(), text);
    let module = front::parse(&file).map_err(|found| source::render(&found, &file))?;
    let mut listing = String::new();
    for info in front::functions(&module) {
        let signature = front::annotated_signature(&module, &info);
        let parameters = info.parameters.iter().zip(&signature.params).map(|(parameter, ty)| {
            let default = if parameter.has_default { " = …" } else { "" };
            format!("{} ({:?}): {ty}{default}", parameter.name, parameter.kind)
        });
        let traits = [
            (info.is_async, " async"),
            (info.is_generator, " generator"),
            (info.is_nested, " nested"),
            (info.is_method, " method"),
        ];
        let traits: String = traits.iter().filter(|(holds, _)| *holds).map(|(_, name)| *name).collect();
        let parameters: Vec<String> = parameters.collect();
        let (line, qualname, result) = (info.first_line, &info.qualname, &signature.result);
        writeln!(listing, "{line}: {qualname}({}) -> {result}{traits}", parameters.join(", "))?;
    }
    expect(&path.with_extension("out"), &listing)
}

fn diagnostics(path: &Path, text: String) -> datatest_stable::Result<()> {
    let file = SourceFile::new(path.display().to_string(), text);
    let (_, diagnostics) = build(&file);
    let mut found: Vec<String> = diagnostics
        .iter()
        .map(|found| {
            format!("{}: error[{}]: {}", file.line(found.range.start()), found.reason.code(), found.reason)
        })
        .collect();
    let mut wanted: Vec<String> = Vec::new();
    for (number, line) in file.text().lines().enumerate() {
        let comments = line.split("# ").filter(|comment| comment.starts_with("error["));
        wanted.extend(comments.map(|comment| format!("{}: {}", number + 1, comment.trim_end())));
    }
    found.sort();
    wanted.sort();
    if found == wanted {
        return Ok(());
    }
    Err(format!("found {found:#?}\nwanted {wanted:#?}\n{}", source::render(&diagnostics, &file)).into())
}

datatest_stable::harness! {
    { test = ir, root = "tests/cases/ir", pattern = r"\.py$" },
    { test = specialised, root = "tests/cases/specialise", pattern = r"\.py$" },
    { test = optimised, root = "tests/cases/optimised", pattern = r"\.py$" },
    { test = verified, root = "tests/cases/run", pattern = r"\.py$" },
    { test = functions, root = "tests/cases/functions", pattern = r"\.py$" },
    { test = diagnostics, root = "tests/cases/front", pattern = r"\.py$" },
    { test = pass, root = "tests/cases/passes", pattern = r"\.ir$" },
    { test = faults, root = "tests/cases/verify", pattern = r"\.ir$" },
}
