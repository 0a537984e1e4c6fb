//! A server root: any number of mail instances and directory servers below one folder, in either layout.

use std::io;
use std::path::{Path, PathBuf};

use super::config::Tree;
use super::iplanet::{self, FIVE, SIX};
use super::postfix_dovecot;

/// How the server root is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Postfix, Dovecot and `OpenLDAP` with their own files.
    PostfixDovecot,
    /// The files and commands of iPlanet Messaging Server 5, in front of the same servers.
    Iplanet5,
    /// Those of Sun Messaging Server 6, where a root is one instance.
    Messaging6,
}

/// The TCP ports of a mail instance; the last two are of the iPlanet and Sun line alone.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// SMTP.
    pub smtp: u16,
    /// IMAP.
    pub imap: u16,
    /// POP3.
    pub pop3: u16,
    /// SMTP submission.
    pub submission: u16,
    /// The Job Controller.
    pub job_controller: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self { smtp: 25, imap: 143, pop3: 110, submission: 587, job_controller: 27442 }
    }
}

/// A mail instance, `msg-<name>`.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its name, without `msg-`.
    pub name: String,
    /// Where it asks for users: the directory server at its logical address.
    pub ldap_url: String,
    /// Where it listens.
    pub ports: Ports,
    /// Where its mailboxes are, when not below its own folder.
    pub store: Option<PathBuf>,
    /// Where its queue is, when not below its own folder.
    pub queue: Option<PathBuf>,
    /// The directory server that has its configuration, the mail domains, when not its own file.
    pub config_url: Option<String>,
}

impl Mail {
    /// A mail instance on the standard ports that asks the directory server at a URL.
    pub fn new(name: &str, ldap_url: &str) -> Self {
        let (name, ldap_url) = (name.to_owned(), ldap_url.to_owned());
        Self { name, ldap_url, ports: Ports::default(), store: None, queue: None, config_url: None }
    }

    /// The same with its mailboxes and its queue in folders elsewhere.
    #[must_use]
    pub fn keeping(mut self, store: impl Into<PathBuf>, queue: impl Into<PathBuf>) -> Self {
        (self.store, self.queue) = (Some(store.into()), Some(queue.into()));
        self
    }

    /// The same, which asks the directory server at a URL for its configuration.
    #[must_use]
    pub fn configured_by(mut self, url: &str) -> Self {
        self.config_url = Some(url.to_owned());
        self
    }

    /// The same on other ports.
    #[must_use]
    pub fn on(mut self, ports: Ports) -> Self {
        self.ports = ports;
        self
    }
}

/// A directory instance, `slapd-<name>`.
#[derive(Debug, Clone)]
pub struct Directory {
    /// Its name, without `slapd-`.
    pub name: String,
    /// Where it listens.
    pub port: u16,
}

impl Directory {
    /// A directory instance on port 389.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), port: 389 }
    }

    /// The same on another port.
    #[must_use]
    pub const fn on(mut self, port: u16) -> Self {
        self.port = port;
        self
    }
}

/// A server root as its installer leaves it: every server listens on every address.
#[derive(Debug, Clone)]
pub struct ServerRoot {
    root: PathBuf,
    flavour: Flavour,
    mails: Vec<Mail>,
    directories: Vec<Directory>,
}

impl ServerRoot {
    /// An empty server root at an absolute path of the node.
    pub fn new(flavour: Flavour, root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), flavour, mails: Vec::new(), directories: Vec::new() }
    }

    /// An empty server root in the `postfix-dovecot` layout.
    pub fn postfix_dovecot(root: impl Into<PathBuf>) -> Self {
        Self::new(Flavour::PostfixDovecot, root)
    }

    /// A server root in the `messaging-6` layout with its one instance.
    pub fn messaging6(root: impl Into<PathBuf>, mail: Mail) -> Self {
        Self::new(Flavour::Messaging6, root).mail(mail)
    }

    /// The server root of the seed's sample run: `mail-1`, `mail-2` and `elenchus` below `/opt/iplanet/server5`.
    ///
    /// Its second instance has a Job Controller port of its own, as the seed's last step asks for.
    pub fn seed() -> Self {
        let second = Ports { job_controller: 27443, ..Ports::default() };
        Self::new(Flavour::Iplanet5, "/opt/iplanet/server5")
            .mail(Mail::new("mail-1", "ldap://10.0.37.10:389/"))
            .mail(Mail::new("mail-2", "ldap://10.0.37.10:389/").on(second))
            .directory(Directory::new("elenchus"))
    }

    /// Adds a mail instance.
    #[must_use]
    pub fn mail(mut self, mail: Mail) -> Self {
        self.mails.push(mail);
        self
    }

    /// Adds a directory instance.
    #[must_use]
    pub fn directory(mut self, directory: Directory) -> Self {
        self.directories.push(directory);
        self
    }

    /// The server root's path on the node.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The folder of a mail instance.
    pub fn mail_dir(&self, name: &str) -> PathBuf {
        match self.flavour {
            Flavour::PostfixDovecot | Flavour::Iplanet5 => self.root.join(format!("msg-{name}")),
            Flavour::Messaging6 => self.root.clone(),
        }
    }

    /// The folder of a directory instance.
    pub fn directory_dir(&self, name: &str) -> PathBuf {
        self.root.join(format!("slapd-{name}"))
    }

    /// Writes every file of it into a node's file tree: `/proc/PID/root` of a node, or a folder given as `--root`.
    pub fn lay(&self, slash: &Path) -> io::Result<()> {
        let tree = Tree::below(slash);
        for mail in &self.mails {
            let dir = self.mail_dir(&mail.name);
            match self.flavour {
                Flavour::PostfixDovecot => postfix_dovecot::mail(&tree, &dir, mail)?,
                Flavour::Iplanet5 => iplanet::mail(&tree, &dir, &FIVE, mail)?,
                Flavour::Messaging6 => iplanet::mail(&tree, &dir, &SIX, mail)?,
            }
        }
        for directory in &self.directories {
            let dir = self.directory_dir(&directory.name);
            match self.flavour {
                Flavour::PostfixDovecot => postfix_dovecot::directory(&tree, &dir, directory)?,
                Flavour::Iplanet5 | Flavour::Messaging6 => iplanet::directory(&tree, &dir, directory)?,
            }
        }
        Ok(())
    }

    /// Does what the servers' own tools must do once, on a node that sees the laid files: the mail queue's folders,
    /// and a directory filled offline. `run` runs a command line there and fails when the command does.
    pub fn settle<E>(&self, mut run: impl FnMut(&[&str]) -> Result<(), E>) -> Result<(), E> {
        let has_own_files = self.flavour == Flavour::PostfixDovecot;
        for mail in self.mails.iter().filter(|_| has_own_files) {
            let config = self.mail_dir(&mail.name).join("postfix").display().to_string();
            run(&["postfix", "-c", &config, "post-install", "create-missing"])?;
        }
        for directory in &self.directories {
            let dir = self.directory_dir(&directory.name);
            let conf = match self.flavour {
                Flavour::PostfixDovecot => dir.join("slapd.conf"),
                Flavour::Iplanet5 | Flavour::Messaging6 => dir.join("lib/slapd.conf"),
            };
            let (conf, seed) = (conf.display().to_string(), dir.join("users.ldif").display().to_string());
            let db = dir.join("db").display().to_string();
            run(&["slapadd", "-f", &conf, "-l", &seed])?;
            run(&["chown", "-R", "openldap:openldap", &db])?;
        }
        Ok(())
    }
}
