//! A text as its physical lines, each with its own line end, so that it prints back byte for byte.

use std::fmt;

/// The physical lines of a text; rows are counted from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines(Vec<String>);

impl Lines {
    /// Cuts a text into its lines.
    pub fn of(text: &str) -> Self {
        Self(text.split_inclusive('\n').map(ToOwned::to_owned).collect())
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A line without its line end; empty where there is none.
    pub fn get(&self, row: usize) -> &str {
        self.0.get(row).map_or("", |line| cut(line).0)
    }

    /// Every row with its line, without the line ends.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &str)> {
        self.0.iter().enumerate().map(|(row, line)| (row, cut(line).0))
    }

    /// Replaces what stands on a line; its line end stays.
    pub fn replace(&mut self, row: usize, with: &str) {
        if let Some(line) = self.0.get_mut(row) {
            let end = cut(line).1.to_owned();
            *line = format!("{with}{end}");
        }
    }

    /// Puts a new line before a row, with the line end that the text uses.
    ///
    /// Behind a last line without a line end, the new line becomes the one without.
    pub fn insert(&mut self, row: usize, line: &str) {
        let row = row.min(self.0.len());
        let end = self.line_end();
        let mut new = format!("{line}{end}");
        if row == self.0.len()
            && let Some(last) = self.0.last_mut()
            && !last.ends_with('\n')
        {
            last.push_str(end);
            new.truncate(line.len());
        }
        self.0.insert(row, new);
    }

    /// Takes a line out; the inverse of [`Lines::insert`].
    pub fn remove(&mut self, row: usize) {
        if row >= self.0.len() {
            return;
        }
        let end = self.line_end();
        let gone = self.0.remove(row);
        if !gone.ends_with('\n')
            && let Some(last) = self.0.last_mut()
            && last.ends_with(end)
        {
            last.truncate(last.len() - end.len());
        }
    }

    /// The line end that the text uses. A CR at the end of all belongs to its line, since no LF follows; behind the
    /// only line there is, a CRLF leaves it there.
    fn line_end(&self) -> &'static str {
        let is_crlf = match self.0.as_slice() {
            [] => false,
            [one] => one.ends_with("\r\n") || one.ends_with('\r'),
            [first, ..] => first.ends_with("\r\n"),
        };
        if is_crlf { "\r\n" } else { "\n" }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| f.write_str(line))
    }
}

/// A line and its end.
fn cut(line: &str) -> (&str, &str) {
    let content = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    line.split_at(content.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_prints_back_byte_for_byte(text in "(?s).{0,200}") {
            prop_assert_eq!(Lines::of(&text).to_string(), text);
        }

        #[test]
        fn a_line_that_was_put_in_and_taken_out_leaves_no_trace(
            text in "([a-z#= ]{0,6}(\n|\r\n)){0,5}[a-z]{0,3}\r?",
            row in 0usize..7,
        ) {
            let mut lines = Lines::of(&text);
            let row = row.min(lines.len());
            lines.insert(row, "x = 1");
            prop_assert_eq!(lines.get(row), "x = 1");
            lines.remove(row);
            prop_assert_eq!(lines.to_string(), text);
        }
    }

    #[test]
    fn a_new_line_ends_as_the_others_do() {
        for (text, new) in [
            ("a\r\n", "a\r\nb\r\n"),
            ("a\r\nc", "a\r\nc\r\nb"),
            ("a", "a\nb"),
            ("a\r", "a\r\r\nb"),
            ("", "b\n"),
        ] {
            let mut lines = Lines::of(text);
            lines.insert(lines.len(), "b");
            assert_eq!(lines.to_string(), new, "{text:?}");
        }
    }
}
