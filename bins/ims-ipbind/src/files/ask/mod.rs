//! The questions of the original's script, `ha_ip_config`: the same, in the same order and in its words. What comes
//! of the answers is what `set` does.
//!
//! Until the last one is answered nothing is locked and nothing is written.

mod words;

use std::fmt::Display;
use std::path::PathBuf;

use ims::address::Address;
use ims::instance::Instance;
use ims::layout::detect::{self, Scanned};
use ims::name::DirectoryName;
use ims::registry::absolute;
use ims::sys::file;
use ims::sys::prompt::Prompt;
use ims::sys::stderr;
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Host, Out};

use super::chosen::{self, Chosen};
use super::{NAME, bind, cli};
use words::question::{self, Question};

/// How often a question is asked again: a program may type the same wrong answer for ever.
const PATIENCE: usize = 20;

/// Asks, then makes the servers listen on the logical address alone.
pub fn ask(host: &Host, args: &cli::Ask, out: &mut Out) -> Result<Exit, Fail> {
    let stop = Stop::watch()?;
    let one = Dialogue { host, prompt: Prompt::new(&stop) }.hold()?;
    let stop = (!args.change.dry_run).then_some(&stop);
    bind(host, &one, &args.change, stop, out)?;
    Ok(Exit::Ok)
}

/// What is below a server root.
struct Root {
    path: PathBuf,
    mails: Vec<Instance>,
    ldaps: Vec<DirectoryName>,
}

struct Dialogue<'a> {
    host: &'a Host,
    prompt: Prompt<'a>,
}

