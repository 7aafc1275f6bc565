//! Machine code from IR text, called directly: bodies without objects, on a helper table of stand-ins.
//!
//! Bodies want the thread state in a register, so they are called by a few lines of assembly.

#![cfg(target_arch = "x86_64")]

use std::arch::asm;
use std::ffi::CString;
use std::ffi::c_void;
use std::sync::Mutex;

use _castiron::codegen::{Request, Texts};
use _castiron::cpython::Layout;
use _castiron::emit::Verify;
use _castiron::emit::jit;
use _castiron::emit::jit::JitUnit;
use _castiron::emit::link::LinkError;
use _castiron::emit::link::link;
use _castiron::emit::object;
use _castiron::emit::object::BuiltModule;
use _castiron::emit::object::Cpu;
use _castiron::ir::Unit;
use _castiron::ir::parse::parse;
use _castiron::ir::verify::Version;
use _castiron::passes::refcount::insert_counts;
use _castiron::runtime::data::DataLayout;
use _castiron::runtime::data::Fixed;
use _castiron::runtime::image::Image;
use _castiron::runtime::meta::Position;
use _castiron::runtime::table::Helper;
use pyo3::prelude::*;

/// What a body with an unboxed result returns.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Outcome<T> {
    value: T,
    status: i64,
}

/// The value holds.
fn holds<T>(value: T) -> Outcome<T> {
    Outcome { value, status: 0 }
}

/// A unit in memory, with stand-ins for the helpers.
struct Loaded {
    jit: JitUnit,
    /// Word 0 of the data points to it.
    _helpers: Box<[*const c_void]>,
    /// Where the code says where it is.
    _site: Box<[u64; 5]>,
    thread: Box<[u64; 64]>,
}

extern "C" fn unexpected() {
    panic!("a helper without a stand-in was called");
}

/// Says which exit was taken: its number plus 100, as if it were an object.
extern "C" fn resume(_unit: u64, exit: i64, _words: *const u64, _thread: u64, _depth: i64) -> i64 {
    exit + 100
}

extern "C" fn depth_exhausted(_thread: u64) -> i32 {
    -1
}

fn position(_: ruff_text_size::TextRange) -> Position {
    Position { line: 1, column: 0, end_line: 1, end_column: 1 }
}

/// A unit with its reference counts.
fn counted(text: &str) -> Unit {
    let mut unit: Unit = parse(text).expect("the text is IR");
    for function in &mut unit.functions {
        for (version, func) in
            [(Version::Generic, &mut function.generic), (Version::Specialised, &mut function.specialised)]
        {
            if let Some(func) = func {
                insert_counts(func, version);
            }
        }
    }
    unit
}

fn load(text: &str) -> Loaded {
    let unit = counted(text);
    let layout = Layout::for_version(3, 13).expect("the layout is known");
    let request =
        Request { unit: &unit, layout, positions: &position, texts: Texts::Drop, forced_exits: None };
    let jit = jit::compile(&request, Verify::Yes).expect("the unit compiles");
    let mut helpers = vec![unexpected as *const c_void; Helper::ALL.len()].into_boxed_slice();
    helpers[Helper::Resume as usize] = resume as *const c_void;
    helpers[Helper::DepthExhausted as usize] = depth_exhausted as *const c_void;
    let table = jit.data().wrapping_add(jit.layout().fixed(Fixed::Helpers)).cast::<*const *const c_void>();
    let site = Box::new([0; 5]);
    let place = jit.data().wrapping_add(jit.layout().fixed(Fixed::Site)).cast::<*const [u64; 5]>();
    // SAFETY: the words lie in the unit's data, which nothing runs on yet.
    unsafe {
        table.write(helpers.as_ptr());
        place.write(std::ptr::from_ref(&*site));
    }
    Loaded { jit, _helpers: helpers, _site: site, thread: Box::new([0; 64]) }
}

impl Loaded {
    fn body(&self, number: usize) -> *const u8 {
        self.jit.function(number).body
    }

