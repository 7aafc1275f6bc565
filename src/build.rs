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
    for targets in ["tests", "benches"] {
        println!("cargo::rerun-if-changed={targets}");
        // Cargo refuses link arguments for a kind of target that the package has none of.
        if !holds_targets(targets) {
            continue;
        }
        println!("cargo::rustc-link-arg-{targets}=-L{folder}");
        println!("cargo::rustc-link-arg-{targets}=-l{name}");
        if elf {
            println!("cargo::rustc-link-arg-{targets}=-Wl,-rpath,{folder}");
        }
    }
}

fn holds_targets(folder: &str) -> bool {
    let Ok(entries) = Path::new(folder).read_dir() else {
        return false;
    };
    entries.flatten().any(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
}
