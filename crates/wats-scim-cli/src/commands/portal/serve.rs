//! Serves the portal over HTTP/1.1, and waits for no browser for long. `axum::serve` has no limit for the
//! head of a request.

use std::pin::pin;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::guard::Peer;

/// Serves until `stop`, and then until the requests in flight are answered. A browser may take
/// `time_for_head` to send the head of a request; a connection without one is closed after that, too.
pub(super) async fn serve(
    listener: TcpListener,
    portal: Router,
    time_for_head: Duration,
    stop: impl Future<Output = ()>,
) {
    let mut server = Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(time_for_head);
    let (connections, mut stop) = (GracefulShutdown::new(), pin!(stop));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Such as too many open files: some are closed before long.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let service = TowerToHyperService::new(portal.clone().layer(Extension(Peer(peer.ip()))));
        let connection = connections.watch(server.serve_connection(TokioIo::new(stream), service));
        // An error is sent to the browser, if it is still connected.
        tokio::spawn(async { drop(connection.await) });
    }
    connections.shutdown().await;
}
