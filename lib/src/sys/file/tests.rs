//! Files of every kind, in folders of their own.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use rustix::fs::XattrFlags;

use super::*;

#[test]
fn a_replaced_file_keeps_its_mode_and_attributes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.cf");
    std::fs::File::create(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let labelled = rustix::fs::setxattr(&path, "user.note", b"x", XattrFlags::empty()).is_ok();
    replace(&path, b"new\n").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new\n");
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
    if labelled {
        let mut value = [0u8; 8];
        assert_eq!(rustix::fs::getxattr(&path, "user.note", &mut value).unwrap(), 1);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_link_where_others_can_write_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let secret = folder.path().join("secret");
    std::fs::create_dir(&secret).unwrap();
    symlink(&secret, open.join("config")).unwrap();
    let fail = replace(&open.join("config/slapd.conf"), b"x").unwrap_err();
    assert!(fail.to_string().contains("symbolic link"), "{fail}");
    symlink(secret.join("passwd"), open.join("file")).unwrap();
    assert!(replace(&open.join("file"), b"x").is_err());
    assert_eq!(std::fs::read_dir(&secret).unwrap().count(), 0);
}

#[test]
fn a_fifo_in_place_of_a_file_is_told_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("not a regular file"));
    assert!(replace(&path, b"x").is_err());
}

/// A file of a mode in a folder of its own.
fn secret(folder: &tempfile::TempDir, mode: u32) -> std::path::PathBuf {
    let path = folder.path().join("secrets.toml");
    replace(&path, b"x = 1\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn secrets_are_read_only_from_a_file_that_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (mode, is_read) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
        let path = secret(&folder, mode);
        match read_secret(&path) {
            Ok(text) => assert!(is_read && text == "x = 1\n", "{mode:o}"),
            Err(fail) => {
                let shown = path.display();
                assert!(!is_read, "{fail}");
                assert_eq!(fail.exit(), crate::Exit::Refused);
                let told = format!(
                    "{shown} holds secrets and is not its owner's alone (mode {mode:04o}) (chmod 600 {shown})"
                );
                assert_eq!(fail.to_string(), told);
            }
        }
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn secrets_are_not_read_through_a_link_of_somebody_elses_nor_from_anything_but_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let real = secret(&folder, 0o600);
    let open = folder.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    symlink(&real, open.join("link")).unwrap();
    symlink(folder.path(), open.join("way")).unwrap();
    nix::unistd::mkfifo(&open.join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (name, exit) in [
        ("link", crate::Exit::Refused),
        ("way/secrets.toml", crate::Exit::Refused),
        ("fifo", crate::Exit::Refused),
        ("nothing", crate::Exit::Usage),
    ] {
        let fail = read_secret(&open.join(name)).unwrap_err();
        assert_eq!(fail.exit(), exit, "{name}: {fail}");
    }
}

#[test]
fn secrets_come_from_a_pipe_or_a_file_that_was_left_open() {
    use std::io::Write;
    use std::os::fd::AsRawFd;
    let number = |file: &dyn AsRawFd| u32::try_from(file.as_raw_fd()).unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let late = std::thread::spawn(move || writer.write_all(b"x = 1\n").unwrap());
    assert_eq!(read_secret_from(number(&reader)).unwrap(), "x = 1\n");
    late.join().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::open(secret(&folder, 0o600)).unwrap();
    assert_eq!(read_secret_from(number(&file)).unwrap(), "x = 1\n");
    let others = std::fs::File::open(secret(&folder, 0o644)).unwrap();
    assert_eq!(read_secret_from(number(&others)).unwrap_err().exit(), crate::Exit::Refused);
    assert_eq!(read_secret_from(999_999).unwrap_err().exit(), crate::Exit::Usage);
}
