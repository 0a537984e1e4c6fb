//! The tables of the file of secrets, one function each.

use std::rc::Rc;

use ims::Fail;
use ims::keys::Keys;
use ims::layout::Service;
use ldap3_proto::filter::parse_ldap_filter_str;

use super::{Entry, Login, Logins, SERVICES, Secret};
use crate::endpoint::Endpoint;
use crate::parcel::Route;

/// The tables of services below one.
pub fn logins(keys: &Keys<'_>) -> Result<Logins, Fail> {
    let route = keys.table("deliver")?.map(|keys| route(&keys)).transpose()?.map(Rc::new);
    let mut logins = Logins { route, ..Logins::default() };
    for word in SERVICES {
        if let Some(keys) = keys.table(word)? {
            logins.services.insert(word, entry(&keys, Some(word), &[])?);
        }
    }
    Ok(logins)
}

/// One table: who logs in to a service, or to every service that has none of its own.
pub fn entry(keys: &Keys<'_>, service: Option<&str>, beside: &[&str]) -> Result<Entry, Fail> {
    let is_directory = service.is_some_and(|word| word.starts_with("ldap"));
    let own: &[&str] = if is_directory {
        &["login", "user", "password", "base", "filter"]
    } else {
        &["login", "user", "password"]
    };
    keys.only(&[own, beside].concat())?;
    if !keys.flag("login", true)? {
        keys.only(&["login"])?;
        return Ok(Entry::Nobody);
    }
    let user = keys.must("user", told(keys, "user")?)?;
    let password = Secret::new(keys.must("password", told(keys, "password")?)?);
    if is_directory && !user.contains('=') {
        return Err(keys.wrong("user", "user of a directory is not a DN").hint("like uid=probe,dc=example"));
    }
    // No other service may have these keys.
    let base = told(keys, "base")?;
    let not_one = |_| keys.wrong("filter", "filter is not an LDAP filter").hint("like (uid=probe)");
    let filter =
        told(keys, "filter")?.map(|text| parse_ldap_filter_str(&text).map_err(not_one)).transpose()?;
    Ok(Entry::Login(Rc::new(Login { user, password, base, filter })))
}

/// Where messages go.
fn route(keys: &Keys<'_>) -> Result<Route, Fail> {
    keys.only(&["to", "from", "fetch"])?;
    let address = |key| {
        let text = told(keys, key)?;
        let is_one = |text: &String| {
            text.contains('@') && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>'))
        };
        match text {
            Some(text) if !is_one(&text) => Err(keys.wrong(key, format!("{key} is not an address of mail"))),
            text => Ok(text),
        }
    };
    let to = keys.must("to", address("to")?)?;
    let from = address("from")?.unwrap_or_else(|| to.clone());
    let fetch: Option<Endpoint> = keys.parsed("fetch")?;
    let is_mailbox = |fetch: &Endpoint| {
        matches!(fetch.service, Service::Imap | Service::Imaps | Service::Pop3 | Service::Pop3s)
    };
    if !fetch.as_ref().is_none_or(is_mailbox) {
        return Err(keys.wrong("fetch", "fetch is not an imap, imaps, pop3 or pop3s URL"));
    }
    Ok(Route { to, from, fetch })
}

/// A text that may be said in a dialogue: not empty, and of one line.
fn told(keys: &Keys<'_>, key: &str) -> Result<Option<String>, Fail> {
    let Some(text) = keys.text(key)? else { return Ok(None) };
    if text.is_empty() {
        return Err(keys.wrong(key, format!("{key} is empty")));
    }
    if text.contains(['\0', '\r', '\n']) {
        return Err(keys.wrong(key, format!("{key} holds a line end or a NUL")));
    }
    Ok(Some(text.to_owned()))
}
