//! What an export says in comments because VCS has no attribute for it: `// ims-switch: KEY = VALUE`, in TOML.
//!
//! VCS passes comments over, and its own `haconf -dump` drops them.

use crate::import::Value;

/// A key and its value as the comment says them.
pub fn said(key: &str, value: &Value) -> (usize, String) {
    (0, format!("{key} = {value}"))
}

/// The key and the value of such a comment; nothing when it is no TOML or no value that a group file can have.
pub fn read(kept: &str) -> Option<(String, Value)> {
    let table: toml::Table = kept.parse().ok()?;
    let mut pairs = table.into_iter();
    let (key, value) = pairs.next()?;
    if pairs.next().is_some() { None } else { Some((key, self::value(value)?)) }
}

/// A value as group files have it.
pub fn value(value: toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => Value::Text(text),
        toml::Value::Boolean(flag) => Value::Flag(flag),
        toml::Value::Integer(number) => Value::Number(number.try_into().ok()?),
        toml::Value::Array(items) if items.iter().all(toml::Value::is_integer) && !items.is_empty() => {
            let number = |item: toml::Value| item.as_integer()?.try_into().ok();
            Value::Numbers(items.into_iter().map(number).collect::<Option<_>>()?)
        }
        toml::Value::Array(items) => {
            let text = |item: toml::Value| item.as_str().map(ToOwned::to_owned);
            Value::Texts(items.into_iter().map(text).collect::<Option<_>>()?)
        }
        toml::Value::Table(table) if !table.is_empty() && table.values().all(toml::Value::is_integer) => {
            let amount =
                |(name, value): (String, toml::Value)| Some((name, value.as_integer()?.try_into().ok()?));
            Value::Amounts(table.into_iter().map(amount).collect::<Option<_>>()?)
        }
        toml::Value::Table(table) => {
            let pair = |(name, value): (String, toml::Value)| Some((name, value.as_str()?.to_owned()));
            Value::Pairs(table.into_iter().map(pair).collect::<Option<_>>()?)
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) => return None,
    })
}
