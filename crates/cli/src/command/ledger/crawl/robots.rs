//! `robots.txt` (RFC 9309): what a host asks programs to leave alone.

use super::super::glob;

/// The name by which a host can speak of this program.
const AGENT: &str = "orchestra";

/// The rules of a host for this program.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Robots {
    /// Whether it is allowed, and the pattern.
    rules: Vec<(bool, String)>,
}

impl Robots {
    /// The rules for this program, else those for all. What is not understood is skipped, as the standard has it.
    pub(super) fn parse(text: &str) -> Self {
        let (mut own, mut all) = (None, Vec::new());
        let (mut is_own, mut is_all, mut names_agents) = (false, false, false);
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            let allowed = match key.trim().to_ascii_lowercase().as_str() {
                "user-agent" => {
                    // Several in a row speak of one group.
                    if !names_agents {
                        (is_own, is_all) = (false, false);
                    }
                    names_agents = true;
                    is_own |= value.eq_ignore_ascii_case(AGENT);
                    is_all |= value == "*";
                    if is_own {
                        own.get_or_insert_with(Vec::new);
                    }
                    continue;
                }
                "allow" => true,
                "disallow" => false,
                _ => continue,
            };
            names_agents = false;
            if value.is_empty() {
                continue;
            }
            if is_own {
                own.get_or_insert_default().push((allowed, value.to_owned()));
            }
            if is_all {
                all.push((allowed, value.to_owned()));
            }
        }
        Self { rules: own.unwrap_or(all) }
    }

    /// Whether `path` (with its query) may be fetched: by the longest rule that fits, and where two are as long, by
    /// the one that allows.
    pub(super) fn allows(&self, path: &str) -> bool {
        let fits = |pattern: &str| match pattern.strip_suffix('$') {
            Some(whole) => glob::fits(whole, path),
            None => glob::fits(&format!("{pattern}*"), path),
        };
        let fitting = self.rules.iter().filter(|(_, pattern)| fits(pattern));
        fitting.max_by_key(|(allowed, pattern)| (pattern.len(), *allowed)).is_none_or(|(allowed, _)| *allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_rule_that_fits_counts() {
        let robots = Robots::parse(
            "# all\nUser-agent: *\nDisallow: /\nAllow: /open\nDisallow: /open/*.json$\nSitemap: x\n",
        );
        let allowed =
            ["/", "/openapi.json", "/open/x.json", "/open/x.json?a"].map(|path| robots.allows(path));
        assert_eq!(allowed, [false, true, false, true]);
    }

    #[test]
    fn a_group_of_our_own_counts_instead_of_that_for_all() {
        let text = "User-agent: a\nUser-agent: Orchestra\nDisallow: /private\n\nUser-agent: *\nDisallow: /\n";
        let robots = Robots::parse(text);
        assert_eq!(["/x", "/private/x"].map(|path| robots.allows(path)), [true, false]);
        assert!(Robots::parse("user-agent: orchestra\nuser-agent: *\ndisallow:\n").allows("/x"));
        assert!(Robots::parse("<html>").allows("/x"));
    }
}
