//! Build script: test and bench binaries link the interpreter that pyo3 found; the library never does. The compiler's
//! sources get a fingerprint, by which what it has built is known to be current.

use std::env;
use std::path::Path;
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rustc-env=CASTIRON_FINGERPRINT={:016x}", fingerprint());
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

/// FNV-1a over the names and contents of all that the compiler is made of, in the order of the names.
fn fingerprint() -> u64 {
    let mut files = vec![PathBuf::from("Cargo.lock")];
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for path in files {
        let name = path.to_string_lossy().into_owned().into_bytes();
        for byte in name.into_iter().chain(std::fs::read(&path).unwrap_or_default()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
    hash
}

fn holds_targets(folder: &str) -> bool {
    let Ok(entries) = Path::new(folder).read_dir() else {
        return false;
    };
    entries.flatten().any(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
}