    fn call(&mut self, number: usize, depth: i64, a: i64, b: i64) -> Outcome<i64> {
        // SAFETY: the body takes two ints; what is passed beyond the parameters of others is ignored.
        unsafe { enter(self.body(number), self.thread.as_mut_ptr(), depth, a, b) }
    }

    fn call_float(&mut self, number: usize, a: f64, b: f64) -> Outcome<f64> {
        let (value, status): (f64, i64);
        // SAFETY: as for `enter`; the body takes two floats and returns one.
        unsafe {
            asm!(
                "call {body}",
                body = in(reg) self.body(number),
                in("r15") self.thread.as_mut_ptr(),
                in("rdi") 1000_i64,
                inlateout("xmm0") a => value,
                in("xmm1") b,
                lateout("rax") status,
                clobber_abi("C"),
            );
        }
        Outcome { value, status }
    }

    fn compare_float(&mut self, number: usize, a: f64, b: f64) -> bool {
        let value: i64;
        // SAFETY: as for `enter`; the body takes two floats and returns a truth value.
        unsafe {
            asm!(
                "call {body}",
                body = in(reg) self.body(number),
                in("r15") self.thread.as_mut_ptr(),
                in("rdi") 1000_i64,
                in("xmm0") a,
                in("xmm1") b,
                lateout("rax") value,
                clobber_abi("C"),
            );
        }
        value & 0xff == 1
    }
}

/// Calls a body of two ints as an entry does: the thread state is in its register.
///
/// # Safety
/// The body takes at most two ints and returns an int; its unit is loaded.
unsafe fn enter(body: *const u8, thread: *mut u64, depth: i64, a: i64, b: i64) -> Outcome<i64> {
    let (value, status): (i64, i64);
    // SAFETY: the caller's promise; bodies keep every register that a C function keeps.
    unsafe {
        asm!(
            "call {body}",
            body = in(reg) body,
            in("r15") thread,
            in("rdi") depth,
            in("rsi") a,
            inlateout("rdx") b => status,
            lateout("rax") value,
            clobber_abi("C"),
        );
    }
    Outcome { value, status }
}

/// A unit of functions of two ints, each doing one op.
fn int_ops(ops: &[&str]) -> String {
    let mut header = String::new();
    let mut versions = String::new();
    for (number, op) in ops.iter().enumerate() {
        header.push_str(&format!("fn{number} \"f{number}\" (int, int) -> int\n"));
        versions.push_str(&format!(
            "generic fn{number} \"f{number}\" -> obj:\nb0(v0: obj, v1: obj):\n    i0: v2 = object.binary add v0, v1\n    \
             i1: object.release v0\n    i2: object.release v1\n    i3: control.ret v2\n\n"
        ));
        let exit = if op.contains("checked") {
            format!(" exit [fn{number}@before i0 (v0, v1)]")
        } else {
            String::new()
        };
        versions.push_str(&format!(
            "specialised fn{number} \"f{number}\" -> i64:\nb0(v0: i64, v1: i64):\n    i0: v2 = {op} v0, v1{exit}\n    \
             i1: control.ret v2\n\n"
        ));
    }
    format!("{header}\n{versions}")
}

const EDGES: [i64; 17] =
    [0, 1, -1, 2, -2, 3, -3, 7, -7, 62, 63, 64, 1 << 32, -(1 << 31), i64::MAX, i64::MIN, i64::MIN + 1];

/// An exit, or the value.
fn check(loaded: &mut Loaded, number: usize, a: i64, b: i64, expected: Option<i64>) {
    let outcome = loaded.call(number, 1000, a, b);
    match expected {
        Some(value) => assert_eq!(outcome, holds(value), "op {number} of {a} and {b}"),
        None => assert!(outcome.status >= 100, "op {number} of {a} and {b} must exit, not {outcome:?}"),
    }
}

