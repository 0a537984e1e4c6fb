//! What the protocols of mail have in common where somebody logs in: SASL's PLAIN (RFC 4616), and that a server which
//! repeats what it was told in confidence is not quoted.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::secrets::Login;
use crate::trouble::Trouble;
use crate::words::escaped;

/// The mechanisms of SASL that a server offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mechanisms {
    /// PLAIN (RFC 4616).
    pub plain: bool,
    /// LOGIN, which has no standard.
    pub login: bool,
    /// Any of those that are not spoken here.
    pub others: bool,
}

impl Mechanisms {
    /// Notes one by its name.
    pub fn note(&mut self, name: &[u8]) {
        match name.to_ascii_uppercase().as_slice() {
            b"PLAIN" => self.plain = true,
            b"LOGIN" => self.login = true,
            b"" => {}
            _ => self.others = true,
        }
    }

    /// Why nobody logs in: a server that has other ways may let everybody in who knows them.
    pub fn none_of_ours(self, words: &str) -> Trouble {
        if self.others {
            Trouble::Unknown(format!("{words}, and the others are not spoken here"))
        } else {
            Trouble::SaidNo(words.to_owned())
        }
    }
}

/// The one message of PLAIN, as every protocol sends it.
pub fn plain(login: &Login) -> Zeroizing<String> {
    encoded(&Zeroizing::new(format!("\0{}\0{}", login.user, login.password.reveal())))
}

/// A text as SASL's messages go over a wire of lines.
pub fn encoded(text: &str) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(text))
}

/// A text in quotes, as IMAP has it; within them every backslash and quote is escaped.
pub fn quoted(text: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// What stands in a secret's place.
const STARS: &str = "***";
/// So much of a secret's beginning is left by a cut at least, that it is taken for one.
const BEGUN: usize = 3;

/// Words of a server without the password, as it is or as it was sent, and without the part of it that a cut left.
pub fn hidden(mut words: String, login: &Login) -> String {
    let password = login.password.reveal();
    let in_quotes = quoted(password);
    let in_quotes = in_quotes.trim_matches('"');
    for form in [&plain(login), &encoded(password), in_quotes, password] {
        let form = Zeroizing::new(escaped(form));
        words = words.replace(form.as_str(), STARS);
        let left = words.strip_suffix('…').and_then(|body| {
            let begun = form.char_indices().map(|(at, _)| at).filter(|at| *at >= BEGUN).rev();
            begun.filter_map(|at| form.get(..at)).find_map(|begun| body.strip_suffix(begun))
        });
        if let Some(left) = left {
            words = format!("{left}{STARS}…");
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secret;
    use crate::words::printable;

    fn login(password: &str) -> Login {
        let password = Secret::new(password.to_owned());
        Login { user: "probe".to_owned(), password, base: None, filter: None }
    }

    #[test]
    fn a_server_that_repeats_a_password_is_not_quoted() {
        let login = login("hun\"ter\u{7f}2");
        let whole = |said: &str| hidden(printable(said.as_bytes()), &login);
        assert_eq!(whole("500 what is hun\"ter\u{7f}2?"), "500 what is ***?");
        assert_eq!(
            whole("a1 BAD LOGIN probe \"hun\\\"ter\u{7f}2\""),
            "a1 BAD LOGIN probe \"hun\\\"ter\\u{7f}2\"".replace("hun\\\"ter\\u{7f}2", "***")
        );
        assert_eq!(whole(&format!("500 AUTH PLAIN {}", *plain(&login))), "500 AUTH PLAIN ***");
        assert_eq!(whole(&format!("500 {}", *encoded(login.password.reveal()))), "500 ***");
        let cut = whole(&format!("{}hun\"ter\u{7f}2", "x".repeat(195)));
        assert_eq!(cut, format!("{}***…", "x".repeat(195)));
    }

    #[test]
    fn plain_is_what_its_standard_says() {
        assert_eq!(*plain(&login("one")), "AHByb2JlAG9uZQ==");
    }
}
