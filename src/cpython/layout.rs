//! Where things stand in CPython's structs, per minor version, for 64-bit little-endian builds.
//!
//! The numbers come from `offsetof` under each version's own headers, and [`super::check`] compares
//! them with the running interpreter before anything is compiled. All of them are byte offsets.
//! Free-threaded and debug builds have other layouts and are refused.

mod versions;

/// What tells an immortal object, whose count must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Immortality {
    /// There are none (3.11).
    None,
    /// The low 32 bits of the count, taken as a signed number, are negative (3.12, 3.13). A count is
    /// raised by adding one to the low 32 bits unless they then were 0, and lowered as 64 bits.
    NegativeLowHalf,
}

/// How an `int` says its sign and its number of digits (30 bits each, 32 bits apart, least first).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntHeader {
    /// A signed 64-bit size: its magnitude is the number of digits, its sign the int's; 0 for zero (3.11).
    SignedSize,
    /// A 64-bit tag: the low two bits are 0 for positive, 1 for zero, 2 for negative, the digits are
    /// counted from bit 3 up; a tag below 16 means at most one digit (3.12, 3.13).
    Tag,
}

/// Where the word stands that the eval loop tests for pending work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerPlace {
    /// In the thread state, at this offset.
    Thread(i32),
    /// In the interpreter state, at this offset; its absolute address is in the data of each unit.
    Interpreter(i32),
}

/// The word that the eval loop tests for pending work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Where it stands.
    pub place: BreakerPlace,
    /// Its width in bytes, 4 or 8.
    pub width: u8,
    /// Which bits mean pending work; the others say nothing about this.
    pub mask: u64,
}

/// How a thread state leads to the frame that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurrentFrame {
    /// The pointer at this offset of the thread state (3.13).
    Direct(i32),
    /// The thread state's pointer at the first offset, then the pointer at the second (3.11, 3.12).
    Through(i32, i32),
}

/// The fields of `PyThreadState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadLayout {
    /// How many more Python frames may nest, an `int`; one is entered when it is above 0.
    pub recursion_remaining: i32,
    /// The limit that the counter started from, an `int`.
    pub recursion_limit: i32,
    /// How many more units of C recursion there may be, an `int`, and how many of them the eval loop takes
    /// when C code calls a Python function; none on 3.11, where both counters are one.
    pub c_recursion: Option<(i32, i32)>,
    /// The interpreter state.
    pub interpreter: i32,
    /// The number that the interpreter gave the thread state, and gives no other one: 64 bits.
    pub id: i32,
    /// The pointer to the innermost exception that is handled: a place for an object, owned, null or None while
    /// there is none.
    pub handled: i32,
    /// The frame that runs.
    pub current_frame: CurrentFrame,
    /// The function of `sys.setprofile`, null while there is none.
    pub profile: i32,
    /// The function of `sys.settrace`, null while there is none.
    pub trace: i32,
}

/// The fields of `PyFunctionObject`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionLayout {
    /// `__globals__`
    pub globals: i32,
    /// `__builtins__`
    pub builtins: i32,
    /// `__code__`
    pub code: i32,
    /// `__defaults__`, null for None.
    pub defaults: i32,
    /// `__kwdefaults__`, null for None.
    pub kwdefaults: i32,
    /// `__closure__`, null for None.
    pub closure: i32,
    /// `__dict__`, null while nobody has asked for it.
    pub dict: i32,
    /// Its weak references, null for none.
    pub weak_references: i32,
    /// `__annotations__`, null where there are none.
    pub annotations: i32,
    /// `__type_params__`, null where there are none (3.12 and later).
    pub type_params: Option<i32>,
    /// The vectorcall function.
    pub vectorcall: i32,
    /// The version by which calls of the function are specialised and that of the code that its `def` gave it, 32
    /// bits each, in the function and in the code object (3.12 and later).
    pub versions: Option<(i32, i32)>,
    /// Whether the interpreter gives a function another version when it has lost that of its code (not 3.13).
    pub renews_version: bool,
}

