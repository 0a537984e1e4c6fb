//! The questions of the original's script, answered at a terminal and by a program.

mod by_program;

use std::io::Write;
use std::process::{Output, Stdio};

use super::seed::{DISPATCHER, JOB_CONTROLLER, RESTORE, ROOT, SET, SLAPD};
use super::{Files, changes, stderr};
use crate::support::mail::{Mail, ServerRoot};
use crate::support::{CTRL_C, CTRL_D, Terminal};

/// The seed's sample run, as it is printed there: the answers stand behind the questions.
const SAMPLE: &str = r#"
Please specify the IP address assigned to the HA logical host name. Use dotted decimal form, a.b.c.d

Logical IP address: 10.0.37.10

Please specify the path to the top level directory in which iMS is installed. This is the server root directory which contains the instance directories.

iMS server root: /opt/iplanet/server5

Next, please specify the name of the iMS instance for which to effect the configuration changes. Omit the leading "msg-" from the name. Possible instances include:

mail-1
mail-2

iMS instance name [mail-1]: mail-1

Also configure an LDAP server instance in the same iMS server root [yes]? yes

Please specify the name of the LDAP server instance for which to effect the configuration changes. This LDAP server instance must live in a subdirectory of the iMS server root previously specified. Omit the leading "slapd-" from the LDAP server instance name. Possible instances include:

elenchus

LDAP instance name [elenchus]: elenchus

Logical IP address: 10.0.37.10
iMS server root: /opt/iplanet/server5
iMS instance name: mail-1
LDAP instance name: elenchus

Do you wish to change any of the above choices (yes/no) [no]? no

Updating the file /opt/iplanet/server5/msg-mail-1/imta/config/dispatcher.cnf
Updating the file /opt/iplanet/server5/msg-mail-1/imta/config/job_controller.cnf
Updating the file /opt/iplanet/server5/slapd-elenchus/config/slapd.conf
Setting the service.listenaddr configutil parameter
Configuration successfully changed
"#;

/// Its questions and answers.
const ANSWERS: [(&str, &str); 6] = [
    ("Logical IP address: ", "10.0.37.10"),
    ("iMS server root: ", ROOT),
    ("iMS instance name [mail-1]: ", "mail-1"),
    ("Also configure an LDAP server instance in the same iMS server root [yes]? ", "yes"),
    ("LDAP instance name [elenchus]: ", "elenchus"),
    ("Do you wish to change any of the above choices (yes/no) [no]? ", "no"),
];

/// What the command says of its own, beside the script's words.
const OWN: &str = "ims-ipbind: ";

