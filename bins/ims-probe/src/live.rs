//! A table on a terminal that shows each endpoint in its place, with the times of its last probes as a line of bars.
//! It is drawn over itself, only so often, and no larger than the window, whose size is asked for each time.

mod bars;
mod columns;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use ims::State;

use crate::answer::Answer;
pub use bars::Bars;
use columns::{cut, line, widths};

/// From one drawing to the next, when there is something new, and when there is not.
const PACE: Duration = Duration::from_millis(250);
const QUIET: Duration = Duration::from_secs(1);
/// How many probes a line of bars shows.
const BARS: usize = 24;

/// The size of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// In lines.
    pub rows: usize,
    /// In columns.
    pub columns: usize,
}

/// The table.
#[derive(Debug)]
pub struct Live {
    targets: Vec<BTreeMap<String, Row>>,
    bars: Bars,
    /// The window when it was last drawn, and how many lines that took.
    drawn: Option<(Size, usize)>,
    next: Instant,
    is_new: bool,
}

/// An endpoint: its latest answer, and how long its last probes took.
#[derive(Debug, Clone)]
struct Row {
    answer: Answer,
    times: VecDeque<(State, Duration)>,
}

impl Live {
    /// No target has answered yet.
    pub fn of(targets: usize, bars: Bars) -> Self {
        Self {
            targets: vec![BTreeMap::new(); targets],
            bars,
            drawn: None,
            next: Instant::now(),
            is_new: false,
        }
    }

    /// Notes an answer of a target.
    pub fn note(&mut self, target: usize, answer: Answer) {
        let time = (answer.state, answer.took());
        let Some(rows) = self.targets.get_mut(target) else { return };
        let row = rows
            .entry(answer.endpoint.clone())
            .and_modify(|row| row.answer = answer.clone())
            .or_insert_with(|| Row { answer, times: VecDeque::new() });
        row.times.push_back(time);
        if row.times.len() > BARS {
            row.times.pop_front();
        }
        self.is_new = true;
    }

    /// Ends a round of a target: what did not answer in it is not there any more.
    pub fn end_round(&mut self, target: usize, attempt: u64) {
        if let Some(rows) = self.targets.get_mut(target) {
            rows.retain(|_, row| row.answer.attempt >= attempt);
        }
    }

    /// Whether there is something that was not drawn yet.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// When it is to be drawn again.
    pub fn due(&self) -> Instant {
        if self.is_new { self.next } else { self.next + QUIET.saturating_sub(PACE) }
    }

    /// What draws it anew over the last one.
    pub fn draw(&mut self, size: Size, now: Instant) -> String {
        let lines = self.lines(size);
        let mut text = String::from("\x1b[?2026h"); // shown at once, where the terminal can
        if let Some((last, up)) = self.drawn {
            let back = if last == size { format!("\x1b[{up}F") } else { "\x1b[H\x1b[2J".to_owned() };
            text.push_str(&back);
        }
        for line in &lines {
            text.push_str(line);
            text.push_str("\x1b[K\n");
        }
        text.push_str("\x1b[J\x1b[?2026l");
        self.drawn = Some((size, lines.len()));
        self.next = now + PACE;
        self.is_new = false;
        text
    }

    /// Its lines, none wider than the window, and fewer than it has. Where there is no room for all, what is up goes
    /// first.
    fn lines(&self, size: Size) -> Vec<String> {
        let room = size.rows.saturating_sub(2);
        let mut shown: Vec<&Row> = self.targets.iter().flat_map(BTreeMap::values).collect();
        let all = shown.len();
        if all > room {
            shown.sort_by_key(|row| row.answer.state == State::Up);
            shown.truncate(room.saturating_sub(1));
        }
        let head = ["ENDPOINT", "STATE", "STAGE", "TOOK", "LATEST", "WORDS"].map(ToOwned::to_owned);
        let rows = shown.iter().map(|row| self.cells(row));
        let columns: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
        let widths = widths(&columns);
        let mut lines: Vec<String> = columns.iter().map(|cells| line(cells, &widths)).collect();
        if shown.len() < all {
            lines.push(format!("... and {} more", all - shown.len()));
        }
        lines.truncate(size.rows.saturating_sub(1).max(1));
        lines.iter().map(|line| cut(line.trim_end(), size.columns)).collect()
    }

    fn cells(&self, row: &Row) -> [String; 6] {
        let answer = &row.answer;
        [
            answer.endpoint.clone(),
            answer.state.to_string(),
            answer.stage.map_or_else(|| "-".to_owned(), |stage| stage.to_string()),
            format!("{} ms", answer.took_ms),
            self.bars.of(row.times.iter()),
            answer.words.clone().unwrap_or_default(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::answer;
    use State::{Down, Unknown, Up};
    use unicode_width::UnicodeWidthStr;

    const WIDE: Size = Size { rows: 24, columns: 200 };

    fn shown(states: &[State]) -> Live {
        let mut live = Live::of(states.len(), Bars::Blocks);
        for (target, state) in states.iter().enumerate() {
            live.note(target, answer(&format!("smtp://192.0.2.{target}:25"), *state, "220 x"));
        }
        live
    }

    #[test]
    fn an_endpoint_keeps_its_place_and_shows_its_last_probes() {
        let mut live = shown(&[Up, Down]);
        let slow = vec![crate::stage::Step { stage: crate::stage::Stage::Connect, took_us: 6232 }];
        live.note(0, Answer { steps: slow, ..answer("smtp://192.0.2.0:25", Up, "220 y") });
        live.note(1, answer("smtp://192.0.2.1:25", Unknown, "gone"));
        assert_eq!(
            live.lines(WIDE),
            [
                "ENDPOINT             STATE    STAGE  TOOK  LATEST  WORDS",
                "smtp://192.0.2.0:25  up       -      3 ms  ▄█      220 y",
                "smtp://192.0.2.1:25  unknown  greet  3 ms  !?      gone",
            ]
        );
    }

    #[test]
    fn what_does_not_fit_is_cut_and_what_is_not_up_is_shown_first() {
        let live = shown(&[Up, Up, Up, Down, Up]);
        let lines = live.lines(Size { rows: 5, columns: 30 });
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[1].starts_with("smtp://192.0.2.3:25"), "{lines:?}");
        assert_eq!(lines[3], "... and 3 more");
        assert!(lines.iter().all(|line| line.width() <= 30), "{lines:?}");
        assert_eq!(cut("a漢字", 4), "a漢");
    }

    #[test]
    fn it_is_drawn_over_itself_and_afresh_in_a_window_of_another_size() {
        let mut live = shown(&[Up]);
        let now = Instant::now();
        assert!(live.draw(WIDE, now).starts_with("\x1b[?2026hENDPOINT"));
        assert!(live.draw(WIDE, now).starts_with("\x1b[?2026h\x1b[2FENDPOINT"));
        assert_eq!(live.due(), now + QUIET);
        let narrow = Size { columns: 40, ..WIDE };
        assert!(live.draw(narrow, now).starts_with("\x1b[?2026h\x1b[H\x1b[2JENDPOINT"));
        live.note(0, answer("smtp://192.0.2.0:25", Up, "220 x"));
        assert_eq!(live.due(), now + PACE);
    }

    #[test]
    fn a_line_of_bars_has_an_end() {
        let mut live = shown(&[Up]);
        for _ in 0..100 {
            live.note(0, answer("smtp://192.0.2.0:25", Up, "220 x"));
        }
        assert!(live.lines(WIDE)[1].contains(&format!("  {}  ", "█".repeat(BARS))));
    }
}
