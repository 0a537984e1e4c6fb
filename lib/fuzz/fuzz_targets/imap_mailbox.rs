#![no_main]

#[allow(dead_code)]
#[path = "../dialogues.rs"]
mod dialogues;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    dialogues::imap_mailbox(bytes);
});
