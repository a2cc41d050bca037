//! Bodies of requests, which end when nothing more comes.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::stream::unfold;
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// Longest time that nothing comes of a body.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Ends bodies whose sender is silent.
pub(crate) async fn end_silent(request: Request, next: Next) -> Response {
    next.run(request.map(limited)).await
}

fn limited(body: Body) -> Body {
    let pieces = unfold(Some(body.into_data_stream()), async |stream| {
        let mut stream = stream?;
        let piece: io::Result<Bytes> = match timeout(SILENCE_MAX, stream.next()).await {
            Ok(None) => return None,
            Ok(Some(piece)) => piece.map_err(io::Error::other),
            Err(_) => return Some((Err(io::ErrorKind::TimedOut.into()), None)),
        };
        Some((piece, Some(stream)))
    });
    Body::from_stream(Box::pin(pieces))
}
