#![no_main]

#[allow(dead_code)]
#[path = "../grammars.rs"]
mod grammars;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    grammars::ldif(bytes);
});
