//! The `breakpoint` provisioner: waits for the person.

use std::sync::Arc;

use kiln_sdk::{
    Answer, BuildInfo, Communicator, Config, Failure, Prepared, Provisioner, RunContext, Value,
};

/// Stops a build so that a person can look at the machine.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct BreakpointConfig {
    /// Text that is shown while the build waits.
    pub(crate) note: String,
    /// Whether to go on without waiting.
    pub(crate) disable: bool,
}

/// Waits for the person.
pub(crate) struct Breakpoint;

impl Provisioner for Breakpoint {
    type Config = BreakpointConfig;

    fn prepare(&self, _config: &mut BreakpointConfig, _build: &BuildInfo) -> Prepared {
        Prepared::default()
    }

    /// # Source
    ///
    /// The texts of Packer's `breakpoint`, and that it fails when there is nobody to ask.
    async fn provision(
        &self,
        cx: RunContext,
        config: BreakpointConfig,
        _machine: Arc<dyn Communicator>,
        _generated: Value,
    ) -> Result<(), Failure> {
        let note = match config.note.as_str() {
            "" => String::new(),
            note => format!(" with note \"{note}\""),
        };
        if config.disable {
            let text = format!("Breakpoint provisioner{note} disabled; continuing...");
            cx.say(text).await;
            return Ok(());
        }
        let text = format!("Pausing at breakpoint provisioner{note}.");
        cx.say(text).await;
        match cx
            .until_cancelled(cx.ask("Press enter to continue."))
            .await?
        {
            Answer::Line(_) => Ok(()),
            Answer::Unattended => Err(Failure::new(
                "Error asking for input: there is no terminal to ask on; set `disable = true` where \
                 nobody is there",
            )),
        }
    }
}