fn floor_div(a: i64, b: i64) -> Option<i64> {
    if b == 0 {
        return None;
    }
    let quotient = i128::from(a).div_euclid(i128::from(b));
    let exact = i128::from(a).rem_euclid(i128::from(b)) == 0;
    let floored = if b < 0 && !exact { quotient - 1 } else { quotient };
    i64::try_from(floored).ok()
}

/// Addition, subtraction, multiplication, floor division, modulo and both shifts, in this order.
fn check_all(loaded: &mut Loaded, a: i64, b: i64) {
    check(loaded, 0, a, b, a.checked_add(b));
    check(loaded, 1, a, b, a.checked_sub(b));
    check(loaded, 2, a, b, a.checked_mul(b));
    check(loaded, 3, a, b, floor_div(a, b));
    let remainder = if b == -1 { Some(0) } else { floor_div(a, b).map(|quotient| a - quotient * b) };
    check(loaded, 4, a, b, remainder);
    let shifted = (0..64).contains(&b).then(|| i128::from(a) << b).and_then(|wide| i64::try_from(wide).ok());
    check(loaded, 5, a, b, shifted);
    check(loaded, 6, a, b, (b >= 0).then(|| a >> b.min(63)));
}

#[test]
fn checked_int_ops_are_exact_or_exit() {
    let ops = [
        "int.add_checked",
        "int.sub_checked",
        "int.mul_checked",
        "int.floor_div_checked",
        "int.mod_checked",
        "int.shl_checked",
        "int.shr_checked",
    ];
    let mut loaded = load(&int_ops(&ops));
    for a in EDGES {
        for b in EDGES {
            check(&mut loaded, 0, a, b, a.checked_add(b));
            check(&mut loaded, 1, a, b, a.checked_sub(b));
            check(&mut loaded, 2, a, b, a.checked_mul(b));
            check(&mut loaded, 3, a, b, floor_div(a, b));
            let floored = if b == -1 { Some(0) } else { floor_div(a, b).map(|q| a - q * b) };
            check(&mut loaded, 4, a, b, floored);
            let shifted =
                (0..64).contains(&b).then(|| i128::from(a) << b).and_then(|wide| i64::try_from(wide).ok());
            check(&mut loaded, 5, a, b, shifted);
            check(&mut loaded, 6, a, b, (b >= 0).then(|| a >> b.min(63)));
        }
    }
}

/// The same ops with a constant as their second operand.
#[test]
fn checked_int_ops_with_constants_are_exact_or_exit() {
    let names = [
        "add_checked",
        "sub_checked",
        "mul_checked",
        "floor_div_checked",
        "mod_checked",
        "shl_checked",
        "shr_checked",
    ];
    for b in EDGES {
        let ops: Vec<String> = names.iter().map(|name| format!("int.{name}")).collect();
        let ops: Vec<&str> = ops.iter().map(String::as_str).collect();
        let mut text = int_ops(&ops);
        for name in names {
            let from = format!("i0: v2 = int.{name} v0, v1");
            text = text.replace(&from, &format!("i5: v3 = int.constant {b}\n    i0: v2 = int.{name} v0, v3"));
        }
        let mut loaded = load(&text);
        for a in EDGES {
            check_all(&mut loaded, a, b);
        }
    }
}

#[test]
fn float_comparisons_treat_nan_as_cpython_does() {
    let names = ["lt", "le", "eq", "ne", "gt", "ge"];
    let mut header = String::new();
    let mut versions = String::new();
    for (number, name) in names.iter().enumerate() {
        header.push_str(&format!("fn{number} \"f{number}\" (float, float) -> bool\n"));
        versions.push_str(&format!(
            "generic fn{number} \"f{number}\" -> obj:\nb0(v0: obj, v1: obj):\n    i0: v2 = object.compare {name} v0, v1\n    \
             i1: object.release v0\n    i2: object.release v1\n    i3: control.ret v2\n\nspecialised fn{number} \
             \"f{number}\" -> bool:\nb0(v0: f64, v1: f64):\n    i0: v2 = float.compare {name} v0, v1\n    i1: control.ret v2\n\n"
        ));
    }
    let mut loaded = load(&format!("{header}\n{versions}"));
    for a in [0.0, -0.0, 1.0, f64::INFINITY, f64::NAN] {
        for b in [0.0, 1.0, -1.0, f64::NEG_INFINITY, f64::NAN] {
            let expected = [a < b, a <= b, a == b, a != b, a > b, a >= b];
            for (number, expected) in expected.into_iter().enumerate() {
                assert_eq!(loaded.compare_float(number, a, b), expected, "{} of {a} and {b}", names[number]);
            }
        }
    }
}

