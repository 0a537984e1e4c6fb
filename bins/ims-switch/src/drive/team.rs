//! The nodes of a group during a run: a seat for each that answers, the reason for each that does not.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use ims::fencing::Fenced;
use ims::group::{Group, Kind};
use ims::instance::Instance;
use ims::name::{NodeName, ResourceName};
use ims::nodes::{self, Node, Nodes};
use ims::registry::{self, Registry};
use ims::span::millis;
use ims::sys::stderr;
use ims::{Fail, Host, State};

use crate::fence;
use crate::found::{Found, Seen, States};
use crate::resource::Looked;
use crate::seat::Seat;
use crate::seat::desk::Desk;
use crate::seat::session::{Reached, Session, What};
use crate::seat::wire::{Ask, Hello, Say, answers_another};

/// How long a node may take to keep a proof.
const PROVE: Duration = Duration::from_secs(30);
/// How long looking at a whole node may take.
const LOOK: Duration = Duration::from_secs(60);

/// The nodes of a group.
#[derive(Debug)]
pub struct Team {
    /// The group.
    pub group: Group,
    /// How nodes are reached and fenced.
    pub nodes: Nodes,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    node: NodeName,
    seat: Result<(Seat, Hello), String>,
    /// The seat after the first session ended, when the node answered again.
    again: OnceLock<Seat>,
}

impl Member {
    fn seat(&self) -> Option<&Seat> {
        self.again.get().or_else(|| self.seat.as_ref().ok().map(|(seat, _)| seat))
    }
}

/// What was found of each resource on each node, with its reasons.
pub type Details = BTreeMap<NodeName, BTreeMap<ResourceName, Looked>>;

fn member(host: &Host, group: &Group, name: &NodeName, node: Option<&Node>) -> Result<Member, Fail> {
    let member = |seat| Member { node: name.clone(), seat, again: OnceLock::new() };
    if name.as_str() == host.name() {
        let desk = Desk::new(host, group.clone())?;
        let hello = desk.hello()?;
        return Ok(member(Ok((Seat::Here(Box::new(desk)), hello))));
    }
    let node = node.filter(|node| !node.reach.is_empty()).ok_or_else(|| {
        Fail::usage(format!("{name} has no reach in {}", nodes::PATH))
            .hint("like reach = [\"ssh\", \"root@mail-2\"]")
    })?;
    Ok(match Session::open(name, node, &group.name, What::Group)? {
        Reached::Yes(session, hello) => member(Ok((Seat::There(session), hello))),
        Reached::Lost(why) => member(Err(why)),
    })
}

impl Team {
    /// Reaches every node of a group at once, or one alone.
    pub fn gather(host: &Host, group: Group, nodes: Nodes, alone: Option<&NodeName>) -> Result<Self, Fail> {
        let members: Result<Vec<Member>, Fail> = std::thread::scope(|scope| {
            let threads: Vec<_> = group
                .nodes
                .iter()
                .filter(|name| alone.is_none_or(|alone| alone == *name))
                .map(|name| {
                    let (group, nodes) = (&group, &nodes);
                    scope.spawn(move || member(host, group, name, nodes.get(name)))
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| {
                    thread.join().unwrap_or_else(|_| Err(Fail::unknown("a thread ended too early")))
                })
                .collect()
        });
        Ok(Self { members: members?, group, nodes })
    }

    /// The seats of the nodes that answered.
    pub fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.members.iter().filter_map(Member::seat)
    }

    /// The seats of the nodes that still answer.
    pub fn present(&self) -> impl Iterator<Item = &Seat> {
        self.seats().filter(|seat| seat.lost().is_none())
    }

    /// The nodes that do not answer.
    pub fn lost(&self) -> Vec<NodeName> {
        let is_lost = |member: &&Member| member.seat().is_none_or(|seat| seat.lost().is_some());
        self.members.iter().filter(is_lost).map(|member| member.node.clone()).collect()
    }

    /// Gives every node that answers the proof that a node was fenced. The node is off all the same where it cannot be
    /// kept: `ims-diskctl take` watches the guard then.
    pub fn prove(&self, host: &Host, fenced: &Fenced) {
        let kept = fenced.keep(host).map(drop).map_err(|fail| (host.name().to_owned(), fail));
        let given = self.present().map(|seat| {
            let asked = seat.ask(Ask::Prove { fenced: fenced.clone() }, PROVE);
            asked.map(drop).map_err(|fail| (seat.node().to_string(), fail))
        });
        for (node, fail) in std::iter::once(kept).chain(given).filter_map(Result::err) {
            stderr::say(
                "ims-switch",
                format_args!("{node} has no proof that {} is off: {fail}", fenced.node),
            );
        }
    }

    /// The seat of a node.
    pub fn seat(&self, node: &NodeName) -> Result<&Seat, Fail> {
        self.seats()
            .find(|seat| seat.node() == node)
            .ok_or_else(|| Fail::unknown(format!("{node} cannot be reached")))
    }

