//! An instance of a JSON Schema from the words of a prompt: what a model would answer, without the model.
//!
//! Items of lists take turns with the addresses in the prompt: item 0 is about the text that follows the first address,
//! item 1 about the second, and its strings, choices, numbers and sources come from there. So claims about pages cite
//! the page they are from. Where the prompt has no address, items take turns with its sentences.

use serde_json::{Map, Value, json};

use crate::pages::number_of;

/// Deeper schemas get `null`, so that recursive ones end.
const DEPTH_MAX: usize = 24;
/// Items of a list that may have more.
const ITEMS_MAX: usize = 8;
/// Characters of a text that may be longer.
const TEXT_CHARS_MAX: usize = 400;

/// An instance of `schema` about `prompt`. Whoever asks for a revision of a list in the prompt gets that list.
pub(crate) fn of(schema: &Value, prompt: &str) -> Value {
    if let Some(given) = given(schema, prompt) {
        return given;
    }
    let passages = passages(prompt);
    Maker { root: schema, prompt, passages: &passages }.make(
        schema,
        "",
        Place { passage: 0, in_item: false, depth: 0 },
    )
}

/// The list of records in the prompt, if it has the fields that the items of `schema` need.
fn given(schema: &Value, prompt: &str) -> Option<Value> {
    let items = schema.get("items")?;
    let target = items.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    let required =
        target.map_or(Some(items), |target| schema.pointer(target))?.get("required")?.as_array()?;
    let tail = prompt.get(prompt.find("[{")?..)?;
    let list = serde_json::Deserializer::from_str(tail).into_iter::<Vec<Value>>().next()?.ok()?;
    let fits =
        |item: &Value| required.iter().filter_map(Value::as_str).all(|field| item.get(field).is_some());
    list.iter().all(fits).then(|| Value::Array(list))
}

/// The sentence of a text whose turn it is, without a bullet.
fn sentence(text: &str, turn: usize) -> &str {
    let count = sentences(text).count();
    let found = turn.checked_rem(count).and_then(|turn| sentences(text).nth(turn));
    found.unwrap_or("nothing").trim_start_matches(['-', '*', ' '])
}

/// The sentences and lines of a text.
pub(crate) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(|line| line.split_inclusive(". "))
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
}

/// What a prompt is about: an instruction such as "Summarise these pages:" is no part of it.
pub(crate) fn matter(prompt: &str) -> &str {
    match prompt.split_once('\n') {
        Some((first, rest)) if first.ends_with(':') => rest,
        _ => prompt,
    }
}

/// An address in the prompt and the text from there to the next one.
#[derive(Debug, Clone, Copy)]
struct Passage<'a> {
    url: &'a str,
    text: &'a str,
}

fn passages(prompt: &str) -> Vec<Passage<'_>> {
    let mut passages: Vec<Passage<'_>> = Vec::new();
    let mut rest = prompt;
    while let Some(at) = [rest.find("https://"), rest.find("http://")].into_iter().flatten().min() {
        let tail = rest.get(at..).unwrap_or_default();
        let ends = |c: char| c.is_whitespace() || "\"'<>)]},".contains(c);
        let (url, after) = tail.split_at_checked(tail.find(ends).unwrap_or(tail.len())).unwrap_or((tail, ""));
        let next = [after.find("https://"), after.find("http://")].into_iter().flatten().min();
        let text = after.get(..next.unwrap_or(after.len())).unwrap_or_default();
        let url = url.trim_end_matches(['.', ';', ':']);
        match passages.iter_mut().find(|passage| passage.url == url) {
            // A page may name its own address: it is about what says more.
            Some(known) if known.text.len() < text.len() => known.text = text,
            Some(_) => {}
            None => passages.push(Passage { url, text }),
        }
        rest = after;
    }
    passages
}

#[derive(Debug, Clone, Copy)]
struct Place {
    passage: usize,
    /// Whether a list around it has chosen the passage already.
    in_item: bool,
    depth: usize,
}

struct Maker<'a> {
    root: &'a Value,
    prompt: &'a str,
    passages: &'a [Passage<'a>],
}

