//! HCL2 templates from text.
#![no_main]

use kiln_properties::{template, text_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| template::check_hcl(&text_of(bytes)));