    /// What on the other nodes differs from this one: the group's file, and its instances in the registry.
    pub fn differences(&self, host: &Host) -> Result<Vec<(NodeName, String)>, Fail> {
        let ours = Registry::load(host)?;
        let mut found = Vec::new();
        for (node, hello) in
            self.members.iter().filter_map(|member| Some((&member.node, &member.seat.as_ref().ok()?.1)))
        {
            if let Some(line) = first_difference(&self.group.text, &hello.group) {
                let path = Group::path(&self.group.name);
                found.push((node.clone(), format!("{} differs from line {line} on", path.display())));
            }
            let theirs = Registry::parse(&hello.registry, std::path::Path::new(registry::PATH))
                .map_err(|fail| Fail::usage(node.to_string()).because(fail))?;
            for resource in &self.group.resources {
                let (here, there) = (entry(&ours, &resource.kind), entry(&theirs, &resource.kind));
                if here.is_none() && there.is_none() && resource.kind.instance().is_some() {
                    found.push((
                        node.clone(),
                        format!("{} has no entry for {}", registry::PATH, resource.name),
                    ));
                } else if here != there {
                    found.push((
                        node.clone(),
                        format!("the entry for {} in {} differs", resource.name, registry::PATH),
                    ));
                }
            }
        }
        Ok(found)
    }

    /// Takes the group's lock on every node that answered, one after the other by their names, as everything does that
    /// takes it on several, so that two runs cannot each hold one and wait for the other's.
    pub fn lock(&self, patience: Duration) -> Result<(), Fail> {
        let mut seats: Vec<&Seat> = self.seats().collect();
        seats.sort_by_key(|seat| seat.node());
        for seat in seats {
            let ask = Ask::Lock { patience_ms: millis(patience) };
            seat.ask(ask, patience + LOOK)
                .map_err(|fail| Fail::new(fail.exit(), format!("{}: {fail}", seat.node())))?;
        }
        Ok(())
    }

    /// Looks at every node at once.
    pub fn look(&self) -> (Found, Details) {
        let mut details = Details::new();
        let looked: Vec<(NodeName, Seen)> = std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .members
                .iter()
                .map(|member| (&member.node, scope.spawn(move || self.look_at(member))))
                .collect();
            threads
                .into_iter()
                .map(|(node, thread)| {
                    let (seen, looked) = thread.join().unwrap_or_else(|_| self.blind("looking at it failed"));
                    details.insert(node.clone(), looked);
                    (node.clone(), seen)
                })
                .collect()
        });
        (Found::new(looked), details)
    }

    fn look_at(&self, member: &Member) -> (Seen, BTreeMap<ResourceName, Looked>) {
        let lost = |why: &str| {
            let can_be_fenced = fence::is_possible(self.nodes.get(&member.node));
            let (_, looked) = self.blind(why);
            (Seen::Lost { why: why.to_owned(), can_be_fenced }, looked)
        };
        let seat = match (&member.seat, member.seat()) {
            (Err(why), _) => return lost(why),
            (Ok((first, _)), seat) => seat.unwrap_or(first),
        };
        let seat = match seat.lost().map(|_| self.reach_again(member)) {
            None => seat,
            Some(Ok(Ok(seat))) => seat,
            Some(Ok(Err(why))) => return lost(&why),
            Some(Err(fail)) => return self.blind(&fail.to_string()),
        };
        let looked = seat.ask(Ask::Look, LOOK).and_then(|say| {
            let Say::Looked(looked) = say else { return Err(answers_another(seat.node())) };
            Ok(looked)
        });
        match looked {
            Ok(looked) => {
                let states: States = looked.iter().map(|(name, (state, _))| (name.clone(), *state)).collect();
                (Seen::Reached(states), looked)
            }
            Err(fail) => match seat.lost() {
                Some(why) => lost(&why),
                None => self.blind(&fail.to_string()),
            },
        }
    }

    /// Reaches a node anew whose session ended: only when that fails too is it lost, and why. What ended may have been
    /// our program there alone; its steps hold the group's lock until they end.
    fn reach_again<'a>(&self, member: &'a Member) -> Result<Result<&'a Seat, String>, Fail> {
        let name = &member.node;
        let node = self.nodes.get(name).ok_or_else(|| Fail::unknown(format!("{name} has no reach")))?;
        let (session, hello) = match Session::open(name, node, &self.group.name, What::Group)? {
            Reached::Yes(session, hello) => (session, hello),
            Reached::Lost(why) => return Ok(Err(why)),
        };
        if member.again.get().is_some() || hello.group != self.group.text {
            return Err(Fail::unknown(format!("the session with {name} ended again, and it answers")));
        }
        session.ask(Ask::Lock { patience_ms: millis(LOOK) }, LOOK * 2)?;
        Ok(Ok(member.again.get_or_init(|| Seat::There(session))))
    }

    /// A node that answers and of which nothing could be found out.
    fn blind(&self, why: &str) -> (Seen, BTreeMap<ResourceName, Looked>) {
        let looked: BTreeMap<ResourceName, Looked> = self
            .group
            .resources
            .iter()
            .map(|resource| (resource.name.clone(), (State::Unknown, Some(why.to_owned()))))
            .collect();
        let states = looked.iter().map(|(name, (state, _))| (name.clone(), *state)).collect();
        (Seen::Reached(states), looked)
    }
}

/// The first line, from 1, in which two texts differ.
fn first_difference(one: &str, two: &str) -> Option<usize> {
    if one == two {
        return None;
    }
    let same = one.lines().zip(two.lines()).take_while(|(one, two)| one == two).count();
    Some(same + 1)
}

fn entry<'a>(registry: &'a Registry, kind: &Kind) -> Option<&'a Instance> {
    match kind {
        Kind::MessagingServer { instance } => registry.get(instance),
        Kind::DirectoryServer { instance } => {
            registry.instances().find(|entry| entry.ldap.as_ref() == Some(instance))
        }
        Kind::Nic { .. }
        | Kind::LogicalIp { .. }
        | Kind::DiskGroup { .. }
        | Kind::Volume(_)
        | Kind::Command(_)
        | Kind::Ocf(_) => None,
    }
}
