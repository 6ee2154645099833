//! Gets the image the machine starts from.

use std::path::PathBuf;

use kiln_sdk::download::serves_ranges;
use kiln_sdk::{Failure, RunContext};

use crate::config::QemuConfig;

/// The image: a file, or a URL that QEMU reads by itself.
pub(crate) async fn obtain_image(cx: &RunContext, config: &QemuConfig) -> Result<PathBuf, Failure> {
    if config.iso_skip_cache {
        return readable_url(cx, config).await;
    }
    Ok(config.iso.download(cx, "ISO").await?.path)
}

/// The last URL whose server gives out parts of files, which is what QEMU asks for.
async fn readable_url(cx: &RunContext, config: &QemuConfig) -> Result<PathBuf, Failure> {
    let mut chosen = None;
    let mut problems = Vec::new();
    for url in &config.iso.iso_urls {
        match serves_ranges(cx, url).await {
            Ok(true) => chosen = Some(PathBuf::from(url)),
            Ok(false) => {
                problems.push(format!("`{url}`: the server does not serve parts of files"))
            }
            Err(error) => {
                let failure = Failure::from(error);
                if failure.cancelled {
                    return Err(failure);
                }
                problems.push(failure.message);
            }
        }
    }
    chosen.ok_or_else(|| {
        let problems = problems.join("; ");
        Failure::new(format!(
            "no URL can be handed to QEMU (`iso_skip_cache`): {problems}"
        ))
        .on("iso_skip_cache")
        .hint("Without it, the image is downloaded first.")
    })
}
