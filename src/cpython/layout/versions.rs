//! The layouts of the CPythons that we know.

use super::AttributeLayout;
use super::Breaker;
use super::BreakerPlace;
use super::CodeLayout;
use super::ContainerLayout;
use super::CurrentFrame;
use super::FrameLayout;
use super::FunctionLayout;
use super::Immortality;
use super::InstanceValues;
use super::IntHeader;
use super::Layout;
use super::MANAGED_DICT;
use super::RangeIterLayout;
use super::SmallInts;
use super::StrLayout;
use super::ThreadLayout;

pub(super) const PYTHON_3_11: Layout = Layout {
    no_class_in_pattern: "called match pattern must be a type",
    untaken_stays: true,
    version: (3, 11),
    refcount: 0,
    immortality: Immortality::None,
    ob_type: 8,
    type_name: 24,
    type_iter: 216,
    type_version: 384,
    int_header: 16,
    int_header_kind: IntHeader::SignedSize,
    int_digits: 24,
    small_ints: SmallInts { first: -5, count: 262, stride: 32 },
    float_value: 16,
    tuple_size: 16,
    tuple_items: 24,
    string: StrLayout { length: 16, state: 32, state_mask: 0x7c, ascii: 0x64, ascii_items: 48 },
    container: ContainerLayout {
        list_size: 16,
        list_items: 24,
        list_allocated: 32,
        set_mask: 32,
        set_table: 40,
        dict_keys: 32,
        dict_values: 40,
        keys_log2_index_bytes: 9,
        keys_kind: 10,
        keys_entries: 24,
        keys_indices: 32,
        list_iterator_index: 16,
        list_iterator_list: 24,
        cell: 16,
        bytes_size: 16,
        bytes_items: 32,
        bytearray_size: 16,
        bytearray_items: 40,
    },
    thread: ThreadLayout {
        recursion_remaining: 32,
        recursion_limit: 36,
        c_recursion: None,
        interpreter: 16,
        id: 240,
        handled: 120,
        current_frame: CurrentFrame::Through(56, 8),
        profile: 64,
        trace: 72,
    },
    breaker: Breaker { place: BreakerPlace::Interpreter(100), width: 4, mask: 0xffff_ffff },
    function: FunctionLayout {
        globals: 16,
        builtins: 24,
        code: 48,
        defaults: 56,
        kwdefaults: 64,
        closure: 72,
        dict: 88,
        weak_references: 96,
        annotations: 112,
        type_params: None,
        vectorcall: 120,
        versions: None,
        renews_version: true,
    },
    code: CodeLayout { flags: 48, positional: 56, keyword_only: 64 },
    method_function: 16,
    frame: FrameLayout {
        back: 16,
        frame: 24,
        instruction: 56,
        first_instruction: 184,
        function: 0,
        variables: 72,
        own: 48,
        code: 32,
        globals: 8,
        builtins: 16,
        locals: 24,
        object: 40,
        previous: 48,
        stack_top: 64,
        owner: 69,
        entry: (68, 1),
    },
    dict_version: Some(24),
    monitors: None,
    range_iter: RangeIterLayout { index: Some(16), start: 24, step: 32, len: 40 },
    attribute: AttributeLayout {
        flags: 168,
        dict_offset: 288,
        getattro: 144,
        setattro: 152,
        descr_get: 272,
        descr_set: 280,
        vectorcall_offset: 56,
        iternext: 224,
        new: 312,
        init: 296,
        cached_keys: 872,
        member: 40,
        member_kind: 8,
        member_offset: 16,
        member_flags: 24,
        managed_dict: -24,
        values_flag: MANAGED_DICT,
        values: InstanceValues::Array(-32),
        dict_values_first: 0,
    },
};

pub(super) const PYTHON_3_12: Layout = Layout {
    no_class_in_pattern: "called match pattern must be a class",
    untaken_stays: false,
    version: (3, 12),
    immortality: Immortality::NegativeLowHalf,
    string: StrLayout { ascii_items: 40, ..PYTHON_3_11.string },
    int_header_kind: IntHeader::Tag,
    thread: ThreadLayout {
        recursion_remaining: 28,
        recursion_limit: 32,
        c_recursion: Some((36, 2)),
        interpreter: 16,
        id: 224,
        handled: 104,
        current_frame: CurrentFrame::Through(56, 0),
        profile: 64,
        trace: 72,
    },
    breaker: Breaker { place: BreakerPlace::Interpreter(368), width: 4, mask: 0xffff_ffff },
    function: FunctionLayout {
        type_params: Some(120),
        vectorcall: 128,
        versions: Some((136, 92)),
        ..PYTHON_3_11.function
    },
    code: CodeLayout { flags: 48, positional: 52, keyword_only: 60 },
    frame: FrameLayout {
        back: 16,
        frame: 24,
        instruction: 56,
        first_instruction: 192,
        function: 16,
        variables: 72,
        own: 48,
        code: 0,
        globals: 24,
        builtins: 32,
        locals: 40,
        object: 48,
        previous: 8,
        stack_top: 64,
        owner: 70,
        entry: (68, 0),
    },
    dict_version: None,
    monitors: Some(381_744),
    range_iter: RangeIterLayout { index: None, start: 16, step: 24, len: 32 },
    attribute: AttributeLayout {
        cached_keys: 880,
        values: InstanceValues::OddArray(-24),
        ..PYTHON_3_11.attribute
    },
    ..PYTHON_3_11
};

pub(super) const PYTHON_3_13: Layout = Layout {
    version: (3, 13),
    thread: ThreadLayout {
        recursion_remaining: 44,
        recursion_limit: 48,
        c_recursion: Some((52, 2)),
        interpreter: 16,
        id: 224,
        handled: 120,
        current_frame: CurrentFrame::Direct(72),
        profile: 80,
        trace: 88,
    },
    // The bits above the events are the version of the monitoring tools.
    breaker: Breaker { place: BreakerPlace::Thread(24), width: 8, mask: 0xff },
    frame: FrameLayout { first_instruction: 200, own: 64, ..PYTHON_3_12.frame },
    function: FunctionLayout { renews_version: false, ..PYTHON_3_12.function },
    monitors: Some(193_136),
    attribute: AttributeLayout {
        values_flag: 1 << 2,
        values: InstanceValues::Inline(19, 24),
        dict_values_first: 8,
        ..PYTHON_3_12.attribute
    },
    ..PYTHON_3_12
};
