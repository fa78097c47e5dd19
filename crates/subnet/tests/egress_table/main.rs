//! What may be dialled and what may not: every spelling of a bad place that is known to have passed a guard somewhere.
#![expect(clippy::expect_used, reason = "tests")]

mod addresses;
mod random;
mod spellings;

use std::collections::BTreeSet;

use subnet::egress::{Egress, EgressPolicy, Options};

use addresses::{DENIED_V4, DENIED_V6, PUBLIC_V4, PUBLIC_V6};
use spellings::{PUBLIC_SPELLINGS, SPELLINGS};

fn egress(policy: EgressPolicy) -> Egress {
    Egress::new(Options { policy, ..Options::default() }).expect("no extra roots")
}

fn endpoints_of(address: &str) -> [String; 2] {
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    [format!("https://{host}"), format!("http://{host}:8091")]
}

#[test]
fn the_table_has_the_size_it_claims() {
    let all: BTreeSet<&str> = DENIED_V4.iter().chain(DENIED_V6).chain(SPELLINGS).copied().collect();
    assert!(all.len() >= 300, "{}", all.len());
    assert_eq!(all.len(), DENIED_V4.len() + DENIED_V6.len() + SPELLINGS.len(), "a row is there twice");
}

/// What this parser accepts, the parser of browsers reads as the same host and port.
#[test]
fn accepted_spellings_mean_the_same_to_a_whatwg_parser() {
    let production = egress(EgressPolicy::default());
    let addresses = PUBLIC_V4.iter().chain(PUBLIC_V6).flat_map(|address| endpoints_of(address));
    let spelt = PUBLIC_SPELLINGS.iter().map(|(text, _)| (*text).to_owned());
    for text in addresses.chain(spelt) {
        let ours = production.endpoint(&text).expect("public");
        let theirs = url::Url::parse(&text).expect("a URL");
        assert_eq!(ours.origin().as_str(), theirs.origin().ascii_serialization(), "{text}");
    }
}

#[test]
fn development_settings_open_exactly_what_they_name() {
    let loopback = egress(EgressPolicy { allow_loopback: true, allow_private: false });
    let private = egress(EgressPolicy { allow_loopback: false, allow_private: true });
    for (text, by_loopback, by_private) in [
        ("http://127.0.0.1:8091", true, false),
        ("http://[::1]:8091", true, false),
        ("https://127.255.255.255", true, false),
        ("http://10.0.0.1:8091", false, true),
        ("https://192.168.1.1", false, true),
        ("https://[fd00::1]", false, true),
        // Names are judged again by what they resolve to.
        ("http://localhost:8091", true, true),
        ("https://ledger", true, true),
        // Never, whatever the settings.
        ("http://169.254.169.254:8091", false, false),
        ("https://[fd00:ec2::254]", false, false),
        ("https://100.100.100.200", false, false),
        ("https://0.0.0.0", false, false),
        ("https://[::ffff:127.0.0.1]", false, false),
        ("https://[fe80::1]", false, false),
        ("https://224.0.0.1", false, false),
        ("https://2130706433", false, false),
        ("https://user@localhost", false, false),
        ("http://127.0.0.1:22", false, false),
    ] {
        assert_eq!(loopback.endpoint(text).is_ok(), by_loopback, "loopback: {text}");
        assert_eq!(private.endpoint(text).is_ok(), by_private, "private: {text}");
    }
}

#[test]
fn credentials_in_a_url_do_not_come_back_in_the_refusal() {
    let refused = egress(EgressPolicy::default())
        .endpoint("https://user:canary@api.example.com")
        .expect_err("userinfo");
    assert!(!format!("{refused} {refused:?}").contains("canary"));
}
