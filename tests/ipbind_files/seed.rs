//! The seed's sample run of its configuration script, on an `iplanet-5` server root as in the seed.

use super::{Files, changes, records, refused, stderr, stdout};
use crate::support::mail::ServerRoot;

pub const ROOT: &str = "/opt/iplanet/server5";
pub const DISPATCHER: &str = "/opt/iplanet/server5/msg-mail-1/imta/config/dispatcher.cnf";
pub const JOB_CONTROLLER: &str = "/opt/iplanet/server5/msg-mail-1/imta/config/job_controller.cnf";
pub const SLAPD: &str = "/opt/iplanet/server5/slapd-elenchus/config/slapd.conf";
pub const CONFIGUTIL: &str = "/opt/iplanet/server5/msg-mail-1/configutil";
const STORE: &str = "/opt/iplanet/server5/msg-mail-1/config/msg.conf";

/// The seed's sample run, on a root that no registry knows.
pub const SET: &[&str] = &[
    "set",
    "--address",
    "10.0.37.10",
    "mail-1",
    "--ldap",
    "elenchus",
    "--server-root",
    ROOT,
    "--layout",
    "iplanet-5",
];
pub const RESTORE: &[&str] = &["restore", "mail-1", "--server-root", ROOT, "--layout", "iplanet-5"];

/// The arguments with more behind them.
pub fn and<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    args.iter().chain(more).copied().collect()
}

fn all(changed: bool) -> Vec<(String, bool)> {
    [DISPATCHER, JOB_CONTROLLER, SLAPD, CONFIGUTIL].map(|file| (file.to_owned(), changed)).to_vec()
}

#[test]
fn the_sample_run_puts_each_of_the_four_settings_where_the_seed_says() {
    let files = Files::with(&ServerRoot::seed());
    let before = files.snapshot(ROOT);
    let old = [DISPATCHER, JOB_CONTROLLER, SLAPD, STORE].map(|file| files.read(file));
    let [dispatcher, job_controller, slapd, store] = &old;

    assert_eq!(changes(&files.answers(0, SET)), all(true));

    let placeholder = "!INTERFACE_ADDRESS=\n";
    let live = "!INTERFACE_ADDRESS=\nINTERFACE_ADDRESS=10.0.37.10\n";
    assert_eq!(
        files.read(DISPATCHER),
        dispatcher.replacen(placeholder, live, 2),
        "SMTP and SMTP_SUBMIT alone"
    );
    let last_global = "max_life_age=3600\n";
    let with = "max_life_age=3600\nINTERFACE_ADDRESS=10.0.37.10\n";
    assert_eq!(files.read(JOB_CONTROLLER), job_controller.replace(last_global, with));
    assert_eq!(files.read(SLAPD), format!("{slapd}listenhost 10.0.37.10\n"));
    assert_eq!(files.read(STORE), store.replace("INADDR_ANY", "10.0.37.10"));
    for (file, old) in [DISPATCHER, JOB_CONTROLLER, SLAPD].iter().zip(&old) {
        assert_eq!(&files.read(&format!("{file}.pre-ha")), old);
    }

    let bound = files.snapshot(ROOT);
    assert_eq!(changes(&files.answers(0, SET)), all(false));
    assert!(files.snapshot(ROOT) == bound, "a second run writes nothing at all");

    assert_eq!(changes(&files.answers(0, RESTORE)), all(true));
    let mut given_back = files.snapshot(ROOT);
    let store = files.path(STORE);
    // configutil writes its store anew; every other file is the very file it was.
    assert_eq!(given_back.remove(&store).unwrap().bytes, before[&store].bytes);
    assert!(given_back.iter().all(|(path, snap)| before.get(path) == Some(snap)));
    assert_eq!(given_back.len() + 1, before.len(), "nothing is left beside them");

    let output = files.answers(0, RESTORE);
    assert!(changes(&output).iter().all(|(_, changed)| !changed), "{output:?}");
    assert!(given_back.iter().all(|(path, snap)| files.snapshot(ROOT).get(path) == Some(snap)));
}