const FLOATS: &str = r#"fn0 "half" (float, float) -> float

generic fn0 "half" -> obj:
b0(v0: obj, v1: obj):
    i0: v2 = object.binary true_div v0, v1
    i1: object.release v0
    i2: object.release v1
    i3: control.ret v2

specialised fn0 "half" -> f64:
b0(v0: f64, v1: f64):
    i0: v2 = float.div_checked v0, v1 exit [fn0@before i0 (v0, v1)]
    i1: v3 = float.floor v2
    i2: control.ret v3
"#;

#[test]
fn float_results_come_back_beside_a_status() {
    let mut loaded = load(FLOATS);
    assert_eq!(loaded.call_float(0, 7.0, 2.0), holds(3.0));
    assert_eq!(loaded.call_float(0, -7.0, 2.0), holds(-4.0));
    assert_eq!(loaded.call_float(0, 1.0, 0.0).status, 100);
    assert_eq!(loaded.call_float(0, 1.0, -0.0).status, 100);
}

const FIB: &str = r#"fn0 "fib" (int) -> int

generic fn0 "fib" -> obj:
b0(v0: obj):
    i0: v1 = object.binary add v0, v0
    i1: object.release v0
    i2: control.ret v1

specialised fn0 "fib" -> i64:
b0(v0: i64):
    i0: v1 = int.constant 2
    i1: v2 = int.compare lt v0, v1
    i2: control.branch v2 -> b1, b2
b1:
    i3: control.ret v0
b2:
    i4: v3 = int.constant 1
    i5: v4 = int.sub_checked v0, v3 exit [fn0@before i0 (v0)]
    i6: v5: i64 = call.direct fn0 v4 exit [fn0@after i0 (v0)]
    i7: v6 = int.sub_checked v0, v1 exit [fn0@before i0 (v0)]
    i8: v7: i64 = call.direct fn0 v6 exit [fn0@after i0 (v0)]
    i9: v8 = int.add_checked v5, v7 exit [fn0@before i0 (v0)]
    i10: control.ret v8
"#;

#[test]
fn bodies_call_each_other_until_the_depth_is_used_up() {
    let mut loaded = load(FIB);
    assert_eq!(loaded.call(0, 1000, 20, 0), holds(6765));
    assert_eq!(loaded.call(0, 0, 1, 0).status, 1, "no depth at all");
    assert_eq!(loaded.call(0, 1, 1, 0), holds(1));
}

#[test]
fn an_exhausted_depth_unwinds() {
    let mut loaded = load(FIB);
    let helpers = loaded.jit.data();
    // SAFETY: word 0 of the data is the helper table, which the test owns.
    unsafe {
        let table = *helpers.cast::<*mut *const c_void>();
        *table.add(Helper::AddTraceback as usize) = ignore_traceback as *const c_void;
    }
    assert_eq!(loaded.call(0, 5, 20, 0).status, 1);
    assert_eq!(loaded.call(0, 20, 20, 0), holds(6765));
}

extern "C" fn ignore_traceback(_unit: u64, _trace: i64) {}

/// What the stand-in for the runtime was given: data, image, length of the image.
static GIVEN: Mutex<Option<(usize, Vec<u8>)>> = Mutex::new(None);

