//! The object itself.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::skipped::{Keys, Skipped};
use super::value::Value;

/// The text is no JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON object in UTF-8")]
pub struct NotAnObject;

/// Reads the object and returns the values of `names`, in their order.
///
/// # Errors
/// [`NotAnObject`] for everything the module's description calls refused as a whole.
pub fn read_object<const N: usize>(body: &[u8], names: &[&'static str; N]) -> Result<[Value; N], NotAnObject> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let values = deserializer.deserialize_map(ObjectVisitor(names)).map_err(|_| NotAnObject)?;
    deserializer.end().map_err(|_| NotAnObject)?;
    Ok(values)
}

struct ObjectVisitor<'a, const N: usize>(&'a [&'static str; N]);

impl<'de, const N: usize> Visitor<'de> for ObjectVisitor<'_, N> {
    type Value = [Value; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<[Value; N], A::Error> {
        let mut values = [const { Value::Absent }; N];
        let mut seen = [false; N];
        let mut unknown = None;
        while let Some(name) = members.next_key_seed(NameSeed { names: self.0, unknown: &mut unknown })? {
            match name {
                Some(index) if seen[index] => return Err(A::Error::custom("key stands twice")),
                Some(index) => {
                    seen[index] = true;
                    values[index] = members.next_value()?;
                }
                None => {
                    members.next_value::<Skipped>()?;
                }
            }
        }
        Ok(values)
    }
}

/// Turns a key into its index among the known names without copying it.
struct NameSeed<'a, const N: usize> {
    names: &'a [&'static str; N],
    /// Made with the first unknown key: most bodies have none.
    unknown: &'a mut Option<Keys>,
}

impl<'de, const N: usize> DeserializeSeed<'de> for NameSeed<'_, N> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for NameSeed<'_, N> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Option<usize>, E> {
        let known = self.names.iter().position(|name| *name == key);
        if known.is_none() {
            self.unknown.get_or_insert_default().note(key)?;
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["message", "phoneNumbers", "validity"];

    fn read(body: &str) -> Result<[Value; 3], NotAnObject> {
        read_object(body.as_bytes(), &NAMES)
    }

    #[test]
    fn known_fields_come_in_the_order_of_the_names() {
        let read = read(r#" {"validity":60,"x":{"y":[1,2.5,"z"]},"phoneNumbers":["\u002B48"],"message":null} "#);
        assert_eq!(read, Ok([Value::Absent, Value::Texts(vec!["+48".into()]), Value::Integer(60)]));
    }

    #[test]
    fn wrong_types_keep_their_place() {
        let [message, numbers, validity] = read(r#"{"message":{},"phoneNumbers":["1",2,"3"],"validity":1.5}"#).unwrap();
        assert_eq!(message, Value::Other { index: None, shown: "{…}".into() });
        assert_eq!(numbers, Value::Other { index: Some(1), shown: "2".into() });
        assert_eq!(validity, Value::Other { index: None, shown: "1.5".into() });
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let deep_known = format!(r#"{{"message":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        let deep_unknown = format!(r#"{{"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let bad = [
            "",
            " ",
            "{",
            "[]",
            "null",
            "7",
            "\"{}\"",
            "{}x",
            "{} {}",
            "{\"message\":\"a\"",
            "{'message':1}",
            "{\"message\":\"a\",}",
            "\u{feff}{}",
            "{\"message\":1,\"message\":2}",
            "{\"x\":1,\"x\":2}",
            "{\"x\":{\"a\":1,\"b\":2,\"a\":3}}",
            "{\"x\":1e999}",
            "{\"validity\":1e999}",
            "{\"x\":\"\\ud800\"}",
            "{\"message\":\"\\udc00\"}",
            "{\"message\":\"a\\u0000b\"}",
            "{\"message\":\"a\0b\"}",
            "{\"x\":01}",
            "{\"x\":NaN}",
            "{\"\\ud800\":1}",
            &deep_known,
            &deep_unknown,
        ];
        for body in bad {
            assert_eq!(read(body), Err(NotAnObject), "{}", &body[..body.len().min(60)]);
        }
        assert_eq!(read_object(b"{\"message\":\"\xff\"}", &NAMES), Err(NotAnObject));
        assert_eq!(read_object(b"{\"x\":\"\xff\"}", &NAMES), Err(NotAnObject));
        let utf_16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read_object(&utf_16, &NAMES), Err(NotAnObject));
    }
}
