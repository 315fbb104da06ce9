//! The HTTP side: listener, TLS, limits, and the v2.1 API.
