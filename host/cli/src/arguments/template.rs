//! The flags that every command with a template has.

use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use host_template::ConfigType;

/// Flags of every command that reads a template.
#[derive(Debug, Args)]
pub struct TemplateArguments {
    /// Only these builds: a comma list of names; HCL2 takes globs. Can be given several times
    #[arg(long, value_name = "a,b", value_delimiter = ',')]
    pub only: Vec<String>,
    /// All builds but these; also post-processors
    #[arg(long, value_name = "a,b", value_delimiter = ',')]
    pub except: Vec<String>,
    /// A variable's value. Can be given several times; the last one wins
    #[arg(long, value_name = "'key=value'")]
    pub var: Vec<String>,
    /// A file with variables' values. Can be given several times
    #[arg(long, value_name = "path")]
    pub var_file: Vec<PathBuf>,
    /// Language of a template whose name does not tell: json or hcl2
    #[arg(long, value_name = "type", default_value = "json", value_parser = config_type())]
    pub config_type: ConfigType,
    /// Evaluate data sources and locals phase by phase; accepted, since the order never matters here
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true", hide = true)]
    pub use_sequential_evaluation: bool,
    /// The template: a file, a folder, or - for JSON on standard input
    #[arg(value_name = "TEMPLATE", value_parser = NonEmptyStringValueParser::new())]
    pub template: Vec<String>,
}

fn config_type() -> impl TypedValueParser<Value = ConfigType> {
    PossibleValuesParser::new(["json", "hcl2"]).map(|text| match text.as_str() {
        "hcl2" => ConfigType::Hcl2,
        _ => ConfigType::Json,
    })
}
