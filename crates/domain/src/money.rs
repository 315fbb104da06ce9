//! Amounts of money in the contract's unit: 1/10000 of the currency unit.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount in 1/10000 of the currency unit (0.0700 PLN = 700); serialises as decimal text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Money(pub i64);

impl Money {
    /// This price taken `times` times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self(self.0.saturating_mul(i64::from(times)))
    }

    /// Sum, stopping at the largest amount instead of wrapping.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Difference, stopping at the smallest amount instead of wrapping.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Money {
    /// Decimal with four places, as the contract's `accountBalance`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(formatter, "{sign}{}.{:04}", magnitude / 10_000, magnitude % 10_000)
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

impl TryFrom<String> for Money {
    type Error = InvalidMoney;

    fn try_from(text: String) -> Result<Self, InvalidMoney> {
        text.parse()
    }
}

/// The text is no decimal amount with at most four places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an amount: expected digits with at most four decimal places, such as \"0.0700\"")]
pub struct InvalidMoney;

impl FromStr for Money {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, InvalidMoney> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 4 || !all_digits(whole) || !all_digits(fraction) {
            return Err(InvalidMoney);
        }
        let whole: i64 = whole.parse().map_err(|_| InvalidMoney)?;
        let fraction: i64 = format!("{fraction:0<4}").parse().map_err(|_| InvalidMoney)?;
        let amount = whole.checked_mul(10_000).and_then(|units| units.checked_add(fraction)).ok_or(InvalidMoney)?;
        Ok(Self(if negative { -amount } else { amount }))
    }
}

/// ISO 4217 currency: the three letters, as which it serialises, and the number the contract's `currency`
/// carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency {
    /// Three capital letters, such as `PLN`.
    pub letters: &'static str,
    /// Numeric code, such as 985.
    pub number: u16,
}

/// The currencies an account can be kept in.
pub const CURRENCIES: [Currency; 12] = [
    Currency { letters: "PLN", number: 985 },
    Currency { letters: "EUR", number: 978 },
    Currency { letters: "USD", number: 840 },
    Currency { letters: "GBP", number: 826 },
    Currency { letters: "CHF", number: 756 },
    Currency { letters: "CZK", number: 203 },
    Currency { letters: "HUF", number: 348 },
    Currency { letters: "RON", number: 946 },
    Currency { letters: "SEK", number: 752 },
    Currency { letters: "NOK", number: 578 },
    Currency { letters: "DKK", number: 208 },
    Currency { letters: "UAH", number: 980 },
];

impl Currency {
    /// Finds a currency by its three letters.
    #[must_use]
    pub fn by_letters(letters: &str) -> Option<Self> {
        CURRENCIES.into_iter().find(|currency| currency.letters == letters)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.letters)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let letters = String::deserialize(deserializer)?;
        Self::by_letters(&letters).ok_or_else(|| D::Error::custom(format!("{letters} is no known currency")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_and_read_back() {
        for (text, amount) in [("0.0700", 700), ("1000.0000", 10_000_000), ("-1.5000", -15_000), ("0.0000", 0)] {
            assert_eq!(text.parse::<Money>(), Ok(Money(amount)));
            assert_eq!(Money(amount).to_string(), text);
        }
        assert_eq!("12".parse::<Money>(), Ok(Money(120_000)));
        for bad in ["", ".5", "1.23456", "1e3", "+1", "1,5", "99999999999999999999"] {
            assert_eq!(bad.parse::<Money>(), Err(InvalidMoney), "{bad}");
        }
    }
}
