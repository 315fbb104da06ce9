//! What of a line is left in the store.

use domain::id::MessageId;

/// The messages of a line that are only in the store: all those after `after`, held ones excepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spill {
    /// Everything up to here has been fetched.
    after: MessageId,
    /// The lowest message left in the store since the last fetch began.
    lowest_since: Option<MessageId>,
}

impl Spill {
    pub(super) fn from(id: MessageId) -> Self {
        Self { after: before(id), lowest_since: None }
    }

    /// A message was left in the store.
    pub(super) fn note(&mut self, id: MessageId) {
        self.lowest_since = Some(self.lowest_since.map_or(id, |lowest| lowest.min(id)));
    }

    /// Begins a fetch and says after which message to fetch.
    pub(super) fn begin(&mut self) -> MessageId {
        if let Some(lowest) = self.lowest_since.take() {
            self.after = self.after.min(before(lowest));
        }
        self.after
    }

    /// Ends a fetch that reached `last` (`None`: it found nothing) and says whether anything can be left.
    pub(super) fn end(&mut self, last: Option<MessageId>, exhausted: bool) -> bool {
        self.after = last.unwrap_or(self.after);
        !(exhausted && self.lowest_since.is_none())
    }
}

fn before(id: MessageId) -> MessageId {
    MessageId(id.0 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_left_behind_during_a_fetch_is_fetched_by_the_next() {
        let mut spill = Spill::from(MessageId(100));
        assert_eq!(spill.begin(), MessageId(99));
        spill.note(MessageId(120));
        spill.note(MessageId(110));
        assert!(spill.end(Some(MessageId(130)), true), "something was left meanwhile");
        assert_eq!(spill.begin(), MessageId(109));
        assert!(!spill.end(None, true));
    }

    #[test]
    fn a_full_page_goes_on_where_it_ended() {
        let mut spill = Spill::from(MessageId(1));
        assert_eq!(spill.begin(), MessageId(0));
        assert!(spill.end(Some(MessageId(50)), false));
        assert_eq!(spill.begin(), MessageId(50));
    }
}
