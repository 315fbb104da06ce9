//! Receivers on loopback.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came in.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What a receiver got so far.
pub(super) type Log = Arc<Mutex<Vec<Received>>>;
/// Decides an answer by the number of the request, from 0, and the request.
pub(super) type Answering = Arc<dyn Fn(usize, &Received) -> Response<Full<Bytes>> + Send + Sync>;

pub(super) fn status(code: u16) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

/// A receiver over plain HTTP; gives its URL and its log.
pub(super) async fn receiver(
    answer: impl Fn(usize, &Received) -> Response<Full<Bytes>> + Send + Sync + 'static,
) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let log = Log::default();
    let (answer, shared): (Answering, _) = (Arc::new(answer), Arc::clone(&log));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&shared)));
        }
    });
    (url, log)
}

/// Answers the requests of one connection.
pub(super) async fn serve<S>(stream: S, answer: Answering, log: Log)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
        async move {
            let (head, body) = request.into_parts();
            let received = Received {
                method: head.method,
                path: head.uri.path().to_owned(),
                version: head.version,
                headers: head.headers,
                body: body.collect().await.unwrap().to_bytes(),
            };
            let mut log = log.lock();
            let response = answer(log.len(), &received);
            log.push(received);
            Ok::<_, Infallible>(response)
        }
    });
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

/// A receiver that does as it likes with each connection, after it read the request's beginning.
pub(super) async fn raw_receiver<F: Future<Output = ()> + Send + 'static>(
    misbehave: impl Fn(TcpStream) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            if stream.read(&mut request).await.is_ok() {
                tokio::spawn(misbehave(stream));
            }
        }
    });
    url
}
