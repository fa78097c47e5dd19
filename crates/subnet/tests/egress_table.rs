//! What may be dialled and what may not: every spelling of a bad place that is known to have passed a guard somewhere.
#![expect(clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;

use subnet::egress::{Egress, EgressPolicy, Options, Refused};

fn egress(policy: EgressPolicy) -> Egress {
    Egress::new(Options { policy, ..Options::default() }).expect("no extra roots")
}

/// Addresses inside denied ranges: first, last and famous ones of each.
const DENIED_V4: &[&str] = &[
    "0.0.0.0",
    "0.0.0.1",
    "0.255.255.255",
    "10.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.0",
    "127.0.0.1",
    "127.0.0.53",
    "127.1.2.3",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.255.255",
    "172.16.0.0",
    "172.17.0.1",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.0.255",
    "192.0.2.0",
    "192.0.2.255",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.0",
    "192.88.99.255",
    "192.168.0.0",
    "192.168.0.1",
    "192.168.255.255",
    "192.175.48.1",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.0",
    "198.51.100.255",
    "203.0.113.0",
    "203.0.113.255",
    "224.0.0.0",
    "224.0.0.1",
    "239.255.255.250",
    "239.255.255.255",
    "240.0.0.0",
    "240.0.0.1",
    "255.255.255.254",
    "255.255.255.255",
];

/// Their public neighbours, which must stay reachable.
const PUBLIC_V4: &[&str] = &[
    "1.0.0.0",
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "44.1.2.3",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
];

const DENIED_V6: &[&str] = &[
    "::",
    "::1",
    "::2",
    "::7f00:1",
    "::127.0.0.1",
    "::ffff:0:0",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "0:0:0:0:0:ffff:192.168.0.1",
    "::fffe:ffff:ffff",
    "::ffff:0:127.0.0.1",
    "64:ff9b::",
    "64:ff9b::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::",
    "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
    "64:ff9b:1::10.0.0.1",
    "100::",
    "100::1",
    "100:0:0:1::",
    "1::",
    "200::1",
    "400::1",
    "800::1",
    "1000::1",
    "1fff:ffff::",
    "2001::",
    "2001::1",
    "2001:0:53aa:64c:0:5efe:a9fe:a9fe",
    "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:1::1",
    "2001:2::",
    "2001:2:0:ffff::",
    "2001:3::1",
    "2001:4:112::1",
    "2001:10::",
    "2001:1f:ffff::",
    "2001:20::1",
    "2001:2f:ffff::",
    "2001:30::1",
    "2001:1ff:ffff::",
    "2001:db8::",
    "2001:db8::1",
    "2001:db8:ffff::",
    "2002::",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2002:a00:1::1",
    "2002:c0a8:1::",
    "2002:ffff:ffff::",
    "2620:4f:8000::1",
    "3ffe::1",
    "3fff::",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "6000::1",
    "8000::1",
    "a000::1",
    "c000::1",
    "e000::1",
    "f000::1",
    "f800::1",
    "fc00::",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe00::1",
    "fe80::",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "febf:ffff::",
    "fec0::1",
    "feff::1",
    "ff00::",
    "ff01::1",
    "ff02::1",
    "ff02::2",
    "ff05::2",
    "ff0e::1",
    "ffff::ffff",
];

const PUBLIC_V6: &[&str] = &[
    "2000::1",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2001:db7::1",
    "2001:db9::1",
    "2003::1",
    "2400:cb00::1",
    "2606:4700:4700::1111",
    "2620:4f:7fff::1",
    "2620:4f:8001::1",
    "2a00:1450::1",
    "3ffd::1",
    "3fff:1000::1",
];

