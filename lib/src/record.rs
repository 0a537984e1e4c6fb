//! What stands on stdout: one JSON object a line, each with its schema and the host it speaks of.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

/// A record type with its published name, and how a person sees it in a table.
///
/// The same keys in every record of a type, `snake_case`, units in the name (`took_ms`).
pub trait Record: Serialize + JsonSchema {
    /// The name and version of the record, such as `ims.instance/1`.
    const SCHEMA: &'static str;

    /// The headings of its table; a record without any is not shown in tables.
    fn columns() -> &'static [&'static str] {
        &[]
    }

    /// The cells under those headings.
    fn row(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A record as it is printed.
#[derive(Debug, Serialize)]
pub struct Envelope<'a, R> {
    schema: &'static str,
    host: &'a str,
    #[serde(flatten)]
    record: &'a R,
}

impl<'a, R: Record> Envelope<'a, R> {
    /// Puts a record that speaks of `host` into its envelope.
    pub const fn new(host: &'a str, record: &'a R) -> Self {
        Self { schema: R::SCHEMA, host, record }
    }

    /// The record as one line of JSON, without the line end.
    pub fn line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// The JSON Schema of a record in its envelope, as published in `lib/schemas`.
pub fn schema_of<R: Record>() -> Schema {
    let mut schema = SchemaSettings::default().for_serialize().into_generator().into_root_schema_for::<R>();
    let object = schema.ensure_object();
    object.insert("title".into(), R::SCHEMA.into());
    let envelope = [
        ("host", serde_json::Map::from_iter([("type".to_owned(), "string".into())])),
        ("schema", serde_json::Map::from_iter([("const".to_owned(), R::SCHEMA.into())])),
    ];
    for (key, value) in envelope {
        if let Some(properties) =
            object.entry("properties").or_insert_with(|| serde_json::Map::new().into()).as_object_mut()
        {
            properties.insert(key.into(), value.into());
        }
        if let Some(required) =
            object.entry("required").or_insert_with(|| Vec::<String>::new().into()).as_array_mut()
        {
            required.push(key.into());
        }
    }
    schema
}
