//! An operator's message centre, a handset and a webhook sink that behave or misbehave on order.
