//! Strict reading of a JSON object with known fields.
//!
//! What is no JSON object in UTF-8 is refused as a whole: trailing garbage, byte order marks, lone
//! surrogates, numbers beyond a double, NUL characters, nesting beyond serde_json's 128 levels, and a
//! key that stands twice, at any depth. What is an object but holds a value of the wrong type names the
//! field. Unknown fields are checked like the rest, then ignored.

mod fields;
mod object;
mod skipped;
mod value;

pub use fields::Fields;
pub use object::{NotAnObject, read_object};
pub use value::Value;
