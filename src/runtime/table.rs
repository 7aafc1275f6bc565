//! The helper table: every function of the runtime library that compiled code may call, declared once.
//!
//! Compiled code loads a helper's address from the table that word 0 of its data points to (no address
//! stands in code), so the order of the rows is part of the ABI between a built module and the runtime;
//! [`ABI_VERSION`] counts its changes.
//!
//! Every helper follows `extern "C"`; a pair is returned as a `#[repr(C)]` struct of two 64-bit words.
//! `Unit` is the pointer in word 1 of the data ([`super::unit::LoadedUnit`]). Objects are passed
//! borrowed; a returned object is a new reference. Failures are a null object or -1, with the Python
//! exception set, unless the row says otherwise.

use std::ffi::c_void;

/// Counts incompatible changes of the table, of the data layout and of the body ABI.
pub const ABI_VERSION: u32 = 16;

/// The machine type of a helper's argument or result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The loaded unit.
    Unit,
    /// A thread state.
    Thread,
    /// An object reference.
    Obj,
    /// A pointer to anything else.
    Ptr,
    /// A 64-bit integer.
    I64,
    /// A 32-bit integer.
    I32,
    /// A double.
    F64,
}

/// Hands the table to a macro: `Variant = module::function(arguments) -> (results);`
#[macro_export]
macro_rules! for_each_helper {
    ($consumer:ident) => {
        $consumer! {
            /// The attached thread's state.
            ThreadState = enter::thread_state() -> (Thread);
            /// Begins a call from the interpreter: the thread state, and how many calls may still nest.
            /// Depth 0: RecursionError is set. Depth -1: this call can't go on here (the native stack is too
            /// short for what the limit allows, a tracer is on, castiron is switched off); return what
            /// `EnterOnNewStack` gives instead of going on.
            Enter = enter::enter() -> (Thread, I64);
            /// `(unit, function number, callable, args, nargsf, kwnames)`: the same vectorcall again, on a
            /// fresh stack segment, or as bytecode.
            EnterOnNewStack = enter::enter_on_new_stack(Unit, I64, Obj, Ptr, I64, Obj) -> (Obj);
            /// `(unit, function number, callable, args, nargsf, kwnames)`: the whole call of an entry whose
            /// fast path does not fit: binds arguments, checks promises, runs the specialised body when
            /// every argument is of its exact type, else the generic version.
            CallSlow = enter::call_slow(Unit, I64, Obj, Ptr, I64, Obj) -> (Obj);
            /// The body was called with no depth left: sets RecursionError.
            DepthExhausted = enter::depth_exhausted(Thread) -> (I32);
            /// The eval breaker is set: signal handlers, pending calls, GIL hand-over. 0 or -1.
            Poll = enter::poll(Thread) -> (I32);
            /// As `Poll`, for a body that others count on: `(thread, unit)`, and 1 when a cell of the unit that was
            /// valid before is not any more.
            PollCells = cells::poll_cells(Thread, Unit) -> (I32);
            /// `(unit, cell number)`: whether the assumption still holds; makes the cell valid again if so.
            CellCheck = cells::cell_check(Unit, I64) -> (I32);
            /// `(unit, number, words)`: adds the entries of what an instruction shows to the traceback of the set
            /// exception. The words are those of the variables; object words are owned and taken.
            AddTraceback = traceback::add_traceback(Unit, I64, Ptr) -> ();
            /// `(unit, exit number, words, thread, depth)`: finishes the call in the generic version. The
            /// words are the values of the exit's slots in their order; object words are owned and taken.
            Resume = resume::resume(Unit, I64, Ptr, Thread, I64) -> (Obj);
            /// As `Resume`, for the exit of a direct call whose result came back as this object (taken).
            ResumeWithResult = resume::resume_with_result(Unit, I64, Ptr, Thread, I64, Obj) -> (Obj);
            /// `(unit, function number, cache number, result)`: checks a result against the promise. 0 or -1.
            CheckResult = resume::check_result(Unit, I64, I64, Obj) -> (I32);
            /// An exact int's value and 1, or 0 and 0 when it does not fit.
            IntUnbox = int::int_unbox(Obj) -> (I64, I64);
            /// A new int.
            IntBox = int::int_box(I64) -> (Obj);
            /// `a ** b` and 1, or 0 and 0 when b is negative or the result does not fit.
            IntPow = int::int_pow(I64, I64) -> (I64, I64);
            /// `a / b` correctly rounded, b not zero.
            IntTrueDiv = int::int_true_div(I64, I64) -> (F64);
            /// -1, 0, 1 as the int is less than, equal to, greater than the float; 2 for a NaN.
            IntCompareFloat = int::int_compare_float(I64, F64) -> (I32);
            /// `len(range(start, stop, step))` and 1, or 0 and 0 when it does not fit; step not zero.
            IntRangeLen = int::int_range_len(I64, I64, I64) -> (I64, I64);
            /// A new float.
            FloatBox = float::float_box(F64) -> (Obj);
            /// `a // b` as CPython computes it, b not zero.
            FloatFloorDiv = float::float_floor_div(F64, F64) -> (F64);
            /// `a % b` as CPython computes it, b not zero.
            FloatMod = float::float_mod(F64, F64) -> (F64);
            /// `a ** b` and 1, or 0.0 and 0 where CPython raises or gives a complex number.
            FloatPow = float::float_pow(F64, F64) -> (F64, I64);
            /// `(unit, cache number, name)`: the value of a global or builtin name; NameError.
            ObjGlobal = attribute::obj_global(Unit, I64, Obj) -> (Obj);
            /// `(unit, cache number, object, name)`: `object.name`
            ObjAttr = attribute::obj_attr(Unit, I64, Obj, Obj) -> (Obj);
            /// `(unit, cache number, object, name, value)`: `object.name = value`: 0 or -1.
            ObjSetAttr = attribute::obj_set_attr(Unit, I64, Obj, Obj, Obj) -> (I32);
            /// `del object.name`: 0 or -1.
            ObjDelAttr = container::obj_del_attr(Obj, Obj) -> (I32);
            /// `(unit, name, value)`: binds a global name. 0 or -1.
            ObjSetGlobal = container::obj_set_global(Unit, Obj, Obj) -> (I32);
            /// `container[key]`
            ObjItem = container::obj_item(Obj, Obj) -> (Obj);
            /// `container[key] = value`: 0 or -1.
            ObjSetItem = container::obj_set_item(Obj, Obj, Obj) -> (I32);
            /// `del container[key]`: 0 or -1.
            ObjDelItem = container::obj_del_item(Obj, Obj) -> (I32);
            /// `slice(start, stop, step)`
            ObjSlice = container::obj_slice(Obj, Obj, Obj) -> (Obj);
            /// `item in container`: 1, 0, or -1 with an exception.
            ObjContains = container::obj_contains(Obj, Obj) -> (I32);
            /// `(operator, in place, a, b)`: the operator is its position in `ir::Binary::ALL`.
            ObjBinary = object::obj_binary(I64, I64, Obj, Obj) -> (Obj);
            /// `(operator, a)`: the operator is its position in `ir::Unary::ALL`.
            ObjUnary = object::obj_unary(I64, Obj) -> (Obj);
            /// `(comparison, a, b)`: the comparison is CPython's number.
            ObjCompare = object::obj_compare(I64, Obj, Obj) -> (Obj);
            /// 1, 0, or -1 with an exception.
            ObjTruth = object::obj_truth(Obj) -> (I32);
            /// `(callable, args, count, names or null)`: count includes the arguments passed by name.
            ObjCall = calls::obj_call(Obj, Ptr, I64, Obj) -> (Obj);
            /// `(items, count)`: a new tuple; the items are borrowed.
            ObjTuple = object::obj_tuple(Ptr, I64) -> (Obj);
            /// `(items, count)`: a new list; the items are borrowed.
            ObjList = container::obj_list(Ptr, I64) -> (Obj);
            /// `(keys and values, count of pairs)`: a new dict; the items are borrowed.
            ObjDict = container::obj_dict(Ptr, I64) -> (Obj);
            /// `(iterable, count, out)`: new references into `out`. 0 or -1.
            ObjUnpack = object::obj_unpack(Obj, I64, Ptr) -> (I32);
            /// `iter(object)`
            ObjIter = object::obj_iter(Obj) -> (Obj);
            /// The next item and 1, a new reference to None and 0 at the end, null and -1 for an exception.
            ObjNext = object::obj_next(Obj) -> (Obj, I64);
            /// `(exception, cause or null)`: raises it; always fails.
            ObjRaise = object::obj_raise(Obj, Obj) -> ();
            /// Raises UnboundLocalError for the name, in this CPython's words.
            RaiseUnbound = object::raise_unbound(Obj) -> ();
            /// The last reference is gone.
            Dealloc = object::dealloc(Obj) -> ();
            /// `(objects, count)`: drops a reference to each, in this order.
            DropAll = object::drop_all(Ptr, I64) -> ();
            /// The C library's functions, in the order of `ir::MathFn::ALL`: a pointer to a table of them.
            MathTable = float::math_table() -> (Ptr);
            /// `a * b` of wide ints (low word, high word), or 0 and the least i64 when it is none.
            IntWideMul = wide::wide_mul(I64, I64, I64, I64) -> (I64, I64);
            /// `a // b` of wide ints, b not zero; the same where it is none.
            IntWideFloorDiv = wide::wide_floor_div(I64, I64, I64, I64) -> (I64, I64);
            /// `a % b` of wide ints, b not zero.
            IntWideMod = wide::wide_mod(I64, I64, I64, I64) -> (I64, I64);
            /// `a % b` of a wide int by an i64, b not zero.
            IntWideModInt = wide::wide_mod_int(I64, I64, I64) -> (I64);
            /// A new int of a wide one.
            IntBoxWide = wide::box_wide(I64, I64) -> (Obj);
            /// `(callable, args, named or null)`: calls with the items of an iterable and of a dict.
            ObjCallEx = displays::obj_call_ex(Obj, Obj, Obj) -> (Obj);
            /// `(items, count)`: a new set.
            ObjSet = displays::obj_set(Ptr, I64) -> (Obj);
            /// `(list, item)`: 0 or -1.
            ObjListAppend = displays::obj_list_append(Obj, Obj) -> (I32);
            /// `(list, iterable)`: 0 or -1.
            ObjListExtend = displays::obj_list_extend(Obj, Obj) -> (I32);
            /// The list's items as a tuple.
            ObjListToTuple = displays::obj_list_to_tuple(Obj) -> (Obj);
            /// `(set, item)`: 0 or -1.
            ObjSetAdd = displays::obj_set_add(Obj, Obj) -> (I32);
            /// `(set, iterable)`: 0 or -1.
            ObjSetUpdate = displays::obj_set_update(Obj, Obj) -> (I32);
            /// `(dict, mapping)`: 0 or -1.
            ObjDictUpdate = displays::obj_dict_update(Obj, Obj) -> (I32);
            /// `(dict, mapping, callable)`: merges named arguments; 0 or -1.
            ObjDictMerge = displays::obj_dict_merge(Obj, Obj, Obj) -> (I32);
            /// `(conversion, object, specification or None)`
            ObjFormat = formats::obj_format(I64, Obj, Obj) -> (Obj);
            /// `(strings, count)`: joins them.
            ObjJoin = formats::obj_join(Ptr, I64) -> (Obj);
            /// `(unit, name, names, level)`: imports a module.
            ObjImport = imports::obj_import(Unit, Obj, Obj, Obj) -> (Obj);
            /// `(module, name)`: what `from module import name` gives.
            ObjImportFrom = imports::obj_import_from(Obj, Obj) -> (Obj);
            /// `(unit, name)`: unbinds a global name. 0 or -1.
            ObjDelGlobal = imports::obj_del_global(Unit, Obj) -> (I32);
            /// `(iterable, before, after, out)`: unpacks with a list in the middle. 0 or -1.
            ObjUnpackRest = displays::obj_unpack_rest(Obj, I64, I64, Ptr) -> (I32);
            /// `(unit, cache number, object, name)`: `object.name` to be called: a function and the object, which is
            /// its first argument, or the attribute and None. New references.
            ObjMethod = attribute::obj_method(Unit, I64, Obj, Obj) -> (Obj, Obj);
            /// `(callable, args, count, names or null)`: calls what `ObjMethod` gave. The arguments begin with a free
            /// word and the object or None, which `count` leaves out.
            ObjCallMethod = attribute::obj_call_method(Obj, Ptr, I64, Obj) -> (Obj);
            /// Sets the exception again. -1.
            ObjReraise = exceptions::obj_reraise(Obj) -> (I32);
            /// `(unit, number)`: sets the handled exception again, or RuntimeError with the entries of what is shown. -1.
            ObjReraiseHandled = exceptions::obj_reraise_handled(Unit, I64) -> (I32);
            /// Takes the exception that is set, and handles it; the other is what was handled before, or None.
            ObjCatch = exceptions::obj_catch() -> (Obj, Obj);
            /// `(unit, function, exception, frame or None)`: the frame of the activation, or None.
            ObjCaughtFrame = traceback::obj_caught_frame(Unit, I64, Obj, Obj) -> (Obj);
            /// `(unit, number, words)`: puts variables into the frame of an activation that ends. Takes the references.
            ObjLeaveFrame = traceback::obj_leave_frame(Unit, I64, Ptr) -> ();
            /// `(unit, function, frame or None)`: takes the exception that is set; the other is the frame of the
            /// activation, or None.
            ObjTakeError = exceptions::obj_take_error(Unit, I64, Obj) -> (Obj, Obj);
            /// Handles the exception that was handled before.
            ObjEndCatch = exceptions::obj_end_catch(Obj) -> ();
            /// `(exception, classes)`: whether `except` takes it: 1, 0, or -1 with an exception.
            ObjMatches = exceptions::obj_matches(Obj, Obj) -> (I32);
            /// A context manager's `__exit__` and what its `__enter__` gave; null and null with an exception.
            ObjEnterContext = exceptions::obj_enter_context(Obj) -> (Obj, Obj);
            /// `(exit, exception)`: what it says to it.
            ObjExitContext = exceptions::obj_exit_context(Obj, Obj) -> (Obj);
            /// A new cell of an object, or of nothing (null).
            ObjNewCell = closures::obj_new_cell(Obj) -> (Obj);
            /// `(cell, name)`: what it holds; UnboundLocalError.
            ObjLoadCell = closures::obj_load_cell(Obj, Obj) -> (Obj);
            /// `(cell, name)`: what it holds; NameError.
            ObjLoadFree = closures::obj_load_free(Obj, Obj) -> (Obj);
            /// `(cell, object or null)`: puts it there.
            ObjStoreCell = closures::obj_store_cell(Obj, Obj) -> ();
            /// `(unit, function, nested code, parts)`: a new function of a nested code object.
            ObjMakeFunction = closures::obj_make_function(Unit, I64, I64, Ptr) -> (Obj);
            /// `__build_class__`
            ObjBuildClass = closures::obj_build_class(Unit) -> (Obj);
            /// `(super, cell, first argument)`: `super()`.
            ObjSuper = closures::obj_super(Obj, Obj, Obj) -> (Obj);
            /// 1 where nobody can see the death of an object of this type, else 0.
            DiesSilently = object::object_dies_silently(Obj) -> (I64);
            /// `(start, step, count)`: a new list of the numbers of a range of so many.
            ListRange = list::list_range(I64, I64, I64) -> (Obj);
            /// `(str, index)`: the code point of the character at an index that exists.
            StrItem = string::str_item(Obj, I64) -> (I64);
            /// 1 where two exact strs are equal, else 0.
            StrEqual = string::str_equal(Obj, Obj) -> (I64);
            /// The str of the character with this code point.
            StrChar = string::str_char(I64) -> (Obj);
            /// `(exception or None, classes)`: what `except*` leaves and what it takes; null and null with an exception.
            ObjGroupMatches = groups::obj_group_matches(Obj, Obj) -> (Obj, Obj);
            /// `(caught, list of raised)`: what `except*` raises at its end, or None.
            ObjMergeGroups = groups::obj_merge_groups(Obj, Obj) -> (Obj);
            /// `(flag, object)`: 1 where the object's type has the flag of this number, else 0.
            ObjTypeFlag = patterns::obj_type_flag(I64, Obj) -> (I64);
            /// `len(object)`
            ObjLen = patterns::obj_len(Obj) -> (Obj);
            /// `(mapping, keys)`: the tuple of values, or None.
            ObjMatchKeys = patterns::obj_match_keys(Obj, Obj) -> (Obj);
            /// `(count, object, class, names)`: the tuple of attributes, or None.
            ObjMatchClass = patterns::obj_match_class(I64, Obj, Obj, Obj) -> (Obj);
            /// `(name, type parameters or None, function)`: a type alias.
            ObjTypeAlias = closures::obj_type_alias(Obj, Obj, Obj) -> (Obj);
            /// `(unit, function number, parameter, cache number, value)`: 1 where the value's class alone tells that it
            /// keeps the promise of the parameter (-1: of the result), else 0.
            PromiseKeeps = promise::promise_keeps(Unit, I64, I64, I64, Obj) -> (I32);
            /// `(unit, class number, object)`: 1 where the type of a sealed class covers the object, else 0.
            SealedCovers = sealed::sealed_covers(Unit, I64, Obj) -> (I32);
            /// `(text)`: sets TypeError.
            SealedDeclined = sealed::sealed_declined(Obj) -> ();
            /// Takes the last item out of a list that has one; null where there is no memory.
            ListPop = list::list_pop(Obj) -> (Obj);
            /// `(list, start, stop, step)`: a new list of a slice.
            ListSlice = list::list_slice(Obj, I64, I64, I64) -> (Obj);
            /// `(list, start, stop, items)`: puts a list's items in place of a slice of the list. 0 or -1.
            ListSetSlice = list::list_set_slice(Obj, I64, I64, Obj) -> (I32);
            /// `(class, values, unboxed)`: a new instance of a sealed class with a value for each of its fields, which
            /// pass their checks; it takes their references, unless it fails. The words of the fields in the last
            /// operand, by their numbers, hold numbers.
            SealedNew = sealed::make(Obj, Ptr, I64) -> (Obj);
        }
    };
}

