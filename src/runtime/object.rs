//! Helpers on objects: one operation of CPython's object protocol each, with CPython's own messages.

use std::ffi::c_int;
use std::ffi::c_void;

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::container::list_items;
use crate::cpython::object::drop_optional;
use crate::cpython::object::drop_ref;
use crate::cpython::object::fail;
use crate::cpython::object::field;
use crate::cpython::object::float_value;
use crate::cpython::object::has_type_flag;
use crate::cpython::object::int_value;
use crate::cpython::object::is_float;
use crate::cpython::object::is_int;
use crate::cpython::object::new_ref;
use crate::cpython::object::put_error;
use crate::cpython::object::take_error;
use crate::cpython::object::tuple_items;
use crate::cpython::object::type_name;
use crate::cpython::object::type_of;
use crate::cpython::running;
use crate::ir::Binary;
use crate::ir::Unary;

use super::frames;
use super::names::Name;
use super::quiet;
use super::sealed;
use super::table::Pair;
use super::table::position;
use super::unit::LoadedUnit;

/// Whether nobody sees the death of the object.
///
/// # Safety
/// The object is alive.
#[must_use]
pub unsafe fn dies_silently(object: *mut PyObject) -> bool {
    // SAFETY: the caller passes a live object.
    unsafe {
        object == ffi::Py_None()
            || [
                &raw mut ffi::PyLong_Type,
                &raw mut ffi::PyFloat_Type,
                &raw mut ffi::PyBool_Type,
                &raw mut ffi::PyUnicode_Type,
                &raw mut ffi::PyBytes_Type,
                &raw mut ffi::PyByteArray_Type,
                &raw mut ffi::PyRangeIter_Type,
            ]
            .contains(&type_of(object))
    }
}

/// 1 where nobody can see the death of the object, else 0.
///
/// # Safety
/// The object is alive.
pub unsafe extern "C" fn object_dies_silently(object: *mut PyObject) -> i64 {
    // SAFETY: the caller's contract.
    i64::from(unsafe { dies_silently(object) })
}

/// The value of a global or builtin name, looked up; NameError.
///
/// # Safety
/// The unit is loaded, `name` is an exact str, the thread is attached.
pub(super) unsafe fn obj_global(unit: *const LoadedUnit, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: the unit owns both namespaces.
    unsafe {
        let _frames = frames::link_unless(|| {
            ffi::PyDict_CheckExact((*unit).globals()) != 0 && ffi::PyDict_CheckExact((*unit).builtins()) != 0
        });
        let (globals, builtins) = ((*unit).globals(), (*unit).builtins());
        for namespace in [globals, builtins] {
            let found = namespace_get(namespace, name);
            if !found.is_null() || !ffi::PyErr_Occurred().is_null() {
                return found;
            }
        }
        raise_name_error(name);
        std::ptr::null_mut()
    }
}

/// The name's value as a new reference; null without an exception when there is none.
///
/// # Safety
/// Both objects are alive; the thread is attached.
pub(super) unsafe fn namespace_get(namespace: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller passes live objects.
    unsafe {
        if ffi::PyDict_CheckExact(namespace) != 0 {
            let found = ffi::PyDict_GetItemWithError(namespace, name);
            return if found.is_null() { found } else { new_ref(found) };
        }
        let found = ffi::PyObject_GetItem(namespace, name);
        if found.is_null() && ffi::PyErr_ExceptionMatches(ffi::PyExc_KeyError) != 0 {
            ffi::PyErr_Clear();
        }
        found
    }
}

/// Raises NameError for a global name.
///
/// # Safety
/// The name is a live exact str, the thread is attached.
pub(super) unsafe fn raise_name_error(name: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe { name_error_about(name, |shown| format!("name '{shown}' is not defined")) }
}

