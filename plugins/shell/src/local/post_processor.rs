//! `shell-local` as a post-processor.

use kiln_sdk::{
    Artifact, BuildInfo, Failure, PostProcessed, PostProcessor, Prepared, RunContext, Value,
};

use super::LocalConfig;

/// The post-processor. Its result is its input, which always stays.
pub struct ShellLocalPost;

impl PostProcessor for ShellLocalPost {
    type Config = LocalConfig;

    fn prepare(&self, config: &mut LocalConfig, _build: &BuildInfo) -> Prepared {
        config.check().into()
    }

    async fn post_process(
        &self,
        cx: RunContext,
        config: LocalConfig,
        input: Artifact,
        generated: Value,
    ) -> Result<PostProcessed, Failure> {
        super::run(&cx, &config, generated).await?;
        Ok(PostProcessed {
            artifact: Some(input),
            keep_input: true,
            force_keep_input: true,
        })
    }
}
