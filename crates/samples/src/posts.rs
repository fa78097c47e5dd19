//! Posts about whatever is asked for, in the shape in which SN22 gives those of X. The authors and their words are made
//! up; the addresses are `.example` names.

use serde_json::{Value, json};

use crate::pages::number_of;

/// What people write; `{}` is what the posts are about.
const TEMPLATES: [(&str, &str); 12] = [
    ("ada", "Praise where it is due: {} just worked, on the first try."),
    ("boris", "A complaint about {}: it logged me out three times today."),
    ("chidi", "A question about {}: does it work without a network?"),
    ("dana", "{} raised its prices again. That is a complaint, yes."),
    ("emil", "More praise for {}: support answered within four minutes."),
    ("fatou", "We moved twelve people to {} this week. Ask me anything."),
    ("goran", "Honest question: why does {} need my phone number?"),
    ("hana", "{} lost an export of mine. Complaint filed, no answer since Monday."),
    ("ines", "The new release of {} is out."),
    ("jiro", "I praise few things in public. {} is one of them."),
    ("kofi", "Is there a question that {} cannot answer? Found one."),
    ("lena", "RT @ada: Praise where it is due: {} just worked, on the first try."),
];

/// A post that every search finds, whatever it is for.
const EVERYWHERE: (&str, &str) = ("mads", "Question to everybody: which tool would you never give up?");

/// Posts for a query, the most liked first.
pub(crate) fn about(query: &str, count: usize) -> Vec<Value> {
    let own = TEMPLATES.iter().map(|(author, template)| post(author, &template.replace("{}", query)));
    let mut posts: Vec<(u64, Value)> = own.chain([post(EVERYWHERE.0, EVERYWHERE.1)]).collect();
    posts.sort_by_key(|(likes, _)| std::cmp::Reverse(*likes));
    posts.into_iter().map(|(_, post)| post).take(count).collect()
}

/// A post with its likes; the same text is the same post.
fn post(author: &str, text: &str) -> (u64, Value) {
    let number = number_of(text);
    let id = 1_900_000_000_000_000_000 + number % 1_000_000_000_000_000;
    let likes = number % 400;
    let json = json!({
        "id": id.to_string(),
        "text": text,
        "created_at": "Wed Mar 11 05:45:48 +0000 2026",
        "reply_count": likes / 9,
        "retweet_count": likes / 5,
        "like_count": likes,
        "quote_count": likes / 40,
        "bookmark_count": likes / 25,
        "view_count": likes * 40,
        "url": format!("https://social.example/{author}/status/{id}"),
        "lang": "en",
        "is_retweet": text.starts_with("RT "),
        "user": {"id": number_of(author).to_string(), "username": author, "followers_count": number_of(author) % 9_000},
    });
    (likes, json)
}
