//! The supply chain: what is in an image and how it was made, so that others can verify it.
//!
//! Here are the post-processor `provenance`, the provisioner and post-processor `sbom`, and the
//! provisioner `hcp-sbom`. [`packages`] reads package databases, [`bom`] writes what was read,
//! [`signing`] and [`subjects`] are what every attestation has in common, [`generate`] is a command.
//! Not here: envelopes and
//! keys, which the host's command that verifies shares (`sdk/attestation`).

mod bom;
mod clock;
mod generate;
mod packages;
mod provenance;
mod sbom;
mod sidecar;
mod signing;
mod subjects;

fn main() -> std::process::ExitCode {
    if let Some(words) = generate::words() {
        return generate::run(words);
    }
    kiln_sdk::Plugin::new("supply-chain", env!("CARGO_PKG_VERSION"))
        .provisioner("sbom", sbom::SbomProvisioner)
        .provisioner("hcp-sbom", sbom::HcpSbom)
        .post_processor("sbom", sbom::SbomPostProcessor)
        .post_processor("provenance", provenance::Provenance)
        .serve()
}
