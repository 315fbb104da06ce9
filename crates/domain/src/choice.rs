//! Choices: values that are one of a few, each with a name by which it is written in the setup file and in
//! the database.

/// One of a few values, each with a name.
pub trait Choice: Copy + PartialEq + 'static {
    /// All values with their names, in the order of the documentation.
    const NAMES: &'static [(Self, &'static str)];

    /// The name of this value.
    #[must_use]
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(value, _)| *value == self).map_or("", |(_, name)| name)
    }

    /// The value of that name.
    #[must_use]
    fn by_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(value, _)| *value)
    }
}

/// Gives the values of a choice their names; they serialise as these.
macro_rules! choice {
    ($choice:ident { $($value:ident = $name:literal),+ $(,)? }) => {
        impl $crate::choice::Choice for $choice {
            const NAMES: &'static [(Self, &'static str)] = &[$((Self::$value, $name)),+];
        }

        impl serde::Serialize for $choice {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::choice::Choice::name(*self))
            }
        }

        impl<'de> serde::Deserialize<'de> for $choice {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <String as serde::Deserialize>::deserialize(deserializer)?;
                <Self as $crate::choice::Choice>::by_name(&name)
                    .ok_or_else(|| serde::de::Error::unknown_variant(&name, &[$($name),+]))
            }
        }
    };
}

pub(crate) use choice;
