//! The command line of `salt-call`.

use kiln_sdk::staging::{GuestOs, quote};

use crate::config::SaltConfig;
use crate::places::Places;
use crate::windows;

/// The arguments of `salt-call`, after `--local`.
///
/// # Source
///
/// Packer's order. Differs: paths are one word each, whatever is in them.
fn arguments(config: &SaltConfig, places: &Places) -> String {
    let word = |text: &str| match config.guest_os_type {
        GuestOs::Unix => quote::posix_when_needed(text),
        GuestOs::Windows => windows::word(text),
    };
    let mut words = match config.custom_state.as_str() {
        "" => vec!["state.highstate".to_owned()],
        // It may bring arguments, such as `test=True`.
        state => vec!["state.sls".to_owned(), state.to_owned()],
    };
    if config.minion_config.is_empty() {
        words.push(format!("--file-root={}", word(&places.states)));
        words.push(format!("--pillar-root={}", word(&places.pillars)));
    }
    if config.guest_os_type == GuestOs::Windows {
        words.extend(windows::configuration(config, places));
    }
    if !config.no_exit_on_failure {
        words.push("--retcode-passthrough".to_owned());
    }
    words.push(format!("-l {}", word(&config.log_level)));
    words.push(config.salt_call_args.clone());
    words.join(" ").trim_end().to_owned()
}

/// The program in a Unix guest, as its shell reads it.
pub fn program(config: &SaltConfig) -> String {
    match config.salt_bin_dir.trim_end_matches('/') {
        "" => "salt-call".to_owned(),
        folder => quote::posix_when_needed(&format!("{folder}/salt-call")),
    }
}

/// The command that applies the states with `program`, without `sudo`.
pub fn call(program: &str, config: &SaltConfig, places: &Places) -> String {
    format!("{program} --local {}", arguments(config, places))
}
