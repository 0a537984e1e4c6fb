use super::*;

fn run(name: &str, status: Option<&str>) -> RunRecord {
    RunRecord {
        run: Some(name.to_owned()),
        group: "IMS-RG".parse().unwrap(),
        wish: "move".to_owned(),
        time: Timestamp::UNIX_EPOCH,
        took_ms: status.map(|_| 100),
        gap_ms: None,
        changed: true,
        dry_run: false,
        status: status.map(ToOwned::to_owned),
        online_on: None,
        message: None,
    }
}

fn step(run: &str, number: usize, verb: &str, outcome: Outcome, at: u64, took: Option<u64>) -> StepRecord {
    StepRecord {
        run: Some(run.to_owned()),
        group: "IMS-RG".parse().unwrap(),
        step: number,
        node: "mail-1".parse().unwrap(),
        resource: Some("mail".parse().unwrap()),
        verb: verb.to_owned(),
        command: None,
        why: String::new(),
        after: Vec::new(),
        outcome,
        changed: true,
        at_ms: Some(at),
        took_ms: took,
        message: None,
        parts: Vec::new(),
    }
}

fn lines(entries: &[Entry]) -> String {
    entries.iter().map(|entry| serde_json::to_string(entry).unwrap() + "\n").collect()
}

#[test]
fn a_torn_line_and_a_killed_run_are_told_as_such() {
    let text =
        lines(&[Entry::Begin(run("a", None)), Entry::Intend(step("a", 1, "stop", Outcome::Begun, 10, None))])
            + "{\"end\":{\"run\":\"a\",\"st\n"
            + &lines(&[
                Entry::Begin(run("b", None)),
                Entry::Intend(step("b", 1, "start", Outcome::Begun, 5, None)),
                Entry::End(step("b", 1, "start", Outcome::Done, 5, Some(7))),
                Entry::Finish(run("b", Some("ok"))),
            ]);
    let (told, unread) = read(&text);
    assert_eq!((told.len(), unread), (2, vec![3]));
    assert_eq!((told[0].run.status.as_deref(), told[0].steps[0].outcome), (None, Outcome::Begun));
    assert_eq!((told[1].run.status.as_deref(), told[1].steps[0].outcome), (Some("ok"), Outcome::Done));
}

#[test]
fn the_gap_is_from_the_first_stop_to_the_last_start() {
    let steps = [
        step("a", 1, "stop", Outcome::Done, 10, Some(20)),
        step("a", 2, "stop", Outcome::Done, 30, Some(5)),
        step("a", 3, "start", Outcome::Done, 36, Some(4)),
        step("a", 4, "start", Outcome::Done, 40, Some(60)),
    ];
    assert_eq!(gap_ms(&steps), Some(90));
    assert_eq!(gap_ms(&steps[..2]), None);
}

#[test]
fn a_run_that_follows_a_torn_line_begins_on_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::below(folder.path());
    let group: GroupName = "IMS-RG".parse().unwrap();
    fs_err::create_dir_all(host.path(FOLDER)).unwrap();
    std::fs::File::create(path(&host, &group)).unwrap().write_all(b"{\"begin\":{").unwrap();
    let journal = Journal::new(&host, &group, Instant::now(), Timestamp::UNIX_EPOCH);
    let begun = RunRecord { run: Some(journal.run().to_owned()), ..run("x", None) };
    journal.begin(&begun, &[]).unwrap();
    let text = fs_err::read_to_string(path(&host, &group)).unwrap();
    let (runs, unread) = read(&text);
    assert_eq!((runs.len(), unread), (1, vec![1]));
}

#[test]
fn a_journal_of_a_version_that_knew_less_is_read() {
    let text = r#"{"begin":{"run":"a","group":"IMS-RG","wish":"move","time":"2026-11-22T18:30:00Z"}}
{"end":{"run":"a","group":"IMS-RG","step":1,"node":"mail-1","verb":"stop","outcome":"done","at_ms":5}}
{"end":{"run":"a","group":"IMS-RG","step":2,"node":"mail-1","verb":"stop","outcome":"of a later version"}}
{"finish":{"run":"a","group":"IMS-RG","wish":"move","time":"2026-11-22T18:30:00Z","status":"ok","more":1}}
"#;
    let (runs, unread) = read(text);
    assert_eq!((runs[0].steps.len(), runs[0].run.status.as_deref(), unread), (1, Some("ok"), vec![3]));
    assert_eq!((runs[0].steps[0].took_ms, runs[0].steps[0].parts.len()), (None, 0));
}
