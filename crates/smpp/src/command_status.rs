//! `command_status`: what became of a request (SMPP 3.4 §5.1.3, SMPP 5.0 §4.7.6).

use std::fmt;

/// A `command_status` as it stood on the wire; unknown and vendor codes keep their number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct CommandStatus(pub u32);

macro_rules! command_statuses {
    ($($name:ident = $value:literal, $meaning:literal;)*) => {
        impl CommandStatus {
            $(#[doc = $meaning] pub const $name: Self = Self($value);)*

            /// The name used by the specification without `ESME_`, or `None` for a code it does not define.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// What the code means, in a few words.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self.0 {
                    $($value => $meaning,)*
                    0x0400..=0x04FF => "vendor specific",
                    _ => "not defined by the specification",
                }
            }

            /// Every code the specification defines, ascending.
            pub const ALL: &'static [Self] = &[$(Self($value),)*];
        }
    };
}

command_statuses! {
    ROK = 0x0000_0000, "no error";
    RINVMSGLEN = 0x0000_0001, "message length is invalid";
    RINVCMDLEN = 0x0000_0002, "command length is invalid";
    RINVCMDID = 0x0000_0003, "command id is invalid";
    RINVBNDSTS = 0x0000_0004, "the command is not allowed in this bind state";
    RALYBND = 0x0000_0005, "already bound";
    RINVPRTFLG = 0x0000_0006, "priority flag is invalid";
    RINVREGDLVFLG = 0x0000_0007, "registered delivery flag is invalid";
    RSYSERR = 0x0000_0008, "system error";
    RINVSRCADR = 0x0000_000A, "source address is invalid";
    RINVDSTADR = 0x0000_000B, "destination address is invalid";
    RINVMSGID = 0x0000_000C, "message id is invalid";
    RBINDFAIL = 0x0000_000D, "bind failed";
    RINVPASWD = 0x0000_000E, "password is invalid";
    RINVSYSID = 0x0000_000F, "system id is invalid";
    RCANCELFAIL = 0x0000_0011, "cancel failed";
    RREPLACEFAIL = 0x0000_0013, "replace failed";
    RMSGQFUL = 0x0000_0014, "message queue is full";
    RINVSERTYP = 0x0000_0015, "service type is invalid";
    RINVNUMDESTS = 0x0000_0033, "number of destinations is invalid";
    RINVDLNAME = 0x0000_0034, "distribution list name is invalid";
    RINVDESTFLAG = 0x0000_0040, "destination flag is invalid";
    RINVSUBREP = 0x0000_0042, "submit with replace is not supported";
    RINVESMCLASS = 0x0000_0043, "esm class is invalid";
    RCNTSUBDL = 0x0000_0044, "cannot submit to the distribution list";
    RSUBMITFAIL = 0x0000_0045, "submit failed";
    RINVSRCTON = 0x0000_0048, "type of the source number is invalid";
    RINVSRCNPI = 0x0000_0049, "numbering plan of the source is invalid";
    RINVDSTTON = 0x0000_0050, "type of the destination number is invalid";
    RINVDSTNPI = 0x0000_0051, "numbering plan of the destination is invalid";
    RINVSYSTYP = 0x0000_0053, "system type is invalid";
    RINVREPFLAG = 0x0000_0054, "replace flag is invalid";
    RINVNUMMSGS = 0x0000_0055, "number of messages is invalid";
    RTHROTTLED = 0x0000_0058, "allowed message rate exceeded";
    RINVSCHED = 0x0000_0061, "scheduled delivery time is invalid";
    RINVEXPIRY = 0x0000_0062, "validity period is invalid";
    RINVDFTMSGID = 0x0000_0063, "predefined message is invalid";
    RX_T_APPN = 0x0000_0064, "temporary error of the receiving application";
    RX_P_APPN = 0x0000_0065, "permanent error of the receiving application";
    RX_R_APPN = 0x0000_0066, "the receiving application rejected the message";
    RQUERYFAIL = 0x0000_0067, "query failed";
    RINVTLVSTREAM = 0x0000_00C0, "optional part of the body is invalid";
    RTLVNOTALLWD = 0x0000_00C1, "TLV is not allowed";
    RINVTLVLEN = 0x0000_00C2, "TLV length is invalid";
    RMISSINGTLV = 0x0000_00C3, "an expected TLV is missing";
    RINVTLVVAL = 0x0000_00C4, "TLV value is invalid";
    RDELIVERYFAILURE = 0x0000_00FE, "delivery failed (data_sm_resp)";
    RUNKNOWNERR = 0x0000_00FF, "unknown error";
    RSERTYPUNAUTH = 0x0000_0100, "not authorised for the service type";
    RPROHIBITED = 0x0000_0101, "prohibited operation";
    RSERTYPUNAVAIL = 0x0000_0102, "service type is unavailable";
    RSERTYPDENIED = 0x0000_0103, "service type is denied";
    RINVDCS = 0x0000_0104, "data coding is invalid";
    RINVSRCADDRSUBUNIT = 0x0000_0105, "source address sub-unit is invalid";
    RINVDSTADDRSUBUNIT = 0x0000_0106, "destination address sub-unit is invalid";
    RINVBCASTFREQINT = 0x0000_0107, "broadcast frequency interval is invalid";
    RINVBCASTALIAS_NAME = 0x0000_0108, "broadcast alias name is invalid";
    RINVBCASTAREAFMT = 0x0000_0109, "broadcast area format is invalid";
    RINVNUMBCAST_AREAS = 0x0000_010A, "number of broadcast areas is invalid";
    RINVBCASTCNTTYPE = 0x0000_010B, "broadcast content type is invalid";
    RINVBCASTMSGCLASS = 0x0000_010C, "broadcast message class is invalid";
    RBCASTFAIL = 0x0000_010D, "broadcast failed";
    RBCASTQUERYFAIL = 0x0000_010E, "broadcast query failed";
    RBCASTCANCELFAIL = 0x0000_010F, "broadcast cancel failed";
    RINVBCAST_REP = 0x0000_0110, "number of repeated broadcasts is invalid";
    RINVBCASTSRVGRP = 0x0000_0111, "broadcast service group is invalid";
    RINVBCASTCHANIND = 0x0000_0112, "broadcast channel indicator is invalid";
}

impl CommandStatus {
    /// Whether the request was accepted.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for CommandStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(out, "{name} (0x{:02X})", self.0),
            None => write!(out, "status 0x{:X}", self.0),
        }
    }
}

impl fmt::Debug for CommandStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::CommandStatus;

    #[test]
    fn names_follow_the_specification() {
        assert_eq!(CommandStatus(0x58).to_string(), "RTHROTTLED (0x58)");
        assert_eq!(CommandStatus(0x0499).to_string(), "status 0x499");
        assert_eq!(CommandStatus(0x0499).meaning(), "vendor specific");
        assert!(CommandStatus::ALL.is_sorted());
        assert!(CommandStatus::ROK.is_ok() && !CommandStatus::RSYSERR.is_ok());
    }
}
