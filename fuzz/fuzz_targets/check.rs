//! See `fuzz_bodies::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_bodies::check(data));
