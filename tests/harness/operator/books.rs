//! What the operator wrote down.

use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;

/// One submit_sm that was read and answered ESME_ROK.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// source_addr.
    pub source: String,
    /// destination_addr.
    pub destination: String,
    /// Number of the part and how many there are.
    pub part: (u8, u8),
    /// Its text, decoded.
    pub text: String,
    /// The id it was given.
    pub operator_id: String,
    /// How often the server had been killed before.
    pub crashes_before: u32,
}

/// One receipt that was sent.
#[derive(Clone, Debug)]
pub struct ReceiptGiven {
    /// The number it is about.
    pub destination: String,
    /// The id it names.
    pub operator_id: String,
    /// Its `stat`.
    pub word: &'static str,
    /// Whether the platform answered ESME_ROK.
    pub acknowledged: bool,
}

/// One message that a person wrote.
#[derive(Clone, Debug)]
pub struct Written {
    /// Who wrote.
    pub source: String,
    /// The number that was written to.
    pub destination: String,
    /// What was written.
    pub text: String,
    /// Its user data header, empty for a message in one piece.
    pub header: Vec<u8>,
    /// How often it was sent: again when a connection died before the platform answered.
    pub sent: usize,
    /// Whether the platform answered ESME_ROK.
    pub acknowledged: bool,
}

/// The books; shared by all sessions.
#[derive(Default)]
pub struct Books {
    submitted: Mutex<Vec<Submitted>>,
    receipts: Mutex<Vec<ReceiptGiven>>,
    written: Mutex<Vec<Written>>,
    crashes: AtomicU32,
    receipts_refused: AtomicU32,
}

impl Books {
    /// Enters a submit.
    pub fn submitted(&self, submitted: Submitted) {
        self.submitted.lock().push(submitted);
    }

    /// Enters a receipt and answers its place.
    pub fn receipt(&self, receipt: ReceiptGiven) -> usize {
        let mut receipts = self.receipts.lock();
        receipts.push(receipt);
        receipts.len() - 1
    }

    /// The platform took responsibility for that receipt.
    pub fn acknowledged(&self, place: usize) {
        self.receipts.lock()[place].acknowledged = true;
    }

    /// Enters a message of a person and answers its place.
    pub fn written(&self, source: &str, destination: &str, text: &str, header: &[u8]) -> usize {
        let mut written = self.written.lock();
        written.push(Written {
            source: source.to_owned(),
            destination: destination.to_owned(),
            text: text.to_owned(),
            header: header.to_vec(),
            sent: 0,
            acknowledged: false,
        });
        written.len() - 1
    }

    /// That message goes out now.
    #[must_use]
    pub fn sending(&self, place: usize) -> Written {
        let mut written = self.written.lock();
        written[place].sent += 1;
        written[place].clone()
    }

    /// The platform took responsibility for that message.
    pub fn taken(&self, place: usize) {
        self.written.lock()[place].acknowledged = true;
    }

    /// What people wrote so far.
    #[must_use]
    pub fn all_written(&self) -> Vec<Written> {
        self.written.lock().clone()
    }

    /// The platform asked for a receipt to be repeated.
    pub fn refused(&self) {
        self.receipts_refused.fetch_add(1, Ordering::SeqCst);
    }

    /// How often it did.
    #[must_use]
    pub fn refused_count(&self) -> u32 {
        self.receipts_refused.load(Ordering::SeqCst)
    }

    /// Notes that the server was killed.
    pub fn crashed(&self) {
        self.crashes.fetch_add(1, Ordering::SeqCst);
    }

    /// How often it was.
    #[must_use]
    pub fn crashes(&self) -> u32 {
        self.crashes.load(Ordering::SeqCst)
    }

    /// How many submits there were.
    #[must_use]
    pub fn submitted_count(&self) -> usize {
        self.submitted.lock().len()
    }

    /// How many receipts were acknowledged.
    #[must_use]
    pub fn acknowledged_count(&self) -> usize {
        self.receipts.lock().iter().filter(|receipt| receipt.acknowledged).count()
    }

    /// Copies of both books.
    #[must_use]
    pub fn copy(&self) -> (Vec<Submitted>, Vec<ReceiptGiven>) {
        (self.submitted.lock().clone(), self.receipts.lock().clone())
    }
}
