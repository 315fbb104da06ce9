//! Bodies: compressed, too large, and no JSON.

use std::io::Write;

use flate2::Compression;

use crate::support::client::request;
use crate::support::server::Server;

const ONE: &[u8] = br#"{"sender":"ACME","message":"Hello","phoneNumbers":["+48111222333"]}"#;
const LIMIT: usize = 10 * 1024 * 1024;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut compressed, 4096, 5, 22);
    encoder.write_all(plain).unwrap();
    drop(encoder);
    compressed
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    zstd::encode_all(plain, 3).unwrap()
}

type Codec = (&'static str, fn(&[u8]) -> Vec<u8>);
const CODECS: [Codec; 5] = [("gzip", gzip), ("deflate", zlib), ("deflate", deflate), ("br", brotli), ("zstd", zstd)];

fn padded(length: usize) -> Vec<u8> {
    [ONE, &vec![b' '; length - ONE.len()]].concat()
}

/// A body that does not compress beyond the allowed ratio.
fn incompressible(numbers: usize) -> Vec<u8> {
    let random = domain::random::Random::seeded(3);
    let list: Vec<String> = (0..numbers).map(|_| format!("\"48{:09}\"", random.below(1_000_000_000))).collect();
    format!(r#"{{"sender":"ACME","message":"Hello","phoneNumbers":[{}]}}"#, list.join(",")).into_bytes()
}

#[tokio::test]
async fn every_coding_is_read() {
    let server = Server::start();
    let mut client = server.client().await;
    let large = incompressible(10_000);
    for (name, compress) in CODECS {
        for body in [ONE, &large] {
            let octets = request("POST", "/v2.1/sms", &[("content-encoding", name)], &compress(body));
            assert_eq!(client.exchange(&octets).await.status, 200, "{name}");
        }
        let mixed_case = request("POST", "/v2.1/sms", &[("content-encoding", &name.to_uppercase())], &compress(ONE));
        assert_eq!(client.exchange(&mixed_case).await.status, 200, "{name}");
    }
    let identity = request("POST", "/v2.1/sms", &[("content-encoding", "identity")], ONE);
    assert_eq!(client.exchange(&identity).await.status, 200);
}

#[tokio::test]
async fn a_bomb_of_each_coding_is_413() {
    let server = Server::start();
    let bomb = padded(4 * LIMIT);
    for (name, compress) in CODECS {
        let compressed = compress(&bomb);
        assert!(compressed.len() < LIMIT / 10, "{name}");
        let reply = server
            .client()
            .await
            .exchange(&request("POST", "/v2.1/sms", &[("content-encoding", name)], &compressed))
            .await;
        assert_eq!((reply.status, reply.codes()), (413, vec!["E-1-006".into()]), "{name}");
        // Small enough for the size limit, but not for the ratio.
        let reply = server
            .client()
            .await
            .exchange(&request("POST", "/v2.1/sms", &[("content-encoding", name)], &compress(&padded(1024 * 1024))))
            .await;
        assert_eq!(reply.status, 413, "{name}");
    }
    assert!(server.fake.orders().is_empty());
}

#[tokio::test]
async fn damaged_and_unknown_codings_are_told_apart() {
    let server = Server::start();
    for (name, compress) in CODECS {
        let mut damaged = compress(&incompressible(500));
        let middle = damaged.len() / 2;
        damaged[middle..middle + 8].copy_from_slice(&[0xff; 8]);
        let reply = server
            .client()
            .await
            .exchange(&request("POST", "/v2.1/sms", &[("content-encoding", name)], &damaged))
            .await;
        assert_eq!(reply.status, 400, "{name}");
        reply.envelope();
        let whole = compress(&incompressible(500));
        let truncated = &whole[..whole.len() / 2];
        let reply = server
            .client()
            .await
            .exchange(&request("POST", "/v2.1/sms", &[("content-encoding", name)], truncated))
            .await;
        assert_eq!(reply.status, 400, "{name}");
        let reply =
            server.client().await.exchange(&request("POST", "/v2.1/sms", &[("content-encoding", name)], ONE)).await;
        assert_eq!(reply.status, 400, "{name}");
    }
    for coding in ["compress", "gzip, gzip", "x"] {
        let reply =
            server.client().await.exchange(&request("POST", "/v2.1/sms", &[("content-encoding", coding)], ONE)).await;
        assert_eq!((reply.status, reply.codes()), (415, vec!["E-1-007".into()]), "{coding}");
    }
}

#[tokio::test]
async fn ten_mebibytes_are_read_and_one_more_octet_is_413() {
    let server = Server::start();
    let mut client = server.client().await;
    assert_eq!(client.call("POST", "/v2.1/sms", &padded(LIMIT)).await.status, 200);
    let reply = client.call("POST", "/v2.1/sms", &padded(LIMIT + 1)).await;
    assert_eq!((reply.status, reply.codes()), (413, vec!["E-1-006".into()]));
    assert_eq!(reply.header("connection"), Some("close"));
    // Without a length, in chunks.
    let mut client = server.client().await;
    client.send(&request("POST", "/v2.1/sms", &[("transfer-encoding", "chunked")], b"")[..]).await;
    let mut client = server.client().await;
    let head = String::from_utf8(request("GET", "/v2.1/sms", &[("transfer-encoding", "chunked")], b"")).unwrap();
    client.send(head.replace("GET", "POST").as_bytes()).await;
    let chunk = [format!("{:x}\r\n", 1024 * 1024).as_bytes(), &vec![b' '; 1024 * 1024], b"\r\n"].concat();
    for _ in 0..11 {
        client.send(&chunk).await;
    }
    client.send(b"0\r\n\r\n").await;
    assert_eq!(client.reply().await.unwrap().status, 413);
}

#[tokio::test]
async fn content_types_are_read_leniently() {
    let server = Server::start();
    let mut client = server.client().await;
    for good in
        ["application/json", "application/json; charset=utf-8", "Application/JSON ;charset=UTF-8", "application/json;"]
    {
        assert_eq!(
            client.exchange(&request("POST", "/v2.1/sms", &[("content-type", good)], ONE)).await.status,
            200,
            "{good}"
        );
    }
    assert_eq!(client.exchange(&request("POST", "/v2.1/sms", &[], ONE)).await.status, 200);
    for bad in
        ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data; boundary=x"]
    {
        for (method, path) in [("POST", "/v2.1/sms"), ("POST", "/v2.1/sms/preview"), ("DELETE", "/v2.1/sms")] {
            let reply = client.exchange(&request(method, path, &[("content-type", bad)], ONE)).await;
            assert_eq!((reply.status, reply.codes()), (415, vec!["E-1-007".into()]), "{bad}");
        }
    }
}

#[tokio::test]
async fn what_is_no_json_object_is_400() {
    let server = Server::start();
    let mut client = server.client().await;
    let deep = format!(r#"{{"message":{}1{}}}"#, "[".repeat(500_000), "]".repeat(500_000));
    let deep_objects = r#"{"x":"#.repeat(500_000);
    let bodies: [&[u8]; 23] = [
        b"",
        b" ",
        b"{",
        b"{\"sender\":\"ACME\"",
        b"[]",
        b"null",
        b"1",
        b"\"x\"",
        b"{}{}",
        b"{} trailing",
        b"{'a':1}",
        b"{\"a\":1,}",
        b"\xef\xbb\xbf{}",
        b"{\x00\"\x00}\x00",
        b"\xff\xfe{\0}\0",
        b"{\"sender\":\"\\ud800\"}",
        b"{\"x\":\"\\udfff\"}",
        b"{\"message\":\"\\u0000\"}",
        b"{\"validity\":1e999}",
        b"{\"x\":-1e999}",
        b"{\"message\":\"\xff\xfe\"}",
        deep.as_bytes(),
        deep_objects.as_bytes(),
    ];
    for (method, path) in [("POST", "/v2.1/sms"), ("POST", "/v2.1/sms/preview"), ("DELETE", "/v2.1/sms")] {
        for body in bodies {
            let reply = client.call(method, path, body).await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
            assert_eq!((reply.status, reply.codes()), (400, vec!["E-1-001".to_owned()]), "{shown}");
        }
    }
    for duplicate in [r#"{"sender":"A","sender":"A"}"#, r#"{"x":1,"x":1}"#, r#"{"message":"a","messag\u0065":"b"}"#] {
        assert_eq!(client.call("POST", "/v2.1/sms", duplicate.as_bytes()).await.status, 400, "{duplicate}");
    }
    assert!(server.fake.orders().is_empty());
}

#[tokio::test]
async fn a_million_unknown_keys_are_ignored() {
    let server = Server::start();
    let mut client = server.client().await;
    let keys: String = (0..900_000).map(|number| format!("\"{number:06}\":1,")).collect();
    let body = format!(r#"{{{keys}"sender":"ACME","message":"Hello","phoneNumbers":["48111222333"]}}"#);
    assert!(body.len() <= LIMIT);
    assert_eq!(client.call("POST", "/v2.1/sms", body.as_bytes()).await.status, 200);
    let twice = format!(r#"{{{keys}"000007":1}}"#);
    assert_eq!(client.call("POST", "/v2.1/sms", twice.as_bytes()).await.status, 400);
}

#[tokio::test]
async fn a_refused_body_is_taken_to_its_end_so_that_the_answer_can_be_read() {
    use tokio::io::AsyncWriteExt;
    let server = Server::start();
    for (coding, length, status) in [("rot13", 4 * 1024 * 1024, 415), ("identity", LIMIT + 1, 413)] {
        let octets = request("POST", "/v2.1/sms", &[("content-encoding", coding)], &padded(length));
        let mut client = server.client().await;
        for piece in octets.chunks(64 * 1024) {
            client.stream.write_all(piece).await.expect("the server goes on reading");
        }
        assert_eq!(client.reply().await.unwrap().status, status);
    }
}
