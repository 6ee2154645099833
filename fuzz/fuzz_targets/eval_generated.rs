//! Evaluation of expressions that make sense.
#![no_main]

use arbitrary::Unstructured;
use kiln_properties::{eval, generate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = generate::expression(&mut Unstructured::new(bytes)) {
        eval::check(&text);
    }
});
