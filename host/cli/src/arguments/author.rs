//! The flags of the commands below `plugins` that are for those who write plugins.

use std::path::PathBuf;

use clap::Args;

/// Flags of `plugins new`.
#[derive(Debug, Args)]
#[command(
    after_help = "The folder is kiln-plugin-NAME unless DIR is given; it must not exist yet.\n"
)]
pub struct NewArguments {
    /// What the plugin has: builder, provisioner, post-processor or data-source
    #[arg(long, value_name = "kind", default_value = "provisioner",
          value_parser = ["builder", "provisioner", "post-processor", "data-source"])]
    pub kind: String,
    /// Where kiln's SDK is: a checkout's folder, the URL of a git repository, or a version
    #[arg(long, value_name = "where")]
    pub sdk: Option<String>,
    /// The plugin's name, and the folder
    #[arg(value_name = "NAME [DIR]")]
    pub words: Vec<String>,
}

/// Flags of `plugins docs`.
#[derive(Debug, Args)]
#[command(
    after_help = "NAME is a plugin or a component, bundled or installed; COMPONENT is one of the plugin's.\n"
)]
pub struct DocsArguments {
    /// What to print: text for a terminal, or markdown for a page
    #[arg(long, value_name = "form", default_value = "text", value_parser = ["text", "markdown"])]
    pub format: String,
    /// Only components of this kind: builder, provisioner, post-processor or data-source
    #[arg(long, value_name = "kind",
          value_parser = ["builder", "provisioner", "post-processor", "data-source"])]
    pub kind: Option<String>,
    /// The plugin or component, and a component of it
    #[arg(value_name = "NAME [COMPONENT]")]
    pub words: Vec<String>,
}

/// Flags of `plugins package`.
#[derive(Debug, Args)]
#[command(after_help = "DIR is the folder of the plugin's crate, this one unless it is given.\n")]
pub struct PackageArguments {
    /// Take this executable instead of building the crate
    #[arg(long, value_name = "path")]
    pub binary: Option<PathBuf>,
    /// Where to write; DIR/dist unless this is given
    #[arg(long, value_name = "path")]
    pub output: Option<PathBuf>,
    /// The crate's folder
    #[arg(value_name = "[DIR]")]
    pub words: Vec<String>,
}
