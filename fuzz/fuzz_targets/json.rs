//! Reading JSON and HCL's JSON form.
#![no_main]

use kiln_properties::{syntax, text_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| syntax::check_json(&text_of(bytes)));
