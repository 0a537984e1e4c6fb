//! LDAP (RFC 4511): an anonymous bind stands for the greeting it does not have, then a base search of the root DSE;
//! somebody's simple bind and a search that must find; and an unbind, which has no answer.

mod frame;
mod heard;

use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapDerefAliases, LdapExtendedRequest, LdapFilter, LdapOp, LdapResult,
    LdapResultCode, LdapSearchRequest, LdapSearchResultEntry, LdapSearchScope,
};
use zeroize::Zeroize;

use crate::ask::Ask;
use crate::level::Level;
use crate::secrets::Login;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;
use heard::{Heard, encoded, heard, no_words, said_no, unasked};

const BIND: i32 = 1;
const SEARCH: i32 = 2;
const UNBIND: i32 = 3;
const LOGIN: i32 = 4;
const FIND: i32 = 5;
const STARTTLS: i32 = 6;
const STARTTLS_OID: &str = "1.3.6.1.4.1.1466.20037";

/// Holds the dialogue; gives what the directory says it holds.
pub async fn hold<S: Stream>(
    wire: &mut Wire<S>,
    ask: Ask<'_>,
    way: &mut Way,
) -> Result<Option<String>, Trouble> {
    starttls(wire, ask, way).await?;
    way.enter(Stage::Bind);
    let serves_anyone = bind(wire, ask.level).await?;
    let mut holds = None;
    if ask.level >= Level::Session && serves_anyone {
        way.enter(Stage::Search);
        holds = root_dse(wire).await?;
    }
    if ask.level >= Level::Login {
        way.enter(Stage::Bind);
        let login = ask.login_over(wire)?;
        bind_as(wire, login).await?;
        way.enter(Stage::Search);
        find(wire, login).await?;
    }
    wire.farewell(&encoded(UNBIND, LdapOp::UnbindRequest)?);
    Ok(holds)
}

/// Begins TLS where that is wanted (RFC 4511 §4.14). A directory does not say that it offers it until it is asked.
async fn starttls<S: Stream>(wire: &mut Wire<S>, ask: Ask<'_>, way: &mut Way) -> Result<(), Trouble> {
    use LdapResultCode as Code;
    let Some(tls) = ask.starttls() else { return Ok(()) };
    way.enter(Stage::Tls);
    let request = LdapExtendedRequest { name: STARTTLS_OID.to_owned(), value: None };
    wire.send(&encoded(STARTTLS, LdapOp::ExtendedRequest(request))?).await?;
    match heard(wire, STARTTLS).await? {
        Heard::Notice(result) if result.code == Code::Success => tls.begin(wire, way).await,
        // One that does not know it, and OpenLDAP without a certificate.
        Heard::Notice(result) if matches!(result.code, Code::ProtocolError | Code::Unavailable) => {
            tls.asks(false, way).map(|_| ())
        }
        Heard::Notice(result) => tls.refused(no_words(&result), way),
        Heard::Bound(_) | Heard::Entry(_) | Heard::Done(_) | Heard::Aside | Heard::Unasked => Err(unasked()),
    }
}

/// Binds as nobody; says whether nobody is served, and not only greeted.
async fn bind<S: Stream>(wire: &mut Wire<S>, level: Level) -> Result<bool, Trouble> {
    wire.send(&encoded(BIND, simple_bind("", ""))?).await?;
    let result = bound(wire, BIND).await?;
    if is_greeting(&result, level) {
        Ok(result.code == LdapResultCode::Success)
    } else {
        Err(said_no(&result))
    }
}

async fn bind_as<S: Stream>(wire: &mut Wire<S>, login: &Login) -> Result<(), Trouble> {
    let mut request = encoded(LOGIN, simple_bind(&login.user, login.password.reveal()))?;
    let sent = wire.send(&request).await;
    request.zeroize();
    sent?;
    let result = bound(wire, LOGIN).await?;
    if result.code == LdapResultCode::Success { Ok(()) } else { Err(said_no(&result)) }
}

fn simple_bind(dn: &str, password: &str) -> LdapOp {
    let cred = LdapBindCred::Simple(password.to_owned());
    LdapOp::BindRequest(LdapBindRequest { version: 3, dn: dn.to_owned(), cred })
}

async fn bound<S: Stream>(wire: &mut Wire<S>, msgid: i32) -> Result<LdapResult, Trouble> {
    match heard(wire, msgid).await? {
        Heard::Bound(result) => Ok(result),
        Heard::Notice(result) => Err(said_no(&result)),
        Heard::Entry(_) | Heard::Done(_) | Heard::Aside | Heard::Unasked => Err(unasked()),
    }
}

