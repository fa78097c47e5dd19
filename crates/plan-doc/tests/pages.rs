//! Pages of real plans, and what must hold of any.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeSet;

use plan_compiler::Source;
use plan_doc::page::{Page, Pages, html, html_index, markdown, markdown_index};
use plan_doc::{PlanGraph, Svg};

use support::{COMPARE, compiled};

const REPORT: &str = include_str!("fixtures/report.orch");

fn page(text: &str, plan: &str) -> Page {
    let compilation = compiled(text);
    let (plan, bound) = compilation.plan(plan).unwrap();
    let page = Pages::of(&Source { name: "plans/a <b>.orch", text }).page(plan, bound);
    // Of no interest to who reads a snapshot.
    Page { lock: "<lock>".into(), graph: PlanGraph { plan_hash: "<hash>".into(), ..page.graph }, ..page }
}

fn all() -> Vec<Page> {
    [(REPORT, "report"), (REPORT, "pure"), (COMPARE, "compare"), (COMPARE, "read")]
        .map(|(text, plan)| page(text, plan))
        .to_vec()
}

#[test]
fn markdown_says_all_there_is_to_know() {
    insta::assert_snapshot!(markdown(&page(REPORT, "report")));
    insta::assert_snapshot!(markdown(&page(REPORT, "pure")));
}

#[test]
fn html_says_the_same() {
    let page = html(&page(REPORT, "report"));
    let (_, body) = page.split_once("<body>").unwrap();
    let (before, picture) = body.split_once("<svg").unwrap();
    let (_, after) = picture.split_once("</svg>").unwrap();
    insta::assert_snapshot!(format!("{before}<svg/>{after}"));
}

#[test]
fn an_index_leads_to_each_page() {
    let rows: Vec<_> = all().iter().map(|page| page.index_row(format!("a b.{}.md", page.plan))).collect();
    insta::assert_snapshot!(markdown_index(&rows));
    let html = html_index(&rows);
    for page in all() {
        assert!(html.contains(&format!("<a href=\"a%20b.{0}.md\">{0}</a>", page.plan)), "{html}");
    }
    assert!(!html.contains("<script"), "{html}");
}

#[test]
fn a_page_needs_nothing_beside_it_and_runs_nothing() {
    for page in all() {
        let text = html(&page);
        for bad in ["<script", "\"javascript:", "src=", "@import", "<link", "<iframe", "onerror", "onload"] {
            assert!(!text.contains(bad), "{bad} in {}", page.plan);
        }
        assert_eq!(text.matches("url(").count(), text.matches("url(#").count(), "only places in the page");
        assert!(text.contains("default-src 'none'"));
        let markdown = markdown(&page);
        let (prose, _) = markdown.split_once("```").unwrap();
        assert!(!prose.contains("<script") && !prose.contains("javascript:"), "{markdown}");
    }
}

#[test]
fn a_page_is_well_formed_and_has_an_outline() {
    const VOID: [&str; 3] = ["!DOCTYPE", "meta", "br"];
    for page in all() {
        let text = html(&page);
        let (mut open, mut ids, mut level) = (Vec::new(), BTreeSet::new(), 0);
        let mut rest = text.as_str();
        while let Some((_, after)) = rest.split_once('<') {
            let (tag, behind) = after.split_once('>').unwrap();
            rest = behind;
            let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap();
            if let Some(closed) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(closed), "in {}", page.plan);
            } else if !tag.ends_with('/') && !VOID.contains(&name) {
                open.push(name);
            }
            if let Some((_, id)) = tag.split_once(" id=\"") {
                assert!(ids.insert(id.split_once('"').unwrap().0), "{tag} twice");
            }
            if let Some(next) = name.strip_prefix('h').and_then(|level| level.parse::<u32>().ok()) {
                let closes = tag.starts_with('/');
                assert!(closes || next <= level + 1, "a heading of level {next} below one of {level}");
                level = if closes { level } else { next };
            }
            let is_head = name == "th" && !tag.starts_with('/');
            assert!(!is_head || tag.contains("scope="), "{tag}");
        }
        assert_eq!(open, [""; 0]);
        for reference in text.split("aria-labelledby=\"").skip(1) {
            for id in reference.split_once('"').unwrap().0.split(' ') {
                assert!(ids.contains(id), "{id} is nowhere");
            }
        }
        assert_eq!(text.matches("<h1").count(), 1);
        assert!(text.contains("<html lang=\"en\">") && text.contains("<main id=\"main\">"));
    }
}

#[test]
fn the_same_plan_gives_the_same_page() {
    let (first, again) = (page(REPORT, "report"), page(REPORT, "report"));
    assert_eq!(html(&first), html(&again));
    assert_eq!(markdown(&first), markdown(&again));
    // However it is laid out.
    let other = REPORT.replace("\n  ", "\n      ").replace(" = for", "  =  for");
    assert_eq!(page(&other, "report").signature, first.signature);
    assert_eq!(page(&other, "report").source, first.source);
}

/// Each pair of a colour and what it stands on, in both themes, by the rule of WCAG 2: at least 4.5 to 1.
#[test]
fn text_can_be_read_in_both_themes() {
    let page = include_str!("../src/page/style.css");
    for (css, pairs) in [
        (page, &[("front", "back"), ("soft", "back"), ("link", "back"), ("front", "code")][..]),
        (
            Svg::style(),
            &[("ink", "pure"), ("soft", "call"), ("ink", "call"), ("ink", "ensure"), ("soft", "frame")],
        ),
    ] {
        let (light, dark) = css.split_once("@media (prefers-color-scheme:dark)").unwrap();
        for theme in [light, dark] {
            let color = |name: &str| luminance(theme.split_once(&format!("--{name}:#")).unwrap().1);
            for (text, back) in pairs {
                let (a, b) = (color(text), color(back));
                let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(ratio >= 4.5, "{text} on {back}: {ratio:.2}");
            }
        }
    }
}

/// Relative luminance of a colour in three or six hexadecimal digits.
fn luminance(css: &str) -> f64 {
    let digits: Vec<u32> = css.chars().map_while(|c| c.to_digit(16)).collect();
    let part = |at: usize| match digits.len() {
        3 => digits[at] * 17,
        _ => digits[2 * at] * 16 + digits[2 * at + 1],
    };
    let linear = |at: usize| {
        let value = f64::from(part(at)) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(0) + 0.7152 * linear(1) + 0.0722 * linear(2)
}
