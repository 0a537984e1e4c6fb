//! `ims-switch add` and `remove`: a group's file put on every node, or taken away from all of them. Every node is asked
//! first whether it may be, and none is changed before all have agreed.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ims::change::Change;
use ims::group::{Group, Kind};
use ims::name::{GroupName, NodeName};
use ims::nodes::{self, Nodes};
use ims::registry::Registry;
use ims::span::millis;
use ims::sys::{file, stderr};
use ims::{Exit, Fail, Host, Out};

use crate::cli::add::Files;
use crate::cli::{Add, Remove};
use crate::kin::Kin;
use crate::seat::clerk::Clerk;
use crate::seat::session::{Reached, Session, What};
use crate::seat::wire::{Ask, Say, answers_another};
use crate::shared;
use crate::status;

/// How long a node may take for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where requests about a group's file go.
enum Post {
    Here(Clerk),
    There(Session),
}

impl Post {
    fn ask(&self, ask: Ask, timeout: Duration) -> Result<Say, Fail> {
        match self {
            Self::Here(clerk) => clerk.perform(ask),
            Self::There(session) => session.ask(ask, timeout),
        }
    }
}

/// Every node that is described or that the group names, this one last: its file says which the others are, should the
/// run be killed on the way.
fn posts(host: &Host, name: &GroupName, of_group: &[NodeName]) -> Result<Vec<(NodeName, Post)>, Fail> {
    let known = Nodes::load(host)?;
    let mut names: Vec<NodeName> = known.names().chain(of_group).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|node| node.as_str() != host.name());
    let mut posts = Vec::new();
    for node in names {
        let reach = known.get(&node).filter(|node| !node.reach.is_empty()).ok_or_else(|| {
            Fail::usage(format!("{node} has no reach in {}", nodes::PATH))
                .hint("like reach = [\"ssh\", \"root@mail-2\"]")
        })?;
        match Session::open(&node, reach, name, What::File)? {
            Reached::Yes(session, _) => posts.push((node, Post::There(session))),
            Reached::Lost(why) => {
                return Err(Fail::unknown(format!("{node} cannot be reached"))
                    .because(why)
                    .hint("nothing was changed; every node must have the same files"));
            }
        }
    }
    posts.push((host.name().parse()?, Post::Here(Clerk::new(host, name)?)));
    Ok(posts)
}

/// Asks every node in turn; each failure names its node.
fn ask_all(posts: &[(NodeName, Post)], ask: &Ask, patience: Duration) -> Result<Vec<Say>, Fail> {
    posts.iter().map(|post| ask_one(post, ask, patience)).collect()
}

fn ask_one((node, post): &(NodeName, Post), ask: &Ask, patience: Duration) -> Result<Say, Fail> {
    post.ask(ask.clone(), patience).map_err(|fail| Fail::new(fail.exit(), format!("{node}: {fail}")))
}

/// Takes the group's lock on every node, by their names as runs of the group do: otherwise each would wait for a lock
/// that the other one holds.
fn lock(posts: &[(NodeName, Post)], timeout: Duration) -> Result<(), Fail> {
    let ask = Ask::Lock { patience_ms: millis(timeout) };
    let mut posts: Vec<&(NodeName, Post)> = posts.iter().collect();
    posts.sort_by_key(|(node, _)| node);
    posts.into_iter().try_for_each(|post| ask_one(post, &ask, timeout + PATIENCE).map(drop))
}

/// Asks all whether it may be, then has all do it.
fn everywhere(
    posts: &[(NodeName, Post)],
    files: &Files,
    ask: impl Fn(bool) -> Ask,
    may: impl FnOnce(&[Change], &mut Out) -> Result<(), Fail>,
    out: &mut Out,
) -> Result<Exit, Fail> {
    if !files.dry_run {
        lock(posts, files.timeout.0)?;
    }
    let says = ask_all(posts, &ask(true), PATIENCE)?;
    let changes: Vec<Change> =
        posts.iter().zip(says).map(|((node, _), say)| changed(node, say)).collect::<Result<_, _>>()?;
    may(&changes, out)?;
    if files.dry_run {
        for ((node, _), change) in posts.iter().zip(&changes) {
            out.text(&change.diff)?;
            out.record_of(node.as_str(), change)?;
        }
        return Ok(Exit::Ok);
    }
    let mut is_changed = false;
    for (node, post) in posts {
        let done = post.ask(ask(false), PATIENCE).and_then(|say| changed(node, say));
        let change = done.map_err(|fail| {
            let exit = if is_changed { Exit::Broken } else { fail.exit() };
            Fail::new(exit, format!("{node}: {fail}")).hint("mend that, then run the same command again")
        })?;
        is_changed |= change.changed;
        out.record_of(node.as_str(), &change)?;
    }
    Ok(Exit::Ok)
}

/// The change that a node tells of.
fn changed(node: &NodeName, say: Say) -> Result<Change, Fail> {
    let Say::Changed(change) = say else { return Err(answers_another(node)) };
    Ok(change)
}

