//! YAML 1.2 text as JSON: core schema, aliases and merge keys resolved, keys as they are written.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value as Json};

use crate::error::{Error, TOO_LARGE, UNREADABLE, shown};
use crate::{DOCUMENT_DEPTH_MAX, DOCUMENT_VALUES_MAX};

/// The key under which YAML 1.1 merges another mapping; authors of API descriptions use it.
const MERGE: &str = "<<";

/// The value that `text` holds.
pub(crate) fn read(text: &str) -> Result<Json, Error> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let message = format!("the document is no YAML: {}", error.info());
            Error::new(UNREADABLE, place(*error.marker()), message)
        })?;
        builder.event(event, span.start)?;
    }
    let missing = || Error::new(UNREADABLE, "line 1, column 1", "the document is empty");
    builder.root.map(|node| node.value).ok_or_else(missing)
}

fn place(marker: Marker) -> String {
    format!("line {}, column {}", marker.line(), marker.col() + 1)
}

/// A value with what it counts for where an alias repeats it.
#[derive(Clone)]
struct Node {
    value: Json,
    values: usize,
    depth: usize,
}

/// A sequence or mapping that is not closed yet.
struct Open {
    kind: Kind,
    anchor: usize,
    values: usize,
    depth: usize,
}

enum Kind {
    Sequence(Vec<Json>),
    Mapping {
        members: Map<String, Json>,
        /// What merge keys add: own members win, wherever they stand.
        merged: Vec<Json>,
        key: Option<String>,
    },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    values: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, at: Marker) -> Result<(), Error> {
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), at),
            Event::SequenceStart(anchor, _) => self.start(Kind::Sequence(Vec::new()), anchor, at),
            Event::MappingStart(anchor, _) => {
                self.start(Kind::Mapping { members: Map::new(), merged: Vec::new(), key: None }, anchor, at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    self.count(node.values, at)?;
                    self.add(node, 0, at)
                }
                // Within the anchor's own value.
                None => Err(Error::new(UNREADABLE, place(at), "an alias stands within what it repeats")),
            },
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Error::new(UNREADABLE, place(at), "there is a second document in the file"))
            }
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        at: Marker,
    ) -> Result<(), Error> {
        // Keys are text whatever they look like: `200:` is the key "200".
        if let Some(Open { kind: Kind::Mapping { key: key @ None, .. }, .. }) = self.open.last_mut() {
            *key = Some(text.to_owned());
            if anchor != 0 {
                self.anchors.insert(anchor, Node { value: text.into(), values: 1, depth: 0 });
            }
            return Ok(());
        }
        let is_text = style != ScalarStyle::Plain
            || tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
        let value = if is_text { Json::from(text) } else { plain(text) };
        self.count(1, at)?;
        self.add(Node { value, values: 1, depth: 0 }, anchor, at)
    }

    fn start(&mut self, kind: Kind, anchor: usize, at: Marker) -> Result<(), Error> {
        if let Some(Open { kind: Kind::Mapping { key: None, .. }, .. }) = self.open.last() {
            return Err(Error::new(UNREADABLE, place(at), "a key is a word, not a list or a mapping"));
        }
        if self.open.len() >= DOCUMENT_DEPTH_MAX {
            return Err(too_deep(at));
        }
        self.open.push(Open { kind, anchor, values: 1, depth: 1 });
        self.count(1, at)
    }

    fn end(&mut self, at: Marker) -> Result<(), Error> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.kind {
            Kind::Sequence(items) => Json::Array(items),
            Kind::Mapping { mut members, merged, .. } => {
                for source in merged {
                    merge(&mut members, source, at)?;
                }
                Json::Object(members)
            }
        };
        self.add(Node { value, values: open.values, depth: open.depth }, open.anchor, at)
    }

    /// Puts a finished value where the document is.
    fn add(&mut self, node: Node, anchor: usize, at: Marker) -> Result<(), Error> {
        if self.open.len() + node.depth > DOCUMENT_DEPTH_MAX {
            return Err(too_deep(at));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
            self.count(node.values, at)?;
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.values += node.values;
        open.depth = open.depth.max(node.depth + 1);
        match &mut open.kind {
            Kind::Sequence(items) => items.push(node.value),
            Kind::Mapping { members, merged, key } => match key.take() {
                // An alias in the place of a key.
                None => match node.value {
                    Json::String(text) => *key = Some(text),
                    _ => return Err(Error::new(UNREADABLE, place(at), "a key is a word")),
                },
                Some(key) if key == MERGE => merged.push(node.value),
                Some(key) if members.contains_key(&key) => {
                    let message = format!("the key `{}` stands twice in one mapping", shown(&key));
                    return Err(Error::new(UNREADABLE, place(at), message));
                }
                Some(key) => {
                    members.insert(key, node.value);
                }
            },
        }
        Ok(())
    }

    /// Aliases of aliases grow exponentially, so what they stand for is counted where it is copied; what an
    /// anchor keeps is a copy, too.
    fn count(&mut self, values: usize, at: Marker) -> Result<(), Error> {
        self.values = self.values.saturating_add(values);
        if self.values <= DOCUMENT_VALUES_MAX {
            return Ok(());
        }
        let message = format!("the document has more than {DOCUMENT_VALUES_MAX} values");
        Err(Error::new(TOO_LARGE, place(at), message))
    }
}

