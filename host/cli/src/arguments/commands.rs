//! The flags of each command.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Args};

use super::template::TemplateArguments;

/// Flags of `build`.
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// Print without colours
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "true", default_missing_value = "true")]
    pub color: bool,
    /// Pause between steps and run builds one by one
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub debug: bool,
    /// Replace what an earlier build left
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub force: bool,
    /// Print the time before each message
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub timestamp_ui: bool,
    /// How many builds run at the same time; 0 for all of them
    #[arg(
        long,
        value_name = "N",
        default_value = "0",
        allow_negative_numbers = true
    )]
    pub parallel_builds: i64,
    /// After a failure: cleanup, abort, ask or run-cleanup-provisioner
    #[arg(long, value_name = "what", default_value = "",
          value_parser = ["", "cleanup", "abort", "ask", "run-cleanup-provisioner"])]
    pub on_error: String,
    /// Warn about names in variable files that the template does not declare
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub warn_on_undeclared_var: bool,
    /// Print every event as a line of JSON, for scripts
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub json: bool,
    /// Accepted for scripts; the machine-readable form is chosen by -machine-readable
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true", hide = true)]
    pub machine_readable: bool,
    /// Accepted for scripts; there is no registry that enforces provisioners
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true", hide = true)]
    pub skip_enforcement: bool,
    /// Leave development versions of plugins alone
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub ignore_prerelease_plugins: bool,
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `console`. Those about builds are accepted, as they are everywhere.
#[derive(Debug, Args)]
#[command(mut_args(|argument| hide_all_but(argument, &["var", "var-file", "config-type"])))]
pub struct ConsoleArguments {
    /// Flags about the template, which may be left out.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `fmt`. Those about templates' content are accepted, as they are everywhere, and say
/// nothing here.
#[derive(Debug, Args)]
#[command(mut_args(|argument| hide_all_but(argument, &["check", "diff", "write", "recursive"])))]
pub struct FmtArguments {
    /// Write nothing; exit with 3 when a file is not in canonical layout
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub check: bool,
    /// Print what changes, as a unified diff
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub diff: bool,
    /// Only print the names of the files that would change
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "true", default_missing_value = "true")]
    pub write: bool,
    /// Look into folders within folders
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub recursive: bool,
    /// Flags about the template; its paths are files, folders, or - for standard input.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `fix`. Those about templates' content are accepted, as they are everywhere.
#[derive(Debug, Args)]
#[command(mut_args(|argument| hide_all_but(argument, &["validate"])), after_help = fixers())]
pub struct FixArguments {
    /// Do not check the repaired template
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "true", default_missing_value = "true")]
    pub validate: bool,
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `hcl2_upgrade`. Those about templates' content are accepted, as they are everywhere.
#[derive(Debug, Args)]
#[command(mut_args(|argument| hide_all_but(argument, &["output-file", "with-annotations"])))]
pub struct Hcl2UpgradeArguments {
    /// The file to write; the template's name with .pkr.hcl behind it unless this is given
    #[arg(long, value_name = "path")]
    pub output_file: Option<PathBuf>,
    /// Explain the sections of the result in comments
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub with_annotations: bool,
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

fn fixers() -> String {
    let mut text = "Fixes, in the order in which they are made:\n\n".to_owned();
    for fixer in &host_upgrade::FIXERS {
        text.push_str(&format!("  {:<26} {}.\n", fixer.name, fixer.synopsis));
    }
    text
}

/// Hides an argument from the help unless it is one of `shown`.
pub(super) fn hide_all_but(argument: Arg, shown: &[&str]) -> Arg {
    let hidden = argument
        .get_long()
        .is_some_and(|long| !shown.contains(&long));
    argument.hide(hidden)
}

/// Flags of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `lsp`.
#[derive(Debug, Args)]
pub struct LspArguments {
    /// Accepted for editors; standard input and output are the only way
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "true", default_missing_value = "true", hide = true)]
    pub stdio: bool,
}

/// Flags of `plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Print the plan as data, for scripts
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub json: bool,
    /// Run data sources, whose results are unknown otherwise
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub evaluate_datasources: bool,
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// Only read the template; look at nothing it says
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub syntax_only: bool,
    /// Do not warn about names in variable files that the template does not declare
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub no_warn_undeclared_var: bool,
    /// Print what is wrong as data, for editors and scripts
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub json: bool,
    /// Run data sources, whose results are placeholders otherwise
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub evaluate_datasources: bool,
    /// Leave development versions of plugins alone
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub ignore_prerelease_plugins: bool,
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `verify-attestation`.
#[derive(Debug, Args)]
#[command(after_help = "Exits with 0 when everything holds, and with 1 otherwise.\n")]
pub struct VerifyAttestationArguments {
    /// The key in PEM: a public key, or the private key of a pair
    #[arg(long, value_name = "path")]
    pub key: Option<PathBuf>,
    /// The public key in PEM; another name of -key
    #[arg(long, value_name = "path")]
    pub verifier: Option<PathBuf>,
    /// What the attestation has to say: provenance, cyclonedx, spdx, or the URI of another predicate
    #[arg(long = "type", value_name = "kind")]
    pub kind: Option<String>,
    /// The same, as a URI
    #[arg(long, value_name = "URI")]
    pub predicate_type: Option<String>,
    /// Who has to have built it, by the provenance
    #[arg(long, value_name = "URI")]
    pub builder_id: Option<String>,
    /// What it has to have been built from, by the provenance
    #[arg(long, value_name = "URI")]
    pub source_uri: Option<String>,
    /// A file the attestation has to be about; like FILE
    #[arg(long, value_name = "path")]
    pub artifact: Option<PathBuf>,
    /// How it was signed: key
    #[arg(long, value_name = "mode", value_parser = ["key", "kms", "keyless"])]
    pub signing_mode: Option<String>,
    /// For keyless signatures, which are refused
    #[arg(long, value_name = "path", hide = true)]
    pub trusted_root_path: Option<String>,
    /// For keyless signatures, which are refused
    #[arg(long, value_name = "identity", hide = true)]
    pub keyless_identity: Option<String>,
    /// For keyless signatures, which are refused
    #[arg(long, value_name = "URL", hide = true)]
    pub keyless_oidc_issuer: Option<String>,
    /// For keyless signatures, which are refused
    #[arg(long, value_name = "path", hide = true)]
    pub bundle: Option<String>,
    /// For keyless signatures, which are refused
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true", hide = true)]
    pub require_rekor: bool,
    /// For keyless signatures, which are refused
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true", hide = true)]
    pub require_timestamp: bool,
    /// The attestation, and the files it is about
    #[arg(value_name = "ATTESTATION")]
    pub paths: Vec<String>,
}