/// The fields of frame objects and interpreter frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLayout {
    /// The calling frame's object, owned, null while nobody asked for it.
    pub back: i32,
    /// From the frame object to its interpreter frame.
    pub frame: i32,
    /// The current instruction's address in the interpreter frame.
    pub instruction: i32,
    /// The first instruction in the code object.
    pub first_instruction: i32,
    /// The function in the interpreter frame.
    pub function: i32,
    /// The first variable in the interpreter frame.
    pub variables: i32,
    /// The interpreter frame that a frame object keeps for itself, in the frame object.
    pub own: i32,
    /// The code object in the interpreter frame.
    pub code: i32,
    /// The module's namespace in the interpreter frame.
    pub globals: i32,
    /// The builtins' namespace in the interpreter frame.
    pub builtins: i32,
    /// The namespace of a class body in the interpreter frame, null in functions.
    pub locals: i32,
    /// The frame object of the interpreter frame, owned, null while nobody asked for it.
    pub object: i32,
    /// The calling interpreter frame.
    pub previous: i32,
    /// How many words behind the first variable are in use, an `int`.
    pub stack_top: i32,
    /// Whose the interpreter frame is, a `char`: 0 the thread's, 2 its frame object's.
    pub owner: i32,
    /// Two bytes that say how the eval loop goes on, and what they are in a frame that it never runs.
    pub entry: (i32, u8),
}

impl FrameLayout {
    /// Bytes of an interpreter frame in front of its variables.
    #[must_use]
    pub fn fixed_bytes(&self) -> usize {
        self.variables.unsigned_abs() as usize
    }
}

/// The fields of code objects, 32 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeLayout {
    /// `co_flags`
    pub flags: i32,
    /// `co_argcount`
    pub positional: i32,
    /// `co_kwonlyargcount`
    pub keyword_only: i32,
}

/// The fields of lists, sets, dicts and cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerLayout {
    /// The number of items of a `list`.
    pub list_size: i32,
    /// The pointer to a list's items.
    pub list_items: i32,
    /// How many items a list has room for.
    pub list_allocated: i32,
    /// The number of the last entry of a set's table.
    pub set_mask: i32,
    /// The pointer to a set's table.
    pub set_table: i32,
    /// The pointer to a dict's keys.
    pub dict_keys: i32,
    /// The pointer to the values of a dict that shares its keys, else null.
    pub dict_values: i32,
    /// In the keys: the logarithm of the size of the indices, a byte.
    pub keys_log2_index_bytes: i32,
    /// In the keys: the kind of entries, a byte.
    pub keys_kind: i32,
    /// In the keys: how many entries were used.
    pub keys_entries: i32,
    /// In the keys: the indices; the entries follow.
    pub keys_indices: i32,
    /// The number of items that the iterator of a list has given.
    pub list_iterator_index: i32,
    /// The list of an iterator, null at its end.
    pub list_iterator_list: i32,
    /// The content of a cell.
    pub cell: i32,
    /// The number of bytes of a `bytes` object.
    pub bytes_size: i32,
    /// Its first byte.
    pub bytes_items: i32,
    /// The number of bytes of a `bytearray`.
    pub bytearray_size: i32,
    /// The pointer to its first byte.
    pub bytearray_items: i32,
}

/// The fields of `str` objects whose characters stand behind their header, as all do that Python code makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrLayout {
    /// The number of characters.
    pub length: i32,
    /// How they are stored, 32 bits.
    pub state: i32,
    /// The bits of the state that say where they stand and how wide they are.
    pub state_mask: i64,
    /// Those bits in a str of ASCII characters, a byte each.
    pub ascii: i64,
    /// The first character of such a str.
    pub ascii_items: i32,
}

/// The ints that CPython makes once and keeps: one behind the other in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmallInts {
    /// The first of them.
    pub first: i64,
    /// How many there are.
    pub count: i64,
    /// From one to the next.
    pub stride: i64,
}

/// Where instances of Python classes keep the values of their attributes, while they have no dict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceValues {
    /// In an array that the pointer at this offset leads to, null once there is a dict (3.11).
    Array(i32),
    /// The same; the word is one less than the array's address, and even once there is a dict (3.12).
    OddArray(i32),
    /// In the instance, from the second offset on; the byte at the first is 0 once they are elsewhere (3.13).
    Inline(i32, i32),
}

/// Bytes from the beginning of values that stand in the instance to the first of them.
pub const INLINE_HEADER: i32 = 8;

impl InstanceValues {
    /// How far the first value is behind what compiled code adds offsets to: the word with the array's address, or the
    /// instance.
    #[must_use]
    pub fn first(self) -> i64 {
        match self {
            InstanceValues::Array(_) => 0,
            InstanceValues::OddArray(_) => 1,
            InstanceValues::Inline(_, first) => i64::from(first),
        }
    }
}

