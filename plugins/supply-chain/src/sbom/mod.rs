//! Bills of materials: the provisioners and the post-processor that make them.

mod attest;
mod hcp;
mod post_processor;
mod provisioner;

pub use attest::{Attestation, attest, check_source};
pub use hcp::HcpSbom;
pub use post_processor::SbomPostProcessor;
pub use provisioner::SbomProvisioner;

use std::path::{Path, PathBuf};

use kiln_sdk::{Failure, RunContext};

use crate::bom::{Bom, Format, Image};
use crate::packages::Inventory;
use crate::{clock, sidecar};

/// The document about an image named `name`, said to the person building.
async fn describe(cx: &RunContext, format: Format, name: &str, inventory: &Inventory) -> Bom {
    let count = inventory.packages.len();
    let os = match inventory.os.pretty_name.as_str() {
        "" => "an unknown operating system",
        name => name,
    };
    cx.say(format!("Found {count} packages of {os}")).await;
    if inventory.skipped > 0 {
        cx.error(format!(
            "{} entries of the package databases are no packages and were left out",
            inventory.skipped
        ))
        .await;
    }
    let time = clock::of_documents();
    let image = Image { name, time: &time };
    Bom::write(format, &image, inventory)
}

/// Writes the document and says where.
async fn keep(cx: &RunContext, bom: &Bom, path: &Path) -> Result<(), Failure> {
    let text = bom.to_text().map_err(|error| Failure::from_error(&error))?;
    sidecar::write(cx, path, text.as_bytes()).await?;
    cx.say(format!("Wrote SBOM to {}", path.display())).await;
    Ok(())
}

/// The file that `destination` stands for: itself, or `name` in it when it is a folder.
fn destination(destination: &str, name: &str) -> PathBuf {
    let path = PathBuf::from(destination);
    match destination.ends_with('/') || path.is_dir() {
        true => path.join(name),
        false => path,
    }
}

#[cfg(test)]
mod tests;
