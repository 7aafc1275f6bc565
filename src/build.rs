//! Build script: test and bench binaries link the interpreter that pyo3 found; the library never does.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    let config = pyo3_build_config::get();
    let (Some(folder), Some(name)) = (config.lib_dir(), config.lib_name()) else {
        return;
    };
    // A Windows or macOS binary finds its interpreter by other means; only ELF needs the run path.
    let elf = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    for kind in ["tests"] {
        println!("cargo::rustc-link-arg-{kind}=-L{folder}");
        println!("cargo::rustc-link-arg-{kind}=-l{name}");
        if elf {
            println!("cargo::rustc-link-arg-{kind}=-Wl,-rpath,{folder}");
        }
    }
}
