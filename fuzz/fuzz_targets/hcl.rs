//! Reading HCL2.
#![no_main]

use kiln_properties::{syntax, text_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| syntax::check_hcl(&text_of(bytes)));
