//! `OpenLDAP`: the hosts of its listener URLs.

use ims::Fail;
use ims::conf::shell::Assignments;
use ims::instance::Instance;
use ims::layout::openldap::{DEFAULT_URLS, Url, default_file};

use super::{Plan, Wanted, at, is_loopback};
use crate::files::look::Found;

/// The name of the assignment.
const NAME: &str = "SLAPD_SERVICES";

/// Plans the URLs; an instance without a directory server has none.
pub fn set(instance: &Instance, wanted: &Wanted, found: &Found, plan: &mut Plan) -> Result<(), Fail> {
    let Some(file) = default_file(instance) else { return Ok(()) };
    let old = found.text(&file)?;
    let mut defaults = Assignments::parse(old.as_deref().unwrap_or_default(), &file)?;
    let now = defaults.get(NAME).filter(|value| !value.text.trim().is_empty());
    let line = now.as_ref().map_or(1, |value| value.line);
    let text = now.map_or_else(|| DEFAULT_URLS.to_owned(), |value| value.text);
    if text.contains(['$', '`', '\\']) {
        return Err(
            Fail::usage(format!("{}: {NAME} needs a shell to be told", at(&file, line))).hint("write it out")
        );
    }
    let mut urls: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let url: Url = word.parse().map_err(|fail| Fail::usage(at(&file, line)).because(fail))?;
        let stays = url.scheme.eq_ignore_ascii_case("ldapi") || is_loopback(&url.host);
        let hosts = if stays { vec![url.host.clone()] } else { hosts(wanted) };
        for host in hosts {
            let new = Url { host, ..url.clone() }.to_string();
            if !urls.contains(&new) {
                urls.push(new);
            }
        }
    }
    if urls.join(" ") != text.split_whitespace().collect::<Vec<_>>().join(" ") || old.is_none() {
        defaults.set(NAME, &urls.join(" "));
    }
    plan.edits.push(found.edit(&file, &defaults.to_string())?);
    Ok(())
}

fn hosts(wanted: &Wanted) -> Vec<String> {
    wanted.all().iter().map(|ip| if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }).collect()
}
