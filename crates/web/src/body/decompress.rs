//! Decompression that refuses bombs while they unfold.

use std::io::{self, Write};

use domain::limits::{DECOMPRESSION_RATIO_FREE_OCTETS, DECOMPRESSION_RATIO_MAX};
use domain::problem::Problem;

use super::coding::Coding;

/// Working memory of the brotli decoder's output side.
const BROTLI_BUFFER_OCTETS: usize = 16 * 1024;
/// Largest window a zstd frame may ask for, as a power of two: as large as the largest body needs.
const ZSTD_WINDOW_LOG_MAX: u32 = 24;

/// Takes what comes out, up to a limit that grows with what went in.
struct Output {
    octets: Vec<u8>,
    allowed: usize,
    overflowed: bool,
}

impl Write for Output {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.octets.len() + piece.len() > self.allowed {
            self.overflowed = true;
            return Err(io::Error::other("too large"));
        }
        self.octets.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Decoder {
    Gzip(flate2::write::MultiGzDecoder<Output>),
    Zlib(flate2::write::ZlibDecoder<Output>),
    Deflate(flate2::write::DeflateDecoder<Output>),
    Brotli(Box<brotli::DecompressorWriter<Output>>),
    Zstd(zstd::stream::write::Decoder<'static, Output>),
}

/// A body being decompressed.
pub(super) struct Decompressor {
    coding: Coding,
    /// Made with the first octets: `deflate` comes with and without the zlib frame.
    decoder: Option<Decoder>,
    octets_in: usize,
    octets_max: usize,
}

impl Decompressor {
    pub(super) fn new(coding: Coding, octets_max: usize) -> Self {
        Self { coding, decoder: None, octets_in: 0, octets_max }
    }

    /// Feeds compressed octets.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Problem> {
        if piece.is_empty() {
            return Ok(());
        }
        self.octets_in += piece.len();
        let by_ratio = (self.octets_in * DECOMPRESSION_RATIO_MAX).max(DECOMPRESSION_RATIO_FREE_OCTETS);
        let allowed = by_ratio.min(self.octets_max);
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            empty => empty.insert(Decoder::new(self.coding, piece[0])?),
        };
        decoder.output_mut().allowed = allowed;
        let pushed = decoder.write_all(piece);
        pushed.map_err(|_| decoder.failure())
    }

    /// Octets that came out so far.
    pub(super) fn octets_out(&mut self) -> usize {
        self.decoder.as_mut().map_or(0, |decoder| decoder.output_mut().octets.len())
    }

    /// All of it; an unfinished stream is damaged.
    pub(super) fn finish(self) -> Result<Vec<u8>, Problem> {
        match self.decoder {
            Some(mut decoder) => {
                let finished = decoder.finish();
                finished.map_err(|_| decoder.failure())?;
                Ok(std::mem::take(&mut decoder.output_mut().octets))
            }
            None => Ok(Vec::new()),
        }
    }
}

impl Decoder {
    fn new(coding: Coding, first: u8) -> Result<Self, Problem> {
        let output = Output { octets: Vec::new(), allowed: 0, overflowed: false };
        // RFC 1950 §2.2: a zlib stream begins with compression method 8 in the low four bits.
        let has_zlib_frame = first & 0x0f == 8;
        Ok(match coding {
            Coding::Gzip => Self::Gzip(flate2::write::MultiGzDecoder::new(output)),
            Coding::Deflate if has_zlib_frame => Self::Zlib(flate2::write::ZlibDecoder::new(output)),
            Coding::Deflate => Self::Deflate(flate2::write::DeflateDecoder::new(output)),
            Coding::Brotli => Self::Brotli(Box::new(brotli::DecompressorWriter::new(output, BROTLI_BUFFER_OCTETS))),
            Coding::Zstd => {
                let mut decoder = zstd::stream::write::Decoder::new(output).map_err(|_| Problem::Internal)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|_| Problem::Internal)?;
                Self::Zstd(decoder)
            }
            Coding::Identity => return Err(Problem::Internal),
        })
    }

    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(decoder) => decoder.write_all(piece),
            Self::Zlib(decoder) => decoder.write_all(piece),
            Self::Deflate(decoder) => decoder.write_all(piece),
            Self::Brotli(decoder) => decoder.write_all(piece),
            Self::Zstd(decoder) => decoder.write_all(piece),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(decoder) => decoder.try_finish(),
            Self::Zlib(decoder) => decoder.try_finish(),
            Self::Deflate(decoder) => decoder.try_finish(),
            Self::Brotli(decoder) => decoder.close(),
            Self::Zstd(decoder) => decoder.flush(),
        }
    }

    fn output_mut(&mut self) -> &mut Output {
        match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zlib(decoder) => decoder.get_mut(),
            Self::Deflate(decoder) => decoder.get_mut(),
            Self::Brotli(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
        }
    }

    fn failure(&mut self) -> Problem {
        if self.output_mut().overflowed { Problem::BodyTooLarge } else { Problem::BodyDamaged }
    }
}
