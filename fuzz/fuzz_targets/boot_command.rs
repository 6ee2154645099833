//! The boot command language and its keyboards.
#![no_main]

use kiln_properties::{boot_command, text_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| boot_command::check(&text_of(bytes)));
