//! Phone numbers in E.164 form.

use std::fmt;

/// An international phone number (ITU-T E.164): 7 to 15 digits, the first not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(u64);

/// Why a text is no phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an E.164 phone number: expected 7 to 15 digits with the country code first, with or without +")]
pub struct InvalidPhone;

const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 15;

impl Phone {
    /// The first of all numbers in their order; nobody has it.
    pub const LEAST: Self = Self(0);

    /// Reads `+48111222333` or `48111222333`.
    ///
    /// # Errors
    /// [`InvalidPhone`] for anything else, spaces and dashes included.
    pub fn parse(text: &str) -> Result<Self, InvalidPhone> {
        let digits = text.strip_prefix('+').unwrap_or(text).as_bytes();
        if digits.len() < DIGITS_MIN || digits.len() > DIGITS_MAX || digits[0] == b'0' {
            return Err(InvalidPhone);
        }
        let mut number = 0_u64;
        for &digit in digits {
            if !digit.is_ascii_digit() {
                return Err(InvalidPhone);
            }
            number = number * 10 + u64::from(digit - b'0');
        }
        Ok(Self(number))
    }

    /// The digits as one number.
    #[must_use]
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// Takes a stored number back; `None` when it can't have come from [`Phone::parse`].
    #[must_use]
    pub fn from_u64(number: u64) -> Option<Self> {
        (1_000_000..=999_999_999_999_999).contains(&number).then_some(Self(number))
    }

    /// For logs: the first five digits and the last three, `48601***123`.
    #[must_use]
    pub fn masked(self) -> String {
        let digits = self.0.to_string();
        format!("{}***{}", &digits[..digits.len().min(5).min(digits.len() - 3)], &digits[digits.len() - 3..])
    }
}

impl fmt::Display for Phone {
    /// The digits without `+`, as they go to the operator.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings_and_refuses_the_rest() {
        assert_eq!(Phone::parse("+48111222333"), Phone::parse("48111222333"));
        assert_eq!(Phone::parse("+48111222333").map(|phone| phone.to_string()), Ok("48111222333".into()));
        for bad in ["", "+", "123456", "0048111222333", "1234567890123456", "48 111", "++48111222333", "４８111222333"]
        {
            assert_eq!(Phone::parse(bad), Err(InvalidPhone), "{bad}");
        }
    }

    #[test]
    fn a_masked_number_hides_the_middle() {
        assert_eq!(Phone::parse("48601234123").map(Phone::masked), Ok("48601***123".into()));
        assert_eq!(Phone::parse("1234567").map(Phone::masked), Ok("1234***567".into()));
    }
}
