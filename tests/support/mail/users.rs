//! The handful of users who live in LDAP.

/// The mail domain of every user.
pub const DOMAIN: &str = "example.test";

/// A user of the mail service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct User(pub &'static str);

impl User {
    /// Everyone there is.
    pub const ALL: [Self; 5] = [Self("alice"), Self("bob"), Self("carol"), Self("dave"), Self("erin")];

    /// The address that mail is sent to.
    pub fn address(self) -> String {
        format!("{}@{DOMAIN}", self.0)
    }

    /// The password in the directory.
    pub fn password(self) -> String {
        format!("{}-secret", self.0)
    }
}

/// The entries of the directory, in LDIF: the base and every user.
pub fn ldif() -> String {
    let mut text = include_str!("files/directory/base.ldif").to_owned();
    for user in User::ALL {
        let entry = include_str!("files/directory/user.ldif");
        text.push_str(&super::config::fill(entry, &[("uid", user.0), ("password", &user.password())]));
    }
    text
}
