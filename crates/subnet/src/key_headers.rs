//! Headers that carry a key or its parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use schema::error::CallError;
use schema::operation::Auth;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::https::{Redacted, unsendable};
use crate::secrets::{KEY_PART, Key};

/// The headers that an operation takes a key in.
#[derive(Debug)]
pub(crate) struct KeyHeaders(Vec<(HeaderName, Template)>);

impl KeyHeaders {
    /// Those that `auth` names; `None` where it names none.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub(crate) fn of(auth: &Auth) -> Result<Option<Self>, String> {
        let headers = match auth {
            Auth::Header { name, format } => {
                let (name, mut template) = checked(name, format)?;
                // Whatever the placeholder is called, there is one key.
                template.part = KEY_PART.to_owned();
                vec![(name, template)]
            }
            Auth::Headers { headers } => {
                headers.iter().map(|(name, format)| checked(name, format)).collect::<Result<_, _>>()?
            }
            _ => return Ok(None),
        };
        Ok(Some(Self(headers)))
    }

    /// The parts of a key that they need.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, template)| template.part.as_str())
    }

    /// Adds them to a request, and what stands for them to its redacted form.
    ///
    /// # Errors
    /// E1112 for a part that no header can hold.
    pub(crate) fn add(
        &self,
        key: &Key,
        headers: &mut HeaderMap,
        redacted: &mut Redacted,
    ) -> Result<(), CallError> {
        for (name, template) in &self.0 {
            let part = key.part(&template.part);
            let part = part.ok_or_else(|| unsendable(format!("the key has no part `{}`", template.part)))?;
            let mut value = HeaderValue::from_str(&template.fill(part))
                .map_err(|_| unsendable("the key cannot be sent in a header".into()))?;
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
            redacted.header(name.as_str(), &template.redacted());
        }
        Ok(())
    }
}

fn checked(name: &str, format: &str) -> Result<(HeaderName, Template), String> {
    let header = HeaderName::try_from(name).map_err(|_| format!("`{name}` is no header name"))?;
    let template = Template::parse(format)
        .ok_or_else(|| format!("the key's format `{format}` must hold one placeholder, such as `<key>`"))?;
    Ok((header, template))
}

/// How a key is put into a header: a text with one placeholder, such as `Bearer cpk_<key>`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Template {
    prefix: String,
    /// What stands in the placeholder.
    part: String,
    suffix: String,
}

impl Template {
    /// `None` unless `format` has exactly one placeholder, of small letters, digits, `-` and `_`, and can be sent as a
    /// header.
    fn parse(format: &str) -> Option<Self> {
        let (prefix, rest) = format.split_once('<')?;
        let (part, suffix) = rest.split_once('>')?;
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        let named = !part.is_empty() && part.bytes().all(is_word);
        let sendable = format.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        (named && sendable && !suffix.contains('<')).then(|| Self {
            prefix: prefix.into(),
            part: part.into(),
            suffix: suffix.into(),
        })
    }

    /// The header's text. Parts of the prefix that the key already carries are not repeated: users paste
    /// `cpk_..` and `Bearer cpk_..` as often as the bare key. What HTTP Basic wants in base64 may be `user:password`, as
    /// `curl -u` takes it: base64 has no colon.
    fn fill(&self, key: &SecretString) -> Zeroizing<String> {
        let mut rest = key.expose_secret().trim();
        for word in self.prefix.split_inclusive(' ') {
            let carried = rest.get(..word.len()).is_some_and(|head| {
                if word.ends_with(' ') { head.eq_ignore_ascii_case(word) } else { head == word }
            });
            if carried {
                rest = rest.get(word.len()..).unwrap_or_default().trim_start();
            }
        }
        let rest = rest.strip_suffix(self.suffix.as_str()).unwrap_or(rest);
        if rest.contains(':') && self.prefix.trim_end().eq_ignore_ascii_case("basic") {
            let pair = Zeroizing::new(BASE64.encode(rest));
            return Zeroizing::new(format!("{}{}{}", self.prefix, *pair, self.suffix));
        }
        Zeroizing::new(format!("{}{rest}{}", self.prefix, self.suffix))
    }

    /// The header's text with the placeholder in place, for hashes and logs.
    fn redacted(&self) -> String {
        format!("{}<{}>{}", self.prefix, self.part, self.suffix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_insert_the_key_once_whatever_was_pasted() {
        let fill = |format: &str, key: &str| {
            Template::parse(format).expect("template").fill(&SecretString::from(key)).to_string()
        };
        for key in ["abc", "cpk_abc", "Bearer cpk_abc", "bearer abc", " cpk_abc\n"] {
            assert_eq!(fill("Bearer cpk_<key>", key), "Bearer cpk_abc", "{key:?}");
        }
        assert_eq!(fill("<key>", "Bearer x"), "Bearer x");
        assert_eq!(fill("Apikey <key>", "Apikey k1"), "Apikey k1");
        assert_eq!(fill("Token <token>", "k1"), "Token k1");
        assert_eq!(fill("id=<client-id>", "k1"), "id=k1");
        for key in ["me:pass:word", "Basic me:pass:word", "bWU6cGFzczp3b3Jk", "basic bWU6cGFzczp3b3Jk"] {
            assert_eq!(fill("Basic <key>", key), "Basic bWU6cGFzczp3b3Jk", "{key:?}");
        }
        assert_eq!(fill("Bearer <key>", "me:pass"), "Bearer me:pass");
        for bad in ["Bearer", "<key> <key>", "<key>\r\nX: <token>", "é <key>", "<>", "<Key>"] {
            assert_eq!(Template::parse(bad), None, "{bad:?}");
        }
    }
}
