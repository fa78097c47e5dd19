//! Random texts, and private addresses in every disguise: what is accepted is one public place.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use subnet::egress::EgressPolicy;

use crate::egress;

/// Pieces that parsers trip over, in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "(https|http|HTTPS|ftp)?(://|:/|:|//)?",
        "[a-z0-9.-]{0,12}",
        "(0x)?[0-9a-fA-F]{1,8}",
        "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
        "\\[?[0-9a-f:]{0,20}(%[a-z0-9]{0,4})?\\]?",
        ":[0-9]{0,6}",
        "[/\\\\@#?%.\\[\\]{}]{0,3}",
        "(%2e|%2f|%00|%40|\u{3002}|\u{ff0e}|\u{2460}|\u{ad}|\t|\n| ){0,2}",
        "(localhost|metadata\\.google\\.internal|127\\.1|api\\.example\\.com)",
    ];
    prop::collection::vec(piece, 1..7).prop_map(|pieces| format!("https://{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// Whatever is accepted, a browser's parser reads as the same place, and that place is public.
    #[test]
    fn what_is_accepted_is_unambiguous_and_public(text in soup()) {
        let production = egress(EgressPolicy::default());
        if let Ok(endpoint) = production.endpoint(&text) {
            let theirs = url::Url::parse(&text).expect("accepted here, so a URL");
            prop_assert_eq!(endpoint.origin().as_str(), theirs.origin().ascii_serialization());
            prop_assert!(theirs.username().is_empty() && theirs.password().is_none());
            prop_assert!(theirs.path().trim_end_matches('/') == endpoint.path());
            // Its normal form is accepted and is itself.
            let again = production.endpoint(&format!("{endpoint:?}")).expect("normal");
            prop_assert_eq!(format!("{again:?}"), format!("{endpoint:?}"));
        }
    }

    /// An address is refused however it is put into IPv6.
    #[test]
    fn no_disguise_of_a_private_address_passes(a in any::<[u8; 4]>()) {
        let production = egress(EgressPolicy::default());
        let [w, x, y, z] = a;
        let plain = format!("https://{w}.{x}.{y}.{z}");
        for wrapped in ["::ffff:", "::", "64:ff9b::", "64:ff9b:1::", "::ffff:0:"] {
            let text = format!("https://[{wrapped}{w}.{x}.{y}.{z}]");
            prop_assert!(production.endpoint(&text).is_err(), "{}", text);
        }
        let six_to_four = format!("https://[2002:{w:02x}{x:02x}:{y:02x}{z:02x}::1]");
        prop_assert!(production.endpoint(&six_to_four).is_err());
        let number = u32::from_be_bytes(a);
        for disguise in [
            format!("https://{number}"),
            format!("https://{number:#x}"),
            format!("https://0{number:o}"),
            format!("https://0{w:o}.0{x:o}.0{y:o}.0{z:o}"),
            format!("https://{w:#x}.{x:#x}.{y:#x}.{z:#x}"),
            format!("{plain}."),
        ] {
            prop_assert!(production.endpoint(&disguise).is_err(), "{}", disguise);
        }
    }
}
