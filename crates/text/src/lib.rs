//! Letters on the air: GSM 7-bit, UCS-2, segmentation and user data headers.
//!
//! Everything a text meets between the API and the handset, without I/O and without dependencies:
//!
//! - [`measure()`] says how a text travels, how many units it takes and in how many parts it leaves;
//! - [`segment()`] makes those parts, ready for `submit_sm`;
//! - [`forcing_characters`] names what makes a text expensive;
//! - [`gsm7`], [`packed`], [`ucs2`], [`latin1`] and [`ascii`] write and read the alphabets, [`national`] the GSM one with
//!   national tables;
//! - [`transliterate()`] writes a text in letters that GSM 7-bit has, and says what it replaced;
//! - [`udh`] reads and writes user data headers, [`coding`] reads `data_coding`.
//!
//! Nothing is replaced silently: a character that an alphabet lacks is an [`Unencodable`], octets that cannot be
//! read are a [`DecodeError`], and the lossy readers for incoming messages count what they had to replace.
//!
//! ```
//! use text::{Encoding, Reference, ReferenceWidth, forcing_characters, measure, segment};
//!
//! let text = "Zażółć";
//! let measured = measure(text, ReferenceWidth::Bits8);
//! assert_eq!((measured.encoding, measured.units, measured.parts), (Encoding::Ucs2, 6, 1));
//! let forcing: String = forcing_characters(text).map(|forcing| forcing.character).collect();
//! assert_eq!(forcing, "żółć");
//!
//! let parts = segment(&"a".repeat(161), Reference::Bits8(7), 9)?;
//! assert_eq!(parts[1].udh, [5, 0, 3, 7, 2, 2]);
//! assert_eq!(parts[1].payload.len(), 161 - 153);
//! # Ok::<(), text::TextError>(())
//! ```

pub mod ascii;
pub mod coding;
pub mod gsm7;
pub mod latin1;
pub mod national;
pub mod packed;
pub mod ucs2;
pub mod udh;

mod cluster;
mod cluster_table;
mod cut;
mod encoding;
mod error;
mod gsm7_table;
mod measure;
mod segment;
mod transliterate;

pub use encoding::{Encoding, PARTS_LIMIT, Reference, ReferenceWidth};
pub use error::{DecodeError, Decoded, TextError, Unencodable};
pub use measure::{Measure, forcing_characters, measure, measure_as, measure_with};
pub use national::{Language, Shift};
pub use segment::{Segment, segment, segment_as};
pub use transliterate::{Replaced, Transliterated, transliterate};
