//! The words of the original's script, `ha_ip_config`, folded for a terminal of 80 columns.

/// Before the first question.
pub const ADDRESS: &str = "\
Please specify the IP address assigned to the HA logical host name. Use dotted
decimal form, a.b.c.d
";

/// Before the second.
pub const ROOT: &str = "\
Please specify the path to the top level directory in which iMS is installed.
This is the server root directory which contains the instance directories.
";

/// Before the third; the names follow.
pub const INSTANCE: &str = "\
Next, please specify the name of the iMS instance for which to effect the
configuration changes. Omit the leading \"msg-\" from the name. Possible
instances include:
";

/// Before the directory server's name; the names follow.
pub const LDAP: &str = "\
Please specify the name of the LDAP server instance for which to effect the
configuration changes. This LDAP server instance must live in a subdirectory
of the iMS server root previously specified. Omit the leading \"slapd-\" from
the LDAP server instance name. Possible instances include:
";

/// The questions, each with the end that stands behind its default.
pub mod question {
    /// Its words, and what ends it.
    pub type Question = (&'static str, &'static str);

    /// The logical address.
    pub const ADDRESS: Question = ("Logical IP address", ": ");
    /// The server root.
    pub const ROOT: Question = ("iMS server root", ": ");
    /// The mail server.
    pub const INSTANCE: Question = ("iMS instance name", ": ");
    /// Whether a directory server is meant too.
    pub const ALSO_LDAP: Question =
        ("Also configure an LDAP server instance in the same iMS server root", "? ");
    /// The directory server.
    pub const LDAP: Question = ("LDAP instance name", ": ");
    /// Whether all is as it should be.
    pub const CHANGE: Question = ("Do you wish to change any of the above choices (yes/no)", "? ");
}