#[test]
fn on_a_terminal_it_says_what_the_original_said() {
    let files = Files::with(&ServerRoot::seed());
    let output = files.answers(0, &and(SET, &["-o", "table"]));
    let said = format!(
        "Updating the file {DISPATCHER}\nUpdating the file {JOB_CONTROLLER}\nUpdating the file {SLAPD}\n\
         Setting the service.listenaddr configutil parameter\nConfiguration successfully changed\n"
    );
    assert_eq!(stdout(&output), said);
    assert_eq!(stdout(&files.answers(0, &and(SET, &["-o", "table"]))), "Nothing to change\n");
}

#[test]
fn a_dry_run_shows_the_change_without_secrets_and_makes_none() {
    let files = Files::with(&ServerRoot::seed());
    let before = files.snapshot("/");
    let output = files.answers(0, &and(SET, &["-n"]));
    assert_eq!(changes(&output), all(true));
    assert!(files.snapshot("/") == before);
    let shown = records(&output);
    let job_controller = shown[1]["diff"].as_str().unwrap();
    assert!(job_controller.contains("\n+INTERFACE_ADDRESS=10.0.37.10\n"), "{job_controller}");
    assert!(job_controller.contains("\n secret=***\n") && !job_controller.contains("never mind"));
    let parameter = "-service.listenaddr = INADDR_ANY\n+service.listenaddr = 10.0.37.10\n";
    assert!(shown[3]["diff"].as_str().unwrap().ends_with(parameter));
}

#[test]
fn originals_are_those_of_before_the_first_run() {
    let files = Files::with(&ServerRoot::seed());
    let before = files.content(ROOT);
    files.answers(0, SET);
    let other: Vec<&str> =
        SET.iter().map(|word| if *word == "10.0.37.10" { "10.0.37.11" } else { word }).collect();
    assert_eq!(changes(&files.answers(0, &other)), all(true));
    assert!(files.read(DISPATCHER).contains("INTERFACE_ADDRESS=10.0.37.11\n"));
    assert!(!files.read(DISPATCHER).contains("10.0.37.10"));
    files.answers(0, RESTORE);
    assert_eq!(files.content(ROOT), before);
}

#[test]
fn a_file_that_was_not_there_is_made_and_taken_away_again() {
    let files = Files::with(&ServerRoot::seed());
    fs_err::remove_file(files.path(JOB_CONTROLLER)).unwrap();
    fs_err::remove_file(files.path(DISPATCHER)).unwrap();
    let before = files.content(ROOT);
    files.answers(0, SET);
    assert_eq!(files.read(JOB_CONTROLLER), "INTERFACE_ADDRESS=10.0.37.10\n");
    assert_eq!(
        files.read(DISPATCHER),
        "[SERVICE=SMTP]\nINTERFACE_ADDRESS=10.0.37.10\n[SERVICE=SMTP_SUBMIT]\nINTERFACE_ADDRESS=10.0.37.10\n"
    );
    assert!(!files.is_there(&format!("{JOB_CONTROLLER}.pre-ha")), "there was no original");
    let other: Vec<&str> =
        SET.iter().map(|word| if *word == "10.0.37.10" { "10.0.37.11" } else { word }).collect();
    files.answers(0, &other);
    assert!(!files.is_there(&format!("{JOB_CONTROLLER}.pre-ha")), "ours is no original either");
    files.answers(0, RESTORE);
    assert_eq!(files.content(ROOT), before);
}

#[test]
fn a_dispatcher_without_a_service_that_would_be_bound_is_not_done() {
    let files = Files::with(&ServerRoot::seed());
    let lmtp = "[SERVICE=LMTPSS]\nPORT=225\n";
    for text in ["", "! nothing\n", "<site.cnf\n", lmtp] {
        files.write(DISPATCHER, text);
        refused(&files, 2, SET, "dispatcher.cnf: there is neither [SERVICE=SMTP] nor [SERVICE=SMTP_SUBMIT]");
    }
    // A back end has LMTP alone, which is bound by hand.
    files.write(DISPATCHER, &format!("{lmtp}INTERFACE_ADDRESS=10.0.37.10\n"));
    files.answers(0, SET);
}

#[test]
fn line_ends_and_a_missing_one_stay() {
    let files = Files::with(&ServerRoot::seed());
    for file in [DISPATCHER, SLAPD] {
        let text = files.read(file).replace('\n', "\r\n");
        files.write(file, text.trim_end());
    }
    files.answers(0, SET);
    for file in [DISPATCHER, SLAPD] {
        let text = files.read(file);
        assert!(text.split_inclusive('\n').all(|line| !line.ends_with('\n') || line.ends_with("\r\n")));
        assert!(!text.ends_with('\n') && text.contains("10.0.37.10"), "{text:?}");
    }
}

