//! `shell-local` as a provisioner.

use std::sync::Arc;

use kiln_sdk::{BuildInfo, Communicator, Failure, Prepared, Provisioner, RunContext, Value};

use super::LocalConfig;

/// The provisioner. It leaves the machine alone.
pub struct ShellLocal;

impl Provisioner for ShellLocal {
    type Config = LocalConfig;

    fn prepare(&self, config: &mut LocalConfig, _build: &BuildInfo) -> Prepared {
        config.check().into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: LocalConfig,
        _machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        super::run(&cx, &config, generated).await
    }
}
