//! What servers say, in files: the dialogues over them hold what fuzzing holds them to.

use std::path::Path;

#[path = "../../lib/fuzz/dialogues.rs"]
mod dialogues;

use dialogues::SPEECHES;

#[test]
fn each_speech_of_the_collection_is_a_session_unless_it_is_torn_wherever_it_ends() {
    let mut count = 0;
    for speech in SPEECHES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probe/speeches").join(speech.name);
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs_err::read(&path).unwrap();
            let is_torn = path.file_name().unwrap().to_str().unwrap().starts_with("torn-");
            assert_eq!((speech.holds)(&bytes), !is_torn, "{}", path.display());
            for end in 0..bytes.len() {
                assert!(!(speech.holds)(&bytes[..end]), "{} to {end}", path.display());
            }
            count += 1;
        }
    }
    assert!(count >= 15, "only {count} files");
}