/// Spellings that some parser or resolver reads as an address or as another host than the one shown.
const SPELLINGS: &[&str] = &[
    // Numbers: octal, hexadecimal, dword, short and over-long forms.
    "https://0177.0.0.1/",
    "https://0177.0.0.01",
    "https://00000177.0.0.1",
    "https://0x7f.0.0.1",
    "https://0X7F.0.0.1",
    "https://0x7f.0x0.0x0.0x1",
    "https://0x7f000001",
    "https://0x7F000001",
    "https://0x07f000001",
    "https://017700000001",
    "https://2130706433",
    "https://2130706433/",
    "https://4294967296",
    "https://3232235777",
    "https://0",
    "https://1",
    "https://127.1",
    "https://127.0.1",
    "https://127.0.0.1.",
    "https://127.0.0.1..",
    "https://127.0.0.1.1",
    "https://127.000.000.001",
    "https://127.0.0.0x1",
    "https://127.0.0.01",
    "https://1.2.3",
    "https://1.2.3.4.5",
    "https://256.1.1.1",
    "https://1.1.1.256",
    "https://999.999.999.999",
    "https://0251.0376.0251.0376",
    "https://0xa9fea9fe",
    "https://2852039166",
    "https://0xA9.0xFE.0xA9.0xFE",
    "https://169.254.43518",
    "https://169.16689662",
    "https://8.8.8.010",
    "https://010.8.8.8",
    "https://example.1",
    "https://example.0x1",
    "https://-1.2.3.4",
    "https://+127.0.0.1",
    "https://1e3",
    "https://foo.0",
    "https://0x",
    "https://0x.0x",
    // Userinfo and confusion of host and credentials.
    "https://user@api.example.com",
    "https://user:pass@api.example.com",
    "https://api.example.com@127.0.0.1",
    "https://api.example.com:443@127.0.0.1",
    "https://127.0.0.1@api.example.com",
    "https://@api.example.com",
    "https://:@api.example.com",
    "https://api.example.com%40127.0.0.1",
    "https://a@b@c.example",
    "https://api.example.com/@127.0.0.1",
    "https://api.example.com#@127.0.0.1",
    "https://api.example.com?@127.0.0.1",
    "https://api.example.com\\@127.0.0.1",
    "https://127.0.0.1\\@api.example.com",
    // Schemes.
    "",
    "https:",
    "https:/",
    "https://",
    "https:///",
    "https:api.example.com",
    "https:/api.example.com",
    "https:///api.example.com",
    "https:\\\\api.example.com",
    "//api.example.com",
    "api.example.com",
    "HTTPS://api.example.com",
    "Https://api.example.com",
    "ftp://api.example.com",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_x",
    "dict://127.0.0.1:11211",
    "ldap://127.0.0.1",
    "jar:https://api.example.com!/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "unix:///run/docker.sock",
    "http+unix://%2Frun%2Fdocker.sock",
    "ws://api.example.com",
    "wss://api.example.com",
    "view-source:https://api.example.com",
    "https://https://api.example.com",
    " https://api.example.com",
    "\thttps://api.example.com",
    "httpss://api.example.com",
    "ht\ntps://api.example.com",
    "blob:https://api.example.com",
    "netdoc:///etc/passwd",
    "phar://x",
    "tftp://127.0.0.1/x",
    // Trailing dots, empty labels, odd characters.
    "https://api.example.com.",
    "https://api.example.com..",
    "https://.api.example.com",
    "https://api..example.com",
    "https://.",
    "https://..",
    "https://-api.example.com",
    "https://api-.example.com",
    "https://api.example.com-",
    "https://api_.example..com",
    "https://api example.com",
    "https://api%20example.com",
    "https://api%2eexample.com",
    "https://127%2e0%2e0%2e1",
    "https://%31%32%37.0.0.1",
    "https://api.example.com%00.evil.example",
    "https://api.example.com\0",
    "https://api.example.com\r\nHost: evil",
    "https://api.example.com\t",
    "https://api\u{ad}.example.com",
    "https://api,example.com",
    "https://api;example.com",
    "https://api!example.com",
    "https://api*example.com",
    "https://*.example.com",
    "https://api(example).com",
    "https://'api'.example.com",
    "https://\"api\".example.com",
    "https://<api>.example.com",
    "https://api|example.com",
    "https://api^example.com",
    "https://`api`.example.com",
    "https://api$.example.com",
    "https://api&.example.com",
    "https://api+.example.com",
    "https://api=.example.com",
    "https://~api.example.com",
    // International names and look-alikes: digits and dots from other scripts become ASCII in some parsers.
    "https://①②⑦.⓪.⓪.①",
    "https://１２７.０.０.１",
    "https://127。0。0。1",
    "https://127．0．0．1",
    "https://127｡0｡0｡1",
    "https://ⓛocalhost",
    "https://ｌｏｃａｌｈｏｓｔ",
    "https://lᴏcalhost",
    "https://еxample.com",
    "https://exämple.com",
    "https://例え.jp",
    "https://𝟏𝟐𝟕.𝟎.𝟎.𝟏",
    "https://metadata。google。internal",
    "https://api.example.com\u{200b}",
    "https://\u{feff}api.example.com",
    "https://api.example.com\u{202e}",
    "https://☃.net",
    "https://١٢٧.٠.٠.١",
    "https://faß.de",
    // IPv6 texts, brackets and zones.
    "https://[::1",
    "https://::1",
    "https://::1]",
    "https://[::1]]",
    "https://[[::1]]",
    "https://[]",
    "https://[ ]",
    "https://[::1]x",
    "https://[::1%25lo]",
    "https://[::1%lo]",
    "https://[fe80::1%25eth0]",
    "https://[fe80::1%eth0]",
    "https://[fe80::1%1]",
    "https://[v1.fe80::a+en1]",
    "https://[127.0.0.1]",
    "https://[localhost]",
    "https://[api.example.com]",
    "https://[::ffff:0x7f.1]",
    "https://[::ffff:127.1]",
    "https://[1:2:3:4:5:6:7]",
    "https://[1:2:3:4:5:6:7:8:9]",
    "https://[::1]:",
    "https://[::1]:0",
    "https://[:::1]",
    "https://[2606:4700:4700::1111]:0443",
    "https://2606:4700:4700::1111",
    "https://[2606:4700:4700::1111",
    "https://[2606:4700:4700::1111%25eth0]",
    "https://[2606:4700::4700::1111]",
    "https://[2606:4700:4700::1111]443",
    "https://[2606:4700:4700::1111]@api.example.com",
    "https://[g::1]",
    "https://[12345::1]",
    // Ports.
    "https://api.example.com:",
    "https://api.example.com:0",
    "https://api.example.com:00443",
    "https://api.example.com:0443",
    "https://api.example.com:65536",
    "https://api.example.com:99999",
    "https://api.example.com:-1",
    "https://api.example.com:+443",
    "https://api.example.com:443:443",
    "https://api.example.com:https",
    "https://api.example.com: 443",
    "https://api.example.com:4 43",
    "https://api.example.com:0x1bb",
    "https://api.example.com:４４３",
    "https://api.example.com:443.0",
    "https://api.example.com:1e3",
    "https://api.example.com:4294967739",
    "https://api.example.com:443@evil.example",
    // Ports that speak something else.
    "https://api.example.com:22",
    "https://api.example.com:25",
    "https://api.example.com:80",
    "https://api.example.com:110",
    "https://api.example.com:587",
    "https://api.example.com:1024",
    "http://44.1.2.3",
    "http://44.1.2.3:22",
    "http://44.1.2.3:25",
    "http://44.1.2.3:80",
    "http://44.1.2.3:443",
    "http://44.1.2.3:1024",
    "http://[2606:4700:4700::1111]:80",
    // Local names, also with a public look.
    "https://localhost",
    "https://LOCALHOST",
    "https://LocalHost:8443",
    "https://localhost.",
    "https://foo.localhost",
    "https://localhost.localdomain",
    "https://ip6-localhost",
    "https://router",
    "https://intranet",
    "https://metadata",
    "https://kubernetes.default.svc.local",
    "https://metadata.google.internal",
    "https://instance-data.ec2.internal",
    "https://printer.local",
    "https://nas.lan",
    "https://router.home.arpa",
    "https://home.arpa",
    "https://mail.corp",
    "https://wiki.intranet",
    // Plain HTTP to names: it is for addresses of miners and validators.
    "http://api.example.com",
    "http://api.example.com:8091",
    "http://localhost:8091",
    "http://metadata.google.internal:8091",
    // Parts that do not belong in a base URL, and paths that climb.
    "https://api.example.com?x=1",
    "https://api.example.com/?x",
    "https://api.example.com/v1?key=abc",
    "https://api.example.com#x",
    "https://api.example.com/#",
    "https://api.example.com/v1#/admin",
    "https://api.example.com/..",
    "https://api.example.com/../",
    "https://api.example.com/v1/..",
    "https://api.example.com/v1/../admin",
    "https://api.example.com/./v1",
    "https://api.example.com/v1/.",
    "https://api.example.com//v1",
    "https://api.example.com/v1//x",
    "https://api.example.com/v1//",
    "https://api.example.com/%2e%2e/",
    "https://api.example.com/%2E%2E",
    "https://api.example.com/.%2e/x",
    "https://api.example.com/v1%2f..",
    "https://api.example.com/v1%2Fx",
    "https://api.example.com/v1%5cx",
    "https://api.example.com/%252e%252e/",
    "https://api.example.com/%00",
    "https://api.example.com/v1\\x",
    "https://api.example.com/a b",
    "https://api.example.com/\u{e9}",
    "https://api.example.com/<x>",
    "https://api.example.com/\"x\"",
    "https://api.example.com/{id}",
    "http://{validator_host}:48888",
    "http://{validator_ip}:3000",
    "https://{host}",
    "https://api.example.com/|x",
    "https://api.example.com/^x",
    "https://api.example.com/`x`",
    "https://api.example.com/[x]",
];

