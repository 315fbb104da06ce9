//! Check sums over rows: what a page's rot changes is noticed when the row is read.

/// Collects the fields of a row in order. Lengths are part of the sum, so that no two rows run together.
#[derive(Default)]
pub(crate) struct RowSum {
    octets: Vec<u8>,
}

impl RowSum {
    /// Begins a row, keeping the memory.
    pub fn begin(&mut self) -> &mut Self {
        self.octets.clear();
        self
    }

    /// Adds a number.
    pub fn int(&mut self, value: i64) -> &mut Self {
        self.octets.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds a number that may be absent.
    pub fn opt_int(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => {
                self.octets.push(1);
                self.int(value)
            }
            None => {
                self.octets.push(0);
                self
            }
        }
    }

    /// Adds octets.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.int(i64::try_from(value.len()).unwrap_or(i64::MAX));
        self.octets.extend_from_slice(value);
        self
    }

    /// Adds a text.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.bytes(value.as_bytes())
    }

    /// Adds a text that may be absent.
    pub fn opt_text(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(value),
            None => self.int(-1),
        }
    }

    /// The sum as it is stored.
    pub fn finish(&mut self) -> i64 {
        i64::from(crc32fast::hash(&self.octets))
    }
}