/// Paragraph by paragraph, each with its words one blank apart: a terminal folds what a page does not.
fn paragraphs(text: &str) -> Vec<String> {
    let own = text.lines().filter(|line| !line.starts_with(OWN)).collect::<Vec<_>>().join("\n");
    let paragraphs = own.trim().split("\n\n");
    paragraphs.map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn at_terminal(files: &Files, args: &[&str]) -> Terminal {
    Terminal::run(&files.command(args), None)
}

/// Types lines into a pipe.
fn typed(files: &Files, args: &[&str], lines: &str) -> Output {
    let mut command = files.command(args);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
    child.wait_with_output().unwrap()
}

fn answers() -> String {
    ANSWERS.map(|(_, answer)| format!("{answer}\n")).concat()
}

#[test]
fn the_sample_run_typed_answer_for_answer_shows_the_seed_s_screen_and_does_what_set_does() {
    let files = Files::with(&ServerRoot::seed());
    let mut terminal = at_terminal(&files, &["ask"]);
    for (question, answer) in ANSWERS {
        terminal.answer(question, answer);
    }
    let (status, screen) = terminal.end();
    assert_eq!(status.code(), Some(0), "{screen}");
    assert_eq!(paragraphs(&screen), paragraphs(SAMPLE), "{screen}");
    let asked = screen.split("Updating").next().unwrap();
    assert!(asked.lines().all(|line| line.len() < 80), "{screen}");
    let known =
        "mail-1: /etc/msgregistry.inf does not know it; run: ims-registry add mail-1 --layout iplanet-5";
    assert!(screen.lines().last().unwrap().contains(known), "{screen}");

    let same = Files::with(&ServerRoot::seed());
    same.answers(0, SET);
    for file in [DISPATCHER, JOB_CONTROLLER, SLAPD] {
        assert_eq!(files.read(file), same.read(file));
        assert!(files.is_there(&format!("{file}.pre-ha")));
    }
    assert!(changes(&files.answers(0, SET)).iter().all(|(_, changed)| !changed), "nothing is left to set");
    files.answers(0, RESTORE);
}

#[test]
fn ctrl_d_or_ctrl_c_at_any_question_leaves_everything_untouched_and_says_so() {
    let files = Files::with(&ServerRoot::seed());
    let before = files.snapshot("/");
    let ends = [(CTRL_D, "the answers ended before the questions"), (CTRL_C, "SIGINT came")];
    for (key, says) in ends {
        for at in 0..ANSWERS.len() {
            let mut terminal = at_terminal(&files, &["ask"]);
            for (question, answer) in &ANSWERS[..at] {
                terminal.answer(question, answer);
            }
            let question = ANSWERS[at].0;
            terminal.until(question);
            terminal.press(key);
            let (status, screen) = terminal.end();
            assert_eq!(status.code(), Some(5), "at {question:?}: {screen}");
            assert_eq!(
                screen.lines().last().unwrap(),
                format!("ims-ipbind: {says} (nothing was changed)"),
                "at {question:?}"
            );
            assert!(
                files.snapshot("/") == before,
                "at {question:?}: a file, a lock or a temporary one is left"
            );
        }
    }
    // An answer without RETURN is none.
    let mut terminal = at_terminal(&files, &["ask"]);
    for (question, answer) in &ANSWERS[..5] {
        terminal.answer(question, answer);
    }
    terminal.until(ANSWERS[5].0);
    terminal.press(&format!("no{CTRL_D}{CTRL_D}"));
    assert_eq!(terminal.end().0.code(), Some(5));
    assert!(files.snapshot("/") == before);
}

/// Gives an answer that is told in a line, upon which the question is asked again.
#[track_caller]
fn bad(terminal: &mut Terminal, question: &str, answer: &str, says: &str) {
    terminal.answer(question, answer);
    terminal.until(&format!("{OWN}{says}\n{question}"));
}

#[test]
fn an_answer_that_cannot_be_used_is_told_in_a_line_and_asked_again() {
    let files = Files::with(&ServerRoot::seed());
    files.write("/opt/empty/notes", "");
    let mut terminal = at_terminal(&files, &["ask"]);
    let how = "(like 10.0.37.10 or 2001:db8::10, without a prefix length)";
    bad(&mut terminal, ANSWERS[0].0, "", &format!("not an IP address: '' {how}"));
    bad(&mut terminal, ANSWERS[0].0, "10.0.37", &format!("not an IP address: '10.0.37' {how}"));
    bad(
        &mut terminal,
        ANSWERS[0].0,
        "0.0.0.0",
        "no server can be bound to 0.0.0.0 alone (give one host's address)",
    );
    let moves = "never moves to another (give the logical address)";
    bad(&mut terminal, ANSWERS[0].0, "127.0.0.1", &format!("127.0.0.1 is every node's own and {moves}"));
    terminal.answer(ANSWERS[0].0, "10.0.37.10");
    bad(&mut terminal, ANSWERS[1].0, "opt/iplanet", "not an absolute path: 'opt/iplanet'");
    bad(
        &mut terminal,
        ANSWERS[1].0,
        "/opt/iplanet/server6",
        "/opt/iplanet/server6 is not a folder of this node (another node may master its volume)",
    );
    bad(&mut terminal, ANSWERS[1].0, "/opt/empty", "there is no msg-* with a mail server below /opt/empty");
    terminal.answer(ANSWERS[1].0, "/opt/iplanet/server5/");
    bad(
        &mut terminal,
        ANSWERS[2].0,
        "msg-mail-1",
        "not an instance below that server root: 'msg-mail-1' (there are mail-1, mail-2)",
    );
    terminal.answer(ANSWERS[2].0, "mail-2");
    bad(&mut terminal, ANSWERS[3].0, "perhaps", "neither yes nor no: 'perhaps'");
    terminal.answer(ANSWERS[3].0, "Y");
    terminal.answer(ANSWERS[4].0, "");
    terminal.answer(ANSWERS[5].0, "");
    let (status, screen) = terminal.end();
    assert_eq!(status.code(), Some(0), "{screen}");
    assert!(
        screen.contains("\niMS server root: /opt/iplanet/server5\niMS instance name: mail-2\n"),
        "{screen}"
    );
}

#[test]
fn a_change_of_mind_offers_what_was_answered() {
    let files = Files::with(&ServerRoot::seed());
    let mut terminal = at_terminal(&files, &["ask"]);
    for (question, answer) in &ANSWERS[..2] {
        terminal.answer(question, answer);
    }
    terminal.answer(ANSWERS[2].0, "mail-2");
    terminal.answer(ANSWERS[3].0, "no");
    terminal.answer(ANSWERS[5].0, "yes");
    terminal.answer("Logical IP address [10.0.37.10]: ", "10.0.37.11");
    terminal.answer("iMS server root [/opt/iplanet/server5]: ", "");
    terminal.answer("iMS instance name [mail-2]: ", "");
    terminal.answer("Also configure an LDAP server instance in the same iMS server root [no]? ", "");
    terminal.answer(ANSWERS[5].0, "no");
    let (status, screen) = terminal.end();
    assert_eq!(status.code(), Some(0), "{screen}");
    let sum = "\nLogical IP address: 10.0.37.11\niMS server root: /opt/iplanet/server5\niMS instance name: mail-2\n\nDo";
    assert!(screen.contains(sum), "{screen}");
    let job_controller = JOB_CONTROLLER.replace("mail-1", "mail-2");
    assert!(files.read(&job_controller).contains("\nINTERFACE_ADDRESS=10.0.37.11\n"));
    assert!(!files.read(SLAPD).contains("listenhost"), "no LDAP server was asked for");
}

#[test]
fn without_a_directory_server_nothing_is_asked_of_one() {
    let files = Files::with(
        &ServerRoot::postfix_dovecot("/srv/ims").mail(Mail::new("stork", "ldap://192.0.2.10:389/")),
    );
    let lines = "192.0.2.10, 2001:db8::10\n/srv/ims\n\nno\n";
    let output = typed(&files, &["ask"], lines);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stderr(&output).contains("LDAP"), "{}", stderr(&output));
    assert!(
        files
            .read("/srv/ims/msg-stork/postfix/main.cf")
            .contains("inet_interfaces = 192.0.2.10, 2001:db8::10")
    );
}

