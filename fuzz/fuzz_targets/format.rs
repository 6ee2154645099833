//! What fmt does.
#![no_main]

use kiln_properties::{layout, text_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| layout::check(&text_of(bytes)));
