use std::time::Duration;

use axum::http::HeaderName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::super::serve::serve;
use super::{HOST, USER_HEADER, with_users};

#[tokio::test]
async fn a_head_that_does_not_arrive_is_not_waited_for() {
    let (browser, _sandbox) = with_users(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let serving = tokio::spawn(serve(listener, browser.router(), Duration::from_millis(50), stopped));
    let whole = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{}: ann\r\n\r\n", HeaderName::from_static(USER_HEADER));
    for head in ["", "GET / HTTP/1.1\r\nHost: 127", &whole] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // The connection stays open here, so only the server can end this.
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.contains("user0001@example.com"), head.ends_with("\r\n\r\n"), "{head}: {answer}");
    }
    stop.send(()).unwrap();
    serving.await.unwrap();
}
