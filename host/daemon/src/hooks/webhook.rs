//! Notifying by an HTTP request, signed as Standard Webhooks 1.0 says ("Signature scheme": HMAC-SHA256 of
//! `id.timestamp.body`, RFC 2104, in `webhook-signature` as `v1,` and base64).

use super::{ANSWER_WITHIN, Failure, Message};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::sync::{Arc, OnceLock};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use wavemill_platform::one_line;
use wavemill_store::Clock;

/// Whether requests can be sent to this address.
pub fn is_url(url: &str) -> bool {
    let uri: Option<ureq::http::Uri> = url.parse().ok();
    uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

/// What a secret in base64 starts with.
const BASE64_PREFIX: &str = "whsec_";

/// What requests are signed with. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// Reads a secret: `whsec_` and base64, or any other text as it is.
    ///
    /// # Errors
    /// One line, when it is empty or no base64.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let bytes = match text.strip_prefix(BASE64_PREFIX) {
            Some(base64) => STANDARD
                .decode(base64)
                .map_err(|_| format!("the text after {BASE64_PREFIX} is not base64"))?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.is_empty() { Err("it is empty".to_owned()) } else { Ok(Self(bytes)) }
    }

    /// The signature of a message.
    fn sign(&self, id: &str, timestamp_s: u64, body: &str) -> String {
        // A key of any length is one.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{timestamp_s}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Sends a message, and waits for the answer.
pub(super) fn post(url: &str, secret: Option<&Secret>, message: &Message) -> Result<(), Failure> {
    let (body, now_s) = (message.body(), Clock::now_ms() / 1000);
    let mut request = agent()
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", now_s.to_string());
    if let Some(secret) = secret {
        request = request.header("webhook-signature", secret.sign(&message.id, now_s, &body));
    }
    let answer = request.send(&body).map_err(|error| {
        Failure::Unwell(one_line(&format!("{} does not answer: {error}", host_of(url))))
    })?;
    let status = answer.status();
    let reason = || format!("{} answers {status}", host_of(url));
    match status.as_u16() {
        200..=299 => Ok(()),
        // It asks to wait, or is out of order.
        408 | 425 | 429 | 500.. => Err(Failure::Unwell(reason())),
        _ => Err(Failure::Refused(reason())),
    }
}

/// What may be shown of an address: its path may be a secret.
pub(super) fn host_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.rsplit_once('@').map_or(host, |(_, host)| host)
}

/// Trusts whom this system trusts. Redirects are not followed: they would notify somebody else.
fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .timeout_global(Some(ANSWER_WITHIN))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("Wavemill/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        config.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_that_of_the_specification() {
        // The example of Standard Webhooks 1.0, "Verifying signatures".
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secret_is_text_or_base64_and_never_shown() {
        assert_eq!(Secret::parse(" abc\n").unwrap(), Secret(b"abc".to_vec()));
        assert_eq!(Secret::parse("whsec_YWJj").unwrap(), Secret(b"abc".to_vec()));
        assert!(Secret::parse("whsec_?").is_err());
        assert!(Secret::parse("\n").is_err());
        assert_eq!(format!("{:?}", Secret(b"abc".to_vec())), "Secret(..)");
    }

    #[test]
    fn address_is_shown_without_what_may_be_secret() {
        assert_eq!(
            host_of("https://user:word@hooks.example:8080/T0/B1?key=2"),
            "hooks.example:8080"
        );
        assert_eq!(host_of("http://localhost"), "localhost");
    }
}
