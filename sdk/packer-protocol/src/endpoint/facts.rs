//! Names of facts about artifacts.

/// Key of the machine's values.
pub const GENERATED_DATA: &str = "generated_data";

/// Facts that known post-processors ask for, beside [`GENERATED_DATA`]. The wire has no list of
/// what an artifact knows, so these are asked one by one where all of it is needed at once.
///
/// # Source
///
/// The post-processors of Packer and of the public plugins, kiln's own builders, and the names
/// under which registries are told.
pub const FURTHER_FACTS: &[&str] = &[
    "par.artifact.metadata",
    "atlas.artifact.metadata",
    "artifact.ssh_private_key",
    "artifact.conf.format",
    "artifact.conf.keep_registered",
    "artifact.conf.skip_export",
    "diskName",
    "diskPaths",
    "diskSize",
    "diskType",
    "domainType",
    "digest",
    "docker_tags",
    "sources",
    "source_image_name",
    "ImageName",
    "ImageSizeGb",
    "ProjectId",
    "BuildZone",
    "AccountFilePath",
    "Config",
];
