//! Questions and orders to the kernel by netlink(7): each answered within a deadline, an interrupted dump asked
//! again, the kernel's own words kept.

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use netlink_packet_core::{
    ErrorMessage, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkDeserializable,
    NetlinkHeader, NetlinkMessage, NetlinkPayload, NetlinkSerializable, NlasIterator,
};
use netlink_sys::{Socket, SocketAddr};
use rustix::io::Errno;

use crate::sys::exec::wait_readable;
use crate::{Exit, Fail};

/// How long the kernel may take to answer; it answers in microseconds unless something is very wrong.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a dump is asked again when the table changed while it was read.
const ATTEMPTS: u32 = 20;

/// Bytes of a netlink message's header.
const HEADER: usize = 16;

/// `NLMSGERR_ATTR_MSG`: the kernel's reason in words.
const WORDS: u16 = 1;

/// A netlink socket of one protocol.
pub(in crate::sys) struct Netlink {
    socket: Socket,
    sequence: u32,
}

/// The kernel's no, with its reason in words when it gave one.
#[derive(Debug)]
pub(in crate::sys) struct Refusal {
    error: io::Error,
    words: Option<String>,
}

impl Refusal {
    /// Whether the kernel's no is this error number.
    pub fn is(&self, errno: Errno) -> bool {
        self.error.raw_os_error() == Some(errno.raw_os_error())
    }

    /// The failure of whatever was being done.
    pub fn fail(&self, exit: Exit, what: impl fmt::Display) -> Fail {
        let fail = Fail::io(exit, what.to_string(), &self.error);
        match &self.words {
            Some(words) => fail.because(words),
            None => fail,
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self { error, words: None }
    }
}

impl From<&ErrorMessage> for Refusal {
    fn from(message: &ErrorMessage) -> Self {
        // With the acknowledgement capped, the attributes follow the header of our request.
        let attributes = message.header.get(HEADER..).unwrap_or_default();
        let words = NlasIterator::new(attributes)
            .filter_map(Result::ok)
            .find(|attribute| attribute.kind() == WORDS)
            .map(|attribute| String::from_utf8_lossy(attribute.value()).trim_end_matches('\0').to_owned());
        Self { error: message.to_io(), words }
    }
}

/// What can be said in a protocol.
pub(in crate::sys) trait Message:
    NetlinkSerializable + NetlinkDeserializable + Into<NetlinkPayload<Self>> + Clone
{
}

impl<M> Message for M where M: NetlinkSerializable + NetlinkDeserializable + Into<NetlinkPayload<M>> + Clone {}

impl Netlink {
    /// A socket for a protocol.
    pub fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        // Both are comfort that kernels before 4.3 and 4.12 lack; without them only the words are missing.
        let _ = socket.set_cap_ack(true);
        let _ = socket.set_ext_ack(true);
        Ok(Self { socket, sequence: 0 })
    }

    /// Everything a question is answered with.
    pub fn dump<M: Message>(&mut self, question: &M) -> Result<Vec<M>, Refusal> {
        for _ in 0..ATTEMPTS {
            if let Some(found) = self.dump_once(question)? {
                return Ok(found);
            }
        }
        Err(io::Error::other("the kernel's table changed all the time while it was read").into())
    }

    /// One dump; `None` when the table changed under it, so that it may miss or double entries.
    fn dump_once<M: Message>(&mut self, question: &M) -> Result<Option<Vec<M>>, Refusal> {
        let end = Instant::now() + PATIENCE;
        let (bytes, sequence) = self.pack(question.clone(), NLM_F_DUMP);
        self.socket.send(&bytes, 0)?;
        let mut found = Vec::new();
        let mut is_whole = true;
        loop {
            for message in self.receive::<M>(end)? {
                if message.header.sequence_number != sequence {
                    continue;
                }
                is_whole = is_whole && message.header.flags & NLM_F_DUMP_INTR == 0;
                if let NetlinkPayload::InnerMessage(inner) = message.payload {
                    found.push(inner);
                } else if let NetlinkPayload::Error(error) = message.payload {
                    if error.code.is_some() {
                        return Err((&error).into());
                    }
                } else if let NetlinkPayload::Done(done) = message.payload {
                    if done.code < 0 {
                        return Err(io::Error::from_raw_os_error(done.code.saturating_neg()).into());
                    }
                    return Ok(is_whole.then_some(found));
                }
            }
        }
    }

    /// Carries orders out in their turn and says how each went.
    ///
    /// They reach the kernel in one system call, so that a killed process has given all of them or none.
    pub fn order<M: Message>(&mut self, orders: Vec<(M, u16)>) -> Result<Vec<Result<(), Refusal>>, Refusal> {
        let end = Instant::now() + PATIENCE;
        let mut bytes = Vec::new();
        let mut answers: Vec<(u32, Option<Result<(), Refusal>>)> = Vec::new();
        for (order, flags) in orders {
            let (packed, sequence) = self.pack(order, flags | NLM_F_ACK);
            bytes.resize(aligned(bytes.len()), 0);
            bytes.extend_from_slice(&packed);
            answers.push((sequence, None));
        }
        self.socket.send(&bytes, 0)?;
        while answers.iter().any(|(_, answer)| answer.is_none()) {
            for message in self.receive::<M>(end)? {
                let waiting = answers.iter_mut().find(|(n, _)| *n == message.header.sequence_number);
                if let (NetlinkPayload::Error(error), Some((_, answer))) = (&message.payload, waiting) {
                    *answer = Some(if error.code.is_some() { Err(error.into()) } else { Ok(()) });
                }
            }
        }
        Ok(answers.into_iter().filter_map(|(_, answer)| answer).collect())
    }

    fn pack<M: Message>(&mut self, message: M, flags: u16) -> (Vec<u8>, u32) {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut packet = NetlinkMessage::new(header, message.into());
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        (bytes, self.sequence)
    }

    fn receive<M: Message>(&self, end: Instant) -> io::Result<Vec<NetlinkMessage<M>>> {
        let late = || io::Error::new(io::ErrorKind::TimedOut, "the kernel did not answer");
        loop {
            match wait_readable(self.socket.as_fd(), end.saturating_duration_since(Instant::now())) {
                Ok(true) => break,
                Ok(false) => return Err(late()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        let (bytes, from) = self.socket.recv_from_full()?;
        if from.port_number() != 0 {
            return Ok(Vec::new()); // another process speaks, not the kernel
        }
        let mut messages = Vec::new();
        let mut rest = bytes.as_slice();
        while rest.len() >= HEADER {
            let message = NetlinkMessage::<M>::deserialize(rest)
                .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
            let length = usize::try_from(message.header.length).unwrap_or(rest.len());
            rest = rest.get(aligned(length.max(HEADER))..).unwrap_or_default();
            messages.push(message);
        }
        Ok(messages)
    }
}

/// Netlink messages begin at multiples of four bytes.
const fn aligned(length: usize) -> usize {
    length.div_ceil(4) * 4
}