macro_rules! declare_helpers {
    ($($(#[$doc:meta])* $variant:ident = $module:ident::$function:ident($($arg:ident),*) -> ($($result:ident),*);)*) => {
        /// A row of the helper table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Helper { $($(#[$doc])* $variant,)* }

        impl Helper {
            /// Every row in the order of the table.
            pub const ALL: &'static [Helper] = &[$(Helper::$variant,)*];

            /// The helper's name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Helper::$variant => concat!("castiron_", stringify!($function)),)* }
            }

            /// The machine types of the arguments.
            #[must_use]
            pub fn args(self) -> &'static [Word] {
                match self { $(Helper::$variant => &[$(Word::$arg),*],)* }
            }

            /// Whether it may run something that looks at the stack, and so takes a site.
            #[must_use]
            pub fn looks(self) -> bool {
                matches!(
                    self,
                    Helper::Poll
                        | Helper::Resume
                        | Helper::ResumeWithResult
                        | Helper::CheckResult
                        | Helper::ObjGlobal
                        | Helper::ObjAttr
                        | Helper::ObjSetAttr
                        | Helper::ObjDelAttr
                        | Helper::ObjSetGlobal
                        | Helper::ObjItem
                        | Helper::ObjSetItem
                        | Helper::ObjDelItem
                        | Helper::ObjContains
                        | Helper::ObjDict
                        | Helper::ObjMethod
                        | Helper::ObjCallMethod
                        | Helper::ObjBinary
                        | Helper::ObjUnary
                        | Helper::ObjCompare
                        | Helper::ObjTruth
                        | Helper::ObjCall
                        | Helper::ObjUnpack
                        | Helper::ObjIter
                        | Helper::ObjNext
                        | Helper::ObjRaise
                        | Helper::ObjCallEx
                        | Helper::ObjStoreCell
                        | Helper::ObjBuildClass
                        | Helper::ObjSuper
                        | Helper::ObjEndCatch
                        | Helper::ObjMatches
                        | Helper::ObjCatch
                        | Helper::ObjTakeError
                        | Helper::ObjEnterContext
                        | Helper::ObjExitContext
                        | Helper::ObjSet
                        | Helper::ObjListExtend
                        | Helper::ObjSetAdd
                        | Helper::ObjSetUpdate
                        | Helper::ObjDictUpdate
                        | Helper::ObjDictMerge
                        | Helper::ObjFormat
                        | Helper::ObjImport
                        | Helper::ObjImportFrom
                        | Helper::ObjUnpackRest
                        | Helper::ObjGroupMatches
                        | Helper::ObjMergeGroups
                        | Helper::ObjLen
                        | Helper::ObjMatchKeys
                        | Helper::ObjMatchClass
                        | Helper::AddTraceback
                        | Helper::ListSetSlice
                        | Helper::Dealloc
                        | Helper::DropAll
                )
            }

            /// The machine types of the results.
            #[must_use]
            pub fn results(self) -> &'static [Word] {
                match self { $(Helper::$variant => &[$(Word::$result),*],)* }
            }
        }
    };
}

for_each_helper!(declare_helpers);

/// Two 64-bit words as `extern "C"` returns them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Pair<A, B>(pub A, pub B);

/// A position that compiled code passes as a word.
///
/// # Panics
/// When it is negative, which compiled code never passes.
#[inline]
#[must_use]
pub fn position(word: i64) -> usize {
    usize::try_from(word).expect("compiled code passes positions")
}

/// The address of a function, for tables of them.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Address(pub *const c_void);

// SAFETY: the address of a function is a number; who calls it answers for that.
unsafe impl Sync for Address {}

// SAFETY: as above.
unsafe impl Send for Address {}

macro_rules! table_of_helpers {
    ($($(#[$doc:meta])* $variant:ident = $module:ident::$function:ident($($arg:ident),*) -> ($($result:ident),*);)*) => {
        static ADDRESSES: [Address; Helper::ALL.len()] = [$(Address(super::$module::$function as *const c_void),)*];
    };
}

for_each_helper!(table_of_helpers);

/// The helpers' addresses in the order of the table.
#[must_use]
pub fn addresses() -> &'static [Address] {
    &ADDRESSES
}
