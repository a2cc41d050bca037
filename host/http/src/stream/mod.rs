//! `/api/audio/stream`: audio through a chain while it is made, over a WebSocket.
//!
//! A socket's task reads and writes on the runtime's threads. What it reads waits in a ring; threads of a pool take a
//! block at a time from the sessions in turn and pass it through a rack. See `host/decisions/0024`.

mod chain;
mod converter;
mod engine;
mod hello;
mod limits;
mod message;
mod meter;
mod outbox;
mod pcm;
mod pool;
mod ring;
mod session;
pub(crate) mod sessions;
pub(crate) mod socket;
