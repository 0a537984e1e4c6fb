#![no_main]

#[allow(dead_code)]
#[path = "../dialogues.rs"]
mod dialogues;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    dialogues::pop3_mailbox(bytes);
});
