//! Whatever dies, and whenever: each input has one complete set of outputs afterwards.
