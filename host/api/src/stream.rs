//! Events of the daemon as server-sent events.

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Events that wait for a slow listener at most; it is notified of how many it missed.
pub(super) const WAITING_MAX: usize = 4096;

/// An event, as one line of JSON.
pub(crate) type Line = Arc<str>;

/// All events from now on.
pub(super) fn of_events(events: Receiver<Line>) -> Response {
    let lines = stream::unfold(events, async |mut events| {
        let event = match events.recv().await {
            Ok(line) => Event::default().data(line),
            Err(RecvError::Lagged(missed)) => {
                Event::default().event("missed").data(missed.to_string())
            }
            Err(RecvError::Closed) => return None,
        };
        Some((Ok::<_, Infallible>(event), events))
    });
    Sse::new(Box::pin(lines)).keep_alive(KeepAlive::default()).into_response()
}
