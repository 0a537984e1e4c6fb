//! The layers of one volume, bottom up: looked at, activated, let go.

use std::time::{Duration, Instant};

use ims::layer::Layer;
use ims::sys::exec::Line;
use ims::sys::hand::Hand;
use ims::sys::lock::Lock;
use ims::sys::stop::Stop;
use ims::{Fail, Host, State};
use jiff::Timestamp;

use super::tools::Tools;
use super::{Sight, Standing, Taking};
use crate::act::Deadline;
use crate::hand::WORDS;
use crate::proof::Proof;
use crate::record;

/// How often a layer is looked at and moved on before it counts as stuck.
const ROUNDS: u32 = 4;
/// How long a layer that has just begun to see the other nodes may take to tell what it sees.
const SETTLES: Duration = Duration::from_secs(5);

/// What was seen of one layer.
pub enum Seen {
    /// What its tool tells.
    Sight(Box<dyn Sight>),
    /// Nothing: the layer below it is not active.
    Hidden(Layer),
    /// Its tool did not tell.
    Unknown(Fail),
}

/// The layers, and the hand that runs their tools.
pub struct Stack<'a> {
    host: &'a Host,
    layers: &'a [Layer],
    hand: Hand,
    deadline: Deadline,
    /// Kept by every tool that runs, also one that outlives us.
    _lock: Option<Lock>,
}

/// How a stack is activated.
pub struct Raising<'a> {
    /// The proof that was named.
    pub proof: Option<&'a std::path::Path>,
    /// The word of the person who runs the command, in place of one.
    pub word: Option<Proof>,
    /// Whether somebody else keeps the other nodes away.
    pub is_alone: bool,
    /// Whether it may be used though a part is missing.
    pub degraded: bool,
    /// The signals that end it.
    pub stop: &'a Stop,
}

impl<'a> Stack<'a> {
    /// The layers to be looked at.
    pub fn to_look(host: &'a Host, layers: &'a [Layer], deadline: Deadline) -> Result<Self, Fail> {
        Ok(Self { host, layers, hand: Hand::start(WORDS, None)?, deadline, _lock: None })
    }

    /// The layers to be changed, which no other run does meanwhile.
    pub fn to_change(host: &'a Host, layers: &'a [Layer], deadline: Deadline) -> Result<Self, Fail> {
        // Two volumes of one group share what is below them.
        let bottom = match layers.first() {
            Some(Layer::Lvm { group, .. }) => format!("lvm-{group}"),
            Some(bottom) => format!("{}-{}", bottom.kind(), bottom.name().replace('/', "-")),
            None => return Err(Fail::usage("no layer")),
        };
        let lock = Lock::named(host, &format!("layer-{bottom}"), deadline.left())?;
        Ok(Self { host, layers, hand: Hand::start(WORDS, Some(&lock))?, deadline, _lock: Some(lock) })
    }

