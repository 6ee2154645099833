//! The `sleep` provisioner: waits for a time.

use std::sync::Arc;
use std::time::Duration;

use kiln_sdk::{
    BuildInfo, Communicator, Config, Failure, Prepared, Provisioner, RunContext, Value,
};

/// Waits before the next provisioner runs.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct SleepConfig {
    /// How long to wait, such as `30s`.
    #[config(required)]
    pub(crate) duration: Duration,
}

/// Waits for a time.
pub(crate) struct Sleep;

impl Provisioner for Sleep {
    type Config = SleepConfig;

    fn prepare(&self, _config: &mut SleepConfig, _build: &BuildInfo) -> Prepared {
        Prepared::default()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: SleepConfig,
        _machine: Arc<dyn Communicator>,
        _generated: Value,
    ) -> Result<(), Failure> {
        cx.until_cancelled(tokio::time::sleep(config.duration))
            .await
    }
}