/// Whether the answer to the bind says that the server is at work. One that wants to know who asks is, but a
/// session with it begins with a login, and nothing less is one.
fn is_greeting(result: &LdapResult, level: Level) -> bool {
    use LdapResultCode as Code;
    let wants_a_login = matches!(
        result.code,
        Code::AuthMethodNotSupported
            | Code::StrongerAuthRequired
            | Code::ConfidentialityRequired
            | Code::InappropriateAuthentication
            | Code::InvalidCredentials
            | Code::InsufficentAccessRights
            | Code::UnwillingToPerform
    );
    result.code == Code::Success || (wants_a_login && level != Level::Session)
}

/// Searches the root DSE, which must be found, and gives the first naming context.
async fn root_dse<S: Stream>(wire: &mut Wire<S>) -> Result<Option<String>, Trouble> {
    let present = LdapFilter::Present("objectClass".to_owned());
    let found = search(wire, SEARCH, "", LdapSearchScope::Base, present, "namingContexts").await?;
    let entry =
        found.ok_or_else(|| Trouble::SaidNo("the root DSE is not shown to anonymous clients".to_owned()))?;
    Ok(naming_context(&entry))
}

/// Searches what a login is for, of which at least one entry must be found.
async fn find<S: Stream>(wire: &mut Wire<S>, login: &Login) -> Result<(), Trouble> {
    let base = login.base.as_ref().unwrap_or(&login.user);
    let (scope, filter) = match &login.filter {
        Some(filter) => (LdapSearchScope::Subtree, filter.clone()),
        None => (LdapSearchScope::Base, LdapFilter::Present("objectClass".to_owned())),
    };
    match search(wire, FIND, base, scope, filter, NO_ATTRIBUTES).await? {
        Some(_) => Ok(()),
        None => Err(Trouble::SaidNo(format!("nothing found: {}", printable(base.as_bytes())))),
    }
}

/// What asks for entries without any of their attributes (RFC 4511 §4.5.1.8).
const NO_ATTRIBUTES: &str = "1.1";

/// Searches, and gives one of the entries that were found.
async fn search<S: Stream>(
    wire: &mut Wire<S>,
    msgid: i32,
    base: &str,
    scope: LdapSearchScope,
    filter: LdapFilter,
    attribute: &str,
) -> Result<Option<LdapSearchResultEntry>, Trouble> {
    let request = LdapOp::SearchRequest(LdapSearchRequest {
        base: base.to_owned(),
        scope,
        aliases: LdapDerefAliases::Never,
        sizelimit: 1,
        timelimit: 0,
        typesonly: false,
        filter,
        attrs: vec![attribute.to_owned()],
    });
    wire.send(&encoded(msgid, request)?).await?;
    let mut found = None;
    loop {
        match heard(wire, msgid).await? {
            Heard::Entry(entry) => found = Some(entry),
            Heard::Aside => {}
            Heard::Done(result) if result.code == LdapResultCode::Success => return Ok(found),
            // There were more than the one that was asked for.
            Heard::Done(result) if result.code == LdapResultCode::SizeLimitExceeded && found.is_some() => {
                return Ok(found);
            }
            Heard::Done(result) | Heard::Notice(result) => return Err(said_no(&result)),
            Heard::Bound(_) | Heard::Unasked => return Err(unasked()),
        }
    }
}

fn naming_context(entry: &LdapSearchResultEntry) -> Option<String> {
    let contexts =
        entry.attributes.iter().find(|attribute| attribute.atype.eq_ignore_ascii_case("namingContexts"))?;
    contexts.vals.first().map(|first| format!("namingContexts: {}", printable(first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: LdapResultCode) -> LdapResult {
        LdapResult { code, matcheddn: String::new(), message: String::new(), referral: Vec::new() }
    }

    #[test]
    fn a_server_that_wants_a_login_greets_but_holds_no_session() {
        let refusal = answer(LdapResultCode::InappropriateAuthentication);
        assert!(is_greeting(&refusal, Level::Greet));
        assert!(is_greeting(&refusal, Level::Login), "the login comes next");
        assert!(!is_greeting(&refusal, Level::Session));
        for code in [LdapResultCode::Busy, LdapResultCode::Unavailable, LdapResultCode::ProtocolError] {
            assert!(!is_greeting(&answer(code), Level::Greet));
        }
    }
}
