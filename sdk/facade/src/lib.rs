//! What a plugin author imports. This page is the author's guide; everything here is defined in
//! the crates it names.
//!
//! # A plugin
//!
//! A plugin is an executable `kiln-plugin-<family>` with one or more components. Its `main`
//! registers them and does nothing else:
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use kiln_sdk::{
//!     BuildInfo, Communicator, Config, Failure, Prepared, Provisioner, RunContext, Value,
//!     communicator::Command, run_remote,
//! };
//!
//! /// Says hello on the machine.
//! #[derive(Config)]
//! struct HelloConfig {
//!     /// Whom to greet.
//!     #[config(default = "world")]
//!     name: String,
//! }
//!
//! struct Hello;
//!
//! impl Provisioner for Hello {
//!     type Config = HelloConfig;
//!
//!     fn prepare(&self, _config: &mut HelloConfig, _build: &BuildInfo) -> Prepared {
//!         Prepared::default()
//!     }
//!
//!     async fn provision(
//!         &self,
//!         cx: RunContext,
//!         config: HelloConfig,
//!         machine: Arc<dyn Communicator>,
//!         _generated: Value,
//!     ) -> Result<(), Failure> {
//!         cx.say(format!("Greeting {}", config.name)).await;
//!         run_remote(&cx, &*machine, Command::new(format!("echo hello {}", config.name))).await?;
//!         Ok(())
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     kiln_sdk::Plugin::new("hello", env!("CARGO_PKG_VERSION")).provisioner("hello", Hello).serve()
//! }
//! ```
//!
//! The four kinds are [`Builder`], [`Provisioner`], [`PostProcessor`] and [`DataSource`]. The null
//! builder, `plugins/null`, is the smallest whole plugin with tests: copy it.
//!
//! # Options
//!
//! `#[derive(Config)]` turns a documented struct into the schema the host checks templates with,
//! the decoding with a path for every problem, and the reference docs. Its attributes are in the
//! documentation of the derive macro [`Config`](derive@Config). Problems of your own are
//! [`Diagnostic`]s from `prepare`; name the option with [`Diagnostic::on`], and the host finds the
//! line. `prepare` touches nothing, and tolerates `<unknown>`: on validation, values that only a
//! build can know arrive as that text, as zero or as false.
//!
//! The host renders `{{ … }}` before you see an option, except in [`Template`] options and those
//! marked `late`: render these at run time with [`Template::render`] and
//! [`BuildInfo::template_context`].
//!
//! # A run
//!
//! [`RunContext`] is the only way to the host. Tell people with [`RunContext::say`]; log for
//! yourself with `tracing`; never print. [`RunContext::cancel`] is cancelled when the run shall
//! stop. [`Steps`] carries out a builder's steps and undoes them in reverse:
//!
//! - Before you create what would outlive a crash, put it on record with [`RunContext::announce`],
//!   and register its undoing with [`Steps::on_cleanup`]; release it when it is gone or has become
//!   the artifact. Kinds of your own need a [`Plugin::reclaimer`].
//! - [`Steps::provision`](steps::Steps::provision) hands the machine to its provisioners.
//!   [`MachineFacts`] makes the values they see as `build.NAME`.
//! - Every wait has a limit. A cleanup that fails is a warning.
//!
//! Programs that you start for users must not inherit [`HOST_VARIABLES`].
//!
//! # Parts
//!
//! | module | what for |
//! |---|---|
//! | [`config`] | options: values, schema, decoding |
//! | [`steps`] | steps, cleanup, shutdown options |
//! | [`communicator`] | talking to a machine, trees of files, a machine in memory |
//! | [`ssh`] | communicator options, keys, connecting |
//! | [`winrm`] | the same for Windows, with the options of [`ssh`] |
//! | [`go_template`] | late rendering |
//! | [`boot_command`], [`vnc`] | typing into a machine that has no network yet |
//! | [`http_server`], [`ports`] | serving files to the guest, keeping ports |
//! | [`staging`] | running a configuration tool in the machine: folders, uploads, quoting |
//! | [`attestation`] | signed statements about files |
//! | [`program`] | programs on this machine, gone when the run is cancelled |
//! | [`archive`] | tar, zip and compressed files, on all cores, with progress |
//! | [`download`], [`media`] | installation media: fetching, CDs, floppies |
//!
//! # Tests
//!
//! `kiln-sdk-test-kit` has a fake host, a machine in memory, and the contract suite that every
//! component should pass; it cancels in every step and checks that nothing is left.

pub use sdk_component::resource;
pub use sdk_component::{
    Answer, Artifact, BuildInfo, Builder, Communicator, DataSource, Draft, Event, Failure, Held,
    HostLink, Level, MachineFacts, Meter, OnError, PauseKind, PostProcessed, PostProcessor,
    Prepared, ProcessIdentity, Progress, ProgressUnit, Provisioner, Ready, ReclaimError, Resource,
    RunContext, Verdict, reclaim, run_remote,
};
pub use sdk_config::{
    Config, Diagnostic, Diagnostics, GoDuration, Path, PathStep, Secret, Severity, Template, Value,
    ValueKind, decode, format_duration, parse_duration, template_data,
};
pub use sdk_config_derive::Config;
pub use sdk_plugin_server::{HOST_VARIABLES, Plugin};
pub use sdk_steps::{ShutdownConfig, Steps};

pub use sdk_archive as archive;
pub use sdk_attestation as attestation;
pub use sdk_boot_command as boot_command;
pub use sdk_communicator as communicator;
pub use sdk_config as config;
pub use sdk_download as download;
pub use sdk_go_template as go_template;
pub use sdk_http_server as http_server;
pub use sdk_media as media;
pub use sdk_plugin_server as plugin_server;
pub use sdk_ports as ports;
pub use sdk_program as program;
pub use sdk_ssh as ssh;
pub use sdk_staging as staging;
pub use sdk_steps as steps;
pub use sdk_vnc as vnc;
pub use sdk_winrm as winrm;
