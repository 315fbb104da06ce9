//! Reads a body, or throws it away.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::problem::Problem;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::Body;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::coding::{Coding, coding};
use super::decompress::Decompressor;
use super::limits::{DISCARD_OCTETS_MAX, LARGE_BODIES_MAX, Limits, SMALL_BODY_OCTETS};

/// Compressed octets fed before other tasks get their turn.
const SLICE_OCTETS: usize = 8 * 1024;

/// Reads bodies within their limits.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    large_bodies: Semaphore,
}

/// What is read so far.
enum Collected {
    /// Nothing yet.
    Empty,
    /// One piece, as it came.
    Whole(Bytes),
    /// Several pieces.
    Joined(BytesMut),
    /// Compressed.
    Compressed(Box<Decompressor>),
}

impl Reader {
    /// A reader with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, large_bodies: Semaphore::new(LARGE_BODIES_MAX) }
    }

    /// Reads and decompresses a body.
    ///
    /// # Errors
    /// [`Problem::BodyTooLarge`], [`Problem::BodyTimeout`], [`Problem::BodyDamaged`],
    /// [`Problem::MediaTypeUnsupported`], or [`Problem::Overloaded`] when too many large bodies are
    /// being read.
    pub async fn read<R>(&self, headers: &HeaderMap, mut body: R) -> Result<Bytes, Problem>
    where
        R: Body<Data = Bytes, Error: Send> + Unpin,
    {
        let read = async {
            let coding = coding(headers)?;
            timeout(self.limits.read_time, self.collect(coding, &mut body)).await.unwrap_or(Err(Problem::BodyTimeout))
        };
        let read = read.await;
        if read.is_err() && read != Err(Problem::BodyTimeout) {
            discard(body, DISCARD_OCTETS_MAX, self.limits.read_time).await;
        }
        read
    }

    async fn collect<R>(&self, coding: Coding, body: &mut R) -> Result<Bytes, Problem>
    where
        R: Body<Data = Bytes, Error: Send> + Unpin,
    {
        if body.size_hint().lower() > self.limits.octets_max as u64 {
            return Err(Problem::BodyTooLarge);
        }
        let mut collected = match coding {
            Coding::Identity => Collected::Empty,
            _ => Collected::Compressed(Box::new(Decompressor::new(coding, self.limits.octets_max))),
        };
        let mut octets_in = 0;
        let mut large_permit = None;
        while let Some(frame) = body.frame().await {
            // The connection broke or the chunks are malformed: the body is truncated.
            let frame = frame.map_err(|_| Problem::BodyNotJson)?;
            let Ok(piece) = frame.into_data() else { continue };
            octets_in += piece.len();
            if octets_in > self.limits.octets_max {
                return Err(Problem::BodyTooLarge);
            }
            let octets = octets_in.max(collected.octets());
            if octets > SMALL_BODY_OCTETS && large_permit.is_none() {
                let permit = timeout(self.limits.read_time / 4, self.large_bodies.acquire()).await;
                large_permit = Some(permit.map_err(|_| Problem::Overloaded)?);
            }
            collected.push(piece).await?;
        }
        collected.finish()
    }
}

impl Collected {
    fn octets(&mut self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Whole(piece) => piece.len(),
            Self::Joined(joined) => joined.len(),
            Self::Compressed(decompressor) => decompressor.octets_out(),
        }
    }

    async fn push(&mut self, piece: Bytes) -> Result<(), Problem> {
        match self {
            Self::Empty => *self = Self::Whole(piece),
            Self::Whole(first) => {
                let mut joined = BytesMut::with_capacity((first.len() + piece.len()) * 2);
                joined.extend_from_slice(first);
                joined.extend_from_slice(&piece);
                *self = Self::Joined(joined);
            }
            Self::Joined(joined) => joined.extend_from_slice(&piece),
            Self::Compressed(decompressor) => {
                for slice in piece.chunks(SLICE_OCTETS) {
                    decompressor.push(slice)?;
                    if piece.len() > SLICE_OCTETS {
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Bytes, Problem> {
        match self {
            Self::Empty => Ok(Bytes::new()),
            Self::Whole(piece) => Ok(piece),
            Self::Joined(joined) => Ok(joined.freeze()),
            Self::Compressed(decompressor) => decompressor.finish().map(Bytes::from),
        }
    }
}

/// Reads a body to its end without keeping it, up to so many octets and so long.
pub async fn discard<R>(mut body: R, octets_max: u64, time: Duration)
where
    R: Body<Data = Bytes, Error: Send> + Unpin,
{
    if body.is_end_stream() || body.size_hint().lower() > octets_max {
        return;
    }
    let mut octets = 0;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            octets += frame.data_ref().map_or(0, |piece| piece.len() as u64);
            if octets > octets_max {
                break;
            }
        }
    };
    // A client too slow to finish gets its answer anyway; it only may not get to read it.
    let _ = timeout(time, reading).await;
}
