//! What happens between starting a plugin and its first call.

use std::time::Duration;

/// Environment variable that tells a plugin that a host started it.
pub const COOKIE_VARIABLE: &str = "KILN_PLUGIN_COOKIE";

/// Value of [`COOKIE_VARIABLE`]. It is no secret: it keeps people from starting plugins by hand.
pub const COOKIE: &str = "3c1f7a52-6d0e-4b7b-9a43-5be2c04f8d19";

/// Environment variable with the token that every request carries; 32 bytes or more, in
/// hexadecimal. Plugins remove it from their environment before they start programs.
pub const TOKEN_VARIABLE: &str = "KILN_PLUGIN_TOKEN";

/// Environment variable with the folder, mode 0700, in which a plugin makes its sockets. Short
/// enough that the path of a socket stays below the 108 bytes that Unix allows.
pub const DIRECTORY_VARIABLE: &str = "KILN_PLUGIN_DIR";

/// Environment variable with 16 random bytes in hexadecimal, new for each process. Programs that a
/// plugin starts keep it: the host finds by it what a plugin that did not come with kiln left behind.
pub const RUN_VARIABLE: &str = "KILN_PLUGIN_RUN";

/// Environment variable with the log levels a plugin shall write, in the form of `tracing`'s
/// filters; `info` when it is not set.
pub const LOG_VARIABLE: &str = "KILN_PLUGIN_LOG";

/// Environment variable with the absolute path of a plugin made for Packer, for the bridge
/// `kiln-plugin-packer`, which runs it.
pub const PACKER_PLUGIN_VARIABLE: &str = "KILN_PACKER_PLUGIN";

/// Environment variable with what the components of that plugin are named after: the name a
/// template gives the plugin, or its own.
pub const PACKER_NAME_VARIABLE: &str = "KILN_PACKER_PLUGIN_NAME";

/// Environment variable with the absolute path of a shared library, for `kiln-plugin-dylib`, which
/// loads it.
pub const LIBRARY_VARIABLE: &str = "KILN_PLUGIN_LIBRARY";

/// Version of the handshake line: the value of `kiln_plugin` in it.
pub const HANDSHAKE_VERSION: u32 = 1;

/// How long a plugin may take from its start to the handshake line.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Longest handshake line, in bytes, with its line end.
pub const LINE_LIMIT: usize = 64 * 1024;

/// How long a plugin may take to clean up after its standard input has ended, before the host
/// kills its process group.
pub const CLEANUP_LIMIT: Duration = Duration::from_secs(120);

/// The protocol major of this crate.
pub const PROTOCOL_MAJOR: u32 = 1;

/// Every protocol major this crate speaks, newest first.
pub const PROTOCOL_MAJORS: &[u32] = &[PROTOCOL_MAJOR];

/// Which host speaks which protocol major with plugins: host version, protocol major, and what
/// came with it.
pub const COMPATIBILITY: &[(&str, u32, &str)] = &[("0.1.0", 1, "first version")];

/// Metadata key of the token.
pub const AUTHORIZATION: &str = "authorization";

/// What stands before the token in the metadata.
pub const BEARER: &str = "Bearer ";
