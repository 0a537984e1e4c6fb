//! "Did you mean": the known word nearest to a misspelt one.

/// The known word that was most likely meant, if any is near enough to be worth saying.
///
/// A swap, a slip or a missing letter is near; a word of another kind is not.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_ascii_lowercase();
    let slips = (wanted.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|known| (strsim::osa_distance(&wanted, &known.to_ascii_lowercase()), known))
        .filter(|(distance, _)| *distance <= slips)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_finds_its_word_and_another_word_finds_none() {
        let known = ["tcp", "smtp", "submission", "lmtp", "imap", "pop3", "ldap"];
        for (word, meant) in [
            ("smpt", Some("smtp")),
            ("SMTP", Some("smtp")),
            ("imp", Some("imap")),
            ("pop", Some("pop3")),
            ("submision", Some("submission")),
            ("gopher", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word:?}");
        }
    }
}
