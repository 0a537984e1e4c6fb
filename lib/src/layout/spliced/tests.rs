//! What is included where, and what is not.

use super::*;
use crate::conf::imta;
use crate::layout::text_of;

const FILE: &str = "/c/dispatcher.cnf";

fn spliced(files: &[(&str, &str)]) -> Result<Spliced, Fail> {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::below(folder.path());
    for (path, text) in files {
        let real = host.path(path);
        fs_err::create_dir_all(real.parent().unwrap()).unwrap();
        file::replace(&real, text.as_bytes()).unwrap();
    }
    Spliced::of(&host, Path::new(FILE), &text_of(&host, Path::new(FILE)).unwrap(), |text, _| {
        Ok(imta::includes(text))
    })
}

/// Each line of the whole with its place.
fn told(files: &[(&str, &str)]) -> Vec<String> {
    let whole = spliced(files).unwrap();
    let lines = whole.text.lines().enumerate();
    lines.map(|(index, line)| format!("{} {line}", whole.place(index + 1))).collect()
}

#[test]
fn what_is_included_stands_in_its_place_and_is_told_by_its_own() {
    let main = (FILE, "a\n</s/one\nb\n<IMTA_TABLE:two\n<imta_table:two");
    assert_eq!(
        told(&[main, ("/s/one", "1\n</s/deep\n"), ("/s/deep", "! x\r\ny"), ("/c/two", "2\n")]),
        [
            "/c/dispatcher.cnf:1 a",
            "/s/one:1 1",
            "/s/deep:1 ! x",
            "/s/deep:2 y",
            "/c/dispatcher.cnf:3 b",
            "/c/two:1 2",
            "/c/two:1 2",
        ]
    );
    // imta_tailor says where the tables are, by a prefix.
    let tailor = ("/c/imta_tailor", "! where\nIMTA_TABLE=/t/site-\n");
    assert_eq!(told(&[(FILE, "<IMTA_TABLE:x\n"), tailor, ("/t/site-x", "1\n")]), ["/t/site-x:1 1"]);
    assert_eq!(told(&[(FILE, "a\n</c/none\n"), ("/c/none", "")]), ["/c/dispatcher.cnf:1 a"]);
}

#[test]
fn what_cannot_be_resolved_stays_the_line_it_is_with_the_reason() {
    let deep = [("/1", "</2\n"), ("/2", "</3\n"), ("/3", "</4\n"), ("/4", "x\n")];
    let is = |told: &str, why: &str| format!("{told}: what is included here may be more: {why}");
    for (name, files, place, line, why) in [
        (
            "site.cnf",
            &[][..],
            "/c/dispatcher.cnf:2",
            2,
            "'site.cnf' is no absolute path, nor one below IMTA_TABLE: (write what it says in its place)",
        ),
        (
            "IMTA_BIN:x",
            &[],
            "/c/dispatcher.cnf:2",
            2,
            "'IMTA_BIN:x' is no absolute path, nor one below IMTA_TABLE: (write what it says in its place)",
        ),
        ("/s/one", &[], "/c/dispatcher.cnf:2", 2, "/s/one is not there (another node may master its volume)"),
        ("/1", &deep, "/3:1", 2, "/4 is more than 3 levels deep"),
    ] {
        let text = format!("a\n<{name}\nb\n");
        let mut all = vec![(FILE, text.as_str())];
        all.extend(files);
        let whole = spliced(&all).unwrap();
        assert!(whole.text.starts_with("a\n<") && whole.text.ends_with("\nb\n"), "{}", whole.text);
        assert_eq!(whole.unknown(line, "may be more").to_string(), is(place, why));
        assert_eq!(whole.place(3).to_string(), "/c/dispatcher.cnf:3");
    }
    let many = "</s/one\n".repeat(MOST + 1);
    let whole = spliced(&[(FILE, &many), ("/s/one", "1\n")]).unwrap();
    assert!(whole.unknown(MOST + 1, "x").to_string().ends_with("more than 100 files are included"));
    let long = "x".repeat(LONGEST / 2);
    let whole = spliced(&[(FILE, "</l\n</l\n"), ("/l", &long)]).unwrap();
    assert!(whole.unknown(2, "x").to_string().contains("is longer than"));
}

#[test]
fn what_a_servers_owner_may_not_read_is_not_included() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::below(folder.path());
    let put = |path: &str, text: &str, mode: u32, owner: u32| {
        let real = host.path(path);
        fs_err::create_dir_all(real.parent().unwrap()).unwrap();
        file::replace(&real, text.as_bytes()).unwrap();
        fs_err::set_permissions(&real, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        std::os::unix::fs::chown(real, Some(owner), Some(owner)).unwrap();
    };
    if !rustix::process::geteuid().is_root() {
        return; // nobody else can give files away
    }
    for (secret, owner, is_told) in
        [(0o600, 0, false), (0o640, 0, false), (0o644, 0, true), (0o600, 19_000, true), (0o060, 19_000, true)]
    {
        put(FILE, "</s/secret\n", 0o644, 19_000);
        put("/s/secret", "root:x\n", secret, owner);
        let whole = Spliced::of(&host, Path::new(FILE), "</s/secret\n", |text, _| Ok(imta::includes(text)));
        assert_eq!(whole.unwrap().text.contains("root:x"), is_told, "{secret:o} {owner}");
    }
}

#[test]
fn a_file_that_includes_itself_is_an_error_with_the_way_round() {
    let fail =
        spliced(&[(FILE, "</s/one\n"), ("/s/one", "x\n</s/two\n"), ("/s/two", "</s/one\n")]).unwrap_err();
    assert_eq!(fail.exit(), Exit::Usage);
    assert_eq!(
        fail.to_string(),
        "/s/two:1: a file that includes itself: /s/one includes /s/two includes /s/one"
    );
}
