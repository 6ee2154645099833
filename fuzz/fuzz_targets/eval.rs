//! Evaluation of any expression.
#![no_main]

use kiln_properties::{eval, text_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| eval::check(&text_of(bytes)));
