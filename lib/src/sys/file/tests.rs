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
