//! Build script: test and bench binaries link the interpreter that pyo3 found; the library never does.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    let config = pyo3_build_config::get();
    let (Some(folder), Some(name)) = (config.lib_dir(), config.lib_name()) else {
        return;
    };
    // A Windows or macOS binary finds its interpreter by other means; only ELF needs the run path.
    let elf = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    println!("cargo::rerun-if-changed=tests");
    // Cargo refuses link arguments for test targets in a package that has none.
    if !has_test_targets() {
        return;
    }
    println!("cargo::rustc-link-arg-tests=-L{folder}");
    println!("cargo::rustc-link-arg-tests=-l{name}");
    if elf {
        println!("cargo::rustc-link-arg-tests=-Wl,-rpath,{folder}");
    }
}

fn has_test_targets() -> bool {
    let Ok(entries) = Path::new("tests").read_dir() else {
        return false;
    };
    entries.flatten().any(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
}
