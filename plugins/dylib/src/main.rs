//! Runs plugins that are shared libraries: `kiln-plugin-NAME.so`.
//!
//! The library is loaded into this process, which is a plugin like any other: a library that crashes
//! ends its own run and nothing else. `include/kiln_plugin.h` is what libraries export and what they
//! may call; [`abi`] says the same in Rust, [`library`] loads, [`host`] is the side that libraries call,
//! [`machine`] is a machine that a library made, [`component`] makes kiln's components of it all.
//! [`description`], [`options`] and [`json`] are what crosses the border.
//!
//! This is the one crate with `unsafe` code. Each such block says why it holds; all of them rest on
//! the library keeping to the header, which nobody can check.
#![expect(
    unsafe_code,
    reason = "calling functions of a C library is what this crate is for"
)]

mod abi;
mod component;
mod description;
mod host;
mod json;
mod library;
mod machine;
mod options;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use kiln_sdk::plugin_server::LIBRARY_VARIABLE;

use crate::component::Foreign;
use crate::library::Library;

fn main() -> ExitCode {
    let Some(path) = std::env::var_os(LIBRARY_VARIABLE).map(PathBuf::from) else {
        return explain(
            "This runs plugins of kiln that are shared libraries. It is not run by hand: put \
             kiln-plugin-NAME.so beside kiln's plugins.",
        );
    };
    let loaded = Library::load(&path).and_then(|library| {
        let described = library.describe()?;
        Ok((library, described))
    });
    let (library, described) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            let source = std::error::Error::source(&error);
            let cause = source.map(|cause| format!(": {cause}")).unwrap_or_default();
            return explain(&format!("{error}{cause}"));
        }
    };
    let library = Arc::new(library);
    let mut plugin = kiln_sdk::Plugin::new(described.name, described.version);
    for component in described.components {
        let name = component.name.clone();
        let foreign = Foreign::new(Arc::clone(&library), component);
        plugin = plugin.component(name, Arc::new(foreign));
    }
    plugin.serve()
}

/// Tells why there is nothing to serve; the host quotes it.
fn explain(text: &str) -> ExitCode {
    // Nobody can be told when standard error is closed.
    drop(writeln!(std::io::stderr(), "{text}"));
    ExitCode::FAILURE
}
