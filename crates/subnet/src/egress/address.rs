//! Which addresses may be dialled.
//!
//! A miner publishes whatever address it likes and a name resolves to whatever its owner likes, so every address is
//! judged by where it leads: only public unicast is dialled.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::EgressPolicy;

/// What a denied address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// This machine.
    Loopback,
    /// The operator's own network.
    Private,
    /// Never a subnet, whatever the settings; the text says what it is.
    Special(&'static str),
}

impl Range {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Private => "private network",
            Self::Special(name) => name,
        }
    }
}

/// The reason not to dial `address`, if there is one.
pub(super) fn denied(address: IpAddr, policy: EgressPolicy) -> Option<Range> {
    match range_of(address)? {
        Range::Loopback if policy.allow_loopback => None,
        Range::Private if policy.allow_private => None,
        range => Some(range),
    }
}

/// The special range of `address`; `None` for public unicast.
pub(super) fn range_of(address: IpAddr) -> Option<Range> {
    match address {
        IpAddr::V4(address) => range_of_v4(address),
        IpAddr::V6(address) => range_of_v6(address),
    }
}

const METADATA: Range = Range::Special("cloud metadata");

/// IANA's IPv4 special-purpose registry, and the metadata services outside it; the first match counts.
const V4: &[(Ipv4Addr, u32, Range)] = &[
    (Ipv4Addr::new(169, 254, 169, 254), 32, METADATA),
    (Ipv4Addr::new(169, 254, 170, 2), 32, METADATA),
    (Ipv4Addr::new(100, 100, 100, 200), 32, METADATA),
    (Ipv4Addr::new(168, 63, 129, 16), 32, METADATA),
    (Ipv4Addr::new(192, 0, 0, 192), 32, METADATA),
    (Ipv4Addr::new(0, 0, 0, 0), 8, Range::Special("this network")),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Range::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Range::Special("carrier-grade NAT")),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Range::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Range::Special("link-local")),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Range::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Range::Special("protocol assignments")),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Range::Special("documentation")),
    (Ipv4Addr::new(192, 31, 196, 0), 24, Range::Special("AS112")),
    (Ipv4Addr::new(192, 52, 193, 0), 24, Range::Special("multicast tunnelling")),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Range::Special("6to4 relay")),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Range::Private),
    (Ipv4Addr::new(192, 175, 48, 0), 24, Range::Special("AS112")),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Range::Special("benchmarking")),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Range::Special("documentation")),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Range::Special("documentation")),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Range::Special("multicast")),
    (Ipv4Addr::BROADCAST, 32, Range::Special("broadcast")),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Range::Special("reserved")),
];

fn range_of_v4(address: Ipv4Addr) -> Option<Range> {
    let bits = u32::from(address);
    V4.iter()
        .find(|(net, length, _)| (bits ^ u32::from(*net)) >> (32 - length) == 0)
        .map(|(_, _, range)| *range)
}

const fn v6(segments: [u16; 8]) -> Ipv6Addr {
    let [a, b, c, d, e, f, g, h] = segments;
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

/// IANA's IPv6 special-purpose registry and everything that embeds an IPv4 address; the first match counts.
/// What is not listed is denied too unless it lies in 2000::/3, the only block with global unicast.
const V6: &[(Ipv6Addr, u32, Range)] = &[
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]), 128, METADATA),
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]), 128, METADATA),
    (Ipv6Addr::LOCALHOST, 128, Range::Loopback),
    (Ipv6Addr::UNSPECIFIED, 128, Range::Special("unspecified")),
    (v6([0, 0, 0, 0, 0, 0xffff, 0, 0]), 96, Range::Special("IPv4-mapped")),
    (Ipv6Addr::UNSPECIFIED, 96, Range::Special("IPv4-compatible")),
    (v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0]), 96, Range::Special("NAT64")),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0]), 48, Range::Special("local NAT64")),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0]), 64, Range::Special("discard")),
    // Teredo (2001::/32), benchmarking, ORCHID and the other protocol assignments.
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0]), 32, Range::Special("Teredo")),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0]), 23, Range::Special("protocol assignments")),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0]), 32, Range::Special("documentation")),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0]), 16, Range::Special("6to4")),
    (v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0]), 48, Range::Special("AS112")),
    (v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0]), 16, Range::Special("6bone")),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0]), 20, Range::Special("documentation")),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0]), 7, Range::Private),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0]), 10, Range::Special("link-local")),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0]), 10, Range::Special("site-local")),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0]), 8, Range::Special("multicast")),
];

fn range_of_v6(address: Ipv6Addr) -> Option<Range> {
    let bits = u128::from(address);
    let listed = V6.iter().find(|(net, length, _)| (bits ^ u128::from(*net)) >> (128 - length) == 0);
    match listed {
        Some((_, _, range)) => Some(*range),
        None if bits >> 125 == 1 => None,
        None => Some(Range::Special("not global unicast")),
    }
}