impl Dialogue<'_> {
    /// Asks until nothing is to be changed any more; what was answered before is then the default.
    fn hold(&mut self) -> Result<Chosen, Fail> {
        let mut before: Option<Chosen> = None;
        loop {
            let one = self.round(before.as_ref())?;
            self.sum_up(&one);
            if !self.is_yes(question::CHANGE, false)? {
                return Ok(one);
            }
            before = Some(one);
        }
    }

    fn round(&mut self, before: Option<&Chosen>) -> Result<Chosen, Fail> {
        let addresses = self.addresses(before)?;
        let root = self.root(before)?;
        let known = before.map(|before| &before.instance).filter(|instance| instance.root == root.path);
        let mut instance = self.instance(&root, known)?;
        instance.ldap = self.ldap(&root, known)?;
        chosen::stands(self.host, &instance)?;
        Ok(Chosen { instance, addresses })
    }

    fn addresses(&mut self, before: Option<&Chosen>) -> Result<Vec<Address>, Fail> {
        self.prompt.tell(format_args!("{}\n", words::ADDRESS));
        let default = before.map(|before| list(&before.addresses));
        self.until_good(question::ADDRESS, default.as_deref(), |answer| {
            let parts = answer.split([',', ' ', '\t']).filter(|part| !part.is_empty());
            let addresses = parts.map(str::parse).collect::<Result<Vec<Address>, Fail>>()?;
            if addresses.is_empty() { answer.parse().map(|one| vec![one]) } else { Ok(addresses) }
        })
    }

    fn root(&mut self, before: Option<&Chosen>) -> Result<Root, Fail> {
        self.prompt.tell(format_args!("{}\n", words::ROOT));
        let default = before.map(|before| before.instance.root.display().to_string());
        let host = self.host;
        self.until_good(question::ROOT, default.as_deref(), |answer| {
            let path: PathBuf = absolute(answer)?.components().collect();
            if !file::is_folder(&host.path(&path))? {
                return Err(Fail::usage(format!("{} is not a folder of this node", path.display()))
                    .hint("another node may master its volume"));
            }
            let Scanned { instances: mut mails, untold } = detect::instances(host, &path)?;
            mails.retain(|instance| instance.mail);
            if let (true, Some(fail)) = (mails.is_empty(), untold.into_iter().next()) {
                return Err(fail);
            }
            if mails.is_empty() {
                return Err(Fail::usage(format!(
                    "there is no msg-* with a mail server below {}",
                    path.display()
                )));
            }
            let folders = detect::names(host, &path)?;
            let ldaps =
                folders.iter().filter_map(|folder| folder.strip_prefix("slapd-")?.parse().ok()).collect();
            Ok(Root { path, mails, ldaps })
        })
    }

    fn instance(&mut self, root: &Root, before: Option<&Instance>) -> Result<Instance, Fail> {
        let names: Vec<&str> = root.mails.iter().map(|instance| instance.name.as_str()).collect();
        self.offer(words::INSTANCE, &names);
        let default = names.iter().find(|name| before.is_some_and(|before| before.name.as_str() == **name));
        self.until_good(question::INSTANCE, default.or(names.first()).copied(), |answer| {
            let found = root.mails.iter().find(|instance| instance.name.as_str() == answer);
            found.cloned().ok_or_else(|| none_of("an instance", answer, &names))
        })
    }

    /// The directory server that is bound too; nothing is asked where there is none.
    fn ldap(&mut self, root: &Root, before: Option<&Instance>) -> Result<Option<DirectoryName>, Fail> {
        let names: Vec<&str> = root.ldaps.iter().map(DirectoryName::as_str).collect();
        let wanted_before = before.is_none_or(|before| before.ldap.is_some());
        if names.is_empty() || !self.is_yes(question::ALSO_LDAP, wanted_before)? {
            return Ok(None);
        }
        self.offer(words::LDAP, &names);
        let before = before.and_then(|before| before.ldap.as_ref()).map(DirectoryName::as_str);
        let default = before.filter(|name| names.contains(name)).or(names.first().copied());
        self.until_good(question::LDAP, default, |answer| {
            let found = root.ldaps.iter().find(|ldap| ldap.as_str() == answer);
            found.cloned().map(Some).ok_or_else(|| none_of("an LDAP instance", answer, &names))
        })
    }

    /// The names that can be answered, a line each.
    fn offer(&self, words: &str, names: &[&str]) {
        self.prompt.tell(format_args!("{words}\n"));
        for name in names {
            self.prompt.tell(format_args!("{name}\n"));
        }
        self.prompt.tell('\n');
    }

    fn sum_up(&self, one: &Chosen) {
        let tell = |(words, _): Question, answer: &dyn Display| {
            self.prompt.tell(format_args!("{words}: {answer}\n"));
        };
        tell(question::ADDRESS, &list(&one.addresses));
        tell(question::ROOT, &one.instance.root.display());
        tell(question::INSTANCE, &one.instance.name);
        if let Some(ldap) = &one.instance.ldap {
            tell(question::LDAP, ldap);
        }
        self.prompt.tell('\n');
    }

    fn is_yes(&mut self, question: Question, default: bool) -> Result<bool, Fail> {
        let default = if default { "yes" } else { "no" };
        self.until_good(question, Some(default), |answer| match answer.to_ascii_lowercase().as_str() {
            "yes" | "y" => Ok(true),
            "no" | "n" => Ok(false),
            _ => Err(Fail::usage(format!("neither yes nor no: '{}'", answer.escape_debug()))),
        })
    }

    /// Asks until the answer can be read; what is wrong with it is told in a line. RETURN takes the default.
    fn until_good<T>(
        &mut self,
        (words, end): Question,
        default: Option<&str>,
        read: impl Fn(&str) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        for _ in 0..PATIENCE {
            let answer = match self.prompt.ask(format_args!("{words}{shown}{end}")) {
                Ok(Some(answer)) => answer,
                Ok(None) => {
                    return Err(Fail::failed("the answers ended before the questions").hint(UNTOUCHED));
                }
                Err(fail) => return Err(fail.hint(UNTOUCHED)),
            };
            match read(default.filter(|_| answer.is_empty()).unwrap_or(&answer)) {
                Ok(good) => {
                    self.prompt.tell('\n');
                    return Ok(good);
                }
                Err(fail) => stderr::say(NAME, fail),
            }
        }
        Err(Fail::usage(format!("{PATIENCE} answers to '{words}' and none of them can be used"))
            .hint(UNTOUCHED))
    }
}

const UNTOUCHED: &str = "nothing was changed";

fn list(addresses: &[Address]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn none_of(what: &str, answer: &str, names: &[&str]) -> Fail {
    Fail::usage(format!("not {what} below that server root: '{}'", answer.escape_debug()))
        .hint(chosen::those(names))
}
