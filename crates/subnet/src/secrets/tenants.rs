//! Whose secrets a call uses: those of its own tenant, and the deployment's where these may serve it too.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SecretStore;

/// The secrets of a deployment and of its tenants. No tenant is ever given the secret of another.
#[derive(Clone, Debug, Default)]
pub struct TenantSecrets {
    shared: Arc<SecretStore>,
    served: BTreeMap<String, Arc<SecretStore>>,
    own: BTreeMap<String, Arc<SecretStore>>,
}

impl TenantSecrets {
    /// The deployment's own secrets serve `served`, who have none of their own.
    #[must_use]
    pub fn new<'t>(shared: SecretStore, served: impl IntoIterator<Item = &'t str>) -> Self {
        let shared = Arc::new(shared);
        let served = served.into_iter().map(|tenant| (tenant.to_owned(), Arc::clone(&shared))).collect();
        Self { shared, served, own: BTreeMap::new() }
    }

    /// Gives `tenant` secrets of its own. They come first, and for a tenant that the deployment's serve too, these where
    /// its own have neither the operation nor its subnet.
    #[must_use]
    pub fn with(mut self, tenant: &str, own: SecretStore) -> Self {
        let own = own.of_tenant(tenant);
        if let Some(served) = self.served.get_mut(tenant) {
            *served = Arc::new(own.before(&self.shared));
        } else {
            self.own.insert(tenant.to_owned(), Arc::new(own));
        }
        self
    }

    /// What the calls of `tenant` use. A tenant that nobody named, such as that of a token which was withdrawn while a run
    /// was under way, has nothing.
    #[must_use]
    pub fn of(&self, tenant: &str) -> Arc<SecretStore> {
        let found = self.served.get(tenant).or_else(|| self.own.get(tenant));
        found.map_or_else(|| Arc::new(SecretStore::new().of_tenant(tenant)), Arc::clone)
    }

    /// Whether what the deployment has serves `tenant` too.
    #[must_use]
    pub fn is_served(&self, tenant: &str) -> bool {
        self.served.contains_key(tenant)
    }
}
