//! The real program with its real plugins, without virtual machines.

mod bad_input;
mod beyond;
mod builds;
mod command_line;
mod completion;
mod console;
mod data_output;
mod fix;
mod fmt;
mod hostile;
mod lsp;
mod performance;
mod plan;
mod small_components;
mod transfers;
mod yaml;