fn too_deep(at: Marker) -> Error {
    let message = format!("the document nests deeper than {DOCUMENT_DEPTH_MAX} levels");
    Error::new(TOO_LARGE, place(at), message)
}

/// What a merge key adds: one mapping or a list of them, earlier ones first.
fn merge(members: &mut Map<String, Json>, source: Json, at: Marker) -> Result<(), Error> {
    match source {
        Json::Object(source) => {
            for (key, value) in source {
                if !members.contains_key(&key) {
                    members.insert(key, value);
                }
            }
            Ok(())
        }
        Json::Array(sources) if sources.iter().all(Json::is_object) => {
            sources.into_iter().try_for_each(|source| merge(members, source, at))
        }
        _ => Err(Error::new(UNREADABLE, place(at), "`<<` merges mappings only")),
    }
}

/// A plain scalar by the core schema of YAML 1.2. What JSON has no number for stays text.
fn plain(text: &str) -> Json {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Json::Null,
        "true" | "True" | "TRUE" => return true.into(),
        "false" | "False" | "FALSE" => return false.into(),
        _ => {}
    }
    let prefixed = |prefix: &str, radix| {
        text.strip_prefix(prefix).and_then(|digits| u64::from_str_radix(digits, radix).ok())
    };
    if let Some(number) = prefixed("0x", 16).or_else(|| prefixed("0o", 8)) {
        return number.into();
    }
    if !is_number(text) {
        return text.into();
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = digits.parse::<i64>() {
        return number.into();
    }
    if let Ok(number) = digits.parse::<u64>() {
        return number.into();
    }
    let number = digits.parse().ok().and_then(Number::from_f64);
    number.map_or_else(|| text.into(), Json::Number)
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_is_good = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_is_good
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_follow_the_core_schema() {
        let text = "a: 1\nb: 1.50\nc: 0x1F\nd: 0o17\ne: ~\nf: True\ng: yes\nh: '1'\ni: .5\nj: 1e3\nk: -7\nl: .inf\n\
                    m: 2020-01-01\nn: !!str 5\no: +3\np: 18446744073709551615\nq: 1.\nr:\ns: \"\\u0041\"\nt: 3.0.1\n";
        let wanted = json!({
            "a": 1, "b": 1.5, "c": 31, "d": 15, "e": null, "f": true, "g": "yes", "h": "1", "i": 0.5, "j": 1000.0,
            "k": -7, "l": ".inf", "m": "2020-01-01", "n": "5", "o": 3, "p": 18_446_744_073_709_551_615_u64, "q": 1.0,
            "r": null, "s": "A", "t": "3.0.1",
        });
        assert_eq!(read(text), Ok(wanted));
        assert_eq!(read("200:\n  ok: [a, {b: c}]\n"), Ok(json!({ "200": { "ok": ["a", { "b": "c" }] } })));
    }

    #[test]
    fn aliases_and_merges_are_resolved() {
        let text = "base: &base { x: 1, y: 2 }\nmore: &more {z: 3}\nuse:\n  <<: [*base, *more]\n  y: 5\nagain: *base\n";
        let wanted = json!({ "base": { "x": 1, "y": 2 }, "more": { "z": 3 }, "use": { "y": 5, "x": 1, "z": 3 }, "again": { "x": 1, "y": 2 } });
        assert_eq!(read(text), Ok(wanted));
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let at = |text: &str| read(text).map_err(|error| (error.code, error.at)).unwrap_err();
        let unreadable = |at: &str| (UNREADABLE, at.to_owned());
        assert_eq!(at("a: 1\na: 2\n"), unreadable("line 2, column 4"));
        assert_eq!(at("? [a]\n: 1\n"), unreadable("line 1, column 3"));
        assert_eq!(at("a: 1\n---\nb: 2\n"), unreadable("line 2, column 1"));
        assert_eq!(at("a: [1\n"), unreadable("line 2, column 1"));
        assert_eq!(at(""), unreadable("line 1, column 1"));
        assert_eq!(at("a: &a [*a]\n").0, UNREADABLE);
        assert_eq!(at("<<: 3\n").0, UNREADABLE);
    }

    #[test]
    fn depth_holds_at_n_and_not_at_n_plus_1() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(DOCUMENT_DEPTH_MAX)).is_ok());
        assert_eq!(read(&nested(DOCUMENT_DEPTH_MAX + 1)).unwrap_err().code, TOO_LARGE);
    }

    #[test]
    fn a_laugh_that_grows_ninefold_each_line_ends_early() {
        let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
        for level in 1..12 {
            let alias = format!("*a{}", level - 1);
            let copies = vec![alias; 9].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{copies}]\n"));
        }
        assert_eq!(read(&text).unwrap_err().code, TOO_LARGE);
    }
}
