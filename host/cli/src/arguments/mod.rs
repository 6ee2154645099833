//! The command line: Go's flag spelling on top of clap.
//!
//! Templates come with scripts that call `build -var 'a=b' -only=x template`: one dash or two,
//! `-flag value` or `-flag=value`, booleans only as `-flag` or `-flag=false`, and nothing is a flag
//! any more after the first word that is none. [`parse`] turns that into what clap reads; what
//! flags there are is said once, in the structs of `commands` and `template`, from which help and
//! completion are made too.

mod author;
mod commands;
mod flags;
mod help;
mod plugins;
mod request;
mod template;

pub use author::{DocsArguments, NewArguments, PackageArguments};
pub use commands::{
    BuildArguments, ConsoleArguments, FixArguments, FmtArguments, Hcl2UpgradeArguments,
    InspectArguments, LspArguments, PlanArguments, ValidateArguments, VerifyAttestationArguments,
};
pub use flags::{asks_for_events, is_boolean, is_repeatable, split, values_of};
pub use help::help_of;
pub use plugins::{
    DoctorArguments, InitArguments, InstallArguments, InstalledArguments, OriginArguments,
    PluginsArguments, PluginsRequest, RemoveArguments, RequiredArguments,
};
pub use request::{Parsed, Request, command_line, parse};
pub use template::TemplateArguments;
