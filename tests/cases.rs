//! Cases as data: a file in, a file out. `CASTIRON_BLESS=1` rewrites what comes out.
//!
//! - `passes/<pass>/*.ir`: the pass goes over every version in the unit; the result is the `.out` beside it.
//! - `verify/*.ir`: the faults that the verifier finds, in the `.out` beside it.

use std::env;
use std::fs;
use std::path::Path;

use _castiron::analysis::ranges::Ranges;
use _castiron::ir::Unit;
use _castiron::ir::parse;
use _castiron::ir::verify::Version;
use _castiron::passes;
use _castiron::passes::Counts;

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
    if printed == again { Ok(unit) } else { Err(format!("read back as\n{again}\ninstead of\n{printed}").into()) }
}

/// Checks every version in the unit.
fn verify(unit: &Unit, counts: Counts) -> datatest_stable::Result<()> {
    for function in &unit.functions {
        for (version, func) in [(Version::Generic, &function.generic), (Version::Specialised, &function.specialised)] {
            if let Some(func) = func {
                passes::verify(unit, func, version, counts)?;
            }
        }
    }
    Ok(())
}

/// Runs the pass that the folder is named after over every version that it is meant for.
fn run_pass(pass: &str, unit: &mut Unit) -> datatest_stable::Result<Counts> {
    for function in &mut unit.functions {
        for (version, func) in [(Version::Generic, &mut function.generic), (Version::Specialised, &mut function.specialised)] {
            let Some(func) = func else { continue };
            match (pass, version) {
                ("refcount", version) => passes::refcount::insert_counts(func, version),
                (_, Version::Generic) => {}
                ("demand", _) => passes::demand::drop_checks_below_masks(func),
                ("overflow", _) => passes::overflow::eliminate_overflow_checks(func, &Ranges::of(func)),
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
        for (version, func) in [(Version::Generic, &function.generic), (Version::Specialised, &function.specialised)] {
            let Some(func) = func else { continue };
            if let Err(error) = passes::verify(&unit, func, version, Counts::Absent) {
                error.faults.iter().for_each(|fault| found.extend([fault, "\n"]));
            }
        }
    }
    expect(&path.with_extension("out"), &found)
}

datatest_stable::harness! {
    { test = pass, root = "tests/cases/passes", pattern = r"\.ir$" },
    { test = faults, root = "tests/cases/verify", pattern = r"\.ir$" },
}
