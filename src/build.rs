//! Build script: the run path of the interpreter that test binaries link against.

fn main() {
    pyo3_build_config::add_libpython_rpath_link_args();
}
