//! The `docker` builder and the `docker-import`, `docker-tag`, `docker-push` and `docker-save`
//! post-processors.
//!
//! Each has a module of its own; `cli` runs the `docker` program for them. This file only registers
//! them.

mod access;
mod builder;
mod cli;
mod identity;
mod import;
mod push;
mod reclaim;
mod save;
mod tag;

#[cfg(test)]
mod tests;

fn main() -> std::process::ExitCode {
    kiln_sdk::Plugin::new("docker", env!("CARGO_PKG_VERSION"))
        .builder("docker", builder::DockerBuilder)
        .reclaimer(builder::CONTAINER, builder::reclaim_container)
        .reclaimer(reclaim::IMAGE, reclaim::reclaim_image)
        .post_processor("docker-import", import::DockerImport)
        .post_processor("docker-tag", tag::DockerTag)
        .post_processor("docker-push", push::DockerPush)
        .post_processor("docker-save", save::DockerSave)
        .serve()
}