/// Raises NameError with a message about the name.
///
/// # Safety
/// The name is a live exact str, the thread is attached.
pub(super) unsafe fn name_error_about(name: *mut PyObject, message: impl FnOnce(&str) -> String) {
    // SAFETY: the parts of the error are owned until they are put back.
    unsafe {
        let Some(text) = utf8(name) else { return };
        let shown: String = truncate(text, 200);
        fail(ffi::PyExc_NameError, &message(&shown));
        let parts = take_error();
        if ffi::PyErr_GivenExceptionMatches(parts[0], ffi::PyExc_NameError) != 0
            && Name::Missing.set(parts[1], name) < 0
        {
            ffi::PyErr_Clear();
        }
        put_error(parts);
    }
}

/// The first bytes of the text, as `%.200s` cuts it, without half a character.
pub(super) fn truncate(text: &str, limit: usize) -> String {
    String::from_utf8_lossy(&text.as_bytes()[..text.len().min(limit)]).into_owned()
}

unsafe fn utf8<'a>(text: *mut PyObject) -> Option<&'a str> {
    let mut size = 0;
    // SAFETY: a live str, which keeps its UTF-8 form as long as it lives.
    unsafe {
        let start = ffi::PyUnicode_AsUTF8AndSize(text, &raw mut size);
        if start.is_null() {
            return None;
        }
        std::str::from_utf8(std::slice::from_raw_parts(start.cast(), size.cast_unsigned())).ok()
    }
}

/// A copy of a string's text; none for one that has no UTF-8 form, with an exception set.
///
/// # Safety
/// The object is a live str; the thread is attached.
pub(super) unsafe fn text_of(text: *mut PyObject) -> Option<String> {
    // SAFETY: the caller's contract.
    unsafe { utf8(text).map(str::to_owned) }
}

/// The binary operator of this number, in place when `in_place` is not 0.
///
/// # Safety
/// Both objects are alive, the thread is attached; the operator is a position in `Binary::ALL`.
pub unsafe extern "C" fn obj_binary(
    operator: i64,
    in_place: i64,
    a: *mut PyObject,
    b: *mut PyObject,
) -> *mut PyObject {
    let plain = in_place == 0;
    let operator = Binary::ALL[position(operator)];
    // SAFETY: the caller's contract.
    unsafe {
        if is_float(a)
            && is_float(b)
            && let Some(result) = float_binary(operator, a, b)
        {
            frames::pass();
            return ffi::PyFloat_FromDouble(result);
        }
        if operator == Binary::Add && is_str(a) && is_str(b) {
            frames::pass();
            return ffi::PyUnicode_Concat(a, b);
        }
        let apply: unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> *mut PyObject = match operator {
            Binary::Add if plain => ffi::PyNumber_Add,
            Binary::Add => ffi::PyNumber_InPlaceAdd,
            Binary::Sub if plain => ffi::PyNumber_Subtract,
            Binary::Sub => ffi::PyNumber_InPlaceSubtract,
            Binary::Mul if plain => ffi::PyNumber_Multiply,
            Binary::Mul => ffi::PyNumber_InPlaceMultiply,
            Binary::TrueDiv if plain => ffi::PyNumber_TrueDivide,
            Binary::TrueDiv => ffi::PyNumber_InPlaceTrueDivide,
            Binary::FloorDiv if plain => ffi::PyNumber_FloorDivide,
            Binary::FloorDiv => ffi::PyNumber_InPlaceFloorDivide,
            Binary::Mod if plain => ffi::PyNumber_Remainder,
            Binary::Mod => ffi::PyNumber_InPlaceRemainder,
            Binary::Pow => {
                let _frames = frames::link_unless(|| quiet::is_simple(a) && quiet::is_simple(b));
                let power = if plain { ffi::PyNumber_Power } else { ffi::PyNumber_InPlacePower };
                return power(a, b, ffi::Py_None());
            }
            Binary::Shl if plain => ffi::PyNumber_Lshift,
            Binary::Shl => ffi::PyNumber_InPlaceLshift,
            Binary::Shr if plain => ffi::PyNumber_Rshift,
            Binary::Shr => ffi::PyNumber_InPlaceRshift,
            Binary::And if plain => ffi::PyNumber_And,
            Binary::And => ffi::PyNumber_InPlaceAnd,
            Binary::Or if plain => ffi::PyNumber_Or,
            Binary::Or => ffi::PyNumber_InPlaceOr,
            Binary::Xor if plain => ffi::PyNumber_Xor,
            Binary::Xor => ffi::PyNumber_InPlaceXor,
            Binary::MatMul if plain => ffi::PyNumber_MatrixMultiply,
            Binary::MatMul => ffi::PyNumber_InPlaceMatrixMultiply,
        };
        if plain && quiet::is_compiled_operator(operator, a, b) {
            return frames::wait(|| apply(a, b));
        }
        let _frames = frames::link_unless(|| quiet::is_simple(a) && quiet::is_simple(b));
        apply(a, b)
    }
}

