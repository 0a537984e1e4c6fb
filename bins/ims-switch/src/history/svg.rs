//! The same runs drawn as one SVG picture: red on the critical path, grey beside it, the outage shaded.

use std::fmt::Write;

use super::chart::heading;
use super::kind::{outage_begins, outage_ms};
use super::timeline::Timeline;
use crate::journal::Told;

/// The height of a line.
const LINE: u64 = 18;
/// Where the bars begin.
const LEFT: u64 = 330;
/// How long the longest one is.
const WIDTH: u64 = 700;
/// The room beside them.
const RIGHT: u64 = 190;
/// How many characters a line across the picture has.
const ACROSS: usize = 165;

/// Every run below the other.
pub fn draw(runs: &[Told]) -> String {
    let mut body = String::new();
    let mut y = LINE;
    for told in runs {
        y = run(&mut body, told, y) + 2 * LINE;
    }
    let width = LEFT + WIDTH + RIGHT;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{y}\" viewBox=\"0 0 {width} {y}\" \
         font-family=\"monospace\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{y}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

/// Draws a run from this height on, and says where it ends.
fn run(body: &mut String, told: &Told, top: u64) -> u64 {
    let timeline = Timeline::of(told);
    let total = told.run.took_ms.unwrap_or(0).max(timeline.length_ms).max(1);
    let x = |ms: u64| {
        LEFT + u64::try_from(u128::from(ms.min(total)) * u128::from(WIDTH) / u128::from(total)).unwrap_or(0)
    };
    let lines = told.steps.iter().map(|step| 1 + step.parts.len()).sum::<usize>();
    let height = LINE * u64::try_from(lines).unwrap_or(0);
    text(body, 10, top, "font-weight=\"bold\"", &shortened(&heading(told)));
    let first = top + LINE / 2;
    if let Some((begin, length)) = outage_begins(told).zip(outage_ms(told)) {
        let to = x(begin.saturating_add(length));
        rect(body, (x(begin), first, to - x(begin), height + LINE / 2), "#fbeaea", Some("outage"));
    }
    for ms in ticks(total) {
        let (at, to) = (x(ms), first + height);
        put(body, format_args!("<path d=\"M{at} {first}V{to}\" stroke=\"#d0d0d0\"/>"));
        text(body, at, to + LINE, "fill=\"#606060\" text-anchor=\"middle\"", &format!("{ms} ms"));
    }
    let mut y = first;
    for (step, weighed) in told.steps.iter().zip(&timeline.steps) {
        let base = y + LINE - 5;
        text(body, 10, base, "", &format!("{} {}", step.node, weighed.name()));
        if let (Some(at), Some(took)) = (step.at_ms, step.took_ms) {
            let fill = if weighed.critical_ms > 0 { "#b03030" } else { "#8a9aa8" };
            let end = x(at.saturating_add(took)).max(x(at) + 1);
            rect(body, (x(at), y + 3, end - x(at), LINE - 6), fill, Some(&step.why));
            let saves =
                if weighed.saves_ms > 0 { format!(", saves {}", weighed.saves_ms) } else { String::new() };
            text(body, end + 4, base, "", &format!("{took} ms{saves}"));
        } else {
            text(body, x(step.at_ms.unwrap_or(0)), base, "", "no end in the journal");
        }
        y += LINE;
        for part in &step.parts {
            let at = step.at_ms.unwrap_or(0).saturating_add(part.at_ms);
            let end = x(at.saturating_add(part.took_ms)).max(x(at) + 1);
            text(body, 26, y + LINE - 5, "fill=\"#606060\"", &part.name);
            rect(body, (x(at), y + 6, end - x(at), LINE - 12), "#c9b8a0", None);
            y += LINE;
        }
    }
    y += LINE;
    for words in timeline.words().iter().chain(&told.run.message) {
        y += LINE;
        text(body, 10, y, "", &shortened(words));
    }
    y
}

/// Round times for the ruler: the least step of 1, 2 or 5 times a power of ten that gives at most ten.
fn ticks(total: u64) -> Vec<u64> {
    let step = (0..19u32)
        .flat_map(|power| [1u64, 2, 5].map(|times| times.saturating_mul(10u64.saturating_pow(power))))
        .find(|step| total / step <= 10)
        .unwrap_or(total);
    (0..=total / step).map(|number| number * step).collect()
}

fn rect(body: &mut String, (x, y, width, height): (u64, u64, u64, u64), fill: &str, title: Option<&str>) {
    let title =
        title.filter(|title| !title.is_empty()).map(|title| format!("<title>{}</title>", escaped(title)));
    put(
        body,
        format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\">{}</rect>",
            title.unwrap_or_default()
        ),
    );
}

fn text(body: &mut String, x: u64, y: u64, how: &str, words: &str) {
    let space = if how.is_empty() { "" } else { " " };
    put(body, format_args!("<text x=\"{x}\" y=\"{y}\"{space}{how}>{}</text>", escaped(words)));
}

fn put(body: &mut String, line: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = writeln!(body, "{line}");
}

/// A text that fits across the picture.
fn shortened(words: &str) -> String {
    match words.char_indices().nth(ACROSS) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
        None => words.to_owned(),
    }
}

/// A text that is no markup, without what XML 1.0 cannot carry.
fn escaped(words: &str) -> String {
    let mut safe = String::new();
    for sign in words.chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            sign if sign.is_control() || matches!(sign, '\u{fffe}' | '\u{ffff}') => safe.push(' '),
            sign => safe.push(sign),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::told;

    #[test]
    fn what_servers_say_is_text_in_the_picture_and_never_markup() {
        let mut told = told("move", Some("failed"), &[("stop", 0, 50), ("start", 60, 40)]);
        told.run.message = Some("<script>\"a\" & b\u{1b}[0m\n".to_owned());
        let drawn = draw(&[told]);
        assert!(drawn.contains("&lt;script&gt;&quot;a&quot; &amp; b [0m <"), "{drawn}");
        assert_eq!(drawn.matches("<svg").count(), 1);
        for element in ["rect", "text", "title"] {
            let (opened, closed) = (format!("<{element}"), format!("</{element}>"));
            let alone = drawn.matches(&opened).count() - usize::from(element == "rect");
            assert_eq!(alone, drawn.matches(&closed).count(), "{element}: {drawn}");
        }
    }

    #[test]
    fn the_ruler_has_round_times_and_at_most_eleven() {
        for (total, step, count) in
            [(1, 1, 2), (9, 1, 10), (611, 100, 7), (1000, 100, 11), (48_123, 5000, 10)]
        {
            let ticks = ticks(total);
            assert_eq!((ticks[1], ticks.len()), (step, count), "{total}");
        }
        assert!(ticks(u64::MAX).len() <= 11);
    }

    #[test]
    fn no_run_at_all_is_an_empty_picture() {
        assert!(draw(&[]).ends_with("</svg>\n"));
    }
}
