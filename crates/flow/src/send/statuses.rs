//! The table: what each `command_status` of an operator causes. SMPP 3.4 §5.1.3 and 5.0 §4.7.6 name the
//! codes, practice decides what to do about them. A carrier's own lines come before these.

use super::verdict::{Action, Pauses, Verdict};

/// One line of the table.
pub(super) struct Row {
    /// The first code it is about.
    pub first: u32,
    /// The last one.
    pub last: u32,
    pub verdict: Verdict,
}

const fn row(code: u32, action: Action) -> Row {
    range(code, code, action)
}

const fn range(first: u32, last: u32, action: Action) -> Row {
    Row { first, last, verdict: Verdict { action, alarm: false, elsewhere: false, ill: false } }
}

/// The same, and somebody should look at the settings of the carrier.
const fn alarm(row: Row) -> Row {
    Row { verdict: Verdict { alarm: true, ..row.verdict }, ..row }
}

/// The same, and what is final here may be taken by another carrier: the reason lies with the operator or with what it
/// was told about us, not with the message.
const fn elsewhere(row: Row) -> Row {
    Row { verdict: Verdict { elsewhere: true, ..row.verdict }, ..row }
}

/// The same, and it speaks against the operator's own health: what is wrong with one message, one number or our pace
/// does not.
const fn ill(row: Row) -> Row {
    Row { verdict: Verdict { ill: true, ..row.verdict }, ..row }
}

const fn later(tries: u32, pauses_seconds: &'static [u32]) -> Action {
    Action::Later { tries, pauses: Pauses::Listed(pauses_seconds) }
}

/// Until the validity ends.
const NO_LIMIT: u32 = u32::MAX;

/// What follows from a code that no line is about: it may be temporary, so it is tried once more.
pub(super) const UNKNOWN: Verdict = Verdict { action: later(1, &[30]), alarm: false, elsewhere: false, ill: false };

/// The lines in the order of their codes.
pub(super) const DEFAULTS: &[Row] = &[
    row(0x00, Action::Taken),                                     // ROK
    alarm(row(0x01, Action::Fail)),                               // RINVMSGLEN: our mistake or a limit of the operator
    range(0x02, 0x03, Action::Fail),                              // RINVCMDLEN, RINVCMDID
    ill(elsewhere(row(0x04, Action::Stop))),                      // RINVBNDSTS: we think bound, the operator does not
    elsewhere(row(0x05, Action::Stop)), // RALYBND: for binds; on a part the session is confused
    alarm(range(0x06, 0x07, Action::Fail)), // RINVPRTFLG, RINVREGDLVFLG
    ill(elsewhere(row(0x08, later(5, &[5, 15, 30, 60])))), // RSYSERR: one message or the whole operator, see the breaker
    elsewhere(row(0x0a, Action::Fail)),                    // RINVSRCADR: often a sender that is not registered
    row(0x0b, Action::Fail),                               // RINVDSTADR
    row(0x0c, Action::Fail),                               // RINVMSGID: for query and cancel
    elsewhere(row(0x0d, Action::Stop)),                    // RBINDFAIL
    elsewhere(alarm(range(0x0e, 0x0f, Action::Stop))),     // RINVPASWD, RINVSYSID
    row(0x11, Action::Fail),                               // RCANCELFAIL
    row(0x13, Action::Fail),                               // RREPLACEFAIL
    row(0x14, later(NO_LIMIT, &[30, 60, 180])),            // RMSGQFUL: mostly too many waiting for this handset
    alarm(row(0x15, Action::Fail)),                        // RINVSERTYP
    range(0x33, 0x34, Action::Fail),                       // RINVNUMDESTS, RINVDLNAME
    row(0x40, Action::Fail),                               // RINVDESTFLAG
    row(0x42, Action::Fail),                               // RINVSUBREP
    row(0x43, Action::AsSar),                              // RINVESMCLASS: mostly a user data header that is not wanted
    row(0x44, Action::Fail),                               // RCNTSUBDL
    ill(elsewhere(row(0x45, later(2, &[10, 30])))),        // RSUBMITFAIL: a catch-all
    alarm(range(0x48, 0x49, Action::Fail)),                // RINVSRCTON, RINVSRCNPI
    alarm(range(0x50, 0x51, Action::Fail)),                // RINVDSTTON, RINVDSTNPI
    elsewhere(alarm(row(0x53, Action::Stop))),             // RINVSYSTYP
    range(0x54, 0x55, Action::Fail),                       // RINVREPFLAG, RINVNUMMSGS
    row(0x58, Action::Slow),                               // RTHROTTLED
    range(0x61, 0x62, Action::WithoutTimes),               // RINVSCHED, RINVEXPIRY: clocks or formats differ
    row(0x63, Action::Fail),                               // RINVDFTMSGID
    ill(elsewhere(row(0x64, later(NO_LIMIT, &[5, 15, 30, 60])))), // RX_T_APPN: temporary by definition
    range(0x65, 0x66, Action::Fail),                       // RX_P_APPN, RX_R_APPN
    row(0x67, Action::Unsure),                             // RQUERYFAIL: says nothing about a part
    range(0xc0, 0xc4, Action::WithoutTlvs),                // RINVTLVSTREAM … RINVTLVVAL
    row(0xfe, later(2, &[30, 60])),                        // RDELIVERYFAILURE
    ill(elsewhere(row(0xff, later(2, &[30, 60])))),        // RUNKNOWNERR
    elsewhere(alarm(row(0x100, Action::Fail))),            // RSERTYPUNAUTH (5.0)
    alarm(row(0x101, Action::Fail)),                       // RPROHIBITED (5.0)
    ill(elsewhere(row(0x102, later(NO_LIMIT, &[30, 60, 180])))), // RSERTYPUNAVAIL (5.0)
    elsewhere(alarm(row(0x103, Action::Fail))),            // RSERTYPDENIED (5.0)
    row(0x104, Action::AsUcs2),                            // RINVDCS (5.0)
    range(0x105, 0x112, Action::Fail),                     // sub-units and broadcasts (5.0)
    elsewhere(range(0x400, 0x4ff, later(1, &[30]))),       // vendor specific
];