const PUBLIC_SPELLINGS: &[(&str, &str)] = &[
    ("https://api.desearch.ai", "https://api.desearch.ai"),
    ("https://api.desearch.ai/", "https://api.desearch.ai"),
    ("https://API.Desearch.AI/v1/", "https://api.desearch.ai/v1"),
    ("https://api.desearch.ai:443/v1", "https://api.desearch.ai/v1"),
    ("https://api.targon.com/tha/v2", "https://api.targon.com/tha/v2"),
    ("https://api.example.com:8443", "https://api.example.com:8443"),
    ("https://api.example.com:1025", "https://api.example.com:1025"),
    ("https://api.example.com:65535", "https://api.example.com:65535"),
    ("https://xn--exmple-cua.com", "https://xn--exmple-cua.com"),
    ("https://1password.com", "https://1password.com"),
    ("https://0xdeadbeef.example", "https://0xdeadbeef.example"),
    ("https://a_b.example.com", "https://a_b.example.com"),
    ("https://localhost.example.com", "https://localhost.example.com"),
    ("https://notlocalhost.com", "https://notlocalhost.com"),
    ("https://[2606:4700:4700:0:0:0:0:1111]:443", "https://[2606:4700:4700::1111]"),
    ("https://[2606:4700:4700::1111]:8443/x", "https://[2606:4700:4700::1111]:8443/x"),
    ("http://44.1.2.3:8091", "http://44.1.2.3:8091"),
    ("http://44.1.2.3:1025", "http://44.1.2.3:1025"),
    ("http://[2606:4700:4700::1111]:8091", "http://[2606:4700:4700::1111]:8091"),
    ("https://api.example.com/v1/a-b._~!$&'()*+,;=:", "https://api.example.com/v1/a-b._~!$&'()*+,;=:"),
];

