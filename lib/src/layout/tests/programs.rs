//! How the servers are started and stopped.

use super::*;

#[test]
fn the_programs_are_described_as_they_are_typed() {
    let files = [
        ("msg-a/postfix/main.cf", "queue_directory = /srv/ims/msg-a/queue\n"),
        ("msg-a/postfix/master.cf", SMTP),
        (
            "msg-a/dovecot/dovecot.conf",
            "base_dir = /run/ims/a/dovecot\nservice lmtp {\n  unix_listener /run/ims/a/sockets/lmtp {\n    mode = 0600\n  }\n}\n",
        ),
        ("slapd-d/slapd.conf", "argsfile /run/ims/d/slapd/slapd.args\n"),
        (
            "slapd-d/default",
            "SLAPD_USER=openldap\nSLAPD_GROUP=\"openldap\"\nSLAPD_PIDFILE=/run/ims/d/slapd/slapd.pid\nSLAPD_SERVICES='ldap://192.0.2.10/'\nSLAPD_OPTIONS='-d 0'\n",
        ),
    ];
    let (folder, host, instance) = host(Layout::PostfixDovecot, &files);
    let lines = |part| -> Vec<String> {
        let root = folder.path().display().to_string();
        let line = |program: Program| {
            let folders: Vec<String> = program
                .folders
                .iter()
                .map(|(path, owner, mode)| format!("{} {owner} {mode:o}", path.display()))
                .collect();
            let pid = program.pid_file.unwrap_or_default().display().to_string();
            format!("{} | {pid} | {}", program.start.to_string().replace(&root, ""), folders.join(", "))
        };
        programs(&host, &instance, part).unwrap().into_iter().map(line).collect()
    };
    assert_eq!(
        lines(Part::Mail),
        [
            "/usr/sbin/dovecot -c /srv/ims/msg-a/dovecot/dovecot.conf | /run/ims/a/dovecot/master.pid | \
             /run/ims root 755, /run/ims/a root 755, /run/ims/a/dovecot root 755, /run/ims/a/sockets root 755",
            "/usr/lib/postfix/sbin/master -c /srv/ims/msg-a/postfix -w | /srv/ims/msg-a/queue/pid/master.pid | "
        ]
    );
    assert_eq!(
        lines(Part::Directory),
        [
            "/usr/sbin/slapd -h ldap://192.0.2.10/ -f /srv/ims/slapd-d/slapd.conf -u openldap -g openldap -d 0 | \
          /run/ims/d/slapd/slapd.pid | /run/ims root 755, /run/ims/d root 755, /run/ims/d/slapd openldap 755"
        ]
    );
    let iplanet = Instance { layout: Layout::Iplanet5, ..instance };
    let msg = programs(&host, &iplanet, Part::Mail).unwrap().remove(0);
    assert_eq!(msg.start.words(), [host.path("/srv/ims/msg-a/start-msg").into_os_string()]);
    let Stop::Command(stop) = msg.stop else { panic!("{:?}", msg.stop) };
    assert_eq!(stop.words(), [host.path("/srv/ims/msg-a/stop-msg").into_os_string()]);
    let six = Instance { layout: Layout::Messaging6, ldap: None, ..iplanet };
    let msg = programs(&host, &six, Part::Mail).unwrap().remove(0);
    assert_eq!(msg.start.words(), [host.path("/srv/ims/sbin/start-msg").into_os_string()]);
    let Stop::Command(stop) = msg.stop else { panic!("{:?}", msg.stop) };
    assert_eq!(stop.words(), [host.path("/srv/ims/sbin/stop-msg").into_os_string()]);
    assert_eq!(programs(&host, &six, Part::Directory).unwrap(), []);
}
