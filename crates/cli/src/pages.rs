//! The pages of `docs/errors`, built in: what an error means and how to mend it.

/// `(code, Markdown)`, by code.
const PAGES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// A page of the error index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// The code.
    pub(crate) code: &'static str,
    /// The page as it lies in `docs/errors`.
    pub(crate) markdown: &'static str,
}

/// The page of `code`, in any case of letters.
pub(crate) fn find(code: &str) -> Option<Page> {
    let code = code.to_ascii_uppercase();
    let index = PAGES.binary_search_by_key(&code.as_str(), |(code, _)| code).ok()?;
    PAGES.get(index).map(|(code, markdown)| Page { code, markdown })
}

/// The page of `code` in Markdown.
#[cfg(feature = "mcp")]
pub(crate) fn markdown(code: &str) -> Option<&'static str> {
    find(code).map(|page| page.markdown)
}

/// Every code that has a page, ascending.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}

/// Whether `text` has the form of a code, which is `E` or `W` and four digits: fewer and more are meant as one, too.
pub(crate) fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix(['E', 'W', 'e', 'w']);
    digits.is_some_and(|digits| digits.len() >= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Page {
    /// What the heading says after the code.
    pub(crate) fn title(&self) -> &'static str {
        let heading = self.markdown.lines().next().unwrap_or_default();
        heading.split_once(": ").map_or(heading, |(_, title)| title)
    }

    /// For a terminal: headings without marks, code indented, fences said in words.
    pub(crate) fn plain(&self) -> String {
        let mut text = String::new();
        let mut in_code = false;
        for line in self.markdown.lines() {
            if let Some(info) = line.strip_prefix("```") {
                in_code = !in_code;
                match info {
                    "orch fails" => text.push_str("This fails:\n\n"),
                    "orch ok" => text.push_str("This does not:\n\n"),
                    _ => {}
                }
                continue;
            }
            if in_code && !line.is_empty() {
                text.push_str("    ");
            }
            text.push_str(if in_code { line } else { line.trim_start_matches('#').trim_start_matches(' ') });
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_found_by_code_in_any_case() {
        let page = find("e0304").unwrap();
        assert_eq!((page.code, page.title()), ("E0304", "there is no such field"));
        assert!(find(&"E0304".replace('0', "9")).is_none() && find("README").is_none());
        let plain = page.plain();
        assert!(plain.starts_with("E0304: there is no such field\n"), "{plain}");
        assert!(plain.contains("This fails:\n\n    use sn22") && !plain.contains("```"), "{plain}");
    }

    #[test]
    fn every_page_has_a_heading_of_its_own() {
        for code in codes() {
            let page = find(code).unwrap();
            assert!(page.markdown.starts_with(&format!("# {code}: ")), "{code}");
        }
    }

    #[test]
    fn codes_are_told_from_file_names() {
        assert!(is_code("E0304") && is_code("w0901") && is_code("E304"));
        assert!(!is_code("E3") && !is_code("plan.orch") && !is_code("E030x"));
    }
}
