//! Fencing: making sure that a node which cannot be reached does nothing any more, by the fence agent of
//! `nodes.toml` or by the word of a person.

use ims::fencing::{AGENT, Fenced};
use ims::name::NodeName;
use ims::nodes::{self, Node, Nodes};
use ims::sys::exec::Line;
use ims::sys::file;
use ims::{Exit, Fail, Host, Out};
use jiff::Timestamp;

use crate::cli::Fence;
use crate::guards;

/// The fence agent's command line. Agents that are given arguments do not read their stdin, and without an action
/// they would reboot the node.
fn line(node: &Node) -> Line {
    let line = Line::new(&node.fence);
    let is_agent = node.fence.first().is_some_and(|program| {
        std::path::Path::new(program)
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("fence_"))
    });
    let arguments = node.fence.get(1..).unwrap_or_default();
    let has_action =
        arguments.iter().any(|word| word == "-o" || word == "--action" || word.starts_with("--action="));
    if is_agent && !arguments.is_empty() && !has_action { line.arg("--action=off") } else { line }
}

/// What the agent reads: the action, the node, the options of `nodes.toml`, and the file of secrets.
fn input(host: &Host, name: &NodeName, node: &Node) -> Result<String, Fail> {
    let mut lines = vec!["action=off".to_owned()];
    if node.fence_options.iter().all(|(key, _)| key != "plug" && key != "port") {
        lines.push(format!("plug={name}"));
    }
    lines.extend(node.fence_options.iter().map(|(key, value)| format!("{key}={value}")));
    if let Some(path) = &node.fence_secrets {
        let text = file::read_text(&host.path(path))?
            .ok_or_else(|| Fail::usage(format!("{} is not there", path.display())))?;
        lines.extend(text.lines().map(str::trim).filter(|line| line.contains('=')).map(ToOwned::to_owned));
    }
    Ok(lines.join("\n") + "\n")
}

/// What an agent printed, without the secrets that it was given: some repeat their options when they fail.
fn without_secrets(words: &str, input: &str, node: &Node) -> String {
    let is_open = |key: &str, value: &str| {
        let is_option = node.fence_options.iter().any(|(k, v)| k == key && v == value);
        ["action", "plug", "port"].contains(&key) || (is_option && !key.contains("pass"))
    };
    input
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
        .filter(|(key, value)| !value.is_empty() && !is_open(key, value))
        .fold(words.to_owned(), |words, (_, secret)| words.replace(secret, "***"))
}

/// Whether a node has a fence agent.
pub fn is_possible(node: Option<&Node>) -> bool {
    node.is_some_and(|node| !node.fence.is_empty())
}

/// Fences a node by its agent. Only its status 0 confirms it.
pub fn by_agent(host: &Host, name: &NodeName, node: Option<&Node>) -> Result<Fenced, Fail> {
    let way_out = || format!("switch {name} off and say --confirm-fenced {name}");
    let node = node.filter(|node| is_possible(Some(node))).ok_or_else(|| {
        Fail::refused(format!("{name} has no fence agent in {}", nodes::PATH)).hint(way_out())
    })?;
    if name.as_str() == host.name() {
        return Err(Fail::refused(format!("{name} is this node; it does not fence itself")));
    }
    let line = line(node);
    let input = input(host, name, node)?;
    // An agent that went on without us would switch the node off whenever it comes to it, and nobody would know.
    let ended = line
        .clone()
        .run_bound_to_its_end(input.as_bytes(), node.fence_timeout)
        .map_err(|fail| Fail::refused(format!("{name} could not be fenced")).because(fail).hint(way_out()))?;
    if !ended.is_success() {
        return Err(Fail::refused(format!("{name} could not be fenced: {} failed", line.program()))
            .because(without_secrets(&ended.last_words(), &input, node))
            .hint(way_out()));
    }
    Ok(Fenced {
        node: name.clone(),
        method: line.program(),
        confirmed_by: AGENT.to_owned(),
        time: Timestamp::now(),
        guards: Vec::new(),
    })
}

/// Fences a node because somebody says so, and keeps the proof on this node.
pub fn command(host: &Host, args: &Fence, out: &mut Out) -> Result<Exit, Fail> {
    let nodes = Nodes::load(host)?;
    let node = nodes.get(&args.node);
    if node.is_none() && args.node.as_str() != host.name() {
        return Err(Fail::usage(format!("{} is no node in {}", args.node, nodes::PATH)));
    }
    if args.dry_run && args.node.as_str() != host.name() {
        out.text(&node.map(|node| line(node).to_string()).unwrap_or_default())?;
        return if is_possible(node) {
            Ok(Exit::Ok)
        } else {
            by_agent(host, &args.node, None).map(|_| Exit::Ok)
        };
    }
    let fenced = by_agent(host, &args.node, node)?;
    // Looked at now, when it is off: whatever they say later than this, it was not this node that wrote it.
    let fenced = Fenced { guards: guards::of_all_groups(host), ..fenced };
    fenced.keep(host)?;
    out.record(&fenced)?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(words: &[&str]) -> Node {
        Node { fence: words.iter().map(|word| (*word).to_owned()).collect(), ..Node::default() }
    }

    #[test]
    fn an_agent_is_told_to_switch_off_and_never_to_reboot() {
        for (words, shown) in [
            (&["fence_ipmilan"][..], "fence_ipmilan"),
            (&["fence_ipmilan", "--ip=192.0.2.200"], "fence_ipmilan --ip=192.0.2.200 --action=off"),
            (&["/usr/sbin/fence_x", "-o", "off"], "/usr/sbin/fence_x -o off"),
            (&["/usr/local/bin/off", "mail-2"], "/usr/local/bin/off mail-2"),
        ] {
            assert_eq!(line(&node(words)).to_string(), shown);
        }
    }

    #[test]
    fn what_an_agent_needs_goes_to_its_stdin_and_not_to_its_arguments() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::below(folder.path());
        file::replace(&folder.path().join("secret"), b"# the BMC\npasswd=x\n\n").unwrap();
        let mut node = node(&["fence_ipmilan"]);
        node.fence_options = vec![("ip".to_owned(), "192.0.2.200".to_owned())];
        node.fence_secrets = Some("/secret".into());
        let name = "mail-2".parse().unwrap();
        assert_eq!(
            input(&host, &name, &node).unwrap(),
            "action=off\nplug=mail-2\nip=192.0.2.200\npasswd=x\n"
        );
        node.fence_options.push(("plug".to_owned(), "3".to_owned()));
        assert!(!input(&host, &name, &node).unwrap().contains("plug=mail-2"));
    }

    #[test]
    fn only_a_status_of_zero_confirms_it() {
        let host = Host::below(std::path::Path::new("/"));
        let name: NodeName = "mail-9".parse().unwrap();
        let ok = by_agent(&host, &name, Some(&node(&["grep", "-q", "^plug=mail-9$"]))).unwrap();
        assert_eq!((ok.confirmed_by.as_str(), ok.method.as_str()), ("agent", "grep"));
        for words in [&["false"][..], &["sh", "-c", "kill -9 $$"], &[]] {
            let fail = by_agent(&host, &name, Some(&node(words))).unwrap_err();
            assert_eq!(fail.exit(), ims::Exit::Refused, "{words:?}");
            assert!(fail.to_string().contains("--confirm-fenced mail-9"), "{fail}");
        }
    }
}
