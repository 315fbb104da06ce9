//! Sealing of the secrets that must be readable again.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::control::Secret;
use domain::link::LinkCodes;
use domain::random::Random;
use sha2::{Digest, Sha256};

use super::error::ControlError;

const NONCE_OCTETS: usize = 24;

/// Where a sealed value lives. It is authenticated with the value, so a value copied to another place
/// does not open there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// Table of the value.
    pub(super) table: &'static str,
    /// Column of the value.
    pub(super) column: &'static str,
    /// Row of the value.
    pub(super) row: u32,
}

impl Cell {
    fn associated_data(self) -> String {
        format!("{}|{}|{}", self.table, self.column, self.row)
    }
}

/// Seals and opens values under the master key.
pub(super) struct Vault {
    cipher: XChaCha20Poly1305,
    random: Random,
    link_codes: LinkCodes,
}

/// Names the key of short links' codes, so that no other use of the master key shares it.
const LINK_CODES: &[u8] = b"posthorn link codes 1";

impl Vault {
    /// A vault under `master_key`.
    pub(super) fn new(master_key: &[u8; 32], random: Random) -> Self {
        let link_codes = LinkCodes::new(derived(master_key, LINK_CODES));
        Self { cipher: XChaCha20Poly1305::new(master_key.into()), random, link_codes }
    }

    /// Writes and reads the codes of short links, under a key that follows from the master key.
    pub(super) fn link_codes(&self) -> &LinkCodes {
        &self.link_codes
    }

    /// Seals `plain`: a random nonce, then the ciphertext.
    pub(super) fn seal(&self, cell: Cell, plain: &[u8]) -> Result<Vec<u8>, ControlError> {
        let mut nonce = [0; NONCE_OCTETS];
        self.random.fill(&mut nonce);
        let associated = cell.associated_data();
        let payload = Payload { msg: plain, aad: associated.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| damaged(cell))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Vault::seal`] made for the same cell.
    pub(super) fn open(&self, cell: Cell, sealed: &[u8]) -> Result<Vec<u8>, ControlError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_OCTETS>().ok_or_else(|| damaged(cell))?;
        let associated = cell.associated_data();
        let payload = Payload { msg: sealed, aad: associated.as_bytes() };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| damaged(cell))
    }

    /// Opens a sealed text.
    pub(super) fn open_text(&self, cell: Cell, sealed: &[u8]) -> Result<Secret, ControlError> {
        let plain = self.open(cell, sealed)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| damaged(cell))
    }
}

/// A key for one purpose. A plain hash will do: the master key has full entropy and a fixed length, and
/// nobody ever sees what comes out.
fn derived(master_key: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(master_key).chain_update(purpose).finalize().into()
}

fn damaged(cell: Cell) -> ControlError {
    ControlError::Sealed { table: cell.table, column: cell.column, row: cell.row }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: Cell = Cell { table: "carriers", column: "password", row: 7 };

    #[test]
    fn a_sealed_value_opens_only_in_its_cell_and_under_its_key() {
        let vault = Vault::new(&[1; 32], Random::seeded(1));
        let sealed = vault.seal(CELL, b"secret").unwrap();
        assert_eq!(vault.open(CELL, &sealed).unwrap(), b"secret");
        let elsewhere =
            [Cell { table: "endpoints", ..CELL }, Cell { column: "secret_key", ..CELL }, Cell { row: 8, ..CELL }];
        for cell in elsewhere {
            assert!(vault.open(cell, &sealed).is_err(), "{cell:?}");
        }
        assert!(Vault::new(&[2; 32], Random::seeded(1)).open(CELL, &sealed).is_err());
        assert!(vault.open(CELL, &sealed[..10]).is_err());
    }

    #[test]
    fn equal_values_are_sealed_differently() {
        let vault = Vault::new(&[1; 32], Random::seeded(1));
        assert_ne!(vault.seal(CELL, b"secret").unwrap(), vault.seal(CELL, b"secret").unwrap());
    }
}
