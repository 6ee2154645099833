//! The flags of `init`, and of `plugins` and the commands below it.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::author::{DocsArguments, NewArguments, PackageArguments};
use super::commands::hide_all_but;
use super::template::TemplateArguments;

/// `plugins` and what stands behind it.
#[derive(Debug, Args)]
pub struct PluginsArguments {
    /// What to do with plugins.
    #[command(subcommand)]
    pub command: PluginsRequest,
}

/// A command below `plugins`.
#[derive(Debug, Subcommand)]
pub enum PluginsRequest {
    /// Explain the options of a plugin's components
    Docs(DocsArguments),
    /// Show every plugin there is, and why one is not used
    Doctor(DoctorArguments),
    /// Install a plugin
    Install(InstallArguments),
    /// List the plugins that are installed
    Installed(InstalledArguments),
    /// Write a crate for a new plugin
    New(NewArguments),
    /// Build and pack a plugin for others to install
    Package(PackageArguments),
    /// Remove installed plugins
    Remove(RemoveArguments),
    /// List the plugins that a template asks for
    Required(RequiredArguments),
}

/// Where plugins come from.
#[derive(Debug, Args)]
pub struct OriginArguments {
    /// Where plugins are published: a folder or a URL, instead of GitHub and HashiCorp
    #[arg(long, value_name = "path")]
    pub mirror: Option<String>,
    /// OpenPGP public keys; every list of checksums has to be signed with one of them
    #[arg(long, value_name = "path")]
    pub keys: Option<PathBuf>,
}

/// Flags of `init`. Those about templates' content are accepted, as they are everywhere.
#[derive(Debug, Args)]
#[command(mut_args(|argument| hide_all_but(
    argument,
    &["upgrade", "force", "vendor", "lock", "mirror", "keys"],
)))]
pub struct InitArguments {
    /// Install the newest versions that the template allows, and lock them
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub upgrade: bool,
    /// Install again what is there already
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub force: bool,
    /// Install into the folder `plugins` beside the template
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub vendor: bool,
    /// Leave the lock file as it is
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "true", default_missing_value = "true")]
    pub lock: bool,
    /// Where plugins come from.
    #[command(flatten)]
    pub origin: OriginArguments,
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `plugins install`. Those about templates are accepted, as they are everywhere.
#[derive(Debug, Args)]
#[command(
    mut_args(|argument| hide_all_but(argument, &["path", "force", "mirror", "keys"])),
    mut_arg("template", |words| words.value_name("SOURCE [CONSTRAINT]")),
    after_help = "SOURCE is where the plugin comes from, as in github.com/hashicorp/amazon.\n\
                  CONSTRAINT is what its version has to be: '1.2.3' or '>= 1.2, < 2.0'.\n"
)]
pub struct InstallArguments {
    /// A file to install: an executable, or an archive as it is published
    #[arg(long, value_name = "path")]
    pub path: Option<PathBuf>,
    /// Install again what is there already
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub force: bool,
    /// Where plugins come from.
    #[command(flatten)]
    pub origin: OriginArguments,
    /// Flags about templates; its words are source and constraint.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `plugins installed`, which has none.
#[derive(Debug, Args)]
pub struct InstalledArguments {
    /// Nothing is expected.
    #[arg(value_name = "NOTHING", hide = true)]
    pub words: Vec<String>,
}

/// Flags of `plugins remove`, which has none.
#[derive(Debug, Args)]
#[command(
    after_help = "Either every installed version of a plugin is removed that CONSTRAINT allows, or \
                  the executable\nwith this absolute path.\n"
)]
pub struct RemoveArguments {
    /// A source and perhaps a constraint, or a path.
    #[arg(value_name = "SOURCE [CONSTRAINT] | PATH")]
    pub words: Vec<String>,
}

/// Flags of `plugins required`. Those about templates' content are accepted, as they are everywhere.
#[derive(Debug, Args)]
#[command(mut_args(|argument| hide_all_but(argument, &[])))]
pub struct RequiredArguments {
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `plugins doctor`. Those about templates' content are accepted, as they are everywhere.
#[derive(Debug, Args)]
#[command(
    mut_args(|argument| hide_all_but(argument, &["json"])),
    mut_arg("template", |words| words.value_name("[TEMPLATE]")),
    after_help = "A plugin that was never looked at before is started once, to see what it offers. \
                  With a template,\nthe exit code is 1 when a plugin that it asks for is not \
                  there.\n"
)]
pub struct DoctorArguments {
    /// Print it as data, for scripts
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub json: bool,
    /// Flags about the template, which may be left out.
    #[command(flatten)]
    pub template: TemplateArguments,
}