/// Whether the object is exactly a str.
unsafe fn is_str(object: *mut PyObject) -> bool {
    // SAFETY: the caller passes a live object.
    unsafe { type_of(object) == &raw mut ffi::PyUnicode_Type }
}

/// The result of an operator on exact floats, if it is one that can't fail.
unsafe fn float_binary(operator: Binary, a: *mut PyObject, b: *mut PyObject) -> Option<f64> {
    let layout = running().layout;
    // SAFETY: the caller passes live exact floats.
    let (a, b) = unsafe { (float_value(layout, a), float_value(layout, b)) };
    match operator {
        Binary::Add => Some(a + b),
        Binary::Sub => Some(a - b),
        Binary::Mul => Some(a * b),
        Binary::TrueDiv if b != 0.0 => Some(a / b),
        _ => None,
    }
}

/// The unary operator of this number.
///
/// # Safety
/// The object is alive, the thread is attached; the operator is a position in `Unary::ALL`.
pub unsafe extern "C" fn obj_unary(operator: i64, object: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link_unless(|| quiet::is_simple(object));
        match Unary::ALL[position(operator)] {
            Unary::Neg => ffi::PyNumber_Negative(object),
            Unary::Pos => ffi::PyNumber_Positive(object),
            Unary::Invert => ffi::PyNumber_Invert(object),
        }
    }
}

/// CPython's comparisons, by number.
const COMPARISONS: [c_int; 6] = [ffi::Py_LT, ffi::Py_LE, ffi::Py_EQ, ffi::Py_NE, ffi::Py_GT, ffi::Py_GE];

/// The value of an exact int of one digit: CPython's own specialised code compares such ints without a call.
unsafe fn compact_int(object: *mut PyObject) -> Option<i64> {
    const DIGIT: u64 = 1 << 30;
    // SAFETY: a live object.
    let value = unsafe { is_int(object).then(|| int_value(running().layout, object))? };
    value.filter(|value| value.unsigned_abs() < DIGIT)
}

/// What CPython's comparison of this number says of two numbers, a new reference.
fn compared<T: PartialOrd>(comparison: i64, a: &T, b: &T) -> *mut PyObject {
    let truth = match COMPARISONS[position(comparison)] {
        ffi::Py_LT => a < b,
        ffi::Py_LE => a <= b,
        ffi::Py_EQ => a == b,
        ffi::Py_NE => a != b,
        ffi::Py_GT => a > b,
        _ => a >= b,
    };
    // SAFETY: True and False live for ever.
    unsafe { new_ref(truth_object(truth)) }
}

/// The rich comparison of CPython's number.
///
/// # Safety
/// Both objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_compare(comparison: i64, a: *mut PyObject, b: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        if is_float(a) && is_float(b) {
            let layout = running().layout;
            frames::pass();
            let (a, b) = (float_value(layout, a), float_value(layout, b));
            return compared(comparison, &a, &b);
        }
        if let (Some(a), Some(b)) = (compact_int(a), compact_int(b)) {
            frames::pass();
            return compared(comparison, &a, &b);
        }
        if is_str(a) && is_str(b) {
            frames::pass();
            return ffi::PyUnicode_RichCompare(a, b, COMPARISONS[position(comparison)]);
        }
        let _frames = frames::link_unless(|| quiet::is_simple(a) && quiet::is_simple(b));
        ffi::PyObject_RichCompare(a, b, COMPARISONS[position(comparison)])
    }
}

