//! A module built ahead of time, apart from its machine code: what stands in the shared object beside it.
//!
//! The module's `PyInit` function takes the pointer table out of the capsule named [`CAPSULE`] and calls
//! its first function, `(data, image, length of the image) -> object`, whose result it returns.

use serde::{Deserialize, Serialize};

use crate::ir::Const;
use crate::types::Type;

use super::data::DataLayout;
use super::meta::ExitMeta;
use super::meta::FunctionMeta;
use super::meta::ShowMeta;
use super::meta::UnitMeta;
use super::table::ABI_VERSION;
use super::table::Helper;

/// The capsule through which built modules reach the runtime, as `PyCapsule_Import` wants it.
pub const CAPSULE: &str = "castiron._castiron._runtime";

/// The symbol of the image in an object file.
pub const IMAGE_SYMBOL: &str = "castiron_image";

/// What the runtime must know to load a built module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Major and minor version of the CPython that the code was made for.
    pub python: (u8, u8),
    /// The module's name, dots and all.
    pub module: String,
    /// The module's source text.
    pub source: String,
    /// The functions that are compiled.
    pub meta: UnitMeta,
    /// `code.co_firstlineno` of each of them, which together with its name tells whose code it is.
    pub lines: Vec<u32>,
    /// Whether every annotation of the module is a promise.
    pub is_enforced: bool,
    /// Whether the machine code tests assertions; else it is that of `python -O`.
    pub asserts: bool,
    /// What the processor must have besides the baseline of its kind, as Cranelift names it.
    pub features: Vec<String>,
    /// What everything that it was built from comes to, for whoever asks whether it is current.
    pub key: String,
    /// The compiler that built it, by the fingerprint of its sources.
    pub compiler: String,
}

/// Why an image can't be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// It was built for a runtime with another ABI.
    Abi {
        /// The version of the ABI that it wants.
        wanted: u32,
    },
    /// It is damaged.
    Damaged(postcard::Error),
}

impl std::fmt::Display for ImageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ImageError::Abi { wanted } => {
                write!(
                    f,
                    "it was built for ABI {wanted:x} of castiron's runtime, but the one installed has ABI {:x}: \
                     build it again, or install the castiron that built it",
                    abi()
                )
            }
            ImageError::Damaged(error) => {
                write!(f, "the module's metadata are damaged: {error}; build it again with `castiron build`")
            }
        }
    }
}

impl std::error::Error for ImageError {}

/// What must be the same on both sides: [`ABI_VERSION`], the rows of the helper table, and the sizes of all that the
/// metadata are made of, which tell of most changes that nobody has counted.
#[must_use]
pub fn abi() -> u32 {
    let mut hash = 0x811C_9DC5_u32 ^ ABI_VERSION;
    let mut add = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    };
    for helper in Helper::ALL {
        add(helper.name().as_bytes());
        add(&[u8::try_from(helper.args().len()).expect("helpers take few arguments")]);
    }
    let sizes = [
        size_of::<Image>(),
        size_of::<UnitMeta>(),
        size_of::<FunctionMeta>(),
        size_of::<ExitMeta>(),
        size_of::<ShowMeta>(),
        size_of::<Type>(),
        size_of::<Const>(),
        DataLayout::of(&UnitMeta::default()).size(),
    ];
    for size in sizes {
        add(&size.to_le_bytes());
    }
    hash
}

impl Image {
    /// The image as bytes: the version of the ABI, then everything else.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let version = abi().to_le_bytes().to_vec();
        postcard::to_extend(self, version).expect("plain data can be written to memory")
    }

    /// Reads an image.
    ///
    /// # Errors
    /// When it was built for another ABI, or is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Image, ImageError> {
        let Some((version, rest)) = bytes.split_first_chunk() else {
            return Err(ImageError::Damaged(postcard::Error::DeserializeUnexpectedEnd));
        };
        let wanted = u32::from_le_bytes(*version);
        if wanted != abi() {
            return Err(ImageError::Abi { wanted });
        }
        postcard::from_bytes(rest).map_err(ImageError::Damaged)
    }
}
