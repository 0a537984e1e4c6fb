//! Secrets in configuration: Job Controller secrets, bind passwords. They never appear in a record, an error or a log.

/// Words in the name of a setting whose value is nobody's business.
const NAMES: [&str; 9] =
    ["secret", "passw", "rootpw", "dnpass", "bindpw", "bind_pw", "credentials", "keypass", "api_key"];

/// What stands in a secret's place.
const STARS: &str = "***";

/// A text with the values of secrets replaced, line by line; the same secret looks the same as any other.
///
/// A value goes on behind `\` at a line's end, and on the indented lines behind a name in the first column.
pub fn masked(text: &str) -> String {
    let (mut is_continued, mut may_be_indented) = (false, false);
    let mask = |whole: &str| {
        let body = whole.trim();
        if body.is_empty() || body.starts_with(['#', '!', ';']) {
            return line(whole); // passed over even within a value
        }
        let is_indented = whole.starts_with([' ', '\t']);
        let goes_on = is_continued || (may_be_indented && is_indented);
        is_continued = (goes_on || name(whole).is_some()) && body.ends_with('\\');
        may_be_indented = if is_indented { goes_on && may_be_indented } else { name(whole).is_some() };
        if goes_on { whole.replacen(body, STARS, 1) } else { line(whole) }
    };
    text.split_inclusive('\n').map(mask).collect()
}

/// Where the name of a secret begins in a line.
fn name(line: &str) -> Option<usize> {
    // ASCII alone changes, so that places in one are places in the other.
    let lower = line.to_ascii_lowercase();
    NAMES.iter().filter_map(|name| lower.find(name)).min()
}

fn line(line: &str) -> String {
    let Some(at) = name(line) else { return line.to_owned() };
    let rest = line.get(at..).unwrap_or_default();
    let Some(behind) = rest.find(|c: char| c == '=' || c.is_whitespace()) else { return line.to_owned() };
    let body = line.trim_end_matches(['\n', '\r']);
    // Blank space round the `=` stays.
    let value = rest.get(behind..).unwrap_or_default().trim_start_matches([' ', '\t', '=']);
    let start = line.len() - value.len();
    match body.get(start..).filter(|value| !value.trim().is_empty()) {
        Some(_) => {
            let end = line.get(body.len()..).unwrap_or_default();
            format!("{}{STARS}{end}", line.get(..start).unwrap_or_default())
        }
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_secret_is_not_shown() {
        for (text, shown) in [
            (
                "tcp_port=27442\nsecret=never mind\nSECRET = x\r\n",
                "tcp_port=27442\nsecret=***\nSECRET = ***\r\n",
            ),
            ("rootpw\t\"a b\"", "rootpw\t***"),
            ("  credentials=x y\n", "  credentials=***\n"),
            ("smtp_sasl_password_maps = hash:/x\n", "smtp_sasl_password_maps = ***\n"),
            ("secret=\nsecret", "secret=\nsecret"),
            ("port 389\n", "port 389\n"),
            ("ä secret=ß\n", "ä secret=***\n"),
            ("rootpw\n\tx y\nport 1\n x\n", "rootpw\n\t***\nport 1\n x\n"),
            ("sasl_passwd =\n# c\n\n a\r\n  b\nc = d\n", "sasl_passwd =\n# c\n\n ***\r\n  ***\nc = d\n"),
            ("SECRET=a\\\n! c\nb\\\nc\nPORT=1\n", "SECRET=***\n! c\n***\n***\nPORT=1\n"),
            ("a {\n  password = x\n  port = 1\n}\n", "a {\n  password = ***\n  port = 1\n}\n"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }
}
