//! Functions of URLs. They go through the parser that `Url` values are checked by, so a value and its parts
//! cannot disagree.

use schema::limits::URL_LENGTH_MAX;
use schema::text_form::url_misfit;
use schema::value::Value;
use url::Url;

use super::Builtin;
use super::receive::WRONG_RECEIVER;
use crate::interp::{Machine, TrapKind};

/// The longest name that can be looked up.
const HOST_CHARS_MAX: usize = 253;

impl Machine<'_> {
    /// A function of a URL with this text; parsing is charged a step for each byte.
    pub(super) fn on_url(&mut self, op: Builtin, text: &str, rest: &[Value]) -> Result<Value, TrapKind> {
        if !matches!(op, Builtin::Scheme | Builtin::Host | Builtin::Path | Builtin::Query | Builtin::Resolve)
        {
            return Err(WRONG_RECEIVER);
        }
        self.meter.work(text.len() as u64)?;
        let url = Url::parse(text).map_err(|_| WRONG_RECEIVER)?;
        match (op, rest) {
            (Builtin::Scheme, []) => self.text(url.scheme()),
            (Builtin::Path, []) => self.text(url.path()),
            (Builtin::Host, []) => self.text_or_null(host(&url)),
            (Builtin::Query, [Value::String(name)]) => {
                self.meter.scan(name.len())?;
                let value = url.query_pairs().find(|(key, _)| *key == **name).map(|(_, value)| value);
                self.text_or_null(value.as_deref())
            }
            (Builtin::Resolve, [Value::String(link)]) => {
                self.meter.work(link.len() as u64)?;
                let found = resolved(&url, link);
                self.text_or_null(found.as_ref().map(Url::as_str))
            }
            _ => Err(WRONG_RECEIVER),
        }
    }

    fn text_or_null(&mut self, text: Option<&str>) -> Result<Value, TrapKind> {
        text.map_or(Ok(Value::Null), |text| self.text(text))
    }
}

/// Where `link` leads, if that is a URL that can be a value. A longer link than a URL may be is none.
fn resolved(base: &Url, link: &str) -> Option<Url> {
    let longest = usize::try_from(URL_LENGTH_MAX).unwrap_or(usize::MAX);
    if link.len() > longest && link.chars().count() > longest {
        return None;
    }
    base.join(link).ok().filter(|found| url_misfit(found.as_str()).is_none())
}

fn host(url: &Url) -> Option<&str> {
    url.host_str().filter(|host| !host.is_empty() && host.chars().count() <= HOST_CHARS_MAX)
}
