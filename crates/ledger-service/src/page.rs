//! Pages of a snapshot, with tokens that fit only the request they were made for.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schema::hash::Context;
use schema::operation::{CapabilityDescriptor, OperationDescriptor};

use crate::entry::{Published, SubnetDescriptor};
use crate::error::Error;
use crate::limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS};
use crate::snapshot::Snapshot;

/// Bytes of a token that say which request it belongs to.
const FILTER_BYTES: usize = 8;

/// Which page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows at most; 0 is [`DEFAULT_PAGE_ROWS`], more than [`MAX_PAGE_ROWS`] is that.
    pub size: usize,
    /// `next` of the page before; empty for the first.
    pub token: String,
}

/// Rows with the token of the page after them.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<Arc<Published<T>>>,
    /// Token of the next page; empty on the last.
    pub next: String,
}

/// Which operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// Only of this subnet.
    pub netuid: Option<u16>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only those that fulfil this capability.
    pub capability: Option<String>,
}

/// Which subnets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubnetFilter {
    /// Only with this tag.
    pub tag: Option<String>,
}

impl Snapshot {
    /// Operations by id. Errors: [`Error::PageToken`], [`Error::UnknownCapability`].
    pub fn list_operations(
        &self,
        filter: &OperationFilter,
        page: &PageRequest,
    ) -> Result<Page<OperationDescriptor>, Error> {
        filter.capability.as_ref().map_or(Ok(()), |name| self.capability(name).map(drop))?;
        let admits = |published: &Published<OperationDescriptor>| {
            let operation = &published.descriptor;
            filter.netuid.is_none_or(|netuid| operation.netuid == netuid)
                && filter.tag.as_ref().is_none_or(|tag| operation.tags.contains(tag))
                && filter
                    .capability
                    .as_ref()
                    .is_none_or(|name| self.capabilities_of(&operation.id).any(|fulfilled| fulfilled == name))
        };
        let rows = self.operations().filter(|published| admits(published));
        cut(&format!("operations {filter:?}"), page, rows, |published| published.descriptor.id.clone())
    }

    /// Subnets by netuid. Errors: [`Error::PageToken`].
    pub fn list_subnets(
        &self,
        filter: &SubnetFilter,
        page: &PageRequest,
    ) -> Result<Page<SubnetDescriptor>, Error> {
        let rows = self.subnets().filter(|published| {
            filter.tag.as_ref().is_none_or(|tag| published.descriptor.tags.contains(tag))
        });
        // Zero-padded, so that text order is number order.
        cut(&format!("subnets {filter:?}"), page, rows, |published| {
            format!("{:05}", published.descriptor.netuid)
        })
    }

    /// Capabilities by name. Errors: [`Error::PageToken`].
    pub fn list_capabilities(&self, page: &PageRequest) -> Result<Page<CapabilityDescriptor>, Error> {
        cut("capabilities", page, self.capabilities(), |published| published.descriptor.name.clone())
    }
}

/// The rows after the token's key; `rows` come in the order of their keys.
fn cut<'a, T: 'a>(
    request: &str,
    page: &PageRequest,
    rows: impl Iterator<Item = &'a Arc<Published<T>>>,
    key: impl Fn(&Published<T>) -> String,
) -> Result<Page<T>, Error> {
    let size = if page.size == 0 { DEFAULT_PAGE_ROWS } else { page.size.min(MAX_PAGE_ROWS) };
    let after = read_token(request, &page.token)?;
    let mut rest = rows.filter(|published| after.as_ref().is_none_or(|after| key(published) > *after));
    let rows: Vec<_> = rest.by_ref().take(size).map(Arc::clone).collect();
    let more = rest.next().is_some();
    let next = match rows.last() {
        Some(last) if more => write_token(request, &key(last)),
        _ => String::new(),
    };
    Ok(Page { rows, next })
}

fn fingerprint(request: &str) -> [u8; FILTER_BYTES] {
    let hash = Context::LedgerSnapshot.hash(&[b"page ", request.as_bytes()]);
    let mut bytes = [0; FILTER_BYTES];
    bytes.iter_mut().zip(hash.0).for_each(|(to, from)| *to = from);
    bytes
}

fn write_token(request: &str, key: &str) -> String {
    let mut token = fingerprint(request).to_vec();
    token.extend_from_slice(key.as_bytes());
    URL_SAFE_NO_PAD.encode(token)
}

fn read_token(request: &str, token: &str) -> Result<Option<String>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Error::PageToken)?;
    let (filter, key) = bytes.split_at_checked(FILTER_BYTES).ok_or(Error::PageToken)?;
    if filter != fingerprint(request) {
        return Err(Error::PageToken);
    }
    String::from_utf8(key.to_vec()).map(Some).map_err(|_| Error::PageToken)
}