#[test]
fn special_addresses_are_refused_and_their_public_neighbours_are_not() {
    let production = egress(EgressPolicy::default());
    for (denied, public) in [(DENIED_V4, PUBLIC_V4), (DENIED_V6, PUBLIC_V6)] {
        for address in denied {
            for text in endpoints_of(address) {
                let refused = production.endpoint(&text).expect_err(&text);
                assert!(matches!(refused, Refused::Address { .. }), "{text}: {refused}");
                assert_eq!(refused.code(), "E1101");
            }
        }
        for address in public {
            for text in endpoints_of(address) {
                assert!(production.endpoint(&text).is_ok(), "{text}");
            }
        }
    }
}

fn endpoints_of(address: &str) -> [String; 2] {
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    [format!("https://{host}"), format!("http://{host}:8091")]
}

#[test]
fn every_ambiguous_or_local_spelling_is_refused() {
    let production = egress(EgressPolicy::default());
    for text in SPELLINGS {
        let refused = production.endpoint(text).expect_err(text);
        assert!(matches!(refused.code(), "E1101" | "E1102"), "{text}: {refused}");
        assert!(!refused.to_string().contains(['\n', '\r', '\0', '\t']), "{refused:?}");
    }
    let long = format!("https://{}.example.com", "a".repeat(64));
    assert!(production.endpoint(&long).is_err());
    let name = |length: usize| format!("https://{}com", "a.".repeat((length - 3) / 2));
    assert!(production.endpoint(&name(253)).is_ok());
    assert!(production.endpoint(&name(255)).is_err());
    let path = |length: usize| format!("https://a.example/{}", "p".repeat(length - 18));
    assert!(production.endpoint(&path(2_048)).is_ok());
    assert!(production.endpoint(&path(2_049)).is_err());
}

#[test]
fn the_table_has_the_size_it_claims() {
    let all: BTreeSet<&str> = DENIED_V4.iter().chain(DENIED_V6).chain(SPELLINGS).copied().collect();
    assert!(all.len() >= 300, "{}", all.len());
    assert_eq!(all.len(), DENIED_V4.len() + DENIED_V6.len() + SPELLINGS.len(), "a row is there twice");
}

#[test]
fn plain_spellings_are_normalised_to_one_form() {
    let production = egress(EgressPolicy::default());
    for (text, normal) in PUBLIC_SPELLINGS {
        let endpoint = production.endpoint(text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
        assert_eq!(format!("{endpoint:?}"), *normal);
    }
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

mod random {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

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
}