#[test]
fn what_was_asked_by_hand_is_told_and_left() {
    let files = Files::with(&ServerRoot::seed());
    files.edit(DISPATCHER, "![SERVICE=LMTPSS]\n!PORT=225\n", "<site.cnf\n[SERVICE=LMTPSS]\nPORT=225\n");
    let channels = "/opt/iplanet/server5/msg-mail-1/imta/config/imta.cnf";
    let text = "! interfaceaddress 1\nl nox_env_to\nmail\n\ntcp_local smtp mx \\\n interfaceaddress 10.0.37.9\ntcp-daemon\n\n\
                tcp_intranet smtp INTERFACEADDRESS 10.0.37.10\n";
    files.write(channels, text);
    let long = format!("job_limit=1{}\n", " ".repeat(252));
    files.edit(JOB_CONTROLLER, "job_limit=10\n", &long);
    let output = files.answers(0, SET);
    let told = stderr(&output);
    assert!(
        told.contains("imta.cnf:6: tcp_local has interfaceaddress 10.0.37.9, which is left as it is"),
        "{told}"
    );
    assert_eq!(
        (told.matches("interfaceaddress").count(), files.read(channels)),
        (1, text.to_owned()),
        "{told}"
    );
    assert!(told.contains("job_controller.cnf:9: longer than the 252 columns that the MTA reads"), "{told}");
    assert!(told.contains("dispatcher.cnf:32: what is included here is not changed"), "{told}");
    assert!(told.contains("dispatcher.cnf:33: LMTPSS is not bound to 10.0.37.10"), "{told}");
    let show = ["show", "mail-1", "--server-root", ROOT, "--address", "10.0.37.10"];
    let unknown = stderr(&files.answers(3, &show));
    assert!(unknown.contains("dispatcher.cnf:32: what is included here may name more ports"), "{unknown}");
    files.edit(DISPATCHER, "<site.cnf\n", "!site.cnf\n");
    let output = files.answers(1, &show);
    let open = |schema: &str| -> Vec<serde_json::Value> {
        let is_open = |record: &serde_json::Value| record["schema"] == schema && record["bound"] == false;
        records(&output).into_iter().filter(is_open).collect()
    };
    let sources = open("ims.outbound/1");
    assert_eq!(
        (sources.len(), sources[0]["client"].as_str()),
        (1, Some("tcp_local")),
        "mail leaves from elsewhere"
    );
    let open = open("ims.listener/1");
    assert_eq!(open.len(), 1);
    assert_eq!((open[0]["service"].as_str(), open[0]["port"].as_u64()), (Some("lmtp"), Some(225)));
    assert_eq!(open[0]["at"]["line"], 34, "the line of its port");
}

#[test]
fn show_says_where_each_server_listens_and_whether_that_is_the_logical_address_alone() {
    let files = Files::with(&ServerRoot::seed());
    let show = ["show", "mail-1", "--ldap", "elenchus", "--server-root", ROOT, "--address", "10.0.37.10"];
    let told = |status| -> Vec<(String, String, u64, bool)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let of = |record: serde_json::Value| {
            let port = record["port"].as_u64().unwrap();
            (text(&record["service"]), text(&record["address"]), port, record["bound"].as_bool().unwrap())
        };
        records(&files.answers(status, &show)).into_iter().map(of).collect()
    };
    let ports = [
        ("smtp", 25),
        ("submission", 587),
        ("job_controller", 27442),
        ("imap", 143),
        ("pop3", 110),
        ("ldap", 389),
    ];
    let all = |address: &str, bound: bool| {
        ports.map(|(service, port)| (service.to_owned(), address.to_owned(), port, bound)).to_vec()
    };
    assert_eq!(told(1), all("0.0.0.0", false));
    files.answers(0, SET);
    assert_eq!(told(0), all("10.0.37.10", true));
    let table = files.answers(0, &and(&show, &["-o", "table"]));
    assert!(stdout(&table).contains(&format!("{DISPATCHER}:14")), "{}", stdout(&table));
}
