//! HCL2 templates that make sense.
#![no_main]

use arbitrary::Unstructured;
use kiln_properties::{generate, template};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = generate::template(&mut Unstructured::new(bytes)) {
        template::check_hcl(&text);
    }
});