    fn tools(&mut self) -> Tools<'_> {
        Tools::new(&mut self.hand, self.deadline)
    }

    fn look(&mut self, layer: &Layer) -> Result<Box<dyn Sight>, Fail> {
        let mut tools = Tools::new(&mut self.hand, self.deadline);
        super::look(layer, self.host.name(), &mut tools)
    }

    /// Looks at each layer, bottom up, as far as they are active.
    pub fn seen(&mut self) -> Vec<(&'a Layer, Seen)> {
        let mut seen = Vec::new();
        let mut hidden_by: Option<&Layer> = None;
        for layer in self.layers {
            let one = match hidden_by {
                Some(below) => Seen::Hidden(below.clone()),
                None => self.look(layer).map_or_else(Seen::Unknown, Seen::Sight),
            };
            let is_active = matches!(&one, Seen::Sight(sight) if sight.is_enough(true));
            if !is_active {
                hidden_by = hidden_by.or(Some(layer));
            }
            seen.push((layer, one));
        }
        seen
    }

    /// What is told of each layer.
    pub fn told(&mut self) -> Vec<record::Layer> {
        let us = self.host.name();
        let hidden = |layer: &Layer, state, why: String| record::Layer {
            layer: layer.clone(),
            state,
            held_by: None,
            is_guard: false,
            missing: 0,
            why: Some(why),
        };
        let told = |(layer, seen): (&Layer, Seen)| match seen {
            Seen::Sight(sight) => super::told(layer, sight.as_ref(), us),
            Seen::Hidden(below) => hidden(layer, State::Down, format!("{below} is not active here")),
            Seen::Unknown(fail) => hidden(layer, State::Unknown, fail.to_string()),
        };
        self.seen().into_iter().map(told).collect()
    }

    /// Activates the layers, bottom up; what this activated is let go again when one fails. Says whether any was changed,
    /// and how they are then.
    pub fn raise(&mut self, raising: &Raising<'_>) -> Result<(bool, Vec<record::Layer>), Fail> {
        let (mut raised, mut told) = (Vec::new(), Vec::new());
        for layer in self.layers {
            match self.raise_one(layer, raising, &mut raised) {
                Ok(sight) => told.push(super::told(layer, sight.as_ref(), self.host.name())),
                Err(fail) => {
                    return Err(match self.lower(raised) {
                        Ok(_) => fail,
                        Err(undo) => fail.and_undo_failed(undo),
                    });
                }
            }
        }
        Ok((!raised.is_empty(), told))
    }

    fn raise_one(
        &mut self,
        layer: &'a Layer,
        raising: &Raising<'_>,
        raised: &mut Vec<&'a Layer>,
    ) -> Result<Box<dyn Sight>, Fail> {
        let (began, mut round) = (Instant::now(), 0);
        loop {
            let sight = self.look(layer)?;
            if sight.is_enough(raising.degraded) {
                return Ok(sight);
            }
            let lines = match self.lines(layer, sight.as_ref(), raising) {
                Ok(lines) => lines,
                Err(_)
                    if raised.contains(&layer)
                        && matches!(sight.standing(), Standing::Unsure(_))
                        && began.elapsed() < SETTLES
                        && raising.stop.ended_by().is_none() =>
                {
                    raising.stop.wait(Duration::from_millis(100)); // its tools tell of no change, they are asked again
                    continue;
                }
                Err(fail) => return Err(fail),
            };
            if round == ROUNDS {
                let fail = Fail::failed(format!("cannot activate {layer}"));
                return Err(match sight.why() {
                    Some(why) => fail.because(why),
                    None => fail.because("its tools succeed, and it is not active"),
                });
            }
            round += 1;
            for line in lines {
                if let Some(signal) = raising.stop.ended_by() {
                    return Err(Fail::failed(format!("stopped by {signal} while activating {layer}")));
                }
                if !raised.contains(&layer) {
                    raised.push(layer);
                }
                self.tools().must(&line)?;
            }
        }
    }

    /// The command lines that activate a layer which is not active, or the rule that forbids it.
    pub fn lines(&self, layer: &Layer, sight: &dyn Sight, raising: &Raising<'_>) -> Result<Vec<Line>, Fail> {
        let holder = match sight.standing() {
            Standing::Theirs(who) => Some(who),
            Standing::Active | Standing::Partly | Standing::Free | Standing::Ours | Standing::Unsure(_) => {
                None
            }
        };
        let proof = match &raising.word {
            Some(word) => Some(word.clone()),
            None => Proof::find(self.host, raising.proof, holder.as_deref())?,
        };
        let taking = Taking {
            us: self.host.name(),
            proof: proof.as_ref(),
            is_alone: raising.is_alone,
            degraded: raising.degraded,
            now: Timestamp::now(),
        };
        super::up(layer, sight, &taking)
    }

    /// Lets all layers go, top down, as far as this node has them. Says whether any was changed.
    pub fn lower_all(&mut self) -> Result<bool, Fail> {
        let mut ours = Vec::new();
        for (layer, seen) in self.seen() {
            match seen {
                Seen::Sight(_) => ours.push(layer),
                Seen::Hidden(_) => {}
                Seen::Unknown(fail) => return Err(fail),
            }
        }
        self.lower(ours)
    }

    fn lower(&mut self, layers: Vec<&Layer>) -> Result<bool, Fail> {
        let mut has_changed = false;
        for layer in layers.into_iter().rev() {
            for _ in 0..ROUNDS {
                let lines = self.look(layer)?.down();
                if lines.is_empty() {
                    break;
                }
                for line in lines {
                    self.tools().must(&line)?;
                    has_changed = true;
                }
            }
        }
        Ok(has_changed)
    }
}