/// The truth value: 1, 0, or -1 with an exception.
///
/// # Safety
/// The object is alive, the thread is attached.
pub unsafe extern "C" fn obj_truth(object: *mut PyObject) -> i32 {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link_unless(|| quiet::is_simple(object) || quiet::is_container(object));
        ffi::PyObject_IsTrue(object)
    }
}

/// A new tuple of borrowed items. Runs nothing: CPython 3.11 collects garbage where it allocates, and is kept
/// from it here, so that the op is no foreign code; the next allocation elsewhere catches up.
///
/// # Safety
/// `items` holds `count` live objects; the thread is attached.
pub unsafe extern "C" fn obj_tuple(items: *const *mut PyObject, count: i64) -> *mut PyObject {
    let count = position(count).cast_signed();
    // SAFETY: each position is set once, with a reference of its own.
    unsafe {
        let would_collect = running().layout.monitors.is_none() && ffi::PyGC_Disable() != 0;
        let tuple = ffi::PyTuple_New(count);
        if would_collect {
            ffi::PyGC_Enable();
        }
        if !tuple.is_null() {
            for index in 0..count {
                ffi::PyTuple_SetItem(tuple, index, new_ref(*items.offset(index)));
            }
        }
        tuple
    }
}

/// Unpacks into exactly `count` new references in `out`. 0 or -1.
///
/// # Safety
/// The object is alive, `out` has room for `count` references; the thread is attached.
pub unsafe extern "C" fn obj_unpack(iterable: *mut PyObject, count: i64, out: *mut *mut PyObject) -> i32 {
    let count = position(count);
    // SAFETY: the caller's contract; an exact tuple is not changed while its items get counted.
    unsafe {
        let items = if ffi::PyTuple_CheckExact(iterable) != 0 {
            Some(tuple_items(running().layout, iterable))
        } else if ffi::PyList_CheckExact(iterable) != 0 {
            Some(list_items(running().layout, iterable))
        } else {
            None
        };
        if let Some(items) = items.filter(|items| items.len() == count) {
            for (position, &item) in items.iter().enumerate() {
                *out.add(position) = new_ref(item);
            }
            frames::pass();
            return 0;
        }
        let _frames = frames::link();
        let iterator = ffi::PyObject_GetIter(iterable);
        if iterator.is_null() {
            return explain_not_iterable(iterable);
        }
        let filled = unpack_iterator(iterator, count, out);
        drop_ref(iterator);
        match filled {
            Ok(()) => 0,
            Err(filled) => {
                for position in 0..filled {
                    drop_ref(*out.add(position));
                }
                -1
            }
        }
    }
}

/// Fills `out`; the error is how many references stand in it, with the exception set.
unsafe fn unpack_iterator(
    iterator: *mut PyObject,
    count: usize,
    out: *mut *mut PyObject,
) -> Result<(), usize> {
    // SAFETY: a live iterator; `out` has room for `count` references.
    unsafe {
        for position in 0..count {
            let item = ffi::PyIter_Next(iterator);
            if item.is_null() {
                if ffi::PyErr_Occurred().is_null() {
                    let message = format!("not enough values to unpack (expected {count}, got {position})");
                    fail(ffi::PyExc_ValueError, &message);
                }
                return Err(position);
            }
            *out.add(position) = item;
        }
        let surplus = ffi::PyIter_Next(iterator);
        if !surplus.is_null() {
            drop_ref(surplus);
            fail(ffi::PyExc_ValueError, &format!("too many values to unpack (expected {count})"));
        }
        if ffi::PyErr_Occurred().is_null() { Ok(()) } else { Err(count) }
    }
}

