//! Components as far as plugins offer them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use host_diag::{Diagnostic, Diagnostics};
use host_eval::Value;
use host_template::{ComponentKind, Components, Configured, Schema};

/// The components of `inner`, and every other one as one that takes any option: a plan can be shown
/// without the plugins it will need.
pub struct Offered<'a> {
    inner: &'a dyn Components,
    anything: Schema,
    missing: Mutex<BTreeSet<(ComponentKind, String)>>,
}

impl std::fmt::Debug for Offered<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offered")
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}

impl<'a> Offered<'a> {
    /// The components of `inner`, and all others.
    #[must_use]
    pub fn new(inner: &'a dyn Components) -> Self {
        let anything = Schema {
            open: true,
            ..Schema::default()
        };
        Self {
            inner,
            anything,
            missing: Mutex::default(),
        }
    }

    /// A warning for each component that was asked for and that no plugin offers.
    #[must_use]
    pub fn warnings(&self) -> Diagnostics {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing
            .iter()
            .map(|(kind, name)| {
                let kind = kind_name(*kind);
                Diagnostic::warning(format!("No installed plugin offers {kind} \"{name}\""))
                    .detail("Its options are shown as the template has them, unchecked.")
                    .hint("Install the plugin that offers it before you build.".to_owned())
            })
            .collect()
    }
}

/// The kind as messages name it.
pub(crate) fn kind_name(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Builder => "builder",
        ComponentKind::Provisioner => "provisioner",
        ComponentKind::PostProcessor => "post-processor",
        ComponentKind::DataSource => "data source",
    }
}

#[async_trait]
impl Components for Offered<'_> {
    fn schema(&self, kind: ComponentKind, name: &str) -> Option<&Schema> {
        if let Some(schema) = self.inner.schema(kind, name) {
            return Some(schema);
        }
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if !missing.iter().any(|(k, n)| *k == kind && n == name) {
            missing.insert((kind, name.to_owned()));
        }
        Some(&self.anything)
    }

    fn names(&self, kind: ComponentKind) -> Vec<String> {
        self.inner.names(kind)
    }

    async fn read_data(
        &self,
        name: &str,
        config: &Configured,
        execute: bool,
    ) -> (Value, Diagnostics) {
        if self.inner.schema(ComponentKind::DataSource, name).is_none() {
            return (Value::dynamic(), Diagnostics::new());
        }
        self.inner.read_data(name, config, execute).await
    }
}
