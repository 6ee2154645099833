//! Go's template language.
#![no_main]

use kiln_properties::{go_template, text_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| go_template::check(&text_of(bytes)));