/// Says in the words of unpacking that the object can't be iterated, if that is why `iter` failed.
///
/// # Safety
/// The object is alive and an exception is set; the thread is attached.
pub(super) unsafe fn explain_not_iterable(iterable: *mut PyObject) -> i32 {
    // SAFETY: a live object; an exception is set.
    unsafe {
        let has_iter = !ffi::PyType_GetSlot(type_of(iterable), ffi::Py_tp_iter).is_null();
        if !has_iter
            && ffi::PySequence_Check(iterable) == 0
            && ffi::PyErr_ExceptionMatches(ffi::PyExc_TypeError) != 0
        {
            ffi::PyErr_Clear();
            let name = truncate(&type_name(running().layout, iterable), 200);
            fail(ffi::PyExc_TypeError, &format!("cannot unpack non-iterable {name} object"));
        }
    }
    -1
}

/// `iter(object)`
///
/// # Safety
/// The object is alive, the thread is attached.
pub unsafe extern "C" fn obj_iter(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link_unless(|| quiet::is_container(object));
        ffi::PyObject_GetIter(object)
    }
}

/// The next item and 1, a new reference to None and 0 at the end, null and -1 for an exception.
///
/// # Safety
/// The object is a live iterator, the thread is attached.
pub unsafe extern "C" fn obj_next(iterator: *mut PyObject) -> Pair<*mut PyObject, i64> {
    // SAFETY: the caller's contract; every iterator's type has the function.
    unsafe {
        let _frames = frames::link_unless(|| quiet::is_iterator(iterator));
        let next: ffi::iternextfunc = field(type_of(iterator), running().layout.attribute.iternext);
        let item = next(iterator);
        if !item.is_null() {
            return Pair(item, 1);
        }
        if !ffi::PyErr_Occurred().is_null() {
            if ffi::PyErr_ExceptionMatches(ffi::PyExc_StopIteration) == 0 {
                return Pair(item, -1);
            }
            ffi::PyErr_Clear();
        }
        Pair(new_ref(ffi::Py_None()), 0)
    }
}

/// `raise exception` or `raise exception from cause`; always fails.
///
/// # Safety
/// Both objects are alive (the cause may be null), the thread is attached.
pub unsafe extern "C" fn obj_raise(exception: *mut PyObject, cause: *mut PyObject) {
    // SAFETY: the caller's contract; what is made here is dropped here or handed over.
    unsafe {
        let _frames = frames::link();
        let value = instance_of(exception, "exceptions must derive from BaseException");
        if value.is_null() {
            return;
        }
        if !cause.is_null() && attach_cause(value, cause) < 0 {
            drop_ref(value);
            return;
        }
        let kind = if is_exception_class(exception) { exception } else { type_of(value).cast() };
        ffi::PyErr_SetObject(kind, value);
        drop_ref(value);
    }
}

/// The exception itself, or a new instance when it is a class; null with an exception set.
unsafe fn instance_of(exception: *mut PyObject, otherwise: &str) -> *mut PyObject {
    // SAFETY: the caller passes a live object.
    unsafe {
        if is_exception_class(exception) {
            let value = ffi::PyObject_CallNoArgs(exception);
            if !value.is_null() && !is_exception(value) {
                let shown = (repr(exception), repr(type_of(value).cast()));
                if let (Some(class), Some(kind)) = shown {
                    let message = format!(
                        "calling {class} should have returned an instance of BaseException, not {kind}"
                    );
                    fail(ffi::PyExc_TypeError, &message);
                }
                drop_ref(value);
                return std::ptr::null_mut();
            }
            return value;
        }
        if is_exception(exception) {
            return new_ref(exception);
        }
        fail(ffi::PyExc_TypeError, otherwise);
        std::ptr::null_mut()
    }
}

unsafe fn attach_cause(value: *mut PyObject, cause: *mut PyObject) -> c_int {
    // SAFETY: `value` is an exception; `PyException_SetCause` takes the reference, null for None.
    unsafe {
        let cause = if cause == ffi::Py_None() {
            std::ptr::null_mut()
        } else if is_exception_class(cause) {
            ffi::PyObject_CallNoArgs(cause)
        } else if is_exception(cause) {
            new_ref(cause)
        } else {
            return fail(ffi::PyExc_TypeError, "exception causes must derive from BaseException");
        };
        if !ffi::PyErr_Occurred().is_null() {
            drop_optional(cause);
            return -1;
        }
        ffi::PyException_SetCause(value, cause);
        0
    }
}