extern "C" fn load_module(data: *const u64, image: *const u8, length: usize) -> usize {
    // SAFETY: the module passes its own image.
    let bytes = unsafe { std::slice::from_raw_parts(image, length) }.to_vec();
    *GIVEN.lock().expect("nobody panics with it") = Some((data as usize, bytes));
    42
}

/// The functions that built modules call, as the capsule holds them.
static RUNTIME: [extern "C" fn(*const u64, *const u8, usize) -> usize; 1] = [load_module];

/// Makes `castiron._castiron._runtime` the stand-in.
fn offer_runtime(py: Python<'_>) -> PyResult<()> {
    let package = PyModule::new(py, "castiron")?;
    let native = PyModule::new(py, "castiron._castiron")?;
    // SAFETY: table and name live as long as the process.
    let capsule = unsafe {
        let table = (&raw const RUNTIME).cast_mut().cast::<c_void>();
        Bound::from_owned_ptr(
            py,
            pyo3::ffi::PyCapsule_New(table, c"castiron._castiron._runtime".as_ptr(), None),
        )
    };
    native.setattr("_runtime", capsule)?;
    package.setattr("_castiron", &native)?;
    let modules = py.import("sys")?.getattr("modules")?;
    modules.set_item("castiron", package)?;
    modules.set_item("castiron._castiron", native)
}

#[test]
fn an_object_file_becomes_a_shared_object_that_finds_the_runtime() {
    let unit = counted(FIB);
    let layout = Layout::for_version(3, 12).expect("the layout is known");
    let request =
        Request { unit: &unit, layout, positions: &position, texts: Texts::Drop, forced_exits: None };
    let built = BuiltModule {
        name: "package.demo",
        source: "def fib(n): ...",
        code: None,
        lines: &[1],
        is_enforced: false,
        asserts: true,
        cpu: Cpu::Baseline,
        key: "",
    };
    let relocatable = object::compile(&request, built, Verify::Yes).expect("the unit compiles");
    let again = object::compile(&request, built, Verify::Yes).expect("the unit compiles");
    assert_eq!(relocatable, again, "the same input gives the same output");
    let shared = link(&relocatable).expect("the object is one of ours");
    let path = std::env::temp_dir().join(format!("castiron-link-{}.so", std::process::id()));
    std::fs::write(&path, shared).expect("the temporary folder is writable");
    let name = CString::new(path.to_str().expect("the path is UTF-8")).expect("the path has no zero");
    Python::initialize();
    Python::attach(offer_runtime).expect("the stand-in can be put in place");
    // SAFETY: loading runs no code of the object; it stays loaded.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW) };
    std::fs::remove_file(&path).expect("the file was written");
    assert!(!handle.is_null(), "every symbol is found");
    // SAFETY: the handle is open.
    let body = unsafe { libc::dlsym(handle, c"fib.body.0".as_ptr()) };
    assert!(body.is_null(), "nothing but the init function is shown");
    // SAFETY: the symbol is that of a function without parameters, called with the thread attached.
    let result = Python::attach(|_| unsafe {
        let init = libc::dlsym(handle, c"PyInit_demo".as_ptr());
        let init: extern "C" fn() -> usize = std::mem::transmute(init);
        init()
    });
    assert_eq!(result, 42);
    let (data, image) = GIVEN.lock().expect("nobody panics with it").take().expect("the runtime was called");
    let image = Image::from_bytes(&image).expect("the image is whole");
    assert_eq!((image.module.as_str(), image.body.text()), (built.name, Some(built.source)));
    let data_layout = DataLayout::of(&image.meta);
    let mut thread = [0_u64; 64];
    // SAFETY: the data belong to the loaded module and hold the address of its body.
    let outcome = unsafe {
        let body = *((data + data_layout.body(0)) as *const *const u8);
        enter(body, thread.as_mut_ptr(), 100, 15, 0)
    };
    assert_eq!(outcome, holds(610));
}

#[test]
fn no_object_file_is_an_error() {
    assert!(matches!(link(b"not an object"), Err(LinkError::Unreadable(_))));
}
