#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| text_fuzz::udh(octets));