/// Whether the object is a class of exceptions.
///
/// # Safety
/// The object is alive.
pub(super) unsafe fn is_exception_class(object: *mut PyObject) -> bool {
    // SAFETY: the caller passes a live object, which is a type before its flags are asked for.
    unsafe {
        has_type_flag(object, ffi::Py_TPFLAGS_TYPE_SUBCLASS)
            && ffi::PyType_GetFlags(object.cast()) & ffi::Py_TPFLAGS_BASE_EXC_SUBCLASS != 0
    }
}

unsafe fn is_exception(object: *mut PyObject) -> bool {
    // SAFETY: the caller passes a live object.
    unsafe { has_type_flag(object, ffi::Py_TPFLAGS_BASE_EXC_SUBCLASS) }
}

/// `repr(object)`, or none with an exception set.
unsafe fn repr(object: *mut PyObject) -> Option<String> {
    // SAFETY: the caller passes a live object; the text is dropped after it was copied.
    unsafe {
        let text = ffi::PyObject_Repr(object);
        if text.is_null() {
            return None;
        }
        let copy = utf8(text).map(str::to_owned);
        drop_ref(text);
        copy
    }
}

/// Raises UnboundLocalError for the name.
///
/// # Safety
/// The name is a live exact str, the thread is attached.
pub unsafe extern "C" fn raise_unbound(name: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if let Some(text) = utf8(name) {
            let shown = truncate(text, 200);
            let message =
                format!("cannot access local variable '{shown}' where it is not associated with a value");
            fail(ffi::PyExc_UnboundLocalError, &message);
        }
    }
}

/// The last reference is gone.
///
/// # Safety
/// The object's count is 0 and nobody else knows it; the thread is attached.
pub unsafe extern "C" fn dealloc(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if sealed::frees(object) {
            if sealed::dies_at_once(object) {
                return frames::pass();
            }
            return frames::wait(|| (running().symbols.dealloc)(object));
        }
        if quiet::dies_alone(object) {
            frames::pass();
            return (running().symbols.dealloc)(object);
        }
        let _frames = frames::link();
        (running().symbols.dealloc)(object);
    }
}

/// Drops a reference to each of these objects, in this order.
///
/// # Safety
/// The words hold so many live objects, one reference to each of which is the caller's; the thread is
/// attached.
pub unsafe extern "C" fn drop_all(objects: *const *mut PyObject, count: i64) {
    // SAFETY: the caller's contract.
    unsafe {
        let objects = std::slice::from_raw_parts(objects, position(count));
        let _frames = frames::link_unless(|| objects.iter().all(|&object| quiet::is_simple(object)));
        for &object in objects {
            drop_ref(object);
        }
    }
}

/// Whether nothing looks on when a reference to the object is dropped.
///
/// # Safety
/// The object is alive.
pub unsafe fn dies_quietly(object: *mut PyObject) -> bool {
    // SAFETY: the caller passes a live object.
    unsafe { ffi::Py_REFCNT(object) > 1 || quiet::is_simple(object) }
}

/// `None`, `True` or `False` by a truth value, borrowed.
#[must_use]
pub fn truth_object(truth: bool) -> *mut PyObject {
    // SAFETY: the singletons live as long as the process.
    unsafe { if truth { ffi::Py_True() } else { ffi::Py_False() } }
}

/// The object as an exact int's value, when it is one that fits 64 bits.
///
/// # Safety
/// The object is alive.
pub unsafe fn exact_int(object: *mut PyObject) -> Option<i64> {
    // SAFETY: the caller's contract; the type is tested before the value is read.
    unsafe { if is_int(object) { crate::cpython::object::int_value(running().layout, object) } else { None } }
}

/// An address as the word that compiled code loads.
#[must_use]
pub fn word<T>(pointer: *const T) -> u64 {
    pointer.cast::<c_void>() as u64
}
