//! Requests to addresses that nobody vouches for, and answers that are meant to hurt.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use loyalnest::config::Secret;
use loyalnest::outgoing::{AddressError, Answer, Error, Outgoing};
use loyalnest::shopify::admin::{AdminApi, AdminError};
use reqwest::{Method, StatusCode};

use crate::support::app::{SHOP, config};
use crate::support::raw::{Raw, head};

const MOST: usize = 1_000_000;

/// What may be asked for files, where the operator trusts this origin.
fn trusting(origin: &str) -> Outgoing {
    Outgoing::to_files(&config(&[("LOYALNEST_SHOPIFY_URL", origin)])).unwrap()
}

async fn get(outgoing: &Outgoing, address: &str) -> Result<Answer, Error> {
    let request = outgoing.request(Method::GET, address)?;
    outgoing.fetch(request.timeout(Duration::from_secs(20)), MOST).await
}

#[tokio::test]
async fn an_answer_without_an_end_is_read_to_the_limit() {
    let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    let pieces = std::iter::once(head).chain(std::iter::repeat_n(vec![b'x'; 100_000], 1_000)).collect();
    let raw = Raw::start(pieces, Duration::ZERO).await;
    assert!(matches!(get(&trusting(&raw.url), &raw.url).await, Err(Error::TooLarge)));
    assert_eq!(raw.asked(), 1);
}

#[tokio::test]
async fn an_answer_of_just_the_limit_is_whole() {
    for (length, fits) in [(MOST, true), (MOST + 1, false)] {
        let raw = Raw::answering("200 OK", "", &"x".repeat(length)).await;
        assert_eq!(get(&trusting(&raw.url), &raw.url).await.is_ok(), fits, "{length}");
    }
}

#[tokio::test]
async fn an_answer_that_drips_ends_with_its_time() {
    let mut pieces = vec![head("200 OK", "", 1_000).into_bytes()];
    pieces.extend(std::iter::repeat_n(b" ".to_vec(), 1_000));
    let raw = Raw::start(pieces, Duration::from_millis(20)).await;
    let outgoing = trusting(&raw.url);
    let request = outgoing.request(Method::GET, &raw.url).unwrap();
    let asked = Instant::now();
    let error = outgoing.fetch(request.timeout(Duration::from_millis(200)), MOST).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_redirect_to_this_machine_is_an_answer_and_no_more() {
    let inside = Raw::answering("200 OK", "", "secret").await;
    for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect"] {
        let raw = Raw::answering(status, &format!("location: {}/\r\n", inside.url), "").await;
        let answer = get(&trusting(&raw.url), &raw.url).await.unwrap();
        assert!(answer.status.is_redirection() && answer.body.is_empty(), "{answer:?}");
    }
    assert_eq!(inside.asked(), 0);
}

#[tokio::test]
async fn what_was_compressed_unasked_stays_compressed() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![0; 20 * MOST]).unwrap();
    let bomb = bomb.finish().unwrap();
    let head = head("200 OK", "content-encoding: gzip\r\n", bomb.len()).into_bytes();
    let raw = Raw::start(vec![head, bomb.clone()], Duration::ZERO).await;
    let answer = get(&trusting(&raw.url), &raw.url).await.unwrap();
    assert_eq!((answer.status, answer.body), (StatusCode::OK, bomb));
}

#[tokio::test]
async fn this_machine_is_not_asked_unless_the_operator_trusts_it() {
    let inside = Raw::answering("200 OK", "", "secret").await;
    let port = inside.url.rsplit_once(':').unwrap().1;
    let files = Outgoing::to_files(&config(&[])).unwrap();
    for (address, error) in [
        (inside.url.clone(), AddressError::NotHttps),
        (format!("https://127.0.0.1:{port}/"), AddressError::NotPublic),
        (format!("https://[::ffff:127.0.0.1]:{port}/"), AddressError::NotPublic),
        (format!("https://hooks.example:{port}/"), AddressError::Port),
    ] {
        assert_eq!(files.request(Method::GET, &address).unwrap_err(), error, "{address}");
        assert!(matches!(get(&files, &address).await, Err(Error::Address(found)) if found == error));
    }
    // A name looks harmless until it is looked up.
    assert!(files.request(Method::GET, "https://localhost/").is_ok());
    let error = get(&files, "https://localhost/").await.unwrap_err();
    assert!(matches!(error, Error::Address(AddressError::NotPublic)), "{error:?}");

    let other = Raw::answering("200 OK", "", "").await;
    assert!(get(&trusting(&other.url), &inside.url).await.is_err(), "trusted is one origin only");
    assert_eq!((inside.asked(), other.asked()), (0, 0));
}

#[tokio::test]
async fn where_the_settings_name_a_server_nobody_else_gets_the_token() {
    let elsewhere = Raw::answering("200 OK", "", "{}").await;
    let port = elsewhere.url.rsplit_once(':').unwrap().1;
    let server = Raw::answering("200 OK", "", "{}").await;
    let configured = config(&[("LOYALNEST_SHOPIFY_URL", server.url.as_str())]);
    let shops = Outgoing::to_shops(&configured).unwrap();
    for address in
        [elsewhere.url.clone(), format!("https://127.0.0.1:{port}"), "https://hooks.example".into()]
    {
        assert!(shops.request(Method::POST, &address).is_err(), "{address}");
    }
    let api = AdminApi::new(&configured).unwrap();
    let admin = api.shop(&SHOP.parse().unwrap(), &Secret::new("shpat_1"));
    assert!(matches!(admin.shop_details().await, Err(AdminError::Operation(_))));
    assert_eq!((server.asked(), elsewhere.asked()), (1, 0));

    let files = Outgoing::to_files(&configured).unwrap();
    assert!(get(&files, &format!("{}/file.jsonl", server.url)).await.is_ok(), "files beside it are read");
    assert!(files.request(Method::GET, "https://storage.example/file.jsonl").is_ok());
    assert!(files.request(Method::GET, &elsewhere.url).is_err());
}
