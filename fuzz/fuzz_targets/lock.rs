//! See `fuzz_bodies::lock`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_bodies::lock(data));
