//! Formats that are told without doubt. The others say what a text is for, and where the lines are is disputed.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::text_form::parse_time;

/// A format of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Date,
    Ipv4,
    Ipv6,
    Uuid,
}

impl Format {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "date" => Self::Date,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Uuid => "uuid",
        }
    }

    pub(super) fn admits(self, text: &str) -> bool {
        match self {
            // A date is the first part of a moment.
            Self::Date => text.len() == 10 && parse_time(&format!("{text}T00:00:00Z")).is_some(),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Uuid => is_uuid(text),
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| is_hex(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_admit_what_their_standards_do() {
        for (format, good, bad) in [
            (Format::Date, "2026-02-28", "2026-02-30"),
            (Format::Date, "1999-12-31", "99-12-31"),
            (Format::Ipv4, "127.0.0.1", "127.0.0.256"),
            (Format::Ipv6, "::1", "127.0.0.1"),
            (Format::Uuid, "123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000"),
        ] {
            assert!(format.admits(good) && !format.admits(bad), "{good} {bad}");
            assert_eq!(Format::of(format.name()), Some(format));
        }
    }
}