/// What attributes are looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttributeLayout {
    /// A type's flags, 64 bits.
    pub flags: i32,
    /// Where a type's instances have the pointer to their dict, 0 if nowhere.
    pub dict_offset: i32,
    /// The function that reads an attribute of a type's instances.
    pub getattro: i32,
    /// The function that writes one.
    pub setattro: i32,
    /// The function that a type's instances are read by where a class has them as attributes.
    pub descr_get: i32,
    /// The function that they are written by.
    pub descr_set: i32,
    /// Where a type's instances have their vectorcall function.
    pub vectorcall_offset: i32,
    /// The function that gives the next item of a type's instances.
    pub iternext: i32,
    /// The function that makes a type's instances.
    pub new: i32,
    /// The function that sets them up.
    pub init: i32,
    /// The keys that the dicts of a class' instances share, in a heap type.
    pub cached_keys: i32,
    /// The description of a member, in its descriptor; its class stands behind the header.
    pub member: i32,
    /// In a description: what the member holds, an `int`.
    pub member_kind: i32,
    /// In a description: where it is in the instance.
    pub member_offset: i32,
    /// In a description: whether it can be written, an `int`.
    pub member_flags: i32,
    /// In instances of Python classes: the pointer to the dict.
    pub managed_dict: i32,
    /// The flag of types whose instances have values.
    pub values_flag: u64,
    /// Where the values are.
    pub values: InstanceValues,
    /// The first value in what a dict's pointer to its values leads to.
    pub dict_values_first: i32,
}

/// The flag of types whose instances have the pointer to their dict in front of their header.
pub const MANAGED_DICT: u64 = 1 << 4;

/// The flag of types whose instances a class binds as functions are bound.
pub const METHOD_DESCRIPTOR: u64 = 1 << 17;

/// Where things stand in one minor version's structs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What a class pattern says to something that is no class.
    pub no_class_in_pattern: &'static str,
    /// Whether an exception of which an `except*` clause takes nothing stays what it is, whatever its `split` says.
    pub untaken_stays: bool,
    /// Major and minor version.
    pub version: (u8, u8),
    /// The reference count, 64 bits.
    pub refcount: i32,
    /// Which objects are not counted.
    pub immortality: Immortality,
    /// An object's type.
    pub ob_type: i32,
    /// The name of a type, a C string.
    pub type_name: i32,
    /// The function by which a type's instances are iterated over.
    pub type_iter: i32,
    /// The version tag of a type, 32 bits, 0 for none: it moves when the type or a base of it changes.
    pub type_version: i32,
    /// Sign and number of digits of an `int`, 64 bits.
    pub int_header: i32,
    /// How to read them.
    pub int_header_kind: IntHeader,
    /// The first digit of an `int`.
    pub int_digits: i32,
    /// The ints that there is one of.
    pub small_ints: SmallInts,
    /// The value of a `float`.
    pub float_value: i32,
    /// The number of items of a `tuple`.
    pub tuple_size: i32,
    /// The first item of a `tuple`.
    pub tuple_items: i32,
    /// Strings.
    pub string: StrLayout,
    /// Containers.
    pub container: ContainerLayout,
    /// The thread state.
    pub thread: ThreadLayout,
    /// The eval breaker.
    pub breaker: Breaker,
    /// Functions.
    pub function: FunctionLayout,
    /// Code objects.
    pub code: CodeLayout,
    /// The function of a method.
    pub method_function: i32,
    /// Frame objects.
    pub frame: FrameLayout,
    /// The version tag of a `dict`, 64 bits, where it moves at every write (3.11).
    pub dict_version: Option<i32>,
    /// The interpreter state's monitored events: 15 bytes, one bit for each tool in each (3.12 and later).
    pub monitors: Option<i32>,
    /// The iterator of a `range` of 64-bit numbers.
    pub range_iter: RangeIterLayout,
    /// Attributes.
    pub attribute: AttributeLayout,
}

/// The fields of a range iterator, 64 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeIterLayout {
    /// How many numbers it has given (3.11); later it forgets them: `start` moves and `len` falls.
    pub index: Option<i32>,
    /// The first number.
    pub start: i32,
    /// The step.
    pub step: i32,
    /// How many numbers there are.
    pub len: i32,
}

static LAYOUTS: [Layout; 3] = [versions::PYTHON_3_11, versions::PYTHON_3_12, versions::PYTHON_3_13];

impl Layout {
    /// The layout of this minor version, if it is known.
    #[must_use]
    pub fn for_version(major: u8, minor: u8) -> Option<&'static Layout> {
        LAYOUTS.iter().find(|layout| layout.version == (major, minor))
    }
}
