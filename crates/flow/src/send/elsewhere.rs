//! Which refusals say something of the operator, and which of the message.

/// Whether a part that this status refuses for good may be taken by another carrier: the reason lies with
/// the operator or with what it was told about us, not with the message.
pub(super) fn may_go_elsewhere(command_status: u32) -> bool {
    const ELSEWHERE: [u32; 9] = [
        0x0004, // RINVBNDSTS
        0x0008, // RSYSERR
        0x000a, // RINVSRCADR: often a sender that is not registered with this operator
        0x0045, // RSUBMITFAIL
        0x0064, // RX_T_APPN
        0x00ff, // RUNKNOWNERR
        0x0100, // RSERTYPUNAUTH (5.0)
        0x0102, // RSERTYPUNAVAIL (5.0)
        0x0103, // RSERTYPDENIED (5.0)
    ];
    ELSEWHERE.contains(&command_status) || (0x400..=0x4ff).contains(&command_status)
}

/// Whether a status speaks against the operator's own health: what is wrong with one message, one number
/// or our pace does not.
pub(super) fn is_own_reason(command_status: u32) -> bool {
    matches!(command_status, 0x0004 | 0x0008 | 0x0045 | 0x0064 | 0x00ff | 0x0102)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_the_operator_s_own_goes_elsewhere() {
        for elsewhere in [0x08, 0x0a, 0x45, 0x64, 0x412] {
            assert!(may_go_elsewhere(elsewhere), "{elsewhere:#x}");
        }
        for ours in [0x00, 0x01, 0x0b, 0x14, 0x58, 0x65, 0x66] {
            assert!(!may_go_elsewhere(ours) && !is_own_reason(ours), "{ours:#x}");
        }
        assert!(!is_own_reason(0x0a), "an unregistered sender says nothing of the operator's health");
    }
}
