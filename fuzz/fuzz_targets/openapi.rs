//! See `fuzz_bodies::openapi`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_bodies::openapi(data));
