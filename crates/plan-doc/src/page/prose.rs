//! Doc comments: Markdown of whoever wrote the plan, which may hold anything.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

use crate::svg::escape;

/// Docs as HTML: text, lists, code and links, and nothing that is fetched or runs. Headings become bold lines, so that
/// the outline of the page stays ours.
pub(super) fn to_html(docs: &str) -> String {
    let mut html = String::new();
    let mut images = 0_usize;
    let events = Parser::new_ext(docs, Options::empty()).map(|event| match event {
        // What looks like HTML is text here.
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Heading { .. }) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if is_harmless(&dest_url) { dest_url } else { CowStr::Borrowed("#") };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        // Of a picture the words are left.
        Event::Start(Tag::Image { .. }) => {
            images += 1;
            Event::Text(CowStr::Borrowed(""))
        }
        Event::End(TagEnd::Image) => {
            images = images.saturating_sub(1);
            Event::Text(CowStr::Borrowed(""))
        }
        other => other,
    });
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

/// Whether a link leads to a page or a place in this one.
fn is_harmless(link: &str) -> bool {
    let scheme = link.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme {
        Some(scheme) => ["http", "https", "mailto"].contains(&scheme.as_str()),
        None => true,
    }
}

/// Docs as Markdown in a page of ours: as they are, but for what would be HTML or a heading.
pub(super) fn to_markdown(docs: &str) -> String {
    let mut text = String::with_capacity(docs.len());
    let mut in_fence = false;
    for line in docs.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            in_fence = !in_fence;
        }
        if in_fence || trimmed.starts_with("```") {
            text.push_str(line);
        } else {
            if trimmed.starts_with('#') {
                text.push('\\');
            }
            text.push_str(&without_html(line));
        }
        text.push('\n');
    }
    if in_fence {
        text.push_str("```\n");
    }
    text.truncate(text.trim_end().len());
    text
}

/// Outside code `<` becomes an entity, and what would run when a link is followed a place that is not there.
fn without_html(line: &str) -> String {
    let mut in_code = false;
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            ':' if !in_code && ends_in_scheme(&out) => out.push_str("%3A"),
            '`' => {
                in_code = !in_code;
                out.push(c);
            }
            '<' if !in_code => out.push_str("&lt;"),
            c => out.push(c),
        }
    }
    out
}

/// Whether `text` ends in the name of a scheme that runs or holds a document.
fn ends_in_scheme(text: &str) -> bool {
    const RUN: [&str; 3] = ["javascript", "vbscript", "data"];
    let name = text.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    RUN.iter().any(|scheme| name.eq_ignore_ascii_case(scheme))
}

/// Docs in one line of a table of Markdown.
pub(super) fn in_cell(docs: &str) -> String {
    to_markdown(docs).split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// A sentence with code in back-quotes, as HTML.
pub(super) fn sentence_to_html(text: &str) -> String {
    let mut html = String::new();
    for (at, part) in text.split('`').enumerate() {
        let escaped = escape(part);
        if at % 2 == 1 {
            html.push_str(&format!("<code>{escaped}</code>"));
        } else {
            html.push_str(&escaped);
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_docs_runs_or_is_fetched() {
        let docs = "A <b>word</b> & `a < b`.\n\n<script>alert(1)</script>\n\n\
                    [x](javascript:alert(1)) [y](https://a.example) ![alt](https://b.example/x.png)\n\n\
                    # Big\n\n<img src=x onerror=alert(1)>\n\n[z](data:text/html,x)\n";
        let html = to_html(docs);
        for bad in ["<script", "<b>", "<img", "javascript:", "<h1", "b.example", "data:text"] {
            assert!(!html.contains(bad), "{bad}\n{html}");
        }
        for good in ["&lt;b&gt;word", "<code>a &lt; b</code>", "href=\"https://a.example\"", "alt", "Big"] {
            assert!(html.contains(good), "{good}\n{html}");
        }
        let markdown = to_markdown(docs);
        assert!(!markdown.contains("<script") && markdown.contains("&lt;script>"), "{markdown}");
        assert!(markdown.contains("`a < b`") && markdown.contains("\\# Big"), "{markdown}");
        assert!(!markdown.contains("javascript:") && !markdown.contains("data:"), "{markdown}");
        assert_eq!(to_markdown("```\n<b>\n"), "```\n<b>\n```");
        assert_eq!(in_cell("a | b\nc"), "a \\| b c");
        assert_eq!(sentence_to_html("a `b<c` d"), "a <code>b&lt;c</code> d");
    }
}
