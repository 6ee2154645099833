//! fix and hcl2_upgrade.
#![no_main]

use kiln_properties::{text_of, upgrade};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| upgrade::check(&text_of(bytes)));