/// Puts a group's file on every node.
pub fn add(host: &Host, args: &Add, out: &mut Out) -> Result<Exit, Fail> {
    let (name, text) = source(args)?;
    let group = Group::parse(name.clone(), &text, &args.file)?;
    refuse_forgotten(host, &group)?;
    let posts = posts(host, &name, &group.nodes)?;
    let may = |changes: &[Change], out: &mut Out| {
        let is_other = |change: &Change| change.changed && !change.diff.starts_with("--- /dev/null");
        if let (Some(change), false) = (changes.iter().find(|change| is_other(change)), args.force_replace) {
            out.text(&change.diff)?;
            return Err(Fail::refused(format!("{} says something else", change.file.display()))
                .hint("--force-replace replaces it, and with -n shows the difference"));
        }
        if changes.iter().any(|change| change.changed) {
            shared::refuse(host, &group)?;
            refuse_without_directory(host, &group)
        } else {
            Ok(())
        }
    };
    everywhere(&posts, &args.files, |dry_run| Ask::Put { text: text.clone(), dry_run }, may, out)
}

/// Refuses to forget a node of the group that nobody describes any more, and that is not asked: it may have all of it.
fn refuse_forgotten(host: &Host, group: &Group) -> Result<(), Fail> {
    // A file that was not valid was good for nothing that could be up.
    let Ok(before) = Group::load(host, &group.name) else { return Ok(()) };
    let known = Nodes::load(host)?;
    let is_asked = |node: &NodeName| {
        known.get(node).is_some() || group.nodes.contains(node) || node.as_str() == host.name()
    };
    match before.nodes.iter().find(|node| !is_asked(node)) {
        None => Ok(()),
        Some(node) => Err(Fail::refused(format!(
            "{node} is a node of {} until now and is not in {}: what is up there is unknown",
            group.name,
            nodes::PATH
        ))
        .hint(format!(
            "describe it; if it is no more, take it out of {} by hand on every node",
            Group::path(&group.name).display()
        ))),
    }
}

/// The group and its text.
fn source(args: &Add) -> Result<(GroupName, String), Fail> {
    let is_stdin = args.file == Path::new("-");
    let text = if is_stdin {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|e| Fail::io(Exit::Usage, "cannot read stdin", &e))?;
        text
    } else {
        file::read_text(&args.file)?
            .ok_or_else(|| Fail::usage(format!("{} is not there", args.file.display())))?
    };
    let stem = args.file.file_name().and_then(|name| name.to_str()?.strip_suffix(".toml"));
    let name = match (&args.name, stem) {
        (Some(name), _) => name.clone(),
        (None, Some(stem)) => stem.parse()?,
        (None, None) => {
            return Err(Fail::usage(format!("'{}' does not name a group", args.file.display()))
                .hint("a file GROUP.toml, or --name GROUP"));
        }
    };
    Ok((name, text))
}

/// Mail servers read their configuration from their directory server: where another group has that, it is required and
/// online.
fn refuse_without_directory(host: &Host, group: &Group) -> Result<(), Fail> {
    let registry = Registry::load(host)?;
    let others = Group::names(host)?.into_iter().filter(|name| *name != group.name);
    let others: Vec<Group> = others.map(|name| Group::load(host, &name)).collect::<Result<_, _>>()?;
    for resource in &group.resources {
        let Kind::MessagingServer { instance } = &resource.kind else { continue };
        let Some(ldap) = registry.get(instance).and_then(|entry| entry.ldap.as_ref()) else { continue };
        let has_it = |group: &Group| {
            group
                .resources
                .iter()
                .any(|other| matches!(&other.kind, Kind::DirectoryServer { instance } if instance == ldap))
        };
        let Some(other) = others.iter().find(|other| has_it(other)).filter(|_| !has_it(group)) else {
            continue;
        };
        let what = format!("{} reads its configuration from {ldap} of {}", resource.name, other.name);
        if !group.requires_groups.contains(&other.name) {
            return Err(Fail::refused(format!("{what}, which is not among requires_groups"))
                .hint(format!("requires_groups = [\"{}\"]", other.name)));
        }
        if status::of(host, &other.name)?.group.online_on.is_none() {
            return Err(Fail::refused(format!("{what}, which is not online"))
                .hint(format!("ims-switch online {}", other.name)));
        }
    }
    Ok(())
}

/// Takes a group's file away from every node. One that is nowhere is taken away already.
pub fn remove(host: &Host, args: &Remove, out: &mut Out) -> Result<Exit, Fail> {
    let name = &args.group;
    let nodes = if Group::names(host)?.contains(name) { Group::load(host, name)?.nodes } else { Vec::new() };
    if let Some(other) = Kin::load(host)?.dependents(name).next() {
        return Err(
            Fail::refused(format!("{other} requires {name}")).hint(format!("ims-switch remove {other}"))
        );
    }
    let may = |changes: &[Change], _: &mut Out| {
        if changes.iter().all(|change| !change.changed) {
            stderr::say("ims-switch", format_args!("no node has a group '{name}'"));
        }
        Ok(())
    };
    everywhere(&posts(host, name, &nodes)?, &args.files, |dry_run| Ask::Remove { dry_run }, may, out)
}
