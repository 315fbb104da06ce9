//! The way of a message: accept, enqueue, route, send, settle, tell.