impl<'a> Maker<'a> {
    fn make(&self, schema: &'a Value, name: &str, place: Place) -> Value {
        let Some(place) = (place.depth < DEPTH_MAX).then_some(Place { depth: place.depth + 1, ..place })
        else {
            return Value::Null;
        };
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let target = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.map_or(Value::Null, |target| self.make(target, name, place));
        }
        if let Some(literal) = schema.get("const") {
            return literal.clone();
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return self.choose(choices, place);
        }
        if let Some(members) = ["oneOf", "anyOf"].iter().find_map(|union| schema.get(*union)?.as_array()) {
            let solid =
                members.iter().find(|member| member.get("type").and_then(Value::as_str) != Some("null"));
            return solid.map_or(Value::Null, |member| self.make(member, name, place));
        }
        match kind_of(schema) {
            "object" => {
                let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
                let made = fields.map(|(field, inner)| (field.clone(), self.make(inner, field, place)));
                Value::Object(made.collect::<Map<_, _>>())
            }
            "array" => self.list(schema, name, place),
            "string" => self.text(schema, name, place).into(),
            "integer" => self.number(schema, name, place).into(),
            "number" => json!(self.number(schema, name, place) as f64),
            "boolean" => number_of(&format!("{}{name}", self.prompt)).is_multiple_of(2).into(),
            _ => Value::Null,
        }
    }

    /// The choice whose name occurs in the passage, as in "is ahead of"; otherwise any.
    fn choose(&self, choices: &[Value], place: Place) -> Value {
        let text = self.passage(place).map_or(self.prompt, |passage| passage.text).to_lowercase();
        let named = choices.iter().filter_map(|choice| {
            let word = choice.as_str()?.to_lowercase();
            text.find(&word).map(|at| (at, choice))
        });
        let any = usize::try_from(number_of(&text)).unwrap_or(0).checked_rem(choices.len()).unwrap_or(0);
        let first = named.min_by_key(|(at, _)| *at).map(|(_, choice)| choice);
        first.or_else(|| choices.get(any)).cloned().unwrap_or_default()
    }

    fn list(&self, schema: &'a Value, name: &str, place: Place) -> Value {
        let Some(items) = schema.get("items") else { return json!([]) };
        let bound =
            |keyword: &str| schema.get(keyword).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let least = bound("minItems").unwrap_or(0);
        let most = bound("maxItems").unwrap_or(ITEMS_MAX).min(ITEMS_MAX.max(least));
        // The outermost list goes through the passages; a list within one of its items is about that passage.
        let wanted = if place.in_item { 1 } else { self.passages.len().max(1) };
        let made = (0..wanted.clamp(least, most.max(least))).map(|index| {
            let passage = if place.in_item { place.passage } else { index };
            self.make(items, name, Place { passage, in_item: true, ..place })
        });
        Value::Array(made.collect())
    }

    fn text(&self, schema: &Value, name: &str, place: Place) -> String {
        let passage = self.passage(place);
        match schema.get("format").and_then(Value::as_str) {
            Some("uri" | "url") => {
                return passage.map_or("https://nowhere.example/", |passage| passage.url).into();
            }
            Some("date-time") => return "2026-01-01T00:00:00Z".into(),
            Some("duration") => return "PT1S".into(),
            Some("orchestra-amount") => return "1USD".into(),
            _ if schema.get("contentEncoding").is_some() => return "c2FtcGxl".into(),
            _ => {}
        }
        let about = passage.map_or_else(|| matter(self.prompt), |passage| passage.text);
        let text = match (name, self.compared()) {
            ("company" | "subject", Some((company, _))) => company,
            ("rival" | "competitor" | "other", Some((_, rival))) => rival,
            _ => sentence(about, if passage.is_some() { 0 } else { place.passage }),
        };
        let length =
            |keyword: &str| schema.get(keyword).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let mut text: String = text.chars().take(length("maxLength").unwrap_or(TEXT_CHARS_MAX)).collect();
        let missing = length("minLength").unwrap_or(0).saturating_sub(text.chars().count());
        text.extend(std::iter::repeat_n('.', missing));
        text
    }

    fn number(&self, schema: &Value, name: &str, place: Place) -> i64 {
        let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        let bounded = bound("minimum").is_some() && bound("maximum").is_some();
        let low = bound("minimum").map_or(0, |low| low.ceil() as i64);
        let high = bound("maximum").map_or(low.saturating_add(100), |high| high.floor() as i64).max(low);
        let passage = self.passage(place).map_or(self.prompt, |passage| passage.text);
        // A number that the passage tells is taken, where it is clear which ones are meant.
        let mut told = passage.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
        if let Some(told) = told.find(|told| bounded && (low..=high).contains(told)) {
            return told;
        }
        let span = high.abs_diff(low).saturating_add(1);
        low.saturating_add_unsigned(number_of(&format!("{passage}{name}")) % span)
    }

    fn passage(&self, place: Place) -> Option<Passage<'a>> {
        let index = place.passage.checked_rem(self.passages.len())?;
        self.passages.get(index).copied()
    }

    /// The two names in "Compare X with Y.", where the prompt begins so.
    fn compared(&self) -> Option<(&'a str, &'a str)> {
        let line = self.prompt.lines().next()?.trim().strip_prefix("Compare ")?;
        let (company, rival) = line.strip_suffix('.').unwrap_or(line).split_once(" with ")?;
        Some((company, rival))
    }
}

fn kind_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ => "",
    }
}
