//! The channel table of the iPlanet MTA's `imta.cnf`, read only: behind the first blank line blocks that blank lines
//! part, each beginning with the channel's name and its keywords. `!` in the first column begins a comment, which is
//! no blank line; `\` at a line's end continues it. A block `defaults` gives keywords to the channels behind it, until
//! `nodefaults`.

use super::Value;
use super::lines::Lines;

/// The keyword with the source address of a channel's connections.
const INTERFACE: &str = "interfaceaddress";

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name, such as `tcp_local`.
    pub name: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// The address that its connections come from, when it is said.
    pub interface: Option<Value>,
}

/// What a channel table says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    /// The channels in their order.
    pub channels: Vec<Channel>,
    /// The lines where another file is read in, which may hold channels too; counted from 1.
    pub includes: Vec<usize>,
}

impl Channels {
    /// Reads the table; what stands before it are the rewrite rules.
    pub fn parse(text: &str) -> Self {
        let mut table = Self::default();
        let mut defaults: Option<Value> = None;
        let mut is_rules = true;
        let mut is_first = true; // of its block
        for logical in logical(text) {
            let Some((_, first)) = logical.first() else {
                (is_rules, is_first) = (false, true);
                continue;
            };
            if is_rules {
                continue;
            }
            if first.starts_with('<') {
                table.includes.extend(logical.first().map(|(line, _)| *line));
                continue;
            }
            if !std::mem::take(&mut is_first) {
                continue; // the names of its hosts
            }
            let (line, name) = (logical.first().map_or(1, |(line, _)| *line), first.clone());
            let own = interface(&logical);
            match name.to_ascii_lowercase().as_str() {
                "defaults" => defaults = own.or(defaults),
                "nodefaults" => defaults = None,
                _ => table.channels.push(Channel { name, line, interface: own.or_else(|| defaults.clone()) }),
            }
        }
        table
    }
}

/// The lines where another file is read in, before the table and in it, counted from 1.
pub fn includes(text: &str) -> Vec<usize> {
    let all = logical(text).into_iter().filter_map(|words| words.into_iter().next());
    all.filter(|(_, first)| first.starts_with('<')).map(|(line, _)| line).collect()
}

/// The last source address among the keywords.
fn interface(words: &[(usize, String)]) -> Option<Value> {
    let mut pairs = words.iter().zip(words.iter().skip(1));
    let found = pairs.rfind(|((_, keyword), _)| keyword.eq_ignore_ascii_case(INTERFACE));
    found.map(|(_, (line, text))| Value { text: text.clone(), line: *line })
}

/// The logical lines as their words, each with its physical line, counted from 1; a blank line has none.
fn logical(text: &str) -> Vec<Vec<(usize, String)>> {
    let mut found: Vec<Vec<(usize, String)>> = Vec::new();
    let mut is_open = false;
    for (row, line) in Lines::of(text).iter().filter(|(_, line)| !line.starts_with('!')) {
        let (line, goes_on) = line.strip_suffix('\\').map_or((line, false), |line| (line, true));
        let words = line.split_whitespace().map(|word| (row + 1, word.to_owned()));
        match found.last_mut().filter(|_| is_open) {
            Some(last) => last.extend(words),
            None => found.push(words.collect()),
        }
        is_open = goes_on;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
! Rewrite rules
</opt/iplanet/server5/msg-mail-1/imta/config/internet.rules
$* $E$F$U%$H$V$H@mail-1.example.test

! Channels
l subdirs 20
mail-1.example.test

defaults interfaceaddress 192.0.2.9

tcp_local smtp mx \\
! a comment between
  InterfaceAddress 192.0.2.10 identnone
tcp-daemon interfaceaddress 192.0.2.11

tcp_intranet smtp

nodefaults

tcp_lmtpcs lmtp
</opt/channels
";

    #[test]
    fn each_channel_has_the_address_of_its_own_line_or_of_the_defaults_before_it() {
        for text in [TEXT.to_owned(), TEXT.replace('\n', "\r\n")] {
            let table = Channels::parse(&text);
            let told: Vec<_> = table
                .channels
                .iter()
                .map(|c| (c.name.as_str(), c.line, c.interface.as_ref().map(|v| (v.text.as_str(), v.line))))
                .collect();
            assert_eq!(
                told,
                [
                    ("l", 6, None),
                    ("tcp_local", 11, Some(("192.0.2.10", 13))),
                    ("tcp_intranet", 16, Some(("192.0.2.9", 9))),
                    ("tcp_lmtpcs", 20, None),
                ]
            );
            assert_eq!(includes(&text), [2, 21]);
            assert_eq!(table.includes, [21], "what the rewrite rules include holds no channel");
        }
        assert_eq!(Channels::parse("").channels, []);
    }
}
