//! A module built ahead of time, apart from its machine code: what stands in the shared object beside it.
//!
//! The module's `PyInit` function takes the pointer table out of the capsule named [`CAPSULE`] and calls
//! its first function, `(data, image, length of the image) -> object`, whose result it returns.

use lz4_flex::block::DecompressError;
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
    /// What its body is made from.
    pub body: Body,
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
    #[serde(skip)]
    pub key: String,
    /// The compiler that built it, by the fingerprint of its sources.
    pub compiler: String,
}

/// What a module's body is made from when the module is imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// The source text.
    Text(String),
    /// Code objects, as `castiron._built.packed` wrote them, for the same CPython.
    Code(Vec<u8>),
}

impl Body {
    /// The source text, if it is there.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Body::Text(text) => Some(text),
            Body::Code(_) => None,
        }
    }
}

/// Why an image can't be loaded.
#[derive(Debug)]
pub enum ImageError {
    /// It was built for a runtime with another ABI.
    Abi {
        /// The version of the ABI that it wants.
        wanted: u32,
    },
    /// It is damaged.
    Damaged(postcard::Error),
    /// It is damaged so that it can't even be decompressed.
    Unpacked(DecompressError),
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
            ImageError::Damaged(error) => damaged(f, error),
            ImageError::Unpacked(error) => damaged(f, error),
        }
    }
}

fn damaged(f: &mut std::fmt::Formatter<'_>, error: &dyn std::fmt::Display) -> std::fmt::Result {
    write!(f, "the module's metadata are damaged: {error}; build it again with `castiron build`")
}

impl std::error::Error for ImageError {}

/// The format can't make more of a byte than this.
const MOST_PACKED: usize = 256;

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
    /// The image as bytes: a head of three numbers (the version of the ABI, the length of what is compressed, that of
    /// the key), the key in plain text, by which a file is found to be current, and everything else compressed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let plain = postcard::to_stdvec(self).expect("plain data can be written to memory");
        let length =
            |bytes: &[u8]| u32::try_from(bytes.len()).expect("counted budgets keep images below 4 GiB");
        let head = [abi(), length(&plain), length(self.key.as_bytes())].map(u32::to_le_bytes);
        [head.as_flattened(), self.key.as_bytes(), &lz4_flex::block::compress(&plain)].concat()
    }

    /// Reads an image.
    ///
    /// # Errors
    /// When it was built for another ABI, or is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Image, ImageError> {
        let (wanted, rest) = number(bytes)?;
        if wanted != abi() {
            return Err(ImageError::Abi { wanted });
        }
        let (length, rest) = number(rest)?;
        let (key, rest) = number(rest)?;
        let (length, key) = (length as usize, key as usize);
        let (key, packed) = rest.split_at_checked(key).ok_or(CUT)?;
        if length / MOST_PACKED > packed.len() {
            return Err(CUT);
        }
        let plain = lz4_flex::block::decompress(packed, length).map_err(ImageError::Unpacked)?;
        let image: Image = postcard::from_bytes(&plain).map_err(ImageError::Damaged)?;
        Ok(Image { key: String::from_utf8_lossy(key).into_owned(), ..image })
    }
}

/// Something is missing.
const CUT: ImageError = ImageError::Damaged(postcard::Error::DeserializeUnexpectedEnd);

fn number(bytes: &[u8]) -> Result<(u32, &[u8]), ImageError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(CUT)?;
    Ok((u32::from_le_bytes(*number), rest))
}