#[test]
fn no_operand_at_a_terminal_asks_and_elsewhere_is_a_wrong_command_line() {
    let files = Files::with(&ServerRoot::seed());
    let mut terminal = at_terminal(&files, &[]);
    for (question, answer) in ANSWERS {
        terminal.answer(question, answer);
    }
    let (status, screen) = terminal.end();
    assert_eq!(status.code(), Some(0), "{screen}");
    assert_eq!(paragraphs(&screen), paragraphs(SAMPLE), "{screen}");
    let output = files.answers(2, &[]);
    assert!(stderr(&output).contains("there is no terminal to ask at"), "{}", stderr(&output));
    assert!(stderr(&output).contains("down, announce or look"), "{}", stderr(&output));
}

#[test]
fn what_set_refuses_is_refused_after_the_questions_too() {
    let files = Files::with(&ServerRoot::seed());
    let before = files.content(ROOT);
    let output = typed(&files, &["ask"], &answers().replace("10.0.37.10", "2001:db8::10"));
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("bound to one IPv4 address, not to 2001:db8::10"));
    let lock = files.path("/run/ims/lock/ipbind-mail-1.lock");
    let held = fs_err::File::open(lock).unwrap();
    held.file().lock().unwrap();
    let output = typed(&files, &["ask", "--timeout", "0s"], &answers());
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert!(files.content(ROOT) == before);
}
