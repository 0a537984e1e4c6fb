//! A table of a TOML file read key by key, so that every wrong value is told with its file and line, and a
//! misspelt key with the one that was meant.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Fail;
use crate::span::Span;
use crate::suggest::nearest;

/// A TOML file's text, its name, and the lines of it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The file, as it is named in errors.
    pub file: &'a Path,
    /// The whole text.
    pub text: &'a str,
}

impl Source<'_> {
    /// The line of a place in the text, counted from 1.
    pub fn line(&self, span: &Range<usize>) -> usize {
        self.text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1)
    }

    /// A usage error that names the file and the line.
    pub fn wrong(&self, span: &Range<usize>, what: impl std::fmt::Display) -> Fail {
        Fail::usage(format!("{}:{}", self.file.display(), self.line(span))).because(what)
    }
}

/// Parses a file's text as TOML and hands its top table on.
pub fn read<T>(source: Source<'_>, then: impl FnOnce(Keys<'_>) -> Result<T, Fail>) -> Result<T, Fail> {
    let table = DeTable::parse(source.text)
        .map_err(|e| source.wrong(&e.span().unwrap_or(0..0), one_line(e.message())))?;
    let span = table.span();
    then(Keys { source, span, table: table.get_ref() })
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One table, and where it stands.
#[derive(Debug, Clone)]
pub struct Keys<'a> {
    source: Source<'a>,
    span: Range<usize>,
    table: &'a DeTable<'a>,
}

