//! Times as a line of bars.

use std::time::Duration;

use ims::State;
use ims::output::shows_unicode;

/// How bars are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bars {
    /// In blocks of eight heights.
    Blocks,
    /// For a terminal that knows no more than ASCII.
    Ascii,
}

impl Bars {
    /// What the locale can show.
    pub fn of_locale() -> Self {
        if shows_unicode() { Self::Blocks } else { Self::Ascii }
    }

    const fn heights(self) -> [char; 8] {
        match self {
            Self::Blocks => ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
            Self::Ascii => ['_', '.', ',', '-', '=', '+', '*', '#'],
        }
    }

    /// The times of an endpoint, each as high as its share of the longest; `!` for what was down, `?` for unknown.
    pub fn of<'t>(self, times: impl Iterator<Item = &'t (State, Duration)> + Clone) -> String {
        let heights = self.heights();
        let longest = times.clone().map(|(_, time)| time.as_micros()).max().unwrap_or(0).max(1);
        times
            .map(|(state, time)| match state {
                State::Up | State::Partial => {
                    let height = usize::try_from(time.as_micros() * 7 / longest).unwrap_or(7);
                    heights.get(height).copied().unwrap_or('#')
                }
                State::Down => '!',
                State::Unknown => '?',
            })
            .collect()
    }
}
