//! Requests to others: the one place where HTTP clients are made.
//!
//! ```text
//! an address ── rules: https, a usual port, no password, a public number ── guard: the name's numbers, all public
//!                 └─ or an origin that the operator's settings name           └─ the connection goes to these numbers
//! an answer ── no redirect is followed, nothing is decompressed ── answer: read up to a limit, within its time
//! ```
//!
//! A name is looked up once, and what was checked is what is connected to: a name that means something else a moment
//! later gains nothing. No proxy of the environment is asked, because it would look names up itself.

mod address;
mod answer;
mod guard;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use reqwest::dns::Resolve;
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response};

use crate::config::Config;

use guard::{Guard, System};
use rules::{Hosts, Rules, Trust};

pub use address::is_public;
pub use answer::{Answer, Error};
pub use rules::AddressError;

/// How long a connection may take, the look-up of the name included.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may pause.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a request may take in all, unless it says otherwise (`RequestBuilder::timeout`).
const IN_ALL: Duration = Duration::from_secs(30);

/// Sends requests where its rules allow. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Looks names up itself and refuses what is not public.
    guarded: Client,
    /// For the origins that the operator trusts.
    trusting: Client,
    rules: Arc<Rules>,
    /// Answers in everybody's place.
    inside: Option<Router>,
}

impl Outgoing {
    /// To the shops' own hosts, or to the one address that the settings have in their place.
    ///
    /// # Errors
    /// When the machine has no TLS to speak.
    pub fn to_shops(config: &Config) -> Result<Self, Error> {
        Outgoing::new(Rules::new(Hosts::Shops, &[&config.shopify.url]), System)
    }

    /// To files that Shopify names in its answers: on hosts of others, or beside the configured address.
    ///
    /// # Errors
    /// When the machine has no TLS to speak.
    pub fn to_files(config: &Config) -> Result<Self, Error> {
        Outgoing::new(Rules::new(Hosts::Any, &[&config.shopify.url]), System)
    }

    fn new(rules: Rules, names: impl Resolve + 'static) -> Result<Self, Error> {
        let guarded = builder().https_only(true).dns_resolver(Guard::new(names));
        Ok(Outgoing {
            guarded: guarded.build().map_err(Error::from)?,
            trusting: builder().build().map_err(Error::from)?,
            rules: Arc::new(rules),
            inside: None,
        })
    }

    /// The same, whose requests do not leave the process: this service answers all that the rules allow.
    #[must_use]
    pub fn answered_by(mut self, service: Router) -> Self {
        self.inside = Some(service);
        self
    }

    /// A request, for [`fetch`](Outgoing::fetch) or [`send`](Outgoing::send).
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn request(&self, method: Method, address: &str) -> Result<RequestBuilder, AddressError> {
        let (url, trust) = self.rules.check(address)?;
        let client = match trust {
            Trust::Operators => &self.trusting,
            Trust::Nobodys => &self.guarded,
        };
        Ok(client.request(method, url))
    }

    /// Sends a request and reads its answer, which must not have more than `most` bytes.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn fetch(&self, request: RequestBuilder, most: usize) -> Result<Answer, Error> {
        answer::read(self.send(request).await?, most).await
    }

    /// Sends a request; its answer, however long it is, is to be read part by part.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        match &self.inside {
            None => Ok(request.send().await?),
            Some(service) => answer::inside(service.clone(), request.build()?).await,
        }
    }
}

fn builder() -> ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(PAUSE)
        .timeout(IN_ALL)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .user_agent(concat!("LoyalNest/", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::guard::tests::Names;
    use super::*;

    async fn refused(outgoing: &Outgoing, address: &str) -> bool {
        let request = outgoing.request(Method::GET, address).unwrap();
        matches!(outgoing.fetch(request, 1).await, Err(Error::Address(AddressError::NotPublic)))
    }

    #[tokio::test]
    async fn a_name_that_means_this_machine_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:8443").await;
        let names = Names::new(&[
            ("inside.example", &["127.0.0.1"]),
            ("both.example", &["93.184.215.14", "127.0.0.1"]),
            ("mapped.example", &["::ffff:10.0.0.1"]),
            ("nobody.example", &[]),
        ]);
        let outgoing = Outgoing::new(Rules::new(Hosts::Any, &[""; 0]), names).unwrap();
        for name in ["inside", "both", "mapped"] {
            assert!(refused(&outgoing, &format!("https://{name}.example:8443/")).await, "{name}");
        }
        let nobody = outgoing.request(Method::GET, "https://nobody.example/").unwrap();
        assert!(matches!(outgoing.fetch(nobody, 1).await, Err(Error::Unreachable(_))));
        if let Ok(listener) = listener {
            let connected = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
            assert!(connected.is_err(), "nobody came");
        }
    }

    #[tokio::test]
    async fn a_service_of_this_process_answers_what_the_rules_allow_and_up_to_the_limit() {
        let echo = |uri: axum::http::Uri, body: String| async move { format!("{} {body}", uri.path()) };
        let service = Router::new().route("/echo", axum::routing::post(echo));
        let outgoing = Outgoing::new(Rules::new(Hosts::Any, &[""; 0]), Names::new(&[])).unwrap();
        let outgoing = outgoing.answered_by(service);
        let asked = async |address: &str, most| {
            let request = outgoing.request(Method::POST, address).unwrap().body("tea");
            outgoing.fetch(request, most).await
        };
        let answer = asked("https://nobody.example/echo", 9).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, &b"/echo tea"[..]));
        assert!(matches!(asked("https://nobody.example/echo", 8).await, Err(Error::TooLarge)));
        assert_eq!(asked("https://nobody.example/", 9).await.unwrap().status.as_u16(), 404);
        assert!(outgoing.request(Method::GET, "http://nobody.example/").is_err());
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_for_a_connection() {
        let names = Names::new(&[("turns.example", &["127.0.0.1"])]);
        let asked = names.asked();
        let outgoing = Outgoing::new(Rules::new(Hosts::Any, &[""; 0]), names).unwrap();
        assert!(refused(&outgoing, "https://turns.example/").await);
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
    }
}
