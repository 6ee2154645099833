//! A fake host, a machine in memory and a contract suite for plugin authors.
//!
//! Here are [`FakeHost`], which runs one component without any process and writes down what it is
//! told, [`contract`], which checks what every component owes ([`contract::check_builder`] in one
//! line), [`process`], which checks a plugin executable from outside, and the machine in memory
//! ([`Memory`]). A development dependency only. Not here: real machines.
//!
//! ```no_run
//! # use kiln_sdk_test_kit::{FakeHost, contract, process};
//! # use sdk_component::Builder;
//! # async fn example<B: Builder>(make: fn() -> B) {
//! let options = [("communicator", "none")].into_iter().collect::<sdk_config::Value>();
//! contract::check_builder(make, options).await;
//! process::check("target/debug/kiln-plugin-example").await;
//! # }
//! ```

pub mod contract;
mod fake_host;
mod options;
pub mod process;
mod recording;

pub use fake_host::FakeHost;
pub use options::{check_options, check_schema};
pub use recording::{Recording, Told};
pub use sdk_communicator::{Memory, Recorded, Scripted, Stored};

#[cfg(test)]
mod tests;
