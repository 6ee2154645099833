//! What an executable offers.

use std::process::ExitCode;
use std::sync::Arc;

use futures::future::BoxFuture;
use sdk_component::{
    Builder, DataSource, Failure, PostProcessor, Provisioner, ReclaimError, Resource,
};

use crate::component::{
    BuilderComponent, Component, DataSourceComponent, Kind, PostProcessorComponent,
    ProvisionerComponent,
};

pub(crate) type Reclaimer =
    Arc<dyn Fn(Resource) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// A family of components in one executable.
///
/// ```no_run
/// # use sdk_plugin_server::Plugin;
/// fn main() -> std::process::ExitCode {
///     Plugin::new("example", env!("CARGO_PKG_VERSION")).serve()
/// }
/// ```
pub struct Plugin {
    pub(crate) family: String,
    pub(crate) version: String,
    pub(crate) components: Vec<(String, Arc<dyn Component>)>,
    pub(crate) reclaimers: Reclaimers,
    pub(crate) needs: Vec<String>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self
            .components
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("Plugin")
            .field("family", &self.family)
            .field("components", &names)
            .finish()
    }
}

impl Plugin {
    /// A family without components. `version` is a semantic version; pass
    /// `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub fn new(family: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            family: family.into(),
            version: version.into(),
            components: Vec::new(),
            reclaimers: Reclaimers::default(),
            needs: Vec::new(),
        }
    }

    /// Declares what the plugin needs beyond its own folders and those of the build. A plugin that did
    /// not come with kiln is confined where the kernel allows it, and gets nothing else: `network` is
    /// talking to other machines, `write:PATH` changing what is at an absolute path or below the home
    /// folder (`write:~/NAME`).
    #[must_use]
    pub fn needs<N: Into<String>>(mut self, needs: impl IntoIterator<Item = N>) -> Self {
        self.needs.extend(needs.into_iter().map(Into::into));
        self
    }

    /// Offers a builder under the name templates use.
    #[must_use]
    pub fn builder(self, name: impl Into<String>, builder: impl Builder) -> Self {
        self.component(name, Arc::new(BuilderComponent(builder)))
    }

    /// Offers a provisioner under the name templates use.
    #[must_use]
    pub fn provisioner(self, name: impl Into<String>, provisioner: impl Provisioner) -> Self {
        self.component(name, Arc::new(ProvisionerComponent(provisioner)))
    }

    /// Offers a post-processor under the name templates use.
    #[must_use]
    pub fn post_processor(
        self,
        name: impl Into<String>,
        post_processor: impl PostProcessor,
    ) -> Self {
        self.component(name, Arc::new(PostProcessorComponent(post_processor)))
    }

    /// Offers a data source under the name templates use.
    #[must_use]
    pub fn data_source(self, name: impl Into<String>, data_source: impl DataSource) -> Self {
        self.component(name, Arc::new(DataSourceComponent(data_source)))
    }

    /// Removes leftovers of the plugin's own `kind` with `reclaim`. What is gone already counts as
    /// removed. The kinds `process`, `file`, `directory` and `port-lease` need none.
    #[must_use]
    pub fn reclaimer<F>(
        mut self,
        kind: impl Into<String>,
        reclaim: impl Fn(Resource) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let reclaim: Reclaimer = Arc::new(move |resource| Box::pin(reclaim(resource)));
        self.reclaimers.0.push((kind.into(), reclaim));
        self
    }

    /// Serves the components to the host that started this process, until the host is done.
    /// Started by hand, it says so and ends with status 1.
    #[must_use]
    pub fn serve(self) -> ExitCode {
        crate::serve::serve(self)
    }

    /// Offers a component of any kind under the name templates use; for plugins that learn at run
    /// time what they offer.
    #[must_use]
    pub fn component(mut self, name: impl Into<String>, component: Arc<dyn Component>) -> Self {
        self.components.push((name.into(), component));
        self
    }

    pub(crate) fn find(&self, kind: Kind, name: &str) -> Option<Arc<dyn Component>> {
        self.components
            .iter()
            .find(|(known, component)| known == name && component.kind() == kind)
            .map(|(_, component)| Arc::clone(component))
    }
}

/// What removes the plugin's own kinds of resources.
#[derive(Clone, Default)]
pub(crate) struct Reclaimers(Vec<(String, Reclaimer)>);

impl Reclaimers {
    /// Removes one resource: the plugin's own code comes first.
    pub(crate) async fn reclaim(&self, resource: Resource) -> Result<(), ReclaimError> {
        let own = self.0.iter().find(|(kind, _)| *kind == resource.kind);
        let Some((_, reclaim)) = own else {
            return sdk_component::reclaim(&resource).await;
        };
        let (kind, id) = (resource.kind.clone(), resource.id.clone());
        Failure::catch(reclaim(resource))
            .await
            .map_err(|failure| ReclaimError::Plugin {
                kind,
                id,
                message: failure.message,
            })
    }
}