impl<'a> Keys<'a> {
    /// Where the table stands, for errors about what it lacks.
    pub const fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// The file the table stands in.
    pub const fn source(&self) -> Source<'a> {
        self.source
    }

    /// Refuses a key that is none of those known.
    pub fn only(&self, known: &[&str]) -> Result<(), Fail> {
        let mut strangers: Vec<_> =
            self.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).collect();
        strangers.sort_by_key(|key| key.span().start);
        let Some(key) = strangers.first() else { return Ok(()) };
        let fail = self.source.wrong(&key.span(), format!("unknown key '{}'", key.get_ref().escape_debug()));
        Err(match nearest(key.get_ref(), known.iter().copied()) {
            Some(meant) => fail.hint(format!("did you mean '{meant}'?")),
            None => fail.hint(format!("there are {}", known.join(", "))),
        })
    }

    fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    /// Where a key's value stands, or the table when it is not there.
    pub fn place(&self, key: &str) -> Range<usize> {
        self.get(key).map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// A usage error about a key's value.
    pub fn wrong(&self, key: &str, what: impl std::fmt::Display) -> Fail {
        self.source.wrong(&self.place(key), what)
    }

    fn not(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) -> Fail {
        self.source.wrong(&value.span(), format!("{key} is {}, not {wanted}", value.get_ref().type_str()))
    }

    /// A text, when the key is there.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, Fail> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.get_ref().as_str().map(Some).ok_or_else(|| self.not(key, value, "a text in quotes"))
    }

    /// A text that is parsed to a type of ours, when the key is there.
    pub fn parsed<T: std::str::FromStr<Err = Fail>>(&self, key: &str) -> Result<Option<T>, Fail> {
        self.text(key)?.map(|text| text.parse().map_err(|e| self.wrong(key, e))).transpose()
    }

    /// What must be there, or the failure that says that it is missing.
    pub fn must<T>(&self, key: &str, value: Option<T>) -> Result<T, Fail> {
        value.ok_or_else(|| self.source.wrong(&self.span, format!("{key} is missing")))
    }

    /// A list of texts; none when the key is not there.
    pub fn texts(&self, key: &str) -> Result<Vec<&'a str>, Fail> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let list = value.get_ref().as_array().ok_or_else(|| self.not(key, value, "a list of texts"))?;
        list.iter()
            .map(|item| item.get_ref().as_str().ok_or_else(|| self.not(key, item, "a text in quotes")))
            .collect()
    }

    /// A list of texts, each parsed to a type of ours.
    pub fn all_parsed<T: std::str::FromStr<Err = Fail>>(&self, key: &str) -> Result<Vec<T>, Fail> {
        self.texts(key)?.into_iter().map(|text| text.parse().map_err(|e| self.wrong(key, e))).collect()
    }

    /// A list of whole numbers, when the key is there.
    pub fn numbers(&self, key: &str) -> Result<Option<Vec<i32>>, Fail> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let list = value.get_ref().as_array().ok_or_else(|| self.not(key, value, "a list of numbers"))?;
        list.iter()
            .map(|item| number(item).ok_or_else(|| self.not(key, item, "a whole number")))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// A count, or what it is when nobody said.
    pub fn count(&self, key: &str, otherwise: u32) -> Result<u32, Fail> {
        let Some(value) = self.get(key) else { return Ok(otherwise) };
        number(value)
            .ok_or_else(|| self.not(key, value, "a whole number"))?
            .try_into()
            .map_err(|_| self.wrong(key, format!("{key} is below 0")))
    }

    /// True or false, or what it is when nobody said.
    pub fn flag(&self, key: &str, otherwise: bool) -> Result<bool, Fail> {
        let Some(value) = self.get(key) else { return Ok(otherwise) };
        value.get_ref().as_bool().ok_or_else(|| self.not(key, value, "true or false"))
    }

    /// A length of time: a number of seconds or a text like `"200ms"`.
    pub fn time(&self, key: &str, otherwise: Duration) -> Result<Duration, Fail> {
        let Some(value) = self.get(key) else { return Ok(otherwise) };
        let told = |e| self.wrong(key, format!("{key}: {e}"));
        if let Some(seconds) = value.get_ref().as_integer() {
            if seconds.as_str().starts_with('-') {
                return Err(self.wrong(key, format!("{key} is below 0")));
            }
            // More digits than a number of ours can have are more than a year.
            let seconds = u64::from_str_radix(seconds.as_str(), seconds.radix()).unwrap_or(u64::MAX);
            return Span::within(Duration::from_secs(seconds)).map(|span| span.0).map_err(told);
        }
        let text = value.get_ref().as_str();
        let text =
            text.ok_or_else(|| self.not(key, value, "a number of seconds or a text like \"200ms\""))?;
        text.parse::<Span>().map(|span| span.0).map_err(told)
    }

    /// A table of texts, in the order of their keys; none when the key is not there.
    pub fn pairs(&self, key: &str) -> Result<Vec<(String, String)>, Fail> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let table = value.get_ref().as_table().ok_or_else(|| self.not(key, value, "a table"))?;
        table
            .iter()
            .map(|(name, value)| {
                let text = match value.get_ref() {
                    DeValue::String(text) => text.to_string(),
                    DeValue::Boolean(flag) => flag.to_string(),
                    DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => {
                        self.source.text.get(value.span()).unwrap_or_default().to_owned()
                    }
                    DeValue::Array(_) | DeValue::Table(_) => {
                        return Err(self.not(name.get_ref(), value, "a text, a number, true or false"));
                    }
                };
                Ok((name.get_ref().to_string(), text))
            })
            .collect()
    }

    /// A table of whole numbers by their names, when the key is there.
    pub fn amounts(&self, key: &str) -> Result<Option<BTreeMap<String, u64>>, Fail> {
        let Some(table) = self.table(key)? else { return Ok(None) };
        let amount = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let name: &str = std::convert::AsRef::<str>::as_ref(name.get_ref());
            let whole =
                value.get_ref().as_integer().ok_or_else(|| table.not(name, value, "a whole number"))?;
            let amount = u64::from_str_radix(whole.as_str(), whole.radix());
            let fail = |_| self.source.wrong(&value.span(), format!("{name} is below 0 or too large"));
            Ok((name.to_owned(), amount.map_err(fail)?))
        };
        table.table.iter().map(amount).collect::<Result<_, _>>().map(Some)
    }

    /// The table under a key, when it is there.
    pub fn table(&self, key: &str) -> Result<Option<Self>, Fail> {
        let Some((name, value)) = self.table.get_key_value(key) else { return Ok(None) };
        let table = value.get_ref().as_table().ok_or_else(|| self.not(key, value, "a table"))?;
        Ok(Some(Self { source: self.source, span: name.span(), table }))
    }

    /// The tables below a key (or below this table itself), each with its name, in the order of the file.
    pub fn tables(&self, key: Option<&str>) -> Result<Vec<(&'a str, Keys<'a>)>, Fail> {
        let table = match key {
            None => self.table,
            Some(key) => match self.get(key) {
                None => return Ok(Vec::new()),
                Some(value) => value.get_ref().as_table().ok_or_else(|| self.not(key, value, "a table"))?,
            },
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        entries
            .into_iter()
            .map(|(name, value)| {
                let table =
                    value.get_ref().as_table().ok_or_else(|| self.not(name.get_ref(), value, "a table"))?;
                let keys = Keys { source: self.source, span: name.span(), table };
                Ok((name.get_ref().as_ref(), keys))
            })
            .collect()
    }
}

fn number(value: &Spanned<DeValue<'_>>) -> Option<i32> {
    let number = value.get_ref().as_integer()?;
    i32::from_str_radix(number.as_str(), number.radix()).ok()
}
